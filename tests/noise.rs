//! That the channel is Noise as others read it: handshakes and records with `snow`, in both roles, byte for byte. The
//! published vectors, which need a prologue and transport messages of their own, are in `src/channel/vectors.rs`.
#![cfg(test)]

use std::convert::Infallible;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use chat::channel::{
    ChannelError, ClientHello, FRAME_BYTES_MAX, FrameReader, Initiator, RECORD_BYTES_MAX, Record, Responder,
    Sealer, ServerHello, StaticKey, Suite, Transport, accept, connect,
};
use rand::{TryCryptoRng, TryRng};

const CLIENT: [u8; 32] = [0x11; 32];
const CLIENT_EPHEMERAL: [u8; 32] = [0x22; 32];
const SERVER: [u8; 32] = [0x33; 32];
const SERVER_EPHEMERAL: [u8; 32] = [0x44; 32];

/// The two hellos, one after the other, as whoever reads the protocol would write them by hand.
const PROLOGUE: &[u8] = b"CHAT\x01\x01\x01CHAT\x01\x01";
const CLIENT_HELLO_BYTES: usize = 7;

const TYPE_MESSAGES: u8 = 0;
const TYPE_GOODBYE: u8 = 1;

/// A finished handshake of ours with snow.
struct Session {
    ours: Transport,
    theirs: snow::TransportState,
    /// A snow that stands where we stand, with our keys: what it writes is what we must write.
    twin: snow::TransportState,
}

#[test]
fn as_a_client_we_write_what_snow_would_write_and_understand_what_it_answers() {
    let Session { ours, .. } = our_client();
    assert_eq!(ours.peer, StaticKey::from_bytes(&SERVER).public());
    assert_eq!(ours.suite, Suite::Classical);
}

#[test]
fn as_a_server_we_write_what_snow_would_write_and_understand_what_it_says() {
    let Session { ours, .. } = our_server();
    assert_eq!(ours.peer, StaticKey::from_bytes(&CLIENT).public());
    assert_eq!(ours.suite, Suite::Classical);
}

#[test]
fn our_records_are_transport_messages_of_snow_that_begin_with_their_type() {
    for Session { mut ours, mut theirs, mut twin } in [our_client(), our_server()] {
        let largest = vec![7; RECORD_BYTES_MAX];
        for content in [b"".as_slice(), b"first", b"second", &largest, b"last"] {
            let message = seal(&mut ours.sealer, &[content]);
            let plaintext = [&[TYPE_MESSAGES], content].concat();
            assert_eq!(message, transport_write(&mut twin, &plaintext));
            assert_eq!(transport_read(&mut theirs, &message), plaintext);
        }
    }
}

#[test]
fn the_parts_of_a_record_are_one_plaintext_to_snow() {
    for Session { mut ours, mut theirs, .. } in [our_client(), our_server()] {
        let message = seal(&mut ours.sealer, &[b"one ", b"", b"two"]);
        assert_eq!(transport_read(&mut theirs, &message), b"\x00one two");
    }
}

#[test]
fn our_goodbye_is_its_type_alone_to_snow() {
    for Session { mut ours, mut theirs, mut twin } in [our_client(), our_server()] {
        let mut frame = Vec::new();
        ours.sealer.goodbye(&mut frame).unwrap();
        let message = content(&frame);
        assert_eq!(message, transport_write(&mut twin, &[TYPE_GOODBYE]));
        assert_eq!(transport_read(&mut theirs, &message), [TYPE_GOODBYE]);
    }
}

#[test]
fn we_open_what_snow_seals() {
    for Session { mut ours, mut theirs, .. } in [our_client(), our_server()] {
        let largest = vec![7; RECORD_BYTES_MAX];
        for content in [b"".as_slice(), b"first", b"second", &largest] {
            let mut message = transport_write(&mut theirs, &[&[TYPE_MESSAGES], content].concat());
            assert_eq!(ours.opener.open(&mut message).unwrap(), Record::Messages(content));
        }
        let mut goodbye = transport_write(&mut theirs, &[TYPE_GOODBYE]);
        assert_eq!(ours.opener.open(&mut goodbye).unwrap(), Record::Goodbye);
    }
}

#[test]
fn records_cross_each_other_with_snow() {
    for Session { mut ours, mut theirs, .. } in [our_client(), our_server()] {
        for number in 0..5_u8 {
            let message = seal(&mut ours.sealer, &[&[number]]);
            let mut answer = transport_write(&mut theirs, &[TYPE_MESSAGES, number + 100]);
            assert_eq!(transport_read(&mut theirs, &message), [TYPE_MESSAGES, number]);
            assert_eq!(ours.opener.open(&mut answer).unwrap(), Record::Messages(&[number + 100]));
        }
    }
}

#[test]
fn a_record_of_an_unknown_type_is_refused_by_its_number() {
    for kind in 2..=u8::MAX {
        for error in refused_then_opened(&[kind, 1, 2, 3]) {
            assert!(matches!(error, ChannelError::UnknownRecord(number) if number == kind));
        }
    }
}

#[test]
fn a_goodbye_with_trailing_bytes_is_refused() {
    for error in refused_then_opened(&[TYPE_GOODBYE, 0]) {
        assert!(matches!(error, ChannelError::BadLength));
    }
}

#[test]
fn a_record_without_even_a_type_is_refused() {
    for error in refused_then_opened(&[]) {
        assert!(matches!(error, ChannelError::BadLength));
    }
}

#[test]
fn a_snow_that_saw_other_hellos_is_refused_in_both_roles() {
    let (ours, hello) = (StaticKey::from_bytes(&CLIENT), hellos());
    let other_prologue = b"CHAT\x01\x02\x02\x01CHAT\x01\x01";

    let mut theirs = snow_builder(&SERVER, &SERVER_EPHEMERAL, other_prologue).build_responder().unwrap();
    let client = Initiator::new(&hello.0, hello.1, &ours).unwrap();
    let (one, client) = client.write_one(&mut Fixed(CLIENT_EPHEMERAL), &[]).unwrap();
    handshake_read(&mut theirs, &one);
    let two = handshake_write(&mut theirs, &[]);
    assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)));

    let mut theirs = snow_builder(&CLIENT, &CLIENT_EPHEMERAL, other_prologue).build_initiator().unwrap();
    let server = Responder::new(&hello.0, hello.1, &ours).unwrap();
    let (_, server) = server.read_one(&handshake_write(&mut theirs, &[])).unwrap();
    let (two, _) = server.write_two(&mut Fixed(SERVER_EPHEMERAL), &[]).unwrap();
    assert!(theirs.read_message(&two, &mut vec![0; FRAME_BYTES_MAX]).is_err());
}

#[test]
fn connect_talks_to_a_server_that_is_made_of_snow() {
    let (mut near, mut far) = stream_pair();
    let server = thread::spawn(move || {
        let mut hello = [0; CLIENT_HELLO_BYTES];
        far.read_exact(&mut hello).unwrap();
        far.write_all(b"CHAT\x01\x01").unwrap();
        let prologue = [&hello, b"CHAT\x01\x01".as_slice()].concat();
        let mut snow = snow_builder(&SERVER, &SERVER_EPHEMERAL, &prologue).build_responder().unwrap();
        handshake_read(&mut snow, &read_frame(&mut far));
        write_frame(&mut far, &handshake_write(&mut snow, &[]));
        handshake_read(&mut snow, &read_frame(&mut far));
        echo_twice(snow.into_transport_mode().unwrap(), &mut far);
    });
    let ours = StaticKey::from_bytes(&CLIENT);
    let mut session = connect(&mut near, &ours, |_| Ok::<(), ChannelError>(())).unwrap();
    assert_eq!(session.peer, StaticKey::from_bytes(&SERVER).public());
    for text in [b"hello".as_slice(), b"again"] {
        let mut frame = Vec::new();
        session.sealer.seal([text], &mut frame).unwrap();
        near.write_all(&frame).unwrap();
        session.incoming.feed_from(&mut near).unwrap();
        assert_eq!(session.incoming.next_record().unwrap(), Some(Record::Messages(text)));
    }
    server.join().unwrap();
}

#[test]
fn accept_talks_to_a_client_that_is_made_of_snow() {
    let (mut near, mut far) = stream_pair();
    let client = thread::spawn(move || {
        far.write_all(b"CHAT\x01\x01\x01").unwrap();
        let mut answer = [0; 6];
        far.read_exact(&mut answer).unwrap();
        let prologue = [b"CHAT\x01\x01\x01".as_slice(), &answer].concat();
        let mut snow = snow_builder(&CLIENT, &CLIENT_EPHEMERAL, &prologue).build_initiator().unwrap();
        write_frame(&mut far, &handshake_write(&mut snow, &[]));
        handshake_read(&mut snow, &read_frame(&mut far));
        write_frame(&mut far, &handshake_write(&mut snow, &[]));
        echo_twice(snow.into_transport_mode().unwrap(), &mut far);
    });
    let mut session = accept(&mut near, &StaticKey::from_bytes(&SERVER)).unwrap();
    assert_eq!(session.peer, StaticKey::from_bytes(&CLIENT).public());
    for text in [b"hello".as_slice(), b"again"] {
        let mut frame = Vec::new();
        session.sealer.seal([text], &mut frame).unwrap();
        near.write_all(&frame).unwrap();
        session.incoming.feed_from(&mut near).unwrap();
        assert_eq!(session.incoming.next_record().unwrap(), Some(Record::Messages(text)));
    }
    client.join().unwrap();
}

/// The errors, one for each role, that we give for a record with this plaintext. A record that follows still opens.
fn refused_then_opened(plaintext: &[u8]) -> [ChannelError; 2] {
    [our_client(), our_server()].map(|Session { mut ours, mut theirs, .. }| {
        let error = ours.opener.open(&mut transport_write(&mut theirs, plaintext)).unwrap_err();
        let mut next = transport_write(&mut theirs, &[TYPE_MESSAGES, 1]);
        assert_eq!(ours.opener.open(&mut next).unwrap(), Record::Messages(&[1]));
        error
    })
}

fn our_client() -> Session {
    let (key, (client_hello, server_hello)) = (StaticKey::from_bytes(&CLIENT), hellos());
    let mut theirs = snow_builder(&SERVER, &SERVER_EPHEMERAL, PROLOGUE).build_responder().unwrap();
    let mut twin = snow_builder(&CLIENT, &CLIENT_EPHEMERAL, PROLOGUE).build_initiator().unwrap();

    let ours = Initiator::new(&client_hello, server_hello, &key).unwrap();
    let (one, ours) = ours.write_one(&mut Fixed(CLIENT_EPHEMERAL), b"first").unwrap();
    assert_eq!(one, handshake_write(&mut twin, b"first"));
    assert_eq!(handshake_read(&mut theirs, &one), b"first");

    let two = handshake_write(&mut theirs, b"second");
    assert_eq!(handshake_read(&mut twin, &two), b"second");
    let (payload, ours) = ours.read_two(&two).unwrap();
    assert_eq!(payload, b"second");
    assert_eq!(ours.server_key(), StaticKey::from_bytes(&SERVER).public());

    let (three, ours) = ours.write_three(b"third").unwrap();
    assert_eq!(three, handshake_write(&mut twin, b"third"));
    assert_eq!(handshake_read(&mut theirs, &three), b"third");
    finished(ours, theirs, twin)
}

fn our_server() -> Session {
    let (key, (client_hello, server_hello)) = (StaticKey::from_bytes(&SERVER), hellos());
    let mut theirs = snow_builder(&CLIENT, &CLIENT_EPHEMERAL, PROLOGUE).build_initiator().unwrap();
    let mut twin = snow_builder(&SERVER, &SERVER_EPHEMERAL, PROLOGUE).build_responder().unwrap();

    let ours = Responder::new(&client_hello, server_hello, &key).unwrap();
    let one = handshake_write(&mut theirs, b"first");
    assert_eq!(handshake_read(&mut twin, &one), b"first");
    let (payload, ours) = ours.read_one(&one).unwrap();
    assert_eq!(payload, b"first");

    let (two, ours) = ours.write_two(&mut Fixed(SERVER_EPHEMERAL), b"second").unwrap();
    assert_eq!(two, handshake_write(&mut twin, b"second"));
    assert_eq!(handshake_read(&mut theirs, &two), b"second");

    let three = handshake_write(&mut theirs, b"third");
    assert_eq!(handshake_read(&mut twin, &three), b"third");
    let (payload, ours) = ours.read_three(&three).unwrap();
    assert_eq!(payload, b"third");
    finished(ours, theirs, twin)
}

fn finished(ours: Transport, theirs: snow::HandshakeState, twin: snow::HandshakeState) -> Session {
    assert_eq!(ours.handshake_hash, theirs.get_handshake_hash());
    assert_eq!(ours.handshake_hash, twin.get_handshake_hash());
    let [theirs, twin] = [theirs, twin].map(|state| state.into_transport_mode().unwrap());
    Session { ours, theirs, twin }
}

/// What the two sides say before they shake hands.
fn hellos() -> (ClientHello, ServerHello) {
    let client = ClientHello::offering(&Suite::ALL);
    let server = ServerHello::answering(&client, &Suite::ALL);
    (client, server)
}

fn snow_builder<'k>(key: &'k [u8; 32], ephemeral: &'k [u8; 32], prologue: &'k [u8]) -> snow::Builder<'k> {
    snow::Builder::new("Noise_XX_25519_AESGCM_SHA256".parse().unwrap())
        .local_private_key(key)
        .unwrap()
        .fixed_ephemeral_key_for_testing_only(ephemeral)
        .prologue(prologue)
        .unwrap()
}

fn handshake_write(state: &mut snow::HandshakeState, payload: &[u8]) -> Vec<u8> {
    filled(|buffer| state.write_message(payload, buffer))
}

fn handshake_read(state: &mut snow::HandshakeState, message: &[u8]) -> Vec<u8> {
    filled(|buffer| state.read_message(message, buffer))
}

fn transport_write(state: &mut snow::TransportState, plaintext: &[u8]) -> Vec<u8> {
    filled(|buffer| state.write_message(plaintext, buffer))
}

fn transport_read(state: &mut snow::TransportState, message: &[u8]) -> Vec<u8> {
    filled(|buffer| state.read_message(message, buffer))
}

fn filled(fill: impl FnOnce(&mut [u8]) -> Result<usize, snow::Error>) -> Vec<u8> {
    let mut buffer = vec![0; FRAME_BYTES_MAX];
    let length = fill(&mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}

/// A Noise message that holds `parts`, without the length before it.
fn seal(sealer: &mut Sealer, parts: &[&[u8]]) -> Vec<u8> {
    let mut frame = Vec::new();
    sealer.seal(parts.iter().copied(), &mut frame).unwrap();
    content(&frame)
}

fn content(frame: &[u8]) -> Vec<u8> {
    let mut frames = FrameReader::default();
    frames.feed(frame);
    frames.next_frame().unwrap().to_vec()
}

/// Both ends of a connection; whoever waits for ever fails.
fn stream_pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    for end in [&near, &far] {
        end.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    }
    (near, far)
}

/// Sends two records back as they came, as a peer would whose code is none of ours.
fn echo_twice(mut snow: snow::TransportState, stream: &mut UnixStream) {
    for _ in 0..2 {
        let plaintext = transport_read(&mut snow, &read_frame(stream));
        write_frame(stream, &transport_write(&mut snow, &plaintext));
    }
}

fn read_frame(stream: &mut UnixStream) -> Vec<u8> {
    let mut header = [0; 2];
    stream.read_exact(&mut header).unwrap();
    let mut message = vec![0; u16::from_be_bytes(header).into()];
    stream.read_exact(&mut message).unwrap();
    message
}

fn write_frame(stream: &mut UnixStream, message: &[u8]) {
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length, message].concat()).unwrap();
}

/// Gives the same 32 bytes each time, for an ephemeral key that is known.
struct Fixed([u8; 32]);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are made of bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are made of bytes")
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.copy_from_slice(&self.0);
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}
