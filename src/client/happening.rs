//! What comes of what the server says: what a person should see, or the session should act on.

use crate::names::{InviteText, RoomName};
use crate::wire::{
    Code, Device, Hit, MessageId, PastMessage, PersonCard, Place, RoomCard, RoomLine, RoomMember, Sanction,
};

use super::own::Saying;
use super::recent::Subject;

/// What a person should see or the session should act on. Times are milliseconds since 1970 by the server's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// A room was entered; what was missed after this number follows.
    Joined { room: RoomName, after: u64 },
    /// What was missed, up to this number, is complete.
    CaughtUp { room: RoomName, sequence: u64 },
    /// Someone, perhaps oneself, said something.
    Said { room: RoomName, message: PastMessage, subject: Subject },
    /// Something that one has said oneself is on the server's disk.
    Accepted { id: MessageId, room: RoomName, sequence: u64, at: u64 },
    /// Someone came.
    Arrived { room: RoomName, at: u64, name: String },
    /// Someone went.
    Left { room: RoomName, at: u64, name: String },
    /// When the list of who is in a room came again, these were new in it, and these were not in it any more.
    Changed { room: RoomName, came: Vec<String>, went: Vec<String> },
    /// One is away oneself now, for a reason or for none (empty), or back.
    Away(Option<String>),
    /// The server passed over these numbers, which it never should.
    Missing { room: RoomName, first: u64, last: u64 },
    /// A message of one's own was refused and is given up.
    NotDelivered { id: MessageId, saying: Saying, code: Option<Code>, reason: String },
    /// The account came into a room otherwise than by this client.
    Added { room: RoomName },
    /// The account is in more rooms than are kept here.
    TooManyRooms { kept: usize },
    /// The account is not in a room any more; who has done it and why, if someone else has.
    Removed { room: RoomName, reason: Option<String> },
    /// All rooms of the account were told.
    AllTold,
    /// A room that one wanted to enter can't be entered, and is forgotten.
    NotEntered { room: RoomName, code: Code, text: String },
    /// The answer to a question about rooms or people.
    Told(Told),
    /// Something else was refused.
    Refused { code: Code, text: String },
    /// These are ignored now who were not, and these are no more.
    Ignoring { more: Vec<String>, less: Vec<String> },
    /// One has sent more than the server allows, and it reads on later.
    Slowed,
    /// The server has dropped what waited for us; what was said comes again, answers don't.
    Lagged,
    /// One's devices, as one asked.
    Devices(Vec<Device>),
    /// The password is another one now, as one asked.
    PasswordChanged,
    /// An invite, as one asked.
    Invited { token: InviteText, uses: u32, until: u64 },
    /// What the server's operator tells everyone who comes in; another one than before.
    Notice { text: String },
    /// The server ends the session.
    Closing { code: Code, text: String },
}

/// Answers about rooms and people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Some of the public rooms, and whether there are more.
    List(Vec<RoomLine>, bool),
    Card(RoomCard),
    /// Some of a room's members, and whether there are more.
    Members(String, Vec<RoomMember>, bool),
    /// What was said in a room before, and whether there is more of it on that side.
    Past(RoomName, Vec<PastMessage>, bool),
    /// What a search has found, where it goes on, and whether not all could be searched yet.
    Found(Vec<Hit>, Option<Place>, bool),
    Person(PersonCard),
    /// Some of those who are banned or muted in a room, and whether there are more.
    Sanctions(String, Vec<Sanction>, bool),
    /// What operators have done in a room, the latest first, and whether there is more.
    Moderations(RoomName, Vec<PastMessage>, bool),
    No {
        code: Code,
        text: String,
    },
}
