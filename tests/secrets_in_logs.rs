//! A full debug log of both ends tells nothing that a stranger may not know.
#![cfg(test)]

mod support;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use chat::channel::{KeyLimits, StaticKey};
use chat::wire::{ClientMessage, Code, ServerMessage};
use rand::rngs::SysRng;
use support::{Peer, ServerProcess, eventually, secret};

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

/// The ways that a session can take besides: a wrong password, a device, another password, keys that change.
#[test]
fn nor_is_it_when_passwords_are_wrong_or_changed_and_devices_and_next_keys_are_used() {
    let (wrong, next) = ("Wrongest-Password-17", "Following-Password-58");
    let server = ServerProcess::start_as_operators_do(&["--small-host"], "trace");
    let key = StaticKey::generate(&mut SysRng).unwrap();
    let mut alice = Peer::with_key(server.link(), &key);
    alice.sealer.limit(KeyLimits { frames: 1, ..KeyLimits::SOFT });
    assert!(matches!(alice.sign_up("alice", SECRET_WORD), ServerMessage::LoggedIn { .. }));
    alice.send(&ClientMessage::Remember { label: "laptop".into() });
    assert_eq!(alice.next(), ServerMessage::Remembered {});
    for (old, answer) in [(wrong, None), (SECRET_WORD, Some(ServerMessage::PasswordChanged {}))] {
        alice.send(&ClientMessage::ChangePassword { old: secret(old), new: secret(next) });
        let heard = alice.next();
        let is_wrong = matches!(heard, ServerMessage::Refused { code: Code::WrongNameOrPassword, .. });
        assert!(if answer.is_none() { is_wrong } else { Some(heard) == answer });
    }
    alice.join(None);
    let id = alice.say(SECRET_TEXT);
    alice.wait_until_accepted(id);
    alice.leave();
    for password in [wrong, SECRET_WORD] {
        assert!(matches!(
            Peer::connect(server.link()).log_in("alice", password),
            ServerMessage::Refused { code: Code::WrongNameOrPassword, .. }
        ));
    }
    let mut back = Peer::with_key(server.link(), &key);
    back.send(&ClientMessage::LogInByDevice { name: None });
    assert!(matches!(back.next(), ServerMessage::LoggedIn { .. }));
    back.leave();

    eventually("all have left", || (server.log().matches("left").count() >= 2).then_some(()));
    let log = server.log();
    assert!(
        log.contains("handshake_hash") && log.contains("the password was changed"),
        "it is a full one: {log}"
    );
    let users = fs::read_to_string(server.data().join("users.db")).unwrap();
    let hash = users.trim().rsplit('$').next().unwrap();
    for secret in [SECRET_WORD, wrong, next, SECRET_TEXT, hash] {
        assert!(secret.len() >= 20);
        assert!(!log.contains(secret), "{secret:?} is in the log");
    }
}
