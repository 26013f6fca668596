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
#[path = "../findings.rs"]
mod findings;
mod flood;
mod handshakes;
mod logins;
mod names;
#[path = "../../support/mod.rs"]
mod support;

use std::process::ExitCode;

use findings::{Finding, Reach};

fn main() -> ExitCode {
    findings::measure(&[
        ("handshakes", handshakes::measure),
        ("logins", logins::measure),
        ("comeback", comeback::measure),
        ("flood", flood::measure),
        ("names", names::measure),
    ])
}
