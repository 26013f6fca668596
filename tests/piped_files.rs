//! Files through the client: everything arrives, once, in order, whatever happens on the way; and what does not is told.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use chat::wire::{ClientMessage, Code, ServerMessage};
use client::{FakeServer, Home, Piped};
use support::{Peer, ServerProcess, body, eventually};

/// Lines that differ, as a file.
fn lines(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("line {number} of {count}")).collect()
}

/// What the room's log holds.
fn log_of(server: &ServerProcess, reader: &str) -> Vec<String> {
    Peer::signed_up(server.link(), reader).join(Some(0)).iter().map(body).collect()
}

#[test]
fn thousands_of_lines_arrive_complete_and_in_order() {
    let server = ServerProcess::start();
    let home = Home::new();
    let lines = lines(4000);
    let mut alice = Piped::start(home.client_as("alice", &server.link().to_string(), &["--signup"]));
    alice.feed(lines.join("\n").into_bytes());
    let ended = alice.wait().went_well();
    let own: Vec<_> =
        ended.said().iter().map(|said| said.strip_prefix("<alice> ").unwrap().to_owned()).collect();
    assert!(own == lines, "{} lines are shown", own.len());
    assert!(log_of(&server, "reader") == lines);
}

#[test]
fn a_server_that_is_killed_in_the_middle_again_and_again_has_every_line_once() {
    let mut server = ServerProcess::start();
    let home = Home::new();
    let lines = lines(3000);
    let mut alice = Piped::start(home.client_as("alice", &server.link().to_string(), &["--signup"]));
    alice.feed(lines.join("\n").into_bytes());
    for reached in [300, 1200] {
        alice.wait_for_line(&format!("<alice> {}", lines[reached]));
        server = server.kill_and_restart();
    }
    let ended = alice.wait().went_well();
    assert!(log_of(&server, "reader") == lines, "the log has each line once, in order");
    let own: Vec<_> =
        ended.said().iter().map(|said| said.strip_prefix("<alice> ").unwrap().to_owned()).collect();
    assert!(own == lines, "each is shown once, in order");
    assert!(ended.notes().iter().any(|note| note.starts_with("the connection is lost")));
    assert!(ended.notes().contains(&"the connection is back"));
}

#[test]
fn what_the_server_refuses_is_told_with_its_reason_and_the_exit_code() {
    let server = FakeServer::new();
    let home = Home::new();
    let link = server.link().to_string();
    let running = server.run(|server| {
        let mut guest = server.resident();
        let (id, _) = guest.receive_said();
        let text = "the disk is full\x1b[2J\nchat: no".into();
        guest.send(&ServerMessage::Refused { code: Code::NotStored, text, id: Some(id), retry_after: None });
        guest.see_off();
    });
    let ended = Piped::run(home.client_as("alice", &link, &[]), "hello\n");
    running.join().unwrap();
    let told = "not delivered: \"hello\" (the disk is full\u{fffd}[2J\u{23ce}chat: no)";
    assert_eq!(*ended.notes().last().unwrap(), told);
    ended.says(1, &["1 message was not delivered"]);
}

#[test]
fn what_a_server_that_is_gone_never_answered_is_told_with_the_exit_code() {
    let server = FakeServer::new();
    let home = Home::new();
    let link = server.link().to_string();
    // It takes the message, and is never seen again.
    let running = server.run(|server| drop(server.resident().receive_said()));
    let ended = Piped::run(home.client_as("alice", &link, &[]), "hello\n");
    running.join().unwrap();
    assert!(ended.notes().iter().any(|note| note.starts_with("the connection is lost")), "{ended:?}");
    assert_eq!(*ended.notes().last().unwrap(), "not delivered: \"hello\"");
    ended.says(1, &["1 message was not delivered"]);
}

#[test]
fn whoever_stops_reading_ends_it_without_a_complaint() {
    let server = ServerProcess::start();
    let home = Home::new();
    let link = server.link().to_string();
    Piped::run(home.client_as("alice", &link, &["--signup"]), lines(20).join("\n")).went_well();
    let mut client = home.client_as("alice", &link, &[]);
    let mut client =
        client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let head = Command::new("head").arg("-1").stdin(client.stdout.take().unwrap()).output().unwrap();
    assert!(String::from_utf8(head.stdout).unwrap().ends_with("<alice> line 1 of 20\n"));
    // It learns that nobody reads when there is something to say.
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let ended = eventually("the client ends", || {
        let id = bob.say("is anybody there?");
        bob.wait_until_accepted(id);
        client.try_wait().unwrap()
    });
    assert_eq!(ended.code(), Some(0));
    let output = client.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_complaint_that_nobody_can_read_changes_nothing_about_the_exit_code() {
    let home = Home::new();
    let cases = [("chat://127.0.0.1:0", 2), ("127.0.0.1:1", 3)];
    for (target, code) in cases {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = home.client_as("alice", target, &[]);
        let mut client = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer).spawn().unwrap();
        let ended = eventually("the client ends", || client.try_wait().unwrap());
        assert_eq!(ended.code(), Some(code), "{target}");
    }
}

#[test]
fn a_robot_that_is_slow_to_read_loses_nothing() {
    let server = ServerProcess::start();
    let home = Home::new();
    let link = server.link().to_string();
    let mut client = home.client_as("robot", &link, &["--signup"]);
    client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut client = client.spawn().unwrap();
    let mut bob = Peer::signed_up(server.link(), "bob");
    eventually("the robot is in the room", || {
        let mut guest = Peer::logged_in(server.link(), "bob");
        guest.send(&ClientMessage::Join { room: "#lobby".into(), after: None });
        let people = guest.wait_for(|message| matches!(message, ServerMessage::People { .. }));
        matches!(people, ServerMessage::People { names, .. } if names.contains(&"robot".into())).then_some(())
    });
    bob.join(None);
    let texts: Vec<String> = (0..200).map(|number| format!("{number} {}", "x".repeat(12_000))).collect();
    for text in &texts {
        let id = bob.say(text);
        bob.wait_until_accepted(id);
    }
    let output = BufReader::new(client.stdout.take().unwrap());
    let heard = output.lines().filter_map(|line| Some(line.unwrap().split_once("<bob> ")?.1.to_owned()));
    assert!(heard.take(texts.len()).eq(texts));
    drop(client.stdin.take());
    assert!(client.wait().unwrap().success());
}
