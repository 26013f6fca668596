//! What the server sends.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::{
    AwayPerson, Code, Device, Hit, MessageId, PastMessage, PersonCard, Place, RoomCard, RoomLine, RoomMember,
    Sanction,
};
use crate::names::InviteText;

/// The number of the role `member`.
pub const ROLE_MEMBER: u8 = 0;

/// The number of the role `admin`.
pub const ROLE_ADMIN: u8 = 1;

/// The number of the role of a program.
pub const ROLE_BOT: u8 = 2;

/// Anyone may sign up.
pub const REGISTRATION_OPEN: u8 = 0;

/// Who has an invite may sign up.
pub const REGISTRATION_INVITE: u8 = 1;

/// Nobody may sign up, unless the server's operator made the invite.
pub const REGISTRATION_CLOSED: u8 = 2;

/// A message from the server to a client. Times are milliseconds since 1970-01-01 00:00 UTC by the server's clock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub enum ServerMessage {
    /// The first message of a session.
    #[n(0)]
    Welcome {
        /// The version of the messages that the server speaks.
        #[n(0)]
        protocol: u16,
        /// The server's program and its version, for people.
        #[n(1)]
        software: String,
        /// The rule for new passwords, for people.
        #[n(2)]
        password_rule: String,
        /// The longest body, in bytes.
        #[n(3)]
        body_max: u32,
        /// Who may sign up: [`REGISTRATION_OPEN`], [`REGISTRATION_INVITE`] or [`REGISTRATION_CLOSED`].
        #[n(4)]
        registration: Option<u8>,
        /// Whether who signs up without an invite must know the word at the door.
        #[n(5)]
        wants_server_password: Option<bool>,
    },
    /// The login was right.
    #[n(1)]
    LoggedIn {
        /// The name as the server writes it.
        #[n(0)]
        name: String,
        /// [`ROLE_MEMBER`], [`ROLE_ADMIN`] or [`ROLE_BOT`].
        #[n(1)]
        role: u8,
    },
    /// A message was refused, and nothing else happened because of it.
    #[n(2)]
    Refused {
        /// Why, for programs.
        #[n(0)]
        code: Code,
        /// Why, for people, and what to do next.
        #[n(1)]
        text: String,
        /// Which message, when it was a [`Say`](super::ClientMessage::Say).
        #[n(2)]
        id: Option<MessageId>,
        /// Seconds to wait before trying again.
        #[n(3)]
        retry_after: Option<u32>,
    },
    /// A room was entered: the messages after `after` follow, then [`CaughtUp`](Self::CaughtUp).
    #[n(3)]
    Joined {
        /// The room.
        #[n(0)]
        room: String,
        /// The first message that comes is the one after this sequence number.
        #[n(1)]
        after: u64,
        /// The last sequence number that the room had at this moment; 0 when nothing has been said in it.
        #[n(2)]
        head: u64,
    },
    /// Something was said. A room's messages come in the order of their numbers, each once.
    #[n(4)]
    Said {
        /// The room.
        #[n(0)]
        room: String,
        /// Its place in the room: 1, 2, 3 …
        #[n(1)]
        sequence: u64,
        /// When the server wrote it down.
        #[n(2)]
        at: u64,
        /// Who said it.
        #[n(3)]
        author: String,
        /// The author's client's name for it.
        #[n(4)]
        id: MessageId,
        /// What the body is: 0 for text.
        #[n(5)]
        kind: u16,
        /// At most 16,384 bytes.
        #[n(6)]
        body: ByteVec,
        /// The number of the earlier message of the room that this one answers or has changed.
        #[n(7)]
        of: Option<u64>,
        /// When it got the text that it has now, if that is not its first one.
        #[n(8)]
        edited: Option<u64>,
    },
    /// The client has everything that was said in a room; what comes now is new.
    #[n(5)]
    CaughtUp {
        /// The room.
        #[n(0)]
        room: String,
        /// The last sequence number sent.
        #[n(1)]
        sequence: u64,
    },
    /// The message is on the server's disk and has its place.
    #[n(6)]
    Accepted {
        /// Which message.
        #[n(0)]
        id: MessageId,
        /// The room.
        #[n(1)]
        room: String,
        /// Its place in the room.
        #[n(2)]
        sequence: u64,
        /// When it was written down.
        #[n(3)]
        at: u64,
    },
    /// Who is in a room, in parts of at most 500 names: the first part begins a new list, the last one ends it.
    #[n(7)]
    People {
        /// The room.
        #[n(0)]
        room: String,
        /// Some of the names.
        #[n(1)]
        names: Vec<String>,
        /// Begins a list.
        #[n(2)]
        first: bool,
        /// Ends it.
        #[n(3)]
        last: bool,
    },
    /// Someone who was not in the room is now.
    #[n(8)]
    Arrived {
        /// The room.
        #[n(0)]
        room: String,
        /// Who.
        #[n(1)]
        name: String,
        /// When.
        #[n(2)]
        at: u64,
    },
    /// Someone who was in the room no longer is.
    #[n(9)]
    Left {
        /// The room.
        #[n(0)]
        room: String,
        /// Who.
        #[n(1)]
        name: String,
        /// When.
        #[n(2)]
        at: u64,
    },
    /// The client read too slowly and what waited for it was dropped: everything said follows from the log; what it
    /// sent and has not seen accepted it should send again.
    #[n(10)]
    Lagged {},
    /// Asks for a [`Pong`](super::ClientMessage::Pong); who stays silent is disconnected.
    #[n(11)]
    Ping {},
    /// Answers a [`Ping`](super::ClientMessage::Ping).
    #[n(12)]
    Pong {},
    /// The last message before the server says goodbye.
    #[n(13)]
    Closing {
        /// Why, for programs.
        #[n(0)]
        code: Code,
        /// Why, for people.
        #[n(1)]
        text: String,
    },
    /// The client's key is on the server's disk and logs in from now on.
    #[n(14)]
    Remembered {},
    /// The devices of the account, the one first that was remembered first. Also the answer to a revocation.
    #[n(15)]
    Devices {
        /// All of them.
        #[n(0)]
        devices: Vec<Device>,
    },
    /// The account's new password is on the server's disk.
    #[n(16)]
    PasswordChanged {},
    /// The invite that was asked for is on the server's disk.
    #[n(18)]
    Invited {
        /// The token for a link. The server does not keep it.
        #[n(0)]
        token: InviteText,
        /// How many may sign up with it.
        #[n(1)]
        uses: u32,
        /// When it ends.
        #[n(2)]
        until: u64,
    },
    /// The account is a member of a room. Told of each room after [`MyRooms`](super::ClientMessage::MyRooms), and of
    /// each new one from then on.
    #[n(30)]
    RoomAdded {
        /// The room.
        #[n(0)]
        room: String,
        /// [`ROOM_MEMBER`](super::ROOM_MEMBER) or [`ROOM_OPERATOR`](super::ROOM_OPERATOR).
        #[n(1)]
        role: u8,
        /// The last sequence number that the room had at this moment.
        #[n(2)]
        head: u64,
        /// How far the account's person has read, on whatever device; absent when that was never told.
        #[n(3)]
        read: Option<u64>,
        /// How many messages of others, up to `head`, are unread, at most 1,000; absent when it was not counted.
        #[n(4)]
        unread: Option<u32>,
        /// How many of them name the account.
        #[n(5)]
        mentions: Option<u32>,
    },
    /// The account is no member of a room any more: nothing of it comes from here on.
    #[n(31)]
    RoomRemoved {
        /// The room.
        #[n(0)]
        room: String,
        /// Who has done it and why, for people, when it was someone else.
        #[n(1)]
        reason: Option<String>,
    },
    /// Every room that the account is in has been told.
    #[n(32)]
    AllRooms {},
    /// A page of the public rooms.
    #[n(33)]
    RoomList {
        /// At most 100, in the order of their names.
        #[n(0)]
        rooms: Vec<RoomLine>,
        /// Whether there are more after these.
        #[n(1)]
        more: bool,
    },
    /// What a room is.
    #[n(34)]
    RoomDescription {
        /// All that is told of it.
        #[n(0)]
        card: RoomCard,
    },
    /// A page of a room's members.
    #[n(35)]
    Members {
        /// The room.
        #[n(0)]
        room: String,
        /// At most 100, in the order of their names.
        #[n(1)]
        members: Vec<RoomMember>,
        /// Whether there are more after these.
        #[n(2)]
        more: bool,
    },
    /// What was asked of a room was refused, and nothing else happened because of it.
    #[n(36)]
    RoomRefused {
        /// The room, as it was asked for.
        #[n(0)]
        room: String,
        /// Why, for programs.
        #[n(1)]
        code: Code,
        /// Why, for people, and what to do next.
        #[n(2)]
        text: String,
    },
    /// A page of what was said in a room.
    #[n(40)]
    History {
        /// The room.
        #[n(0)]
        room: String,
        /// In the order of their numbers.
        #[n(1)]
        messages: Vec<PastMessage>,
        /// Whether there is more on the side to which the page was asked for: after it when it began after a number, else
        /// before it.
        #[n(2)]
        more: bool,
    },
    /// What a search has found.
    #[n(41)]
    Found {
        /// Newest first.
        #[n(0)]
        hits: Vec<Hit>,
        /// The newest message that was not looked at yet; absent when there is none.
        #[n(1)]
        next: Option<Place>,
        /// Some of what was said can't be found yet: it is still being gathered.
        #[n(2)]
        is_behind: bool,
    },
    /// The account's person has read a room up to here, on whatever device.
    #[n(42)]
    ReadUpTo {
        /// The room.
        #[n(0)]
        room: String,
        /// The last message that was read.
        #[n(1)]
        sequence: u64,
        /// How many messages of others after it, up to `head`, are unread, at most 1,000.
        #[n(2)]
        unread: u32,
        /// How many of them name the account.
        #[n(3)]
        mentions: u32,
        /// The last sequence number that was counted.
        #[n(4)]
        head: u64,
    },
    /// The client sends more than it may, and is read on later: once, when that begins.
    #[n(50)]
    Slowed {
        /// The next thing that it has sent is done after about so long.
        #[n(0)]
        seconds: u32,
    },
    /// A page of those who are banned or muted in a room.
    #[n(51)]
    Sanctions {
        /// The room.
        #[n(0)]
        room: String,
        /// At most 100, in the order of the names.
        #[n(1)]
        sanctions: Vec<Sanction>,
        /// Whether there are more after these.
        #[n(2)]
        more: bool,
    },
    /// Whom one ignores.
    #[n(52)]
    Ignoring {
        /// All of them, at most 400, in the order of their names.
        #[n(0)]
        names: Vec<String>,
    },
    /// A page of what operators have done about people in a room.
    #[n(53)]
    ModerationLog {
        /// The room.
        #[n(0)]
        room: String,
        /// The changes of the room that tell it, the latest first.
        #[n(1)]
        changes: Vec<PastMessage>,
        /// Whether there are earlier ones.
        #[n(2)]
        more: bool,
    },
    /// What the server's operator tells everyone who comes in. It follows [`LoggedIn`](Self::LoggedIn), if there is anything
    /// to tell.
    #[n(60)]
    Notice {
        /// At most 4096 bytes, and 20 lines.
        #[n(0)]
        text: String,
    },
    /// What is told of someone.
    #[n(55)]
    Person {
        /// All that is told of them.
        #[n(0)]
        card: PersonCard,
    },
    /// Someone is away, or back.
    #[n(56)]
    Presence {
        /// Who, perhaps oneself.
        #[n(0)]
        name: String,
        /// Why they are away, empty for no reason; absent when they are back.
        #[n(1)]
        away: Option<String>,
    },
    /// Those who are away of the [`People`](Self::People) that were just told; the others of them are not.
    #[n(57)]
    Away {
        /// The room.
        #[n(0)]
        room: String,
        /// At most 100, in the order of their names.
        #[n(1)]
        people: Vec<AwayPerson>,
    },
    /// What was asked of a person was refused, and nothing else happened because of it.
    #[n(58)]
    PersonRefused {
        /// The name, as it was asked for.
        #[n(0)]
        name: String,
        /// Why, for programs.
        #[n(1)]
        code: Code,
        /// Why, for people, and what to do next.
        #[n(2)]
        text: String,
    },
}
