//! A thousand wrong passwords at once, and what someone who is logged in notices of it: the time from saying something
//! to hearing it said, and the memory of the server.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chat::link::Link;
use chat::wire::{Code, ServerMessage};

use super::support::{Heard, Peer, ServerProcess, connect_from, loopback_address};
use super::{Finding, Reach};

/// So many wrong passwords are hashed, tried by so many attackers, each from an address of its own and for a name of its own:
/// what no throttle by address or by account stops.
const TRIES: usize = 1_000;
const ATTACKERS: u16 = 100;

/// How long an attacker waits whom the server was too busy for; a patient one would wait longer.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Messages whose way is measured, before the flood.
const QUIET_MESSAGES: usize = 300;

/// Between two messages of a member, who is no robot.
const PAUSE: Duration = Duration::from_millis(10);

/// What a hash of the usual cost takes of memory, and how many run at once.
const HASH_KIB: u64 = 64 * 1024;
const HASHES_AT_ONCE: u64 = 2;

pub(super) fn measure() -> Vec<Finding> {
    let server = ServerProcess::start_as_operators_do(&[], "chat=warn");
    let before = server.resident_kib();
    let mut talk = Talk::between(server.link());
    let quiet = talk.latencies(|count| count < QUIET_MESSAGES);

    let (hashed, busy, is_over) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let flooded = thread::scope(|scope| {
        let attackers: Vec<_> = (0..ATTACKERS)
            .map(|number| {
                let (server, hashed, busy) = (&server, &hashed, &busy);
                scope.spawn(move || attack(server.link(), number, hashed, busy))
            })
            .collect();
        let is_over = &is_over;
        scope.spawn(move || {
            for attacker in attackers {
                attacker.join().unwrap();
            }
            is_over.store(true, Ordering::Release);
        });
        talk.latencies(|_| !is_over.load(Ordering::Acquire))
    });
    let grown = server.peak_kib().saturating_sub(before);

    let (hashed, busy) = (hashed.into_inner(), busy.into_inner());
    println!(
        "  {hashed} wrong passwords hashed, {busy} refused unhashed; {} messages meanwhile",
        flooded.count
    );
    println!("  quiet {quiet}; flooded {flooded}; {} MiB more at the peak", grown / 1024);
    let ratio = |what: &str, flooded: Duration, quiet: Duration| Finding {
        what: format!("a message's way during the flood by the same before, {what}"),
        ratio: flooded.as_secs_f64() / quiet.as_secs_f64(),
        reach: Reach::AtMost(2.0),
    };
    vec![
        ratio("median", flooded.median, quiet.median),
        ratio("mean", flooded.mean, quiet.mean),
        Finding {
            what: "memory at the peak of the flood by that of the hashing threads".into(),
            ratio: grown as f64 / (HASH_KIB * HASHES_AT_ONCE) as f64,
            reach: Reach::AtMost(1.3),
        },
    ]
}

/// Tries wrong passwords until all attackers together have had enough of them hashed.
fn attack(link: &Link, number: u16, hashed: &AtomicUsize, busy: &AtomicUsize) {
    let name = format!("victim-{number}");
    while hashed.load(Ordering::Relaxed) < TRIES {
        let stream = connect_from(loopback_address(number), link.address().parse().unwrap());
        let Ok(mut peer) = Peer::over(stream, link) else { continue };
        assert!(matches!(peer.next(), ServerMessage::Welcome { .. }));
        while hashed.load(Ordering::Relaxed) < TRIES {
            match peer.try_log_in(&name, "Wrong-Password-1") {
                Heard::Message(ServerMessage::Refused { code: Code::WrongNameOrPassword, .. }) => {
                    hashed.fetch_add(1, Ordering::Relaxed);
                }
                Heard::Message(ServerMessage::Refused { .. }) => {
                    busy.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(AGAIN_AFTER);
                }
                _ => break, // too many on one connection
            }
        }
    }
}

/// Two members, one of whom speaks and the other listens.
struct Talk {
    speaker: Peer,
    listener: Peer,
}

struct Latencies {
    count: usize,
    median: Duration,
    mean: Duration,
    p99: Duration,
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "median {:.0?}, mean {:.0?}, p99 {:.0?}", self.median, self.mean, self.p99)
    }
}

impl Talk {
    fn between(link: &Link) -> Self {
        let (mut speaker, mut listener) =
            (Peer::signed_up(link, "speaker"), Peer::signed_up(link, "listener"));
        speaker.join(None);
        listener.join(None);
        Self { speaker, listener }
    }

    /// Says one thing after the other while `goes_on` wants it, and takes the time until each is heard.
    fn latencies(&mut self, goes_on: impl Fn(usize) -> bool) -> Latencies {
        let mut times = Vec::new();
        while goes_on(times.len()) {
            let start = Instant::now();
            let said = self.speaker.say("hello");
            self.listener
                .wait_for(|message| matches!(message, ServerMessage::Said { id, .. } if *id == said));
            times.push(start.elapsed());
            self.speaker.wait_until_accepted(said);
            thread::sleep(PAUSE);
        }
        times.sort_unstable();
        let count = times.len();
        let mean = times.iter().sum::<Duration>() / u32::try_from(count).unwrap();
        Latencies { count, median: times[count / 2], mean, p99: times[count * 99 / 100] }
    }
}
