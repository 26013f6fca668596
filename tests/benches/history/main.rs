//! What much history costs, as ratios of things measured beside each other in one run: `cargo bench --bench history`, or
//! with the names of some parts after `--`. Each part ends by itself, stays on the loopback interface, and says what it
//! should reach and whether it did.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that fails may end"
)]
#![allow(clippy::print_stdout, reason = "its results are for a person")]
#![allow(clippy::cast_precision_loss, reason = "ratios are shown with three digits")]

mod catching_up;
#[path = "../../support/client/mod.rs"]
mod client;
mod filled;
#[path = "../findings.rs"]
mod findings;
mod opening;
mod searching;
#[path = "../../support/mod.rs"]
mod support;

use std::process::ExitCode;

use findings::{Finding, Reach};

fn main() -> ExitCode {
    findings::measure(&[
        ("opening", opening::measure),
        ("searching", searching::measure),
        ("catching-up", catching_up::measure),
    ])
}
