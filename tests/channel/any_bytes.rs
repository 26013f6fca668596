//! Arbitrary bytes into everything that reads: nothing panics, nothing is taken for a message.

use chat::channel::{
    ChannelError, ClientHello, Established, FrameReader, PublicKey, Record, ServerHello, Suite, accept,
    connect,
};
use proptest::collection::vec;
use proptest::prelude::*;
use rand::rngs::SysRng;

use super::{HEADER_BYTES, Parties, Peer};

fn any_suite() -> impl Strategy<Value = Suite> {
    proptest::sample::select(Suite::ALL.to_vec())
}

/// Of any length, and often long enough for a message of the hybrid suite.
fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..200), vec(any::<u8>(), 0..1500)]
}

proptest! {
    #[test]
    fn a_client_hello_is_read_or_refused(start: [u8; 6], rest in vec(any::<u8>(), 0..20)) {
        let length = ClientHello::rest(start);
        if let Ok(length) = length {
            prop_assert!((1..=16).contains(&length));
        }
        if let Ok(hello) = ClientHello::from_parts(start, &rest) {
            prop_assert_eq!(length.unwrap(), rest.len());
            prop_assert_eq!(hello.as_bytes(), [start.as_slice(), &rest].concat());
        }
    }

    #[test]
    fn an_offer_of_any_suites_is_answered(version in 1_u8.., suites in vec(any::<u8>(), 1..=16)) {
        let count = u8::try_from(suites.len()).unwrap();
        let hello = ClientHello::from_parts([b'C', b'H', b'A', b'T', version, count], &suites).unwrap();
        let answer = ServerHello::answering(&hello, &Suite::ALL);
        match answer.suite(&hello) {
            Ok(Suite::Hybrid) => prop_assert!(suites.contains(&2)),
            Ok(Suite::Classical) => prop_assert!(suites.contains(&1) && !suites.contains(&2)),
            Err(ChannelError::NoCommonSuite) => prop_assert!(!suites.contains(&1) && !suites.contains(&2)),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn a_server_hello_is_read_or_refused(bytes: [u8; 6], answer: u8) {
        let client = ClientHello::offering(&Suite::ALL);
        for bytes in [bytes, [b'C', b'H', b'A', b'T', 1, answer]] {
            if let Ok(hello) = ServerHello::from_bytes(bytes) {
                prop_assert_eq!(hello.to_bytes(), bytes);
                prop_assert_eq!(hello.suite(&client).is_ok(), matches!(bytes[5], 1 | 2));
            }
        }
    }

    #[test]
    fn message_one_is_read_or_refused(suite in any_suite(), message in message()) {
        let parties = Parties::of(suite);
        let fixed = parties.sizes()[0];
        match parties.responder().read_one(&message) {
            Ok((payload, server)) => {
                prop_assert_eq!(payload.as_slice(), &message[fixed..]);
                let answer = server.write_two(&mut SysRng, &[]);
                let refused = matches!(answer, Err(ChannelError::LowOrderPoint | ChannelError::BadKemKey));
                prop_assert!(refused || answer.is_ok());
            }
            Err(error) => {
                prop_assert!(matches!(error, ChannelError::BadLength));
                prop_assert!(message.len() < fixed);
            }
        }
    }

    #[test]
    fn message_two_is_refused(suite in any_suite(), message in message()) {
        let parties = Parties::of(suite);
        prop_assert!(parties.one().1.read_two(&message).is_err());
    }

    #[test]
    fn message_three_is_refused(suite in any_suite(), message in vec(any::<u8>(), 0..200)) {
        let parties = Parties::of(suite);
        let (_, _, server) = parties.three();
        prop_assert!(server.read_three(&message).is_err());
    }

    #[test]
    fn a_frame_reader_gives_no_byte_twice_and_none_that_did_not_come(
        chunks in vec(vec(any::<u8>(), 0..600), 0..8),
    ) {
        let mut frames = FrameReader::default();
        let mut given = 0;
        for chunk in &chunks {
            frames.feed(chunk);
            while let Some(frame) = frames.next_frame() {
                given += HEADER_BYTES + frame.len();
            }
        }
        let came: usize = chunks.iter().map(Vec::len).sum();
        prop_assert!(given <= came);
        prop_assert_eq!(frames.is_in_a_frame(), given < came);
    }

    #[test]
    fn an_opener_refuses_all_that_was_not_sealed_and_is_none_the_worse_for_it(
        suite in any_suite(),
        inventions in vec(vec(any::<u8>(), 0..400), 0..8),
    ) {
        let parties = Parties::of(suite);
        let (mut client, mut server) = parties.session();
        for mut frame in inventions {
            let before = frame.clone();
            let refused = server.opener.open(&mut frame);
            prop_assert!(matches!(refused, Err(ChannelError::BadLength | ChannelError::NotAuthentic)));
            prop_assert_eq!(frame, before);
        }
        let mut sealed = Vec::new();
        client.sealer.seal([b"right".as_slice()], &mut sealed).unwrap();
        prop_assert_eq!(server.opener.open(&mut sealed[HEADER_BYTES..]).unwrap(), Record::Messages(b"right"));
    }

    #[test]
    fn a_session_gives_no_record_of_an_invented_stream(
        suite in any_suite(),
        mut stream in vec(any::<u8>(), 0..400),
    ) {
        let parties = Parties::of(suite);
        // A small first length, so that most streams have a whole frame.
        if let Some(first) = stream.first_mut() {
            *first = 0;
        }
        let mut incoming = Established::from(parties.session().1).incoming;
        let mut source = stream.as_slice();
        while incoming.feed_from(&mut source).is_ok() {
            prop_assert!(!matches!(incoming.next_record(), Ok(Some(_))));
        }
    }

    #[test]
    fn a_server_makes_no_session_of_an_invented_stream(
        suite in any_suite(),
        hello in any::<bool>(),
        header in any::<bool>(),
        stream in message(),
    ) {
        let parties = Parties::of(suite);
        let hello = if hello { parties.hello_bytes().0 } else { Vec::new() };
        let header = if header { length_of(parties.sizes()[0]) } else { Vec::new() };
        let mut peer = Peer::that_says(&[&hello, &header, &stream]);
        prop_assert!(accept(&mut peer, &parties.server).is_err());
    }

    #[test]
    fn a_client_makes_no_session_of_an_invented_stream(
        suite in any_suite(),
        hello in any::<bool>(),
        header in any::<bool>(),
        stream in message(),
    ) {
        let parties = Parties::of(suite);
        let hello = if hello { parties.hello_bytes().1.to_vec() } else { Vec::new() };
        let header = if header { length_of(parties.sizes()[1]) } else { Vec::new() };
        let mut peer = Peer::that_says(&[&hello, &header, &stream]);
        let verify = |_| -> Result<(), ChannelError> { panic!("no key was proved") };
        prop_assert!(connect(&mut peer, &parties.client, verify).is_err());
    }

    #[test]
    fn handshakes_carry_any_payload(suite in any_suite(), payloads: [Vec<u8>; 3]) {
        let parties = Parties::of(suite);
        let [first, second, third] = payloads;
        let (one, client) = parties.initiator().write_one(&mut SysRng, &first).unwrap();
        let (read, server) = parties.responder().read_one(&one).unwrap();
        prop_assert_eq!(read, first);
        let (two, server) = server.write_two(&mut SysRng, &second).unwrap();
        let (read, client) = client.read_two(&two).unwrap();
        prop_assert_eq!(read, second);
        let (three, _) = client.write_three(&third).unwrap();
        let (read, _) = server.read_three(&three).unwrap();
        prop_assert_eq!(read, third);
    }

    #[test]
    fn a_public_key_is_read_or_refused(text: String, bytes: [u8; 32]) {
        let key = PublicKey::from_bytes(bytes);
        prop_assert_eq!(key.to_string().parse(), Ok(key));
        if let Ok(key) = text.parse::<PublicKey>() {
            prop_assert_eq!(key.to_string(), text);
        }
    }
}

/// A frame's length as it stands before it.
fn length_of(frame: usize) -> Vec<u8> {
    u16::try_from(frame).unwrap().to_be_bytes().to_vec()
}
