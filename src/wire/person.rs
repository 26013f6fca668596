//! People as others see them: one by one, and those of a room who are away.

use minicbor::{Decode, Encode};

/// What is told of someone to those who ask. Times are milliseconds since 1970-01-01 00:00 UTC by the server's clock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PersonCard {
    /// The account, as the server writes it.
    #[n(0)]
    pub name: String,
    /// [`ROLE_MEMBER`](super::ROLE_MEMBER), [`ROLE_ADMIN`](super::ROLE_ADMIN) or [`ROLE_BOT`](super::ROLE_BOT).
    #[n(1)]
    pub role: u8,
    /// Whether any of their sessions is there.
    #[n(2)]
    pub is_online: bool,
    /// Why they are away, empty for no reason; absent when they are not.
    #[n(3)]
    pub away: Option<String>,
    /// When their last session ended; absent when one is there, when it is not known, and when they don't want it told.
    #[n(4)]
    pub last_seen: Option<u64>,
    /// When they first came; absent when it is not known.
    #[n(5)]
    pub since: Option<u64>,
    /// The rooms that they are in and of which the asker may know, at most 100, in the order of their names.
    #[n(6)]
    pub rooms: Vec<String>,
    /// Whether there are more such rooms.
    #[n(7)]
    pub more: bool,
    /// To oneself only: whether others are not told when one was last seen.
    #[n(8)]
    pub hides_last_seen: Option<bool>,
}

/// Someone who is away.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AwayPerson {
    /// The account.
    #[n(0)]
    pub name: String,
    /// Why; empty for no reason.
    #[n(1)]
    pub away: String,
}
