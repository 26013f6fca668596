//! What a typed line asks for. One table drives both the parser and `/help`; a command that is not in it is an error
//! and never sent, for it may hold what was not meant for everyone. Each subject has its part of the table in a file of
//! its own, with the commands that it reads.

mod account;
mod history;
mod moderation;
mod people;
mod rooms;

use crate::names::{MessageText, MessageTextError};
use crate::nearest::nearest;

pub(super) use account::{AccountCommand, Which};
pub(super) use history::HistoryCommand;
pub(super) use moderation::ModerationCommand;
pub(super) use people::PeopleCommand;
pub(super) use rooms::RoomCommand;

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
    Fingerprint,
    Version,
    Quit,
    Room(RoomCommand),
    People(PeopleCommand),
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

/// The whole table, in the order of `/help`.
fn entries() -> impl Iterator<Item = &'static Entry> {
    let subjects = [people::ENTRIES, rooms::ENTRIES, history::ENTRIES, moderation::ENTRIES, account::ENTRIES];
    [GENERAL].into_iter().chain(subjects).chain([LAST]).flatten()
}

const GENERAL: &[Entry] =
    &[Entry { name: "/help", help: "shows the commands", meaning: Meaning::Fixed(Command::Help) }];

const LAST: &[Entry] = &[
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
    let commands = entries().map(|entry| format!("{:13} {}", entry.name, entry.help));
    commands.chain([format!("{:13} says /text", "//text")])
}

fn parse_command(line: &str) -> Result<Command, TypedError> {
    let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let Some(entry) = entries().find(|entry| entry.name.eq_ignore_ascii_case(name)) else {
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
        let make =
            |name: &str, is_private| room(RoomCommand::Make { room: name.parse().unwrap(), is_private });
        let earlier = |room: Option<&str>, count| {
            let room = room.map(|room| room.parse().unwrap());
            does(Command::History(HistoryCommand::Earlier { room, count }))
        };
        let search = |room: Option<&str>, words: &str| {
            let (room, words) = (room.map(|room| room.parse().unwrap()), words.parse().unwrap());
            does(Command::History(HistoryCommand::Search { room, words }))
        };
        let cases = [
            ("", Ok(Typed::Nothing)),
            (" \t", Ok(Typed::Nothing)),
            ("hello", say("hello")),
            ("exit the building", say("exit the building")),
            ("//who is a command", say("/who is a command")),
            ("/WHO", people(PeopleCommand::Who)),
            ("/whois Bob", people(PeopleCommand::WhoIs("bob".parse().unwrap()))),
            ("/away", people(PeopleCommand::SetAway(Some("".parse().unwrap())))),
            ("/AWAY  at lunch ", people(PeopleCommand::SetAway(Some("at lunch".parse().unwrap())))),
            ("/back", people(PeopleCommand::SetAway(None))),
            ("/lastseen Off", people(PeopleCommand::HideLastSeen(true))),
            (" /help ", does(Command::Help)),
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
            ("/join tea", room(RoomCommand::Join("#tea".parse().unwrap()))),
            ("/JOIN #Plans.k7q2", room(RoomCommand::Join("#plans.k7q2".parse().unwrap()))),
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
            ("/unread Tea", does(Command::History(HistoryCommand::Unread("#tea".parse().unwrap())))),
            ("/search", does(Command::History(HistoryCommand::SearchOn))),
            ("/search #tea green leaves", search(Some("#tea"), "green leaves")),
            ("/search \"near* #tea", search(None, "\"near* #tea")),
            ("/read", does(Command::History(HistoryCommand::MarkRead(None)))),
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
        for entry in entries() {
            let alone = parse(&entry.name.to_uppercase());
            assert!(matches!(alone, Ok(Typed::Do(_)) | Err(TypedError::Arguments { .. })), "{alone:?}");
            assert!(help.iter().any(|line| line.starts_with(entry.name) && line.ends_with(entry.help)));
        }
    }
}
