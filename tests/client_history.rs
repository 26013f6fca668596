//! What was said before, as the client shows it.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use chat::wire::{BODY_TEXT, ClientMessage, MessageId, PastMessage, ServerMessage};
use client::{FakeServer, Home, NOON, Piped, Terminal};
use support::{Peer, ServerProcess, eventually};

/// A server on which so much was said in the lobby, and its link.
fn server_with(count: u64) -> (ServerProcess, Peer, String) {
    let server = ServerProcess::start();
    let mut bob = Peer::signed_up(server.link(), "bob");
    if let Some(last) = (1..=count).map(|number| bob.say(&format!("number {number}"))).last() {
        bob.wait_until_accepted(last);
    }
    let link = server.link().to_string();
    (server, bob, link)
}

/// What was said, of the lines that are shown: `number 7` as 7.
fn numbers(lines: &[&str]) -> Vec<u64> {
    lines.iter().filter_map(|line| line.split_once("number ")?.1.parse().ok()).collect()
}

#[test]
fn each_further_history_goes_further_back_until_the_room_begins_and_all_of_it_is_notes() {
    let (_server, _bob, link) = server_with(170);
    let home = Home::new();
    let typed = "/history 30\n/history\n/history\n/history\n";
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), typed).went_well();
    assert_eq!(numbers(&ended.said()), (121..=170).collect::<Vec<_>>(), "what comes to whoever enters");
    let notes = ended.notes();
    let past: Vec<u64> = [91..=120, 41..=90, 1..=40].into_iter().flatten().collect();
    assert_eq!(numbers(&notes), past);
    let day = format!("{}", jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).strftime("%F "));
    let first = notes.iter().find(|note| note.ends_with("number 41")).unwrap();
    assert!(first.starts_with(&day) && first.contains(" #lobby <bob> "), "{first}");
    for told in
        ["30 earlier messages of #lobby:", "that is where #lobby begins", "nothing was said in #lobby before"]
    {
        assert!(notes.iter().any(|note| note.starts_with(told)), "{told}: {notes:?}");
    }
}

#[test]
fn history_goes_on_where_it_was_after_a_restart_of_the_server() {
    let (server, bob, link) = server_with(120);
    let home = Home::new();
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_until_in();
    alice.write("/history 20\n");
    alice.wait_for_line("number 51");
    drop(bob);
    let server = server.kill_and_restart();
    Peer::logged_in(server.link(), "bob").say("afterwards");
    alice.wait_for_line("#lobby <bob> afterwards");
    alice.write("/history 20\n");
    alice.wait_for_line("number 50");
    let ended = alice.finish().went_well();
    assert_eq!(numbers(&ended.notes()), (51..=70).chain(31..=50).collect::<Vec<_>>());
}

#[test]
fn the_history_of_a_room_that_one_is_not_in_is_refused_and_nothing_else_is_lost() {
    let (_server, _bob, link) = server_with(3);
    let home = Home::new();
    let typed = "/history #plans\nstill here\n/history 1\n";
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), typed);
    ended.says(1, &[]);
    assert!(ended.notes().contains(&"the server says: there is no such room"), "{:?}", ended.notes());
    assert!(ended.said().contains(&"<alice> still here"));
}

#[test]
fn on_a_terminal_past_messages_stand_above_the_line_that_is_typed() {
    let (_server, _bob, link) = server_with(60);
    let home = Home::new();
    let mut terminal = Terminal::start_in(&home, (80, 24), "alice", &link, &["--signup"]);
    terminal.enter("/history 3");
    terminal.wait_for("#lobby <bob> number 10");
    terminal.wait_for("/history shows what was said before these");
    terminal.wait_for_row(">");
    terminal.enter("/quit");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn a_page_that_nobody_asked_for_is_not_shown_and_one_that_was_is_safe_to_print() {
    let fake = FakeServer::new();
    let link = fake.link().to_string();
    let served = fake.run(|fake| {
        let mut guest = fake.resident();
        let page = |author: &str, body: &str| ServerMessage::History {
            room: "#lobby".into(),
            messages: vec![PastMessage {
                sequence: u64::MAX,
                at: NOON,
                author: author.into(),
                id: MessageId::from_bytes([1; 16]),
                kind: BODY_TEXT,
                body: body.as_bytes().to_vec().into(),
                of: None,
                edited: None,
            }],
            more: true,
        };
        guest.send(&page("bob", "unasked"));
        assert!(matches!(guest.receive(), Some(ClientMessage::History { .. })));
        guest.send(&page("e\u{202e}ve\n12:00 #lobby <bob", "\u{1b}[2Jgone\r\nand more"));
        guest.see_off();
    });
    let home = Home::new();
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_until_in();
    alice.write("/history\n");
    alice.wait_for_line("gone⏎and more");
    let ended = alice.finish();
    assert!(!ended.stdout.contains("unasked"), "{}", ended.stdout);
    served.join().unwrap();
}

#[test]
fn a_search_shows_where_words_were_said_and_goes_on_further_back() {
    let (_server, mut bob, link) = server_with(30);
    let home = Home::new();
    eventually("all can be found", || {
        bob.send(&ClientMessage::Search { room: None, words: "number 30".into(), from: None, count: None });
        let found = bob.wait_for(|message| matches!(message, ServerMessage::Found { .. }));
        matches!(found, ServerMessage::Found { hits, .. } if hits.len() == 1).then_some(())
    });
    let typed = "/search number 29\n/search #lobby NUMB\n/search\n/search\n/search nothing at all\n/search #plans x\n";
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), typed);
    ended.says(1, &[]);
    let notes = ended.notes();
    assert_eq!(numbers(&notes), [29].into_iter().chain(11..=30).chain(1..=10).collect::<Vec<_>>());
    for told in [
        "\"number 29\" was said here:",
        "\"NUMB\" was said here (20 messages):",
        "/search looks further back",
        "there is nothing further back",
        "nobody has said \"nothing at all\"",
        "the server says: there is no such room",
    ] {
        assert!(notes.contains(&told), "{told}: {notes:?}");
    }
}
