//! What people try who are not meant to.

use super::*;
use chat::wire::{BODY_REACT, BODY_REMOVE};

#[test]
fn edit_of_anothers_message() {
    let server = ServerProcess::start();
    let (mut alice, mut mallory) = (talking(&server, "alice"), talking(&server, "mallory"));
    let number = say(&mut alice, "I never said that");
    assert_eq!(change(&mut mallory, number, &edit("I said that")), Err(Code::NotYours));
    assert_eq!(change(&mut mallory, number, &MessageChange::Remove), Err(Code::NotYours));
    assert_eq!(seen_now(&server, "alice"), [r#"1 alice 0 "I never said that""#]);
}

#[test]
fn messages_that_are_elsewhere_or_nowhere_or_can_not_be_changed() {
    let server = ServerProcess::start();
    let (mut alice, mut mallory) = (talking(&server, "alice"), talking(&server, "mallory"));
    make(&mut alice, "#tea");
    for text in ["one", "two", "three", "four"] {
        say_in(&mut alice, "#tea", BODY_TEXT, text, None).unwrap();
    }
    say(&mut mallory, "mine");
    let changes = [edit("x"), MessageChange::Remove, react("+1"), take_back("+1")];
    // The fourth message is in the other room only; the next one would be the change itself.
    for of in [0, 2, 4, 1 << 31, 1 << 62, i64::MAX.unsigned_abs() + 1, u64::MAX] {
        for change in &changes {
            assert_eq!(super::change(&mut mallory, of, change), Err(Code::NoSuchMessage), "{of}");
        }
        assert_eq!(answer(&mut mallory, "to nothing", of), Err(Code::NoSuchMessage), "{of}");
    }
    // What happens in a room, and changes themselves, are no messages that could be changed.
    let happened = say_in(&mut alice, "#tea", BODY_REMOVE, MessageChange::Remove.body(), Some(1));
    assert_eq!(happened, Err(Code::NoSuchMessage));
    let edited = change(&mut mallory, 1, &edit("still mine")).unwrap();
    for change in &changes {
        assert_eq!(super::change(&mut mallory, edited, change), Err(Code::NoSuchMessage));
    }
    for change in &changes {
        let of_nothing = say_in(&mut mallory, "#lobby", change.kind(), change.body(), None);
        assert_eq!(of_nothing, Err(Code::NoSuchMessage));
    }
    let picture = say_in(&mut mallory, "#lobby", 7, "a picture", None).unwrap();
    assert_eq!(change(&mut mallory, picture, &edit("a text")), Err(Code::NotText));
    assert_eq!(say(&mut alice, "and the server goes on"), 4);
}

#[test]
fn removal_twice() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (talking(&server, "alice"), talking(&server, "bob"));
    let number = say(&mut alice, "gone");
    change(&mut alice, number, &MessageChange::Remove).unwrap();
    for change in [MessageChange::Remove, edit("back"), react("+1"), take_back("+1")] {
        assert_eq!(super::change(&mut alice, number, &change), Err(Code::MessageRemoved));
    }
    answer(&mut bob, "what did you say?", number).unwrap();
}

#[test]
fn changes_in_flight_of_someone_who_has_just_left() {
    let server = ServerProcess::start();
    let (mut alice, mut mallory) = (talking(&server, "alice"), talking(&server, "mallory"));
    make(&mut alice, "#tea");
    change_room(&mut mallory, "#tea", &RoomEvent::Joined {}).unwrap();
    let number = say_in(&mut mallory, "#tea", BODY_TEXT, "mine", None).unwrap();
    let id = || MessageId::random().unwrap();
    // All in one record: the room was still theirs when the server took the last one in.
    let left = message("#tea", id(), BODY_ROOM_EVENT, wire::encode(&RoomEvent::Left {}), None);
    let mut record = wire::encode(&left);
    let changes = [edit("changed"), MessageChange::Remove, react("+1")].map(|change| {
        let id = id();
        record.extend(wire::encode(&message("#tea", id, change.kind(), change.body(), Some(number))));
        id
    });
    mallory.send_content(&record).unwrap();
    for id in changes {
        assert_eq!(outcome(&mut mallory, id), Err(Code::NotMember));
    }
    alice.send(&ClientMessage::Join { room: "#tea".into(), after: Some(number - 1) });
    let said = alice.wait_for(support::is_said);
    assert_eq!(in_short(&said), format!("{number} mallory 0 \"mine\""));
}

#[test]
fn hostile_reactions() {
    let server = ServerProcess::start();
    let mut mallory = talking(&server, "mallory");
    let number = say(&mut mallory, "look");
    let long = format!("+{}", "x".repeat(33));
    let hostile =
        ["+", "-", "1", "", "+\u{1b}[2J", "+\u{202e}live", "+a b", "+\n", "+\u{200d}", "+\u{3164}", &long];
    for body in hostile.iter().filter(|body| !body.is_empty()) {
        let refused = say_in(&mut mallory, "#lobby", BODY_REACT, *body, Some(number));
        assert_eq!(refused, Err(Code::BadBody), "{body:?}");
    }
    assert_eq!(say_in(&mut mallory, "#lobby", BODY_REACT, b"+\xff", Some(number)), Err(Code::BadBody));
    assert_eq!(say_in(&mut mallory, "#lobby", BODY_REMOVE, "spam", Some(number)), Err(Code::BadBody));
    assert_eq!(seen_now(&server, "mallory").len(), 1);
}

#[test]
fn ten_thousand_reactions() {
    const KEPT: usize = 20;
    let server = ServerProcess::start();
    let (mut alice, mut mallory) = (talking(&server, "alice"), talking(&server, "mallory"));
    let number = say(&mut alice, "look");
    for count in 0..10_000 {
        let shown = change(&mut mallory, number, &react(&format!("+{count}")));
        assert_eq!(shown.err(), (count >= KEPT).then_some(Code::TooManyReactions));
    }
    assert_eq!(change(&mut alice, number, &react("+1")).unwrap(), KEPT as u64 + 2, "others still can");
    assert_eq!(change(&mut mallory, number, &take_back("never")), Err(Code::NotNow));
    change(&mut mallory, number, &take_back("+0")).unwrap();
    assert_eq!(change(&mut mallory, number, &take_back("+0")), Err(Code::NotNow));
    change(&mut mallory, number, &react("again")).unwrap();
    assert_eq!(change(&mut mallory, number, &react("again")), Err(Code::TooManyReactions));
    change(&mut mallory, number, &take_back("+1")).unwrap();
    assert_eq!(change(&mut mallory, number, &react("again")), Err(Code::NotNow), "it is there");
    let server = server.kill_and_restart();
    let mut mallory = Peer::logged_in(server.link(), "mallory");
    change(&mut mallory, number, &react("last")).unwrap();
    assert_eq!(change(&mut mallory, number, &react("more")), Err(Code::TooManyReactions));
}
