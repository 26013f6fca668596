//! That the channel is Noise as others read it: handshakes, records and key updates with `snow`, in both roles and both
//! suites, byte for byte. The published vectors, which need a prologue and transport messages of their own, are in
//! `src/channel/vectors.rs`.
#![cfg(test)]

#[path = "../support/draws.rs"]
mod draws;
mod handshakes;
mod key_updates;
mod records;
mod snow_peer;
mod streams;

use chat::channel::{ClientHello, FrameReader, Initiator, Responder, Sealer, ServerHello, Suite, Transport};

use draws::Draws;
use snow_peer::{Secrets, handshake_read, handshake_write};

const CLIENT: Secrets = Secrets { key: [0x11; 32], random: 0x22 };
const SERVER: Secrets = Secrets { key: [0x33; 32], random: 0x44 };

const TYPE_MESSAGES: u8 = 0;
const TYPE_GOODBYE: u8 = 1;
const TYPE_KEY_UPDATE: u8 = 2;

/// A finished handshake of ours with snow.
struct Session {
    ours: Transport,
    theirs: snow::TransportState,
    /// A snow that stands where we stand, with our keys: what it writes is what we must write.
    twin: snow::TransportState,
}

/// One of each suite and role.
fn sessions() -> impl Iterator<Item = Session> {
    Suite::ALL.into_iter().flat_map(|suite| [our_client(suite), our_server(suite)])
}

fn our_client(suite: Suite) -> Session {
    let (key, (client_hello, server_hello)) = (CLIENT.static_key(), hellos(suite));
    let mut theirs = SERVER.snow_responder(suite, &prologue(suite));
    let mut twin = CLIENT.snow_initiator(suite, &prologue(suite));

    let ours = Initiator::new(&client_hello, server_hello, &key).unwrap();
    let (one, ours) = ours.write_one(&mut Draws(|to: &mut [u8]| to.fill(CLIENT.random)), b"first").unwrap();
    assert_eq!(one, handshake_write(&mut twin, b"first"));
    assert_eq!(handshake_read(&mut theirs, &one), b"first");

    let two = handshake_write(&mut theirs, b"second");
    assert_eq!(handshake_read(&mut twin, &two), b"second");
    let (payload, ours) = ours.read_two(&two).unwrap();
    assert_eq!(payload, b"second");
    assert_eq!(ours.server_key(), SERVER.static_key().public());

    let (three, ours) = ours.write_three(b"third").unwrap();
    assert_eq!(three, handshake_write(&mut twin, b"third"));
    assert_eq!(handshake_read(&mut theirs, &three), b"third");
    finished(ours, theirs, twin)
}

fn our_server(suite: Suite) -> Session {
    let (key, (client_hello, server_hello)) = (SERVER.static_key(), hellos(suite));
    let mut theirs = CLIENT.snow_initiator(suite, &prologue(suite));
    let mut twin = SERVER.snow_responder(suite, &prologue(suite));

    let ours = Responder::new(&client_hello, server_hello, &key).unwrap();
    let one = handshake_write(&mut theirs, b"first");
    assert_eq!(handshake_read(&mut twin, &one), b"first");
    let (payload, ours) = ours.read_one(&one).unwrap();
    assert_eq!(payload, b"first");

    let (two, ours) = ours.write_two(&mut Draws(|to: &mut [u8]| to.fill(SERVER.random)), b"second").unwrap();
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

/// What the two sides say before they shake hands, when the client has no more than this suite.
fn hellos(suite: Suite) -> (ClientHello, ServerHello) {
    let client = ClientHello::offering(&[suite]);
    let server = ServerHello::answering(&client, &Suite::ALL);
    (client, server)
}

/// The same two hellos, one after the other, as whoever reads the protocol would write them by hand.
fn prologue(suite: Suite) -> Vec<u8> {
    [client_hello(suite), server_hello(suite)].concat()
}

fn client_hello(suite: Suite) -> &'static [u8] {
    match suite {
        Suite::Hybrid => b"CHAT\x01\x01\x02",
        Suite::Classical => b"CHAT\x01\x01\x01",
    }
}

fn server_hello(suite: Suite) -> &'static [u8] {
    match suite {
        Suite::Hybrid => b"CHAT\x01\x02",
        Suite::Classical => b"CHAT\x01\x01",
    }
}

/// A Noise message that holds `parts`, without the length before it.
fn seal(sealer: &mut Sealer, parts: &[&[u8]]) -> Vec<u8> {
    let mut frame = Vec::new();
    sealer.seal(parts.iter().copied(), &mut frame).unwrap();
    let [message] = messages(&frame).try_into().unwrap();
    message
}

/// The Noise messages of some frames.
fn messages(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = FrameReader::default();
    frames.feed(stream);
    let mut messages = Vec::new();
    while let Some(message) = frames.next_frame() {
        messages.push(message.to_vec());
    }
    messages
}
