//! Keys are changed long before they are worn: each of the limits is crossed again and again, in both directions, while
//! two people talk as fast as they can, and every message arrives once and in order.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::process::Command;

use chat::wire::ClientMessage;
use client::{Home, Piped};
use support::{Heard, Peer, ServerProcess};

/// So many of each side's keys must have been used up.
const KEYS: usize = 8;

fn talker(home: &Home, name: &str, server: &ServerProcess, limit: &str) -> Command {
    let link = server.link().to_string();
    let mut command = home.client_as(name, &link, &["--signup", "--limit", limit]);
    command.env("RUST_LOG", "chat::channel=debug");
    command
}

/// How often this log tells of a next key of its writer and of the other side.
fn keys(log: &str) -> [usize; 2] {
    ["our next key", "their next key"].map(|told| log.matches(told).count())
}

fn talk_with_short_lived_keys(limit: &str) {
    let server = ServerProcess::with_limits(&[limit]);
    let homes = [Home::new(), Home::new()];
    let mut alice = Piped::start(talker(&homes[0], "alice", &server, limit));
    alice.wait_until_in();
    let mut bob = Piped::start(talker(&homes[1], "bob", &server, limit));
    bob.wait_until_in();
    let mut sent = 0;
    let is_enough = |log: &str| keys(log).iter().all(|count| *count >= KEYS);
    while ![server.log(), alice.stderr(), bob.stderr()].iter().all(|log| is_enough(log)) {
        for number in sent..sent + 100 {
            alice.write(format!("a{number}\n"));
            bob.write(format!("b{number}\n"));
        }
        sent += 100;
        for client in [&alice, &bob] {
            client.wait_for_line(&format!("<alice> a{}", sent - 1));
            client.wait_for_line(&format!("<bob> b{}", sent - 1));
        }
    }
    let (alice, bob) = (alice.finish(), bob.finish());
    assert_eq!((alice.code, bob.code), (Some(0), Some(0)), "{} {}", alice.stderr, bob.stderr);
    assert_eq!(alice.said(), bob.said());
    for name in ["alice", "bob"] {
        let start = format!("<{name}> {}", &name[..1]);
        let numbers: Vec<_> = alice.said().into_iter().filter_map(|line| line.strip_prefix(&start)).collect();
        assert_eq!(numbers, (0..sent).map(|number| number.to_string()).collect::<Vec<_>>());
    }
    assert_eq!((alice.notes().len(), bob.notes().len()), (1, 1), "nothing was lost meanwhile");
}

#[test]
fn a_key_for_three_frames_is_changed_under_load() {
    talk_with_short_lived_keys("rekey-frames=3");
}

#[test]
fn a_key_for_two_thousand_bytes_is_changed_under_load() {
    talk_with_short_lived_keys("rekey-bytes=2000");
}

#[test]
fn a_key_for_one_second_is_changed_under_load() {
    talk_with_short_lived_keys("rekey-seconds=1");
}

#[test]
fn a_key_for_one_frame_is_changed_before_each() {
    talk_with_short_lived_keys("rekey-frames=1");
}

#[test]
fn a_low_limit_of_ones_own_does_not_bind_the_other_side() {
    // The server changes its keys often and takes from a client which doesn't what the protocol allows.
    let server = ServerProcess::with_limits(&["rekey-frames=1"]);
    let mut peer = Peer::signed_up(server.link(), "alice");
    for _ in 0..200 {
        peer.send(&ClientMessage::Ping {});
        assert!(matches!(peer.hear_everything(), Heard::Message(_)));
    }
    assert_eq!(peer.sealer.keys(), 1);
    assert_eq!(keys(&server.log())[1], 0);
    peer.leave();
}
