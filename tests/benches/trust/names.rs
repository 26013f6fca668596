//! Whether the time of a refused login tells if there is such an account. Logins for known, unknown and impossible names
//! are tried by turns on a real server with the usual cost of a hash, each name once, and the two-sample test of
//! Kolmogorov and Smirnov says whether the times come from one distribution. Then the same with accounts of which every
//! other has an older, cheaper hash.

use std::fmt::Write;
use std::fs;
use std::time::{Duration, Instant};

use chat::wire::{ClientMessage, Code, ServerMessage};

use super::support::{Peer, ServerProcess, connect_from, loopback_address, secret};
use super::{Finding, Reach};

/// So many names of each kind are tried.
const TRIES: u16 = 400;

/// The statistic of the test must stay below this times `sqrt((n + m) / (n m))`: one run in ten thousand goes past it when there
/// is no difference (Smirnov's limit: the root of `-ln(0.0001 / 2) / 2`).
const CRITICAL: f64 = 2.225;

const USUAL: &str = "m=65536,t=3,p=1";
const CHEAPER: &str = "m=19456,t=2,p=1";

/// A way to write the `number`th name of a kind.
type Name = fn(u16) -> String;

const KNOWN: Name = |number| format!("known{number}");
const UNKNOWN: Name = |number| format!("guess{number}");
const IMPOSSIBLE: Name = |number| format!("no such: {number}");

pub(super) fn measure() -> Vec<Finding> {
    let mut findings = Vec::new();
    for (accounts, costs) in [("usual costs", [USUAL, USUAL]), ("two costs", [USUAL, CHEAPER])] {
        let server = server_with(costs);
        let [known, unknown, impossible] = times(&server, [KNOWN, UNKNOWN, IMPOSSIBLE]);
        for (kind, times) in [("known", &known), ("unknown", &unknown), ("impossible", &impossible)] {
            println!("  {accounts}: {kind} names are refused after {:.1?} (median)", median(times));
        }
        // What can be no name is not pretended to be one: each such text costs the same.
        let pairs =
            [("known and unknown", &known, &unknown), ("unknown and impossible", &unknown, &impossible)];
        for (pair, one, other) in pairs.into_iter().take(if costs[0] == costs[1] { 2 } else { 1 }) {
            let what =
                format!("{accounts}: how far the times of {pair} names are apart, by what chance gives");
            findings.push(Finding { what, ratio: distance(one, other), reach: Reach::AtMost(1.0) });
        }
    }
    findings
}

/// A server with an account for each known name, whose passwords nobody knows, with hashes of these costs by turns.
fn server_with(costs: [&str; 2]) -> ServerProcess {
    let server = ServerProcess::start_as_operators_do(&[], "chat=warn");
    let mut users = String::new();
    for number in 0..TRIES {
        let cost = costs[usize::from(number % 2)];
        let salt = format!("{number:04}").repeat(5) + "0w";
        writeln!(users, "{}:member:$argon2id$v=19${cost}${salt}${}", KNOWN(number), "A".repeat(43)).unwrap();
    }
    fs::write(server.data().join("users.db"), users).unwrap();
    server.stop_and_restart()
}

/// How long each refusal took, for each kind of names.
fn times(server: &ServerProcess, kinds: [Name; 3]) -> [Vec<Duration>; 3] {
    let mut times = [const { Vec::new() }; 3];
    for number in 0..TRIES {
        // Another one is first each time.
        for kind in (0..3).map(|turn| (turn + usize::from(number)) % 3) {
            let name = kinds[kind](number);
            // From an address of its own, so that no throttle has a part in it.
            let address = loopback_address(number * 3 + u16::try_from(kind).unwrap());
            let mut peer = Peer::over(connect_from(address, server.address()), server.link()).unwrap();
            assert!(matches!(peer.next(), ServerMessage::Welcome { .. }));
            let password = secret("Wrong-Horse-7");
            let begun = Instant::now();
            peer.send(&ClientMessage::LogIn { name, password });
            let answer = peer.next();
            times[kind].push(begun.elapsed());
            assert!(
                matches!(answer, ServerMessage::Refused { code: Code::WrongNameOrPassword, .. }),
                "{answer:?}"
            );
            peer.leave();
        }
    }
    times
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}

/// The statistic of Kolmogorov and Smirnov, as a part of what chance would give: the largest distance of the two
/// distribution functions.
fn distance(one: &[Duration], other: &[Duration]) -> f64 {
    let share = |times: &[Duration], until: Duration| {
        times.iter().filter(|time| **time <= until).count() as f64 / times.len() as f64
    };
    let steps = one.iter().chain(other);
    let largest = steps.map(|&until| (share(one, until) - share(other, until)).abs()).fold(0.0, f64::max);
    let (n, m) = (one.len() as f64, other.len() as f64);
    largest / (CRITICAL * ((n + m) / (n * m)).sqrt())
}
