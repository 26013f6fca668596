//! What comes of changes: for those who are there, for those who come later, and when they are sent again.

use super::*;
use chat::names::MESSAGE_BYTES_MAX;
use support::is_said;

#[test]
fn everything_said_about_a_message_has_a_place_of_its_own_and_who_comes_later_finds_it_done() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (talking(&server, "alice"), talking(&server, "bob"));
    let mut carol = talking(&server, "carol");
    say(&mut alice, "teh tea is ready");
    answer(&mut bob, "coming", 1).unwrap();
    change(&mut alice, 1, &edit("the tea is ready")).unwrap();
    change(&mut bob, 1, &react("+1")).unwrap();
    change(&mut bob, 1, &take_back("+1")).unwrap();
    say(&mut bob, "never mind");
    change(&mut bob, 6, &MessageChange::Remove).unwrap();
    change(&mut alice, 1, &edit("the tea is cold")).unwrap();
    let heard: Vec<_> = (0..8).map(|_| in_short(&carol.wait_for(is_said))).collect();
    let live = [
        r#"1 alice 0 "teh tea is ready""#,
        r#"2 bob 0 "coming" of 1"#,
        r#"3 alice 8001 "the tea is ready" of 1"#,
        r#"4 bob 8003 "++1" of 1"#,
        r#"5 bob 8003 "-+1" of 1"#,
        r#"6 bob 0 "never mind""#,
        "7 bob 8002 \"\u{fffd}\" of 6",
        r#"8 alice 8001 "the tea is cold" of 1"#,
    ];
    assert_eq!(heard, live);
    let later = [
        r#"1 alice 0 "the tea is cold" edited"#,
        live[1],
        r#"3 alice 8001 "the tea is cold" of 1"#,
        live[3],
        live[4],
        r#"6 bob 8004 "bob""#,
        live[6],
        live[7],
    ];
    assert_eq!(seen_now(&server, "alice"), later);
    assert_eq!(past(&mut alice), later);
    let server = server.kill_and_restart();
    assert_eq!(seen_now(&server, "bob"), later);
}

#[test]
fn what_is_sent_again_after_a_lost_connection_is_accepted_again_and_done_once() {
    let server = ServerProcess::start();
    let mut alice = talking(&server, "alice");
    say(&mut alice, "one");
    let changes = [edit("two"), react("👍"), take_back("👍"), MessageChange::Remove];
    let sent = changes.map(|change| {
        let id = MessageId::random().unwrap();
        (id, message("#lobby", id, change.kind(), change.body(), Some(1)))
    });
    let mut places = Vec::new();
    for (id, message) in &sent {
        alice.send(message);
        places.push(outcome(&mut alice, *id).unwrap());
    }
    assert_eq!(places, [2, 3, 4, 5]);
    let before = seen_now(&server, "alice");
    let server = server.kill_and_restart();
    let mut alice = Peer::logged_in(server.link(), "alice");
    for ((id, message), place) in sent.iter().zip(places) {
        alice.send(message);
        assert_eq!(outcome(&mut alice, *id), Ok(place));
    }
    assert_eq!(seen_now(&server, "alice"), before);
}

#[test]
fn two_devices_of_one_person_change_each_others_messages_and_both_hear_of_it() {
    let server = ServerProcess::start();
    let mut desk = talking(&server, "alice");
    let mut phone = Peer::logged_in(server.link(), "alice");
    phone.join(None);
    let number = say(&mut desk, "from the desk");
    change(&mut phone, number, &edit("from the phone")).unwrap();
    for device in [&mut desk, &mut phone] {
        let heard = device.wait_for(|message| matches!(message, ServerMessage::Said { of: Some(1), .. }));
        assert_eq!(in_short(&heard), r#"2 alice 8001 "from the phone" of 1"#);
    }
}

#[test]
fn the_longest_message_can_be_edited_to_the_longest_and_no_longer_one() {
    let server = ServerProcess::start();
    let mut alice = talking(&server, "alice");
    let number = say(&mut alice, &"x".repeat(MESSAGE_BYTES_MAX));
    let longest = "é".repeat(MESSAGE_BYTES_MAX / 2);
    change(&mut alice, number, &edit(&longest)).unwrap();
    assert_eq!(change(&mut alice, number, &edit(&format!("{longest}!"))), Err(Code::BadBody));
    assert!(seen_now(&server, "alice")[0].contains(&longest));
}

#[test]
fn an_operator_removes_what_others_have_said_and_leaves_a_mark() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (talking(&server, "alice"), talking(&server, "bob"));
    let mut root = talking_admin(&server, "root1");
    make(&mut alice, "#tea");
    change_room(&mut bob, "#tea", &RoomEvent::Joined {}).unwrap();
    let removal = |peer: &mut Peer, room: &str, of| {
        say_in(peer, room, wire::BODY_REMOVE, MessageChange::Remove.body(), Some(of))
    };
    let bobs = say_in(&mut bob, "#tea", BODY_TEXT, "spam", None).unwrap();
    let alices = say_in(&mut alice, "#tea", BODY_TEXT, "tea", None).unwrap();
    assert_eq!(removal(&mut bob, "#tea", alices), Err(Code::NotYours));
    assert_eq!(removal(&mut root, "#tea", bobs), Err(Code::NotMember), "an admin rules the lobby");
    removal(&mut alice, "#tea", bobs).unwrap();
    alice.send(&ClientMessage::Join { room: "#tea".into(), after: Some(2) });
    let mark = alice.wait_for(|message| matches!(message, ServerMessage::Said { sequence: 3, .. }));
    assert_eq!(in_short(&mark), r#"3 bob 8004 "alice""#);
    let number = say(&mut bob, "spam");
    assert_eq!(removal(&mut alice, "#lobby", number), Err(Code::NotYours));
    removal(&mut root, "#lobby", number).unwrap();
    assert_eq!(seen_now(&server, "alice")[0], r#"1 bob 8004 "root1""#);
}
