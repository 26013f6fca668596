//! The word at the door: who signs up without an invite must know it, nobody else needs it, and no child or log sees it.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::fs;
use std::path::Path;

use chat::wire::{ClientMessage, Code, ServerMessage};
use client::{Home, Piped, Terminal};
use support::{Heard, PASSWORD, Peer, Refused, ServerProcess, admin, eventually, secret};

const WORD: &str = "swordfish-and-chips";

/// A server with the word in a file, and that file's folder.
fn with_word(more: &[&str]) -> (ServerProcess, Home) {
    let home = Home::new();
    let file = home.write("word", format!("{WORD}\n"));
    let arguments = [&["--server-password-file", file.to_str().unwrap()], more].concat();
    (ServerProcess::start_with(&arguments), home)
}

fn sign_up(peer: &mut Peer, name: &str, word: Option<&str>, invite: Option<&str>) -> ServerMessage {
    let (name, password) = (name.into(), secret(PASSWORD));
    let (invite, server_password) = (invite.map(secret), word.map(secret));
    peer.send(&ClientMessage::SignUp { name, password, invite, server_password });
    peer.next()
}

#[track_caller]
fn assert_wrong(answer: &ServerMessage) {
    assert!(matches!(answer, ServerMessage::Refused { code: Code::WrongServerPassword, .. }), "{answer:?}");
}

fn tells_that_it_wants_it(server: &ServerProcess) -> Option<bool> {
    match Peer::try_connect(server.link()).unwrap().hear() {
        Heard::Message(ServerMessage::Welcome { wants_server_password, .. }) => wants_server_password,
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_signs_up_must_know_it_and_who_logs_in_or_has_an_invite_need_not() {
    let (server, _home) = with_word(&[]);
    assert_eq!(tells_that_it_wants_it(&server), Some(true));
    let mut alice = Peer::connect(server.link());
    assert_wrong(&sign_up(&mut alice, "alice", None, None));
    assert_wrong(&sign_up(&mut alice, "alice", Some("swordfish"), None));
    assert!(matches!(sign_up(&mut alice, "alice", Some(WORD), None), ServerMessage::LoggedIn { .. }));
    Peer::logged_in(server.link(), "alice").leave();
    let link: chat::link::Link = admin(server.data(), &["invite"]).remove(0).parse().unwrap();
    let token = link.invite.unwrap();
    let mut bob = Peer::connect(server.link());
    assert!(matches!(sign_up(&mut bob, "bob", None, Some(token.as_str())), ServerMessage::LoggedIn { .. }));
    assert!(!server.log().contains(WORD));
    // Where one needs an invite, the word is of no use.
    let (server, _home) = with_word(&["--registration", "invite"]);
    assert_eq!(tells_that_it_wants_it(&server), Some(false));
    let refused = sign_up(&mut Peer::connect(server.link()), "bob", Some(WORD), None);
    assert!(matches!(refused, ServerMessage::Refused { code: Code::InviteNeeded, .. }), "{refused:?}");
}

#[test]
fn guesses_at_it_cost_no_hash_and_end_the_connection_like_other_tries() {
    let (server, _home) = with_word(&[]);
    let before = server.cpu_ticks();
    for _ in 0..20 {
        let mut peer = Peer::connect(server.link());
        for _ in 0..5 {
            assert_wrong(&sign_up(&mut peer, "eve", Some("guess"), None));
        }
        let (last, end) = peer.hear_out();
        assert!(matches!(last[..], [ServerMessage::Closing { code: Code::TooManyTries, .. }]));
        assert_eq!(end, Heard::Goodbye);
    }
    // 100 hashes of 19 MiB would take seconds of CPU; a tick is 10 ms.
    let used = server.cpu_ticks() - before;
    assert!(used < 60, "{used} ticks");
}

#[test]
fn sighup_reads_it_anew_and_keeps_the_old_one_if_it_can_not() {
    let (server, home) = with_word(&[]);
    home.write("word", "");
    server.signal("HUP");
    eventually("it is told", || server.log().contains("stays as it was").then_some(()));
    assert!(matches!(
        sign_up(&mut Peer::connect(server.link()), "alice", Some(WORD), None),
        ServerMessage::LoggedIn { .. }
    ));
    home.write("word", "another word");
    server.signal("HUP");
    eventually("the new one counts", || {
        let name = format!("bob{}", fs::read_to_string(server.data().join("users.db")).unwrap().len());
        let answer = sign_up(&mut Peer::connect(server.link()), &name, Some("another word"), None);
        matches!(answer, ServerMessage::LoggedIn { .. }).then_some(())
    });
    assert_wrong(&sign_up(&mut Peer::connect(server.link()), "carol", Some(WORD), None));
}

#[test]
fn a_script_gives_it_from_a_file_a_command_or_the_environment_or_is_told() {
    let (server, home) = with_word(&[]);
    let target = server.link().to_string();
    let file = home.path().join("word").to_str().unwrap().to_owned();
    Piped::run(home.client_as("a", &target, &["--signup", "--server-password-file", &file]), "").went_well();
    let command = format!("cat {file}");
    Piped::run(home.client_as("b", &target, &["--signup", "--server-password-command", &command]), "")
        .went_well();
    let mut by_variable = home.client_as("c", &target, &["--signup"]);
    by_variable.env("CHAT_SERVER_PASSWORD", WORD);
    Piped::run(by_variable, "").went_well();
    Piped::run(home.client_as("a", &target, &[]), "").went_well();

    Piped::run(home.client_as("d", &target, &["--signup"]), "").says(2, &["--server-password-file"]);
    let wrong = home.write("wrong", "guess\n");
    let wrong = ["--signup", "--server-password-file", wrong.to_str().unwrap()];
    Piped::run(home.client_as("d", &target, &wrong), "")
        .says(4, &["the server's password", "this is not it"]);
    let missing = ["--signup", "--server-password-file", "/nowhere"];
    Piped::run(home.client_as("d", &target, &missing), "").says(1, &["/nowhere", "first line"]);
}

#[test]
fn a_person_is_asked_for_it_without_an_echo_until_it_is_right() {
    let (server, home) = with_word(&[]);
    let file = home.password_file();
    let mut terminal = Terminal::start(&home, (100, 30), &[&server.link().to_string(), "--signup"]);
    terminal.wait_for("The server's password:");
    terminal.enter("swordfish-guess");
    terminal.wait_for("Name:");
    terminal.enter("alice");
    terminal.wait_for("Password:");
    terminal.enter(PASSWORD);
    terminal.wait_for("The same again:");
    terminal.enter(PASSWORD);
    terminal.wait_for("this is not it");
    terminal.wait_until("it is asked again", |screen| {
        screen.contents().trim_end().ends_with("The server's password:")
    });
    terminal.enter(WORD);
    terminal.wait_for("you are alice in");
    terminal.enter("exit");
    assert_eq!(terminal.wait(), 0);
    let shown = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    assert!(!shown.contains("swordfish") && !shown.contains(PASSWORD));
    assert!(Path::new(&file).exists());
}

#[test]
fn the_commands_that_tell_passwords_see_neither_of_them_elsewhere() {
    const OTHER: &str = "Another-Secret-5";
    let home = Home::new();
    let (of_client, of_server) = (home.path().join("of-client"), home.path().join("of-server"));
    // All that a child can see of us: its own environment, and everyone's arguments.
    let spy = |file: &Path| format!("env > {0}; cat /proc/*/cmdline >> {0} 2>/dev/null; ", file.display());
    let word = home.write("word", WORD);
    let command = format!("{}cat {}", spy(&of_server), word.display());
    let mut program = std::process::Command::new(support::PROGRAM);
    program.env("CHAT_PASSWORD", OTHER).env("CHAT_SERVER_PASSWORD", OTHER);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("server");
    let server =
        ServerProcess::start_by_with(program, data, folder, &["--server-password-command", &command]);

    let target = server.link().to_string();
    let command = format!("{}cat {}", spy(&of_client), home.password_file());
    let mut client = home.client(&[&target, "--user", "alice", "--signup", "--password-command", &command]);
    client.env("CHAT_SERVER_PASSWORD", WORD).env("CHAT_PASSWORD", OTHER);
    Piped::run(client, "").went_well();
    for file in [of_client, of_server] {
        let seen = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
        assert!(seen.contains("PATH=") && seen.contains("server"), "it saw what it could");
        for password in [WORD, PASSWORD, OTHER] {
            assert!(!seen.contains(password), "{password}");
        }
    }
}

#[test]
fn a_word_that_is_not_there_stops_the_start_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("server");
    Refused::server(&data, &["--server-password-file", "/nowhere"]).says(1, &["/nowhere", "first line"]);
    Refused::server(&data, &["--server-password-command", "false"]).says(1, &["from the command"]);
    assert!(!data.exists());
    let ended = Refused::server(&data, &["--server-password", "word"]);
    assert!(ended.code == Some(2), "no flag takes the word itself: {ended:?}");
}
