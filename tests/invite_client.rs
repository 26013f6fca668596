//! The client and invites: who comes with one signs up, who needs one is asked for it or told, and who is inside makes
//! one.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::process::Command;

use chat::link::Link;
use client::{Home, Piped, Terminal};
use support::{PASSWORD, PROGRAM, Peer, ServerProcess, admin};

const WIDE: (u16, u16) = (100, 30);

fn by_invite() -> ServerProcess {
    ServerProcess::start_with(&["--registration", "invite"])
}

/// A link with an invite that the operator makes.
fn invite_link(server: &ServerProcess, arguments: &[&str]) -> String {
    admin(server.data(), &[&["invite"], arguments].concat()).remove(0)
}

fn uses_left(server: &ServerProcess) -> usize {
    admin(server.data(), &["invites"]).len()
}

/// `chat client` for someone who wants to be remembered.
fn remembered(home: &Home, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("client").args(arguments).env("HOME", home.path()).env("TZ", "UTC");
    for name in ["XDG_DATA_HOME", "CHAT_PASSWORD", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}

#[test]
fn a_script_signs_up_by_an_invite_link_and_comes_back_by_its_device_without_touching_another() {
    let server = by_invite();
    let home = Home::new();
    let (first, second) = (invite_link(&server, &[]), invite_link(&server, &[]));
    let file = home.password_file();
    let ended =
        Piped::run(remembered(&home, &[&first, "--user", "bob", "--password-file", &file]), "hello\n");
    assert_eq!(ended.went_well().said(), ["<bob> hello"]);
    let before = uses_left(&server);
    let ended = Piped::run(remembered(&home, &[&second]), "again\n");
    assert_eq!(ended.went_well().said().last(), Some(&"<bob> again"));
    assert_eq!(uses_left(&server), before);
}

#[test]
fn a_device_that_was_revoked_logs_in_again_and_does_not_sign_up_though_the_link_has_an_invite() {
    let server = by_invite();
    let home = Home::new();
    let (first, second) = (invite_link(&server, &[]), invite_link(&server, &[]));
    let file = home.password_file();
    Piped::run(remembered(&home, &[&first, "--user", "bob", "--password-file", &file]), "").went_well();
    let mut bob = Peer::logged_in(server.link(), "bob");
    bob.send(&chat::wire::ClientMessage::RevokeOtherDevices {});
    bob.next();
    let ended = Piped::run(remembered(&home, &[&second, "--password-file", &file]), "again\n");
    assert_eq!((ended.code, ended.said().last()), (Some(0), Some(&"<bob> again")), "{ended:?}");
}

#[test]
fn a_script_without_an_invite_is_told_what_to_do() {
    let home = Home::new();
    let server = by_invite();
    let target = server.link().to_string();
    Piped::run(home.client_as("bob", &target, &["--signup"]), "")
        .says(4, &["with an invite only", "its link"]);
    let used = invite_link(&server, &[]);
    Piped::run(home.client_as("bob", &used, &[]), "").went_well();
    Piped::run(home.client_as("carol", &used, &[]), "").says(4, &["not valid", "ask for a new one"]);
    Piped::run(home.client_as("bob", &target, &[]), "").went_well();

    let server = ServerProcess::start_with(&["--registration", "closed"]);
    let target = server.link().to_string();
    Piped::run(home.client_as("bob", &target, &["--signup"]), "")
        .says(4, &["nobody new", "the person who runs"]);
}

#[test]
fn nobody_is_asked_for_a_name_or_a_password_in_vain_where_nobody_new_may_sign_up() {
    let server = ServerProcess::start_with(&["--registration", "closed"]);
    let home = Home::new();
    let target = server.link().to_string();
    let mut terminal = Terminal::start(&home, WIDE, &[&target, "--signup"]);
    assert_eq!(terminal.wait(), 4);
    assert!(!terminal.contents().contains("Name:") && !terminal.contents().contains("Password:"));
    let mut terminal = Terminal::start(&home, WIDE, &[&target]);
    terminal.wait_for("Nobody new can sign up here at present. Log in");
    terminal.wait_for("Name:");
    terminal.press("\u{3}");
    terminal.wait();
}

#[test]
fn a_person_who_needs_an_invite_pastes_it_or_the_link_and_a_wrong_one_is_asked_again() {
    let server = by_invite();
    let home = Home::new();
    let used: Link = invite_link(&server, &[]).parse().unwrap();
    let used = used.invite.unwrap().as_str().to_owned();
    Peer::connect(server.link()).sign_up_with("carol", PASSWORD, Some(&used));
    let mut terminal = Terminal::start(&home, WIDE, &[&server.link().to_string()]);
    terminal.wait_for("(l/s)");
    terminal.enter("s");
    terminal.wait_for("Someone inside can make one with /invite.");
    terminal.enter("please");
    terminal.wait_for("An invite is 24 characters");
    terminal.enter(&used);
    terminal.wait_for("Name:");
    terminal.enter("bob");
    terminal.wait_for("Password:");
    terminal.enter(PASSWORD);
    terminal.wait_for("The same again:");
    terminal.enter(PASSWORD);
    terminal.wait_for("This invite is not valid");
    terminal.enter(&invite_link(&server, &[]));
    // The name and the password are as they were.
    terminal.wait_for("you are bob in");
    terminal.enter("exit");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn whoever_comes_with_an_invite_link_is_not_asked_whether_to_sign_up() {
    let server = by_invite();
    let home = Home::new();
    let mut terminal = Terminal::start(&home, WIDE, &[&invite_link(&server, &["--role", "admin"])]);
    terminal.wait_for("Name:");
    assert!(!terminal.contents().contains("(l/s)"));
    terminal.enter("alice");
    terminal.wait_for("Password:");
    terminal.enter(PASSWORD);
    terminal.wait_for("The same again:");
    terminal.enter(PASSWORD);
    terminal.wait_for("you are alice in");

    // And as an admin she invites.
    terminal.enter("/invite 2 3d");
    terminal.wait_for("it works 2 times, until");
    terminal.enter("exit");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn an_invite_that_was_made_inside_is_a_ready_link_to_the_server_as_one_knows_it() {
    let server = ServerProcess::start();
    let home = Home::new();
    let target = server.link().to_string();
    let ended = Piped::run(home.client_as("alice", &target, &["--signup"]), "/invite\n");
    let ended = ended.went_well();
    let notes = ended.notes();
    let link = notes.iter().find(|note| note.starts_with("chat://")).unwrap();
    let parsed: Link = link.parse().unwrap();
    assert_eq!(Link { invite: None, ..parsed }, *server.link());
    assert!(notes.iter().any(|note| note.contains("it works once, until 2")), "{notes:?}");
    assert!(!server.log().contains(link.split(['=', '#']).nth(1).unwrap()));
    Piped::run(home.client_as("bob", link, &[]), "").went_well();

    let server = by_invite();
    let link = invite_link(&server, &[]);
    let refused = Piped::run(home.client_as("bob", &link, &[]), "/invite\n");
    assert!(refused.code == Some(1) && refused.stdout.contains("only admins may invite here"), "{refused:?}");
}
