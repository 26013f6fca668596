//! Which server the client talks to: what it refuses, what it remembers, and what it tells a person to do.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chat::channel::{PublicKey, StaticKey};
use chat::link::Link;
use client::{FakeServer, Home, Piped};
use support::ServerProcess;

/// A key that no server holds.
fn other_key() -> PublicKey {
    StaticKey::from_bytes(&[5; 32]).public()
}

fn without_key(link: &Link) -> String {
    Link { server_key: None, ..link.clone() }.to_string()
}

fn known(home: &Home) -> String {
    fs::read_to_string(home.known_servers()).unwrap()
}

#[test]
fn a_server_that_one_has_not_met_is_refused_when_nobody_can_be_asked() {
    let server = ServerProcess::start();
    let home = Home::new();
    let ended = Piped::run(home.client_as("alice", &without_key(server.link()), &["--signup"]), "hello\n");
    let fingerprint = server.link().server_key.unwrap().fingerprint().to_string();
    ended.says(3, &["you have not met", &fingerprint, "use the whole link"]);
    assert_eq!(ended.stdout, "");
    assert!(!home.known_servers().exists());
}

#[test]
fn a_link_with_the_key_is_enough_and_is_remembered_for_the_owner_alone() {
    let server = ServerProcess::start();
    let home = Home::new();
    Piped::run(home.client_as("alice", &server.link().to_string(), &["--signup"]), "").went_well();
    let line = format!("{} {} hybrid", server.link().address(), server.link().server_key.unwrap());
    assert_eq!(known(&home).lines().last(), Some(line.as_str()));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.known_servers()), 0o600);
    assert_eq!(mode(home.known_servers().parent().unwrap()), 0o700);
    // From now on the place is enough, and nothing is written again.
    let before = known(&home);
    Piped::run(home.client_as("alice", &without_key(server.link()), &[]), "").went_well();
    Piped::run(home.client_as("alice", &server.link().to_string(), &[]), "").went_well();
    assert_eq!(known(&home), before);
}

#[test]
fn a_profile_keeps_its_servers_apart() {
    let server = ServerProcess::start();
    let home = Home::new();
    let link = server.link().to_string();
    Piped::run(home.client_as("alice", &link, &["--signup", "--profile", "work"]), "").went_well();
    assert!(!home.known_servers().exists());
    let place = without_key(server.link());
    Piped::run(home.client_as("alice", &place, &["--profile", "work"]), "").went_well();
    Piped::run(home.client_as("alice", &place, &[]), "").says(3, &["you have not met"]);
}

#[test]
fn a_changed_key_is_refused_with_what_to_do_and_nothing_is_sent() {
    let server = FakeServer::new();
    let home = Home::new();
    let (place, found) = (server.place(), server.link().server_key.unwrap().fingerprint().to_string());
    let lines = format!("# mine\nother:1 {}\n{} {}\n", other_key(), place.address(), other_key());
    let file = home.write(".local/share/chat/known_servers", &lines);
    let running = server.run(|server| server.try_guest().is_err());
    let ended = Piped::run(home.client_as("alice", &place.to_string(), &[]), "a secret\n");
    let expected = other_key().fingerprint().to_string();
    let remove = format!("remove line 3 of {}", file.display());
    ended.says(5, &[&place.address(), "another key", &expected, &found, &remove, "Ask its operator"]);
    assert!(running.join().unwrap(), "the handshake stops before the client shows its own key");
    assert_eq!((ended.stdout.as_str(), known(&home)), ("", lines));
}

#[test]
fn a_link_with_another_key_than_the_servers_is_refused_and_not_remembered() {
    let server = FakeServer::new();
    let home = Home::new();
    let link = Link { server_key: Some(other_key()), ..server.place() };
    let found = server.link().server_key.unwrap().fingerprint().to_string();
    let running = server.run(|server| server.try_guest().is_err());
    let ended = Piped::run(home.client_as("alice", &link.to_string(), &["--signup"]), "a secret\n");
    let expected = other_key().fingerprint().to_string();
    ended.says(5, &["not the one of the link", &expected, &found, "Ask for the present link"]);
    assert!(running.join().unwrap());
    assert!(!home.known_servers().exists());
}

#[test]
fn a_link_that_contradicts_what_is_known_is_refused_before_anything_is_shown() {
    let server = ServerProcess::start();
    let home = Home::new();
    Piped::run(home.client_as("alice", &server.link().to_string(), &["--signup"]), "").went_well();
    let before = known(&home);
    let link = Link { server_key: Some(other_key()), ..server.link().clone() };
    let ended = Piped::run(home.client_as("alice", &link.to_string(), &[]), "a secret\n");
    let remove = format!("remove line 2 of {}", home.known_servers().display());
    ended.says(5, &["the link has another key", &remove]);
    assert_eq!(known(&home), before);
}

#[test]
fn a_bad_line_is_named_with_its_file_and_number_and_nothing_is_changed() {
    let server = ServerProcess::start();
    let home = Home::new();
    let no_suite = format!("here:1 {} strong\n", other_key());
    let bad = [
        ("here\n", "not 'host:port key'"),
        ("here:1 short\n", "the second part is no key"),
        ("here:1 \x1b[2J\n", "the second part is no key"),
        (&no_suite, "the third part is no suite"),
    ];
    for (line, reason) in bad {
        let file = home.write(".local/share/chat/known_servers", format!("# mine\n\n{line}"));
        let ended = Piped::run(home.client_as("alice", &server.link().to_string(), &["--signup"]), "");
        ended.says(1, &[&format!("{}, line 3: ", file.display()), reason, "mend or remove that line"]);
        assert_eq!(known(&home), format!("# mine\n\n{line}"));
    }
    home.write(".local/share/chat/known_servers", b"\xff\xfe");
    let ended = Piped::run(home.client_as("alice", &server.link().to_string(), &["--signup"]), "");
    ended.says(1, &["known_servers can't be read"]);
}

#[test]
fn clients_that_meet_their_servers_at_the_same_moment_all_keep_their_lines() {
    let servers: Vec<_> = (0..3).map(|_| ServerProcess::start()).collect();
    let home = Home::new();
    let sign_up = |server: &ServerProcess| {
        Piped::start(home.client_as("alice", &server.link().to_string(), &["--signup"]))
    };
    let clients: Vec<_> = servers.iter().map(sign_up).collect();
    for client in clients {
        client.finish().went_well();
    }
    let known = known(&home);
    for server in &servers {
        let line = format!("{} {} hybrid\n", server.link().address(), server.link().server_key.unwrap());
        assert_eq!(known.matches(&line).count(), 1, "{known}");
    }
}
