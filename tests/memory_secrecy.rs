//! What is in the memory of a server stays there.
#![cfg(test)]

mod support;

use std::fs;

use support::ServerProcess;

#[test]
fn a_running_server_leaves_no_core_dump() {
    let server = ServerProcess::start();
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
}
