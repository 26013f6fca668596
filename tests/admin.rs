//! `chat admin` asks the running server, or does the same on the files of a stopped one, and is never in its way.
#![cfg(test)]

mod support;

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use chat::wire::{ClientMessage, ServerMessage};
use support::{Peer, Refused, ServerProcess, admin, admin_command, admin_ended, eventually, snapshot};

/// Longer than an address of a socket can be (unix(7)).
const LONG: usize = 120;

fn socket(server: &ServerProcess) -> PathBuf {
    server.data().join("admin.sock")
}

/// Someone on the control socket whom the server has greeted.
fn greeted(server: &ServerProcess) -> UnixStream {
    let mut stream = UnixStream::connect(socket(server)).unwrap();
    stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
    stream.read_exact(&mut [0]).unwrap();
    stream
}

/// Whether the server hangs up on it, without a word. What it has not read may make that a reset.
fn is_hung_up_on(mut stream: UnixStream) -> bool {
    !matches!(stream.read(&mut [0; 16]), Ok(1..))
}

fn remember(peer: &mut Peer, label: &str) {
    peer.send(&ClientMessage::Remember { label: label.into() });
    assert!(matches!(peer.next(), ServerMessage::Remembered {}));
}

/// The program as another user of this host, if we may be one.
fn by_another_user(command: &Command) -> Option<Command> {
    let mut other = Command::new("setpriv");
    other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    let is_possible = Command::new("setpriv").args(other.get_args()).arg("true").status();
    is_possible.ok().filter(std::process::ExitStatus::success)?;
    other.arg(command.get_program()).args(command.get_args());
    Some(other)
}

#[test]
fn it_tells_who_is_connected() {
    let server = ServerProcess::start();
    let _alice = Peer::signed_up(server.link(), "alice");
    let _stranger = Peer::connect(server.link());
    let lines = admin(server.data(), &["sessions"]);
    assert_eq!(lines[0], "2 connected, 1 of them logged in");
    assert!(lines[1].starts_with("alice from 127.0.0.1:") && lines.len() == 2, "{lines:?}");
}

#[test]
fn it_does_the_same_whether_the_server_runs_or_not() {
    let mut server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    remember(&mut alice, "laptop");
    let running = admin(server.data(), &["devices", "alice"]);
    assert!(running.len() == 1 && running[0].ends_with("  laptop"), "{running:?}");
    let refused = admin_ended(server.data(), &["devices", "bob"]);
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(!socket(&server).exists());
    let stopped = admin(server.data(), &["devices", "alice"]);
    assert_eq!(running, stopped);
    refused.says(1, &["no account 'bob'", "check the name"]);
    admin_ended(server.data(), &["devices", "bob"]).says(1, &["no account 'bob'", "check the name"]);
    admin_ended(server.data(), &["sessions"]).says(1, &["no server runs", "chat server"]);
}

#[test]
fn what_a_device_calls_itself_does_nothing_to_the_operators_terminal() {
    let server = ServerProcess::start();
    let mut mallory = Peer::signed_up(server.link(), "mallory");
    remember(&mut mallory, "a\u{202e}b\u{2028}c\u{200b}d");
    let [line] = &admin(server.data(), &["devices", "mallory"])[..] else { panic!() };
    assert!(line.ends_with("  a\u{fffd}b⏎cd"), "{line:?}");
}

#[test]
fn a_folder_that_is_none_is_told_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    fs::write(folder.path().join("file"), "").unwrap();
    for data in [missing.clone(), folder.path().to_owned(), folder.path().join("file")] {
        let words = [data.to_str().unwrap(), "not the data folder", "--data"];
        admin_ended(&data, &["sessions"]).says(1, &words);
    }
    assert!(!missing.exists());
    assert_eq!(snapshot(folder.path()).len(), 1);
}

#[test]
fn a_folder_without_its_accounts_gets_none() {
    let mut server = ServerProcess::start();
    server.signal("TERM");
    assert!(server.wait().success());
    fs::write(server.data().join("users.db"), "nonsense\n").unwrap();
    let before = snapshot(server.data());
    admin_ended(server.data(), &["devices", "alice"]).says(1, &["users.db", "line 1"]);
    assert_eq!(snapshot(server.data()), before);
}

#[test]
fn the_socket_is_its_owners_alone_and_a_stale_one_is_replaced() {
    let server = ServerProcess::start();
    let mode = |server: &ServerProcess| fs::metadata(socket(server)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&server), 0o600);
    let server = server.kill_and_restart();
    assert_eq!(mode(&server), 0o600);
    assert_eq!(admin(server.data(), &["sessions"]), ["0 connected, 0 of them logged in"]);
}

#[test]
fn another_user_of_the_host_is_told_nothing() {
    let server = ServerProcess::start();
    let Some(mut other) = by_another_user(&admin_command(server.data(), &["sessions"])) else { return };
    let refused = Refused::run_command(&mut other);
    assert_ne!((refused.code, refused.stdout.as_str()), (Some(0), ""), "{refused:?}");
    // The same when the folder, which its owner may have made, lets others in.
    for folder in server.data().ancestors().take(2) {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    }
    let refused = Refused::run_command(&mut other);
    if refused.stderr.contains("can't be used") {
        refused.says(1, &["Permission denied", "the user who runs the server"]);
    }
    assert!(refused.code != Some(0) && refused.stdout.is_empty(), "{refused:?}");
}

#[test]
fn what_is_in_the_way_of_the_socket_does_not_stop_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("server");
    fs::create_dir_all(data.join("admin.sock/mine")).unwrap();
    let server = ServerProcess::start_in(data, Some(folder), "127.0.0.1:0", &[]);
    Peer::signed_up(server.link(), "alice").leave();
    assert!(server.log().contains("is in the way"), "{}", server.log());
    admin_ended(server.data(), &["sessions"]).says(1, &["does not answer", "try again"]);
    assert!(socket(&server).join("mine").exists());
}

#[test]
fn a_long_way_to_the_folder_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("d".repeat(LONG)).join("server");
    let server = ServerProcess::start_in(data, Some(folder), "127.0.0.1:0", &[]);
    assert_eq!(admin(server.data(), &["sessions"]).len(), 1);
    let server = server.kill_and_restart();
    assert_eq!(admin(server.data(), &["sessions"]).len(), 1);
}

#[test]
fn a_server_that_is_stuck_is_told_from_one_that_is_not_there() {
    let server = ServerProcess::start();
    server.signal("STOP");
    let stuck = admin_ended(server.data(), &["sessions"]);
    server.signal("CONT");
    stuck.says(1, &[server.data().to_str().unwrap(), "does not answer", "try again"]);
}

#[test]
fn garbage_giant_lengths_and_silence_on_the_control_socket_hold_nobody_up() {
    let mut server = ServerProcess::start();
    let _alice = Peer::signed_up(server.link(), "alice");
    let memory = server.resident_kib();
    for garbage in [vec![0xff; 4], vec![0xff; 1 << 20], vec![0, 1, 0, 1], b"GET / HTTP/1.1\r\n\r\n".to_vec()]
    {
        let mut stream = greeted(&server);
        let _ = stream.write_all(&garbage);
        assert!(is_hung_up_on(stream));
    }
    for malformed in [b"\0\0\0\0".as_slice(), b"\0\0\0\x01\xff", b"\0\0\0\x04\x82\x18\xff\xa0"] {
        let mut stream = greeted(&server);
        stream.write_all(malformed).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(String::from_utf8_lossy(&answer).contains("another version"), "{answer:?}");
    }
    let silent: Vec<_> = [b"".as_slice(), b"\0", b"\0\0\xff\xff abc"]
        .into_iter()
        .map(|beginning| {
            let mut stream = UnixStream::connect(socket(&server)).unwrap();
            stream.write_all(beginning).unwrap();
            stream
        })
        .collect();
    // Each of the silent ones is waited for, one after the other, and no longer than its time.
    assert_eq!(admin(server.data(), &["sessions"]).len(), 2);
    assert!(
        silent.into_iter().all(|mut stream| stream.read_exact(&mut [0]).is_ok() && is_hung_up_on(stream))
    );
    let grown = server.resident_kib().saturating_sub(memory);
    assert!(grown < 4096, "{grown} KiB");

    // And nobody on the socket keeps the server from ending.
    let _silent = greeted(&server);
    server.signal("TERM");
    assert!(server.wait_within(std::time::Duration::from_secs(5)).success());
}

#[test]
fn it_finds_a_server_in_every_state_beside_starts_and_stops() {
    let mut server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    remember(&mut alice, "laptop");
    drop(alice);
    let data: PathBuf = server.data().into();
    let (is_over, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let ended = admin_ended(&data, &["devices", "alice"]);
                // Only a server that is killed while it answers leaves one in doubt.
                if !ended.stderr.contains("may have been done or not") {
                    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
                    assert!(ended.stdout.ends_with("  laptop\n") && ended.stdout.lines().count() == 1);
                }
                answers.fetch_add(1, Ordering::Relaxed);
            }
        });
        for round in 0..10 {
            server = if round % 2 == 0 { server.stop_and_restart() } else { server.kill_and_restart() };
            let before = answers.load(Ordering::Relaxed);
            eventually("an answer has come", || {
                (asking.is_finished() || answers.load(Ordering::Relaxed) > before).then_some(())
            });
        }
        is_over.store(true, Ordering::Relaxed);
        asking.join().unwrap();
        assert_eq!(admin(&data, &["sessions"]).len(), 1);
    });
}
