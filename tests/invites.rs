//! Who may sign up, and with which invite: each use gets one person in, whatever races, crashes or fails.
#![cfg(test)]

mod support;

use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use chat::link::Link;
use chat::wire::{
    ClientMessage, Code, REGISTRATION_CLOSED, REGISTRATION_INVITE, REGISTRATION_OPEN, ROLE_ADMIN,
    ROLE_MEMBER, ServerMessage,
};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use support::{Heard, PASSWORD, Peer, ServerProcess, admin, admin_command, admin_ended, eventually};

fn with_policy(policy: &str) -> ServerProcess {
    ServerProcess::start_with(&["--registration", policy])
}

/// The token of an invite that the operator makes.
fn invite(server: &ServerProcess, arguments: &[&str]) -> String {
    let lines = admin(server.data(), &[&["invite"], arguments].concat());
    let link: Link = lines[0].parse().unwrap();
    assert_eq!(Link { invite: None, ..link.clone() }, *server.link());
    link.invite.unwrap().as_str().to_owned()
}

fn sign_up(server: &ServerProcess, name: &str, invite: Option<&str>) -> ServerMessage {
    Peer::connect(server.link()).sign_up_with(name, PASSWORD, invite)
}

#[track_caller]
fn assert_refused(answer: &ServerMessage, expected: Code) {
    assert!(matches!(answer, ServerMessage::Refused { code, .. } if *code == expected), "{answer:?}");
}

#[track_caller]
fn assert_is_in(answer: &ServerMessage, expected: u8) {
    assert!(matches!(answer, ServerMessage::LoggedIn { role, .. } if *role == expected), "{answer:?}");
}

/// What the server says about who may sign up.
fn policy_told(server: &ServerProcess) -> Option<u8> {
    let mut peer = Peer::try_connect(server.link()).unwrap();
    match peer.hear() {
        Heard::Message(ServerMessage::Welcome { registration, .. }) => registration,
        other => panic!("{other:?}"),
    }
}

#[test]
fn with_open_registration_anyone_is_a_member_and_an_invite_gives_its_role() {
    let server = with_policy("open");
    assert_eq!(policy_told(&server), Some(REGISTRATION_OPEN));
    assert_is_in(&sign_up(&server, "alice", None), ROLE_MEMBER);
    let token = invite(&server, &["--role", "admin"]);
    assert_is_in(&sign_up(&server, "bob", Some(&token)), ROLE_ADMIN);
    // Who comes with an invite that is none is told so, not let in as something else.
    assert_refused(&sign_up(&server, "carol", Some(&token)), Code::InviteNotValid);
    assert_refused(&sign_up(&server, "carol", Some("nonsense")), Code::InviteNotValid);
    let server = server.kill_and_restart();
    assert!(matches!(
        Peer::connect(server.link()).log_in("bob", PASSWORD),
        ServerMessage::LoggedIn { role: ROLE_ADMIN, .. }
    ));
}

#[test]
fn with_registration_by_invite_one_needs_one() {
    let server = with_policy("invite");
    assert_eq!(policy_told(&server), Some(REGISTRATION_INVITE));
    let refused = sign_up(&server, "alice", None);
    assert_refused(&refused, Code::InviteNeeded);
    let token = invite(&server, &["--uses", "2"]);
    assert_is_in(&sign_up(&server, "alice", Some(&token)), ROLE_MEMBER);
    assert_is_in(&sign_up(&server, "bob", Some(&token)), ROLE_MEMBER);
    assert_refused(&sign_up(&server, "carol", Some(&token)), Code::InviteNotValid);
    assert!(!server.log().contains(&token));
}

#[test]
fn with_closed_registration_only_the_operators_own_invites_work_and_an_old_client_is_told() {
    let server = with_policy("open");
    let mut alice = Peer::signed_up(server.link(), "alice");
    let of_alice = made_by(&mut alice).unwrap();
    let mut server = server;
    server.signal("TERM");
    assert!(server.wait().success());
    let server =
        ServerProcess::start_in(server.data().to_owned(), None, "127.0.0.1:0", &["--registration", "closed"]);
    assert_eq!(policy_told(&server), Some(REGISTRATION_CLOSED));
    assert_refused(&sign_up(&server, "bob", None), Code::RegistrationClosed);
    assert_refused(&sign_up(&server, "bob", Some(&of_alice)), Code::RegistrationClosed);
    let mut alice = Peer::logged_in(server.link(), "alice");
    assert_refused(&made_by(&mut alice).unwrap_err(), Code::RegistrationClosed);

    // What a client sends that has never heard of invites: [0, {0: "old", 1: password}].
    let mut old = Peer::connect(server.link());
    let mut content = b"\x82\x00\xa2\x00\x63old\x01".to_vec();
    content.push(0x60 + u8::try_from(PASSWORD.len()).unwrap());
    content.extend(PASSWORD.bytes());
    old.send_content(&content).unwrap();
    let refused = old.next();
    assert_refused(&refused, Code::RegistrationClosed);
    assert!(matches!(refused, ServerMessage::Refused { text, .. } if text.contains("the person who runs")));

    let token = invite(&server, &[]);
    assert_is_in(&sign_up(&server, "bob", Some(&token)), ROLE_MEMBER);
}

fn made_by(peer: &mut Peer) -> Result<String, ServerMessage> {
    peer.send(&ClientMessage::MakeInvite { uses: None, seconds: None });
    match peer.next() {
        ServerMessage::Invited { token, uses: 1, .. } => Ok(token.as_str().to_owned()),
        other => Err(other),
    }
}

#[test]
fn who_may_invite_is_the_operators_choice() {
    let server = with_policy("invite");
    let (for_admin, for_member) = (invite(&server, &["--role", "admin"]), invite(&server, &[]));
    let mut alice = Peer::connect(server.link());
    assert_is_in(&alice.sign_up_with("alice", PASSWORD, Some(&for_admin)), ROLE_ADMIN);
    let mut bob = Peer::connect(server.link());
    assert_is_in(&bob.sign_up_with("bob", PASSWORD, Some(&for_member)), ROLE_MEMBER);
    assert_refused(&made_by(&mut bob).unwrap_err(), Code::NotAllowed);
    let token = made_by(&mut alice).unwrap();
    assert_is_in(&sign_up(&server, "carol", Some(&token)), ROLE_MEMBER);
    for (uses, seconds) in [(Some(0), None), (Some(1001), None), (None, Some(0)), (None, Some(u64::MAX))] {
        alice.send(&ClientMessage::MakeInvite { uses, seconds });
        assert_refused(&alice.next(), Code::Malformed);
    }

    let server = ServerProcess::start_with(&["--registration", "invite", "--members-invite"]);
    let token = invite(&server, &[]);
    let mut bob = Peer::connect(server.link());
    assert_is_in(&bob.sign_up_with("bob", PASSWORD, Some(&token)), ROLE_MEMBER);
    for _ in 0..100 {
        made_by(&mut bob).unwrap();
    }
    assert_refused(&made_by(&mut bob).unwrap_err(), Code::TooManyInvites);
}

#[test]
fn an_invite_of_who_is_banned_is_worth_nothing() {
    let server = with_policy("open");
    let token = made_by(&mut Peer::signed_up(server.link(), "mallory")).unwrap();
    admin(server.data(), &["ban", "mallory"]);
    assert_refused(&sign_up(&server, "mallory2", Some(&token)), Code::InviteNotValid);
    admin(server.data(), &["unban", "mallory"]);
    assert_is_in(&sign_up(&server, "bob", Some(&token)), ROLE_MEMBER);
}

#[test]
fn the_first_start_gives_one_admin_invite_and_no_later_one_does() {
    let mut server = with_policy("closed");
    let link: Link = server.next_line().parse().unwrap();
    let token = link.invite.as_ref().unwrap().as_str().to_owned();
    assert_eq!(Link { invite: None, ..link.clone() }, *server.link());
    assert_is_in(&sign_up(&server, "alice", Some(&token)), ROLE_ADMIN);
    assert_refused(&sign_up(&server, "mallory", Some(&token)), Code::InviteNotValid);
    eventually("it is explained", || server.log().contains("becomes an admin").then_some(()));
    assert!(!server.log().contains(&token));
    for _ in 0..2 {
        server = server.stop_and_restart();
    }
    server.signal("TERM");
    assert!(server.wait().success());
    assert_eq!(server.rest_of_stdout(), "");
}

#[test]
fn a_first_start_that_failed_takes_nobodys_admin_invite_away() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("server");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    support::Refused::server(&data, &["--listen", &address]).says(1, &["in use"]);
    let mut server = ServerProcess::start_in(data, Some(folder), "127.0.0.1:0", &[]);
    let link: Link = server.next_line().parse().unwrap();
    assert_is_in(&sign_up(&server, "alice", Some(link.invite.unwrap().as_str())), ROLE_ADMIN);
}

#[test]
fn an_operator_lists_and_revokes_invites_whether_the_server_runs_or_not() {
    let mut server = with_policy("invite");
    let revoked = invite(&server, &["--uses", "5", "--for", "12h"]);
    let kept = invite(&server, &[]);
    let lines = admin(server.data(), &["invites"]);
    // The first one is that of the first start.
    assert!(
        lines[0].starts_with("1: 1 use left until ")
            && lines[0].ends_with("a new admin, made by the operator")
    );
    assert!(
        lines[1].starts_with("2: 5 uses left until ")
            && lines[1].ends_with("a new member, made by the operator")
    );
    assert!(lines.len() == 3 && !lines.concat().contains(&revoked));
    assert_eq!(admin(server.data(), &["revoke-invite", "2"]), ["invite 2 is revoked"]);
    admin_ended(server.data(), &["revoke-invite", "2"]).says(1, &["no invite 2", "chat admin invites"]);
    assert_refused(&sign_up(&server, "alice", Some(&revoked)), Code::InviteNotValid);

    server.signal("TERM");
    assert!(server.wait().success());
    assert_eq!(admin(server.data(), &["invites"]), [&lines[0][..], &lines[2]]);
    let made = admin(server.data(), &["invite", "--at", "chat.example.org:99"]);
    assert!(made[0].starts_with("chat://chat.example.org:99?invite=") && made.len() == 3, "{made:?}");
    let link: Link = made[0].parse().unwrap();
    let server = server.restart();
    assert_eq!(link.server_key, server.link().server_key);
    assert_is_in(&sign_up(&server, "alice", Some(&kept)), ROLE_MEMBER);
    assert_is_in(&sign_up(&server, "bob", Some(link.invite.unwrap().as_str())), ROLE_MEMBER);
    for nonsense in [&["--for", "soon"][..], &["--for", "0d"], &["--role", "king"], &["--uses", "-1"]] {
        let ended = admin_ended(server.data(), &[&["invite"], nonsense].concat());
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
    admin_ended(server.data(), &["invite", "--uses", "1001"]).says(1, &["1 to 1000 uses", "--uses 5"]);
}

#[test]
fn stolen_invite_twice() {
    let server = with_policy("invite");
    for round in 0..50 {
        let token = invite(&server, &[]);
        let (barrier, token) = (Barrier::new(2), token.as_str());
        let answers = thread::scope(|scope| {
            let (server, barrier) = (&server, &barrier);
            let come = |who: &'static str| {
                scope.spawn(move || {
                    let mut peer = Peer::connect(server.link());
                    barrier.wait();
                    peer.sign_up_with(&format!("{who}{round}"), PASSWORD, Some(token))
                })
            };
            ["alice", "mallory"].map(come).map(|thread| thread.join().unwrap())
        });
        let [first, second] = &answers;
        let (lucky, other) =
            if matches!(first, ServerMessage::LoggedIn { .. }) { (first, second) } else { (second, first) };
        assert_is_in(lucky, ROLE_MEMBER);
        assert_refused(other, Code::InviteNotValid);
    }
    assert_eq!(std::fs::read_to_string(server.data().join("users.db")).unwrap().lines().count(), 50);
}

#[test]
fn a_sign_up_that_fails_loses_no_invite() {
    let server = with_policy("invite");
    let token = invite(&server, &["--uses", "2"]);
    assert_is_in(&sign_up(&server, "alice", Some(&token)), ROLE_MEMBER);
    let mut peer = Peer::connect(server.link());
    assert_refused(&peer.sign_up_with("alice", PASSWORD, Some(&token)), Code::NameTaken);
    assert_refused(&peer.sign_up_with("no name", PASSWORD, Some(&token)), Code::BadName);
    assert_refused(&peer.sign_up_with("bob", "weak", Some(&token)), Code::BadPassword);
    assert_is_in(&peer.sign_up_with("bob", PASSWORD, Some(&token)), ROLE_MEMBER);
}

/// What this process may write into one file, from now on.
fn limit_files(server: &ServerProcess, bytes: Option<u64>) {
    let process = Pid::from_raw(i32::try_from(server.id()).unwrap());
    prlimit(process, Resource::Fsize, Rlimit { current: bytes, maximum: getrlimit(Resource::Fsize).maximum })
        .unwrap();
}

#[test]
fn a_full_disk_loses_no_invite() {
    let server = with_policy("invite");
    let token = invite(&server, &[]);
    // What is in the way first is invites.db, then users.db as well; in between one is written and the other is not.
    let tables = std::fs::metadata(server.data().join("invites.db-wal")).unwrap().len();
    for room in [0, tables, tables + 10_000, tables + 40_000] {
        limit_files(&server, Some(room.min(100)));
        assert_refused(&sign_up(&server, "alice", Some(&token)), Code::NotStored);
    }
    limit_files(&server, None);
    assert_is_in(&sign_up(&server, "alice", Some(&token)), ROLE_MEMBER);
    assert_refused(&sign_up(&server, "bob", Some(&token)), Code::InviteNotValid);
}

#[test]
fn a_users_file_that_can_not_be_written_gives_the_use_back() {
    let server = with_policy("invite");
    let token = invite(&server, &[]);
    let users = server.data().join("users.db");
    std::fs::create_dir(&users).unwrap();
    assert_refused(&sign_up(&server, "alice", Some(&token)), Code::NotStored);
    std::fs::remove_dir(&users).unwrap();
    assert_is_in(&sign_up(&server, "alice", Some(&token)), ROLE_MEMBER);
}

#[test]
fn a_server_that_is_killed_while_an_invite_is_used_neither_loses_it_nor_lets_two_in() {
    let mut server = with_policy("invite");
    let token = invite(&server, &["--uses", "1000"]);
    let uses_left = |server: &ServerProcess| -> usize {
        let lines = admin(server.data(), &["invites"]);
        let line = lines.iter().find(|line| line.starts_with("2: ")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let accounts = |server: &ServerProcess| {
        std::fs::read_to_string(server.data().join("users.db")).map_or(0, |users| users.lines().count())
    };
    for round in 0..12_u64 {
        let mut peer = Peer::connect(server.link());
        let (name, password, invite) =
            (format!("p{round}"), support::secret(PASSWORD), Some(support::secret(&token)));
        peer.send(&ClientMessage::SignUp { name, password, invite, server_password: None });
        // The moment of the attack: a hash takes some 30 ms, and what is written after it a few more.
        thread::sleep(Duration::from_millis(20 + round * 4));
        server = server.kill_and_restart();
        assert_eq!(accounts(&server) + uses_left(&server), 1000, "round {round}");
    }
    assert!(accounts(&server) < 12, "it was never killed before the end");
}

#[test]
fn an_invite_that_ends_while_the_password_is_typed_is_told_to_be_too_old() {
    let server = with_policy("invite");
    let mut peer = Peer::connect(server.link());
    let token = invite(&server, &["--for", "1s"]);
    eventually("it is over", || (admin(server.data(), &["invites"]).len() == 1).then_some(()));
    let refused = peer.sign_up_with("alice", PASSWORD, Some(&token));
    assert_refused(&refused, Code::InviteNotValid);
    assert!(matches!(refused, ServerMessage::Refused { text, .. } if text.contains("ask for a new one")));
}

#[test]
fn guesses_at_invites_cost_no_hash_and_end_the_connection_like_other_tries() {
    let server = with_policy("invite");
    let before = server.cpu_ticks();
    for _ in 0..40 {
        let mut peer = Peer::connect(server.link());
        for _ in 0..5 {
            assert_refused(&peer.sign_up_with("eve", PASSWORD, Some(&"A".repeat(24))), Code::InviteNotValid);
        }
        let (last, end) = peer.hear_out();
        assert!(
            matches!(last[..], [ServerMessage::Closing { code: Code::TooManyTries, .. }])
                && end == Heard::Goodbye
        );
    }
    // 200 hashes of 19 MiB would take several seconds of CPU; a tick is 10 ms.
    let used = server.cpu_ticks() - before;
    assert!(used < 100, "{used} ticks");
}

#[test]
fn ten_thousand_invites_are_listed_and_the_last_one_works() {
    let mut server = with_policy("invite");
    server.signal("TERM");
    assert!(server.wait().success());
    let database = rusqlite::Connection::open(server.data().join("invites.db")).unwrap();
    database
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
             INSERT INTO invites (digest, role, uses_left, made, until, maker)
             SELECT randomblob(32), 'member', 1, 0, 9000000000000, 'alice' FROM n",
        )
        .unwrap();
    drop(database);
    let server = server.restart();
    let token = invite(&server, &[]);
    let listed = admin_command(server.data(), &["invites"]).output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 10_002);
    assert_is_in(&sign_up(&server, "bob", Some(&token)), ROLE_MEMBER);
}

#[test]
fn a_policy_that_is_none_is_refused_with_those_that_are() {
    let ended = support::Refused::run_command(Command::new(support::PROGRAM).args([
        "server",
        "--registration",
        "maybe",
    ]));
    assert!(ended.code == Some(2) && ended.stderr.contains("open, invite or closed"), "{ended:?}");
}
