//! What people try who are not meant to: the answers tell nothing, and nothing happens.

use super::*;
use support::{eventually, sequence};

/// Everything that can be asked of a room, and the answers without what differs by itself.
pub(super) fn answers(peer: &mut Peer, room: &str) -> Vec<String> {
    let mut answers = vec![
        format!("{:?}", join(peer, room, None).map(|_| ())),
        format!("{:?}", card(peer, room)),
        format!("{:?}", members(peer, room, None)),
        format!("{:?}", say(peer, room, "hello")),
    ];
    let role = RoomEvent::Role { name: "mallory".into(), role: ROOM_OPERATOR };
    let removed = |name: &str| RoomEvent::Removed { name: name.into(), reason: None };
    let unmuted = RoomEvent::Unmuted { name: "alice".into() };
    for event in [
        RoomEvent::Joined {},
        RoomEvent::Left {},
        added("mallory"),
        added("nobody"),
        role,
        topic("mine"),
        removed("alice"),
        removed("nobody"),
        unmuted,
    ] {
        answers.push(format!("{event:?}: {:?}", change(peer, room, &event)));
    }
    // The texts too.
    let room_of = || room.to_owned();
    for question in [
        ClientMessage::DescribeRoom { room: room_of() },
        ClientMessage::ModerationLog { room: room_of(), before: None },
        ClientMessage::ListSanctions { room: room_of(), after: None },
    ] {
        peer.send(&question);
        let refused = peer.wait_for(|message| matches!(message, ServerMessage::RoomRefused { .. }));
        answers.push(format!("{refused:?}").replace(room, "ROOM"));
    }
    answers
}

#[test]
fn a_private_room_answers_strangers_as_no_room_does() {
    let server = ServerProcess::start();
    let (mut alice, mut mallory) = (listening(&server, "alice"), listening(&server, "mallory"));
    let plans = make(&mut alice, "#plans", true);
    let none = if plans == "#plans.aaaa" { "#plans.bbbb" } else { "#plans.aaaa" };
    assert_eq!(answers(&mut mallory, &plans), answers(&mut mallory, none));
    assert_eq!(list(&mut mallory, None).0, ["#lobby"]);
    // Nor does making one tell: each has its own.
    assert_ne!(make(&mut mallory, "#plans", true), plans);
    let by_its_name = change(&mut mallory, &plans, &RoomEvent::Made { is_private: true });
    assert_eq!(by_its_name.unwrap_err(), Code::BadRoomName);
    assert_eq!(members(&mut alice, &plans, None).unwrap().0, ["alice*"]);
}

#[test]
fn what_only_operators_may_do_members_may_not_and_operators_come_and_go() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    let _carol = listening(&server, "carol");
    make(&mut alice, "#tea", false);
    join(&mut bob, "#tea", None).unwrap();
    let role = |name: &str, role| RoomEvent::Role { name: name.into(), role };
    for event in [topic("bob's"), added("carol"), role("bob", 1)] {
        assert_eq!(change(&mut bob, "#tea", &event).unwrap_err(), Code::NotOperator);
    }
    assert_eq!(change(&mut alice, "#tea", &role("carol", 1)).unwrap_err(), Code::NoSuchPerson, "not in it");
    assert_eq!(change(&mut alice, "#tea", &added("nobody")).unwrap_err(), Code::NoSuchPerson);
    assert_eq!(change(&mut alice, "#tea", &role("bob", 2)).unwrap_err(), Code::BadBody);
    assert_eq!(change(&mut alice, "#tea", &role("alice", 0)).unwrap_err(), Code::NotNow, "the last one");
    change(&mut alice, "#tea", &role("bob", 1)).unwrap();
    change(&mut bob, "#tea", &role("alice", 0)).unwrap();
    assert_eq!(change(&mut alice, "#tea", &topic("alice's")).unwrap_err(), Code::NotOperator);
}

#[test]
fn what_the_server_says_nobody_else_can_say() {
    let server = ServerProcess::start();
    let mut mallory = listening(&server, "mallory");
    make(&mut mallory, "#tea", false);
    let unknown = b"\x82\x18\x63\xa0".to_vec();
    let two = wire::encode(&RoomEvent::Left {}).repeat(2);
    for (kind, body) in [
        (BODY_ROOM_EVENT, b"hello".to_vec()),
        (BODY_ROOM_EVENT, unknown),
        (BODY_ROOM_EVENT, two),
        (BODY_REMOVED, b"hello".to_vec()),
        (u16::MAX, b"hello".to_vec()),
        (BODY_ROOM_EVENT, wire::encode(&topic("a\nb"))),
        (BODY_ROOM_EVENT, wire::encode(&topic(&"x".repeat(401)))),
    ] {
        let id = say_in(&mut mallory, "#tea", kind, body);
        assert_eq!(outcome(&mut mallory, id).unwrap_err(), Code::BadBody, "{kind:x}");
    }
    // What is in the log is what the server understood, not what was sent: a field more is not kept.
    let id =
        say_in(&mut mallory, "#tea", BODY_ROOM_EVENT, b"\x82\x05\xa2\x00\x63tea\x18\x63\x63???".to_vec());
    assert_eq!(outcome(&mut mallory, id).unwrap().1, 2);
    let said = join(&mut mallory, "#tea", Some(1)).unwrap();
    let ServerMessage::Said { body, .. } = &said[0] else { panic!() };
    assert_eq!(body.as_slice(), wire::encode(&topic("tea")));
}

#[test]
fn who_makes_rooms_without_end_comes_to_an_end() {
    let server = ServerProcess::with_limits(&["rooms-per-account=3"]);
    let mut mallory = listening(&server, "mallory");
    for number in 0..3 {
        let room = make(&mut mallory, &format!("#r{number}"), number == 1);
        change(&mut mallory, &room, &RoomEvent::Left {}).unwrap();
    }
    let refused = change(&mut mallory, "#r3", &RoomEvent::Made { is_private: false });
    assert_eq!(refused.unwrap_err(), Code::TooManyRooms);
    let mut alice = listening(&server, "alice");
    for room in ["#a0", "#a1", "#a2"] {
        make(&mut alice, room, false);
    }
    assert_eq!(join(&mut alice, "#r0", None).unwrap_err(), Code::TooManyRooms);
}

#[test]
fn who_stops_reading_in_two_rooms_has_everything_of_both_once_and_in_order_afterwards() {
    const MESSAGES: u64 = 150;
    let server = ServerProcess::with_limits(&["outbox-bytes=65536"]);
    let (mut talker, mut deaf) = (listening(&server, "talker"), listening(&server, "deaf"));
    make(&mut talker, "#tea", false);
    let rooms = ["#lobby", "#tea"];
    for room in rooms {
        join(&mut talker, room, None).unwrap();
        join(&mut deaf, room, None).unwrap();
    }
    let before = [0, card(&mut talker, "#tea").unwrap().head];
    let text = "x".repeat(16_000);
    for _ in 0..MESSAGES {
        for room in rooms {
            say(&mut talker, room, &text).unwrap();
        }
    }
    let (mut seen, mut lagged) = (before, 0);
    while seen != before.map(|head| head + MESSAGES) {
        match deaf.next() {
            ServerMessage::Lagged {} => lagged += 1,
            message @ ServerMessage::Said { .. } => {
                let place = usize::from(is_in(&message, "#tea"));
                assert_eq!(sequence(&message), seen[place] + 1);
                seen[place] += 1;
            }
            _ => {}
        }
    }
    assert!(lagged > 0);
    assert_eq!(my_rooms(&mut deaf), ["#lobby", "#tea"]);
}

#[test]
fn who_is_let_out_in_the_middle_of_catching_up_hears_no_more() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    let plans = make(&mut alice, "#plans", true);
    change(&mut alice, &plans, &added("bob")).unwrap();
    let text = "x".repeat(16_000);
    for _ in 0..600 {
        say(&mut alice, &plans, &text).unwrap();
    }
    // Ten megabytes wait in the log; he reads nothing of them before he has left on another device.
    bob.send(&ClientMessage::Join { room: plans.clone(), after: Some(0) });
    bob.wait_for(|message| matches!(message, ServerMessage::Joined { .. }));
    let (mut phone, _) = again(&server, "bob");
    change(&mut phone, &plans, &RoomEvent::Left {}).unwrap();
    let mut heard = 0;
    bob.wait_for(|message| {
        heard += u64::from(is_in(message, &plans));
        matches!(message, ServerMessage::RoomRemoved { room, .. } if *room == plans)
    });
    assert!(heard < 600, "{heard}");
    bob.send(&ClientMessage::Ping {});
    bob.wait_for(|message| {
        assert!(!is_in(message, &plans));
        *message == ServerMessage::Pong {}
    });
    eventually("the server is at rest", || (server.sessions() == 3).then_some(()));
}
