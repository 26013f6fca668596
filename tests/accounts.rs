//! Sign-up and login over the wire, and `users.db` as its operator meets it.
#![cfg(test)]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chat::wire::{ClientMessage, Code, ServerMessage};
use support::{Heard, PASSWORD, Peer, Refused, ServerProcess, eventually, is_private, secret, snapshot};

const EXAMPLE: &str = include_str!("../users.db.example");

fn refusal(message: &ServerMessage) -> Code {
    match message {
        ServerMessage::Refused { code, .. } => *code,
        other => panic!("not refused: {other:?}"),
    }
}

fn is_logged_in_as(message: &ServerMessage, wanted: &str, wanted_role: u8) -> bool {
    matches!(message, ServerMessage::LoggedIn { name, role } if name == wanted && *role == wanted_role)
}

fn users(server: &ServerProcess) -> String {
    fs::read_to_string(server.data().join("users.db")).unwrap()
}

/// Starts a server on a folder that holds this `users.db`.
fn start_with(users_db: &str, listen: &str) -> ServerProcess {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("users.db"), users_db).unwrap();
    ServerProcess::start_in(folder.path().into(), Some(folder), listen, &[])
}

#[test]
fn who_signs_up_is_in_and_can_log_in_again_by_any_case_of_the_name_also_after_a_restart() {
    let server = ServerProcess::start();
    let mut peer = Peer::connect(server.link());
    assert!(is_logged_in_as(&peer.sign_up("Alice", PASSWORD), "alice", 0));
    peer.join(None);
    assert!(is_logged_in_as(&Peer::connect(server.link()).log_in("ALICE", PASSWORD), "alice", 0));
    let server = server.stop_and_restart();
    assert!(is_logged_in_as(&Peer::connect(server.link()).log_in("alice", PASSWORD), "alice", 0));
    let server = server.kill_and_restart();
    assert!(is_logged_in_as(&Peer::connect(server.link()).log_in("alice", PASSWORD), "alice", 0));
}

#[test]
fn a_wrong_password_and_an_unknown_name_get_the_very_same_answer() {
    let server = ServerProcess::start();
    Peer::signed_up(server.link(), "alice").leave();
    let answer = |name: &str, password: &str| Peer::connect(server.link()).log_in(name, password);
    let wrong = answer("alice", "Wrong-Horse-7");
    assert_eq!(refusal(&wrong), Code::WrongNameOrPassword);
    for name in ["nobody", "no such: name", "", &"x".repeat(5000)] {
        assert_eq!(answer(name, PASSWORD), wrong, "{name:?}");
    }
    assert_eq!(answer("alice", ""), answer("nobody", ""));
    let long = "x".repeat(20_000);
    assert_eq!(answer("alice", &long), answer("nobody", &long));
}

#[test]
fn a_refused_try_can_be_followed_by_a_right_one() {
    let server = ServerProcess::start();
    Peer::signed_up(server.link(), "alice").leave();
    let mut peer = Peer::connect(server.link());
    assert_eq!(refusal(&peer.log_in("alice", "Wrong-Horse-7")), Code::WrongNameOrPassword);
    assert_eq!(refusal(&peer.sign_up("alice", PASSWORD)), Code::NameTaken);
    assert!(is_logged_in_as(&peer.log_in("alice", PASSWORD), "alice", 0));
    assert_eq!(refusal(&peer.log_in("alice", PASSWORD)), Code::NotNow);
    assert_eq!(refusal(&peer.sign_up("bob", PASSWORD)), Code::NotNow);
    peer.join(None);
}

#[test]
fn a_name_that_is_taken_in_any_case_is_refused_and_its_password_stays() {
    let server = ServerProcess::start();
    Peer::signed_up(server.link(), "alice").leave();
    let before = users(&server);
    for name in ["alice", "Alice", "ALICE"] {
        assert_eq!(refusal(&Peer::connect(server.link()).sign_up(name, "Other-Horse-8")), Code::NameTaken);
    }
    assert_eq!(users(&server), before);
    Peer::logged_in(server.link(), "alice");
}

#[test]
fn of_two_who_sign_up_one_name_at_the_same_moment_exactly_one_gets_it() {
    let server = ServerProcess::start();
    for round in 0..5 {
        let name = format!("name{round}");
        let barrier = Barrier::new(2);
        let answers = thread::scope(|scope| {
            let one = |password: &'static str| {
                let (barrier, name, link) = (&barrier, &name, server.link());
                scope.spawn(move || {
                    let mut peer = Peer::connect(link);
                    barrier.wait();
                    (password, peer.sign_up(name, password))
                })
            };
            ["First-Horse-1", "Second-Horse-2"].map(one).map(|thread| thread.join().unwrap())
        });
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.iter().partition(|(_, answer)| is_logged_in_as(answer, &name, 0));
        let ([(right, _)], [(wrong, refused)]) = (won.as_slice(), lost.as_slice()) else {
            panic!("{answers:?}")
        };
        assert_eq!(refusal(refused), Code::NameTaken);
        assert!(is_logged_in_as(&Peer::connect(server.link()).log_in(&name, right), &name, 0));
        assert_eq!(refusal(&Peer::connect(server.link()).log_in(&name, wrong)), Code::WrongNameOrPassword);
        assert_eq!(users(&server).lines().filter(|line| line.starts_with(&format!("{name}:"))).count(), 1);
    }
}

#[test]
fn no_login_by_the_old_password_slips_through_its_change_and_the_revocation_of_all_others() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let mut present = PASSWORD.to_owned();
    for round in 0..5 {
        let (came_in, next) = (AtomicUsize::new(0), format!("Better-Horse-{round}"));
        let inside: Vec<Peer> = thread::scope(|scope| {
            let come_in_until_refused = || {
                let mut inside = Vec::new();
                loop {
                    let mut peer = Peer::connect(server.link());
                    if !matches!(peer.log_in("alice", &present), ServerMessage::LoggedIn { .. }) {
                        return inside;
                    }
                    inside.push(peer);
                    came_in.fetch_add(1, Ordering::Relaxed);
                }
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(come_in_until_refused)).collect();
            eventually("they come and come", || (came_in.load(Ordering::Relaxed) > 6).then_some(()));
            alice.send(&ClientMessage::ChangePassword { old: secret(&present), new: secret(&next) });
            assert_eq!(alice.next(), ServerMessage::PasswordChanged {});
            alice.send(&ClientMessage::RevokeOtherDevices {});
            assert!(matches!(alice.next(), ServerMessage::Devices { .. }));
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        for mut peer in inside {
            let (last, end) = peer.hear_out();
            let is_told = matches!(last[..], [.., ServerMessage::Closing { code: Code::DeviceRevoked, .. }]);
            assert!(is_told && end == Heard::Goodbye, "{last:?}");
        }
        present = next;
    }
}

#[test]
fn weak_passwords_and_bad_names_are_refused_and_write_nothing() {
    let server = ServerProcess::start();
    let long = "x".repeat(1025);
    for password in ["", "short-1", "Short-1", "alllower1", "ALLUPPER", "fifteen chars x", &long] {
        let answer = Peer::connect(server.link()).sign_up("alice", password);
        assert_eq!(refusal(&answer), Code::BadPassword, "{password:?}");
    }
    let long = "x".repeat(33);
    for name in [
        "",
        " ",
        "a b",
        "a:b",
        "#a",
        "a\nb",
        "a\u{202e}b",
        "ålicе",
        "server",
        "admin",
        "adrnin",
        "../a",
        &long,
    ] {
        let answer = Peer::connect(server.link()).sign_up(name, PASSWORD);
        assert_eq!(refusal(&answer), Code::BadName, "{name:?}");
    }
    assert!(!server.data().join("users.db").exists());
}

#[test]
fn the_file_is_the_owners_alone_and_holds_no_password() {
    let server = ServerProcess::start();
    Peer::signed_up(server.link(), "alice").leave();
    for (name, (mode, contents)) in snapshot(server.data()) {
        assert!(is_private(mode) || name.as_os_str() == "lock", "{} has {mode:o}", name.display());
        let found = contents.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes());
        assert!(!found, "the password is in {}", name.display());
    }
    assert!(users(&server).starts_with("alice:member:$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(!server.log().contains(PASSWORD));
}

#[test]
fn a_hangup_signal_takes_edits_by_hand_and_a_bad_edit_leaves_the_accounts_as_they_were() {
    let server = ServerProcess::start();
    let mut inside = Peer::signed_up(server.link(), "alice");
    let path = server.data().join("users.db");
    let good = users(&server);

    let bad = format!("{good}bob:member\n");
    fs::write(&path, &bad).unwrap();
    server.signal("HUP");
    eventually("the bad edit is told", || server.log().contains("line 2").then_some(()));
    assert!(is_logged_in_as(&Peer::connect(server.link()).log_in("alice", PASSWORD), "alice", 0));
    assert_eq!(users(&server), bad, "the edit is left to whoever made it");

    fs::write(&path, good.replace("alice:member", "alicia:admin")).unwrap();
    server.signal("HUP");
    eventually("the good edit is told", || server.log().contains("users.db was read again").then_some(()));
    assert!(is_logged_in_as(&Peer::connect(server.link()).log_in("alicia", PASSWORD), "alicia", 1));
    let refused = Peer::connect(server.link()).log_in("alice", PASSWORD);
    assert_eq!(refusal(&refused), Code::WrongNameOrPassword);
    let last = inside.hear_everything();
    assert!(
        matches!(last, Heard::Message(ServerMessage::Closing { code: Code::AccountGone, .. })),
        "{last:?}"
    );
}

#[test]
fn a_bad_line_refuses_the_start_with_file_line_and_reason_and_changes_nothing() {
    let hash = EXAMPLE.lines().find_map(|line| line.strip_prefix("alice:admin:")).unwrap();
    let bad = [
        (format!("# people\nalice:admin:{hash}\nbob\n"), 3, "name:role:hash"),
        (format!("alice:king:{hash}\n"), 1, "role"),
        ("\nalice:admin:secret\n".to_owned(), 2, "hash"),
        (format!("alice:admin:{hash}\n\nalice:member:{hash}\n"), 3, "line 1"),
        (format!("al ice:admin:{hash}\n"), 1, "name"),
        (format!("alice:admin:{}\n", hash.replace("m=65536", "m=4294967295")), 1, "hash"),
        (format!("# {}\n", "x".repeat(2000)), 1, "longer"),
    ];
    for (text, line, reason) in bad {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.db");
        ServerProcess::start_in(folder.path().into(), None, "127.0.0.1:0", &[]).signal("TERM");
        fs::write(&path, &text).unwrap();
        let before = without_wal(folder.path());
        let line = format!("line {line}");
        Refused::server(folder.path(), &[]).says(1, &[path.to_str().unwrap(), &line, reason]);
        assert_eq!(without_wal(folder.path()), before);
    }
}

/// The files that a server leaves when it has ended, without those that `SQLite` keeps beside a log in use.
fn without_wal(folder: &Path) -> Vec<(std::path::PathBuf, (u32, Vec<u8>))> {
    snapshot(folder).into_iter().filter(|(name, _)| !name.to_string_lossy().starts_with("chat.db-")).collect()
}

#[test]
fn the_example_accounts_work_on_the_loopback_address_only() {
    let server = start_with(EXAMPLE, "127.0.0.1:0");
    assert!(is_logged_in_as(&Peer::connect(server.link()).log_in("alice", "Example-alice-1"), "alice", 1));
    assert!(is_logged_in_as(&Peer::connect(server.link()).log_in("bob", "Example-bob-2"), "bob", 0));
    drop(server);

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("users.db"), EXAMPLE).unwrap();
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let refused = Refused::server(folder.path(), &["--listen", listen]);
        refused.says(1, &["users.db.example", "remove those lines", "127.0.0.1"]);
        let both = Refused::server(folder.path(), &["--listen", "127.0.0.1:0", "--listen", listen]);
        both.says(1, &["users.db.example"]);
    }
    assert_eq!(fs::read_to_string(folder.path().join("users.db")).unwrap(), EXAMPLE);

    let renamed = EXAMPLE.replace("alice:admin", "operator:admin");
    fs::write(folder.path().join("users.db"), renamed).unwrap();
    Refused::server(folder.path(), &["--listen", "0.0.0.0:0"]).says(1, &["users.db.example"]);
}
