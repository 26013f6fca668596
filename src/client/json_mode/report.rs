//! What a program is told. Names of events and fields are for good: they may be added to, and are never changed.

use jiff::Timestamp;
use serde::Serialize;

use crate::wire::{
    BODY_REMOVED, BODY_ROOM_EVENT, BODY_TEXT, MessageChange, MessageId, PastMessage, PersonCard, ROLE_ADMIN,
    ROLE_BOT, ROOM_OPERATOR, RoomCard, RoomEvent, RoomLine, RoomMember, SANCTION_BAN, SANCTION_MUTE,
    Sanction,
};

/// One object of the output.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(in crate::client) enum Report {
    /// All rooms are entered; from here on requests are read.
    Ready { name: String, rooms: Vec<String> },
    /// A room is entered: what is said in it after the message with this number comes.
    Joined { room: String, sequence: u64 },
    /// Someone has said something.
    Said {
        room: String,
        #[serde(flatten)]
        place: Place,
        #[serde(flatten)]
        body: Body,
    },
    /// Someone has given an earlier message, that with the number `of`, another text.
    Edited {
        room: String,
        #[serde(flatten)]
        place: Place,
        text: String,
    },
    /// Someone has taken the text of an earlier message away.
    Removed {
        room: String,
        #[serde(flatten)]
        place: Place,
    },
    /// Someone has reacted to an earlier message, or takes that back.
    Reacted {
        room: String,
        #[serde(flatten)]
        place: Place,
        reaction: String,
        back: bool,
    },
    /// Someone has changed a room.
    Changed {
        room: String,
        #[serde(flatten)]
        place: Place,
        #[serde(flatten)]
        change: Change,
    },
    /// Someone is there who was not.
    Arrived { room: String, name: String, at: Time },
    /// Someone is there no more.
    Left { room: String, name: String, at: Time },
    /// The account's person is away, for a reason or for none (empty), or back (null).
    Away { away: Option<String> },
    /// The account is in another room.
    RoomAdded { room: String },
    /// The account is in a room no more.
    RoomRemoved { room: String, reason: Option<String> },
    /// What was missed of a room has come.
    CaughtUp { room: String, sequence: u64 },
    /// These messages did not come, which should not happen.
    Missing { room: String, first: u64, last: u64 },
    /// A request to say or change something is done, and on the server's disk.
    Accepted { id: String, room: String, sequence: u64, at: Time },
    /// A request was not done; `code` is the server's (PROTOCOL.md, section 4), if it was the server that refused.
    Refused {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        reason: String,
    },
    /// A line that is no request.
    Error { reason: String },
    /// The answer to `rooms`.
    Rooms { rooms: Vec<String> },
    /// The answer to `people`.
    People { room: String, names: Vec<String> },
    /// The answer to `list`.
    List { rooms: Vec<Listed>, more: bool },
    /// The answer to `describe`.
    Room(Card),
    /// The answer to `members`.
    Members { room: String, members: Vec<Member>, more: bool },
    /// The answer to `sanctions`: who is banned or muted.
    Sanctions { room: String, sanctions: Vec<Imposed>, more: bool },
    /// The answer to `moderations`: what operators have done, the latest first.
    Moderations { room: String, messages: Vec<Self>, more: bool },
    /// The answer to `who-is`.
    Person(Person),
    /// The answer to `history`: the same objects that come as things are said.
    History { room: String, messages: Vec<Self>, more: bool },
    /// The answer to `search`: the newest first, where it goes on, and whether some can't be found yet.
    Found { messages: Vec<Self>, next: Option<Next>, behind: bool },
    /// The connection is lost; it is come back to by itself.
    Lost { reason: String },
    /// The connection is back.
    Back {},
    /// What the program sends is done more slowly for a while, because it is more than one may send.
    Slowed {},
    /// Something for people to read.
    Notice { text: String },
}

/// Where something stands that was said.
#[derive(Debug, Serialize)]
pub(in crate::client) struct Place {
    sequence: u64,
    at: Time,
    author: String,
    id: String,
    /// The number of the earlier message of the room that it answers or changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    /// When it got its text, if that is not its first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    edited: Time,
}

/// What was said.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::client) enum Body {
    Text {
        text: String,
    },
    /// Its text was taken away by someone; by nobody who has a name if it was the server's operator.
    Removed {
        removed_by: String,
    },
    /// Something that this version does not know, in hexadecimal digits.
    Other {
        kind: u16,
        body: String,
    },
}

/// What has become of a room.
#[derive(Debug, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub(in crate::client) enum Change {
    Made { private: bool },
    Joined {},
    Left {},
    Added { name: String },
    Role { name: String, operator: bool },
    Topic { topic: String },
    Removed { name: String, reason: Option<String> },
    Banned { name: String, until: Time, reason: Option<String> },
    Unbanned { name: String },
    Muted { name: String, until: Time, reason: Option<String> },
    Unmuted { name: String },
    Purged { name: String, since: Time },
}

/// A public room.
#[derive(Debug, Serialize)]
pub(in crate::client) struct Listed {
    room: String,
    topic: String,
    members: Option<u64>,
}

/// What a room is.
#[derive(Debug, Serialize)]
pub(in crate::client) struct Card {
    room: String,
    topic: String,
    members: Option<u64>,
    member: bool,
    operator: bool,
    made_at: Time,
    made_by: String,
    sequence: u64,
}

/// Someone who is in a room.
#[derive(Debug, Serialize)]
pub(in crate::client) struct Member {
    name: String,
    operator: bool,
}

/// Where a search goes on.
#[derive(Debug, Serialize)]
pub(in crate::client) struct Next {
    pub(super) room: String,
    pub(super) sequence: u64,
}

/// What operators have imposed on someone.
#[derive(Debug, Serialize)]
pub(in crate::client) struct Imposed {
    name: String,
    banned: bool,
    muted: bool,
    at: Time,
    by: String,
    until: Time,
    reason: Option<String>,
}

/// Someone with an account.
#[derive(Debug, Serialize)]
pub(in crate::client) struct Person {
    name: String,
    role: &'static str,
    online: bool,
    away: Option<String>,
    last_seen: Time,
    since: Time,
    rooms: Vec<String>,
    more: bool,
}

/// A time as it is written in JSON (RFC 3339, UTC, milliseconds); none if no calendar knows it.
type Time = Option<String>;

/// Something that was said, just now or before, in a room that is called so here.
pub(in crate::client) fn said(room: String, message: &PastMessage) -> Report {
    let PastMessage { sequence, at, author, id, kind, body, of, edited } = message;
    let place = Place {
        sequence: *sequence,
        at: time(*at),
        author: author.clone(),
        id: hexadecimal(*id),
        of: *of,
        edited: edited.and_then(time),
    };
    if *kind == BODY_ROOM_EVENT
        && let Some(event) = RoomEvent::parse(body)
    {
        return Report::Changed { room, place, change: event.into() };
    }
    let body = match MessageChange::parse(*kind, body) {
        Some(MessageChange::Edit(text)) => return Report::Edited { room, place, text: lossy(text) },
        Some(MessageChange::Remove) => return Report::Removed { room, place },
        Some(MessageChange::React(reaction)) => {
            return Report::Reacted { room, place, reaction: reaction.to_string(), back: false };
        }
        Some(MessageChange::TakeBack(reaction)) => {
            return Report::Reacted { room, place, reaction: reaction.to_string(), back: true };
        }
        None if *kind == BODY_TEXT => Body::Text { text: lossy(body) },
        None if *kind == BODY_REMOVED => Body::Removed { removed_by: lossy(body) },
        None => Body::Other { kind: *kind, body: digits(body) },
    };
    Report::Said { room, place, body }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// A time of the server, in milliseconds since 1970.
pub(super) fn time(at: u64) -> Time {
    let time = Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?;
    Some(time.strftime("%FT%T%.3fZ").to_string())
}

/// An id as it is written in JSON: 32 hexadecimal digits.
pub(super) fn hexadecimal(id: MessageId) -> String {
    digits(id.as_bytes())
}

fn digits(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

impl From<RoomEvent> for Change {
    fn from(event: RoomEvent) -> Self {
        match event {
            RoomEvent::Made { is_private } => Self::Made { private: is_private },
            RoomEvent::Joined {} => Self::Joined {},
            RoomEvent::Left {} => Self::Left {},
            RoomEvent::Added { name } => Self::Added { name },
            RoomEvent::Role { name, role } => Self::Role { name, operator: role == ROOM_OPERATOR },
            RoomEvent::Topic { topic } => Self::Topic { topic },
            RoomEvent::Removed { name, reason } => Self::Removed { name, reason },
            RoomEvent::Banned { name, until, reason, .. } => {
                Self::Banned { name, until: until.and_then(time), reason }
            }
            RoomEvent::Unbanned { name } => Self::Unbanned { name },
            RoomEvent::Muted { name, until, reason, .. } => {
                Self::Muted { name, until: until.and_then(time), reason }
            }
            RoomEvent::Unmuted { name } => Self::Unmuted { name },
            RoomEvent::Purged { name, since, .. } => Self::Purged { name, since: since.and_then(time) },
        }
    }
}

impl From<RoomLine> for Listed {
    fn from(RoomLine { room, topic, members }: RoomLine) -> Self {
        Self { room, topic, members }
    }
}

impl From<RoomCard> for Card {
    fn from(RoomCard { room, topic, members, role, made_at, made_by, head }: RoomCard) -> Self {
        let (member, operator) = (role.is_some(), role == Some(ROOM_OPERATOR));
        Self { room, topic, members, member, operator, made_at: time(made_at), made_by, sequence: head }
    }
}

impl From<Sanction> for Imposed {
    fn from(Sanction { name, kind, at, by, until, reason }: Sanction) -> Self {
        let (banned, muted) = (kind == SANCTION_BAN, kind == SANCTION_MUTE);
        Self { name, banned, muted, at: time(at), by, until: until.and_then(time), reason }
    }
}

impl From<PersonCard> for Person {
    fn from(card: PersonCard) -> Self {
        let PersonCard { name, role, is_online, away, last_seen, since, rooms, more, .. } = card;
        let (last_seen, since) = (last_seen.and_then(time), since.and_then(time));
        let role = match role {
            ROLE_ADMIN => "admin",
            ROLE_BOT => "bot",
            _ => "member",
        };
        Self { name, role, online: is_online, away, last_seen, since, rooms, more }
    }
}

impl From<RoomMember> for Member {
    fn from(RoomMember { name, role }: RoomMember) -> Self {
        Self { name, operator: role == ROOM_OPERATOR }
    }
}
