//! What was said is found by its words, newest first, by those who may read it and nobody else.
#![cfg(test)]

mod support;

use std::time::Instant;

use chat::wire::{
    self, BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, Code, Hit, MessageId, Place, RoomEvent, ServerMessage,
};
use support::{Peer, ServerProcess, eventually};

/// What was found, each as `#room number`, and where to go on.
type Found = (Vec<String>, Option<Place>);

fn ask(
    peer: &mut Peer,
    words: &str,
    room: Option<&str>,
    from: Option<Place>,
    count: Option<u16>,
) -> Result<Found, Code> {
    let (words, room) = (words.to_owned(), room.map(str::to_owned));
    peer.send(&ClientMessage::Search { room, words, from, count });
    loop {
        match peer.next() {
            ServerMessage::Found { hits, next, .. } => {
                let place = |hit: Hit| format!("{} {}", hit.room, hit.message.sequence);
                return Ok((hits.into_iter().map(place).collect(), next));
            }
            ServerMessage::RoomRefused { code, .. } => return Err(code),
            _ => {}
        }
    }
}

fn find(peer: &mut Peer, words: &str) -> Vec<String> {
    ask(peer, words, None, None, None).unwrap().0
}

/// Waits until the last thing that was said can be found.
fn wait_until_found(peer: &mut Peer, words: &str, place: &str) {
    eventually(&format!("{words} is found"), || {
        find(peer, words).iter().any(|found| found == place).then_some(())
    });
}

fn say_in(peer: &mut Peer, room: &str, kind: u16, body: Vec<u8>) -> (String, u64) {
    let id = MessageId::random().unwrap();
    peer.send(&ClientMessage::Say { room: room.into(), id, kind, body: body.into(), of: None });
    match peer.wait_for(|message| matches!(message, ServerMessage::Accepted { .. })) {
        ServerMessage::Accepted { room, sequence, .. } => (room, sequence),
        _ => unreachable!(),
    }
}

fn say(peer: &mut Peer, room: &str, text: &str) -> u64 {
    say_in(peer, room, BODY_TEXT, text.into()).1
}

fn change(peer: &mut Peer, room: &str, event: &RoomEvent) -> String {
    say_in(peer, room, BODY_ROOM_EVENT, wire::encode(event)).0
}

#[test]
fn one_finds_what_was_said_in_ones_rooms_newest_first_and_in_a_room_that_is_named() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    change(&mut alice, "#tea", &RoomEvent::Made { is_private: false });
    for (room, text) in [
        ("#lobby", "Does anyone drink green tea?"),
        ("#tea", "green tea is the best"),
        ("#tea", "black"),
        ("#lobby", "the build is green, have some tea"),
    ] {
        say(&mut alice, room, text);
    }
    wait_until_found(&mut alice, "build", "#lobby 2");
    assert_eq!(find(&mut alice, "green TEA"), ["#lobby 2", "#tea 2", "#lobby 1"]);
    assert_eq!(ask(&mut alice, "green tea", Some("#tea"), None, None).unwrap().0, ["#tea 2"]);
    assert_eq!(find(&mut alice, "green black"), [""; 0]);
    let (first, next) = ask(&mut alice, "green", None, None, Some(2)).unwrap();
    assert_eq!(first, ["#lobby 2", "#tea 2"]);
    assert_eq!(ask(&mut alice, "green", None, next, Some(2)).unwrap(), (vec!["#lobby 1".to_owned()], None));
}

#[test]
fn nothing_is_found_in_rooms_that_one_is_not_in_or_has_left() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let mut mallory = Peer::signed_up(server.link(), "mallory");
    change(&mut alice, "#tea", &RoomEvent::Made { is_private: false });
    let plans = change(&mut alice, "#plans", &RoomEvent::Made { is_private: true });
    say(&mut alice, "#tea", "the secret recipe");
    let secret = say(&mut alice, &plans, "the secret place");
    let place = format!("{plans} {secret}");
    wait_until_found(&mut alice, "secret", &place);
    assert_eq!(find(&mut mallory, "secret"), [""; 0]);
    assert_eq!(ask(&mut mallory, "secret", Some("#tea"), None, None), Err(Code::NotMember));
    for room in [plans.as_str(), "#plans.none", "#nothing", "no name"] {
        assert_eq!(ask(&mut mallory, "secret", Some(room), None, None), Err(Code::NoSuchRoom), "{room}");
    }
    change(&mut alice, &plans, &RoomEvent::Added { name: "mallory".into() });
    assert_eq!(find(&mut mallory, "secret"), std::slice::from_ref(&place));
    let from = Some(Place { room: plans.clone(), sequence: secret });
    assert_eq!(ask(&mut mallory, "secret", None, from.clone(), None).unwrap().0, [place]);
    change(&mut mallory, &plans, &RoomEvent::Left {});
    assert_eq!(find(&mut mallory, "secret"), [""; 0]);
    assert_eq!(ask(&mut mallory, "secret", None, from, None), Err(Code::StalePlace));
}

#[test]
fn a_place_to_go_on_that_is_none_is_refused() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    say(&mut alice, "#lobby", "hello");
    for (room, sequence) in [("#lobby", 0), ("#lobby", 2), ("#lobby", u64::MAX), ("#tea", 1), ("", 1)] {
        let from = Some(Place { room: room.into(), sequence });
        assert_eq!(ask(&mut alice, "hello", None, from, None), Err(Code::StalePlace), "{room} {sequence}");
    }
    // [41, {1: "hello", 2: {0: "#lobby", 1: -1}}]
    alice.send_content(b"\x82\x18\x29\xa2\x01\x65hello\x02\xa2\x00\x66#lobby\x01\x20").unwrap();
    assert!(matches!(alice.next(), ServerMessage::Refused { code: Code::Malformed, .. }));
}

#[test]
fn syntax_of_the_index_control_characters_and_endless_words_are_words_or_are_refused() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    say(&mut alice, "#lobby", "NEAR the OR body AND -minus");
    wait_until_found(&mut alice, "near", "#lobby 1");
    for words in ["", " ", "\"", "*", "-", "\0", "( ) :", &"x".repeat(16 * 1024), &"a ".repeat(8 * 1024)] {
        assert_eq!(ask(&mut alice, words, None, None, None), Err(Code::BadSearch), "{words:.20}");
    }
    for words in
        ["NEAR( the", "near*", "\"near", "body : near", "-minus", "the \0 or", "near and the", "^near"]
    {
        assert_eq!(find(&mut alice, words), ["#lobby 1"], "{words}");
    }
    for words in ["room : r1", "near NOT minus", "NEAR(the minus, 99)"] {
        assert_eq!(find(&mut alice, words), [""; 0], "{words}");
    }
}

#[test]
fn a_server_that_is_killed_while_it_gathers_or_that_has_lost_its_index_finds_everything_afterwards() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let last = (0..3000).map(|number| alice.say(&format!("number n{number}"))).last().unwrap();
    let last = format!("#lobby {}", alice.wait_until_accepted(last));
    let server = server.kill_and_restart();
    let mut alice = Peer::logged_in(server.link(), "alice");
    wait_until_found(&mut alice, "n2999", &last);
    assert_eq!(find(&mut alice, "number n0"), ["#lobby 1"]);
    assert_eq!(find(&mut alice, "n1500").len(), 1, "nothing is found twice");
    let mut server = server;
    server.signal("TERM");
    assert!(server.wait().success());
    std::fs::remove_file(server.data().join("search.db")).unwrap();
    let server = server.restart();
    let mut alice = Peer::logged_in(server.link(), "alice");
    wait_until_found(&mut alice, "n2999", &last);
    assert_eq!(find(&mut alice, "number n0"), ["#lobby 1"]);
}

#[test]
fn many_searches_at_once_hold_nobody_up() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) =
        (Peer::signed_up(server.link(), "alice"), Peer::signed_up(server.link(), "bob"));
    alice.join(None);
    let text = "the same words again and again ".repeat(20);
    let last = (0..2000).map(|_| bob.say(&text)).last().unwrap();
    bob.wait_until_accepted(last);
    wait_until_found(&mut bob, "same words", "#lobby 2000");
    let search =
        ClientMessage::Search { room: None, words: "same words ag".into(), from: None, count: Some(50) };
    let mut greedy = Peer::signed_up(server.link(), "greedy");
    greedy.send_content(&wire::encode(&search).repeat(500)).unwrap();
    let begin = Instant::now();
    bob.say("in between");
    alice.wait_for(|message| matches!(message, ServerMessage::Said { sequence: 2001, .. }));
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}
