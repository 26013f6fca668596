//! What a search finds, and where it goes on.

use minicbor::{Decode, Encode};

use super::PastMessage;

/// A message's place among all that an account may read.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Place {
    /// The room.
    #[n(0)]
    pub room: String,
    /// Its number there.
    #[n(1)]
    pub sequence: u64,
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Hit {
    /// The room.
    #[n(0)]
    pub room: String,
    /// What was said there.
    #[n(1)]
    pub message: PastMessage,
}
