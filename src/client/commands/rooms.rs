//! What one asks about rooms.

use super::arguments::{Argument, Kind};
use super::directs::person;
use super::{Command, Entry, Meaning};
use crate::names::{RoomName, TOPIC_BYTES_MAX, Topic, Username};

/// What can be asked for about rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum RoomCommand {
    /// Enter a room, and talk there.
    Join(Where),
    /// Leave a room for good: the current one if none is named.
    Part(Option<Where>),
    List,
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
    Show(Option<Where>),
}

/// A room as it is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum Where {
    /// By its name.
    Room(RoomName),
    /// By the person with whom one talks there.
    With(Username),
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "/join",
        help: "enters a room; what you type then goes there",
        meaning: Meaning::Arguments(&[Argument::One(Kind::Room)], |text| {
            Some(Command::Room(RoomCommand::Join(room(text)?)))
        }),
    },
    Entry {
        name: "/part",
        help: "leaves a room for good; this one if you name none",
        meaning: Meaning::Arguments(&[Argument::Perhaps(&[Kind::Room])], |text| {
            perhaps_room(text, RoomCommand::Part)
        }),
    },
    Entry {
        name: "/list",
        help: "lists the rooms that anyone can enter",
        meaning: Meaning::Fixed(Command::Room(RoomCommand::List)),
    },
    Entry {
        name: "/create",
        help: "makes a room; a private one is entered and known only by those whom you add",
        meaning: Meaning::Arguments(
            &[Argument::One(Kind::Room), Argument::Perhaps(&[Kind::Word(&["private"])])],
            make,
        ),
    },
    Entry {
        name: "/topic",
        help: "shows or sets what this room is about; /topic - removes it",
        meaning: Meaning::Arguments(
            &[Argument::Perhaps(&[Kind::Text { name: "TOPIC", most: TOPIC_BYTES_MAX }])],
            topic,
        ),
    },
    Entry {
        name: "/room",
        help: "shows who can read a room; since when, and what protects it",
        meaning: Meaning::Arguments(&[Argument::Perhaps(&[Kind::Room])], |text| {
            perhaps_room(text, RoomCommand::Show)
        }),
    },
    Entry {
        name: "/add",
        help: "brings someone into this room",
        meaning: Meaning::Arguments(&[Argument::One(Kind::Person)], |text| {
            Some(Command::Room(RoomCommand::Add(text.trim().parse().ok()?)))
        }),
    },
    Entry {
        name: "/op",
        help: "makes someone an operator of this room",
        meaning: Meaning::Arguments(&[Argument::One(Kind::Person)], |text| set_operator(text, true)),
    },
    Entry {
        name: "/deop",
        help: "makes an operator of this room one no more",
        meaning: Meaning::Arguments(&[Argument::One(Kind::Person)], |text| set_operator(text, false)),
    },
];

/// A room's name, with or without its `#`, or a person's with a `@`.
pub(super) fn room(text: &str) -> Option<Where> {
    let text = text.trim();
    match text.chars().next()? {
        '#' => text.parse().map(Where::Room).ok(),
        '@' => text.parse().map(Where::Room).ok().or_else(|| person(text).map(Where::With)),
        _ => format!("#{text}").parse().map(Where::Room).ok(),
    }
}

/// A command about the room that is named, or the current one.
fn perhaps_room(text: &str, command: fn(Option<Where>) -> RoomCommand) -> Option<Command> {
    let room = if text.trim().is_empty() { None } else { Some(room(text)?) };
    Some(Command::Room(command(room)))
}

fn set_operator(text: &str, wanted: bool) -> Option<Command> {
    Some(Command::Room(RoomCommand::SetOperator(text.trim().parse().ok()?, wanted)))
}

fn make(text: &str) -> Option<Command> {
    let mut words = text.split_whitespace();
    let Where::Room(room) = room(words.next()?)? else { return None };
    if room.is_private() {
        return None;
    }
    let is_private = match (words.next(), words.next()) {
        (None, _) => false,
        (Some(word), None) if word.eq_ignore_ascii_case("private") => true,
        _ => return None,
    };
    Some(Command::Room(RoomCommand::Make { room, is_private }))
}

fn topic(text: &str) -> Option<Command> {
    match text.trim() {
        "" => Some(Command::Room(RoomCommand::ShowTopic)),
        "-" => Some(Command::Room(RoomCommand::SetTopic(Topic::default()))),
        text => Some(Command::Room(RoomCommand::SetTopic(text.parse().ok()?))),
    }
}
