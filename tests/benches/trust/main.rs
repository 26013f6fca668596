//! What trust costs, as ratios of things measured beside each other in one run: `cargo bench --bench trust`, or with
//! the names of some parts after `--`. Each part ends by itself, stays on the loopback interface, and says what it
//! should reach and whether it did.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that fails may end"
)]
#![allow(clippy::print_stdout, reason = "its results are for a person")]
#![allow(clippy::cast_precision_loss, reason = "ratios are shown with three digits")]

mod comeback;
mod flood;
mod handshakes;
mod logins;
mod names;
#[path = "../../support/mod.rs"]
mod support;

use std::env;
use std::process::ExitCode;

/// A ratio, and what it should be.
struct Finding {
    what: String,
    ratio: f64,
    reach: Reach,
}

/// On which side of a bound a ratio should be.
enum Reach {
    AtMost(f64),
    AtLeast(f64),
}

impl Finding {
    fn is_reached(&self) -> bool {
        match self.reach {
            Reach::AtMost(bound) => self.ratio <= bound,
            Reach::AtLeast(bound) => self.ratio >= bound,
        }
    }

    fn print(&self) {
        let bound = match self.reach {
            Reach::AtMost(bound) => format!("at most {bound}"),
            Reach::AtLeast(bound) => format!("at least {bound}"),
        };
        let verdict = if self.is_reached() { "reached" } else { "NOT REACHED" };
        println!("  {:8.2}  {} ({bound}): {verdict}", self.ratio, self.what);
    }
}

type Part = fn() -> Vec<Finding>;

const PARTS: [(&str, Part); 5] = [
    ("handshakes", handshakes::measure),
    ("logins", logins::measure),
    ("comeback", comeback::measure),
    ("flood", flood::measure),
    ("names", names::measure),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let Some(unknown) = wanted.iter().find(|name| PARTS.iter().all(|(part, _)| part != name)) {
        println!("there is no part '{unknown}'; there are {}", PARTS.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    }
    let mut all_reached = true;
    for (name, measure) in PARTS {
        if !wanted.is_empty() && !wanted.iter().any(|part| part == name) {
            continue;
        }
        println!("{name}");
        for finding in measure() {
            finding.print();
            all_reached &= finding.is_reached();
        }
    }
    if all_reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
