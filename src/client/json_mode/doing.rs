//! What comes of a request: most of them change a room, or ask the server for something.

use super::request::{Id, Parsed, Request, Start};
use crate::names::{BanReason, MessageText, RoomName, TimeSpan, Username};
use crate::wire::{ClientMessage, MessageId, Place, ROOM_MEMBER, ROOM_OPERATOR, RoomEvent};

/// What is to be done.
pub(super) enum Doing {
    /// Something is said; with an id if the program has chosen it.
    Say(RoomName, MessageText, Option<MessageId>),
    /// A room is entered.
    Join(RoomName),
    /// A room is changed.
    Change(RoomName, RoomEvent),
    /// The server is asked for something.
    Ask(ClientMessage),
    /// The program is told which rooms are entered.
    Rooms,
    /// The program is told who is in a room.
    People(RoomName),
    /// It is the end.
    Quit,
}

secret!(Doing);

impl From<Request> for Doing {
    fn from(request: Request) -> Self {
        match request {
            Request::Say { room, text, id } => Self::Say(room.0, text.0, id.map(|Parsed(Id(id))| id)),
            Request::Join { room } => Self::Join(room.0),
            Request::Part { room } => Self::Change(room.0, RoomEvent::Left {}),
            Request::Create { room, private } => {
                Self::Change(room.0, RoomEvent::Made { is_private: private })
            }
            Request::Topic { room, topic } => {
                Self::Change(room.0, RoomEvent::Topic { topic: topic.0.to_string() })
            }
            Request::Add { room, name } => Self::Change(room.0, RoomEvent::Added { name: text(name) }),
            Request::Op { room, name } => Self::Change(room.0, role(name, ROOM_OPERATOR)),
            Request::Deop { room, name } => Self::Change(room.0, role(name, ROOM_MEMBER)),
            Request::Kick { room, name, reason } => {
                Self::Change(room.0, RoomEvent::Removed { name: text(name), reason: why(reason) })
            }
            Request::Ban { room, name, r#for, reason } => {
                let (name, reason, seconds) = (text(name), why(reason), seconds(r#for));
                Self::Change(room.0, RoomEvent::Banned { name, until: None, reason, seconds })
            }
            Request::Unban { room, name } => Self::Change(room.0, RoomEvent::Unbanned { name: text(name) }),
            Request::Mute { room, name, r#for, reason } => {
                let (name, reason, seconds) = (text(name), why(reason), seconds(r#for));
                Self::Change(room.0, RoomEvent::Muted { name, until: None, reason, seconds })
            }
            Request::Unmute { room, name } => Self::Change(room.0, RoomEvent::Unmuted { name: text(name) }),
            Request::Purge { room, name, last } => {
                let (name, seconds) = (text(name), seconds(last));
                Self::Change(room.0, RoomEvent::Purged { name, since: None, seconds })
            }
            Request::Rooms {} => Self::Rooms,
            Request::People { room } => Self::People(room.0),
            Request::Search { words, room, from, count } => {
                let from = from.map(|Start { room, sequence }| Place { room, sequence });
                Self::Ask(ClientMessage::Search { room: room.map(named), words, from, count })
            }
            Request::Quit {} => Self::Quit,
            Request::WhoIs { name } => Self::Ask(ClientMessage::WhoIs { name: text(name) }),
            Request::List { after } => Self::Ask(ClientMessage::ListRooms { after }),
            Request::Describe { room } => Self::Ask(ClientMessage::DescribeRoom { room: named(room) }),
            Request::Members { room, after } => {
                Self::Ask(ClientMessage::ListMembers { room: named(room), after })
            }
            Request::Sanctions { room, after } => {
                Self::Ask(ClientMessage::ListSanctions { room: named(room), after })
            }
            Request::Moderations { room, before } => {
                Self::Ask(ClientMessage::ModerationLog { room: named(room), before })
            }
            Request::History { room, before, after, count } => {
                Self::Ask(ClientMessage::History { room: named(room), before, after, count })
            }
        }
    }
}

fn named(room: Parsed<RoomName>) -> String {
    room.0.to_string()
}

fn text(name: Parsed<Username>) -> String {
    name.0.to_string()
}

fn why(reason: Option<Parsed<BanReason>>) -> Option<String> {
    reason.map(|reason| reason.0.to_string())
}

fn seconds(span: Option<Parsed<TimeSpan>>) -> Option<u64> {
    span.map(|span| span.0.duration().as_secs())
}

fn role(name: Parsed<Username>, role: u8) -> RoomEvent {
    RoomEvent::Role { name: text(name), role }
}
