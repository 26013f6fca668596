//! What the end-to-end tests stand on: the real server as a process of its own, and a peer that speaks the protocol
//! through the crate's own `channel` and `wire`.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(unused_imports, reason = "likewise")]
#![allow(
    unreachable_pub,
    reason = "shared by several test crates, each of which compiles it as its own module"
)]

mod peer;
mod server_process;

pub use peer::{Heard, Peer};
pub use server_process::ServerProcess;

use std::time::Duration;

/// How long a test waits for what must happen. Only a failing test ever waits this long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A password that satisfies the rule.
pub const PASSWORD: &str = "Correct-Horse-7";
