//! Direct conversations: a room of two, which nobody else can know of.

use super::attacks::answers;
use super::*;
use support::sequence;

const TALK: &str = "@alice+bob";

/// What was said in the conversation, in words.
fn words(said: &[ServerMessage]) -> Vec<String> {
    said.iter().map(in_words).collect()
}

fn wait_until_added(peer: &mut Peer, wanted: &str) {
    peer.wait_for(
        |message| matches!(message, ServerMessage::RoomAdded { room, role: 0, .. } if room == wanted),
    );
}

#[test]
fn what_is_said_to_someone_arrives_on_all_their_devices_and_waits_for_who_is_away() {
    let server = ServerProcess::start();
    let (mut desk, mut phone) = (listening(&server, "bob"), again(&server, "bob").0);
    let (mut alice, mut tablet) = (listening(&server, "alice"), again(&server, "alice").0);
    join(&mut alice, TALK, None).unwrap();
    for device in [&mut desk, &mut phone, &mut tablet] {
        wait_until_added(device, TALK);
        join(device, TALK, None).unwrap();
    }
    assert_eq!(say(&mut alice, TALK, "one").unwrap(), (TALK.into(), 1), "and nothing stands before it");
    say(&mut phone, TALK, "two").unwrap();
    for device in [&mut desk, &mut tablet] {
        for (number, text) in [(1, "alice: one"), (2, "bob: two")] {
            let said = device.wait_for(|message| is_in(message, TALK));
            assert_eq!((sequence(&said), in_words(&said).as_str()), (number, text));
        }
    }
    desk.leave();
    phone.leave();
    say(&mut alice, TALK, "three").unwrap();
    let server = server.kill_and_restart();
    let (mut alice, rooms) = again(&server, "alice");
    assert_eq!(rooms, ["#lobby", TALK]);
    say(&mut alice, TALK, "four").unwrap();
    for _ in 0..2 {
        let mut device = Peer::logged_in(server.link(), "bob");
        device.send(&ClientMessage::MyRooms {});
        let told = device
            .wait_for(|message| matches!(message, ServerMessage::RoomAdded { room, .. } if room == TALK));
        // Nothing of it was marked as read, and all of it is for him; what he said himself is not unread.
        let unread = matches!(
            told,
            ServerMessage::RoomAdded { head: 4, read: Some(0), unread: Some(3), mentions: Some(3), .. }
        );
        assert!(unread, "{told:?}");
        let said = join(&mut device, TALK, Some(2)).unwrap();
        assert_eq!(words(&said), ["alice: three", "alice: four"]);
    }
}

#[test]
fn who_sends_again_what_was_not_answered_says_it_once() {
    let server = ServerProcess::start();
    let (mut bob, mut alice) = (listening(&server, "bob"), listening(&server, "alice"));
    join(&mut alice, TALK, None).unwrap();
    let id = MessageId::random().unwrap();
    let say = ClientMessage::Say {
        room: TALK.into(),
        id,
        kind: BODY_TEXT,
        body: b"once".to_vec().into(),
        of: None,
    };
    alice.send(&say);
    // The answer is lost with the connection, and the server with it.
    wait_until_added(&mut bob, TALK);
    join(&mut bob, TALK, Some(0)).unwrap();
    bob.send(&ClientMessage::Ping {});
    drop(alice);
    let server = server.kill_and_restart();
    let (mut alice, _) = again(&server, "alice");
    alice.send(&say);
    assert_eq!(outcome(&mut alice, id).unwrap(), (TALK.into(), 1));
    assert_eq!(words(&join(&mut alice, TALK, Some(0)).unwrap()), ["alice: once"]);
}

#[test]
fn a_conversation_answers_whoever_is_none_of_the_two_as_no_room_does() {
    let server = ServerProcess::start();
    let (mut alice, mut mallory) = (listening(&server, "alice"), listening(&server, "mallory"));
    let (_bob, _carol) = (listening(&server, "bob"), listening(&server, "carol"));
    join(&mut alice, TALK, None).unwrap();
    say(&mut alice, TALK, "nobody else hears this").unwrap();
    let there = answers(&mut mallory, TALK);
    assert_eq!(there, answers(&mut mallory, "@alice+carol"), "which there is not");
    assert_eq!(there, answers(&mut mallory, "@alice+nobody"));
    assert_eq!(list(&mut mallory, None).0, ["#lobby"]);
    for name in [TALK, "@alice+carol", "@alice+mallory"] {
        let made = change(&mut mallory, name, &RoomEvent::Made { is_private: true });
        assert_eq!(made.unwrap_err(), Code::BadRoomName, "{name}");
    }
    assert_eq!(my_rooms(&mut mallory), ["#lobby"]);
}

#[test]
fn a_conversation_has_one_name_and_one_of_its_two_to_ask_for_it() {
    let server = ServerProcess::start();
    let (mut alice, _bob) = (listening(&server, "alice"), listening(&server, "bob"));
    let long = format!("@alice+{}", "b".repeat(20_000));
    for name in
        ["@bob+alice", "@alice+alice", "@alice+", "@bob", "@", "@alice+bob+carol", "@alice+server", &long]
    {
        assert_eq!(join(&mut alice, name, None).unwrap_err(), Code::NoSuchRoom, "{name}");
    }
    assert_eq!(join(&mut alice, "@alice+nobody", None).unwrap_err(), Code::NoSuchPerson);
    assert_eq!(say(&mut alice, TALK, "before it is there").unwrap_err(), Code::NoSuchRoom);
    assert_eq!(my_rooms(&mut alice), ["#lobby"]);
    alice.send(&ClientMessage::Join { room: "@Alice+BOB".into(), after: None });
    let joined = alice.wait_for(|message| matches!(message, ServerMessage::Joined { .. }));
    assert!(
        matches!(joined, ServerMessage::Joined { room, head: 0, .. } if room == TALK),
        "as it is written"
    );
}

#[test]
fn a_conversation_stays_as_it_is() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    let _carol = listening(&server, "carol");
    join(&mut alice, TALK, None).unwrap();
    let role = RoomEvent::Role { name: "alice".into(), role: ROOM_OPERATOR };
    for event in [RoomEvent::Joined {}, RoomEvent::Left {}, added("carol"), role, topic("ours")] {
        for peer in [&mut alice, &mut bob] {
            assert_eq!(change(peer, TALK, &event).unwrap_err(), Code::NotNow, "{event:?}");
        }
    }
    let card = card(&mut bob, TALK).unwrap();
    assert_eq!((card.members, card.role, card.topic.as_str()), (Some(2), Some(0), ""));
    assert_eq!((card.made_by.as_str(), card.head), ("alice", 0));
    assert_eq!(members(&mut bob, TALK, None).unwrap(), (vec!["alice".into(), "bob".into()], false));
}

#[test]
fn who_begins_conversations_without_end_comes_to_an_end_and_hinders_nobody() {
    let server = ServerProcess::with_limits(&["directs-per-account=2", "rooms-per-account=1"]);
    let mut peers = ["bob", "carol", "dave", "mallory"].map(|name| listening(&server, name));
    let [bob, carol, dave, mallory] = &mut peers;
    join(mallory, "@bob+mallory", None).unwrap();
    join(mallory, "@carol+mallory", None).unwrap();
    assert_eq!(join(mallory, "@dave+mallory", None).unwrap_err(), Code::TooManyRooms);
    // What others have begun counts for them, and rooms are counted apart.
    join(dave, "@dave+mallory", None).unwrap();
    join(mallory, "@dave+mallory", None).unwrap();
    join(bob, "@bob+carol", None).unwrap();
    join(bob, "@bob+dave", None).unwrap();
    make(carol, "#tea", false);
    make(mallory, "#milk", false);
    assert_eq!(my_rooms(mallory).len(), 5);
}

#[test]
fn two_who_begin_the_same_conversation_at_the_same_moment_are_in_one() {
    let server = ServerProcess::start();
    let mut peers = [listening(&server, "alice"), listening(&server, "bob"), again(&server, "bob").0];
    for peer in &mut peers {
        peer.send(&ClientMessage::Join { room: TALK.into(), after: None });
    }
    for peer in &mut peers {
        peer.wait_for(|message| matches!(message, ServerMessage::CaughtUp { .. }));
    }
    say(&mut peers[0], TALK, "hello").unwrap();
    for peer in &mut peers {
        assert_eq!(in_words(&peer.wait_for(|message| is_in(message, TALK))), "alice: hello");
    }
}

#[test]
fn who_gets_a_name_that_was_someone_elses_gets_none_of_their_conversations() {
    let server = ServerProcess::start();
    let (mut alice, bob) = (listening(&server, "alice"), listening(&server, "bob"));
    join(&mut alice, TALK, None).unwrap();
    say(&mut alice, TALK, "for the first bob").unwrap();
    bob.leave();
    delete_account(&server, "bob");
    let mut next = listening(&server, "bob");
    assert_eq!(my_rooms(&mut next), ["#lobby"]);
    alice.wait_for(
        |message| matches!(message, ServerMessage::RoomRemoved { room, reason: Some(_) } if room == TALK),
    );
    let added = alice.wait_for(|message| matches!(message, ServerMessage::RoomAdded { .. }));
    let ServerMessage::RoomAdded { room: former, head: 1, .. } = added else { panic!("{added:?}") };
    assert_eq!(join(&mut next, &former, None).unwrap_err(), Code::NoSuchRoom);
    assert_eq!(words(&join(&mut next, TALK, None).unwrap()), [""; 0]);
    say(&mut next, TALK, "from the second bob").unwrap();
    assert_eq!(words(&join(&mut alice, &former, Some(0)).unwrap()), ["alice: for the first bob"]);
    assert_eq!(words(&join(&mut alice, TALK, Some(0)).unwrap()), ["bob: from the second bob"]);
    let server = server.kill_and_restart();
    assert_eq!(again(&server, "alice").1, ["#lobby", former.as_str(), TALK]);
    assert_eq!(again(&server, "bob").1, ["#lobby", TALK]);
}
