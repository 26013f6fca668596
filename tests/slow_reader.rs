//! Someone stops reading while the others talk: nobody waits, the server's memory stays flat, and nothing is lost.
#![cfg(test)]

mod support;

use std::ops::RangeInclusive;
use std::thread;

use chat::link::Link;
use chat::wire::{ClientMessage, ServerMessage};
use support::{Peer, ServerProcess, eventually, is_said, sequence};

/// What a client's outbox holds here, in KiB; besides, a record that waits for the socket and a page from the log.
const OUTBOX_KIB: u64 = 64;
const LIMIT: &str = "outbox-bytes=65536";
/// What the process may grow by beyond what the limits say: buffers, the database's cache, the allocator's own.
const SLACK_KIB: u64 = 6 * 1024;
const BODY_BYTES: usize = 16_000;

/// Signs up someone who is in the room. The system holds some hundred KiB for it when it stops reading: far less than
/// is said here.
fn joined(link: &Link, name: &str) -> Peer {
    let mut peer = Peer::signed_up(link, name);
    peer.join(None);
    peer
}

/// Says that many messages of 16,000 bytes, and waits until each was heard by its author.
fn say_much(talker: &mut Peer, messages: u64) {
    let text = "x".repeat(BODY_BYTES);
    for _ in 0..messages {
        let id = talker.say(&text);
        talker.wait_for(|message| matches!(message, ServerMessage::Said { id: heard, .. } if *heard == id));
    }
}

/// Reads until the message at `last`. Gives the places that came, and how often it was told that it lags.
fn read_up_to(peer: &mut Peer, last: u64) -> (Vec<u64>, usize) {
    let (mut places, mut lagged) = (Vec::new(), 0);
    while places.last() != Some(&last) {
        match peer.next() {
            message @ ServerMessage::Said { .. } => places.push(sequence(&message)),
            ServerMessage::Lagged {} => lagged += 1,
            _ => {}
        }
    }
    (places, lagged)
}

/// The places are all of these, once, in order.
fn assert_all(places: &[u64], expected: RangeInclusive<u64>) {
    let wrong = places.iter().copied().zip(expected.clone()).find(|(place, expected)| place != expected);
    assert_eq!(wrong, None, "(came, should have come)");
    assert_eq!(places.len(), expected.count());
}

#[test]
fn who_stops_reading_hinders_nobody_costs_bounded_memory_and_has_everything_once_in_order_afterwards() {
    const MESSAGES: u64 = 600;
    let server = ServerProcess::with_limits(&[LIMIT]);
    let mut talker = Peer::signed_up(server.link(), "talker");
    talker.join(None);
    let mut hearer = Peer::signed_up(server.link(), "hearer");
    hearer.join(None);
    let mut deaf = joined(server.link(), "deaf");
    say_much(&mut talker, 50);
    let before = server.resident_kib();
    let hearing = thread::spawn(move || read_up_to(&mut hearer, MESSAGES));
    say_much(&mut talker, MESSAGES - 50);
    assert_all(&hearing.join().unwrap().0, 1..=MESSAGES); // who reads does not wait
    let grown = server.resident_kib().saturating_sub(before);
    let said_kib = MESSAGES * BODY_BYTES as u64 / 1024;
    let bound = 3 * OUTBOX_KIB + SLACK_KIB;
    assert!(bound < said_kib && grown < bound, "{grown} KiB for {said_kib} KiB that were not read");

    let (places, lagged) = read_up_to(&mut deaf, MESSAGES);
    assert_all(&places, 1..=MESSAGES);
    assert!(lagged > 0, "it was told that it lags");
    // And it is as live as anyone.
    deaf.wait_for(|message| matches!(message, ServerMessage::CaughtUp { sequence: MESSAGES, .. }));
    say_much(&mut talker, 1);
    assert_eq!(sequence(&deaf.wait_for(is_said)), MESSAGES + 1);
}

#[test]
fn who_lags_several_times_has_everything_once_in_order_and_hears_who_comes_and_goes() {
    let server = ServerProcess::with_limits(&[LIMIT]);
    let mut talker = Peer::signed_up(server.link(), "talker");
    talker.join(None);
    let mut deaf = joined(server.link(), "deaf");
    let mut last = 0;
    for round in 0..4 {
        say_much(&mut talker, 200);
        let mut guest = Peer::signed_up(server.link(), &format!("guest{round}"));
        guest.join(None);
        let (places, lagged) = read_up_to(&mut deaf, last + 200);
        assert_all(&places, last + 1..=last + 200);
        assert!(lagged > 0, "in round {round}");
        last += 200;
        deaf.wait_for(|message| matches!(message, ServerMessage::CaughtUp { .. }));
        guest.leave();
        let left = deaf.wait_for(|message| matches!(message, ServerMessage::Left { .. }));
        assert!(matches!(left, ServerMessage::Left { name, .. } if name == format!("guest{round}")));
    }
}

#[test]
fn who_lags_is_told_anew_who_is_there() {
    let server = ServerProcess::with_limits(&[LIMIT]);
    let mut talker = Peer::signed_up(server.link(), "talker");
    talker.join(None);
    let mut gone = Peer::signed_up(server.link(), "gone");
    gone.join(None);
    let mut deaf = joined(server.link(), "deaf");
    say_much(&mut talker, 200);
    gone.leave();
    talker.wait_for(|message| matches!(message, ServerMessage::Left { .. }));
    deaf.wait_for(|message| *message == (ServerMessage::Lagged {}));
    let people = deaf.wait_for(|message| matches!(message, ServerMessage::People { .. }));
    assert!(
        matches!(&people, ServerMessage::People { names, first: true, last: true, .. } if *names == ["deaf", "talker"]),
        "{people:?}"
    );
}

#[test]
fn who_reads_a_long_history_slowly_while_more_is_said_gets_all_of_it_in_order_and_becomes_live() {
    let server = ServerProcess::with_limits(&[LIMIT]);
    let mut talker = Peer::signed_up(server.link(), "talker");
    talker.join(None);
    say_much(&mut talker, 250);
    let mut slow = Peer::signed_up(server.link(), "slow");
    slow.send(&ClientMessage::Join { room: "#lobby".into(), after: Some(0) });
    // For each that it reads, another one is said, until it has seen 250.
    let mut places = Vec::new();
    for _ in 0..250 {
        places.push(sequence(&slow.wait_for(is_said)));
        say_much(&mut talker, 1);
    }
    let (rest, _) = read_up_to(&mut slow, 500);
    places.extend(rest);
    assert_all(&places, 1..=500);
    slow.wait_for(|message| matches!(message, ServerMessage::CaughtUp { sequence: 500, .. }));
    say_much(&mut talker, 1);
    assert_eq!(sequence(&slow.wait_for(is_said)), 501);
}

#[test]
fn many_who_stop_reading_at_once_cost_bounded_memory_and_all_have_everything_afterwards() {
    const DEAF: u64 = 10;
    const MESSAGES: u64 = 300;
    let server = ServerProcess::with_limits(&[LIMIT]);
    let mut talker = Peer::signed_up(server.link(), "talker");
    talker.join(None);
    let deaf: Vec<_> = (0..DEAF).map(|n| joined(server.link(), &format!("deaf{n}"))).collect();
    let threads = server.threads();
    say_much(&mut talker, 20);
    let before = server.resident_kib();
    say_much(&mut talker, MESSAGES - 20);
    let grown = server.resident_kib().saturating_sub(before);
    let bound = DEAF * 3 * OUTBOX_KIB + SLACK_KIB;
    let kept_whole = DEAF * MESSAGES * BODY_BYTES as u64 / 1024;
    assert!(bound < kept_whole && grown < bound, "{grown} KiB, may be {bound}");
    let reading: Vec<_> = deaf
        .into_iter()
        .map(|mut deaf| {
            thread::spawn(move || {
                let read = read_up_to(&mut deaf, MESSAGES);
                deaf.leave();
                read
            })
        })
        .collect();
    for (places, lagged) in reading.into_iter().map(|thread| thread.join().unwrap()) {
        assert_all(&places, 1..=MESSAGES);
        assert!(lagged > 0);
    }
    let left = threads - DEAF;
    eventually("their threads are gone", || (server.threads() <= left).then_some(()));
}

#[test]
fn who_stops_reading_for_good_leaves_nothing_behind() {
    let server = ServerProcess::with_limits(&[LIMIT]);
    let mut talker = Peer::signed_up(server.link(), "talker");
    talker.join(None);
    let deaf: Vec<_> = (0..8).map(|n| joined(server.link(), &format!("deaf{n}"))).collect();
    say_much(&mut talker, 200);
    let threads = server.threads();
    drop(deaf); // with bytes unread, so that the system resets the connections
    eventually("their threads are gone", || (server.threads() == threads - 8).then_some(()));
    for _ in 0..8 {
        talker.wait_for(|message| matches!(message, ServerMessage::Left { .. }));
    }
    say_much(&mut talker, 1);
}
