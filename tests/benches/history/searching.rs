//! A search among a million messages takes a bounded time of the processor, whatever the words are.

use std::time::Instant;

use chat::wire::{ClientMessage, ServerMessage};

use super::filled::server_with;
use super::support::{Peer, ServerProcess};
use super::{Finding, Reach};

const MESSAGES: u64 = 1_000_000;

/// What a search may cost, in seconds of CPU time.
const BOUND: f64 = 0.2;

/// How often each search is made: a tick of the clock that is read is 10 ms.
const TIMES: u32 = 20;

/// Words, and what they are.
const SEARCHES: [(&str, &str); 6] = [
    ("everyone", "in every message"),
    ("w7 w99", "rare"),
    ("alpha beta", "nowhere together"),
    ("everyone says alpha about message n5", "in every message, and a beginning"),
    ("beta nobody", "nowhere"),
    ("everyone mess", "in every message, the last one a beginning"),
];

pub(super) fn measure() -> Vec<Finding> {
    let begin = Instant::now();
    let server = server_with(MESSAGES);
    let mut alice = Peer::logged_in(server.link(), "alice");
    println!("  {MESSAGES} messages are written and gathered after {:.1?}", begin.elapsed());
    SEARCHES.map(|(words, what)| cost(&server, &mut alice, words, what)).into()
}

fn cost(server: &ServerProcess, alice: &mut Peer, words: &str, what: &str) -> Finding {
    search(alice, words); // what it reads is read
    let (before, begin) = (server.cpu_ticks(), Instant::now());
    let mut found = (0, false);
    for _ in 0..TIMES {
        found = search(alice, words);
    }
    let seconds = (server.cpu_ticks() - before) as f64 / 100.0 / f64::from(TIMES);
    let (hits, has_more) = found;
    println!(
        "  \"{words}\": {hits} found, more: {has_more}, {seconds:.3} s of CPU, {:.3?}",
        begin.elapsed() / TIMES
    );
    Finding {
        what: format!("CPU time of a search for words that are {what}, by 200 ms"),
        ratio: seconds / BOUND,
        reach: Reach::AtMost(1.0),
    }
}

/// How much is found, and whether there is more to look through.
fn search(alice: &mut Peer, words: &str) -> (usize, bool) {
    let words = words.to_owned();
    alice.send(&ClientMessage::Search { room: Some("#lobby".into()), words, from: None, count: None });
    match alice.wait_for(|message| matches!(message, ServerMessage::Found { .. })) {
        ServerMessage::Found { hits, next, .. } => (hits.len(), next.is_some()),
        _ => unreachable!(),
    }
}
