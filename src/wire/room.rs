//! Rooms as people see them in a list, and as a card.

use minicbor::{Decode, Encode};

/// The number of the role of most people in a room.
pub const ROOM_MEMBER: u8 = 0;

/// The number of the role of those who look after a room.
pub const ROOM_OPERATOR: u8 = 1;

/// A public room in the list of all.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RoomLine {
    /// Its name.
    #[n(0)]
    pub room: String,
    /// What it is about; empty for nothing.
    #[n(1)]
    pub topic: String,
    /// How many accounts are in it; absent for a room that everyone is in.
    #[n(2)]
    pub members: Option<u64>,
}

/// What is told of a room to those who may know of it. Times are milliseconds since 1970-01-01 00:00 UTC by the
/// server's clock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RoomCard {
    /// Its name.
    #[n(0)]
    pub room: String,
    /// What it is about; empty for nothing.
    #[n(1)]
    pub topic: String,
    /// How many accounts are in it; absent for a room that everyone is in.
    #[n(2)]
    pub members: Option<u64>,
    /// What the asking account is in it; absent when it is not in it.
    #[n(3)]
    pub role: Option<u8>,
    /// When it was made.
    #[n(4)]
    pub made_at: u64,
    /// Who made it; empty for the server.
    #[n(5)]
    pub made_by: String,
    /// The last sequence number that it had when all this was so.
    #[n(6)]
    pub head: u64,
}

/// Someone who is in a room.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RoomMember {
    /// The account.
    #[n(0)]
    pub name: String,
    /// [`ROOM_MEMBER`] or [`ROOM_OPERATOR`].
    #[n(1)]
    pub role: u8,
}
