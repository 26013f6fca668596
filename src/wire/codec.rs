//! From messages to bytes and back. A record's content is a CBOR sequence (RFC 8742) of whole messages.

use std::convert::Infallible;
use std::marker::PhantomData;

use minicbor::{Decode, Decoder, Encode};

/// The bytes of one message.
pub fn encode<M: Encode<()>>(message: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written: Result<(), minicbor::encode::Error<Infallible>> = minicbor::encode(message, &mut bytes);
    debug_assert!(written.is_ok(), "a Vec takes everything");
    bytes
}

/// The messages in a record's content, one after the other.
pub fn decode<M: for<'b> Decode<'b, ()>>(content: &[u8]) -> Messages<'_, M> {
    Messages { rest: content, message: PhantomData }
}

/// RFC 8949, section 3.2.1.
const BREAK: u8 = 0xff;

/// One item of a CBOR sequence.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded<M> {
    /// A message.
    Message(M),
    /// A message of a kind that this version does not know; holds the kind.
    UnknownKind(u64),
    /// Well-formed CBOR that is no message: not `[kind, fields]`, or fields that lack something.
    Malformed,
}

/// The bytes are not well-formed CBOR (RFC 8949), so that it can't be told where the next message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record is not a sequence of CBOR items")]
pub struct NotCbor;

/// An iterator over the messages of a record. It ends after the first [`NotCbor`].
pub struct Messages<'b, M> {
    rest: &'b [u8],
    message: PhantomData<M>,
}

impl<M: for<'b> Decode<'b, ()>> Iterator for Messages<'_, M> {
    type Item = Result<Decoded<M>, NotCbor>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let mut decoder = Decoder::new(self.rest);
        let whole = match self.rest.first() {
            Some(&BREAK) => None, // the end of something that was never begun
            _ => decoder.skip().ok().and_then(|()| self.rest.split_at_checked(decoder.position())),
        };
        let Some((item, rest)) = whole else {
            self.rest = &[];
            return Some(Err(NotCbor));
        };
        self.rest = rest;
        Some(Ok(decode_item(item)))
    }
}

fn decode_item<M: for<'b> Decode<'b, ()>>(item: &[u8]) -> Decoded<M> {
    match minicbor::decode(item) {
        Ok(message) => Decoded::Message(message),
        Err(error) if error.is_unknown_variant() => {
            kind_of(item).map_or(Decoded::Malformed, Decoded::UnknownKind)
        }
        Err(_) => Decoded::Malformed,
    }
}

fn kind_of(item: &[u8]) -> Option<u64> {
    let mut decoder = Decoder::new(item);
    decoder.array().ok().filter(|length| *length == Some(2))?;
    decoder.u64().ok()
}

#[cfg(test)]
mod tests {
    use super::super::{ClientMessage, Code, Device, DeviceFingerprint, MessageId, ServerMessage};
    use super::*;
    use minicbor::bytes::ByteVec;
    use proptest::prelude::*;

    fn said(body: &[u8]) -> ServerMessage {
        ServerMessage::Said {
            room: "#lobby".into(),
            sequence: 7,
            at: 1_700_000_000_000,
            author: "alice".into(),
            id: MessageId::from_bytes([9; 16]),
            kind: 0,
            body: ByteVec::from(body.to_vec()),
            of: None,
            edited: None,
        }
    }

    fn only<M: for<'b> Decode<'b, ()>>(content: &[u8]) -> Result<Decoded<M>, NotCbor> {
        let mut messages = decode(content);
        let first = messages.next().unwrap();
        assert!(messages.next().is_none());
        first
    }

    #[test]
    fn messages_stand_one_after_the_other_in_a_record() {
        let content = [encode(&said(b"one")), encode(&said(b"two"))].concat();
        let read: Vec<_> = decode::<ServerMessage>(&content).map(Result::unwrap).collect();
        assert_eq!(read, [Decoded::Message(said(b"one")), Decoded::Message(said(b"two"))]);
    }

    #[test]
    fn the_bytes_are_those_that_the_protocol_document_shows() {
        let join = ClientMessage::Join { room: "#lobby".into(), after: Some(41) };
        assert_eq!(encode(&join), b"\x82\x02\xa2\x00\x66#lobby\x01\x18\x29");
        assert_eq!(encode(&ClientMessage::Pong {}), b"\x82\x05\xa0");
        assert_eq!(encode(&ClientMessage::LogInByDevice { name: None }), b"\x82\x06\xa0");
        let fingerprint = DeviceFingerprint::from_bytes([7; 16]);
        let revoke = [b"\x82\x09\xa1\x00\x50".as_slice(), &[7; 16]].concat();
        assert_eq!(encode(&ClientMessage::RevokeDevice { fingerprint }), revoke);
        let device = Device { label: "a".into(), fingerprint, first_seen: 1, last_seen: 2, is_this: true };
        let devices =
            [b"\x82\x0f\xa1\x00\x81\xa5\x00\x61a\x01\x50", &[7; 16][..], b"\x02\x01\x03\x02\x04\xf5"];
        assert_eq!(encode(&ServerMessage::Devices { devices: vec![device] }), devices.concat());
    }

    #[test]
    fn a_field_from_the_future_is_passed_over() {
        // [10, {99: [1, {}]}]
        let lagged = b"\x82\x0a\xa1\x18\x63\x82\x01\xa0";
        assert_eq!(only(lagged), Ok(Decoded::Message(ServerMessage::Lagged {})));
    }

    #[test]
    fn a_kind_from_the_future_is_named_and_what_follows_it_is_read() {
        let content = [b"\x82\x18\xc8\xa1\x00\x01".to_vec(), encode(&said(b"after"))].concat();
        let read: Vec<_> = decode::<ServerMessage>(&content).map(Result::unwrap).collect();
        assert_eq!(read, [Decoded::UnknownKind(200), Decoded::Message(said(b"after"))]);
    }

    #[test]
    fn well_formed_items_that_are_no_messages_are_malformed() {
        // 0, "x", [], [3, {}] (a Say without fields), [2, {0: 5}] (a Join whose room is a number), a Pong of
        // indefinite length
        let items = [
            b"\x00".as_slice(),
            b"\x61x",
            b"\x80",
            b"\x82\x03\xa0",
            b"\x82\x02\xa1\x00\x05",
            b"\x9f\x05\xa0\xff",
        ];
        for item in items {
            assert!(matches!(only::<ClientMessage>(item), Ok(Decoded::Malformed)), "{item:?}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_told_and_announced_lengths_cost_nothing() {
        // An array of 2^62 names, a text of 2^62 bytes, 60,000 arrays in each other, an end without a beginning.
        let names = b"\x82\x07\xa4\x00\x61x\x01\x9b\x40\x00\x00\x00\x00\x00\x00\x00";
        let text = b"\x7b\x40\x00\x00\x00\x00\x00\x00\x00";
        let nested = vec![0x81; 60_000];
        for content in [names.as_slice(), text, &nested, b"\xff"] {
            assert_eq!(only::<ServerMessage>(content), Err(NotCbor));
        }
    }

    #[test]
    fn codes_of_the_future_keep_their_number() {
        let refused = |code| ServerMessage::Refused { code, text: "no".into(), id: None, retry_after: None };
        for code in [Code::Busy, Code::Other(999)] {
            assert_eq!(only(&encode(&refused(code))), Ok(Decoded::Message(refused(code))));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for message in decode::<ClientMessage>(&bytes) {
                let _ = message;
            }
            for message in decode::<ServerMessage>(&bytes) {
                let _ = message;
            }
        }

        #[test]
        fn every_body_survives(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(only(&encode(&said(&body))), Ok(Decoded::Message(said(&body))));
        }
    }
}
