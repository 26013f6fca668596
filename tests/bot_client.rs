//! Bots as scripts run them: a token instead of a password, and the examples of the README as they stand there.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use chat::wire::{self, BODY_ROOM_EVENT, ClientMessage, MessageId, RoomEvent, ServerMessage};
use client::{Home, Piped};
use support::{PROGRAM, Peer, ServerProcess, admin, body};

/// A server with a room `#ops`, where alice listens, and a token for it.
fn server_with_bot(options: &[&str]) -> (ServerProcess, Peer, String) {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let (id, kind) = (MessageId::random().unwrap(), BODY_ROOM_EVENT);
    let body = wire::encode(&RoomEvent::Made { is_private: false }).into();
    alice.send(&ClientMessage::Say { room: "#ops".into(), id, kind, body, of: None });
    alice.wait_until_accepted(id);
    alice.send(&ClientMessage::Join { room: "#ops".into(), after: None });
    alice.wait_for(|message| matches!(message, ServerMessage::CaughtUp { .. }));
    let add = [&["add-bot", "deploy", "--room", "#ops"], options].concat();
    let token = admin(server.data(), &add).remove(0);
    (server, alice, token)
}

/// The next thing that this one says in words, as alice hears it.
fn heard_from(alice: &mut Peer, name: &str) -> String {
    let is_meant = |message: &ServerMessage| matches!(message, ServerMessage::Said { author, kind: 0, .. } if author == name);
    body(&alice.wait_for(is_meant))
}

fn say(alice: &mut Peer, text: &str) {
    let id = MessageId::random().unwrap();
    let body = text.as_bytes().to_vec().into();
    alice.send(&ClientMessage::Say { room: "#ops".into(), id, kind: 0, body, of: None });
    alice.wait_until_accepted(id);
}

#[test]
fn a_token_from_the_environment_a_file_or_a_command_lets_in() {
    let (server, mut alice, token) = server_with_bot(&["--write-only"]);
    let (home, link) = (Home::new(), server.link().to_string());
    let file = home.write("token", format!("{token}\n"));
    let send = |text: &str, options: &[&str]| home.chat(&[&["send", &link, "#ops", text], options].concat());
    let mut by_variable = send("one", &[]);
    by_variable.env("CHAT_TOKEN", &token);
    let command = format!("cat '{}'", file.display());
    for send in [
        by_variable,
        send("two", &["--token-file", file.to_str().unwrap()]),
        send("three", &["--token-command", &command]),
    ] {
        Piped::run(send, "").went_well();
    }
    let heard: Vec<_> = (0..3).map(|_| heard_from(&mut alice, "deploy")).collect();
    assert_eq!(heard, ["one", "two", "three"]);
    let mut tail = home.chat(&["tail", &link, "#ops"]);
    tail.env("CHAT_TOKEN", &token);
    Piped::run(tail, "").says(1, &["#ops can't be followed", "for writing only"]);
    let mut wrong = send("x", &[]);
    wrong.env("CHAT_TOKEN", "a".repeat(24));
    Piped::run(wrong, "").says(4, &["this token lets no bot in"]);
    let mut none = send("x", &[]);
    none.env("CHAT_TOKEN", "a");
    Piped::run(none, "").says(1, &["a bot's token is 24 characters"]);
    Piped::run(send("x", &["--token-file", "a", "--password-file", "b"]), "")
        .says(2, &["cannot be used with"]);
}

#[test]
fn a_bot_comes_back_after_a_lost_connection_and_not_after_its_token_was_revoked() {
    let (server, mut alice, token) = server_with_bot(&[]);
    let home = Home::new();
    let mut tail = home.chat(&["tail", &server.link().to_string(), "#ops"]);
    tail.env("CHAT_TOKEN", &token);
    let following = Piped::start(tail);
    while following.stdout().is_empty() {
        say(&mut alice, "are you there?");
    }
    let server = server.kill_and_restart();
    following.wait_for_line("! the connection is back");
    let mut alice = Peer::logged_in(server.link(), "alice");
    say(&mut alice, "welcome back");
    following.wait_for_line("#ops <alice> welcome back");
    admin(server.data(), &["revoke-token", "1"]);
    following.wait().says(4, &["token was revoked"]);
}

/// The programs in the README: blocks that begin with `#!`, by the names that their second lines give.
fn examples() -> Vec<(String, String)> {
    let readme = include_str!("../README.md");
    let blocks = readme.split("\n```").filter_map(|block| block.split_once('\n')).map(|(_, text)| text);
    let programs = blocks.filter(|text| text.starts_with("#!"));
    let named = programs.map(|text| {
        let name = text.lines().nth(1).unwrap().trim_start_matches("# ").split(':').next().unwrap();
        (name.to_owned(), format!("{text}\n"))
    });
    named.collect()
}

/// One of them, made ready to run by someone who has `chat` on their path.
fn example(home: &Home, name: &str, server: &ServerProcess, token: &str) -> Command {
    let (_, text) = examples().into_iter().find(|(other, _)| other == name).expect(name);
    let file = home.write(name, text);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let path =
        format!("{}:{}", Path::new(PROGRAM).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(file);
    command.env("HOME", home.path()).env("PATH", path).env("TZ", "UTC");
    command.env("CHAT_LINK", server.link().to_string()).env("CHAT_TOKEN", token);
    command.env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
    command
}

#[test]
fn there_are_these_examples_in_the_readme() {
    let names: Vec<String> = examples().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["disk.sh", "ping.sh", "clock.py"]);
}

#[test]
fn the_cron_job_of_the_readme_reports() {
    let (server, mut alice, token) = server_with_bot(&["--write-only"]);
    let home = Home::new();
    let mut quiet = example(&home, "disk.sh", &server, &token);
    quiet.env("LIMIT", "101");
    Piped::run(quiet, "").went_well();
    let mut job = example(&home, "disk.sh", &server, &token);
    job.env("LIMIT", "0");
    Piped::run(job, "").went_well();
    let report = heard_from(&mut alice, "deploy");
    assert!(report.contains("the disk of ") && report.ends_with("% full"), "{report}");
    server.signal("TERM");
}

/// Asks a bot of the README something, before and after it has come, and gives its answer.
fn answer_of(name: &str, question: &str) -> String {
    let (server, mut alice, token) = server_with_bot(&[]);
    let home = Home::new();
    say(&mut alice, question);
    let bot = Piped::start(example(&home, name, &server, &token));
    alice.wait_for(|message| matches!(message, ServerMessage::Arrived { name, .. } if name == "deploy"));
    say(&mut alice, "nothing for you");
    say(&mut alice, question);
    let answer = heard_from(&mut alice, "deploy");
    say(&mut alice, question);
    assert_eq!(heard_from(&mut alice, "deploy").len(), answer.len(), "one answer for each question");
    // Whatever it has started ends with it.
    admin(server.data(), &["revoke-token", "1"]);
    bot.wait();
    answer
}

#[test]
fn the_bots_of_the_readme_answer() {
    assert_eq!(answer_of("ping.sh", "!ping"), "pong");
    assert!(answer_of("clock.py", "!time").starts_with("alice: it is "));
}
