//! What the end-to-end tests stand on: the real server as a process of its own, and a peer that speaks the protocol
//! through the crate's own `channel` and `wire`.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(unused_imports, reason = "likewise")]
#![allow(
    unreachable_pub,
    reason = "shared by several test crates, each of which compiles it as its own module"
)]

mod admin;
mod far_away;
mod peer;
mod refused_start;
mod server_process;
mod siege;

pub use admin::{admin, admin_command, admin_ended};
pub use far_away::{connect_from, loopback_address};
pub use peer::{Heard, Peer, secret};
pub use refused_start::{Refused, is_private, snapshot};
pub use server_process::{PROGRAM, ServerProcess};
pub use siege::Siege;

use std::thread;
use std::time::{Duration, Instant};

use chat::wire::ServerMessage;

/// How long a test waits for what must happen. Only a failing test ever waits this long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A password that satisfies the rule.
pub const PASSWORD: &str = "Correct-Horse-7";

/// Waits for what tells nobody when it happens, such as a number in `/proc`, by looking again and again.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, look)
}

/// The same, with a deadline of its own.
pub fn eventually_within<T>(time: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + time;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < until, "within {time:?} it did not happen that {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The text of something that was said.
pub fn body(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Said { body, .. } => String::from_utf8(body.to_vec()).unwrap(),
        other => panic!("not said: {other:?}"),
    }
}

/// Whether something was said.
pub fn is_said(message: &ServerMessage) -> bool {
    matches!(message, ServerMessage::Said { .. })
}

/// The place of something that was said.
pub fn sequence(message: &ServerMessage) -> u64 {
    match message {
        ServerMessage::Said { sequence, .. } => *sequence,
        other => panic!("not said: {other:?}"),
    }
}
