//! Attacks by name, from someone who has shaken hands or even logged in: what is wrong is told where it can be told,
//! nobody else notices, and afterwards the server is as it was before.
#![cfg(test)]

mod support;

use std::io::Write;

use chat::wire::{self, BODY_TEXT, ClientMessage, Code, MessageId, ServerMessage};
use support::{Heard, PASSWORD, Peer, ServerProcess, Siege, body, is_said, secret, sequence};

/// The next message is a refusal for this reason, about this message.
fn assert_refused(peer: &mut Peer, wanted: Code, about: Option<MessageId>) {
    let heard = peer.wait_for(|message| matches!(message, ServerMessage::Refused { .. }));
    assert!(
        matches!(heard, ServerMessage::Refused { code, id, .. } if code == wanted && id == about),
        "{heard:?}"
    );
}

/// The next refusal of something about a room is for this reason.
fn assert_room_refused(peer: &mut Peer, wanted: Code, about: &str) {
    let heard = peer.wait_for(|message| matches!(message, ServerMessage::RoomRefused { .. }));
    let ServerMessage::RoomRefused { room, code, .. } = &heard else { unreachable!() };
    assert_eq!((*code, room.as_str()), (wanted, about));
}

/// The session is alive: a ping is answered.
fn assert_alive(peer: &mut Peer) {
    peer.send(&ClientMessage::Ping {});
    peer.wait_for(|message| *message == ServerMessage::Pong {});
}

fn assert_lost(mut peer: Peer) {
    assert_eq!(peer.hear_out().1, Heard::Lost);
}

fn say(room: &str, id: MessageId, body: Vec<u8>) -> ClientMessage {
    ClientMessage::Say { room: room.into(), id, kind: BODY_TEXT, body: body.into(), of: None }
}

/// Who is in as one would go on as another, by any of the ways to come in.
#[test]
fn second_login_on_one_session() {
    Siege::of(&[], |server| {
        let mut peer = Peer::logged_in(server.link(), "witness");
        let (name, password) = ("resident".to_owned(), || secret(PASSWORD));
        for second in [
            ClientMessage::LogIn { name: name.clone(), password: password() },
            ClientMessage::SignUp {
                name: "mallory".into(),
                password: password(),
                invite: None,
                server_password: None,
            },
            ClientMessage::LogInByDevice { name: Some(name.clone()) },
            ClientMessage::LogInByDevice { name: None },
        ] {
            peer.send(&second);
            assert_refused(&mut peer, Code::NotNow, None);
        }
        peer.join(None);
        peer.say("who am I?");
        let said = peer.wait_for(is_said);
        assert!(matches!(said, ServerMessage::Said { author, .. } if author == "witness"));
    });
}

/// The second login comes before the first one is answered.
#[test]
fn two_logins_in_one_record() {
    Siege::of(&[], |server| {
        let mut peer = Peer::connect(server.link());
        let login = |name: &str| {
            wire::encode(&ClientMessage::LogIn { name: name.into(), password: secret(PASSWORD) })
        };
        peer.send_content(&[login("witness"), login("resident")].concat()).unwrap();
        assert!(matches!(peer.next(), ServerMessage::LoggedIn { name, .. } if name == "witness"));
        assert_refused(&mut peer, Code::NotNow, None);
    });
}

/// The labels of devices are shown to their owner, so they hold nothing that a terminal would obey.
#[test]
fn terminal_escape_in_a_label() {
    Siege::of(&[], |server| {
        let mut peer = Peer::logged_in(server.link(), "witness");
        for label in ["\x1b[2J", "a\nb", "\u{9b}31m", "", &"x".repeat(65)] {
            peer.send(&ClientMessage::Remember { label: label.into() });
            assert_refused(&mut peer, Code::Malformed, None);
        }
        peer.send(&ClientMessage::ListDevices {});
        assert_eq!(peer.next(), ServerMessage::Devices { devices: Vec::new() });
    });
}

#[test]
fn frame_of_length_zero() {
    Siege::of(&[], |server| {
        let mut peer = Peer::connect(server.link());
        peer.stream.write_all(&[0, 0]).unwrap();
        assert_lost(peer);
    });
}

#[test]
fn frame_of_65535() {
    Siege::of(&[], |server| {
        let mut peer = Peer::connect(server.link());
        let mut frame = vec![0xff; 65_537];
        rand::fill(&mut frame[2..]);
        peer.stream.write_all(&frame).unwrap();
        assert_lost(peer);
    });
}

#[test]
fn frame_of_65535_that_never_comes() {
    Siege::of(&["login-seconds=1"], |server| {
        let mut peer = Peer::connect(server.link());
        peer.stream.write_all(&[0xff; 1000]).unwrap();
        let closing = peer.hear();
        assert!(matches!(closing, Heard::Message(ServerMessage::Closing { code: Code::LoginTimeout, .. })));
    });
}

#[test]
fn garbage_after_a_valid_handshake() {
    Siege::of(&[], |server| {
        for length in [1, 15, 16, 17, 100, 9000, 65_536] {
            let mut peer = Peer::logged_in(server.link(), "witness");
            peer.join(None);
            let mut noise = vec![0; length];
            rand::fill(noise.as_mut_slice());
            let _ = peer.stream.write_all(&noise);
            let _ = peer.stream.shutdown(std::net::Shutdown::Write); // it may be closed already
            assert_lost(peer);
        }
    });
}

#[test]
fn replayed_record() {
    Siege::of(&[], |server| {
        let mut peer = Peer::logged_in(server.link(), "witness");
        peer.join(None);
        let mut frame = Vec::new();
        let message = say("#lobby", MessageId::random().unwrap(), b"once".to_vec());
        peer.sealer.seal([&*wire::encode(&message)], &mut frame).unwrap();
        peer.stream.write_all(&frame).unwrap();
        peer.wait_for(is_said);
        peer.stream.write_all(&frame).unwrap();
        assert_lost(peer);
        assert_eq!(Peer::logged_in(server.link(), "witness").join(Some(0)).len(), 1);
    });
}

#[test]
fn reflected_record() {
    Siege::of(&[], |server| {
        let mut peer = Peer::try_connect(server.link()).unwrap();
        // The server's own welcome, as it came.
        let mut welcome = vec![0; 64];
        std::io::Read::read_exact(&mut peer.stream, &mut welcome).unwrap();
        peer.stream.write_all(&welcome).unwrap();
        let _ = peer.stream.shutdown(std::net::Shutdown::Write); // it may be closed already
        let mut rest = Vec::new();
        let _ = std::io::Read::read_to_end(&mut peer.stream, &mut rest);
    });
}

#[test]
fn not_cbor() {
    Siege::of(&[], |server| {
        for content in [[0xff].as_slice(), &[0x1c], &[0x82], &[0x5a, 0xff, 0xff, 0xff, 0xff]] {
            let mut peer = Peer::logged_in(server.link(), "witness");
            peer.join(None);
            peer.send_content(content).unwrap();
            let (last, end) = peer.hear_out();
            let closing = matches!(last.last(), Some(ServerMessage::Closing { code: Code::NotCbor, .. }));
            assert!(closing || content[0] == 0x61, "{content:x?}: {last:?}");
            assert_eq!(end, Heard::Goodbye, "{content:x?}");
        }
    });
}

#[test]
fn unknown_kind_malformed_and_surplus() {
    Siege::of(&[], |server| {
        let mut peer = Peer::logged_in(server.link(), "witness");
        for kind in [&[0x82, 0x18, 99, 0xa0][..], &[0x82, 0x1a, 0xff, 0xff, 0xff, 0xff, 0xa0]] {
            peer.send_content(kind).unwrap();
            assert_refused(&mut peer, Code::UnknownKind, None);
        }
        // A number, a text, an empty map and list, a Say without fields, a Ping with a list, null.
        for wrong in [&[0][..], b"\x62hi", &[0xa0], &[0x80], &[0x82, 3, 0xa0], &[0x82, 4, 0x00], &[0xf6]] {
            peer.send_content(wrong).unwrap();
            assert_refused(&mut peer, Code::Malformed, None);
        }
        peer.send_content(&[]).unwrap();
        // A Ping with a field that this version does not know.
        peer.send_content(&[0x82, 4, 0xa1, 0x18, 77, 0x62, b'h', b'i']).unwrap();
        assert_eq!(peer.next(), ServerMessage::Pong {});
    });
}

#[test]
fn deeply_nested_cbor() {
    Siege::of(&[], |server| {
        let mut peer = Peer::logged_in(server.link(), "witness");
        for open in [0x81_u8, 0x9f, 0xc1, 0xbf] {
            let mut content = vec![open; 65_000];
            content.push(0);
            if peer.send_content(&content).is_err() {
                break; // closed: it was not even CBOR
            }
            match peer.hear() {
                Heard::Message(ServerMessage::Refused { code: Code::Malformed, .. }) => {
                    assert_alive(&mut peer);
                }
                Heard::Message(ServerMessage::Closing { code: Code::NotCbor, .. }) => {
                    peer = Peer::logged_in(server.link(), "witness");
                }
                other => panic!("{open:x}: {other:?}"),
            }
        }
        // Within a message, in a field that nobody knows.
        let mut content = vec![0x82, 4, 0xa1, 0x18, 77];
        content.extend(vec![0x81; 60_000]);
        content.push(0);
        peer.send_content(&content).unwrap();
        assert_eq!(peer.next(), ServerMessage::Pong {});
    });
}

#[test]
fn join_twice_and_no_such_room() {
    Siege::of(&[], |server| {
        let mut peer = Peer::logged_in(server.link(), "witness");
        peer.join(None);
        peer.send(&ClientMessage::Join { room: "#lobby".into(), after: Some(0) });
        assert_room_refused(&mut peer, Code::NotNow, "#lobby");
        for room in ["#nowhere", "lobby", "", "#", "#lobby\n", "#\u{202e}", &"#x".repeat(9000)] {
            peer.send(&ClientMessage::Join { room: room.into(), after: None });
            assert_room_refused(&mut peer, Code::NoSuchRoom, room);
            let id = MessageId::random().unwrap();
            peer.send(&say(room, id, b"hello".to_vec()));
            assert_refused(&mut peer, Code::NoSuchRoom, Some(id));
        }
        let id = peer.say("still in the lobby");
        peer.wait_until_accepted(id);
    });
}

#[test]
fn bodies_at_the_bound() {
    Siege::of(&[], |server| {
        let mut peer = Peer::logged_in(server.link(), "witness");
        peer.join(None);
        for length in [0, 16 * 1024 + 1, 60_000] {
            let id = MessageId::random().unwrap();
            peer.send(&say("#lobby", id, vec![b'x'; length]));
            assert_refused(&mut peer, Code::BadBody, Some(id));
        }
        let any_bytes: Vec<u8> = (0..=255).cycle().take(16 * 1024).collect();
        peer.send(&say("#lobby", MessageId::random().unwrap(), any_bytes.clone()));
        let heard = peer.wait_for(is_said);
        assert!(matches!(heard, ServerMessage::Said { sequence: 1, body, .. } if *body == any_bytes));
    });
}

#[test]
fn tiny_frames_without_number() {
    Siege::of(&[], |server| {
        let mut peer = Peer::logged_in(server.link(), "witness");
        peer.join(None);
        let mut frames = Vec::new();
        for _ in 0..1000 {
            frames.clear();
            (0..100).for_each(|_| peer.sealer.seal([[].as_slice()], &mut frames).unwrap());
            peer.stream.write_all(&frames).unwrap();
        }
        let id = peer.say("done");
        peer.wait_until_accepted(id);
    });
}

#[test]
fn records_full_of_tiny_mistakes() {
    Siege::of(&["outbox-bytes=65536"], |server| {
        let mut peer = Peer::logged_in(server.link(), "witness");
        peer.join(None);
        // Each byte is answered with a sentence, so what is not read soon is forgotten.
        for _ in 0..10 {
            peer.send_content(&vec![0; 65_000]).unwrap();
        }
        peer.wait_for(|message| *message == ServerMessage::Lagged {});
        let id = peer.say("done");
        while body(&peer.wait_for(is_said)) != "done" {}
        assert_eq!(Peer::logged_in(server.link(), "witness").join(None).len(), 1, "{id:?}");
    });
}

#[test]
fn much_is_sent_and_nothing_read_until_later() {
    const MESSAGES: u64 = 6000;
    Siege::of(&["outbox-bytes=65536"], |server| {
        let mut deaf = Peer::logged_in(server.link(), "witness");
        deaf.join(None);
        for n in 0..MESSAGES {
            deaf.say(&format!("{n} {}", "x".repeat(1000)));
        }
        let (mut said, mut lagged) = (0, false);
        while said < MESSAGES {
            match deaf.next() {
                message @ ServerMessage::Said { .. } => {
                    assert_eq!(sequence(&message), said + 1);
                    assert!(body(&message).starts_with(&format!("{said} ")));
                    said += 1;
                }
                ServerMessage::Lagged {} => lagged = true,
                _ => {}
            }
        }
        assert!(lagged);
        assert_alive(&mut deaf);
    });
}

#[test]
fn silent_client() {
    let server = ServerProcess::with_limits(&["ping-seconds=1", "silence-seconds=2"]);
    let mut alice = Peer::signed_up(server.link(), "alice");
    alice.join(None);
    let mut silent = Peer::signed_up(server.link(), "silent");
    silent.join(None);
    let threads = server.threads();
    // Alice answers what pings come meanwhile, and stays.
    alice.wait_for(|message| matches!(message, ServerMessage::Left { name, .. } if name == "silent"));
    support::eventually("its thread is gone", || (server.threads() == threads - 1).then_some(()));
    let mut pings = 0;
    let end = loop {
        match silent.hear_everything() {
            Heard::Message(ServerMessage::Ping {}) => pings += 1,
            Heard::Message(_) => {}
            end => break end,
        }
    };
    assert!(pings > 0, "it was pinged before");
    assert_eq!(end, Heard::Lost);
    assert_alive(&mut alice);
}
