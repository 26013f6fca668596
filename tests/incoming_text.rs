//! What others write comes out of the client as one line of safe text, whatever it is.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use chat::wire::{ClientMessage, MessageId};
use client::{Home, Piped, Terminal};
use support::{Peer, ServerProcess};

/// What a body is, and what it looks like.
const BODIES: [(&[u8], &str); 12] = [
    (b"\x1b[2J\x1b[31mred\x1b[0m", "\u{fffd}[2J\u{fffd}[31mred\u{fffd}[0m"),
    (b"\x1b]0;owned\x07", "\u{fffd}]0;owned\u{fffd}"),
    (b"\x1b]52;c;cm0gLXJm\x1b\\", "\u{fffd}]52;c;cm0gLXJm\u{fffd}\\"),
    (b"\xc2\x9b2J\xc2\x9d0;owned\xc2\x9c", "\u{fffd}2J\u{fffd}0;owned\u{fffd}"),
    ("gpj.\u{202e}exe".as_bytes(), "gpj.\u{fffd}exe"),
    ("\u{2067}a\u{2069}\u{200f}b".as_bytes(), "\u{fffd}a\u{fffd}b"),
    (b"hello\r12:34 #lobby <bob> no", "hello\u{23ce}12:34 #lobby <bob> no"),
    (b"nul \x00 backspace \x08 delete \x7f", "nul \u{fffd} backspace \u{fffd} delete \u{fffd}"),
    (b"one\r\ntwo\nthree\n", "one\u{23ce}two\u{23ce}three"),
    (b"not UTF-8: \xff\xc3(", "not UTF-8: \u{fffd}\u{fffd}("),
    ("pay\u{200b}pal".as_bytes(), "paypal"),
    (
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}".as_bytes(),
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    ),
];

fn say(peer: &mut Peer, kind: u16, body: &[u8]) {
    let id = MessageId::random().unwrap();
    peer.send(&ClientMessage::Say { room: "#lobby".into(), id, kind, body: body.to_vec().into(), of: None });
    peer.wait_until_accepted(id);
}

#[test]
fn hostile_bodies_are_one_harmless_line_each() {
    let server = ServerProcess::start();
    let home = Home::new();
    let mut alice = Piped::start(home.client_as("alice", &server.link().to_string(), &["--signup"]));
    alice.wait_until_in();
    let mut eve = Peer::signed_up(server.link(), "eve");
    eve.join(None);
    for (body, _) in BODIES {
        say(&mut eve, 0, body);
    }
    say(&mut eve, 7, b"\x1b[2J of the future");
    alice.write("done\n");
    alice.wait_for_line("<alice> done");
    let ended = alice.finish().went_well();
    let mut expected: Vec<String> = BODIES.iter().map(|(_, shown)| format!("<eve> {shown}")).collect();
    expected.push("<eve> (something of kind 7, which this version of chat can't show)".into());
    expected.push("<alice> done".into());
    assert_eq!(ended.said(), expected);
}

#[test]
fn on_a_terminal_they_change_nothing_but_their_own_row() {
    let server = ServerProcess::start();
    let home = Home::new();
    let link = server.link().to_string();
    let mut alice = Terminal::start_in(&home, (100, 40), "alice", &link, &["--signup"]);
    alice.press("half a line");
    let mut eve = Peer::signed_up(server.link(), "eve");
    eve.join(None);
    for (body, _) in BODIES {
        say(&mut eve, 0, body);
    }
    say(&mut eve, 0, b"the last one");
    alice.wait_for("<eve> the last one");
    alice.wait_for_row("> half a line");
    let rows = alice.rows();
    for (_, shown) in BODIES {
        // The screen of these tests leaves the replacement character out.
        let shown = shown.replace('\u{fffd}', "");
        assert!(
            rows.iter().any(|row| row.ends_with(&format!("#lobby <eve> {shown}"))),
            "{shown:?}: {rows:#?}"
        );
    }
    assert_eq!(alice.tricks(), 0);
    alice.press("\x03\x04");
    assert_eq!(alice.wait(), 0);
}

#[test]
fn spaces_can_not_take_a_text_to_where_another_line_would_begin() {
    let server = ServerProcess::start();
    let home = Home::new();
    let columns = 80;
    let link = server.link().to_string();
    let alice = Terminal::start_in(&home, (columns, 24), "alice", &link, &["--signup"]);
    let mut eve = Peer::signed_up(server.link(), "eve");
    eve.join(None);
    for spaces in 40..80 {
        let body = format!("hi{}12:34 #lobby <bob> I am not bob", " ".repeat(spaces));
        say(&mut eve, 0, body.as_bytes());
    }
    say(&mut eve, 0, b"the last one");
    alice.wait_for("<eve> the last one");
    let rows = alice.rows();
    assert!(rows.iter().any(|row| row.contains("I am not bob")), "{rows:#?}");
    assert!(!rows.iter().any(|row| row.starts_with("12:34 #lobby <bob>")), "{rows:#?}");
}
