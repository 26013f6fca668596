//! What one asks about rooms.

use super::{Command, Entry, Meaning};
use crate::names::{RoomName, Topic, Username};

/// What can be asked for about rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum RoomCommand {
    /// Enter a room, and talk there.
    Join(RoomName),
    /// Leave a room for good: the current one if none is named.
    Part(Option<RoomName>),
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
    Show(Option<RoomName>),
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "/join",
        help: "enters a room; what you type then goes there",
        meaning: Meaning::Arguments("the name of a room, such as #tea", |text| {
            Some(Command::Room(RoomCommand::Join(room(text)?)))
        }),
    },
    Entry {
        name: "/part",
        help: "leaves this room, or the one that you name, for good",
        meaning: Meaning::Arguments("nothing or the name of a room", |text| {
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
            perhaps_room(text, RoomCommand::Show)
        }),
    },
    Entry {
        name: "/add",
        help: "brings someone into this room",
        meaning: Meaning::Arguments("a name", |text| {
            Some(Command::Room(RoomCommand::Add(text.trim().parse().ok()?)))
        }),
    },
    Entry {
        name: "/op",
        help: "makes someone an operator of this room",
        meaning: Meaning::Arguments("a name", |text| set_operator(text, true)),
    },
    Entry {
        name: "/deop",
        help: "makes an operator of this room one no more",
        meaning: Meaning::Arguments("a name", |text| set_operator(text, false)),
    },
];

/// A room's name, with or without its `#`.
pub(super) fn room(text: &str) -> Option<RoomName> {
    let text = text.trim();
    if text.starts_with('#') { text.parse().ok() } else { format!("#{text}").parse().ok() }
}

/// A command about the room that is named, or the current one.
fn perhaps_room(text: &str, command: fn(Option<RoomName>) -> RoomCommand) -> Option<Command> {
    let room = if text.trim().is_empty() { None } else { Some(room(text)?) };
    Some(Command::Room(command(room)))
}

fn set_operator(text: &str, wanted: bool) -> Option<Command> {
    Some(Command::Room(RoomCommand::SetOperator(text.trim().parse().ok()?, wanted)))
}

fn make(text: &str) -> Option<Command> {
    let mut words = text.split_whitespace();
    let name = room(words.next()?).filter(|room| !room.is_private())?;
    let is_private = match (words.next(), words.next()) {
        (None, _) => false,
        (Some(word), None) if word.eq_ignore_ascii_case("private") => true,
        _ => return None,
    };
    Some(Command::Room(RoomCommand::Make { room: name, is_private }))
}

fn topic(text: &str) -> Option<Command> {
    match text.trim() {
        "" => Some(Command::Room(RoomCommand::ShowTopic)),
        "-" => Some(Command::Room(RoomCommand::SetTopic(Topic::default()))),
        text => Some(Command::Room(RoomCommand::SetTopic(text.parse().ok()?))),
    }
}
