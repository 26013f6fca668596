//! What a typed line asks for. One table drives the parser, what Tab offers, `/help` and the manual; a command that is not
//! in it is an error and never sent, for it may hold what was not meant for everyone. Each subject has its part of the
//! table in a file of its own, with the commands that it reads.

mod account;
mod arguments;
mod completion;
mod directs;
mod help;
mod history;
mod messages;
mod moderation;
mod people;
mod rooms;

use crate::names::{MessageText, MessageTextError};
use crate::nearest::nearest;

pub(super) use account::{AccountCommand, Which};
use arguments::{Argument, Kind, explained, usage};
pub(super) use completion::{Completion, Known, complete};
pub(super) use directs::DirectCommand;
pub(super) use help::{about, manual};
pub(super) use history::HistoryCommand;
pub(super) use messages::MessageCommand;
pub(super) use moderation::ModerationCommand;
pub(super) use people::PeopleCommand;
pub(super) use rooms::{RoomCommand, Where};

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
    /// About one command, or all.
    Help(Option<String>),
    Reconnect,
    Fingerprint,
    Version,
    Quit,
    Message(MessageCommand),
    Room(RoomCommand),
    People(PeopleCommand),
    Direct(DirectCommand),
    History(HistoryCommand),
    Moderation(ModerationCommand),
    Account(AccountCommand),
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
    #[error("{name} takes nothing after it; what you have typed is on your screen, so choose another secret")]
    Secret { name: &'static str },
    #[error("write {usage}{explained}; /help {} tells more", .name.trim_start_matches('/'))]
    Arguments { name: &'static str, usage: String, explained: String },
    #[error("not sent: {0}")]
    Text(#[from] MessageTextError),
}

struct Entry {
    /// With its `/`, in small letters.
    name: &'static str,
    /// What it does: in a few words up to the first `;`, and what else there is to know.
    help: &'static str,
    meaning: Meaning,
}

/// What a command means, which may depend on what stands after it.
enum Meaning {
    Fixed(Command),
    /// The same for a command that asks for a secret: what is typed after it may be one.
    Secret(Command),
    /// What the arguments are, and what reads them.
    Arguments(&'static [Argument], fn(&str) -> Option<Command>),
    /// The same where something to say is among them, which may be none.
    Text(&'static [Argument], fn(&str) -> Option<Result<Command, MessageTextError>>),
}

impl Meaning {
    fn takes(&self) -> &'static [Argument] {
        match self {
            Self::Fixed(_) | Self::Secret(_) => &[],
            Self::Arguments(takes, _) | Self::Text(takes, _) => takes,
        }
    }
}

/// The whole table, by subjects, in the order of `/help`.
const SUBJECTS: &[(&str, &[Entry])] = &[
    ("rooms", rooms::ENTRIES),
    ("one person alone", directs::ENTRIES),
    ("people", people::ENTRIES),
    ("messages", messages::ENTRIES),
    ("what was said", history::ENTRIES),
    ("order in rooms", moderation::ENTRIES),
    ("your account", account::ENTRIES),
    ("this program", PROGRAM),
];

const PROGRAM: &[Entry] = &[
    Entry {
        name: "/help",
        help: "shows all commands, or tells about one",
        meaning: Meaning::Arguments(&[Argument::Perhaps(&[Kind::Command])], |text| {
            let mut words = text.split_whitespace().map(str::to_owned);
            let about = words.next();
            words.next().is_none().then_some(Command::Help(about))
        }),
    },
    Entry {
        name: "/reconnect",
        help: "connects anew; at once, if the connection is lost. So does Enter alone while it is",
        meaning: Meaning::Fixed(Command::Reconnect),
    },
    Entry {
        name: "/fingerprint",
        help: "shows the server's key; and what protects the session",
        meaning: Meaning::Fixed(Command::Fingerprint),
    },
    Entry { name: "/version", help: "shows which chat this is", meaning: Meaning::Fixed(Command::Version) },
    Entry {
        name: "/quit",
        help: "leaves; so do exit and bye alone on a line",
        meaning: Meaning::Fixed(Command::Quit),
    },
];

/// Reads a line. White space around it does not count, but for that before the first of several lines.
pub(super) fn parse(typed: &str) -> Result<Typed, TypedError> {
    let line = typed.trim();
    if line.is_empty() {
        return Ok(Typed::Nothing);
    }
    if ["exit", "bye"].iter().any(|word| line.eq_ignore_ascii_case(word)) {
        return Ok(Typed::Do(Command::Quit));
    }
    match line.strip_prefix('/') {
        None => Ok(Typed::Say(spoken(typed, line).parse()?)),
        Some(text) if text.starts_with('/') => Ok(Typed::Say(text.parse()?)),
        Some(_) => parse_command(line).map(Typed::Do),
    }
}

/// What is said: the line, or several ones, of which the first is indented as it was.
fn spoken<'t>(typed: &'t str, line: &'t str) -> &'t str {
    if !line.contains('\n') {
        return line;
    }
    let typed = typed.trim_end();
    let before = typed.strip_suffix(line).unwrap_or_default();
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    typed.get(begin..).unwrap_or(line)
}

/// Whether a line may hold a secret, so that it must not be kept.
pub(super) fn is_secret(line: &str) -> bool {
    let name = line.split_whitespace().next().unwrap_or_default();
    entry(name).is_some_and(|entry| matches!(entry.meaning, Meaning::Secret(_)))
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    SUBJECTS.iter().flat_map(|(_, entries)| *entries)
}

fn entry(name: &str) -> Option<&'static Entry> {
    entries().find(|entry| entry.name.eq_ignore_ascii_case(name))
}

fn parse_command(line: &str) -> Result<Command, TypedError> {
    let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let entry = entry(name).ok_or_else(|| unknown(name))?;
    match &entry.meaning {
        Meaning::Fixed(command) | Meaning::Secret(command) if arguments.trim().is_empty() => {
            Ok(command.clone())
        }
        Meaning::Fixed(_) => Err(TypedError::NoArguments { name: entry.name }),
        Meaning::Secret(_) => Err(TypedError::Secret { name: entry.name }),
        Meaning::Arguments(takes, read) => {
            read(arguments).ok_or_else(|| written_otherwise(entry.name, takes))
        }
        Meaning::Text(takes, read) => match read(arguments) {
            Some(command) => Ok(command?),
            None => Err(written_otherwise(entry.name, takes)),
        },
    }
}

fn written_otherwise(name: &'static str, takes: &[Argument]) -> TypedError {
    let explained = Some(explained(takes)).filter(|it| !it.is_empty());
    let explained = explained.map_or_else(String::new, |it| format!("; {it}"));
    TypedError::Arguments { name, usage: usage(name, takes), explained }
}

fn unknown(name: &str) -> TypedError {
    /// What is shown of it.
    const SHOWN_CHARS_MAX: usize = 32;
    let shown: String = name.chars().take(SHOWN_CHARS_MAX).collect();
    match nearest(name, entries().map(|entry| entry.name)) {
        Some(nearest) => TypedError::Unknown { name: shown, nearest },
        None => TypedError::UnknownAndFar { name: shown },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Topic;

    #[test]
    fn lines_mean_what_hands_expect() {
        let say = |text: &str| Ok(Typed::Say(text.parse().unwrap()));
        let does = |command| Ok(Typed::Do(command));
        let account = |command| does(Command::Account(command));
        let room = |command| does(Command::Room(command));
        let people = |command| does(Command::People(command));
        let direct = |command| does(Command::Direct(command));
        let tell = |name: &str, text: &str| {
            direct(DirectCommand::Tell(name.parse().unwrap(), text.parse().unwrap()))
        };
        let make =
            |name: &str, is_private| room(RoomCommand::Make { room: name.parse().unwrap(), is_private });
        let earlier = |room: Option<&str>, count| {
            let room = room.map(|room| Where::Room(room.parse().unwrap()));
            does(Command::History(HistoryCommand::Earlier { room, count }))
        };
        let search = |room: Option<&str>, words: &str| {
            let room = room.map(|room| Where::Room(room.parse().unwrap()));
            let words = words.parse().unwrap();
            does(Command::History(HistoryCommand::Search { room, words }))
        };
        let cases = [
            ("", Ok(Typed::Nothing)),
            (" \t", Ok(Typed::Nothing)),
            ("hello", say("hello")),
            ("exit the building", say("exit the building")),
            ("//who is a command", say("/who is a command")),
            ("\n    if x {\n        y\n    }\n", say("    if x {\n        y\n    }")),
            ("/WHO", people(PeopleCommand::Who)),
            ("/whois Bob", people(PeopleCommand::WhoIs("bob".parse().unwrap()))),
            ("/away", people(PeopleCommand::SetAway(Some("".parse().unwrap())))),
            ("/AWAY  at lunch ", people(PeopleCommand::SetAway(Some("at lunch".parse().unwrap())))),
            ("/back", people(PeopleCommand::SetAway(None))),
            ("/lastseen Off", people(PeopleCommand::HideLastSeen(true))),
            (" /help ", does(Command::Help(None))),
            ("/help JOIN", does(Command::Help(Some("JOIN".into())))),
            ("/quit", does(Command::Quit)),
            ("exit", does(Command::Quit)),
            ("Bye", does(Command::Quit)),
            ("/Devices", account(AccountCommand::Devices)),
            ("/devices  revoke 12", account(AccountCommand::RevokeDevice(Which::Number(12)))),
            (
                "/devices revoke 0ACE 1234",
                account(AccountCommand::RevokeDevice(Which::Fingerprint("0ace1234".into()))),
            ),
            ("/devices revoke OTHERS", account(AccountCommand::RevokeOtherDevices)),
            ("/invite", account(AccountCommand::Invite { uses: None, lasts: None })),
            ("/invite 5", account(AccountCommand::Invite { uses: Some(5), lasts: None })),
            ("/INVITE 12h 3", account(AccountCommand::Invite { uses: Some(3), lasts: "12h".parse().ok() })),
            ("/passwd", account(AccountCommand::ChangePassword)),
            ("/join tea", room(RoomCommand::Join(Where::Room("#tea".parse().unwrap())))),
            ("/JOIN #Plans.k7q2", room(RoomCommand::Join(Where::Room("#plans.k7q2".parse().unwrap())))),
            ("/room @Bob", room(RoomCommand::Show(Some(Where::With("bob".parse().unwrap()))))),
            ("/msg Bob  how  are you? ", tell("bob", "how  are you?")),
            ("/MSG @bob /quit", tell("bob", "/quit")),
            ("/query bob", direct(DirectCommand::Query("bob".parse().ok()))),
            ("/query", direct(DirectCommand::Query(None))),
            ("/r fine", direct(DirectCommand::Reply("fine".parse().unwrap()))),
            ("/part", room(RoomCommand::Part(None))),
            ("/create #plans Private", make("#plans", true)),
            ("/create tea", make("#tea", false)),
            ("/topic", room(RoomCommand::ShowTopic)),
            ("/topic -", room(RoomCommand::SetTopic(Topic::default()))),
            ("/topic  tea, black ", room(RoomCommand::SetTopic("tea, black".parse().unwrap()))),
            ("/add Bob", room(RoomCommand::Add("bob".parse().unwrap()))),
            ("/deop bob", room(RoomCommand::SetOperator("bob".parse().unwrap(), false))),
            ("/history", earlier(None, None)),
            ("/History 200", earlier(None, Some(200))),
            ("/history 7 tea", earlier(Some("#tea"), Some(7))),
            ("/unread", does(Command::History(HistoryCommand::CountUnread))),
            (
                "/unread Tea",
                does(Command::History(HistoryCommand::Unread(Where::Room("#tea".parse().unwrap())))),
            ),
            ("/search", does(Command::History(HistoryCommand::SearchOn))),
            ("/search #tea green leaves", search(Some("#tea"), "green leaves")),
            ("/search \"near* #tea", search(None, "\"near* #tea")),
            ("/read", does(Command::History(HistoryCommand::MarkRead(None)))),
            ("/passwd secret", Err(TypedError::Secret { name: "/passwd" })),
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
    fn a_history_of_nonsense_is_refused_with_how_it_looks() {
        for line in
            ["/history 0", "/history 201", "/history 7 7", "/history #a #b", "/history 65537", "/history 1.5"]
        {
            let error = parse(line).unwrap_err();
            assert!(matches!(error, TypedError::Arguments { name: "/history", .. }), "{line}: {error}");
        }
    }

    #[test]
    fn a_search_for_no_word_or_for_too_many_is_refused_with_how_it_looks() {
        for line in ["/search ***", "/search #tea !", &format!("/search {}", "a ".repeat(17))] {
            let error = parse(line).unwrap_err();
            assert!(matches!(error, TypedError::Arguments { name: "/search", .. }), "{line}: {error}");
        }
    }

    #[test]
    fn names_of_rooms_and_people_that_can_be_none_are_refused() {
        for line in [
            "/join",
            "/join #a b",
            "/part #",
            "/create #a.k7q2",
            "/create #a open",
            "/add",
            "/op two names",
            "/create @bob",
            "/join @a+b+c",
            "/query two names",
            "/msg bob",
            "/msg",
            "/msg b+c hi",
            "/reply ",
        ] {
            assert!(matches!(parse(line), Err(TypedError::Arguments { .. })), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_with_its_size() {
        for start in ["", "/msg bob ", "/reply "] {
            let error = parse(&format!("{start}{}", "x".repeat(20_000))).unwrap_err();
            assert!(error.to_string().starts_with("not sent: the message has 20000 bytes"), "{error}");
        }
    }

    #[test]
    fn every_command_is_understood_alone_unless_it_must_have_something_after_it() {
        for entry in entries() {
            let alone = parse(&entry.name.to_uppercase());
            let must = entry.meaning.takes().iter().any(|argument| matches!(argument, Argument::One(_)));
            let may = matches!(entry.meaning.takes(), [Argument::One(Kind::Text { .. })]);
            assert!(may || must == matches!(alone, Err(TypedError::Arguments { .. })), "{alone:?}");
            assert!(must || matches!(alone, Ok(Typed::Do(_))), "{alone:?}");
        }
    }

    #[test]
    fn arguments_that_mean_nothing_are_told_how_they_are_written() {
        let told = |line: &str| parse(line).unwrap_err().to_string();
        assert_eq!(told("/join a b"), "write /join #ROOM; /help join tells more");
        let invite = "write /invite [USES] [TIME]; USES is a whole number from 1 to 1000, TIME is such as 10m, 12h or 7d; ";
        assert!(told("/invite bob").starts_with(invite));
    }
}
