//! Connections that die: both ends notice without a word, the person sees how it stands and can hurry, what was said
//! meanwhile comes once, and the session that one has lost is in nobody's way.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use chat::channel::ChannelError;
use chat::link::Link;
use chat::wire::{ClientMessage, Code, ServerMessage};
use client::{Home, Piped, Terminal, Unit, Wiretap};
use support::{Heard, Peer, ServerProcess, eventually};

/// Pings every second, and takes who is silent for long as gone.
fn server_that_pings(silence: &str) -> ServerProcess {
    ServerProcess::with_limits(&["ping-seconds=1", silence])
}

#[test]
fn a_connection_that_dies_without_a_word_is_noticed_on_both_ends_and_by_nobody_else() {
    let server = server_that_pings("silence-seconds=8");
    let (alices, bobs) = (Home::new(), Home::new());
    let mut bob = Piped::start(bobs.client_as("bob", &server.link().to_string(), &["--signup"]));
    bob.wait_until_in();
    let is_dead = Arc::new(AtomicBool::new(false));
    let swallows = Arc::clone(&is_dead);
    let wiretap = Wiretap::before(server.address(), move |unit: Unit, bytes| {
        while unit.connection == 0 && swallows.load(Ordering::Acquire) {
            thread::park(); // nothing goes through any more, nor that an end was closed
        }
        Some(bytes)
    });
    let link = wiretap.link_to(server.link());
    let limit = ["--signup", "--limit", "silence-seconds=4"];
    let mut alice = Piped::start(alices.client_as("alice", &link, &limit));
    alice.wait_until_in();
    bob.wait_for_line("#lobby * alice joined");
    is_dead.store(true, Ordering::Release);
    bob.write("can you hear me?\n");
    alice.write("now I can\n");
    alice.wait_for_line(
        "! the connection is lost (the server has been silent for too long); trying to come back",
    );
    alice.wait_for_line("! the connection is back");
    alice.wait_for_line("#lobby <alice> now I can");
    eventually("the server has noticed", || server.log().contains("nothing heard for").then_some(()));
    bob.write("all the time?\n");
    alice.wait_for_line("<bob> all the time?");
    let said = ["<bob> can you hear me?", "<alice> now I can", "<bob> all the time?"];
    assert_eq!(alice.finish().went_well().said(), said);
    bob.wait_for_line("#lobby * alice left");
    let bob = bob.finish().went_well();
    let about_alice: Vec<_> = bob.lines().into_iter().filter(|line| line.contains("* alice")).collect();
    assert_eq!(
        about_alice,
        ["#lobby * alice joined", "#lobby * alice left"],
        "on one connection or the other"
    );
}

#[test]
fn a_computer_that_slept_comes_back_and_shows_what_was_said_meanwhile_once() {
    let server = server_that_pings("silence-seconds=2");
    let link = server.link().to_string();
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let home = Home::new();
    let alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_until_in();
    alice.signal("STOP");
    bob.wait_for(|message| matches!(message, ServerMessage::Left { name, .. } if name == "alice"));
    for number in 0..100 {
        let id = bob.say(&number.to_string());
        bob.wait_until_accepted(id);
    }
    alice.signal("CONT");
    alice.wait_for_line("! the connection is back");
    alice.wait_for_line("<bob> 99");
    let expected: Vec<_> = (0..100).map(|number| format!("<bob> {number}")).collect();
    assert_eq!(alice.finish().went_well().said(), expected);
}

#[test]
fn the_wait_for_the_next_try_is_counted_down_in_its_row_and_enter_ends_it() {
    let server = ServerProcess::start();
    let is_cut = Arc::new(AtomicBool::new(false));
    let cuts = Arc::clone(&is_cut);
    let wiretap = Wiretap::before(server.address(), move |_, bytes| {
        Some(bytes).filter(|_| !cuts.load(Ordering::Acquire))
    });
    let home = Home::new();
    let link = wiretap.link_to(server.link());
    let mut terminal = Terminal::start_in(&home, (80, 24), "alice", &link, &["--signup"]);
    is_cut.store(true, Ordering::Release);
    terminal.enter("hello");
    terminal.wait_for("(trying again in 8 s) >");
    terminal.press("half");
    terminal.wait_for("(trying again in 7 s) > half");
    let rows = terminal.rows();
    assert_eq!(rows.iter().filter(|row| row.contains("trying again")).count(), 1, "{rows:?}");
    assert!(rows.len() <= 4, "it does not fill the screen: {rows:?}");
    is_cut.store(false, Ordering::Release);
    terminal.press("\x15\r");
    terminal.wait_for("the connection is back");
    let rows = terminal.rows();
    assert!(!rows.iter().any(|row| row.contains("trying again")), "{rows:?}");
    terminal.wait_for("<alice> hello");
    terminal.enter("/quit");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn who_asks_for_another_connection_gets_it_and_nothing_is_lost_or_said_twice() {
    let server = ServerProcess::start();
    let home = Home::new();
    let typed = "one\n/reconnect\ntwo\n/reconnect\n/reconnect\nthree\n";
    let mut alice = Piped::start(home.client_as("alice", &server.link().to_string(), &["--signup"]));
    alice.wait_until_in();
    alice.write(typed);
    alice.wait_for_line("<alice> three");
    let ended = alice.finish().went_well();
    assert_eq!(ended.said(), ["<alice> one", "<alice> two", "<alice> three"]);
    let notes = ended.notes().join("\n");
    assert!(notes.contains("the connection is lost (as you asked)"), "{notes}");
}

/// Connects, if the server has room.
fn try_connect(link: &Link) -> Option<Peer> {
    match Peer::try_connect(link) {
        Ok(peer) => Some(peer),
        Err(ChannelError::Full) => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_session_that_one_has_lost_gives_way_where_there_is_no_other_place() {
    let server =
        ServerProcess::with_limits(&["connections-per-address=1", "ping-seconds=1", "silence-seconds=60"]);
    let mut ghost = Peer::signed_up(server.link(), "alice"); // answers no ping from now on
    let mut alice = eventually("there is room again", || try_connect(server.link()));
    assert!(matches!(alice.next(), ServerMessage::Welcome { .. }));
    assert!(matches!(alice.log_in("alice", support::PASSWORD), ServerMessage::LoggedIn { .. }));
    let (last, end) = ghost.hear_out();
    let told =
        last.iter().any(|message| matches!(message, ServerMessage::Closing { code: Code::GaveWay, .. }));
    assert!(told && end == Heard::Goodbye, "{last:?} {end:?}");
}

#[test]
fn who_answers_pings_keeps_their_place() {
    let server =
        ServerProcess::with_limits(&["connections-per-address=1", "ping-seconds=1", "silence-seconds=60"]);
    let mut alice = Peer::signed_up(server.link(), "alice");
    for _ in 0..4 {
        while alice.hear_everything() != Heard::Message(ServerMessage::Ping {}) {}
        alice.send(&ClientMessage::Pong {});
        assert!(try_connect(server.link()).is_none());
    }
    alice.join(None);
}
