//! Names in any language, from the sign-up to the line on the screen, and those who would pass for somebody else.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::fs;

use chat::channel::RECORD_BYTES_MAX;
use chat::names::{NewUsername, USERNAME_BYTES_MAX, Username};
use chat::terminal_text::one_line;
use chat::wire::{self, Code, PEOPLE_MAX, ServerMessage};
use client::{Home, Piped, Terminal};
use proptest::prelude::*;
use support::{PASSWORD, Peer, ServerProcess};

/// Names as people write them, and as they are kept.
const NAMES: [(&str, &str); 10] = [
    ("Zoe\u{308}", "zoë"),
    ("АЛИСА", "алиса"),
    ("Ελένη", "ελένη"),
    ("שלום", "שלום"),
    ("سارة٢", "سارة٢"),
    ("अमित", "अमित"),
    ("สมชาย", "สมชาย"),
    ("王伟", "王伟"),
    ("ﾀﾅｶ", "タナカ"),
    ("Kim김", "kim김"),
];

fn is_logged_in_as(message: &ServerMessage, wanted: &str) -> bool {
    matches!(message, ServerMessage::LoggedIn { name, .. } if name == wanted)
}

fn refusal(message: ServerMessage) -> (Code, String) {
    match message {
        ServerMessage::Refused { code, text, .. } => (code, text),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn people_of_any_script_sign_up_and_come_back_by_any_spelling_of_their_name() {
    let server = ServerProcess::start();
    for (typed, name) in NAMES {
        let mut peer = Peer::connect(server.link());
        assert!(is_logged_in_as(&peer.sign_up(typed, PASSWORD), name), "{typed}");
        peer.leave();
    }
    let server = server.stop_and_restart();
    for (typed, name) in NAMES {
        for spelling in [typed, name] {
            let answer = Peer::connect(server.link()).log_in(spelling, PASSWORD);
            assert!(is_logged_in_as(&answer, name), "{spelling}: {answer:?}");
        }
    }
}

/// The attack by its name: to be taken for somebody else.
#[test]
fn name_spoofing() {
    let server = ServerProcess::start();
    for name in ["alice", "mike", "боб"] {
        Peer::signed_up(server.link(), name).leave();
    }
    let looks_taken = "this name looks like a name that is taken; choose another one";
    let looks_reserved = "this name looks like one that is kept for the server; choose another one";
    let mixed = "this name has letters that don't go together; choose one in letters of one script";
    let unfit = "a name is made of letters, digits, '_', '-' and '.'";
    let cases = [
        ("rnike", Code::NameTaken, looks_taken),
        ("a1ice", Code::NameTaken, looks_taken),
        ("ali\u{307}ce", Code::NameTaken, looks_taken),
        ("бо6", Code::NameTaken, looks_taken),
        ("adrnin", Code::BadName, looks_reserved),
        ("r00t", Code::BadName, looks_reserved),
        ("аlice", Code::BadName, mixed),
        ("alicе", Code::BadName, mixed),
        ("al\u{200b}ice", Code::BadName, unfit),
        ("alice\u{200f}", Code::BadName, unfit),
        ("alice\u{fe0f}", Code::BadName, unfit),
        ("\u{202e}ecila", Code::BadName, unfit),
        ("alice ", Code::BadName, unfit),
        ("alice> hello", Code::BadName, unfit),
    ];
    let wrong = refusal(Peer::connect(server.link()).log_in("alice", "Wrong-Horse-7"));
    for (name, code, text) in cases {
        let mut mallory = Peer::connect(server.link());
        assert_eq!(refusal(mallory.sign_up(name, PASSWORD)), (code, text.to_owned()), "{name:?}");
        assert_eq!(refusal(mallory.log_in(name, PASSWORD)), wrong, "{name:?}");
    }
    let users = fs::read_to_string(server.data().join("users.db")).unwrap();
    assert_eq!(users.lines().count(), 3, "{users}");
}

#[test]
fn the_client_shows_every_name_as_it_is_and_lines_for_programs_have_nothing_else() {
    let server = ServerProcess::start();
    let home = Home::new();
    let mut watching = Piped::start(home.client_as("Алиса", &server.link().to_string(), &["--signup"]));
    watching.wait_until_in();
    for (typed, name) in NAMES.into_iter().filter(|(typed, _)| *typed != "АЛИСА") {
        let mut peer = Peer::signed_up(server.link(), typed);
        peer.join(None);
        let id = peer.say("<ב 5 hello");
        peer.wait_until_accepted(id);
        watching.wait_for_line(&format!("#lobby <{name}> <ב 5 hello"));
        peer.leave();
        watching.wait_for_line(&format!("#lobby * {name} left"));
    }
    watching.write("/who\n");
    watching.wait_for_line("! 1 person is in #lobby: алиса");
    watching.finish().went_well();
}

#[test]
fn on_a_terminal_a_name_from_the_right_does_not_change_places_with_what_its_owner_says() {
    let server = ServerProcess::start();
    let home = Home::new();
    let mut screen = Terminal::start_in(&home, (80, 24), "alice", &server.link().to_string(), &["--signup"]);
    screen.wait_for("nobody else is here");
    let mut peer = Peer::signed_up(server.link(), "שלום");
    peer.join(None);
    peer.say("<בוב 5 hello");
    screen.wait_for("5 hello");
    let shown = String::from_utf8_lossy(&screen.bytes()).into_owned();
    assert!(shown.contains("#lobby <שלום>\u{200e} <בוב 5 hello"), "{shown:?}");
    screen.enter("exit");
    assert_eq!(screen.wait(), 0);
}

#[test]
fn a_name_in_a_link_may_be_in_any_script() {
    let server = ServerProcess::start();
    let link = server.link().to_string();
    let home = Home::new();
    Piped::run(home.client_as("שלום", &link, &["--signup"]), "").went_well();
    for user in ["שלום", "%D7%A9%D7%9C%D7%95%D7%9D"] {
        let to_user = link.replace("chat://", &format!("chat://{user}@"));
        let ended = Piped::run(home.client(&[&to_user, "--password-file", &home.password_file()]), "");
        assert!(ended.went_well().notes()[0].starts_with("you are שלום in #lobby"));
    }
}

#[test]
fn the_longest_list_of_people_fits_into_a_record() {
    let names = vec!["𠀀".repeat(USERNAME_BYTES_MAX / 4); PEOPLE_MAX];
    let room = format!("#{}", "r".repeat(chat::names::ROOM_NAME_CHARS_MAX));
    let people = ServerMessage::People { room, names, first: true, last: true };
    assert!(wire::encode(&people).len() <= RECORD_BYTES_MAX);
}

proptest! {
    /// Two names that are two to the server must not be one to the eye: the screen leaves nothing out of a name.
    #[test]
    fn every_name_is_shown_whole(text in "(\\p{L}|\\p{M}|\\p{N}|[a-z_.-]){1,12}") {
        if let Ok(name) = text.parse::<Username>().and_then(NewUsername::parse) {
            prop_assert_eq!(one_line(name.as_str()), name.as_str());
        }
    }
}
