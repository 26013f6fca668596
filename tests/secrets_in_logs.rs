//! A full debug log of both ends tells nothing that a stranger may not know.
#![cfg(test)]

mod support;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use support::{ServerProcess, eventually};

const SECRET_WORD: &str = "Xylophone-Password-93";
const SECRET_TEXT: &str = "the falcon leaves at midnight";

#[test]
fn no_password_no_key_and_no_message_is_in_the_logs() {
    let server = ServerProcess::start();
    let home = tempfile::tempdir().unwrap();
    let mut client = Command::new(env!("CARGO_BIN_EXE_chat"))
        .args(["client", &server.link().to_string(), "--user", "alice", "--signup"])
        .env("XDG_DATA_HOME", home.path())
        .env("CHAT_PASSWORD", SECRET_WORD)
        .env("RUST_LOG", "trace")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    client.stdin.take().unwrap().write_all(format!("{SECRET_TEXT}\n").as_bytes()).unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(SECRET_TEXT), "it was said");

    eventually("the server has logged the end", || server.log().contains("left").then_some(()));
    let logs = [server.log(), String::from_utf8(output.stderr).unwrap()];
    assert!(logs.iter().all(|log| log.contains("handshake_hash")), "the logs are full ones: {logs:?}");
    let server_key = fs::read_to_string(server.data().join("server.key")).unwrap();
    let users = fs::read_to_string(server.data().join("users.db")).unwrap();
    let hash = users.trim().rsplit('$').next().unwrap();
    for secret in [SECRET_WORD, SECRET_TEXT, server_key.trim(), hash] {
        assert!(secret.len() > 20);
        assert!(logs.iter().all(|log| !log.contains(secret)), "{secret:?} is in a log");
    }
}
