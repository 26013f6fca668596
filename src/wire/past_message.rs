//! Something that was said before, as it stands in a page of a room's history or in what a search has found.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::MessageId;

/// A message of a room's log. The room is told beside it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PastMessage {
    /// Its place in the room: 1, 2, 3 …
    #[n(0)]
    pub sequence: u64,
    /// When the server wrote it down.
    #[n(1)]
    pub at: u64,
    /// Who said it.
    #[n(2)]
    pub author: String,
    /// The author's client's name for it.
    #[n(3)]
    pub id: MessageId,
    /// What the body is: 0 for text.
    #[n(4)]
    pub kind: u16,
    /// 1 to 16,384 bytes.
    #[n(5)]
    pub body: ByteVec,
    /// The place of the message that this one is about.
    #[n(6)]
    pub of: Option<u64>,
    /// When its text was changed for the last time.
    #[n(7)]
    pub edited: Option<u64>,
}
