//! Attacks on the secure channel, through its public API only: whoever sits on the wire changes, cuts, repeats,
//! reorders, reflects and invents what the two ends read.
#![cfg(test)]

mod any_bytes;
mod downgrade;
mod handshake;
mod hellos;
mod key_updates;
mod peers;
mod records;
mod sessions;

use std::io::{self, Cursor, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use chat::channel::{
    ChannelError, ClientHello, Initiator, InitiatorSentOne, Opener, Record, Responder, ResponderSentTwo,
    Sealer, ServerHello, StaticKey, Suite, Transport,
};
use rand::rngs::SysRng;

/// What `connect` says, and what `accept` answers to it.
const CLIENT_HELLO: &[u8] = b"CHAT\x01\x02\x02\x01";
const SERVER_HELLO: &[u8] = b"CHAT\x01\x02";

/// What is said by and to a client that knows no other suite than the classical one.
const CLASSICAL_CLIENT_HELLO: &[u8] = b"CHAT\x01\x01\x01";
const CLASSICAL_SERVER_HELLO: &[u8] = b"CHAT\x01\x01";

/// The length before each Noise message, the tag in it, the key `e` that begins the first two of a handshake, and what
/// follows it in the hybrid suite: the encapsulation key in clear, then the ciphertext, sealed.
const HEADER_BYTES: usize = 2;
const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
const KEM_KEY_BYTES: usize = 1184;
const KEM_CIPHERTEXT_BYTES: usize = 1088;

/// Two people's keys, and the steps of their handshakes, each of which has new ephemeral keys. The messages carry
/// payloads, so that every byte that a message can have is there to be attacked.
struct Parties {
    suite: Suite,
    client: StaticKey,
    server: StaticKey,
}

impl Parties {
    fn of(suite: Suite) -> Self {
        let (client, server) = (StaticKey::from_bytes(&[0x11; 32]), StaticKey::from_bytes(&[0x33; 32]));
        Self { suite, client, server }
    }

    /// Two for each suite, the hybrid one first.
    fn of_each_suite() -> [Self; 2] {
        Suite::ALL.map(Self::of)
    }

    /// What the two sides say first: the client offers what it has, down to the suite that is to be chosen.
    fn hellos(&self) -> (ClientHello, ServerHello) {
        let (offer, client_bytes, server_bytes) = match self.suite {
            Suite::Hybrid => (Suite::ALL.as_slice(), CLIENT_HELLO, SERVER_HELLO),
            Suite::Classical => (&[Suite::Classical][..], CLASSICAL_CLIENT_HELLO, CLASSICAL_SERVER_HELLO),
        };
        let client = ClientHello::offering(offer);
        let server = ServerHello::answering(&client, &Suite::ALL);
        assert_eq!(client.as_bytes(), client_bytes);
        assert_eq!(server.to_bytes(), server_bytes);
        (client, server)
    }

    /// The same in bytes.
    fn hello_bytes(&self) -> (Vec<u8>, [u8; 6]) {
        let (client, server) = self.hellos();
        (client.as_bytes().to_vec(), server.to_bytes())
    }

    /// The bytes of the three messages without payloads.
    fn sizes(&self) -> [usize; 3] {
        match self.suite {
            Suite::Hybrid => [1216, 1200, 64],
            Suite::Classical => [32, 96, 64],
        }
    }

    fn initiator(&self) -> Initiator<'_> {
        let (client_hello, server_hello) = self.hellos();
        Initiator::new(&client_hello, server_hello, &self.client).unwrap()
    }

    fn responder(&self) -> Responder<'_> {
        self.responder_with(&self.server)
    }

    /// A server that holds another key.
    fn responder_with<'k>(&self, key: &'k StaticKey) -> Responder<'k> {
        let (client_hello, server_hello) = self.hellos();
        Responder::new(&client_hello, server_hello, key).unwrap()
    }

    /// The client's first message, and the client that waits for an answer.
    fn one(&self) -> (Vec<u8>, InitiatorSentOne<'_>) {
        self.initiator().write_one(&mut SysRng, b"payload one").unwrap()
    }

    /// The answer to a first message, and the server that waits for the third.
    fn two(&self, one: &[u8]) -> (Vec<u8>, ResponderSentTwo<'_>) {
        self.try_two(one).unwrap()
    }

    /// The same for a message that may not be one.
    fn try_two(&self, one: &[u8]) -> Result<(Vec<u8>, ResponderSentTwo<'_>), ChannelError> {
        let (_, server) = self.responder().read_one(one)?;
        server.write_two(&mut SysRng, b"payload two")
    }

    /// A client's third message, its end of the session, and the server that has not yet read the message.
    fn three(&self) -> (Vec<u8>, Transport, ResponderSentTwo<'_>) {
        let (one, client) = self.one();
        let (two, server) = self.two(&one);
        let (_, client) = client.read_two(&two).unwrap();
        let (three, client) = client.write_three(b"payload three").unwrap();
        (three, client, server)
    }

    /// Both ends of a session: the client's, then the server's.
    fn session(&self) -> (Transport, Transport) {
        let (three, client, server) = self.three();
        let (_, server) = server.read_three(&three).unwrap();
        (client, server)
    }
}

/// A session of each suite: the client's end, then the server's.
fn sessions() -> [(Transport, Transport); 2] {
    Parties::of_each_suite().map(|parties| parties.session())
}

/// The content of a frame that holds `content`: a Noise message.
fn seal(sealer: &mut Sealer, content: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    sealer.seal([content], &mut frame).unwrap();
    frame.split_off(HEADER_BYTES)
}

fn opens(opener: &mut Opener, sealed: &[u8], content: &[u8]) {
    assert_eq!(opener.open(&mut sealed.to_vec()).unwrap(), Record::Messages(content));
}

fn refuses(opener: &mut Opener, sealed: &[u8]) {
    let length = sealed.len();
    match opener.open(&mut sealed.to_vec()) {
        Err(ChannelError::BadLength) => assert!(length < TAG_BYTES, "{length} bytes have room for a tag"),
        Err(ChannelError::NotAuthentic) => {}
        other => panic!("a false frame of {length} bytes gave {other:?}"),
    }
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
