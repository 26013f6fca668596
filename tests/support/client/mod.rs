//! What the tests of the client stand on: the real program behind pipes or on a real terminal, and servers that do what
//! a test says. It is apart from `support` because only the client's tests need a terminal. Whoever uses it names it
//! with a path, beside `support`.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(unused_imports, reason = "likewise")]
#![allow(unreachable_pub, reason = "shared by several test crates")]

mod fake_server;
mod home;
mod json;
mod piped;
mod presentable;
mod terminal;
mod watched;
mod wiretap;

pub use fake_server::{FakeServer, Guest, NOON, said};
pub use home::Home;
pub use json::Json;
pub use piped::{Ended, Piped};
pub use presentable::assert_presentable;
pub use terminal::{Terminal, Title};
pub use watched::Watched;
pub use wiretap::{Unit, Wiretap};

use std::process::Command;

/// Sends a signal, by its name without SIG, to a process that the test has started.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap();
    assert!(sent.success());
}
