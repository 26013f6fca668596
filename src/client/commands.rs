//! What a typed line asks for. One table drives both the parser and `/help`; a command that is not in it is an error
//! and never sent, for it may hold what was not meant for everyone.

use crate::names::{MessageText, MessageTextError, RoomName, TimeSpan, Topic, Username};

/// What a line that was typed means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// An empty line.
    Nothing,
    /// Something to say to the room.
    Say(MessageText),
    /// Something to do.
    Do(Command),
}

/// What can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Who,
    Devices,
    RevokeDevice(Which),
    RevokeOtherDevices,
    ChangePassword,
    /// How many may use it, and how long; the server decides what is not said.
    Invite {
        uses: Option<u32>,
        lasts: Option<TimeSpan>,
    },
    /// Enter a room, and talk there.
    Join(RoomName),
    /// Leave a room for good: the current one if none is named.
    Part(Option<RoomName>),
    ListRooms,
    Make {
        room: RoomName,
        is_private: bool,
    },
    ShowTopic,
    SetTopic(Topic),
    /// Bring someone into the current room.
    Add(Username),
    /// Make a member an operator of the current room, or one no more.
    SetOperator(Username, bool),
    ShowRoom(Option<RoomName>),
    Fingerprint,
    Version,
    Quit,
}

impl Command {
    /// Whether it is about rooms.
    pub(super) fn is_about_rooms(&self) -> bool {
        matches!(
            self,
            Self::Join(_)
                | Self::Part(_)
                | Self::ListRooms
                | Self::Make { .. }
                | Self::ShowTopic
                | Self::SetTopic(_)
                | Self::Add(_)
                | Self::SetOperator(..)
                | Self::ShowRoom(_)
        )
    }
}

/// One of the devices that were listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// By its number, from 1.
    Number(usize),
    /// By the beginning of its key's fingerprint, in small hexadecimal digits without gaps.
    Fingerprint(String),
}

/// Why a line means nothing. Each says what to type instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TypedError {
    #[error("there is no command {name}; did you mean {nearest}? To say it as it is, type /{name}")]
    Unknown { name: String, nearest: &'static str },
    #[error("there is no command {name}; /help shows all. To say it as it is, type /{name}")]
    UnknownAndFar { name: String },
    #[error("{name} takes nothing after it")]
    NoArguments { name: &'static str },
    #[error("{name} takes: {arguments}")]
    Arguments { name: &'static str, arguments: &'static str },
    #[error("not sent: {0}")]
    Text(#[from] MessageTextError),
}

struct Entry {
    name: &'static str,
    help: &'static str,
    meaning: Meaning,
}

/// What a command means, which may depend on what stands after it.
enum Meaning {
    Fixed(Command),
    /// How the arguments look, and what reads them.
    Arguments(&'static str, fn(&str) -> Option<Command>),
}

const COMMANDS: &[Entry] = &[
    Entry { name: "/help", help: "shows the commands", meaning: Meaning::Fixed(Command::Help) },
    Entry { name: "/who", help: "shows who is here", meaning: Meaning::Fixed(Command::Who) },
    Entry {
        name: "/devices",
        help: "lists the devices that come in as you; /devices revoke N ends one",
        meaning: Meaning::Arguments(
            "nothing, or revoke with a device's number, its fingerprint (4 digits or more), or others",
            devices,
        ),
    },
    Entry {
        name: "/invite",
        help: "makes a link with which someone can sign up; /invite 5 3d for five within three days",
        meaning: Meaning::Arguments(
            "nothing, or a number of uses, a time such as 12h or 7d, or both",
            invite,
        ),
    },
    Entry {
        name: "/passwd",
        help: "changes your password",
        meaning: Meaning::Fixed(Command::ChangePassword),
    },
    Entry {
        name: "/join",
        help: "enters a room; what you type then goes there",
        meaning: Meaning::Arguments("the name of a room, such as #tea", |text| room(text).map(Command::Join)),
    },
    Entry {
        name: "/part",
        help: "leaves this room, or the one that you name, for good",
        meaning: Meaning::Arguments("nothing or the name of a room", |text| {
            perhaps_room(text, Command::Part)
        }),
    },
    Entry {
        name: "/list",
        help: "lists the rooms that anyone can enter",
        meaning: Meaning::Fixed(Command::ListRooms),
    },
    Entry {
        name: "/create",
        help: "makes a room; /create #name private makes one that only those get into whom you add",
        meaning: Meaning::Arguments("the name of a room, and private if it is to be that", make),
    },
    Entry {
        name: "/topic",
        help: "shows what this room is about; /topic TEXT sets it, /topic - removes it",
        meaning: Meaning::Arguments("nothing, or one line of at most 400 bytes", topic),
    },
    Entry {
        name: "/room",
        help: "shows who can read this room, since when, and what protects it",
        meaning: Meaning::Arguments("nothing or the name of a room", |text| {
            perhaps_room(text, Command::ShowRoom)
        }),
    },
    Entry {
        name: "/add",
        help: "brings someone into this room",
        meaning: Meaning::Arguments("a name", |text| text.trim().parse().ok().map(Command::Add)),
    },
    Entry {
        name: "/op",
        help: "makes someone an operator of this room",
        meaning: Meaning::Arguments("a name", |text| {
            Some(Command::SetOperator(text.trim().parse().ok()?, true))
        }),
    },
    Entry {
        name: "/deop",
        help: "makes an operator of this room one no more",
        meaning: Meaning::Arguments("a name", |text| {
            Some(Command::SetOperator(text.trim().parse().ok()?, false))
        }),
    },
    Entry {
        name: "/fingerprint",
        help: "shows the server's key and what protects the session",
        meaning: Meaning::Fixed(Command::Fingerprint),
    },
    Entry { name: "/version", help: "shows which chat this is", meaning: Meaning::Fixed(Command::Version) },
    Entry {
        name: "/quit",
        help: "leaves; so do exit and bye alone on a line",
        meaning: Meaning::Fixed(Command::Quit),
    },
];

/// How many letters may be wrong in a name for which another one is offered.
const TYPOS_MAX: usize = 2;

/// Reads a line. White space around it does not count.
pub(super) fn parse(line: &str) -> Result<Typed, TypedError> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(Typed::Nothing);
    }
    if ["exit", "bye"].iter().any(|word| line.eq_ignore_ascii_case(word)) {
        return Ok(Typed::Do(Command::Quit));
    }
    match line.strip_prefix('/') {
        None => Ok(Typed::Say(line.parse()?)),
        Some(text) if text.starts_with('/') => Ok(Typed::Say(text.parse()?)),
        Some(_) => parse_command(line).map(Typed::Do),
    }
}

/// One line for each command.
pub(super) fn help() -> impl Iterator<Item = String> {
    let commands = COMMANDS.iter().map(|entry| format!("{:13} {}", entry.name, entry.help));
    commands.chain([format!("{:13} says /text", "//text")])
}

fn parse_command(line: &str) -> Result<Command, TypedError> {
    let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let Some(entry) = COMMANDS.iter().find(|entry| entry.name.eq_ignore_ascii_case(name)) else {
        return Err(unknown(name));
    };
    match &entry.meaning {
        Meaning::Fixed(command) if arguments.trim().is_empty() => Ok(command.clone()),
        Meaning::Fixed(_) => Err(TypedError::NoArguments { name: entry.name }),
        Meaning::Arguments(shape, read) => {
            read(arguments).ok_or(TypedError::Arguments { name: entry.name, arguments: shape })
        }
    }
}

/// A room's name, with or without its `#`.
fn room(text: &str) -> Option<RoomName> {
    let text = text.trim();
    if text.starts_with('#') { text.parse().ok() } else { format!("#{text}").parse().ok() }
}

/// A command about the room that is named, or the current one.
fn perhaps_room(text: &str, command: fn(Option<RoomName>) -> Command) -> Option<Command> {
    if text.trim().is_empty() { Some(command(None)) } else { room(text).map(|room| command(Some(room))) }
}

fn make(text: &str) -> Option<Command> {
    let mut words = text.split_whitespace();
    let name = room(words.next()?).filter(|room| !room.is_private())?;
    let is_private = match (words.next(), words.next()) {
        (None, _) => false,
        (Some(word), None) if word.eq_ignore_ascii_case("private") => true,
        _ => return None,
    };
    Some(Command::Make { room: name, is_private })
}

fn topic(text: &str) -> Option<Command> {
    match text.trim() {
        "" => Some(Command::ShowTopic),
        "-" => Some(Command::SetTopic(Topic::default())),
        text => text.parse().ok().map(Command::SetTopic),
    }
}

fn devices(arguments: &str) -> Option<Command> {
    /// The shortest beginning of a fingerprint that is taken for one; what is shorter may be a number.
    const DIGITS: std::ops::RangeInclusive<usize> = 4..=32;
    let arguments = arguments.to_ascii_lowercase();
    let mut words = arguments.split_whitespace();
    match (words.next(), words.collect::<String>().as_str()) {
        (None, _) => Some(Command::Devices),
        (Some("revoke"), "others") => Some(Command::RevokeOtherDevices),
        (Some("revoke"), digits) if DIGITS.contains(&digits.len()) => {
            let is_fingerprint = digits.chars().all(|digit| digit.is_ascii_hexdigit());
            is_fingerprint.then(|| Command::RevokeDevice(Which::Fingerprint(digits.to_owned())))
        }
        (Some("revoke"), number) => Some(Command::RevokeDevice(Which::Number(number.parse().ok()?))),
        _ => None,
    }
}

fn invite(arguments: &str) -> Option<Command> {
    let (mut uses, mut lasts) = (None, None);
    for word in arguments.split_whitespace() {
        match (word.parse::<u32>(), word.parse::<TimeSpan>()) {
            (Ok(number), _) if number > 0 && uses.is_none() => uses = Some(number),
            (_, Ok(time)) if lasts.is_none() => lasts = Some(time),
            _ => return None,
        }
    }
    Some(Command::Invite { uses, lasts })
}

fn unknown(name: &str) -> TypedError {
    /// Longer ones are no mistyped commands, and not worth the comparison.
    const NAME_CHARS_MAX: usize = 32;
    let shown: String = name.chars().take(NAME_CHARS_MAX).collect();
    let nearest = COMMANDS.iter().min_by_key(|entry| distance(entry.name, &shown));
    // A slash alone is near to every short name.
    let typos_max = TYPOS_MAX.min(shown.chars().count().saturating_sub(1));
    match nearest.filter(|entry| distance(entry.name, &shown) <= typos_max) {
        Some(entry) => TypedError::Unknown { name: shown, nearest: entry.name },
        None => TypedError::UnknownAndFar { name: shown },
    }
}

/// The number of letters to insert, remove or replace (Levenshtein, 1965), one row of the table at a time.
fn distance(name: &str, typed: &str) -> usize {
    let typed: Vec<char> = typed.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=typed.len()).collect();
    for (above, letter) in name.chars().enumerate() {
        let mut left = above + 1;
        let mut next = vec![left];
        for ((diagonal, up), other) in row.iter().zip(row.iter().skip(1)).zip(&typed) {
            left = (diagonal + usize::from(letter != *other)).min(up + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_mean_what_hands_expect() {
        let say = |text: &str| Ok(Typed::Say(text.parse().unwrap()));
        let does = |command| Ok(Typed::Do(command));
        let make = |room: &str, is_private| does(Command::Make { room: room.parse().unwrap(), is_private });
        let cases = [
            ("", Ok(Typed::Nothing)),
            (" \t", Ok(Typed::Nothing)),
            ("hello", say("hello")),
            ("exit the building", say("exit the building")),
            ("//who is a command", say("/who is a command")),
            ("/WHO", does(Command::Who)),
            (" /help ", does(Command::Help)),
            ("/quit", does(Command::Quit)),
            ("exit", does(Command::Quit)),
            ("Bye", does(Command::Quit)),
            ("/Devices", does(Command::Devices)),
            ("/devices  revoke 12", does(Command::RevokeDevice(Which::Number(12)))),
            ("/devices revoke 0ACE 1234", does(Command::RevokeDevice(Which::Fingerprint("0ace1234".into())))),
            ("/devices revoke OTHERS", does(Command::RevokeOtherDevices)),
            ("/invite", does(Command::Invite { uses: None, lasts: None })),
            ("/invite 5", does(Command::Invite { uses: Some(5), lasts: None })),
            ("/INVITE 12h 3", does(Command::Invite { uses: Some(3), lasts: "12h".parse().ok() })),
            ("/passwd", does(Command::ChangePassword)),
            ("/join tea", does(Command::Join("#tea".parse().unwrap()))),
            ("/JOIN #Plans.k7q2", does(Command::Join("#plans.k7q2".parse().unwrap()))),
            ("/part", does(Command::Part(None))),
            ("/create #plans Private", make("#plans", true)),
            ("/create tea", make("#tea", false)),
            ("/topic", does(Command::ShowTopic)),
            ("/topic -", does(Command::SetTopic(Topic::default()))),
            ("/topic  tea, black ", does(Command::SetTopic("tea, black".parse().unwrap()))),
            ("/add Bob", does(Command::Add("bob".parse().unwrap()))),
            ("/deop bob", does(Command::SetOperator("bob".parse().unwrap(), false))),
            ("/passwd secret", Err(TypedError::NoArguments { name: "/passwd" })),
            ("/who me", Err(TypedError::NoArguments { name: "/who" })),
            ("/", Err(TypedError::UnknownAndFar { name: "/".into() })),
            ("/hepl", Err(TypedError::Unknown { name: "/hepl".into(), nearest: "/help" })),
            ("/usr/bin/env", Err(TypedError::UnknownAndFar { name: "/usr/bin/env".into() })),
        ];
        for (line, meaning) in cases {
            assert_eq!(parse(line), meaning, "{line:?}");
        }
    }

    #[test]
    fn arguments_that_mean_nothing_are_refused_with_how_they_look() {
        let long = format!("/devices revoke {}", "a".repeat(33));
        for line in ["/devices all", "/devices revoke", "/devices revoke x", "/devices revoke wxyz", &long] {
            let error = parse(line).unwrap_err();
            assert!(matches!(error, TypedError::Arguments { name: "/devices", .. }), "{line}: {error}");
        }
    }

    #[test]
    fn an_invite_for_nonsense_is_refused_with_how_it_looks() {
        for line in
            ["/invite bob", "/invite 0", "/invite 5 5", "/invite 1h 1h", "/invite -1", "/invite 7 days"]
        {
            let error = parse(line).unwrap_err();
            assert!(matches!(error, TypedError::Arguments { name: "/invite", .. }), "{line}: {error}");
        }
    }

    #[test]
    fn names_of_rooms_and_people_that_can_be_none_are_refused() {
        for line in
            ["/join", "/join #a b", "/part #", "/create #a.k7q2", "/create #a open", "/add", "/op two names"]
        {
            assert!(matches!(parse(line), Err(TypedError::Arguments { .. })), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_with_its_size() {
        let error = parse(&"x".repeat(20_000)).unwrap_err();
        assert!(error.to_string().starts_with("not sent: the message has 20000 bytes"), "{error}");
    }

    #[test]
    fn every_command_is_understood_and_in_the_help() {
        let help: Vec<String> = help().collect();
        for entry in COMMANDS {
            let alone = parse(&entry.name.to_uppercase());
            assert!(matches!(alone, Ok(Typed::Do(_)) | Err(TypedError::Arguments { .. })), "{alone:?}");
            assert!(help.iter().any(|line| line.starts_with(entry.name) && line.ends_with(entry.help)));
        }
    }

    #[test]
    fn distances_are_those_that_one_counts() {
        for (typed, expected) in [("/who", 0), ("/hwo", 2), ("/wh", 1), ("/whoo", 1), ("", 4)] {
            assert_eq!(distance("/who", typed), expected, "{typed}");
        }
    }
}
