//! An attacker on the wire between a client and a server, who sees where each frame begins and ends, and can do as he
//! likes with it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use chat::link::Link;

use crate::support::PATIENCE;

/// What goes by: of the connection with this number (from 0), in this direction, the unit with this number. Unit 0 is the
/// hello; every other one is a frame with its length. A client's units 1 and 2, and a server's unit 1, are those of the
/// handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    pub connection: usize,
    pub is_from_client: bool,
    pub number: usize,
}

/// Gives what the other side gets instead, or nothing to cut the connection there.
pub type Attack = dyn Fn(Unit, Vec<u8>) -> Option<Vec<u8>> + Send + Sync;

/// Listens on a port of its own, and passes on to a server what it does not change.
pub struct Wiretap {
    address: SocketAddr,
}

impl Wiretap {
    /// Before the server at this address. It listens until the test ends.
    pub fn before(
        server: SocketAddr,
        attack: impl Fn(Unit, Vec<u8>) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let attack: Arc<Attack> = Arc::new(attack);
        thread::spawn(move || {
            for (connection, client) in listener.incoming().enumerate() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else { continue };
                for is_from_client in [true, false] {
                    let (client, server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                    let (from, to) = if is_from_client { (client, server) } else { (server, client) };
                    let attack = Arc::clone(&attack);
                    thread::spawn(move || pass_on(from, to, connection, is_from_client, &*attack));
                }
            }
        });
        Self { address }
    }

    /// The link to the server behind it, as its owner would have it: with the key that the server has.
    pub fn link_to(&self, server: &Link) -> String {
        Link { port: self.address.port(), ..server.clone() }.to_string()
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, connection: usize, is_from_client: bool, attack: &Attack) {
    from.set_read_timeout(Some(PATIENCE)).unwrap();
    to.set_nodelay(true).unwrap();
    let mut number = 0;
    while let Some(bytes) = read_unit(&mut from, is_from_client, number) {
        let unit = Unit { connection, is_from_client, number };
        let Some(instead) = attack(unit, bytes) else { break };
        if to.write_all(&instead).is_err() {
            break;
        }
        number += 1;
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn read_unit(from: &mut TcpStream, is_from_client: bool, number: usize) -> Option<Vec<u8>> {
    let mut unit = vec![0; if number == 0 { 6 } else { 2 }];
    from.read_exact(&mut unit).ok()?;
    let rest = match (number, is_from_client) {
        (0, true) => unit[5].into(),
        (0, false) => 0,
        _ => u16::from_be_bytes([unit[0], unit[1]]).into(),
    };
    let start = unit.len();
    unit.resize(start + rest, 0);
    from.read_exact(&mut unit[start..]).ok()?;
    Some(unit)
}
