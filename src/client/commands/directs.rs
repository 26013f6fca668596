//! What one says to one person.

use super::arguments::{Argument, Kind};
use super::{Command, Entry, Meaning};
use crate::names::{MESSAGE_BYTES_MAX, MessageText, MessageTextError, Username};

/// What can be asked for about direct conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum DirectCommand {
    /// Say something to someone, and stay where one is.
    Tell(Username, MessageText),
    /// Talk with someone, or go back to where one was before.
    Query(Option<Username>),
    /// Say something to whoever wrote last.
    Reply(MessageText),
}

const TEXT: Kind = Kind::Text { name: "TEXT", most: MESSAGE_BYTES_MAX };

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "/msg",
        help: "says something to one person alone; wherever you are",
        meaning: Meaning::Text(&[Argument::One(Kind::Person), Argument::One(TEXT)], tell),
    },
    Entry {
        name: "/query",
        help: "makes what you type go to one person alone; without a name, where it went before",
        meaning: Meaning::Arguments(&[Argument::Perhaps(&[Kind::Person])], |text| {
            let name = if text.trim().is_empty() { None } else { Some(person(text)?) };
            Some(Command::Direct(DirectCommand::Query(name)))
        }),
    },
    Entry {
        name: "/reply",
        help: "answers whoever wrote to you alone last; so does /r",
        meaning: Meaning::Text(&[Argument::One(TEXT)], reply),
    },
    Entry { name: "/r", help: "is short for /reply", meaning: Meaning::Text(&[Argument::One(TEXT)], reply) },
];

/// A person's name, also as a direct conversation is called after it.
pub(super) fn person(text: &str) -> Option<Username> {
    let text = text.trim();
    text.strip_prefix('@').unwrap_or(text).parse().ok()
}

fn tell(arguments: &str) -> Option<Result<Command, MessageTextError>> {
    let (name, text) = arguments.trim().split_once(char::is_whitespace)?;
    let name = person(name)?;
    Some(text.trim().parse().map(|text| Command::Direct(DirectCommand::Tell(name, text))))
}

fn reply(arguments: &str) -> Option<Result<Command, MessageTextError>> {
    let text = Some(arguments.trim()).filter(|text| !text.is_empty())?;
    Some(text.parse().map(|text| Command::Direct(DirectCommand::Reply(text))))
}
