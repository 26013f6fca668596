//! Why something was refused or why a session ends, as a number that programs can act on.

use minicbor::{Decode, Decoder, Encode, Encoder};

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal,)*) => {
        /// The reason in a [`Refused`](super::ServerMessage::Refused) or [`Closing`](super::ServerMessage::Closing).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $($(#[doc = $doc])* $name,)*
            /// A number that this version does not know; the text beside it tells.
            Other(u16),
        }

        impl Code {
            /// The number on the wire.
            pub fn number(self) -> u16 {
                match self {
                    $(Self::$name => $number,)*
                    Self::Other(number) => number,
                }
            }

            fn from_number(number: u16) -> Self {
                match number {
                    $($number => Self::$name,)*
                    other => Self::Other(other),
                }
            }
        }
    };
}

codes! {
    /// A message has a known kind and fields that are not what they must be.
    Malformed = 1,
    /// A message has a kind that the server does not know.
    UnknownKind = 2,
    /// The message can't be sent at this point: before the login, or again after it.
    NotNow = 3,
    /// There is no account with this name and password.
    WrongNameOrPassword = 4,
    /// The name belongs to someone else.
    NameTaken = 5,
    /// The text is no name.
    BadName = 6,
    /// The password does not satisfy the rule.
    BadPassword = 7,
    /// Too much is going on; try again after the given number of seconds.
    Busy = 8,
    /// There is no such room.
    NoSuchRoom = 9,
    /// The body is empty or longer than 16,384 bytes.
    BadBody = 10,
    /// The server could not write it down; it was not said.
    NotStored = 11,
    /// Too many failed logins on one connection.
    TooManyTries = 12,
    /// Nobody logged in within the time allowed.
    LoginTimeout = 13,
    /// The server is being stopped.
    ShuttingDown = 14,
    /// The bytes of a record were not CBOR messages.
    NotCbor = 15,
    /// The account, or the server, remembers no such device.
    NoSuchDevice = 16,
    /// The session's device was revoked.
    DeviceRevoked = 17,
    /// The account has as many devices as it may have.
    TooManyDevices = 18,
    /// The device is remembered for another account.
    DeviceTaken = 19,
    /// Too many wrong passwords, or new accounts; try again after the given number of seconds.
    Throttled = 20,
    /// The account, the device or the address is banned.
    Banned = 21,
    /// Who signs up here must have an invite.
    InviteNeeded = 24,
    /// Nobody may sign up here.
    RegistrationClosed = 25,
    /// The invite was never made, or is used up, revoked or too old.
    InviteNotValid = 26,
    /// Who asks for this may not.
    NotAllowed = 27,
    /// The account has as many invites as it may have.
    TooManyInvites = 28,
    /// The word at the door is missing or wrong.
    WrongServerPassword = 29,
    /// The text is no room's name, or none that can be chosen.
    BadRoomName = 30,
    /// There is a room of this name.
    RoomTaken = 31,
    /// Only a member of the room can do that.
    NotMember = 32,
    /// Only an operator of the room can do that.
    NotOperator = 33,
    /// The account is in as many rooms, or has made as many, as it may.
    TooManyRooms = 34,
    /// There is nobody of this name, in the room or on the server.
    NoSuchPerson = 35,
    /// The room has no message of this number, or none that can be changed.
    NoSuchMessage = 40,
    /// Someone else's message.
    NotYours = 41,
    /// The text of the message was taken away.
    MessageRemoved = 42,
    /// The person has shown the message as many reactions as one may.
    TooManyReactions = 43,
    /// Only a text can be given another text.
    NotText = 44,
    /// There are no words to search for, or too many.
    BadSearch = 45,
    /// The message where a search was to go on is not there.
    StalePlace = 46,
    /// The person is banned from the room.
    BannedHere = 50,
    /// The person may say nothing in the room.
    Muted = 51,
    /// The client has sent more than it may for a long time, and read nothing.
    Flood = 52,
    /// An admin has ended the session.
    Removed = 53,
    /// There are as many of these as there may be.
    TooMany = 54,
    /// Nothing had come for a while, and another connection needed the place.
    GaveWay = 56,
    /// The bot's token is not for this.
    OutOfScope = 60,
    /// The token is none of a bot's, or was revoked, or has ended.
    TokenNotValid = 61,
    /// The token by which the session came in was revoked, or has ended.
    TokenRevoked = 62,
    /// The account was removed.
    AccountGone = 70,
}

impl<C> Encode<C> for Code {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.u16(self.number())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Code {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        decoder.u16().map(Self::from_number)
    }
}
