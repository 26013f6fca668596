//! A change of an earlier message. It is said in the same room like everything else: so it has an author, a place and a
//! time, is acknowledged, is recognised when it is sent again, and comes to everyone in its order.

use minicbor::{Decode, Encode};

use super::{BODY_EDIT, BODY_REACT, BODY_REMOVE, encode};
use crate::names::Reaction;

/// What is done to the message that field `of` of a [`Say`](super::ClientMessage::Say) names. Who says one asks the server
/// to do it; what is in the log was done by its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageChange<'b> {
    /// It has this text now.
    Edit(&'b [u8]),
    /// It has no text any more.
    Remove,
    /// Its author is shown this by the author of the change.
    React(Reaction),
    /// The same is taken back.
    TakeBack(Reaction),
}

/// Of a removal there is nothing to tell yet.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Removal {}

impl<'b> MessageChange<'b> {
    /// The change in a body of this kind; `None` when it is none that this version knows.
    pub fn parse(kind: u16, body: &'b [u8]) -> Option<Self> {
        match kind {
            BODY_EDIT => Some(Self::Edit(body)),
            BODY_REMOVE => minicbor::decode::<Removal>(body).ok().map(|Removal {}| Self::Remove),
            BODY_REACT => {
                let (sign, reaction) = std::str::from_utf8(body).ok()?.split_at_checked(1)?;
                let reaction = reaction.parse().ok()?;
                match sign {
                    "+" => Some(Self::React(reaction)),
                    "-" => Some(Self::TakeBack(reaction)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The kind of its body.
    pub fn kind(&self) -> u16 {
        match self {
            Self::Edit(_) => BODY_EDIT,
            Self::Remove => BODY_REMOVE,
            Self::React(_) | Self::TakeBack(_) => BODY_REACT,
        }
    }

    /// Its body.
    pub fn body(&self) -> Vec<u8> {
        match self {
            Self::Edit(text) => text.to_vec(),
            Self::Remove => encode(&Removal {}),
            Self::React(reaction) => format!("+{reaction}").into_bytes(),
            Self::TakeBack(reaction) => format!("-{reaction}").into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_that_the_protocol_document_shows() {
        let thumb: Reaction = "+1".parse().unwrap();
        let changes = [
            (MessageChange::Edit(b"tea"), 0x8001, b"tea".as_slice()),
            (MessageChange::Remove, 0x8002, b"\xa0"),
            (MessageChange::React(thumb.clone()), 0x8003, b"++1"),
            (MessageChange::TakeBack(thumb), 0x8003, b"-+1"),
        ];
        for (change, kind, body) in changes {
            assert_eq!((change.kind(), change.body().as_slice()), (kind, body));
            assert_eq!(MessageChange::parse(kind, body), Some(change));
        }
        let from_the_future = b"\xa1\x00\x64spam";
        assert_eq!(MessageChange::parse(BODY_REMOVE, from_the_future), Some(MessageChange::Remove));
    }

    #[test]
    fn what_is_no_change_is_none() {
        for body in [b"".as_slice(), b"hello", b"\x80", b"\xa1", b"\xff"] {
            assert_eq!(MessageChange::parse(BODY_REMOVE, body), None, "{body:x?}");
        }
        for body in [b"".as_slice(), b"+", b"1", b"*1", b"+a b", b"+\xff", "é1".as_bytes(), &[b'+'; 34]] {
            assert_eq!(MessageChange::parse(BODY_REACT, body), None, "{body:x?}");
        }
        for kind in [0, 0x8000, 0x8004, u16::MAX] {
            assert_eq!(MessageChange::parse(kind, b"+1"), None);
        }
    }
}
