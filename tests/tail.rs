//! `chat tail`: what is said in a room, from where one asks for it, without a gap or a repeat.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use chat::wire::{self, BODY_ROOM_EVENT, ClientMessage, MessageId, RoomEvent};
use client::{Home, Piped};
use serde_json::Value;
use support::{PASSWORD, Peer, ServerProcess, eventually};

/// `chat tail` of someone who has an account.
fn tail(home: &Home, server: &ServerProcess, arguments: &[&str]) -> Command {
    let link = server.link().to_string();
    let login = ["--user", "robot", "--no-remember"];
    let mut command = home.chat(&[&["tail", &link], arguments, &login].concat());
    command.env("CHAT_PASSWORD", PASSWORD);
    command
}

fn follow(home: &Home, server: &ServerProcess, arguments: &[&str]) -> Piped {
    Piped::start(tail(home, server, arguments))
}

/// The home of who follows, and a server where so much was said in the lobby.
fn server_with(messages: u64) -> (Home, ServerProcess, Peer) {
    let server = ServerProcess::with_limits(&["messages-per-second=10000", "message-burst=10000"]);
    Peer::signed_up(server.link(), "robot").leave();
    let mut bob = Peer::signed_up(server.link(), "bob");
    (1..=messages).for_each(|number| say(&mut bob, number));
    (Home::new(), server, bob)
}

fn say(peer: &mut Peer, number: u64) {
    let id = peer.say(&number.to_string());
    peer.wait_until_accepted(id);
}

fn change(peer: &mut Peer, room: &str, event: &RoomEvent) {
    let (id, kind, body) = (MessageId::random().unwrap(), BODY_ROOM_EVENT, wire::encode(event).into());
    peer.send(&ClientMessage::Say { room: room.into(), id, kind, body, of: None });
    peer.wait_until_accepted(id);
}

/// What was said so far, as JSON.
fn said(following: &Piped) -> Vec<Value> {
    let objects = following.stdout();
    let objects = objects.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    objects.filter(|object| object["event"] == "said").collect()
}

fn wait_until_caught_up(following: &Piped) {
    following.wait_for("it has caught up", |line| line.contains("\"event\":\"caught-up\"").then_some(()));
}

#[test]
fn it_begins_now_or_so_many_messages_before_or_at_a_time_and_goes_on() {
    let (home, server, mut bob) = server_with(120);
    let all = follow(&home, &server, &["#lobby", "--json", "--since", "all"]);
    wait_until_caught_up(&all);
    let time = said(&all)[59]["at"].as_str().unwrap().to_owned();
    let at_that_time = said(&all).iter().position(|said| said["at"] == *time).unwrap() as u64 + 1;
    let cases = [
        (vec!["--json"], 121),
        (vec!["--json", "--lines", "3"], 118),
        (vec!["--json", "--lines", "1000"], 1),
        (vec!["--json", "--since", "1h"], 1),
        (vec!["--json", "--since", "2026-01-01"], 1),
        (vec!["--json", "--since", time.as_str()], at_that_time),
        (vec!["--json", "--since", "2999-01-01"], 121),
    ];
    for (arguments, first) in cases {
        let following = follow(&home, &server, &[&["#Lobby"], &arguments[..]].concat());
        wait_until_caught_up(&following);
        let texts: Vec<_> =
            said(&following).iter().map(|said| said["text"].as_str().unwrap().to_owned()).collect();
        assert_eq!(
            texts,
            (first..=120).map(|number| number.to_string()).collect::<Vec<_>>(),
            "{arguments:?}"
        );
        following.signal("TERM");
        let ended = following.wait();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    }
    say(&mut bob, 121);
    all.wait_for("what is said later comes", |line| line.contains("\"text\":\"121\"").then_some(()));
}

#[test]
fn its_lines_are_those_of_the_client_and_a_restart_leaves_no_gap_and_no_repeat() {
    let (home, server, mut bob) = server_with(3);
    let following = follow(&home, &server, &["#lobby", "--lines", "2"]);
    following.wait_for_line(" #lobby <bob> 3");
    let server = server.kill_and_restart();
    drop(bob);
    bob = Peer::logged_in(server.link(), "bob");
    (4..=60).for_each(|number| say(&mut bob, number));
    following.wait_for_line(" #lobby <bob> 60");
    say(&mut bob, 61);
    following.wait_for_line(" #lobby <bob> 61");
    following.signal("TERM");
    let ended = following.wait().went_well();
    assert_eq!(ended.said(), (2..=61).map(|number| format!("<bob> {number}")).collect::<Vec<_>>());
    let notes = ended.notes();
    assert!(
        notes[0].starts_with("the connection is lost") && notes[1] == "the connection is back",
        "{notes:?}"
    );
}

#[test]
fn it_ends_well_when_nobody_reads_it_any_more_also_if_nothing_more_is_said() {
    let (home, server, _bob) = server_with(3);
    let mut child = tail(&home, &server, &["#lobby", "--lines", "2"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.ends_with("#lobby <bob> 2\n"), "{line}");
    assert_eq!(eventually("it ends", || child.try_wait().unwrap()).code(), Some(0));
}

#[test]
fn a_public_room_is_entered_and_one_that_is_not_there_or_not_any_more_is_told() {
    let (home, server, mut bob) = server_with(0);
    change(&mut bob, "#ops", &RoomEvent::Made { is_private: false });
    let following = follow(&home, &server, &["#ops", "--json"]);
    wait_until_caught_up(&following);
    change(&mut bob, "#ops", &RoomEvent::Topic { topic: "pumps".into() });
    following.wait_for("the topic comes", |line| line.contains("\"topic\":\"pumps\"").then_some(()));
    let mut robot = Peer::logged_in(server.link(), "robot");
    change(&mut robot, "#ops", &RoomEvent::Left {});
    following.wait().says(1, &["#ops can't be followed", "you are in it no more"]);
    follow(&home, &server, &["#nowhere"])
        .wait()
        .says(1, &["#nowhere can't be followed", "there is no such room"]);
    follow(&home, &server, &["#lobby", "--since", "yesterday"]).wait().says(2, &["write how long ago"]);
}
