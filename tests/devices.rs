//! Devices over the wire: remembered, come back without a password, listed, revoked.
#![cfg(test)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chat::channel::StaticKey;
use chat::wire::{ClientMessage, Code, Device, DeviceFingerprint, ServerMessage};
use support::{Heard, PASSWORD, Peer, ServerProcess, eventually, secret};

/// What the server logs for each run of Argon2.
const HASHING: &str = "hashing a password";

fn key(number: u8) -> StaticKey {
    StaticKey::from_bytes(&[number; 32])
}

fn fingerprint(key: &StaticKey) -> DeviceFingerprint {
    DeviceFingerprint::from_bytes(*key.public().fingerprint().as_bytes())
}

fn remember(peer: &mut Peer, label: &str) -> ServerMessage {
    peer.send(&ClientMessage::Remember { label: label.into() });
    peer.next()
}

/// Signs up, and has the key remembered.
fn enrolled(server: &ServerProcess, name: &str, key: &StaticKey) -> Peer {
    let mut peer = Peer::with_key(server.link(), key);
    assert!(matches!(peer.sign_up(name, PASSWORD), ServerMessage::LoggedIn { .. }));
    assert_eq!(remember(&mut peer, "laptop"), ServerMessage::Remembered {});
    peer
}

/// Another device of someone who has an account.
fn enrolled_too(server: &ServerProcess, name: &str, key: &StaticKey) -> Peer {
    let mut peer = Peer::with_key(server.link(), key);
    assert!(matches!(peer.log_in(name, PASSWORD), ServerMessage::LoggedIn { .. }));
    assert_eq!(remember(&mut peer, "phone"), ServerMessage::Remembered {});
    peer
}

fn come_back(server: &ServerProcess, key: &StaticKey, name: Option<&str>) -> (Peer, ServerMessage) {
    let mut peer = Peer::with_key(server.link(), key);
    peer.send(&ClientMessage::LogInByDevice { name: name.map(str::to_owned) });
    let answer = peer.next();
    (peer, answer)
}

/// Who the device logs in as, or why not.
fn comes_back(server: &ServerProcess, key: &StaticKey, name: Option<&str>) -> Result<String, Code> {
    match come_back(server, key, name).1 {
        ServerMessage::LoggedIn { name, .. } => Ok(name),
        other => Err(refusal(&other)),
    }
}

fn refusal(message: &ServerMessage) -> Code {
    match message {
        ServerMessage::Refused { code, .. } => *code,
        other => panic!("not refused: {other:?}"),
    }
}

fn devices(answer: ServerMessage) -> Vec<Device> {
    match answer {
        ServerMessage::Devices { devices } => devices,
        other => panic!("no devices: {other:?}"),
    }
}

fn list(peer: &mut Peer) -> Vec<Device> {
    peer.send(&ClientMessage::ListDevices {});
    devices(peer.next())
}

fn revoke(peer: &mut Peer, key: &StaticKey) -> ServerMessage {
    peer.send(&ClientMessage::RevokeDevice { fingerprint: fingerprint(key) });
    peer.next()
}

fn assert_was_ended(peer: &mut Peer) {
    let (last, end) = peer.hear_out();
    assert!(
        matches!(last.last(), Some(ServerMessage::Closing { code: Code::DeviceRevoked, .. })),
        "{last:?}"
    );
    assert_eq!(end, Heard::Goodbye);
}

#[test]
fn a_remembered_device_comes_back_without_a_password_and_without_argon2_also_after_restarts() {
    let server = ServerProcess::start();
    enrolled(&server, "alice", &key(1)).leave();
    eventually("the sign-up is logged", || server.log().contains(HASHING).then_some(()));
    for _ in 0..1_000 {
        assert_eq!(comes_back(&server, &key(1), None), Ok("alice".into()));
    }
    let log = eventually("all are logged", || {
        let log = server.log();
        (log.matches("logged in name=alice").count() > 1_000).then_some(log)
    });
    assert_eq!(log.matches(HASHING).count(), 1, "only the sign-up has hashed a password");

    let server = server.kill_and_restart();
    assert_eq!(comes_back(&server, &key(1), Some("ALICE")), Ok("alice".into()));
    let server = server.stop_and_restart();
    let (mut alice, _) = come_back(&server, &key(1), None);
    alice.join(None);
    let id = alice.say("no password was asked");
    alice.wait_until_accepted(id);
    let mode = fs::metadata(server.data().join("devices.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!server.log().contains(HASHING), "{}", server.log());
}

#[test]
fn who_is_not_remembered_or_asks_for_another_account_is_refused_and_may_use_the_password_instead() {
    let server = ServerProcess::start();
    enrolled(&server, "alice", &key(1)).leave();
    Peer::signed_up(server.link(), "bob").leave();
    let wrong = [(2, None), (2, Some("alice")), (1, Some("bob")), (1, Some("nobody")), (1, Some("no name:"))];
    let (_, expected) = come_back(&server, &key(2), None);
    for (number, name) in wrong {
        let (mut peer, answer) = come_back(&server, &key(number), name);
        assert_eq!(answer, expected, "{number} {name:?}");
        assert_eq!(refusal(&answer), Code::NoSuchDevice);
        assert!(matches!(peer.log_in("bob", PASSWORD), ServerMessage::LoggedIn { .. }));
        peer.send(&ClientMessage::LogInByDevice { name: None });
        assert_eq!(refusal(&peer.next()), Code::NotNow);
    }
    let mut stranger = Peer::connect(server.link());
    assert_eq!(refusal(&remember(&mut stranger, "laptop")), Code::NotNow);
    assert_eq!(refusal(&revoke(&mut stranger, &key(1))), Code::NotNow);
    assert_eq!(comes_back(&server, &key(1), Some("alice")), Ok("alice".into()));
}

#[test]
fn a_revoked_device_is_out_at_once_and_does_not_come_back() {
    let server = ServerProcess::start();
    let mut laptop = enrolled(&server, "alice", &key(1));
    let mut phone = enrolled_too(&server, "alice", &key(2));
    let (mut phone_again, _) = come_back(&server, &key(2), None);
    phone.join(None);
    phone_again.join(None);
    let left = devices(revoke(&mut laptop, &key(2)));
    assert_eq!(left.iter().map(|device| device.fingerprint).collect::<Vec<_>>(), [fingerprint(&key(1))]);
    assert_was_ended(&mut phone);
    assert_was_ended(&mut phone_again);
    assert_eq!(comes_back(&server, &key(2), None), Err(Code::NoSuchDevice));
    assert_eq!(refusal(&revoke(&mut laptop, &key(2))), Code::NoSuchDevice);
    let server = server.kill_and_restart();
    assert_eq!(comes_back(&server, &key(2), None), Err(Code::NoSuchDevice));
    assert_eq!(comes_back(&server, &key(1), None), Ok("alice".into()));
}

#[test]
fn a_client_that_does_not_read_and_does_not_leave_is_out_as_well() {
    let server = ServerProcess::start();
    let mut laptop = enrolled(&server, "alice", &key(1));
    let mut thief = enrolled_too(&server, "alice", &key(2));
    thief.join(None);
    for n in 0..50 {
        thief.say(&n.to_string());
    }
    devices(revoke(&mut laptop, &key(2)));
    eventually("its thread is gone", || (server.sessions() == 1).then_some(()));
    // What it sends now goes nowhere, if the system takes it at all.
    let _ = thief.try_send(&ClientMessage::ListDevices {});
    laptop.join(None);
}

#[test]
fn a_device_can_revoke_itself() {
    let server = ServerProcess::start();
    let mut alice = enrolled(&server, "alice", &key(1));
    assert!(devices(revoke(&mut alice, &key(1))).is_empty());
    assert_was_ended(&mut alice);
    assert_eq!(comes_back(&server, &key(1), None), Err(Code::NoSuchDevice));
}

#[test]
fn another_accounts_device_can_be_neither_listed_nor_revoked_nor_taken_over() {
    let server = ServerProcess::start();
    let mut alice = enrolled(&server, "alice", &key(1));
    let mut mallory = enrolled(&server, "mallory", &key(2));
    assert_eq!(list(&mut mallory).len(), 1);
    assert_eq!(refusal(&revoke(&mut mallory, &key(1))), Code::NoSuchDevice);
    let mut with_her_key = Peer::with_key(server.link(), &key(1));
    with_her_key.log_in("mallory", PASSWORD);
    assert_eq!(refusal(&remember(&mut with_her_key, "mine")), Code::DeviceTaken);
    with_her_key.send(&ClientMessage::RevokeOtherDevices {});
    with_her_key.next();
    assert_was_ended(&mut mallory);
    assert_eq!(list(&mut alice).len(), 1);
    assert_eq!(comes_back(&server, &key(1), None), Ok("alice".into()));
}

#[test]
fn the_list_tells_which_device_is_which() {
    let server = ServerProcess::start();
    enrolled(&server, "alice", &key(1)).leave();
    let mut phone = enrolled_too(&server, "alice", &key(2));
    let listed = list(&mut phone);
    let shown: Vec<_> =
        listed.iter().map(|device| (device.label.as_str(), device.fingerprint, device.is_this)).collect();
    assert_eq!(shown, [("laptop", fingerprint(&key(1)), false), ("phone", fingerprint(&key(2)), true)]);
    assert!(listed.iter().all(|device| device.first_seen <= device.last_seen));
    let before = listed[0].last_seen;
    assert_eq!(remember(&mut phone, "telephone"), ServerMessage::Remembered {});
    assert_eq!(comes_back(&server, &key(1), None), Ok("alice".into()));
    let listed = list(&mut phone);
    assert_eq!(listed[1].label, "telephone");
    assert!(listed[0].last_seen > before);
    let seen = eventually("the laptop has left", || {
        let seen = list(&mut phone)[0].last_seen;
        (server.sessions() == 1).then_some(seen)
    });
    drop(phone);
    let server = server.stop_and_restart();
    let (mut phone, _) = come_back(&server, &key(2), None);
    assert!(list(&mut phone)[0].last_seen >= seen, "it is written when the server stops");
}

#[test]
fn an_account_has_at_most_thirty_two_devices_with_labels_that_fit() {
    let server = ServerProcess::start();
    let mut first = enrolled(&server, "alice", &key(1));
    let long = "x".repeat(65);
    for label in ["", "a\nb", "\u{1b}[2J", &long] {
        assert_eq!(refusal(&remember(&mut first, label)), Code::Malformed, "{label:?}");
    }
    for number in 2..=32 {
        enrolled_too(&server, "alice", &key(number)).leave();
    }
    let mut one_more = Peer::with_key(server.link(), &key(33));
    one_more.log_in("alice", PASSWORD);
    assert_eq!(refusal(&remember(&mut one_more, "laptop")), Code::TooManyDevices);
    assert_eq!(list(&mut one_more).len(), 32);
    assert_eq!(devices(revoke(&mut one_more, &key(7))).len(), 31);
    assert_eq!(remember(&mut one_more, "laptop"), ServerMessage::Remembered {});
}

#[test]
fn a_device_of_an_account_that_is_gone_stays_out_also_when_someone_else_gets_the_name() {
    let server = ServerProcess::start();
    enrolled(&server, "alice", &key(1)).leave();
    let users = server.data().join("users.db");
    let before = fs::read_to_string(&users).unwrap();
    let reload = |text: &str, times: usize| {
        fs::write(&users, text).unwrap();
        server.signal("HUP");
        eventually("it is read again", || {
            (server.log().matches("users.db was read again").count() == times).then_some(())
        });
    };
    reload("# nobody\n", 1);
    assert_eq!(comes_back(&server, &key(1), None), Err(Code::NoSuchDevice));
    reload(&before, 2);
    assert_eq!(comes_back(&server, &key(1), None), Ok("alice".into()), "the operator has put her back");
    reload("# nobody\n", 3);
    let mut other_alice = Peer::signed_up(server.link(), "alice");
    assert!(list(&mut other_alice).is_empty());
    assert_eq!(comes_back(&server, &key(1), None), Err(Code::NoSuchDevice));
    let server = server.kill_and_restart();
    assert_eq!(comes_back(&server, &key(1), None), Err(Code::NoSuchDevice));
}

#[test]
fn all_other_devices_and_sessions_can_be_ended() {
    let server = ServerProcess::start();
    let mut laptop = enrolled(&server, "alice", &key(1));
    let mut phone = enrolled_too(&server, "alice", &key(2));
    let mut by_password = Peer::logged_in(server.link(), "alice");
    let (mut second_window, _) = come_back(&server, &key(1), None);
    let mut bob = enrolled(&server, "bob", &key(3));
    laptop.send(&ClientMessage::RevokeOtherDevices {});
    assert_eq!(devices(laptop.next()).len(), 1);
    for peer in [&mut phone, &mut by_password, &mut second_window] {
        assert_was_ended(peer);
    }
    assert_eq!(comes_back(&server, &key(2), None), Err(Code::NoSuchDevice));
    assert_eq!(comes_back(&server, &key(1), None), Ok("alice".into()));
    assert_eq!((list(&mut laptop).len(), list(&mut bob).len()), (1, 1));
}

#[test]
fn a_password_is_changed_by_who_knows_it_and_devices_stay() {
    const NEW: &str = "Better-Horse-8";
    let server = ServerProcess::start();
    let mut alice = enrolled(&server, "alice", &key(1));
    let mut change = |old: &str, new: &str| {
        alice.send(&ClientMessage::ChangePassword { old: secret(old), new: secret(new) });
        alice.next()
    };
    assert_eq!(refusal(&change("Wrong-Horse-7", NEW)), Code::WrongNameOrPassword);
    assert_eq!(refusal(&change(PASSWORD, "weak")), Code::BadPassword);
    assert_eq!(change(PASSWORD, NEW), ServerMessage::PasswordChanged {});
    let server = server.kill_and_restart();
    let mut peer = Peer::connect(server.link());
    assert_eq!(refusal(&peer.log_in("alice", PASSWORD)), Code::WrongNameOrPassword);
    assert!(matches!(peer.log_in("alice", NEW), ServerMessage::LoggedIn { .. }));
    assert_eq!(comes_back(&server, &key(1), None), Ok("alice".into()));
}

#[test]
fn whoever_guesses_at_an_unlocked_keyboard_has_five_tries() {
    let server = ServerProcess::start();
    let mut alice = enrolled(&server, "alice", &key(1));
    for _ in 0..5 {
        let (old, new) = (secret("Wrong-Horse-7"), secret("Better-Horse-8"));
        alice.send(&ClientMessage::ChangePassword { old, new });
        assert_eq!(refusal(&alice.next()), Code::WrongNameOrPassword);
    }
    let (last, end) = alice.hear_out();
    assert!(matches!(last.last(), Some(ServerMessage::Closing { code: Code::TooManyTries, .. })), "{last:?}");
    assert_eq!(end, Heard::Goodbye);
}

#[test]
fn no_login_slips_through_a_revocation_in_the_same_moment() {
    const ROUNDS: u8 = 5;
    let server = ServerProcess::start();
    let mut alice = enrolled(&server, "alice", &key(1));
    for round in 2..2 + ROUNDS {
        let (key, came_in) = (key(round), AtomicUsize::new(0));
        enrolled_too(&server, "alice", &key).leave();
        let inside: Vec<Peer> = thread::scope(|scope| {
            let come_in_until_refused = || {
                let mut inside = Vec::new();
                loop {
                    match come_back(&server, &key, None) {
                        (peer, ServerMessage::LoggedIn { .. }) => inside.push(peer),
                        (_, refused) => {
                            assert_eq!(refusal(&refused), Code::NoSuchDevice);
                            return inside;
                        }
                    }
                    came_in.fetch_add(1, Ordering::Relaxed);
                }
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(come_in_until_refused)).collect();
            eventually("they come and come", || (came_in.load(Ordering::Relaxed) > 20).then_some(()));
            devices(revoke(&mut alice, &key));
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        for mut peer in inside {
            assert_was_ended(&mut peer);
        }
    }
}
