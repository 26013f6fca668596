//! Whoever sends more than they may is slowed down and told; others notice nothing, and nothing is lost.

use super::*;
use std::time::{Duration, Instant};
use support::{Heard, body, is_said};

/// What is said in the lobby, as fast as one can.
fn say_many(peer: &mut Peer, count: usize) -> Vec<MessageId> {
    (0..count).map(|number| peer.say(&format!("number {number}"))).collect()
}

/// Waits until all are accepted. Gives how often the peer was told meanwhile that it is slowed down.
fn wait_for_all(peer: &mut Peer, ids: &[MessageId]) -> usize {
    let (mut accepted, mut slowed) = (Vec::new(), 0);
    while accepted.len() < ids.len() {
        match peer.next() {
            ServerMessage::Accepted { id, .. } => accepted.push(id),
            ServerMessage::Slowed { seconds } => slowed += usize::from(seconds > 0),
            ServerMessage::Refused { text, .. } => panic!("refused: {text}"),
            _ => {}
        }
    }
    assert_eq!(accepted, ids, "in the order in which they were said");
    slowed
}

#[test]
fn a_pasted_log_goes_through_at_once_and_a_loop_does_not() {
    let server = ServerProcess::start_as_operators_do(&["--small-host"], "chat=debug");
    let mut alice = Peer::signed_up(server.link(), "alice");
    let pasted = say_many(&mut alice, 50);
    assert_eq!(wait_for_all(&mut alice, &pasted), 0);
    let begun = Instant::now();
    let looped = say_many(&mut alice, 80);
    assert_eq!(wait_for_all(&mut alice, &looped), 1, "she is told once");
    assert!(begun.elapsed() > Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[test]
fn who_sends_without_end_keeps_the_session_and_costs_others_nothing() {
    const RATE: u32 = 50;
    let limits = ["messages-per-second=50", "message-burst=20", "flood-seconds=1"];
    let server = ServerProcess::with_limits(&limits);
    let (mut mallory, mut alice) = (listening(&server, "mallory"), listening(&server, "alice"));
    alice.join(None);
    let begun = Instant::now();
    let flood = say_many(&mut mallory, 200);
    // Meanwhile another one says something now and then, and hears it at once.
    let mut worst = Duration::ZERO;
    for number in 0..10 {
        let asked = Instant::now();
        let id = alice.say(&format!("mine {number}"));
        alice.wait_until_accepted(id);
        worst = worst.max(asked.elapsed());
        alice.wait_for(|message| is_said(message) && body(message).starts_with("number"));
    }
    assert_eq!(wait_for_all(&mut mallory, &flood), 1);
    let least = Duration::from_secs(1) * 180 / RATE;
    assert!(begun.elapsed() >= least, "{:?}", begun.elapsed());
    assert!(worst < least / 2, "{worst:?}");
}

#[test]
fn questions_have_a_wider_bound_of_their_own_and_both_are_those_of_the_account() {
    let limits =
        ["questions-per-second=50", "question-burst=40", "messages-per-second=1000", "message-burst=1"];
    let server = ServerProcess::with_limits(&limits);
    let (mut desk, mut phone) =
        (Peer::signed_up(server.link(), "bob"), Peer::logged_in(server.link(), "bob"));
    let begun = Instant::now();
    for _ in 0..40 {
        for device in [&mut desk, &mut phone] {
            device.send(&ClientMessage::ListRooms { after: None });
        }
    }
    let mut slowed = 0;
    for device in [&mut desk, &mut phone] {
        for _ in 0..40 {
            device.wait_for(|message| {
                slowed += usize::from(matches!(message, ServerMessage::Slowed { .. }));
                matches!(message, ServerMessage::RoomList { .. })
            });
        }
    }
    assert!((1..=2).contains(&slowed), "{slowed}");
    assert!(begun.elapsed() >= Duration::from_secs(1) * 40 / 50, "{:?}", begun.elapsed());
}

/// Sessions of one account, each of which rests for some seconds.
fn resting(server: &ServerProcess, name: &str) -> Vec<Peer> {
    let mut sessions = vec![Peer::signed_up(server.link(), name)];
    sessions.extend((1..8).map(|_| Peer::logged_in(server.link(), name)));
    for session in &mut sessions {
        say_many(session, 3);
    }
    for session in &mut sessions {
        session.wait_for(|message| matches!(message, ServerMessage::Slowed { .. }));
    }
    sessions
}

#[test]
fn who_rests_hears_of_a_ban_at_once() {
    let server = ServerProcess::with_limits(&["messages-per-second=1", "message-burst=1"]);
    let sessions = resting(&server, "bob");
    admin(server.data(), &["ban", "bob"]);
    let banned = Instant::now();
    for mut session in sessions {
        let (last, end) = session.hear_out();
        assert_eq!(end, Heard::Goodbye);
        assert!(matches!(last.last(), Some(ServerMessage::Closing { code: Code::Banned, .. })));
    }
    assert!(banned.elapsed() < Duration::from_secs(4), "{:?}", banned.elapsed());
}

#[test]
fn who_rests_is_not_taken_for_dead_and_holds_no_end_of_the_server_up() {
    let limits = ["messages-per-second=1", "message-burst=1", "ping-seconds=1", "silence-seconds=2"];
    let mut server = ServerProcess::with_limits(&limits);
    let mut sessions = resting(&server, "bob");
    // Most of them rest for longer than the silence that is allowed.
    for session in &mut sessions {
        session.wait_for(|message| matches!(message, ServerMessage::Accepted { .. }));
    }
    server.signal("TERM");
    let stopping = Instant::now();
    assert!(server.wait().success());
    assert!(stopping.elapsed() < Duration::from_secs(5), "{:?}", stopping.elapsed());
    for mut session in sessions {
        let (last, end) = session.hear_out();
        assert_eq!(end, Heard::Goodbye, "{last:?}");
    }
}

#[test]
fn who_floods_and_reads_nothing_of_it_is_disconnected() {
    let limits = ["messages-per-second=200", "message-burst=1", "outbox-bytes=65536", "flood-seconds=1"];
    let server = ServerProcess::with_limits(&limits);
    let mut mallory = listening(&server, "mallory");
    mallory.join(None);
    let text = "x".repeat(16_000);
    while mallory.try_say_as(MessageId::random().unwrap(), &text).is_ok() {}
    support::eventually("it is in the log", || {
        server.log().contains("closed by the server code=Flood").then_some(())
    });
}
