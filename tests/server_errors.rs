//! A server that can't start says in one sentence why and what to do next, and leaves everything as it was.
#![cfg(test)]

mod support;

use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use support::{Peer, Refused, ServerProcess, eventually, is_private, snapshot};
use tempfile::TempDir;

/// A data folder that a server has used: a key, an account, a message.
fn used_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut server = ServerProcess::start_in(folder.path().into(), None, "127.0.0.1:0", &[]);
    let mut alice = Peer::signed_up(server.link(), "alice");
    let id = alice.say("hello");
    alice.wait_until_accepted(id);
    server.signal("TERM");
    assert!(server.wait().success());
    folder
}

/// Spoils a file in a used data folder, and checks what the server says and that it changes nothing.
fn assert_refused_with(file: &str, contents: &[u8], words: &[&str]) {
    let folder = used_folder();
    fs::write(folder.path().join(file), contents).unwrap();
    let before = snapshot(folder.path());
    Refused::server(folder.path(), &[]).says(1, words);
    assert_eq!(snapshot(folder.path()), before);
}

#[test]
fn a_port_in_use() {
    let folder = used_folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let before = snapshot(folder.path());
    Refused::server(folder.path(), &["--listen", &address]).says(1, &[&address, "in use", "another port"]);
    assert_eq!(snapshot(folder.path()), before);
}

#[test]
fn an_address_that_is_not_this_hosts() {
    let folder = used_folder();
    let before = snapshot(folder.path());
    // RFC 5737: an address for documentation.
    Refused::server(folder.path(), &["--listen", "192.0.2.1:5555"])
        .says(1, &["192.0.2.1:5555", "ip address"]);
    assert_eq!(snapshot(folder.path()), before);
}

#[test]
fn what_is_no_address() {
    for listen in ["127.0.0.1", "5555", "127.0.0.1:99999", "no host:1", "::1:5555:", ""] {
        let folder = tempfile::tempdir().unwrap();
        Refused::server(folder.path(), &["--listen", listen]).says(1, &[listen, "127.0.0.1:5555"]);
    }
}

#[test]
fn a_data_folder_that_another_server_uses() {
    let folder = used_folder();
    let first = ServerProcess::start_in(folder.path().into(), None, "127.0.0.1:0", &[]);
    let path = folder.path().to_str().unwrap();
    Refused::server(folder.path(), &[]).says(1, &[path, "another chat server", "--data"]);
    Peer::logged_in(first.link(), "alice").join(None);
    drop(first);
    ServerProcess::start_in(folder.path().into(), None, "127.0.0.1:0", &[]);
}

#[test]
fn a_data_folder_that_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    Refused::server(&file, &[]).says(1, &[file.to_str().unwrap(), "--data"]);
    Refused::server(&file.join("below"), &[]).says(1, &["--data"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_data_folder_that_can_not_be_written() {
    // Nobody may make files there, not even root.
    Refused::server("/proc/chat".as_ref(), &[]).says(1, &["/proc/chat", "--data"]);
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    if fs::write(folder.path().join("probe"), "").is_ok() {
        return; // root may write anywhere
    }
    Refused::server(folder.path(), &[]).says(1, &[folder.path().to_str().unwrap(), "--data"]);
}

#[test]
fn a_log_that_is_no_database() {
    let garbage = b"this is no database, and long enough to be looked at. ".repeat(100);
    assert_refused_with("chat.db", &garbage, &["chat.db", "check that"]);
}

#[test]
fn a_log_that_was_damaged() {
    let folder = used_folder();
    let path = folder.path().join("chat.db");
    let mut bytes = fs::read(&path).unwrap();
    let header = 100;
    bytes[header..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    Refused::server(folder.path(), &[]).says(1, &["chat.db", "check that"]);
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_server_key_that_is_none() {
    for contents in [b"".as_slice(), b"\n", b"not a key\n", &[0xff; 43], &[b'A'; 42], &[b'A'; 5000]] {
        assert_refused_with("server.key", contents, &["server.key", "put your copy of it back"]);
    }
}

#[test]
fn a_server_key_that_others_can_read() {
    let folder = used_folder();
    let key = folder.path().join("server.key");
    for mode in [0o640, 0o604, 0o666] {
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let before = snapshot(folder.path());
        Refused::server(folder.path(), &[]).says(1, &["server.key", "chmod 600"]);
        assert_eq!(snapshot(folder.path()), before);
    }
}

#[test]
fn files_that_are_folders() {
    for name in ["server.key", "users.db", "chat.db", "lock"] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(name)).unwrap();
        Refused::server(folder.path(), &[]).says(1, &[name]);
    }
}

#[test]
fn what_was_said_can_be_read_by_the_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    // As many have it who make the folder themselves.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let server = ServerProcess::start_in(folder.path().into(), None, "127.0.0.1:0", &[]);
    let mut alice = Peer::signed_up(server.link(), "alice");
    let id = alice.say("hello");
    alice.wait_until_accepted(id);
    for (name, (mode, _)) in snapshot(folder.path()) {
        assert!(name.as_os_str() == "lock" || is_private(mode), "{} has {mode:o}", name.display());
    }
}

#[test]
fn wrong_usage_ends_with_2_and_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("server");
    let wrong: [(&[&str], &str); 6] = [
        (&["--no-such-flag"], "--no-such-flag"),
        (&["--limit", "connections"], "NAME=VALUE"),
        (&["--limit", "conections=5"], "handshake-seconds"),
        (&["--limit", "strangers=0"], "from 1 up"),
        (&["--limit", "outbox-bytes=1"], "outbox-bytes"),
        (&["surplus"], "surplus"),
    ];
    for (arguments, word) in wrong {
        Refused::server(&data, arguments).says(2, &[word]);
        assert!(!data.exists());
    }
    Refused::run(&["no-such-command"]).says(2, &["no-such-command"]);
    Refused::run(&[]).says(2, &["server", "client"]);
}

#[test]
fn no_place_for_files_is_wrong_usage_too() {
    let mut command = std::process::Command::new(support::PROGRAM);
    command.args(["server", "--listen", "127.0.0.1:0"]).env_remove("HOME").env_remove("XDG_DATA_HOME");
    Refused::run_command(&mut command).says(2, &["HOME", "--data"]);
}

#[test]
fn no_descriptors_are_left_for_newcomers_but_those_inside_talk_and_it_recovers() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    alice.join(None);
    let process = Pid::from_raw(server.id().try_into().unwrap());
    let Rlimit { current: many, maximum } = getrlimit(Resource::Nofile);
    let set = |current| prlimit(process, Resource::Nofile, Rlimit { current, maximum }).unwrap();
    set(Some(fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count() as u64));
    let waiting = TcpStream::connect(server.address()).unwrap();
    eventually("it is told in the log", || server.log().contains("can't be accepted").then_some(()));
    let id = alice.say("still here");
    alice.wait_until_accepted(id);
    set(many);
    drop(waiting);
    Peer::signed_up(server.link(), "bob").join(None);
}
