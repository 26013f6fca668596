//! The server's key is rotated: who knows the old one follows without a question, with their device, and who has a copy
//! of the old one is found out.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64ct::{Base64UrlUnpadded, Encoding};
use chat::channel::handover::{self, Statement};
use chat::channel::{PublicKey, StaticKey};
use chat::link::Link;
use client::{Ended, FakeServer, Home, Piped};
use rand::rngs::SysRng;
use support::{PASSWORD, PROGRAM, Peer, ServerProcess, admin, admin_ended};

const DAY: u64 = 24 * 60 * 60;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn new_key() -> StaticKey {
    StaticKey::generate(&mut SysRng).unwrap()
}

/// Rotates the key, and gives the new link.
fn rotate(server: &ServerProcess) -> Link {
    let lines = admin(server.data(), &["rotate-key"]);
    assert!(lines[0].starts_with("the server's key is now ") && lines.len() == 3, "{lines:?}");
    assert!(lines[1].contains("follow by themselves until "), "{lines:?}");
    lines[2].parse().unwrap()
}

fn without_key(link: &Link) -> String {
    Link { server_key: None, ..link.clone() }.to_string()
}

fn known(home: &Home) -> String {
    fs::read_to_string(home.known_servers()).unwrap()
}

/// What standard error says when one follows.
fn followed(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr.matches("has a new key since").count(), 1, "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
}

/// Signs up, and has the device remembered.
fn remembered(server: &ServerProcess, home: &Home) {
    let (link, file) = (server.link().to_string(), home.password_file());
    let arguments = [&link, "--user", "alice", "--signup", "--password-file", &file];
    Piped::run(home.remembered_client(&arguments), "").went_well();
}

#[test]
fn who_knows_the_old_key_follows_with_the_device_and_without_a_question() {
    let (server, home) = (ServerProcess::start(), Home::new());
    remembered(&server, &home);
    let old = server.link().server_key.unwrap();
    let link = rotate(&server);
    let new = link.server_key.unwrap();
    assert_ne!(old, new);

    // By the place alone, with no password at hand.
    let place = without_key(server.link());
    followed(&Piped::run(home.remembered_client(&[&place]), "hello\n"));
    let lines = known(&home);
    let address = link.address();
    assert!(lines.contains(&format!("\n{address} {new} hybrid\n{address} {old} replaced 2")), "{lines}");
    let devices = home.known_servers().with_file_name("devices");
    let names: Vec<_> = fs::read_dir(devices).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [format!("{new}.key").as_str()]);

    // From then on there is nothing to tell; by the new link neither, and by the old one only that it is old.
    Piped::run(home.remembered_client(&[&place]), "").went_well();
    Piped::run(home.remembered_client(&[&link.to_string()]), "").went_well();
    let by_old_link = Piped::run(home.remembered_client(&[&server.link().to_string()]), "");
    assert_eq!(by_old_link.code, Some(0));
    assert!(by_old_link.stderr.contains("was replaced on 2"), "{}", by_old_link.stderr);
    assert_eq!(known(&home), lines);
    assert_eq!(server.log().matches("hashing a password").count(), 1, "only the first login had a password");
}

#[test]
fn the_new_link_and_the_old_link_both_lead_to_the_server_whatever_one_knew() {
    let server = ServerProcess::start();
    let [known_before, new_by_old_link, new_by_new_link] = [Home::new(), Home::new(), Home::new()];
    let old_link = server.link().to_string();
    Piped::run(known_before.client_as("alice", &old_link, &["--signup"]), "").went_well();
    let new_link = rotate(&server).to_string();
    followed(&Piped::run(known_before.client_as("alice", &new_link, &[]), ""));
    followed(&Piped::run(new_by_old_link.client_as("alice", &old_link, &[]), ""));
    Piped::run(new_by_new_link.client_as("alice", &new_link, &[]), "").went_well();
    Piped::run(new_by_old_link.client_as("alice", &new_link, &[]), "").went_well();
    assert!(known(&new_by_old_link).contains(" replaced "));
}

#[test]
fn who_is_connected_stays_and_follows_when_the_session_is_replaced_or_lost() {
    let (server, home) = (ServerProcess::start(), Home::new());
    let link = server.link().to_string();
    let arguments = ["--signup", "--limit", "session-seconds=1"];
    let mut client = Piped::start(home.client_as("alice", &link, &arguments));
    client.wait_until_in();
    rotate(&server);
    let told = "for which the one that you knew has vouched";
    client.wait_for_line(told);
    client.write("still here\n");
    client.wait_for_line("<alice> still here");
    rotate(&server);
    let server = server.kill_and_restart();
    client.write("and again\n");
    client.wait_for_line("<alice> and again");
    let ended = client.finish();
    assert_eq!(ended.stdout.matches(told).count(), 2, "{}", ended.stdout);
    assert!(!server.log().contains("panicked"));
}

#[test]
fn who_missed_as_many_rotations_as_are_brought_follows_and_who_missed_more_is_told() {
    let server = ServerProcess::start();
    let homes = [Home::new(), Home::new()];
    let link = server.link().to_string();
    Piped::run(homes[0].client_as("alice", &link, &["--signup"]), "").went_well();
    Piped::run(homes[1].client_as("alice", &link, &[]), "").went_well();
    for _ in 0..handover::STATEMENTS_MAX {
        rotate(&server);
    }
    followed(&Piped::run(homes[0].client_as("alice", &without_key(server.link()), &[]), ""));
    assert_eq!(known(&homes[0]).matches(" replaced ").count(), handover::STATEMENTS_MAX);
    rotate(&server);
    let refused = Piped::run(homes[1].client_as("alice", &without_key(server.link()), &[]), "a secret\n");
    refused.says(5, &["another key", "statements about other keys than these two", "Ask its operator"]);
    followed(&Piped::run(homes[0].client_as("alice", &without_key(server.link()), &[]), ""));
}

#[test]
fn a_stopped_server_is_rotated_as_well_and_nothing_of_the_old_secret_is_left() {
    let server = ServerProcess::start();
    let secret = fs::read_to_string(server.data().join("server.key")).unwrap();
    fs::write(server.data().join(".server.key.00112233445566ff.tmp"), &secret).unwrap();
    let mut server = server;
    server.signal("TERM");
    server.wait();
    let lines = admin(server.data(), &["rotate-key", "--valid-days", "1"]);
    assert!(lines[2].starts_with("links to it end in #"), "{lines:?}");
    for entry in fs::read_dir(server.data()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(secret.trim().len()).any(|window| window == secret.trim().as_bytes());
        assert!(!found, "{}", path.display());
    }
    for days in ["0", "366", "-1", "many"] {
        let refused = admin_ended(server.data(), &["rotate-key", "--valid-days", days]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
    }
}

/// Rotates the key of a server by a process that is not waited for.
fn begin_to_rotate(data: &Path) -> std::process::Child {
    let mut command = Command::new(PROGRAM);
    command.args(["admin", "rotate-key", "--data"]).arg(data);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
}

#[test]
fn however_often_the_server_is_killed_while_its_key_is_rotated_its_guests_find_it() {
    let (mut server, home) = (ServerProcess::start(), Home::new());
    remembered(&server, &home);
    let place = without_key(server.link());
    let mut keys = vec![server.link().server_key.unwrap()];
    for round in 0..12 {
        let mut rotating = begin_to_rotate(server.data());
        // Not always at the same moment: after so many looks whether it is done.
        for _ in 0..round * 40 {
            if rotating.try_wait().unwrap().is_some() {
                break;
            }
        }
        server = server.kill_and_restart();
        let _ = rotating.wait();
        keys.push(server.link().server_key.unwrap());
        let ended = Piped::run(home.remembered_client(&[&place]), "hello\n");
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    assert_eq!(server.log().matches("hashing a password").count(), 0);
}

/// A server that holds one key and brings these statements, and what a client makes of it that knows `known`.
fn meets(known: PublicKey, key: StaticKey, statements: &[Statement]) -> (Ended, Home, bool) {
    let (home, mut server) = (Home::new(), FakeServer::new());
    (server.key, server.payload) = (key, handover::payload(statements));
    let place = server.place();
    home.write(".local/share/chat/known_servers", format!("{} {known}\n", place.address()));
    let client = Piped::start(home.client_as("alice", &place.to_string(), &[]));
    let running = server.run(|server| match server.try_guest() {
        Ok(mut guest) => {
            guest.welcome();
            guest.login_name();
            true
        }
        Err(_) => false,
    });
    (client.finish(), home, running.join().unwrap())
}

#[test]
fn statements_that_do_not_lead_from_the_known_key_to_the_proved_one_are_told_and_not_followed() {
    let [old, new, other, thief] = [new_key(), new_key(), new_key(), new_key()];
    let month = Duration::from_secs(30 * DAY);
    let at = |old: &StaticKey, new: &StaticKey, issued| Statement::sign(old, new.public(), issued, month);
    let forged = {
        let mut bytes = at(&other, &new, now()).to_bytes();
        bytes[..32].copy_from_slice(old.public().as_bytes());
        Statement::from_bytes(&bytes).unwrap()
    };
    let cases: [(&[Statement], &str); 7] = [
        (&[], "it brought no statement"),
        (&[forged], "a statement that the old key has not signed"),
        (&[at(&old, &thief, now())], "statements about other keys"),
        (&[at(&other, &new, now())], "statements about other keys"),
        (&[at(&old, &new, now() - 31 * DAY)], "a statement that has expired on 20"),
        (&[at(&old, &new, now() + 2 * DAY)], "a statement from the future"),
        (&[at(&old, &other, now()), at(&other, &old, now()), at(&old, &new, now())], "in a circle"),
    ];
    for (statements, told) in cases {
        let key = StaticKey::from_bytes(&new.to_bytes());
        let (ended, home, was_shown) = meets(old.public(), key, statements);
        let fingerprints = [old.public().fingerprint().to_string(), new.public().fingerprint().to_string()];
        ended.says(5, &["another key than the one you know", told, &fingerprints[0], &fingerprints[1]]);
        assert!(!was_shown, "the client has shown its own key: {told}");
        assert!(!known(&home).contains("replaced"));
    }
    let (ended, home, was_shown) = meets(old.public(), new, &[at(&old, &other, now())]);
    ended.says(5, &["statements about other keys"]);
    assert!(!was_shown && !known(&home).contains("replaced"));
}

#[test]
fn a_thief_with_the_old_key_gets_nobody_who_has_followed() {
    let (server, home) = (ServerProcess::start(), Home::new());
    Piped::run(home.client_as("alice", &server.link().to_string(), &["--signup"]), "").went_well();
    let stolen = fs::read_to_string(server.data().join("server.key")).unwrap();
    let stolen = {
        let mut bytes = [0; 32];
        Base64UrlUnpadded::decode(stolen.trim(), &mut bytes).unwrap();
        StaticKey::from_bytes(&bytes)
    };
    assert_eq!(Some(stolen.public()), server.link().server_key);
    let current = rotate(&server).server_key.unwrap();
    let place = without_key(server.link());
    followed(&Piped::run(home.client_as("alice", &place, &[]), ""));
    let lines = known(&home);
    let address = server.link().address();
    drop(server);

    let thieves_own = new_key();
    let vouched = Statement::sign(&stolen, thieves_own.public(), now(), Duration::from_secs(DAY));
    let attempt = |key: StaticKey, statements: &[Statement], target: &str, told: &[&str]| {
        let mut thief = FakeServer::at(&address);
        (thief.key, thief.payload) = (key, handover::payload(statements));
        let client = Piped::start(home.client_as("alice", target, &[]));
        let running = thief.run(|thief| thief.try_guest().is_err());
        let ended = client.finish();
        let is_told = told.iter().all(|words| ended.stderr.contains(words));
        assert!(ended.code == Some(5) && is_told, "{ended:?}");
        assert!(running.join().unwrap(), "the client has shown its own key");
        assert_eq!(known(&home), lines);
    };
    let again = || StaticKey::from_bytes(&stolen.to_bytes());
    let replaced = ["has a key that was replaced on 20", "Someone has an old copy of its key"];
    // As the old server, by the place and by the old link; with a statement to a key of the thief's own.
    attempt(again(), &[], &place, &replaced);
    attempt(again(), &[], &format!("{place}#{}", stolen.public()), &replaced);
    attempt(again(), &[vouched], &place, &replaced);
    attempt(
        thieves_own,
        &[vouched],
        &place,
        &["another key", "about other keys", &current.fingerprint().to_string()],
    );

    // Nor by a first meeting, when the line was removed.
    let without_line: String =
        lines.split_inclusive('\n').filter(|line| line.contains(" replaced ")).collect();
    fs::write(home.known_servers(), &without_line).unwrap();
    let thief = {
        let mut thief = FakeServer::at(&address);
        thief.key = again();
        thief
    };
    let client = Piped::start(home.client_as("alice", &place, &[]));
    let running = thief.run(|thief| thief.try_guest().is_err());
    client.finish().says(5, &replaced);
    assert!(running.join().unwrap());
}

#[test]
fn a_server_that_would_go_back_to_a_replaced_key_is_refused() {
    let (server, home) = (ServerProcess::start(), Home::new());
    Piped::run(home.client_as("alice", &server.link().to_string(), &["--signup"]), "").went_well();
    let backup = fs::read(server.data().join("server.key")).unwrap();
    rotate(&server);
    let place = without_key(server.link());
    followed(&Piped::run(home.client_as("alice", &place, &[]), ""));
    fs::write(server.data().join("server.key"), backup).unwrap();
    let server = server.stop_and_restart();
    let refused = Piped::run(home.client_as("alice", &without_key(server.link()), &[]), "a secret\n");
    refused.says(5, &["was replaced on 20", "put an old backup back", "remove the lines with"]);
}

#[test]
fn clients_of_other_make_may_ignore_what_the_server_brings() {
    let server = ServerProcess::start();
    let link = rotate(&server);
    let mut peer = Peer::connect(&link);
    peer.sign_up("alice", PASSWORD);
    peer.join(None);
    peer.leave();
}
