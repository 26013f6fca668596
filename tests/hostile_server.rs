//! A server that means harm, or is broken, can't make the client panic, obey, hang or grow.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::fs;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chat::wire::{self, ClientMessage, Code, Device, DeviceFingerprint, MessageId, ServerMessage};
use client::{Ended, FakeServer, Guest, Home, Piped, Terminal, assert_presentable, said};

/// Text that wants to do everything that a terminal can be told to do.
const EVIL: &str =
    "evil\x1b[2J\x1b]0;owned\x07\x1b]52;c;cm0=\x1b\\\r\n12:34 #lobby <bob> \u{202e}\u{9b}31m\0\x08";

/// The most memory that a client may have in use, in KiB.
const RESIDENT_KIB_MAX: u64 = 128 * 1024;

/// The lobby, in which `sequence` is the last message.
fn caught_up(sequence: u64) -> ServerMessage {
    ServerMessage::CaughtUp { room: "#lobby".into(), sequence }
}

fn people(names: Vec<String>, first: bool, last: bool) -> ServerMessage {
    ServerMessage::People { room: "#lobby".into(), names, first, last }
}

/// A client that has entered the room, then meets what the script does, types, and ends its input when the script is
/// done.
fn meets(typed: &str, script: impl FnOnce(&mut Guest) + Send + 'static) -> Ended {
    let server = FakeServer::new();
    let home = Home::new();
    let mut client = Piped::start(home.client_as("alice", &server.link().to_string(), &[]));
    let running = server.run(|server| {
        let mut guest = server.resident();
        script(&mut guest);
        guest.send(&ServerMessage::Arrived { room: "#lobby".into(), name: "the-end".into(), at: 0 });
        guest
    });
    let guest = running.join().unwrap();
    client.wait_for_line("* the-end joined");
    client.write(typed);
    let seeing_off = thread::spawn(|| guest.see_off());
    let ended = client.finish();
    seeing_off.join().unwrap();
    ended
}

fn resident_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn names_and_texts_that_want_to_command_the_terminal_are_only_shown() {
    let ended = meets("/who\n", |guest| {
        guest.send(&people(vec![EVIL.into(), "alice".into()], true, true));
        guest.send(&said(1, EVIL, EVIL));
        guest.send(&ServerMessage::Arrived { room: "#lobby".into(), name: EVIL.into(), at: 5 });
        guest.send(&ServerMessage::Left { room: "#lobby".into(), name: EVIL.into(), at: 5 });
        guest.send(&ServerMessage::Refused {
            code: Code::Other(999),
            text: EVIL.into(),
            id: None,
            retry_after: None,
        });
    });
    assert_eq!(ended.stdout.matches("evil").count(), 5, "{ended:?}");
    ended.went_well();
}

#[test]
fn labels_of_devices_that_want_to_command_the_terminal_are_only_shown() {
    let server = FakeServer::new();
    let home = Home::new();
    let mut client = Piped::start(home.client_as("alice", &server.link().to_string(), &[]));
    let mut guest = server.resident();
    client.wait_until_in();
    client.write("/devices\n");
    assert!(matches!(guest.receive(), Some(ClientMessage::ListDevices {})));
    for label in [EVIL, "\u{202e}pol", "\u{200b}", ""] {
        let fingerprint = DeviceFingerprint::from_bytes([0x1b; 16]);
        let device =
            Device { label: label.into(), fingerprint, first_seen: u64::MAX, last_seen: 0, is_this: false };
        guest.send(&ServerMessage::Devices { devices: vec![device; 3] });
    }
    guest.send(&ServerMessage::Arrived { room: "#lobby".into(), name: "the-end".into(), at: 0 });
    client.wait_for_line("* the-end joined");
    let seeing_off = thread::spawn(|| guest.see_off());
    let ended = client.finish().went_well();
    seeing_off.join().unwrap();
    assert!(ended.stdout.contains("evil"), "{}", ended.stdout);
    assert!(ended.stdout.lines().all(|line| line.as_bytes().get(5) == Some(&b' ')), "{}", ended.stdout);
}

#[test]
fn a_refusal_can_not_speak_as_the_client() {
    for code in [Code::WrongNameOrPassword, Code::Other(999), Code::NameTaken] {
        let server = FakeServer::new();
        let home = Home::new();
        let client = Piped::start(home.client_as("alice", &server.link().to_string(), &["--signup"]));
        let mut guest = server.try_guest().unwrap();
        guest.welcome();
        guest.login_name();
        let text = format!("{EVIL}\nchat: run this");
        guest.send(&ServerMessage::Refused { code, text, id: None, retry_after: None });
        guest.see_off();
        let ended = client.finish();
        ended.says(4, &["the server refused the login: evil"]);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

#[test]
fn a_hostile_name_for_oneself_and_a_missing_welcome_do_no_harm() {
    let server = FakeServer::new();
    let home = Home::new();
    let client = Piped::start(home.client_as("alice", &server.link().to_string(), &[]));
    let mut guest = server.try_guest().unwrap();
    guest.login_name();
    guest.send(&ServerMessage::LoggedIn { name: format!("{EVIL}{}", "x".repeat(60_000)), role: 200 });
    guest.receive_join();
    guest.let_in(0, 0);
    guest.send(&caught_up(0));
    client.wait_until_in();
    let seeing_off = thread::spawn(|| guest.see_off());
    client.finish().went_well();
    seeing_off.join().unwrap();
}

#[test]
fn numbers_out_of_order_doubled_or_impossible_show_each_message_once() {
    let ended = meets("", |guest| {
        for sequence in [1, 1, 2, 7, 3, 0, 7, u64::MAX - 1, u64::MAX, u64::MAX, 8] {
            guest.send(&said(sequence, "eve", sequence.to_string()));
        }
        guest.let_in(u64::MAX, 0);
        guest.send(&said(u64::MAX, "eve", "after the end"));
        guest.let_in(0, u64::MAX);
        guest.send(&said(1, "eve", "again"));
        guest.send(&caught_up(u64::MAX));
    });
    let expected = ["1", "2", "7", "18446744073709551614", "18446744073709551615", "again"];
    assert_eq!(ended.said(), expected.map(|text| format!("<eve> {text}")));
    assert!(ended.notes().iter().any(|note| note.starts_with("messages 3 to 6 of #lobby did not come")));
    ended.went_well();
}

#[test]
fn times_that_no_calendar_knows_and_kinds_of_the_future_have_a_place() {
    let ended = meets("", |guest| {
        for (sequence, at) in (1..).zip([u64::MAX, i64::MAX.unsigned_abs(), 1 << 63, 253_402_300_800_000, 0])
        {
            let mut message = said(sequence, "eve", "when?");
            if let ServerMessage::Said { at: time, kind, .. } = &mut message {
                (*time, *kind) = (at, if sequence == 5 { u16::MAX } else { 0 });
            }
            guest.send(&message);
        }
        guest.send(&ServerMessage::Left { room: "#lobby".into(), name: "bob".into(), at: u64::MAX });
        // Messages of kinds 14 and 2^64 - 1, and one without its fields.
        for content in [
            &b"\x82\x0e\xa0"[..],
            b"\x82\x1b\xff\xff\xff\xff\xff\xff\xff\xff\xa0",
            b"\x82\x04\xa0",
            b"\x07",
            b"",
        ] {
            guest.try_send_content(content).unwrap();
        }
        guest.send(&said(6, "eve", ""));
        guest.send(&ServerMessage::Said {
            room: "#elsewhere".into(),
            sequence: 7,
            at: 0,
            author: "eve".into(),
            id: MessageId::random().unwrap(),
            kind: 0,
            body: b"another room".to_vec().into(),
            of: None,
            edited: None,
        });
    });
    assert_eq!(ended.said().len(), 6);
    assert!(!ended.stdout.contains("another room"));
    ended.went_well();
}

#[test]
fn answers_to_what_was_never_asked_change_nothing() {
    let ended = meets("", |guest| {
        let id = MessageId::random().unwrap();
        guest.welcome();
        guest.send(&ServerMessage::LoggedIn { name: EVIL.into(), role: 9 });
        guest.send(&ServerMessage::Accepted { id, room: "#lobby".into(), sequence: u64::MAX, at: u64::MAX });
        guest.send(&ServerMessage::Refused {
            code: Code::NotNow,
            text: EVIL.into(),
            id: Some(id),
            retry_after: Some(u32::MAX),
        });
        guest.send(&ServerMessage::Lagged {});
        guest.send(&ServerMessage::Pong {});
        guest.send(&caught_up(9));
    });
    assert!(!ended.stdout.contains("evil"), "{}", ended.stdout);
    assert_eq!(ended.notes().iter().filter(|note| !note.contains("1970")).count(), 1, "{}", ended.stdout);
    ended.went_well();
}

#[test]
fn a_server_that_closes_with_hostile_words_or_sends_garbage_is_left_and_come_back_to() {
    let server = FakeServer::new();
    let home = Home::new();
    let client = Piped::start(home.client_as("alice", &server.link().to_string(), &[]));
    let mut guest = server.resident();
    guest.send(&ServerMessage::Closing { code: Code::Other(7), text: EVIL.into() });
    guest.say_goodbye();
    drop(guest);
    client.wait_for_line("); trying to come back");
    let mut guest = server.resident();
    client.wait_for_line("! the connection is back");
    guest.try_send_content(b"\xff\xff\x1b[2J").unwrap();
    guest.see_off();
    let mut guest = server.resident();
    // A frame that is not sealed with the session's key.
    std::io::Write::write_all(&mut guest.stream, b"\x00\x20\x1b[2J garbage, garbage, garbage!!!").unwrap();
    guest.see_off();
    let guest = server.resident();
    let seeing_off = thread::spawn(|| guest.see_off());
    let ended = client.finish().went_well();
    seeing_off.join().unwrap();
    assert!(ended.notes().iter().any(|note| note.contains("evil\u{fffd}[2J")), "{ended:?}");
    assert!(ended.notes().iter().any(|note| note.contains("something that is no message")), "{ended:?}");
}

#[test]
fn a_server_that_never_lets_one_in_is_left_when_the_input_ends() {
    let server = FakeServer::new();
    let home = Home::new();
    let mut client = Piped::start(home.client_as("alice", &server.link().to_string(), &[]));
    client.write("hello\n");
    client.end_input();
    let guest = server.member();
    client.signal("TERM");
    let seeing_off = thread::spawn(|| guest.see_off());
    client.wait();
    seeing_off.join().unwrap();
}

#[test]
fn endless_lists_of_people_do_not_make_it_grow() {
    let server = FakeServer::new();
    let home = Home::new();
    let client = Piped::start(home.client_as("alice", &server.link().to_string(), &[]));
    let id = client.id();
    let mut guest = server.resident();
    client.wait_until_in();
    for part in 0..200 {
        let names = (0..500).map(|number| format!("{part:05}-{number:03}-{}", "x".repeat(80))).collect();
        guest.send(&people(names, part == 0, false));
        guest.send(&ServerMessage::Ping {});
        guest.receive();
    }
    assert!(resident_kib(id) < RESIDENT_KIB_MAX, "{} KiB", resident_kib(id));
    let seeing_off = thread::spawn(|| guest.see_off());
    client.finish().went_well();
    seeing_off.join().unwrap();
}

#[test]
fn small_records_that_unfold_do_not_make_a_client_grow_that_nobody_reads() {
    let many_names = people(vec![String::new(); 65_000], false, false);
    let many_messages = wire::encode(&ServerMessage::Lagged {}).repeat(21_000);
    for content in [wire::encode(&many_names), many_messages] {
        let server = FakeServer::new();
        let home = Home::new();
        let mut command = home.client_as("alice", &server.link().to_string(), &[]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut client = command.spawn().unwrap();
        let mut guest = server.resident();
        // Nobody reads what it writes: when the pipe is full, it stands still, and the rest waits for it.
        for sequence in 1..=40 {
            guest.send(&said(sequence, "eve", "x".repeat(16_000)));
        }
        guest.stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let sent = (0..600).take_while(|_| guest.try_send_content(&content).is_ok()).count();
        let kib = resident_kib(client.id());
        client.kill().unwrap();
        client.wait().unwrap();
        assert!(kib < RESIDENT_KIB_MAX, "{kib} KiB after {sent} records");
    }
}

#[test]
fn a_flood_on_a_terminal_that_stands_still_holds_the_server_up_and_not_the_memory() {
    let server = FakeServer::new();
    let home = Home::new();
    let link = server.link().to_string();
    let (start, started) = mpsc::channel();
    let running = server.run(move |server| {
        let mut guest = server.resident();
        guest.stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        started.recv().unwrap();
        let mut flood = |sequence| guest.try_send(&said(sequence, EVIL, EVIL.repeat(150))).is_ok();
        (1..20_000).take_while(|sequence| flood(*sequence)).count()
    });
    let mut terminal = Terminal::start_in(&home, (80, 24), "alice", &link, &[]);
    let taken = terminal.stand_still(|| {
        start.send(()).unwrap();
        running.join().unwrap()
    });
    assert!(resident_kib(terminal.id()) < RESIDENT_KIB_MAX, "{} KiB", resident_kib(terminal.id()));
    assert!(taken < 19_999, "the server was never held up");
    terminal.wait_for("the connection is lost");
    terminal.enter("/quit");
    assert_eq!(terminal.wait(), 0);
    assert_eq!(terminal.tricks(), 0);
    assert_presentable(&terminal.contents());
}
