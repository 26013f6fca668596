//! The messages that travel inside the channel, and their encoding. `PROTOCOL.md` describes the same for others.
//!
//! Each message is one CBOR array `[kind, {field: value, …}]` with numbers for kinds and fields. Fields that a reader
//! does not know are passed over; a kind that it does not know is told back to the sender and survived; so either side
//! can be newer than the other.

mod client_message;
mod code;
mod codec;
mod device;
mod found;
mod invite_text;
mod message_change;
mod message_id;
mod past_message;
mod person;
mod room;
mod room_event;
mod sanction;
mod server_message;

pub use client_message::{ClientMessage, SecretText};
pub use code::Code;
pub use codec::{Decoded, Messages, NotCbor, decode, encode};
pub use device::{Device, DeviceFingerprint};
pub use found::{Hit, Place};
pub use message_change::MessageChange;
pub use message_id::MessageId;
pub use past_message::PastMessage;
pub use person::{AwayPerson, PersonCard};
pub use room::{ROOM_MEMBER, ROOM_OPERATOR, RoomCard, RoomLine, RoomMember};
pub use room_event::RoomEvent;
pub use sanction::{SANCTION_BAN, SANCTION_MUTE, Sanction};
pub use server_message::{
    REGISTRATION_CLOSED, REGISTRATION_INVITE, REGISTRATION_OPEN, ROLE_ADMIN, ROLE_BOT, ROLE_MEMBER,
    ServerMessage,
};

/// The version of the messages, told in [`ServerMessage::Welcome`]. It grows when one is added.
pub const PROTOCOL: u16 = 4;

/// The kind of a body that is UTF-8 text.
pub const BODY_TEXT: u16 = 0;

/// Bodies of this kind and above are the server's: it does what they say, or refuses them.
pub const BODY_OF_SERVER_MIN: u16 = 0x8000;

/// The kind of a body that is a [`RoomEvent`].
pub const BODY_ROOM_EVENT: u16 = 0x8000;

/// The kind of a body that is the new text of an earlier message.
pub const BODY_EDIT: u16 = 0x8001;

/// The kind of a body that takes the text of an earlier message away.
pub const BODY_REMOVE: u16 = 0x8002;

/// The kind of a body that is a reaction to an earlier message, after a `+`, or after a `-` to take it back.
pub const BODY_REACT: u16 = 0x8003;

/// The kind of a message whose text was taken away. Its body is the name of who did it, empty for the server's operator.
pub const BODY_REMOVED: u16 = 0x8004;

/// The most rooms in one [`ServerMessage::RoomList`], members in one [`ServerMessage::Members`], and sanctions in one
/// [`ServerMessage::Sanctions`].
pub const ROOM_PAGE_MAX: usize = 100;

/// The most messages in one [`ServerMessage::History`].
pub const HISTORY_PAGE_MAX: u16 = 200;

/// The most messages in one [`ServerMessage::Found`].
pub const SEARCH_PAGE_MAX: u16 = 50;

/// Unread messages are counted up to this number; it stands for itself and all above it.
pub const UNREAD_MAX: u32 = 1000;
/// The most people in one [`ServerMessage::Away`].
pub const AWAY_MAX: usize = 100;

/// The most rooms in one [`PersonCard`].
pub const ROOMS_OF_PERSON_MAX: usize = 100;

/// The most people whom one can ignore. All of them go into one record, and into the smallest outbox.
pub const IGNORED_MAX: usize = 400;

/// The most names in one [`ServerMessage::People`].
pub const PEOPLE_MAX: usize = 500;
