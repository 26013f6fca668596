//! Attacks by name, in the handshake and before anyone has logged in, by someone who knows the protocol well: there is no
//! session, and the server is as it was before. (`hostile_peer.rs` has those that take no cryptography,
//! `hostile_network.rs` those by someone between a client and the server.)
#![cfg(test)]

mod support;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use chat::channel::{self, ChannelError, ClientHello, Initiator, PublicKey, ServerHello, StaticKey, Suite};
use chat::wire::{self, ClientMessage, Code, ServerMessage};
use rand::rngs::SysRng;
use support::{Heard, PASSWORD, Peer, ServerProcess, Siege, secret};

/// Points whose every shared secret is zero (RFC 7748, section 6.1; the list is that of the author of the curve), also
/// with the bit set that is not looked at.
fn low_order_points() -> Vec<[u8; 32]> {
    let p = |last: u8| {
        let mut point = [0xff; 32];
        (point[0], point[31]) = (last, 0x7f);
        point
    };
    let small = |first: u8| {
        let mut point = [0; 32];
        point[0] = first;
        point
    };
    let mut points = vec![small(0), small(1), p(0xec), p(0xed), p(0xee)];
    for text in [
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ] {
        let digits = |place: usize| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).unwrap();
        points.push(std::array::from_fn(digits));
    }
    let with_high_bit = points.iter().map(|point| {
        let mut point = *point;
        point[31] |= 0x80;
        point
    });
    with_high_bit.collect::<Vec<_>>().into_iter().chain(points).collect()
}

/// A hello that offers this suite alone, and a bare socket on which it was accepted.
fn greeted(server: &ServerProcess, suite: Suite) -> (TcpStream, ClientHello, ServerHello) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
    let ours = ClientHello::offering(&[suite]);
    stream.write_all(ours.as_bytes()).unwrap();
    let mut theirs = [0; 6];
    stream.read_exact(&mut theirs).unwrap();
    let theirs = ServerHello::from_bytes(theirs).unwrap();
    assert_eq!(theirs.suite(&ours).unwrap(), suite);
    (stream, ours, theirs)
}

fn send_frame(stream: &mut TcpStream, message: &[u8]) {
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    let _ = stream.write_all(&[&length, message].concat()); // it may be closed before the last byte
}

fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message).unwrap();
    message
}

/// The server says nothing more, and closes.
#[track_caller]
fn assert_closed_without_a_word(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "the server does not close"),
    }
    assert_eq!(rest, b"");
}

/// The bytes after the public key that a first message of this suite has.
fn rest_of_one(suite: Suite) -> Vec<u8> {
    let ours = StaticKey::generate(&mut SysRng).unwrap();
    let hello = ClientHello::offering(&[suite]);
    let answer = ServerHello::answering(&hello, &[suite]);
    let (one, _) = Initiator::new(&hello, answer, &ours).unwrap().write_one(&mut SysRng, &[]).unwrap();
    one[32..].to_vec()
}

#[test]
fn low_order_point() {
    Siege::of(&[], |server| {
        for suite in Suite::ALL {
            for point in low_order_points() {
                let (mut stream, ..) = greeted(server, suite);
                send_frame(&mut stream, &[&point, rest_of_one(suite).as_slice()].concat());
                assert_closed_without_a_word(&mut stream);
            }
        }
    });
}

/// The shared secrets of the first two messages are had by anyone; without a static key that is one's own they open nothing.
#[test]
fn unauthenticated_dh_refused() {
    Siege::of(&[], |server| {
        for suite in Suite::ALL {
            for three in [Vec::new(), vec![0; 16], vec![0; 48], vec![0; 64], vec![7; 64], vec![0; 4096]] {
                let (mut stream, ours, theirs) = greeted(server, suite);
                let key = StaticKey::generate(&mut SysRng).unwrap();
                let initiator = Initiator::new(&ours, theirs, &key).unwrap();
                let (one, sent) = initiator.write_one(&mut SysRng, &[]).unwrap();
                send_frame(&mut stream, &one);
                let (_, verifies) = sent.read_two(&read_frame(&mut stream)).unwrap();
                assert_eq!(Some(verifies.server_key()), server.link().server_key);
                send_frame(&mut stream, &three);
                assert_closed_without_a_word(&mut stream);
            }
        }
    });
}

#[test]
fn replayed_first_message() {
    Siege::of(&[], |server| {
        for suite in Suite::ALL {
            let key = StaticKey::generate(&mut SysRng).unwrap();
            let (mut stream, ours, theirs) = greeted(server, suite);
            let (one, sent) =
                Initiator::new(&ours, theirs, &key).unwrap().write_one(&mut SysRng, &[]).unwrap();
            send_frame(&mut stream, &one);
            let first = read_frame(&mut stream);
            let (_, verifies) = sent.read_two(&first).unwrap();
            let (three, _) = verifies.write_three(&[]).unwrap();
            send_frame(&mut stream, &three);
            for _ in 0..20 {
                // The server answers anew each time, and what was right for the first answer is not for this one.
                let (mut again, ..) = greeted(server, suite);
                send_frame(&mut again, &one);
                assert_ne!(read_frame(&mut again), first);
                send_frame(&mut again, &three);
                assert_closed_without_a_word(&mut again);
            }
        }
    });
}

/// The server's own public key stands where the client's ephemeral one should.
#[test]
fn own_key_reflected() {
    Siege::of(&[], |server| {
        let key = *server.link().server_key.unwrap().as_bytes();
        for suite in Suite::ALL {
            let (mut stream, ..) = greeted(server, suite);
            send_frame(&mut stream, &[&key, rest_of_one(suite).as_slice()].concat());
            // The answer is for whoever has the server's secret key.
            let two = read_frame(&mut stream);
            send_frame(&mut stream, &two);
            assert_closed_without_a_word(&mut stream);
        }
    });
}

#[test]
fn encapsulation_key_that_is_none() {
    Siege::of(&[], |server| {
        for byte in [0xff, 0x0d] {
            let (mut stream, ..) = greeted(server, Suite::Hybrid);
            send_frame(&mut stream, &[&[9; 32], [byte; 1184].as_slice()].concat());
            if byte == 0xff {
                assert_closed_without_a_word(&mut stream); // a coefficient past the modulus
            }
        }
    });
}

#[test]
fn record_before_handshake() {
    Siege::of(&[], |server| {
        let login =
            wire::encode(&ClientMessage::LogIn { name: "witness".into(), password: secret(PASSWORD) });
        for suite in Suite::ALL {
            let (mut stream, ..) = greeted(server, suite);
            send_frame(&mut stream, &[&[0], login.as_slice()].concat());
            let _ = stream.shutdown(Shutdown::Write);
            // As long as it is not 32 bytes, it is no first message; and if it is, no third one follows.
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            assert!(rest.is_empty() || rest.len() == 98, "{rest:?}");
        }
        assert_eq!(server.log().matches("logged in").count(), 2, "{}", server.log());
    });
}

#[test]
fn huge_hello_suite_list() {
    Siege::of(&[], |server| {
        for count in [0_u8, 17, 0xff] {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
            let _ = stream.write_all(&[b"CHAT\x01", [count].as_slice(), &vec![2; count.into()]].concat());
            assert_closed_without_a_word(&mut stream);
        }
        // As many as there may be, of which one is known.
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let offer = [b"CHAT\x01\x10".as_slice(), &[0x70; 15], &[1]].concat();
        stream.write_all(&offer).unwrap();
        let mut answer = [0; 6];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *b"CHAT\x01\x01");
    });
}

/// A hundred peers announce as much as can be announced, in the handshake and after it, and send nothing of it.
#[test]
fn length_bomb() {
    Siege::of(&["login-seconds=2"], |server| {
        for suite in Suite::ALL {
            let (mut stream, ..) = greeted(server, suite);
            stream.write_all(&[0xff, 0xff]).unwrap();
            assert_closed_without_a_word(&mut stream); // at once, before more has come
        }
        let before = server.resident_kib();
        let mut strangers: Vec<_> = (0..100).map(|_| Peer::connect(server.link())).collect();
        for stranger in &mut strangers {
            stranger.stream.write_all(&[0xff, 0xff]).unwrap();
        }
        let grown = server.resident_kib().saturating_sub(before);
        assert!(grown < 100 * 100, "{grown} KiB for a hundred announcements");
        for stranger in &mut strangers {
            assert_eq!(stranger.hear_out().1, Heard::Goodbye);
        }
    });
}

/// A byte of a record each time that nothing has come for a moment: there is a time for the login, however it is spent.
#[test]
fn slowloris_record() {
    Siege::of(&["login-seconds=1"], |server| {
        let mut stranger = Peer::connect(server.link());
        stranger.stream.write_all(&[0xff, 0xff]).unwrap();
        stranger.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let is_over = (0..0xffff).any(|_| {
            let written = stranger.stream.write_all(b".");
            let read = stranger.stream.read(&mut [0; 256]);
            written.is_err()
                || matches!(read, Ok(0))
                || read.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset)
        });
        assert!(is_over, "65,535 bytes, 20 ms for each, and it still waits");
    });
}

/// Deep nesting, endless strings and giant lengths, from somebody who has not logged in.
#[test]
fn cbor_bombs() {
    let deep = |open: &[u8]| [open.repeat(60_000 / open.len()), vec![0]].concat();
    let bombs: Vec<Vec<u8>> = vec![
        deep(&[0x81]),
        deep(&[0x9f]),
        deep(&[0xa1, 0]),
        deep(&[0xbf, 0]),
        deep(&[0xd8, 0x20]),
        vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        vec![0x7b, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, b'x'],
        vec![0x82, 0x01, 0xa2, 0x00, 0x7a, 0xff, 0xff, 0xff, 0xff],
        [vec![0x82, 0x01, 0xbf, 0x00, 0x7f], [0x61, b'a'].repeat(20_000), vec![0xff, 0xff]].concat(),
        [vec![0x5f], [0x40].repeat(60_000), vec![0xff]].concat(),
        vec![0xff],
        [0].repeat(60_000),
    ];
    Siege::of(&[], |server| {
        for bomb in &bombs {
            let mut stranger = Peer::connect(server.link());
            let _ = stranger.send_content(bomb);
            let _ = stranger.try_send(&ClientMessage::Ping {});
            // It is told that this is nothing, and may go on, or not.
            loop {
                match stranger.hear() {
                    Heard::Message(
                        ServerMessage::Refused { code: Code::Malformed | Code::UnknownKind, .. }
                        | ServerMessage::Closing { code: Code::NotCbor, .. },
                    ) => {}
                    // Its answers were more than are held, so the last one may be lost too.
                    Heard::Message(ServerMessage::Lagged {}) => stranger.send(&ClientMessage::Ping {}),
                    Heard::Message(ServerMessage::Pong {}) | Heard::Goodbye => break,
                    other => panic!("{other:?} to {:x?}", &bomb[..bomb.len().min(12)]),
                }
            }
        }
    });
}

/// Small questions with small answers, and nobody who reads them: each answer takes more memory than its bytes.
#[test]
fn questions_without_end_and_nobody_who_reads() {
    Siege::of(&["login-seconds=10"], |server| {
        let pings = wire::encode(&ClientMessage::Ping {}).repeat(20_000);
        let before = server.resident_kib();
        let mut deaf: Vec<_> = (0..20).map(|_| Peer::connect(server.link())).collect();
        for _ in 0..60 {
            for peer in &mut deaf {
                peer.stream.set_nonblocking(true).unwrap();
                let _ = peer.send_content(&pings);
            }
        }
        let grown = server.resident_kib().saturating_sub(before);
        assert!(grown < 64 * 1024, "{grown} KiB are held for 20 peers who do not read");
    });
}

/// A stream that changes one bit of what is sent.
struct Flipping {
    stream: TcpStream,
    /// The byte that is changed, of all that are sent.
    place: usize,
    sent: usize,
}

impl Read for Flipping {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.stream.read(to)
    }
}

impl Write for Flipping {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let mut bytes = from.to_vec();
        if let Some(byte) = self.place.checked_sub(self.sent).and_then(|place| bytes.get_mut(place)) {
            *byte ^= 1 << (self.place % 8);
        }
        self.sent += bytes.len();
        self.stream.write_all(&bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[test]
fn bit_flips_in_every_handshake_byte() {
    let key = StaticKey::generate(&mut SysRng).unwrap();
    Siege::of(&["handshake-seconds=1"], |server| {
        for (suites, hello_and_frames) in
            [(Suite::ALL.as_slice(), 8 + 2 + 1216 + 2 + 64), (&[Suite::Classical], 7 + 2 + 32 + 2 + 64)]
        {
            for place in 0..hello_and_frames {
                let stream = TcpStream::connect(server.address()).unwrap();
                stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
                let mut flipping = Flipping { stream, place, sent: 0 };
                let verify = |_: PublicKey, _: &[u8]| Ok::<(), ChannelError>(());
                let Ok(established) = channel::connect_with(&mut flipping, &key, suites, verify) else {
                    continue; // the server closed, or its answer is not for what was sent
                };
                // The last message is not answered: what shows that it was refused is that no welcome comes.
                let mut incoming = established.incoming;
                assert!(
                    incoming.feed_from(&mut flipping).is_err(),
                    "byte {place} of {suites:?} can be changed"
                );
            }
        }
        assert_eq!(
            server.log().matches("handshake done").count(),
            2,
            "those of the witness and the resident"
        );
    });
}
