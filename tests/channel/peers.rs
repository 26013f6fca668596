//! Peers that speak something else, answer no, announce too much or leave: each gets the error that tells a person
//! what happened, and no more of its bytes are read than that takes.

use std::io;
use std::time::Duration;

use chat::channel::{
    ChannelError, NotChat, PublicKey, StaticKey, Suite, accept, connect, refuse_banned, refuse_full,
};

use super::{
    CLASSICAL_SERVER_HELLO, CLIENT_HELLO, HEADER_BYTES, KEY_BYTES, Parties, Peer, SERVER_HELLO, stream_pair,
};

/// The longest message of a handshake, in bytes.
const HANDSHAKE_BYTES_MAX: u16 = 4096;

#[test]
fn a_client_recognises_a_server_that_is_none_of_ours() {
    for (answer, what) in [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), NotChat::WebServer),
        (b"SSH-2.0-OpenSSH_9.6\r\n", NotChat::SshServer),
        (b"\x15\x03\x01\x00\x02\x02\x46", NotChat::TlsServer),
        (b"\x16\x03\x03\x00\x7a\x02\x00", NotChat::TlsServer),
        (b"220 mail.example ESMTP\r\n", NotChat::Unknown),
        (b"chat\x01\x01", NotChat::Unknown),
        (b"\x00\x00\x00\x00\x00\x00", NotChat::Unknown),
        (b"\xff\xff\xff\xff\xff\xff", NotChat::Unknown),
    ] {
        let (error, _) = connect_to(&[answer]);
        assert!(matches!(error, ChannelError::NotChat(guess) if guess == what), "{error}");
    }
}

#[test]
fn a_server_recognises_a_client_that_is_none_of_ours_and_tells_it_nothing() {
    for (first, what) in [
        (b"GET / HTTP/1.1\r\n\r\n".as_slice(), NotChat::Unknown),
        (b"SSH-2.0-OpenSSH_9.6\r\n", NotChat::SshServer),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", NotChat::TlsServer),
        (b"NICK alice\r\n", NotChat::Unknown),
        (b"\x00\x00\x00\x00\x00\x00\x00", NotChat::Unknown),
    ] {
        let (error, peer) = accept_from(&[first]);
        assert!(matches!(error, ChannelError::NotChat(guess) if guess == what), "{error}");
        assert!(peer.told.is_empty());
    }
}

#[test]
fn the_error_says_to_a_person_what_the_server_is() {
    let error = connect_to(&[b"SSH-2.0-OpenSSH_9.6\r\n"]).0.to_string();
    assert!(error.ends_with("(it is an ssh server)"), "{error}");
}

#[test]
fn a_client_tells_the_answers_of_a_server_apart() {
    assert!(matches!(connect_to(&[b"CHAT\x01\x00"]).0, ChannelError::NoCommonSuite));
    assert!(matches!(connect_to(&[b"CHAT\x01\xff"]).0, ChannelError::Full));
    assert!(matches!(connect_to(&[b"CHAT\x01\xfe"]).0, ChannelError::Banned));
    for suite in 3..=0xfd {
        assert!(matches!(connect_to(&[b"CHAT\x01", &[suite]]).0, ChannelError::SuiteNotOffered));
    }
    for version in [0, 2, 3, 0x80, 0xff] {
        let (error, _) = connect_to(&[b"CHAT", &[version, 1]]);
        assert!(matches!(error, ChannelError::Version(theirs) if theirs == version), "{error}");
    }
}

#[test]
fn a_client_that_was_refused_has_said_no_more_than_its_hello() {
    for answer in
        [b"CHAT\x01\x00", b"CHAT\x01\xff", b"CHAT\x01\xfe", b"CHAT\x01\x03", b"CHAT\x02\x01", b"HTTP/1"]
    {
        assert_eq!(connect_to(&[answer]).1.told, CLIENT_HELLO);
    }
}

#[test]
fn a_server_that_is_full_says_so_and_no_more() {
    let mut newcomer = Peer::that_says(&[CLIENT_HELLO]);
    refuse_full(&mut newcomer).unwrap();
    assert!(matches!(connect_to(&[&newcomer.told]).0, ChannelError::Full));
}

#[test]
fn a_server_that_takes_nobody_from_there_says_so_and_no_more() {
    let mut newcomer = Peer::that_says(&[CLIENT_HELLO]);
    refuse_banned(&mut newcomer).unwrap();
    assert!(matches!(connect_to(&[&newcomer.told]).0, ChannelError::Banned));
}

#[test]
fn a_client_without_a_suite_in_common_is_told_so() {
    let (error, peer) = accept_from(&[b"CHAT\x01\x02\x70\x71"]);
    assert!(matches!(error, ChannelError::NoCommonSuite));
    assert!(matches!(connect_to(&[&peer.told]).0, ChannelError::NoCommonSuite));
}

#[test]
fn a_client_of_a_later_version_is_told_which_version_we_speak() {
    for (offer, answer) in
        [(b"CHAT\x07\x02\x02\x01".as_slice(), SERVER_HELLO), (b"CHAT\x07\x01\x01", CLASSICAL_SERVER_HELLO)]
    {
        assert_eq!(accept_from(&[offer]).1.told, answer);
    }
}

#[test]
fn a_hello_that_offers_nothing_or_too_much_is_refused_before_more_is_read() {
    for count in [0, 17, 0xff] {
        let (error, peer) = accept_from(&[b"CHAT\x01", &[count], &[1; 300]]);
        assert!(matches!(error, ChannelError::BadLength));
        assert_eq!(peer.bytes_read(), 6);
        assert!(peer.told.is_empty());
    }
}

#[test]
fn a_handshake_message_that_is_too_long_is_refused_before_more_is_read() {
    for parties in Parties::of_each_suite() {
        let (client_hello, server_hello) = parties.hello_bytes();
        for length in [HANDSHAKE_BYTES_MAX + 1, u16::MAX] {
            let header = length.to_be_bytes();
            let body = vec![0; length.into()];

            let (error, peer) = connect_to(&[&server_hello, &header, &body]);
            assert!(matches!(error, ChannelError::BadLength));
            assert_eq!(peer.bytes_read(), server_hello.len() + HEADER_BYTES);

            let (error, peer) = accept_from(&[&client_hello, &header, &body]);
            assert!(matches!(error, ChannelError::BadLength));
            assert_eq!(peer.bytes_read(), client_hello.len() + HEADER_BYTES);

            let one = framed(&parties.one().0);
            let (error, peer) = accept_from(&[&client_hello, &one, &header, &body]);
            assert!(matches!(error, ChannelError::BadLength));
            assert_eq!(peer.bytes_read(), client_hello.len() + one.len() + HEADER_BYTES);
        }
    }
}

#[test]
fn a_handshake_message_of_the_greatest_length_is_answered() {
    for parties in Parties::of_each_suite() {
        let mut one = parties.one().0;
        one.resize(HANDSHAKE_BYTES_MAX.into(), 0);
        let (error, peer) = accept_from(&[&parties.hello_bytes().0, &framed(&one)]);
        assert!(matches!(error, ChannelError::Closed), "what is missing is message three: {error}");
        assert_eq!(peer.told.len(), SERVER_HELLO.len() + HEADER_BYTES + parties.sizes()[1]);
    }
}

#[test]
fn a_handshake_message_that_is_too_short_is_refused() {
    for parties in Parties::of_each_suite() {
        let (client_hello, server_hello) = parties.hello_bytes();
        for length in [0, 1, KEY_BYTES - 1, parties.sizes()[0] - 1] {
            let message = framed(&vec![7; length]);
            assert!(matches!(accept_from(&[&client_hello, &message]).0, ChannelError::BadLength));
        }
        for length in [0, 1, KEY_BYTES - 1] {
            let message = framed(&vec![7; length]);
            assert!(matches!(connect_to(&[&server_hello, &message]).0, ChannelError::BadLength));
        }
    }
}

#[test]
fn a_low_order_key_gets_no_answer() {
    for parties in Parties::of_each_suite() {
        let (client_hello, server_hello) = parties.hello_bytes();
        let mut one = parties.one().0;
        one[..KEY_BYTES].fill(0);
        let (error, peer) = accept_from(&[&client_hello, &framed(&one)]);
        assert!(matches!(error, ChannelError::LowOrderPoint));
        assert_eq!(peer.told, server_hello);
    }
}

#[test]
fn an_encapsulation_key_that_is_none_gets_no_answer() {
    let mut one = Parties::of(Suite::Hybrid).one().0;
    one[KEY_BYTES..].fill(0xff);
    let (error, peer) = accept_from(&[CLIENT_HELLO, &framed(&one)]);
    assert!(matches!(error, ChannelError::BadKemKey));
    assert_eq!(peer.told, SERVER_HELLO);
}

#[test]
fn a_false_message_two_is_refused_before_anyone_is_asked_about_a_key() {
    for parties in Parties::of_each_suite() {
        let (two, _) = parties.two(&parties.one().0);
        let mut server = Peer::that_says(&[&parties.hello_bytes().1, &framed(&two)]);
        let verify = |_: PublicKey| -> Result<(), ChannelError> { panic!("no key was proved") };
        let refused = connect(&mut server, &parties.client, verify);
        assert!(matches!(refused, Err(ChannelError::NotAuthentic)));
        assert_eq!(server.told.len(), CLIENT_HELLO.len() + HEADER_BYTES + parties.sizes()[0]);
    }
}

#[test]
fn a_server_that_closes_at_any_point_has_closed() {
    for parties in Parties::of_each_suite() {
        let (two, _) = parties.two(&parties.one().0);
        let all = [&parties.hello_bytes().1, framed(&two).as_slice()].concat();
        for length in 0..all.len() {
            assert!(matches!(connect_to(&[&all[..length]]).0, ChannelError::Closed), "after {length} bytes");
        }
    }
}

#[test]
fn a_client_that_closes_at_any_point_has_closed() {
    for parties in Parties::of_each_suite() {
        let all = [parties.hello_bytes().0, framed(&parties.one().0)].concat();
        for length in 0..=all.len() {
            assert!(matches!(accept_from(&[&all[..length]]).0, ChannelError::Closed), "after {length} bytes");
        }
    }
}

#[test]
fn a_peer_that_says_nothing_runs_into_the_deadline_of_the_socket() {
    let (mut near, _far) = stream_pair();
    near.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let key = StaticKey::from_bytes(&[1; 32]);
    let is_late = |error: Option<ChannelError>| {
        matches!(error, Some(ChannelError::Io(error))
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
    };
    assert!(is_late(accept(&mut near, &key).err()));
    assert!(is_late(connect(&mut near, &key, |_| Ok::<(), ChannelError>(())).err()));
}

/// What a client makes of a server that says all this and closes.
fn connect_to(parts: &[&[u8]]) -> (ChannelError, Peer) {
    let mut peer = Peer::that_says(parts);
    let error = connect(&mut peer, &StaticKey::from_bytes(&[1; 32]), |_| Ok::<(), ChannelError>(())).err();
    (error.unwrap(), peer)
}

/// What a server makes of a client that says all this and closes.
fn accept_from(parts: &[&[u8]]) -> (ChannelError, Peer) {
    let mut peer = Peer::that_says(parts);
    let error = accept(&mut peer, &StaticKey::from_bytes(&[1; 32])).err();
    (error.unwrap(), peer)
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    [&length, message].concat()
}
