//! Attacks on the secure channel, through its public API only: whoever sits on the wire changes, cuts, repeats,
//! reorders, reflects and invents what the two ends read.
#![cfg(test)]

mod any_bytes;
mod handshake;
mod hellos;
mod peers;
mod records;
mod sessions;

use std::io::{self, Cursor, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use chat::channel::{
    ClientHello, Initiator, InitiatorSentOne, Responder, ResponderSentTwo, ServerHello, StaticKey, Suite,
    Transport,
};
use rand::rngs::SysRng;

/// What both hellos say when all is well.
const CLIENT_HELLO: &[u8] = b"CHAT\x01\x01\x01";
const SERVER_HELLO: &[u8] = b"CHAT\x01\x01";

/// Two people's keys, and the steps of their handshakes, each of which has new ephemeral keys. The messages carry
/// payloads, so that every byte that a message can have is there to be attacked.
struct Parties {
    client: StaticKey,
    server: StaticKey,
}

impl Parties {
    fn new() -> Self {
        Self { client: StaticKey::from_bytes(&[0x11; 32]), server: StaticKey::from_bytes(&[0x33; 32]) }
    }

    /// The client's first message, and the client that waits for an answer.
    fn one(&self) -> (Vec<u8>, InitiatorSentOne<'_>) {
        let (client_hello, server_hello) = true_hellos();
        let client = Initiator::new(&client_hello, server_hello, &self.client).unwrap();
        client.write_one(&mut SysRng, b"payload one").unwrap()
    }

    /// The answer to a first message, and the server that waits for the third.
    fn two(&self, one: &[u8]) -> (Vec<u8>, ResponderSentTwo<'_>) {
        let (client_hello, server_hello) = true_hellos();
        let server = Responder::new(&client_hello, server_hello, &self.server).unwrap();
        let (_, server) = server.read_one(one).unwrap();
        server.write_two(&mut SysRng, b"payload two").unwrap()
    }

    /// A client's third message, its end of the session, and the server that has not yet read the message.
    fn three(&self) -> (Vec<u8>, Transport, ResponderSentTwo<'_>) {
        let (one, client) = self.one();
        let (two, server) = self.two(&one);
        let (_, client) = client.read_two(&two).unwrap();
        let (three, client) = client.write_three(b"payload three").unwrap();
        (three, client, server)
    }
}

fn true_hellos() -> (ClientHello, ServerHello) {
    let client = ClientHello::offering(&Suite::ALL);
    let server = ServerHello::answering(&client, &Suite::ALL);
    assert_eq!(client.as_bytes(), CLIENT_HELLO);
    assert_eq!(server.to_bytes(), SERVER_HELLO);
    (client, server)
}

/// Both ends of a session: the client's, then the server's.
fn session() -> (Transport, Transport) {
    let parties = Parties::new();
    let (three, client, server) = parties.three();
    let (_, server) = server.read_three(&three).unwrap();
    (client, server)
}

/// `bytes` with one bit changed, for each of their bits.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| flipped(bytes, bit))
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[bit / 8] ^= 1 << (bit % 8);
    changed
}

/// Both ends of a connection; whoever waits for ever fails.
fn stream_pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    for end in [&near, &far] {
        end.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    }
    (near, far)
}

/// A peer that has said all of `says` and then closes, whatever it is told.
struct Peer {
    says: Cursor<Vec<u8>>,
    /// What it was told.
    told: Vec<u8>,
}

impl Peer {
    fn that_says(parts: &[&[u8]]) -> Self {
        Self { says: Cursor::new(parts.concat()), told: Vec::new() }
    }

    /// How many of its bytes were read.
    fn bytes_read(&self) -> usize {
        self.says.position().try_into().unwrap()
    }
}

impl Read for Peer {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.says.read(to)
    }
}

impl Write for Peer {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.told.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
