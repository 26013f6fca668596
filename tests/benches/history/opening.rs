//! Opening a room, and paging in it, costs the same however much was said there.

use std::time::{Duration, Instant};

use chat::wire::{ClientMessage, ServerMessage};

use super::filled::server_with;
use super::support::{Peer, ServerProcess};
use super::{Finding, Reach};

const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
const TIMES: usize = 40;

pub(super) fn measure() -> Vec<Finding> {
    let (few, many) = (server_with(FEW), server_with(MANY));
    let ratio = |measure: fn(&ServerProcess) -> Duration| {
        measure(&few); // so that neither is the first
        let (few, many) = (measure(&few), measure(&many));
        println!("  {few:.2?} and {many:.2?}");
        many.as_secs_f64() / few.as_secs_f64()
    };
    let bound = || Reach::AtMost(2.0);
    vec![
        Finding {
            what: format!("opening a room with {MANY} messages by one with {FEW}, to its last page"),
            ratio: ratio(open),
            reach: bound(),
        },
        Finding {
            what: "a page from the middle of its history by one of the other".into(),
            ratio: ratio(page),
            reach: bound(),
        },
    ]
}

/// The median time from the wish to enter until all of the last page is there.
fn open(server: &ServerProcess) -> Duration {
    median(|| {
        let mut alice = Peer::logged_in(server.link(), "alice");
        let begin = Instant::now();
        assert_eq!(alice.join(None).len(), 50);
        begin.elapsed()
    })
}

fn page(server: &ServerProcess) -> Duration {
    let mut alice = Peer::logged_in(server.link(), "alice");
    alice.send(&ClientMessage::Join { room: "#lobby".into(), after: None });
    let joined = alice.wait_for(|message| matches!(message, ServerMessage::Joined { .. }));
    let ServerMessage::Joined { head, .. } = joined else { unreachable!() };
    median(|| {
        let begin = Instant::now();
        let (room, before) = ("#lobby".into(), Some(head / 2));
        alice.send(&ClientMessage::History { room, before, after: None, count: None });
        alice.wait_for(|message| matches!(message, ServerMessage::History { .. }));
        begin.elapsed()
    })
}

fn median(mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..TIMES).map(|_| measure()).collect();
    times.sort();
    times[TIMES / 2]
}
