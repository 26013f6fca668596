//! A change of a room. It is said in the room like everything else: so it has an author, a place and a time, is
//! acknowledged, is recognised when it is sent again, and comes to everyone in its order.

use minicbor::{Decode, Encode};

use super::codec::{Decoded, decode};

/// The body of a message of the kind [`BODY_ROOM_EVENT`](super::BODY_ROOM_EVENT): an array `[number, {field: value, …}]`
/// like the messages themselves. Who says one asks the server to do it; what is in the log was done by its author.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub enum RoomEvent {
    /// The author has made the room. Its first message.
    #[n(0)]
    Made {
        /// Only those who are added get in, and others don't know of it.
        #[n(0)]
        is_private: bool,
    },
    /// The author is a member now.
    #[n(1)]
    Joined {},
    /// The author is no member any more.
    #[n(2)]
    Left {},
    /// Someone is a member now.
    #[n(3)]
    Added {
        /// Who.
        #[n(0)]
        name: String,
    },
    /// A member has another role now.
    #[n(4)]
    Role {
        /// Who.
        #[n(0)]
        name: String,
        /// [`ROOM_MEMBER`](super::ROOM_MEMBER) or [`ROOM_OPERATOR`](super::ROOM_OPERATOR).
        #[n(1)]
        role: u8,
    },
    /// The room has another topic now.
    #[n(5)]
    Topic {
        /// At most 400 bytes; empty for none.
        #[n(0)]
        topic: String,
    },
    /// Someone was made to leave. In the room that everyone is in, their sessions were ended.
    #[n(10)]
    Removed {
        /// Who.
        #[n(0)]
        name: String,
        /// Why: one line of at most 200 bytes.
        #[n(1)]
        reason: Option<String>,
    },
    /// Someone must stay out.
    #[n(11)]
    Banned {
        /// Who.
        #[n(0)]
        name: String,
        /// When that ends, in milliseconds since 1970-01-01 00:00 UTC. The server tells it and nobody asks for it: only its
        /// clock counts.
        #[n(1)]
        until: Option<u64>,
        /// Why: one line of at most 200 bytes.
        #[n(2)]
        reason: Option<String>,
        /// For how long, in seconds; absent for ever.
        #[n(3)]
        seconds: Option<u64>,
    },
    /// Someone need not stay out any more.
    #[n(12)]
    Unbanned {
        /// Who.
        #[n(0)]
        name: String,
    },
    /// Someone may say nothing.
    #[n(13)]
    Muted {
        /// Who.
        #[n(0)]
        name: String,
        /// When that ends, as of a ban.
        #[n(1)]
        until: Option<u64>,
        /// Why: one line of at most 200 bytes.
        #[n(2)]
        reason: Option<String>,
        /// For how long, in seconds; absent for ever.
        #[n(3)]
        seconds: Option<u64>,
    },
    /// Someone may say something again.
    #[n(14)]
    Unmuted {
        /// Who.
        #[n(0)]
        name: String,
    },
    /// All that someone has said in the room until now is taken away.
    #[n(15)]
    Purged {
        /// Who.
        #[n(0)]
        name: String,
        /// What was said before this time stays; told by the server, as the end of a ban.
        #[n(1)]
        since: Option<u64>,
        /// How far back it goes, in seconds; absent for all of it.
        #[n(2)]
        seconds: Option<u64>,
    },
}

impl RoomEvent {
    /// The event in a body; `None` when it is none that this version knows.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut items = decode(body);
        match (items.next(), items.next()) {
            (Some(Ok(Decoded::Message(event))), None) => Some(event),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode;
    use super::*;

    #[test]
    fn the_bytes_are_those_that_the_protocol_document_shows() {
        let topic = RoomEvent::Topic { topic: "tea".into() };
        assert_eq!(encode(&topic), b"\x82\x05\xa1\x00\x63tea");
        assert_eq!(encode(&RoomEvent::Left {}), b"\x82\x02\xa0");
        assert_eq!(encode(&RoomEvent::Made { is_private: true }), b"\x82\x00\xa1\x00\xf5");
        let name = "bob".to_owned();
        let banned = RoomEvent::Banned { name, until: None, reason: Some("spam".into()), seconds: Some(60) };
        assert_eq!(encode(&banned), b"\x82\x0b\xa3\x00\x63bob\x02\x64spam\x03\x18\x3c");
    }

    #[test]
    fn what_is_no_event_or_more_than_one_is_none() {
        let left = encode(&RoomEvent::Left {});
        assert_eq!(RoomEvent::parse(&left), Some(RoomEvent::Left {}));
        let unknown = b"\x82\x18\x63\xa0";
        for body in [b"".as_slice(), b"hello", &left.repeat(2), unknown, b"\x82\x03\xa0"] {
            assert_eq!(RoomEvent::parse(body), None, "{body:x?}");
        }
    }
}
