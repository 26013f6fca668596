//! The readers of the handshake: whatever takes the place of a message, only the genuine one is taken for it.
//!
//! The first byte chooses what is attacked: the messages one, two and three of the hybrid suite (`0`, `2`, `4`) and of
//! the classical one (`1`, `3`, `5`), a server (`6`) or a client (`7`) with everything that its peer says. What follows
//! the second byte, which sets in how large pieces a peer's bytes come, takes the place of the genuine bytes.

use std::io::{self, Read, Write};

use chat::channel::{ChannelError, Suite, accept, connect};

use super::peers::{Draws, PAYLOADS, Peers};

/// The longest hello, then two messages of a handshake with their lengths.
const READ_BYTES_MAX: usize = 22 + 2 * (2 + 4096);

/// Whether a message was accepted, or a peer was answered with a message of the handshake.
pub fn run(bytes: &[u8]) -> bool {
    let Some((&[target, piece], said)) = bytes.split_first_chunk() else { return false };
    let peers = Peers::of(if target % 2 == 0 { Suite::Hybrid } else { Suite::Classical });
    match target % 8 {
        0 | 1 => message_one(peers, said),
        2 | 3 => message_two(peers, said),
        4 | 5 => message_three(peers, said),
        6 => server(said, piece),
        _ => client(said, piece),
    }
}

/// Anyone may send a message one; but the client who sent another one does not take the answer to it for its own.
fn message_one(peers: &Peers, said: &[u8]) -> bool {
    let (genuine, client) = peers.client_after_one();
    let fixed = genuine.len() - PAYLOADS[0].len();
    let (payload, server) = match peers.server().read_one(said) {
        Ok(read) => read,
        Err(error) => {
            assert!(matches!(error, ChannelError::BadLength) && said.len() < fixed, "{error}");
            return false;
        }
    };
    assert_eq!(payload, said[fixed..]);
    match server.write_two(&mut Draws::of_server(), PAYLOADS[1]) {
        Ok((two, _)) => assert_eq!(client.read_two(&two).is_ok(), said == genuine),
        Err(error) => {
            assert!(matches!(error, ChannelError::LowOrderPoint | ChannelError::BadKemKey), "{error}");
            assert_ne!(said, genuine);
        }
    }
    said == genuine
}

fn message_two(peers: &Peers, said: &[u8]) -> bool {
    let (_, client) = peers.client_after_one();
    match client.read_two(said) {
        Ok((payload, client)) => {
            assert_eq!((said, payload.as_slice()), (peers.messages[1].as_slice(), PAYLOADS[1]));
            assert_eq!(client.server_key(), peers.server.public());
            let (three, client) = client.write_three(PAYLOADS[2]).unwrap();
            assert_eq!((three, client.handshake_hash), (peers.messages[2].clone(), peers.handshake_hash));
            true
        }
        Err(error) => {
            assert_refused(&error, said, &peers.messages[1]);
            false
        }
    }
}

fn message_three(peers: &Peers, said: &[u8]) -> bool {
    match peers.server_after_two().read_three(said) {
        Ok((payload, server)) => {
            assert_eq!((said, payload.as_slice()), (peers.messages[2].as_slice(), PAYLOADS[2]));
            assert_eq!(server.peer, peers.client.public());
            assert_eq!(server.handshake_hash, peers.handshake_hash);
            true
        }
        Err(error) => {
            assert_refused(&error, said, &peers.messages[2]);
            false
        }
    }
}

fn assert_refused(error: &ChannelError, said: &[u8], genuine: &[u8]) {
    let expected =
        matches!(error, ChannelError::BadLength | ChannelError::NotAuthentic | ChannelError::LowOrderPoint);
    assert!(expected && said != genuine, "{error}");
}

/// Nobody gets in with bytes that were there before the server drew its key.
fn server(said: &[u8], piece: u8) -> bool {
    let ours = &Peers::of(Suite::Classical).server;
    let attempt = |piece| {
        let mut peer = Peer::that_says(said, piece);
        let error = accept(&mut peer, ours).err().expect("a handshake without a partner");
        assert!(peer.read <= READ_BYTES_MAX);
        (std::mem::discriminant(&error), peer.told.len())
    };
    let (whole, cut) = (attempt(usize::MAX), attempt(usize::from(piece) + 1));
    assert_eq!(whole, cut, "it depends on how the bytes come");
    cut.1 > 6 // more than a hello
}

/// No server proves its key with bytes that were there before the client drew its own.
fn client(said: &[u8], piece: u8) -> bool {
    let ours = &Peers::of(Suite::Classical).client;
    let attempt = |piece| {
        let mut peer = Peer::that_says(said, piece);
        let verify = |_| -> Result<(), ChannelError> { panic!("a server has proved a key that it has not") };
        let error = connect(&mut peer, ours, verify).err().expect("a handshake without a partner");
        assert!(peer.read <= READ_BYTES_MAX);
        (std::mem::discriminant(&error), peer.told.len())
    };
    let (whole, cut) = (attempt(usize::MAX), attempt(usize::from(piece) + 1));
    assert_eq!(whole, cut, "it depends on how the bytes come");
    cut.1 > 8
}

/// Says its bytes whatever it is told, in pieces, and then nothing.
struct Peer<'s> {
    rest: &'s [u8],
    piece: usize,
    read: usize,
    told: Vec<u8>,
}

impl<'s> Peer<'s> {
    fn that_says(said: &'s [u8], piece: usize) -> Self {
        Self { rest: said, piece, read: 0, told: Vec::new() }
    }
}

impl Read for Peer<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let length = to.len().min(self.piece);
        let count = self.rest.read(&mut to[..length])?;
        self.read += count;
        Ok(count)
    }
}

impl Write for Peer<'_> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.told.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
