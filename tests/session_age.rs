//! A session that gets old is replaced, and nobody notices: neither who types, nor who reads, nor who is in the room.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::io::ErrorKind;

use chat::link::Link;
use chat::wire::{Code, MessageId, ServerMessage};
use client::{FakeServer, Guest, Home, Piped, Terminal, said};
use support::{Peer, ServerProcess, body, eventually, is_said};

/// A session becomes no older than a second.
const SHORT: [&str; 2] = ["--limit", "session-seconds=1"];

/// Long lists, of which a failing test shows where they part.
fn assert_same<A: AsRef<str>, B: AsRef<str>>(left: &[A], right: &[B]) {
    let part = (0..left.len().max(right.len()))
        .find(|place| left.get(*place).map(AsRef::as_ref) != right.get(*place).map(AsRef::as_ref));
    if let Some(part) = part {
        let near = |length: usize| part.saturating_sub(3).min(length)..(part + 5).min(length);
        let left: Vec<_> = left[near(left.len())].iter().map(AsRef::as_ref).collect();
        let right: Vec<_> = right[near(right.len())].iter().map(AsRef::as_ref).collect();
        panic!("they part at {part}: {left:?} and {right:?}");
    }
}

/// How often someone has logged in.
fn logins(server: &ServerProcess, name: &str) -> usize {
    server.log().matches(&format!("logged in name={name} ")).count()
}

#[test]
fn a_conversation_goes_on_over_many_sessions_without_a_gap_a_repetition_or_anyone_coming_or_going() {
    let server = ServerProcess::start();
    let link = server.link().to_string();
    let homes = [Home::new(), Home::new(), Home::new()];
    // Bob's device is remembered, so that he comes back by its key, and Alice by her password.
    let file = homes[1].password_file();
    let bob_signs_up = ["--user", "bob", "--signup", "--password-file", &file];
    Piped::run(homes[1].remembered_client(&[&[link.as_str()][..], &bob_signs_up].concat()), "").went_well();

    let carol = Piped::start(homes[2].client_as("carol", &link, &["--signup"]));
    carol.wait_until_in();
    let mut alice = Piped::start(homes[0].client_as("alice", &link, &[&["--signup"][..], &SHORT].concat()));
    alice.wait_until_in();
    let mut bob = Piped::start(homes[1].remembered_client(&[&[link.as_str()][..], &SHORT].concat()));
    bob.wait_until_in();
    carol.wait_for_line("#lobby * bob joined");

    let mut sent = 0;
    while logins(&server, "alice") < 6 || logins(&server, "bob") < 7 {
        for number in sent..sent + 40 {
            alice.write(format!("a{number}\n"));
            bob.write(format!("b{number}\n"));
        }
        sent += 40;
        for client in [&alice, &bob, &carol] {
            client.wait_for_line(&format!("<alice> a{}", sent - 1));
            client.wait_for_line(&format!("<bob> b{}", sent - 1));
        }
    }
    let (alice, bob) = (alice.finish().went_well(), bob.finish().went_well());
    carol.wait_for_line("#lobby * alice left");
    carol.wait_for_line("#lobby * bob left");
    let carol = carol.finish().went_well();
    let of = |letter: &'static str| (0..sent).map(move |number| format!("{letter}{number}"));
    for (name, letter) in [("alice", "a"), ("bob", "b")] {
        let start = format!("<{name}> ");
        let heard: Vec<_> = carol.said().into_iter().filter_map(|line| line.strip_prefix(&start)).collect();
        assert_same(&heard, &of(letter).collect::<Vec<_>>());
    }
    for ended in [&alice, &bob] {
        assert_same(&ended.said(), &carol.said());
        assert_eq!(ended.notes().len(), 1, "only the greeting: {:?}", ended.notes());
    }
    let comings: Vec<_> = carol.lines().into_iter().filter(|line| line.starts_with("#lobby *")).collect();
    let mut leaving = comings[2..].to_vec();
    leaving.sort_unstable();
    assert_eq!(comings[..2], ["#lobby * alice joined", "#lobby * bob joined"]);
    assert_eq!(leaving, ["#lobby * alice left", "#lobby * bob left"]);
}

#[test]
fn what_is_being_typed_stays_on_the_line_and_nothing_else_appears() {
    let server = ServerProcess::start();
    let (home, link) = (Home::new(), server.link().to_string());
    let mut terminal =
        Terminal::start_in(&home, (80, 24), "alice", &link, &[&["--signup"][..], &SHORT].concat());
    terminal.press("half a");
    terminal.wait_for_row("> half a");
    let before = terminal.rows();
    eventually("the session was renewed twice", || (logins(&server, "alice") >= 3).then_some(()));
    assert_eq!(terminal.rows(), before);
    terminal.enter(" line");
    terminal.wait_for("<alice> half a line");
    terminal.enter("/quit");
    assert_eq!(terminal.wait(), 0);
}

fn start(home: &Home, server: &FakeServer) -> Piped {
    Piped::start(home.client_as("alice", &server.link().to_string(), &SHORT))
}

fn caught_up(guest: &mut Guest, sequence: u64) {
    guest.send(&ServerMessage::CaughtUp { room: "#lobby".into(), sequence });
}

/// The client has moved, and says goodbye to the session before.
fn finish(client: Piped, present: Guest) -> client::Ended {
    let seeing_off = std::thread::spawn(|| present.see_off());
    let ended = client.finish().went_well();
    seeing_off.join().unwrap();
    ended
}

#[test]
fn what_both_sessions_tell_is_shown_once_and_what_was_not_answered_is_said_again_on_the_new_one() {
    let (home, server) = (Home::new(), FakeServer::new());
    let mut client = start(&home, &server);
    let mut old = server.resident();
    client.wait_until_in();
    client.write("hello\n");
    let (id, text) = old.receive_said();
    assert_eq!(text, "hello");

    // The new session asks after what had been shown, and more is shown before it is let in.
    let mut new = server.member();
    old.send(&said(1, "bob", "one"));
    client.wait_for_line("<bob> one");
    new.let_in(0, 2);
    new.send(&said(1, "bob", "one"));
    new.send(&said(2, "bob", "two"));
    client.wait_for_line("<bob> two");
    // What the old one still brings is not lost, nor shown again; who comes now is not missed.
    old.send(&said(2, "bob", "two"));
    old.send(&said(3, "bob", "three"));
    old.send(&ServerMessage::Arrived { room: "#lobby".into(), name: "dave".into(), at: client::NOON });
    client.wait_for_line("#lobby * dave joined");
    new.send(&said(3, "bob", "three"));
    assert_eq!(new.receive_said(), (id, "hello".into()));
    caught_up(&mut new, 3);
    assert!(old.receive().is_none(), "a goodbye, once the new one has caught up");
    new.send(&ServerMessage::Accepted { id, room: "#lobby".into(), sequence: 4, at: 0 });
    let mut mine = said(4, "alice", "hello");
    if let ServerMessage::Said { id: own, .. } = &mut mine {
        *own = id;
    }
    new.send(&mine);
    client.wait_for_line("<alice> hello");
    let ended = finish(client, new);
    assert_eq!(ended.said(), ["<bob> one", "<bob> two", "<bob> three", "<alice> hello"]);
    assert_eq!(ended.notes().len(), 1, "{ended:?}");
}

#[test]
fn when_no_new_session_can_be_had_the_old_one_goes_on_and_it_is_tried_again() {
    let (home, server) = (Home::new(), FakeServer::new());
    let client = start(&home, &server);
    let mut old = server.resident();
    client.wait_until_in();
    // Hung up on, a login refused, a room refused, hung up on in the room's door, closed.
    drop(server.stream());
    old.send(&said(1, "bob", "one"));
    let mut refused = server.try_guest().unwrap();
    refused.welcome();
    refused.login_name();
    let (code, text) = (Code::WrongNameOrPassword, "no".to_owned());
    refused.send(&ServerMessage::Refused { code, text: text.clone(), id: None, retry_after: None });
    let mut refused = server.member();
    refused.send(&ServerMessage::Refused { code: Code::NoSuchRoom, text, id: None, retry_after: None });
    assert!(refused.receive().is_none());
    drop(server.member());
    let mut closing = server.member();
    closing.send(&ServerMessage::Closing { code: Code::ShuttingDown, text: "bye".into() });
    closing.say_goodbye();
    old.send(&said(2, "bob", "two"));
    let mut new = server.member();
    new.let_in(2, 2);
    caught_up(&mut new, 2);
    assert!(old.receive().is_none());
    let ended = finish(client, new);
    assert_eq!(ended.said(), ["<bob> one", "<bob> two"]);
    assert_eq!(ended.notes().len(), 1, "{ended:?}");
}

#[test]
fn when_the_new_session_breaks_before_it_has_caught_up_the_old_one_takes_over_again() {
    let (home, server) = (Home::new(), FakeServer::new());
    let mut client = start(&home, &server);
    let mut old = server.resident();
    client.wait_until_in();
    let mut new = server.member();
    new.let_in(0, 0);
    client.write("hello\n");
    let (id, _) = new.receive_said();
    drop(new);
    assert_eq!(old.receive_said(), (id, "hello".into()));
    let mut mine = said(1, "alice", "hello");
    if let ServerMessage::Said { id: own, .. } = &mut mine {
        *own = id;
    }
    old.send(&mine);
    client.wait_for_line("<alice> hello");
    let ended = finish(client, old);
    assert_eq!(ended.notes().len(), 1, "{ended:?}");
}

#[test]
fn when_the_old_session_breaks_meanwhile_the_client_comes_back_as_ever() {
    let (home, server) = (Home::new(), FakeServer::new());
    let client = start(&home, &server);
    let old = server.resident();
    client.wait_until_in();
    let new = server.member();
    drop(old);
    client.wait_for_line("trying to come back");
    new.see_off();
    let mut again = server.resident();
    client.wait_for_line("! the connection is back");
    again.send(&said(1, "bob", "one"));
    client.wait_for_line("<bob> one");
    finish(client, again);
}

#[test]
fn a_log_that_was_replaced_is_followed_from_the_place_that_the_server_says() {
    let (home, server) = (Home::new(), FakeServer::new());
    let client = start(&home, &server);
    let mut old = server.resident();
    for sequence in 1..=5 {
        old.send(&said(sequence, "bob", format!("old {sequence}")));
    }
    client.wait_for_line("<bob> old 5");
    let mut new = server.member();
    new.let_in(0, 1);
    new.send(&said(1, "bob", "new 1"));
    client.wait_for_line("<bob> new 1");
    caught_up(&mut new, 1);
    assert!(old.receive().is_none());
    finish(client, new);
}

#[test]
fn who_is_leaving_begins_no_new_session() {
    let (home, server) = (Home::new(), FakeServer::new());
    let mut client = start(&home, &server);
    let mut old = server.resident();
    client.write("hello\n");
    old.receive_said();
    client.end_input();
    // It waits for the answer, longer than a session lasts, and says goodbye on the session that it has.
    assert!(old.receive().is_none());
    drop(old);
    client.wait().says(1, &["1 message was not delivered"]);
    let listener = server.into_listener();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn bounds_of_a_client_are_told_when_they_are_none() {
    let home = Home::new();
    let link = Link::to_host("127.0.0.1", 1).to_string();
    for (limit, told) in [
        ("session-seconds=86401", "session-seconds must be from 1 to 86400"),
        ("rekey-frames=65537", "rekey-frames must be from 1 to 65536"),
        (
            "connections=5",
            "there are session-seconds, silence-seconds, rekey-frames, rekey-bytes and rekey-seconds",
        ),
        ("session-seconds", "write NAME=VALUE"),
    ] {
        Piped::run(home.client_as("alice", &link, &["--limit", limit]), "").says(2, &[told]);
    }
}

#[test]
fn an_id_that_is_said_on_two_sessions_at_once_is_said_once() {
    let server = ServerProcess::start();
    let mut peers = [Peer::signed_up(server.link(), "alice"), Peer::logged_in(server.link(), "alice")];
    let mut reader = Peer::signed_up(server.link(), "bob");
    reader.join(None);
    let ids: Vec<_> = (0..200).map(|_| MessageId::random().unwrap()).collect();
    for (number, id) in ids.iter().enumerate() {
        for peer in &mut peers {
            peer.say_as(*id, &number.to_string());
        }
    }
    for (number, _) in ids.iter().enumerate() {
        let heard = reader.wait_for(is_said);
        assert_eq!(body(&heard), number.to_string());
    }
}
