//! Whoever was away for 100,000 messages gets them at about the rate at which they would have come live, and neither the
//! server nor the client holds more than a little of it at a time.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use chat::wire::ServerMessage;

use super::client::{Home, Piped};
use super::filled::{server, server_with, text};
use super::support::{Peer, ServerProcess};
use super::{Finding, Reach};

const MESSAGES: u64 = 100_000;

/// What a side may take more than before, in MiB.
const MEMORY_MIB: f64 = 16.0;

pub(super) fn measure() -> Vec<Finding> {
    let live = live();
    let server = server_with(MESSAGES);
    let mut alice = Peer::logged_in(server.link(), "alice");
    let (before, begin) = (server.peak_kib(), Instant::now());
    assert_eq!(alice.join(Some(0)).len() as u64, MESSAGES);
    let behind = begin.elapsed();
    println!("  {MESSAGES} messages: live {live:.2?}, caught up {behind:.2?}");
    vec![
        Finding {
            what: format!("catching up with {MESSAGES} messages by hearing them live"),
            ratio: behind.as_secs_f64() / live.as_secs_f64(),
            reach: Reach::AtMost(1.5),
        },
        Finding {
            what: format!("memory that the server takes for it, by {MEMORY_MIB} MiB"),
            ratio: (server.peak_kib() - before) as f64 / 1024.0 / MEMORY_MIB,
            reach: Reach::AtMost(1.0),
        },
        Finding {
            what: format!("memory that a client takes for it, by {MEMORY_MIB} MiB"),
            ratio: client_memory(&server),
            reach: Reach::AtMost(1.0),
        },
    ]
}

/// The time in which so many messages are said by one and heard by another.
fn live() -> Duration {
    let server = server();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let mut bob = Peer::signed_up(server.link(), "bob");
    alice.join(None);
    let begin = Instant::now();
    let talking = thread::spawn(move || {
        for number in 1..=MESSAGES {
            bob.say(&text(number));
        }
        bob
    });
    alice.wait_for(|message| matches!(message, ServerMessage::Said { sequence: MESSAGES, .. }));
    let took = begin.elapsed();
    drop(talking.join().unwrap());
    took
}

/// A client that stands still while the same amount is said once more, and then reads all of it.
fn client_memory(server: &ServerProcess) -> f64 {
    let home = Home::new();
    let client = Piped::start(home.client_as("carol", &server.link().to_string(), &["--signup"]));
    client.wait_until_in();
    let before = peak_kib(client.id());
    client.signal("STOP");
    let mut alice = Peer::logged_in(server.link(), "alice");
    let last = (1..=MESSAGES).map(|number| alice.say(&text(MESSAGES + number))).last().unwrap();
    alice.wait_until_accepted(last);
    client.signal("CONT");
    client.wait_for_line(&format!("n{}", 2 * MESSAGES));
    (peak_kib(client.id()) - before) as f64 / 1024.0 / MEMORY_MIB
}

/// The most memory that a process ever had in use, in KiB.
fn peak_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
