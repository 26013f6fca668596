//! Coming into rooms and going out of them.

use super::*;

#[test]
fn a_room_and_who_is_in_it_outlast_the_server() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    assert_eq!(make(&mut alice, "#Tea", false), "#tea");
    join(&mut alice, "#tea", None).unwrap();
    join(&mut bob, "#tea", None).unwrap();
    say(&mut bob, "#tea", "milk?").unwrap();
    change(&mut alice, "#tea", &topic("tea, and what goes with it")).unwrap();
    let server = server.kill_and_restart();
    let (mut alice, rooms) = again(&server, "alice");
    assert_eq!(rooms, ["#lobby", "#tea*"]);
    let said = join(&mut alice, "#tea", Some(1)).unwrap();
    let said: Vec<_> = said.iter().map(in_words).collect();
    let event = format!("alice {:?}", topic("tea, and what goes with it"));
    assert_eq!(said, ["bob Joined", "bob: milk?", &event]);
    let (mut bob, rooms) = again(&server, "bob");
    assert_eq!(rooms, ["#lobby", "#tea"]);
    assert_eq!(say(&mut bob, "#tea", "sugar?").unwrap(), ("#tea".into(), 5));
    let card = card(&mut bob, "#tea").unwrap();
    assert_eq!(
        (card.topic.as_str(), card.members, card.role),
        ("tea, and what goes with it", Some(2), Some(0))
    );
    assert_eq!((card.made_by.as_str(), card.head), ("alice", 5));
    assert_eq!(members(&mut bob, "#tea", None).unwrap(), (vec!["alice*".into(), "bob".into()], false));
}

#[test]
fn who_is_added_on_one_device_is_in_on_all_and_who_leaves_on_one_is_out_on_all() {
    let server = ServerProcess::start();
    let (mut alice, mut desk) = (listening(&server, "alice"), listening(&server, "bob"));
    let (mut phone, _) = again(&server, "bob");
    let plans = make(&mut alice, "#plans", true);
    join(&mut alice, &plans, None).unwrap();
    change(&mut alice, &plans, &added("bob")).unwrap();
    for device in [&mut desk, &mut phone] {
        device.wait_for(
            |message| matches!(message, ServerMessage::RoomAdded { room, role: 0, .. } if *room == plans),
        );
        join(device, &plans, None).unwrap();
    }
    say(&mut alice, &plans, "we leave at five").unwrap();
    change(&mut desk, &plans, &RoomEvent::Left {}).unwrap();
    say(&mut alice, &plans, "bob must not know").unwrap();
    let mut heard = Vec::new();
    loop {
        match phone.next() {
            ServerMessage::RoomRemoved { room, .. } if room == plans => break,
            message if is_in(&message, &plans) => heard.push(in_words(&message)),
            _ => {}
        }
    }
    assert_eq!(heard, ["alice: we leave at five", "bob Left"]);
    assert_eq!(my_rooms(&mut phone), ["#lobby"]);
    assert_eq!(join(&mut phone, &plans, Some(0)).unwrap_err(), Code::NoSuchRoom);
    assert_eq!(say(&mut desk, &plans, "hello?").unwrap_err(), Code::NoSuchRoom);
    // Everything that came to the phone until now came before this answer.
    phone.send(&ClientMessage::Ping {});
    phone.wait_for(|message| {
        assert!(!is_in(message, &plans), "{message:?}");
        *message == ServerMessage::Pong {}
    });
}

#[test]
fn who_joins_a_room_on_one_device_hears_of_it_on_the_others() {
    let server = ServerProcess::start();
    let mut alice = listening(&server, "alice");
    make(&mut alice, "#tea", false);
    let mut desk = listening(&server, "bob");
    let (mut phone, _) = again(&server, "bob");
    join(&mut desk, "#tea", None).unwrap();
    phone.wait_for(|message| matches!(message, ServerMessage::RoomAdded { room, .. } if room == "#tea"));
    let said: Vec<_> = join(&mut phone, "#tea", None).unwrap().iter().map(in_words).collect();
    assert_eq!(said, ["alice Made { is_private: false }", "bob Joined"], "he is a member once");
}

#[test]
fn a_change_that_is_asked_for_again_after_a_lost_connection_is_done_once() {
    let server = ServerProcess::start();
    let mut alice = listening(&server, "alice");
    let id = MessageId::random().unwrap();
    let body = wire::encode(&RoomEvent::Made { is_private: true });
    let make =
        ClientMessage::Say { room: "#plans".into(), id, kind: BODY_ROOM_EVENT, body: body.into(), of: None };
    alice.send(&make);
    let first = outcome(&mut alice, id).unwrap();
    let (mut alice, _) = again(&server, "alice");
    alice.send(&make);
    assert_eq!(outcome(&mut alice, id).unwrap(), first);
    assert_eq!(my_rooms(&mut alice).len(), 2);
}

#[test]
fn everyone_is_in_the_lobby_and_nobody_leaves_it() {
    let server = ServerProcess::start();
    let mut alice = listening(&server, "alice");
    for event in [RoomEvent::Left {}, RoomEvent::Joined {}, added("alice")] {
        assert_eq!(change(&mut alice, "#lobby", &event).unwrap_err(), Code::NotNow);
    }
    assert_eq!(change(&mut alice, "#lobby", &topic("mine")).unwrap_err(), Code::NotOperator);
    assert_eq!(make_refused(&mut alice, "#lobby"), Code::RoomTaken);
    let card = card(&mut alice, "#lobby").unwrap();
    assert_eq!((card.members, card.role, card.made_by.as_str(), card.head), (None, Some(0), "", 0));
}

fn make_refused(peer: &mut Peer, room: &str) -> Code {
    change(peer, room, &RoomEvent::Made { is_private: false }).unwrap_err()
}

#[test]
fn a_public_room_is_read_and_written_by_its_members_only_and_anyone_can_become_one() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    make(&mut alice, "#tea", false);
    assert_eq!(say(&mut bob, "#tea", "hello").unwrap_err(), Code::NotMember);
    assert_eq!(card(&mut bob, "#tea").unwrap().role, None);
    assert_eq!(list(&mut bob, None), (vec!["#lobby".into(), "#tea".into()], false));
    // A Join and what is said after it need no wait in between.
    bob.send(&ClientMessage::Join { room: "#tea".into(), after: None });
    assert_eq!(say(&mut bob, "#tea", "hello").unwrap(), ("#tea".into(), 3));
}

#[test]
fn two_who_make_the_same_room_at_the_same_moment_make_one() {
    let server = ServerProcess::start();
    let mut peers: Vec<_> = (0..8).map(|number| listening(&server, &format!("p{number}"))).collect();
    let body = wire::encode(&RoomEvent::Made { is_private: false });
    let ids: Vec<_> =
        peers.iter_mut().map(|peer| say_in(peer, "#race", BODY_ROOM_EVENT, body.clone())).collect();
    let made = peers.iter_mut().zip(ids).map(|(peer, id)| outcome(peer, id));
    let made: Vec<_> = made.collect();
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
    assert!(made.iter().all(|made| made.is_ok() || *made == Err(Code::RoomTaken)));
}

#[test]
fn who_gets_a_name_that_was_someone_elses_is_in_none_of_their_rooms() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    let plans = make(&mut alice, "#plans", true);
    change(&mut alice, &plans, &added("bob")).unwrap();
    bob.wait_for(|message| matches!(message, ServerMessage::RoomAdded { .. }));
    bob.leave();
    delete_account(&server, "bob");
    let mut other_bob = listening(&server, "bob");
    assert_eq!(my_rooms(&mut other_bob), ["#lobby"]);
    assert_eq!(join(&mut other_bob, &plans, None).unwrap_err(), Code::NoSuchRoom);
    assert_eq!(members(&mut alice, &plans, None).unwrap().0, ["alice*"]);
}
