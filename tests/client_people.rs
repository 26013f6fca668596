//! The client and people: who is away, who is who, and who comes and goes.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use chat::wire::{ClientMessage, ServerMessage};
use client::{FakeServer, Home, Piped, Terminal, said};
use support::{Peer, ServerProcess};

const AT: u64 = 1_795_170_840_000;

/// A server, and the words with which one gets there.
fn server() -> (ServerProcess, String) {
    let server = ServerProcess::start();
    let link = server.link().to_string();
    (server, link)
}

/// Waits for what is told of someone who is away, or back.
fn wait_for_presence(peer: &mut Peer, wanted: &str, why: Option<&str>) {
    peer.wait_for(|message| {
        matches!(message, ServerMessage::Presence { name, away } if name == wanted && away.as_deref() == why)
    });
}

/// Why someone is away, as the server has it.
fn away(peer: &mut Peer, name: &str) -> Option<String> {
    peer.send(&ClientMessage::WhoIs { name: name.into() });
    loop {
        if let ServerMessage::Person { card } = peer.next() {
            return card.away;
        }
    }
}

#[test]
fn who_is_away_is_so_until_they_say_something_and_comes_back_away_after_a_lost_connection() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_until_in();
    alice.write("/away  at lunch\n");
    alice.wait_for_line("! you are away: at lunch; saying something, or /back, ends it");
    wait_for_presence(&mut bob, "alice", Some("at lunch"));
    alice.write("/who\n");
    alice.wait_for_line("! 2 people are in #lobby: alice (away: at lunch), bob");
    let server = server.kill_and_restart();
    alice.wait_for_line("! the connection is back");
    let mut bob = Peer::logged_in(server.link(), "bob");
    bob.join(None);
    support::eventually("she is away again", || away(&mut bob, "alice").filter(|why| why == "at lunch"));
    alice.write("what did I miss?\n");
    alice.wait_for_line("! you are back");
    alice.write("/back\n");
    alice.wait_for_line("! you are not away");
    assert_eq!(away(&mut bob, "alice"), None);
    alice.finish().went_well();
}

#[test]
fn someone_who_is_back_on_one_device_is_back_on_all() {
    let (server, link) = server();
    let home = Home::new();
    let mut desk = Piped::start(home.client_as("alice", &link, &["--signup"]));
    desk.wait_until_in();
    desk.write("/away\n");
    desk.wait_for_line("! you are away; saying something, or /back, ends it");
    let mut phone = Piped::start(home.client_as("alice", &link, &[]));
    phone.wait_until_in();
    phone.write("hello from the train\n");
    phone.wait_for_line("! you are back");
    desk.wait_for_line("! you are back");
    let server = server.kill_and_restart();
    desk.wait_for_line("! the connection is back");
    let mut bob = Peer::signed_up(server.link(), "bob");
    assert_eq!(away(&mut bob, "alice"), None, "what another device has ended is not said again");
    for device in [desk, phone] {
        device.finish().went_well();
    }
}

#[test]
fn who_writes_to_someone_who_is_away_is_told_so_once() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    bob.send(&ClientMessage::SetAway { away: Some("\u{202e}lunch".into()) });
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_until_in();
    alice.write("/msg bob one\n/msg bob two\nin the lobby\n");
    alice.wait_for_line("! bob is away: \u{fffd}lunch");
    let ended = alice.finish().went_well();
    assert_eq!(ended.notes().iter().filter(|note| note.contains("away")).count(), 1, "{ended:?}");
}

#[test]
fn one_learns_who_someone_is_and_decides_what_others_learn() {
    let (server, link) = server();
    let home = Home::new();
    Peer::signed_up(server.link(), "bob").leave();
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.write("/whois Bob\n/whois nobody-of-this-name\n/lastseen off\n");
    alice.wait_for_line("! bob is in #lobby");
    alice.wait_for_line("! the server says: nobody here has that name");
    alice.wait_for_line("! others are not told when you were last here; /lastseen on changes that");
    let ended = alice.finish();
    assert!(ended.notes().iter().any(|note| note.starts_with("bob is not here; last seen 20")), "{ended:?}");
    assert!(ended.notes().contains(&"alice is online"));
    ended.says(1, &["1 message was not delivered"]);
    let mut bob = Peer::logged_in(server.link(), "bob");
    let gone = support::eventually("alice is gone", || {
        bob.send(&ClientMessage::WhoIs { name: "alice".into() });
        match bob.wait_for(|message| matches!(message, ServerMessage::Person { .. })) {
            ServerMessage::Person { card } => Some(card).filter(|card| !card.is_online),
            _ => None,
        }
    });
    assert_eq!(gone.last_seen, None);
}

#[test]
fn many_who_come_are_one_line_on_a_terminal_and_a_line_each_in_a_pipe() {
    let arrive = |guest: &mut client::Guest| {
        for number in 0..16 {
            let (room, name) = ("#lobby".to_owned(), format!("p{number}"));
            guest.send(&ServerMessage::Arrived { room, name, at: AT });
        }
        // Who is back at once is not told.
        for message in ["p0", "p1"].map(str::to_owned) {
            guest.send(&ServerMessage::Left { room: "#lobby".into(), name: message.clone(), at: AT });
            guest.send(&ServerMessage::Arrived { room: "#lobby".into(), name: message, at: AT });
        }
        guest.send(&said(1, "p3", "a full house"));
    };
    let (home, fake) = (Home::new(), FakeServer::new());
    let link = fake.link().to_string();
    let served = fake.run(move |fake| {
        let mut guest = fake.resident();
        arrive(&mut guest);
        while guest.receive().is_some() {}
    });
    let mut terminal = Terminal::start_in(&home, (80, 24), "alice", &link, &[]);
    terminal.wait_for("<p3> a full house");
    let rows = terminal.rows();
    let joined: Vec<_> = rows.iter().filter(|row| row.contains("joined")).collect();
    assert_eq!(joined.len(), 5, "{rows:?}");
    assert!(joined[4].ends_with("#lobby * p4, p5 and 10 others joined"), "{rows:?}");
    assert!(!terminal.contents().contains("left"));
    terminal.enter("/quit");
    assert_eq!(terminal.wait(), 0);
    served.join().unwrap();

    let (home, fake) = (Home::new(), FakeServer::new());
    let link = fake.link().to_string();
    let served = fake.run(move |fake| {
        let mut guest = fake.resident();
        arrive(&mut guest);
        while guest.receive().is_some() {}
    });
    let alice = Piped::start(home.client_as("alice", &link, &[]));
    alice.wait_for_line("<p3> a full house");
    let ended = alice.finish();
    let count = |what: &str| ended.lines().iter().filter(|line| line.ends_with(what)).count();
    assert_eq!((count("joined"), count("left")), (18, 2), "{ended:?}");
    served.join().unwrap();
}

#[test]
fn who_comes_back_after_the_server_was_restarted_is_not_told_to_come() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let mut terminal = Terminal::start_in(&home, (80, 24), "alice", &link, &["--signup"]);
    let server = server.kill_and_restart();
    terminal.wait_for("the connection is back");
    let mut bob = Peer::logged_in(server.link(), "bob");
    bob.join(None);
    bob.say("here again");
    terminal.wait_for("<bob> here again");
    let contents = terminal.contents();
    assert!(!contents.contains("joined") && !contents.contains("left"), "{contents}");
    terminal.enter("/quit");
    assert_eq!(terminal.wait(), 0);
}
