//! Attacks by name, before anyone has logged in: the server goes on serving others, and when the attackers are gone it
//! is as it was before: its threads, its memory, and no CPU. (`hostile_member.rs` has those from within.)
#![cfg(test)]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use chat::channel::ChannelError;
use chat::wire::{ClientMessage, Code, ServerMessage};
use support::{Heard, PASSWORD, Peer, ServerProcess, Siege, secret};

/// Reads until the server closes; a reset is an end too.
fn read_to_the_end(stream: &mut TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return bytes,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return bytes,
            Err(error) => panic!("the server does not close: {error}"),
        }
    }
}

/// Sends bytes on a bare socket, and reads until the server closes.
fn send_bare(server: &ServerProcess, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let _ = stream.write_all(bytes); // it may be closed before the last byte
    read_to_the_end(&mut stream)
}

fn assert_closing(peer: &mut Peer, wanted: Code) {
    let (last, end) = peer.hear_out();
    assert!(matches!(last.last(), Some(ServerMessage::Closing { code, .. }) if *code == wanted), "{last:?}");
    assert_eq!(end, Heard::Goodbye);
}

#[test]
fn connect_and_close() {
    Siege::of(&[], |server| {
        for _ in 0..300 {
            drop(TcpStream::connect(server.address()).unwrap());
        }
    });
}

#[test]
fn connect_and_reset() {
    Siege::of(&[], |server| {
        for _ in 0..300 {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            stream.write_all(b"CHAT\x01").unwrap();
            rustix::net::sockopt::set_socket_linger(&stream, Some(std::time::Duration::ZERO)).unwrap();
        }
    });
}

#[test]
fn half_open_handshake() {
    Siege::of(&["handshake-seconds=1"], |server| {
        let mut silent: Vec<_> = (0..20).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
        for (sent, stream) in silent.iter_mut().enumerate() {
            stream.write_all(&b"CHAT\x01\x01\x01\x00\x20"[..sent % 9]).unwrap();
        }
        for stream in &mut silent {
            read_to_the_end(stream);
        }
    });
}

#[test]
fn half_closed_handshake() {
    Siege::of(&[], |server| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(b"CHAT\x01\x01\x01").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_the_end(&mut stream), b"CHAT\x01\x01");
    });
}

#[test]
fn slowloris_handshake() {
    Siege::of(&["handshake-seconds=1"], |server| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(b"CHAT\x01\x01\x01\x0f\xff").unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
        // A byte each time that nothing has come for a moment: well within what the message may have, yet it ends.
        let closed = (0..0x0fff).any(|_| {
            let written = stream.write_all(b".");
            let read = stream.read(&mut [0; 64]);
            written.is_err()
                || matches!(read, Ok(0))
                || read.is_err_and(|e| e.kind() == ErrorKind::ConnectionReset)
        });
        assert!(closed, "4095 bytes, 20 ms for each, and it still waits");
    });
}

#[test]
fn noise_64k() {
    Siege::of(&[], |server| {
        let mut noise = vec![0; 65_536];
        for _ in 0..20 {
            rand::fill(noise.as_mut_slice());
            assert_eq!(send_bare(server, &noise), b"");
        }
    });
}

#[test]
fn noise_64k_after_a_good_hello() {
    Siege::of(&[], |server| {
        let mut bytes = vec![0; 65_536];
        for length in [0_u16, 1, 31, 32, 33, 4096, 4097, 65_535] {
            rand::fill(bytes.as_mut_slice());
            bytes[..7].copy_from_slice(b"CHAT\x01\x01\x01");
            bytes[7..9].copy_from_slice(&length.to_be_bytes());
            let answer = send_bare(server, &bytes);
            // Any 32 bytes are a first message; what follows can't be a third one.
            assert!(answer.is_empty() || answer.starts_with(b"CHAT\x01\x01"), "{answer:?}");
        }
    });
}

#[test]
fn http_request() {
    Siege::of(&[], |server| {
        assert_eq!(send_bare(server, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), b"");
        assert_eq!(send_bare(server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), b"");
        assert_eq!(send_bare(server, b"SSH-2.0-OpenSSH_9.9\r\n"), b"");
    });
}

#[test]
fn hello_without_a_suite_in_common() {
    Siege::of(&[], |server| assert_eq!(send_bare(server, b"CHAT\x01\x01\x63"), b"CHAT\x01\x00"));
}

#[test]
fn all_zero_key() {
    Siege::of(&[], |server| {
        let hello_and_key = [b"CHAT\x01\x01\x01\x00\x20".as_slice(), &[0; 32]].concat();
        assert_eq!(send_bare(server, &hello_and_key), b"CHAT\x01\x01");
    });
}

#[test]
fn say_before_login() {
    Siege::of(&[], |server| {
        let mut stranger = Peer::connect(server.link());
        let id = stranger.say("let me in");
        let refused = stranger.next();
        assert!(matches!(refused, ServerMessage::Refused { code: Code::NotNow, id: Some(i), .. } if i == id));
        stranger.send(&ClientMessage::Join { room: "#lobby".into(), after: None });
        assert!(matches!(stranger.next(), ServerMessage::Refused { code: Code::NotNow, id: None, .. }));
        stranger.send(&ClientMessage::Ping {});
        assert_eq!(stranger.next(), ServerMessage::Pong {});
    });
}

#[test]
fn login_that_never_comes() {
    Siege::of(&["login-seconds=1"], |server| {
        let mut strangers: Vec<_> = (0..10).map(|_| Peer::connect(server.link())).collect();
        for stranger in &mut strangers {
            assert_closing(stranger, Code::LoginTimeout);
        }
        let mut inside = Peer::logged_in(server.link(), "witness");
        inside.join(None);
        assert_closing(&mut Peer::connect(server.link()), Code::LoginTimeout);
        inside.send(&ClientMessage::Ping {});
        inside.wait_for(|message| *message == ServerMessage::Pong {});
    });
}

#[test]
fn login_that_is_put_off_by_pings() {
    Siege::of(&["login-seconds=1"], |server| {
        let mut stranger = Peer::connect(server.link());
        loop {
            let sent = stranger.try_send(&ClientMessage::Ping {});
            match stranger.hear() {
                Heard::Message(ServerMessage::Pong {}) => assert!(sent.is_ok()),
                Heard::Message(ServerMessage::Closing { code: Code::LoginTimeout, .. }) => break,
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn too_many_tries() {
    Siege::of(&[], |server| {
        let mut guesser = Peer::connect(server.link());
        for guess in 0..20 {
            let password = secret(&format!("Guess-number-{guess}"));
            let _ = guesser.try_send(&ClientMessage::LogIn { name: "witness".into(), password });
        }
        for _ in 0..5 {
            let refused = guesser.next();
            assert!(
                matches!(refused, ServerMessage::Refused { code: Code::WrongNameOrPassword, .. }),
                "{refused:?}"
            );
        }
        assert_closing(&mut guesser, Code::TooManyTries);
        assert!(matches!(
            Peer::connect(server.link()).log_in("witness", PASSWORD),
            ServerMessage::LoggedIn { .. }
        ));
    });
}

#[test]
fn full_of_connections() {
    let server = ServerProcess::with_limits(&["connections=3"]);
    let mut inside = Peer::signed_up(server.link(), "alice");
    inside.join(None);
    let mut others = [Peer::connect(server.link()), Peer::connect(server.link())];
    for _ in 0..50 {
        assert!(matches!(Peer::try_connect(server.link()), Err(ChannelError::Full)));
    }
    let id = inside.say("as if nothing were");
    inside.wait_until_accepted(id);
    let _ = others[0].sign_up("bob", PASSWORD);
    drop(others);
    let newcomer = support::eventually("there is room again", || Peer::try_connect(server.link()).ok());
    drop(newcomer);
}

#[test]
fn full_of_strangers() {
    let server = ServerProcess::with_limits(&["strangers=2"]);
    let mut alice = Peer::signed_up(server.link(), "alice");
    let strangers = [Peer::connect(server.link()), Peer::connect(server.link())];
    assert!(matches!(Peer::try_connect(server.link()), Err(ChannelError::Full)));
    alice.join(None);
    let [mut first, second] = strangers;
    assert!(matches!(first.sign_up("bob", PASSWORD), ServerMessage::LoggedIn { .. }));
    // Who has logged in is no stranger any more.
    let third = Peer::connect(server.link());
    assert!(matches!(Peer::try_connect(server.link()), Err(ChannelError::Full)));
    drop((second, third));
    for n in 0..5 {
        support::eventually("there is room again", || {
            let mut peer = Peer::try_connect(server.link()).ok()?;
            peer.next();
            peer.sign_up(&format!("guest{n}"), PASSWORD);
            Some(())
        });
    }
}
