//! What a client sends.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Decoder, Encode, Encoder};
use zeroize::Zeroizing;

use super::{DeviceFingerprint, MessageId, Place};

/// A message from a client to the server. Names and rooms are texts here; the server parses them where it uses them.
#[derive(Encode, Decode)]
#[cbor(map)]
pub enum ClientMessage {
    /// Makes an account and logs in with it.
    #[n(0)]
    SignUp {
        /// The wished name.
        #[n(0)]
        name: String,
        /// Its password.
        #[n(1)]
        password: SecretText,
        /// What lets one in where not everyone may sign up.
        #[n(2)]
        invite: Option<SecretText>,
        /// The word at the door, where the server wants one.
        #[n(3)]
        server_password: Option<SecretText>,
    },
    /// Logs in.
    #[n(1)]
    LogIn {
        /// The account's name.
        #[n(0)]
        name: String,
        /// Its password.
        #[n(1)]
        password: SecretText,
    },
    /// Asks for a room: what was said after a place, then everything as it is said. Who is no member of a public room
    /// becomes one.
    #[n(2)]
    Join {
        /// The room's name, with its `#`.
        #[n(0)]
        room: String,
        /// The last sequence number that the client has; without it, the last 50 messages come.
        #[n(1)]
        after: Option<u64>,
    },
    /// Says something in a room.
    #[n(3)]
    Say {
        /// The room's name, with its `#`.
        #[n(0)]
        room: String,
        /// The client's name for this message, the same when it is sent again.
        #[n(1)]
        id: MessageId,
        /// What the body is: 0 for text. The server does not look into it, unless the kind is one of its own.
        #[n(2)]
        kind: u16,
        /// 1 to 16,384 bytes.
        #[n(3)]
        body: ByteVec,
        /// The number of the earlier message of the room that this one answers or changes.
        #[n(4)]
        of: Option<u64>,
    },
    /// Asks for a [`Pong`](super::ServerMessage::Pong).
    #[n(4)]
    Ping {},
    /// Answers a [`Ping`](super::ServerMessage::Ping).
    #[n(5)]
    Pong {},
    /// Logs in by the client's static key, which the handshake of this session has proved.
    #[n(6)]
    LogInByDevice {
        /// The account that the client expects to get; without it, the one for which the key is remembered.
        #[n(0)]
        name: Option<String>,
    },
    /// Lets the client's static key, which the handshake of this session has proved, log in from now on.
    #[n(7)]
    Remember {
        /// What the device is called in the list of devices: 1 to 64 bytes.
        #[n(0)]
        label: String,
    },
    /// Asks for the account's [`Devices`](super::ServerMessage::Devices).
    #[n(8)]
    ListDevices {},
    /// Forgets one of the account's devices and ends its sessions.
    #[n(9)]
    RevokeDevice {
        /// Of its key.
        #[n(0)]
        fingerprint: DeviceFingerprint,
    },
    /// Forgets all of the account's devices but this session's, and ends all its other sessions.
    #[n(10)]
    RevokeOtherDevices {},
    /// Gives the account another password.
    #[n(11)]
    ChangePassword {
        /// The present one.
        #[n(0)]
        old: SecretText,
        /// The next one.
        #[n(1)]
        new: SecretText,
    },
    /// Makes an invite for a member.
    #[n(12)]
    MakeInvite {
        /// How many may sign up with it; without it, one.
        #[n(0)]
        uses: Option<u32>,
        /// For how many seconds; without it, seven days.
        #[n(1)]
        seconds: Option<u64>,
    },
    /// Asks for all rooms that the account is in, and to be told when it is in another one or in one no more.
    #[n(30)]
    MyRooms {},
    /// Asks for a page of the public rooms, in the order of their names.
    #[n(31)]
    ListRooms {
        /// The name after which the page begins; without it, at the first room.
        #[n(0)]
        after: Option<String>,
    },
    /// Asks for a room's [`RoomCard`](super::RoomCard).
    #[n(32)]
    DescribeRoom {
        /// The room's name.
        #[n(0)]
        room: String,
    },
    /// Asks for a page of a room's members, in the order of their names.
    #[n(33)]
    ListMembers {
        /// The room's name.
        #[n(0)]
        room: String,
        /// The name after which the page begins; without it, at the first member.
        #[n(1)]
        after: Option<String>,
    },
    /// Asks for a page of what was said in a room; without `before` and `after`, the last one.
    #[n(40)]
    History {
        /// The room's name.
        #[n(0)]
        room: String,
        /// The page ends before this sequence number.
        #[n(1)]
        before: Option<u64>,
        /// The page begins after this sequence number.
        #[n(2)]
        after: Option<u64>,
        /// How many messages at most, 1 to 200; without it, 50.
        #[n(3)]
        count: Option<u16>,
    },
    /// Asks where words were said together, newest first.
    #[n(41)]
    Search {
        /// The room's name; without it, in all rooms that the account is in.
        #[n(0)]
        room: Option<String>,
        /// At most 16 words and 512 bytes. The last one may be the beginning of a word.
        #[n(1)]
        words: String,
        /// The newest message that is looked at: where the search before this one has ended.
        #[n(2)]
        from: Option<Place>,
        /// How many messages at most, 1 to 50; without it, 20.
        #[n(3)]
        count: Option<u16>,
    },
    /// Tells that the account's person has read a room up to here.
    #[n(42)]
    MarkRead {
        /// The room's name.
        #[n(0)]
        room: String,
        /// The last message that was read.
        #[n(1)]
        sequence: u64,
    },
    /// Asks, as an operator, for a page of what operators have done about people in a room, the latest first.
    #[n(50)]
    ModerationLog {
        /// The room's name.
        #[n(0)]
        room: String,
        /// The page begins before this sequence number; without it, at the last one.
        #[n(1)]
        before: Option<u64>,
    },
    /// Asks, as an operator, for a page of those who are banned or muted in a room, in the order of their names.
    #[n(51)]
    ListSanctions {
        /// The room's name.
        #[n(0)]
        room: String,
        /// The name after which the page begins; without it, at the first one.
        #[n(1)]
        after: Option<String>,
    },
    /// Ignores someone, or no more; without the fields, asks for whom one ignores.
    #[n(52)]
    Ignore {
        /// Who.
        #[n(0)]
        name: Option<String>,
        /// Whether they are to be ignored.
        #[n(1)]
        wanted: Option<bool>,
    },
    /// Says that one is away, on all of one's devices, or back.
    #[n(55)]
    SetAway {
        /// Why: at most 200 bytes, empty for no reason. Without it, one is back.
        #[n(0)]
        away: Option<String>,
    },
    /// Asks for someone's [`PersonCard`](super::PersonCard).
    #[n(56)]
    WhoIs {
        /// The account's name.
        #[n(0)]
        name: String,
    },
    /// Says whether others are told when one was last seen.
    #[n(57)]
    HideLastSeen {
        /// They are not.
        #[n(0)]
        hide: bool,
    },
    /// Logs in as a bot.
    #[n(65)]
    LogInByToken {
        /// What the operator has made for it.
        #[n(0)]
        token: SecretText,
    },
}

/// A text that is wiped from memory when dropped, and that can't be printed.
pub struct SecretText(pub Zeroizing<String>);

secret!(ClientMessage, SecretText);

impl<C> Encode<C> for SecretText {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for SecretText {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Ok(Self(Zeroizing::new(decoder.str()?.to_owned())))
    }
}
