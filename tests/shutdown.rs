//! The server is told to stop: everyone is told goodbye, what was accepted is kept, and it is over soon.
#![cfg(test)]

mod support;

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use chat::wire::{ClientMessage, Code, ServerMessage};
use support::{Heard, PASSWORD, PROGRAM, Peer, ServerProcess, body, eventually, secret};

/// What an operator, or the program that stops services, waits for.
const SOON: Duration = Duration::from_secs(5);

fn assert_told_goodbye(peer: &mut Peer) {
    let (last, end) = peer.hear_out();
    assert!(matches!(last.last(), Some(ServerMessage::Closing { code: Code::ShuttingDown, .. })), "{last:?}");
    assert_eq!(end, Heard::Goodbye);
}

#[test]
fn both_signals_end_it_with_success_and_everyone_is_told_goodbye() {
    for signal in ["TERM", "INT"] {
        let mut server = ServerProcess::start();
        let mut alice = Peer::signed_up(server.link(), "alice");
        alice.join(None);
        let mut silent = Peer::signed_up(server.link(), "silent");
        let mut stranger = Peer::connect(server.link());
        server.signal(signal);
        assert!(server.wait_within(SOON).success(), "{signal}: {}", server.log());
        assert_told_goodbye(&mut alice);
        assert_told_goodbye(&mut silent);
        assert_told_goodbye(&mut stranger);
        assert!(TcpStream::connect(server.address()).is_err());
    }
}

#[test]
fn what_was_sent_before_is_accepted_or_not_but_what_was_accepted_is_there_again_at_once_on_the_same_port() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    for n in 0..300 {
        alice.say(&n.to_string());
    }
    alice.wait_for(|message| matches!(message, ServerMessage::Accepted { .. }));
    let server = server.stop_and_restart();
    let (last, end) = alice.hear_out();
    let is_accepted = |message: &&ServerMessage| matches!(message, ServerMessage::Accepted { .. });
    let accepted = 1 + last.iter().filter(is_accepted).count();
    assert!(matches!(last.last(), Some(ServerMessage::Closing { code: Code::ShuttingDown, .. })), "{last:?}");
    assert_eq!(end, Heard::Goodbye);
    let log = Peer::logged_in(server.link(), "alice").join(Some(0));
    let expected: Vec<_> = (0..accepted).map(|n| n.to_string()).collect();
    assert_eq!(log.iter().map(body).collect::<Vec<_>>(), expected);
}

#[test]
fn who_does_not_read_does_not_keep_it_from_stopping() {
    let mut server = ServerProcess::with_limits(&["outbox-bytes=65536"]);
    let mut talker = Peer::signed_up(server.link(), "talker");
    talker.join(None);
    let mut deaf = Peer::signed_up(server.link(), "deaf");
    deaf.join(None);
    let text = "x".repeat(16_000);
    for _ in 0..600 {
        talker.say(&text);
        talker.wait_for(support::is_said);
    }
    server.signal("TERM");
    assert!(server.wait_within(SOON).success(), "{}", server.log());
    assert_told_goodbye(&mut talker);
    let (heard, _) = deaf.hear_out();
    let places: Vec<_> =
        heard.iter().filter(|message| support::is_said(message)).map(support::sequence).collect();
    assert_eq!(places, (1..=places.len() as u64).collect::<Vec<_>>(), "what still came is in order");
}

#[test]
fn logins_in_progress_do_not_keep_it_from_stopping() {
    let mut server = ServerProcess::start();
    Peer::signed_up(server.link(), "alice").leave();
    let peers: Vec<_> = (0..40)
        .map(|_| {
            let mut peer = Peer::connect(server.link());
            peer.send(&ClientMessage::LogIn { name: "alice".into(), password: secret(PASSWORD) });
            peer
        })
        .collect();
    server.signal("TERM");
    assert!(server.wait_within(SOON).success(), "{}", server.log());
    for mut peer in peers {
        peer.hear_out();
    }
}

#[test]
fn handshakes_that_are_not_done_do_not_keep_it_from_stopping() {
    let mut server = ServerProcess::start();
    let quiet: Vec<_> = (0..20).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    Peer::connect(server.link()); // so that all of them were accepted
    server.signal("TERM");
    assert!(server.wait_within(SOON).success(), "{}", server.log());
    drop(quiet);
}

#[test]
fn newcomers_that_never_cease_do_not_keep_it_from_stopping() {
    let mut server = ServerProcess::start();
    let address = server.address();
    let storms: Vec<_> =
        (0..4).map(|_| thread::spawn(move || while TcpStream::connect(address).is_ok() {})).collect();
    let threads = server.threads();
    eventually("some of them are served", || (server.threads() > threads).then_some(()));
    server.signal("TERM");
    assert!(server.wait_within(SOON).success(), "{}", server.log());
    for storm in storms {
        storm.join().unwrap();
    }
}

#[test]
fn a_second_signal_does_not_cut_the_end_short() {
    let mut server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    for signal in ["INT", "INT", "TERM"] {
        server.signal(signal);
    }
    assert!(server.wait_within(SOON).success(), "{}", server.log());
    assert_told_goodbye(&mut alice);
}

/// `chat server 2>&1 | tee log`, and Ctrl-C, which ends `tee` too.
#[test]
fn a_server_whose_log_nobody_takes_any_more_goes_on_and_stops_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(PROGRAM)
        .args(["server", "--small-host", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .env("RUST_LOG", "chat=debug")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let child = &mut running.0;
    let mut first = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut first).unwrap();
    drop((stdout, child.stderr.take()));
    let link = first.trim().parse().unwrap();
    let mut alice = Peer::signed_up(&link, "alice");
    alice.join(None);
    let id = alice.say("hello");
    alice.wait_until_accepted(id);
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let ended = support::eventually_within(SOON, "the server ends", || child.try_wait().unwrap());
    assert!(ended.success(), "{ended}");
    assert_told_goodbye(&mut alice);
}

/// A process that does not outlive a test that fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
