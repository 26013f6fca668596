//! `chat send`: a script knows by its end whether the server has the message.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::process::Command;

use chat::names::MESSAGE_BYTES_MAX;
use chat::wire::{ClientMessage, ServerMessage};
use client::{Ended, FakeServer, Home, Piped, Unit, Wiretap};
use support::{Peer, ServerProcess, admin, body, is_said};

/// `chat send` of someone who has an account.
fn sender(home: &Home, target: &str, arguments: &[&str]) -> Command {
    let file = home.password_file();
    let login = ["--user", "robot", "--password-file", &file, "--no-remember"];
    home.chat(&[&["send", target], arguments, &login].concat())
}

fn send(server: &ServerProcess, arguments: &[&str], input: impl AsRef<[u8]>) -> Ended {
    Piped::run(sender(&Home::new(), &server.link().to_string(), arguments), input)
}

/// A server where a robot has its account, and someone who listens.
fn server_with_robot() -> (ServerProcess, Peer) {
    let server = ServerProcess::start();
    Peer::signed_up(server.link(), "robot").leave();
    let mut alice = Peer::signed_up(server.link(), "alice");
    alice.join(None);
    (server, alice)
}

/// What it says when all is well: nothing.
#[track_caller]
fn went_well(ended: Ended) {
    assert_eq!(ended.went_well().stdout, "");
}

#[test]
fn the_text_or_all_of_standard_input_is_one_message_and_is_there_when_it_ends() {
    let (server, mut alice) = server_with_robot();
    went_well(send(&server, &["#lobby", "the build is green"], "not this"));
    went_well(send(&server, &["#Lobby", "-"], "three\n lines, \n\tas they are\n"));
    went_well(send(&server, &["#lobby"], "x".repeat(MESSAGE_BYTES_MAX)));
    let heard: Vec<_> = (0..3).map(|_| body(&alice.wait_for(is_said))).collect();
    let server = server.kill_and_restart();
    let expected = ["the build is green", "three\n lines, \n\tas they are", &"x".repeat(MESSAGE_BYTES_MAX)];
    assert_eq!(heard, expected);
    let mut later = Peer::logged_in(server.link(), "alice");
    assert_eq!(later.join(None).iter().map(body).collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_no_message_is_refused_before_anyone_is_called() {
    let nobody = FakeServer::new().place().to_string();
    let home = Home::new();
    let run = |arguments: &[&str], input: &[u8]| Piped::run(sender(&home, &nobody, arguments), input);
    let long = vec![b'x'; MESSAGE_BYTES_MAX + 1];
    run(&["#lobby", "-"], &long).says(2, &["the message has 16385 bytes", "send it in parts"]);
    let typed = String::from_utf8(long).unwrap();
    let ended = run(&["#lobby", &typed], b"");
    ended.says(2, &["the message has 16385 bytes"]);
    assert!(ended.stderr.len() < 200, "the text is not repeated");
    run(&["#lobby"], b"").says(2, &["nothing to say"]);
    run(&["#lobby"], b"\xff\n").says(2, &["not UTF-8"]);
    run(&["lobby", "text"], b"").says(2, &["a room's name begins with '#'"]);
}

#[test]
fn a_refusal_and_a_failure_to_come_in_are_told_apart_by_the_code() {
    let (server, _alice) = server_with_robot();
    send(&server, &["#ops", "hello"], "").says(1, &["not sent to #ops: there is no such room"]);
    let home = Home::new();
    home.write("password", "Wrong-Horse-7\n");
    Piped::run(sender(&home, &server.link().to_string(), &["#lobby", "x"]), "").says(4, &["wrong"]);
    admin(server.data(), &["ban", "robot"]);
    send(&server, &["#lobby", "hello"], "").says(4, &["banned"]);
    let nobody = { FakeServer::new().link().to_string() };
    Piped::run(sender(&home, &nobody, &["#lobby", "x"]), "").says(3, &["nothing listens"]);
    let unknown = server.link().address();
    let stranger = Home::new();
    let ended = Piped::run(sender(&stranger, &unknown, &["#lobby", "x"]), "");
    ended.says(3, &["a server that you have not met"]);
}

#[test]
fn what_was_said_when_the_connection_broke_before_the_answer_is_not_said_twice() {
    let (server, mut alice) = server_with_robot();
    // On the first connection: the hello, the handshake, the welcome, the login, and then the answer.
    let answer = Unit { connection: 0, is_from_client: false, number: 4 };
    let tap = Wiretap::before(server.address(), move |unit, bytes| (unit != answer).then_some(bytes));
    let home = Home::new();
    let sent = Piped::run(sender(&home, &tap.link_to(server.link()), &["#lobby", "once"]), "");
    went_well(sent);
    assert_eq!(body(&alice.wait_for(is_said)), "once");
    went_well(send(&server, &["#lobby", "then this"], ""));
    assert_eq!(body(&alice.wait_for(is_said)), "then this");
}

#[test]
fn a_server_that_does_not_answer_is_given_up_in_time() {
    let fake = FakeServer::new();
    let link = fake.link().to_string();
    let running = fake.run(|fake| {
        let mut guest = fake.try_guest().unwrap();
        guest.welcome();
        let name = guest.login_name();
        guest.send(&ServerMessage::LoggedIn { name, role: 0 });
        let said = matches!(guest.receive(), Some(ClientMessage::Say { .. }));
        guest.see_off();
        said
    });
    let ended = Piped::run(sender(&Home::new(), &link, &["#lobby", "hello", "--timeout", "1"]), "");
    ended.says(1, &["has not acknowledged it within 1 s", "it may have been said or not"]);
    assert!(running.join().unwrap(), "it was said");
}
