//! `chat admin` for accounts: what an operator does to them counts at once, on a running server and on a stopped one.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::fs;
use std::thread;

use chat::channel::StaticKey;
use chat::wire::{
    self, BODY_REMOVED, BODY_ROOM_EVENT, ClientMessage, Code, MessageId, RoomEvent, RoomMember, ServerMessage,
};
use client::{Home, Terminal};
use support::{
    Heard, PASSWORD, Peer, Refused, ServerProcess, admin, admin_command, admin_ended, body, eventually,
    sequence, snapshot,
};

/// Another password that satisfies the rule.
const OTHER: &str = "Better-Horse-8";

/// A server, and a home with both passwords in files.
fn house() -> (ServerProcess, Home) {
    let home = Home::new();
    home.write("other", OTHER);
    (ServerProcess::start(), home)
}

/// Adds an account with [`PASSWORD`].
fn add(server: &ServerProcess, home: &Home, name: &str, role: &str) -> Vec<String> {
    admin(server.data(), &["add-user", name, "--role", role, "--password-file", &home.password_file()])
}

fn stop(server: &mut ServerProcess) {
    server.signal("TERM");
    assert!(server.wait().success());
}

/// Whether the password lets in.
fn lets_in(server: &ServerProcess, name: &str, password: &str) -> bool {
    matches!(Peer::connect(server.link()).log_in(name, password), ServerMessage::LoggedIn { .. })
}

fn change(peer: &mut Peer, room: &str, event: &RoomEvent) -> String {
    let id = MessageId::random().unwrap();
    let body = wire::encode(event).into();
    peer.send(&ClientMessage::Say { room: room.into(), id, kind: BODY_ROOM_EVENT, body, of: None });
    let accepted = peer.wait_for(|message| matches!(message, ServerMessage::Accepted { .. }));
    let ServerMessage::Accepted { room, .. } = accepted else { unreachable!() };
    room
}

fn members(peer: &mut Peer, room: &str) -> Vec<RoomMember> {
    peer.send(&ClientMessage::ListMembers { room: room.into(), after: None });
    let answer = peer.wait_for(|message| matches!(message, ServerMessage::Members { .. }));
    let ServerMessage::Members { members, .. } = answer else { unreachable!() };
    members
}

/// Someone with a device that is remembered.
fn enrolled(server: &ServerProcess, name: &str, key: &StaticKey) -> Peer {
    let mut peer = Peer::with_key(server.link(), key);
    assert!(matches!(peer.log_in(name, PASSWORD), ServerMessage::LoggedIn { .. }));
    peer.send(&ClientMessage::Remember { label: "laptop".into() });
    assert!(matches!(peer.next(), ServerMessage::Remembered {}));
    peer
}

fn comes_back(server: &ServerProcess, key: &StaticKey) -> bool {
    let mut peer = Peer::with_key(server.link(), key);
    peer.send(&ClientMessage::LogInByDevice { name: None });
    matches!(peer.next(), ServerMessage::LoggedIn { .. })
}

#[track_caller]
fn assert_ended(peer: &mut Peer, wanted: Code) {
    let last = peer.hear_everything();
    assert!(
        matches!(last, Heard::Message(ServerMessage::Closing { code, .. }) if code == wanted),
        "{last:?}"
    );
    assert_eq!(peer.hear(), Heard::Goodbye);
}

#[test]
fn accounts_are_made_and_listed_whether_the_server_runs_or_not() {
    let (mut server, home) = house();
    assert_eq!(admin(server.data(), &["users"]), ["there are no accounts"]);
    assert_eq!(add(&server, &home, "Alice", "admin"), ["alice is there, as admin"]);
    let _alice = enrolled(&server, "alice", &StaticKey::from_bytes(&[1; 32]));
    stop(&mut server);
    let other = home.path().join("other");
    let by_command = format!("cat '{}'", other.display());
    admin(server.data(), &["add-user", "bob", "--password-command", &by_command]);
    assert_eq!(admin(server.data(), &["users"]), ["alice  admin, 1 device", "bob  member, 0 devices"]);
    let server = server.restart();
    assert!(lets_in(&server, "bob", OTHER) && !lets_in(&server, "bob", PASSWORD));
    let _bob = Peer::logged_in(server.link(), "alice");
    let listed = admin(server.data(), &["users"]);
    assert_eq!(listed[0], "alice  admin, 1 device, connected");
    assert!(listed[1].starts_with("bob  member, 0 devices"), "{listed:?}");
    assert!(!server.log().contains(PASSWORD) && !server.log().contains(OTHER));
}

#[test]
fn what_can_be_no_account_is_refused_and_changes_nothing() {
    let (server, home) = house();
    add(&server, &home, "mike", "member");
    let before = fs::read(server.data().join("users.db")).unwrap();
    let weak = home.write("weak", "password");
    let weak = weak.to_str().unwrap();
    let file = home.password_file();
    for (name, password, words) in [
        ("Mike", file.as_str(), "taken"),
        ("rnike", &file, "looks like"),
        ("admin1", weak, "8 characters"),
        ("bob", "/nowhere", "first line"),
    ] {
        admin_ended(server.data(), &["add-user", name, "--password-file", password]).says(1, &[words]);
    }
    admin_ended(server.data(), &["add-user", "a b", "--password-file", &file]).says(2, &["a b"]);
    admin_ended(server.data(), &["add-user", "bob"]).says(2, &["--password-file", "CHAT_PASSWORD"]);
    let mut on_the_line = admin_command(server.data(), &["add-user", "bob", "--password", PASSWORD]);
    assert_eq!(Refused::run_command(&mut on_the_line).code, Some(2), "no option takes the password itself");
    admin(server.data(), &["ban", "account:mike"]);
    for command in [&["role", "nobody", "admin"][..], &["reset-password", "nobody", "--password-file", &file]]
    {
        admin_ended(server.data(), command).says(1, &["no account 'nobody'", "check the name"]);
    }
    admin_ended(server.data(), &["role", "mike", "king"]).says(2, &["king"]);
    assert_eq!(fs::read(server.data().join("users.db")).unwrap(), before);
}

#[test]
fn at_a_terminal_the_password_is_asked_for_twice_and_not_shown() {
    let (server, home) = house();
    let data = server.data().to_str().unwrap();
    let mut terminal = Terminal::run(&home, (100, 20), &["admin", "add-user", "alice", "--data", data]);
    terminal.wait_for("Password:");
    terminal.enter("short");
    terminal.wait_until("it is asked again", |screen| {
        let shown = screen.contents();
        shown.contains("too weak") && shown.trim_end().ends_with("Password:")
    });
    terminal.enter(OTHER);
    terminal.wait_for("The same again:");
    terminal.enter(OTHER);
    terminal.wait_for("alice is there, as member");
    assert_eq!(terminal.wait(), 0);
    assert!(!String::from_utf8_lossy(&terminal.bytes()).contains(OTHER));
    assert!(lets_in(&server, "alice", OTHER));
}

#[test]
fn a_password_that_is_reset_ends_all_sessions_and_the_devices_go_if_that_is_wanted() {
    let (mut server, home) = house();
    add(&server, &home, "alice", "member");
    let key = StaticKey::from_bytes(&[1; 32]);
    let mut alice = enrolled(&server, "alice", &key);
    let mut bob = Peer::signed_up(server.link(), "bob");
    let other = home.path().join("other").to_str().unwrap().to_owned();
    let told = admin(server.data(), &["reset-password", "alice", "--password-file", &other]);
    assert!(told[0].contains("1 of its devices still come in"), "{told:?}");
    assert_ended(&mut alice, Code::DeviceRevoked);
    assert!(lets_in(&server, "alice", OTHER) && !lets_in(&server, "alice", PASSWORD));
    assert!(comes_back(&server, &key));
    bob.send(&ClientMessage::Ping {});
    assert!(matches!(bob.next(), ServerMessage::Pong {}), "others stay");

    stop(&mut server);
    let file = home.password_file();
    let command = ["reset-password", "alice", "--forget-devices", "--password-file", &file];
    assert!(admin(server.data(), &command)[0].contains("its devices forgotten"));
    let server = server.restart();
    assert!(lets_in(&server, "alice", PASSWORD) && !lets_in(&server, "alice", OTHER));
    assert!(!comes_back(&server, &key));
}

#[test]
fn another_role_counts_at_once() {
    let (server, home) = house();
    add(&server, &home, "alice", "member");
    let mut alice = Peer::logged_in(server.link(), "alice");
    let mut sets_topic = |topic: &str| {
        let id = MessageId::random().unwrap();
        let body = wire::encode(&RoomEvent::Topic { topic: topic.into() }).into();
        alice.send(&ClientMessage::Say { room: "#lobby".into(), id, kind: BODY_ROOM_EVENT, body, of: None });
        matches!(alice.next(), ServerMessage::Accepted { .. })
    };
    assert!(!sets_topic("one"));
    assert_eq!(admin(server.data(), &["role", "alice", "admin"]), ["alice is admin from now on"]);
    assert!(sets_topic("two"));
    admin(server.data(), &["role", "alice", "member"]);
    assert!(!sets_topic("three"));
    assert!(fs::read_to_string(server.data().join("users.db")).unwrap().contains("alice:member:"));
}

#[test]
fn who_is_deleted_is_out_everywhere_and_nobody_can_pose_as_them() {
    let (mut server, home) = house();
    for name in ["alice", "bob", "carol"] {
        add(&server, &home, name, "member");
    }
    let key = StaticKey::from_bytes(&[1; 32]);
    let mut alice = enrolled(&server, "alice", &key);
    let mut bob = Peer::logged_in(server.link(), "bob");
    let tea = change(&mut alice, "#tea", &RoomEvent::Made { is_private: false });
    change(&mut alice, &tea, &RoomEvent::Added { name: "bob".into() });
    let id = alice.say("hello");
    alice.wait_until_accepted(id);
    let told = admin(server.data(), &["delete-user", "alice"]);
    assert!(told[0].contains("what was said stays") && told[0].contains("nobody else"), "{told:?}");
    assert_ended(&mut alice, Code::AccountGone);
    assert!(!comes_back(&server, &key) && !lets_in(&server, "alice", PASSWORD));
    assert_eq!(members(&mut bob, &tea), [RoomMember { name: "bob".into(), role: 1 }]);
    assert_eq!(bob.join(None).len(), 1, "what she said is there");

    // A stopped server does the same.
    let carol_is_in = change(&mut Peer::logged_in(server.link(), "carol"), &tea, &RoomEvent::Joined {});
    stop(&mut server);
    admin(server.data(), &["delete-user", "carol"]);
    assert_eq!(admin(server.data(), &["delete-user", "carol"]).len(), 1, "once more does no harm");
    let gone = "  deleted; nobody can take the name";
    let expected = ["bob  member, 0 devices".to_owned(), format!("alice{gone}"), format!("carol{gone}")];
    assert_eq!(admin(server.data(), &["users"]), expected);
    let server = server.restart();
    for name in ["alice", "a1ice", "carol"] {
        let answer = Peer::connect(server.link()).sign_up(name, PASSWORD);
        assert!(matches!(answer, ServerMessage::Refused { code: Code::NameTaken, .. }), "{name}: {answer:?}");
    }
    let command = ["add-user", "alice", "--password-file", &home.password_file()];
    admin_ended(server.data(), &command).says(1, &["'alice'", "--with-messages"]);
    let mut bob = Peer::logged_in(server.link(), "bob");
    assert_eq!(members(&mut bob, &carol_is_in), [RoomMember { name: "bob".into(), role: 1 }]);
    admin_ended(server.data(), &["delete-user", "nobody"]).says(1, &["no account 'nobody'"]);
}

#[test]
fn with_the_messages_goes_all_that_was_said_also_from_the_disk_and_the_name_is_free() {
    const TEXT: &str = "the-secret-of-alice";
    let (mut server, home) = house();
    let mut bob = Peer::signed_up(server.link(), "bob");
    let is_on_the_disk = |server: &ServerProcess| {
        let files = snapshot(server.data()).into_values();
        files.into_iter().any(|(_, bytes)| bytes.windows(TEXT.len()).any(|part| part == TEXT.as_bytes()))
    };
    for round in 0..2 {
        add(&server, &home, "alice", "member");
        let mut alice = Peer::logged_in(server.link(), "alice");
        // More than is removed with one commit.
        let last = (0..1200).map(|number| alice.say(&format!("{TEXT} {number}"))).last().unwrap();
        alice.wait_until_accepted(last);
        let id = bob.say("what a secret");
        bob.wait_until_accepted(id);
        assert!(is_on_the_disk(&server));
        if round == 0 {
            let told = admin(server.data(), &["delete-user", "alice", "--with-messages"]);
            assert!(told[0].contains("is removed") && told[0].contains("free"), "{told:?}");
            assert_ended(&mut alice, Code::AccountGone);
            eventually("it is wiped", || (!is_on_the_disk(&server)).then_some(()));
        } else {
            admin(server.data(), &["delete-user", "alice"]);
            stop(&mut server);
            assert!(is_on_the_disk(&server));
            admin(server.data(), &["delete-user", "alice", "--with-messages"]);
            assert!(!is_on_the_disk(&server));
        }
        assert_eq!(admin(server.data(), &["users"]).len(), 1);
    }
    let server = server.restart();
    let mut bob = Peer::logged_in(server.link(), "bob");
    let said = bob.join(Some(0));
    assert!(said.iter().map(sequence).eq(1..=2402), "the places stay");
    let removed = said.iter().filter(|message| {
        matches!(message, ServerMessage::Said { kind: BODY_REMOVED, body, author, .. }
            if body.is_empty() && author == "alice")
    });
    assert_eq!(removed.count(), 2400);
    assert_eq!(said.iter().filter(|message| body(message) == "what a secret").count(), 2);
    Peer::signed_up(server.link(), "alice").leave();
}

/// Commands of a deleted account that are in flight come to nothing: when the operator is told that it is done, nothing
/// more comes from it.
#[test]
fn nothing_comes_from_an_account_after_it_is_deleted_although_it_never_stops_talking() {
    let (server, home) = house();
    add(&server, &home, "alice", "member");
    let mut alice = Peer::logged_in(server.link(), "alice");
    let mut bob = Peer::signed_up(server.link(), "bob");
    let id = alice.say("first");
    alice.wait_until_accepted(id);
    let talks = thread::spawn(move || {
        let mut peer = alice;
        while peer.try_say_as(MessageId::random().unwrap(), "more").is_ok() {}
    });
    admin(server.data(), &["delete-user", "alice"]);
    let rooms = || admin(server.data(), &["rooms"]);
    let (before, said) = (rooms(), bob.join(Some(0)).len());
    talks.join().unwrap();
    assert_eq!(rooms(), before);
    assert!(before[0].starts_with(&format!("#lobby  everyone, {said} messages, ")), "{before:?}");
}
