//! The client behind pipes: how it logs in, what its lines look like, what typed lines do, and how it leaves.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use chat::names::MESSAGE_BYTES_MAX;
use client::{Home, Piped};
use support::{PASSWORD, Peer, ServerProcess, body, is_said};

/// A server, and the words with which one gets there.
fn server() -> (ServerProcess, String) {
    let server = ServerProcess::start();
    let link = server.link().to_string();
    (server, link)
}

#[test]
fn an_account_is_made_once_and_then_logged_in_to_with_the_password_from_anywhere() {
    let (_server, link) = server();
    let home = Home::new();
    Piped::run(home.client_as("alice", &link, &["--signup"]), "").went_well();
    Piped::run(home.client_as("Alice", &link, &[]), "").went_well();
    let command = format!("cat '{}'", home.password_file());
    let by_command = home.client(&[&link, "--user", "alice", "--password-command", &command]);
    Piped::run(by_command, "").went_well();
    let mut by_variable = home.client(&[&link, "--user", "alice"]);
    by_variable.env("CHAT_PASSWORD", PASSWORD);
    let ended = Piped::run(by_variable, "").went_well();
    assert_eq!(ended.notes(), ["you are alice in #lobby; nobody else is here; /help shows the commands"]);
    let user_in_link = link.replace("chat://", "chat://alice@");
    let mut by_link = home.client(&[&user_in_link]);
    by_link.env("CHAT_PASSWORD", PASSWORD);
    Piped::run(by_link, "").went_well();
}

#[test]
fn every_line_has_one_of_the_three_formats() {
    let (server, link) = server();
    let home = Home::new();
    let alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_until_in();
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let id = bob.say("hello, alice");
    bob.wait_until_accepted(id);
    bob.leave();
    alice.wait_for_line("#lobby * bob left");
    let ended = alice.finish().went_well();
    let expected = [
        "! you are alice in #lobby; nobody else is here; /help shows the commands",
        "#lobby * bob joined",
        "#lobby <bob> hello, alice",
        "#lobby * bob left",
    ];
    assert_eq!(ended.lines(), expected);
    for line in ended.stdout.lines() {
        let (time, _) = line.split_once(' ').unwrap();
        let (hours, minutes) = time.split_once(':').unwrap();
        assert!(hours.len() == 2 && hours.parse::<u8>().unwrap() < 24, "{line}");
        assert!(minutes.len() == 2 && minutes.parse::<u8>().unwrap() < 60, "{line}");
    }
}

#[test]
fn what_i_say_is_shown_in_its_place_when_it_is_on_the_servers_disk() {
    let (server, link) = server();
    let home = Home::new();
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_until_in();
    assert!(!alice.stdout().contains("<alice>"));
    alice.write("hello\n");
    alice.wait_for_line("#lobby <alice> hello");
    // The server dies without a word; what was shown is there.
    let server = server.kill_and_restart();
    let mut bob = Peer::signed_up(server.link(), "bob");
    assert_eq!(bob.join(None).iter().map(body).collect::<Vec<_>>(), ["hello"]);
    drop(bob);
    alice.wait_for_line("! the connection is back");
    assert_eq!(alice.finish().went_well().said(), ["<alice> hello"]);
}

#[test]
fn the_end_of_the_input_waits_for_what_was_said_and_leaves() {
    let (server, link) = server();
    let home = Home::new();
    let ended =
        Piped::run(home.client_as("alice", &link, &["--signup"]), "one\ntwo\n\n  \nlast, without an end")
            .went_well();
    assert_eq!(ended.said(), ["<alice> one", "<alice> two", "<alice> last, without an end"]);
    let mut bob = Peer::signed_up(server.link(), "bob");
    assert_eq!(bob.join(None).len(), 3);
}

#[test]
fn who_comes_back_is_shown_what_was_said_last() {
    let (_server, link) = server();
    let home = Home::new();
    let hundred: Vec<_> = (1..=100).map(|number| number.to_string()).collect();
    Piped::run(home.client_as("alice", &link, &["--signup"]), hundred.join("\n")).went_well();
    let ended = Piped::run(home.client_as("alice", &link, &[]), "").went_well();
    let last_fifty: Vec<String> = (51..=100).map(|number| format!("<alice> {number}")).collect();
    assert_eq!(ended.said(), last_fifty);
}

#[test]
fn commands_answer_me_alone() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let typed = "/who\n/HELP\n/version\n/fingerprint\n//who is a command\n";
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), typed).went_well();
    let notes = ended.notes();
    assert_eq!(notes[0], "you are alice in #lobby; with you: bob; /help shows the commands");
    assert_eq!(notes[1], "2 people are in #lobby: alice, bob");
    for command in ["/help", "/who", "/quit", "//TEXT"] {
        assert!(notes.iter().any(|note| note.trim_start().starts_with(command)), "{command}: {notes:?}");
    }
    let key = server.link().server_key.unwrap().fingerprint().to_string();
    assert!(notes.iter().any(|note| note.contains(&key)), "{notes:?}");
    assert!(notes.iter().any(|note| note.starts_with("chat ")), "{notes:?}");
    assert_eq!(body(&bob.wait_for(is_said)), "/who is a command");
    bob.wait_for(|message| matches!(message, chat::wire::ServerMessage::Left { .. }));
}

#[test]
fn each_word_for_leaving_leaves_and_nothing_after_it_is_said() {
    let (server, link) = server();
    let home = Home::new();
    Piped::run(home.client_as("alice", &link, &["--signup"]), "").went_well();
    for word in ["exit", "bye", "/quit", "EXIT", " /Quit "] {
        let mut alice = Piped::start(home.client_as("alice", &link, &[]));
        alice.write(format!("before {word}\n{word}\nafter {word}\n"));
        // The input stays open: it is the word that ends it.
        let ended = alice.wait().went_well();
        assert_eq!(*ended.said().last().unwrap(), format!("<alice> before {}", word.trim_end()));
    }
    let mut bob = Peer::signed_up(server.link(), "bob");
    let said: Vec<_> = bob.join(None).iter().map(body).collect();
    assert!(said.iter().all(|text| text.starts_with("before")), "{said:?}");
    assert_eq!(said.len(), 5);
}

#[test]
fn a_sentence_that_begins_with_such_a_word_is_said() {
    let (_server, link) = server();
    let home = Home::new();
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), "exit is on the left\nbye, bob\n")
        .went_well();
    assert_eq!(ended.said(), ["<alice> exit is on the left", "<alice> bye, bob"]);
}

#[test]
fn an_unknown_command_is_told_and_never_sent() {
    let (server, link) = server();
    let home = Home::new();
    let typed = "/pasword Correct-Horse-7\n/hepl\n/who me\n/\nfine\n";
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), typed);
    assert_eq!(ended.said(), ["<alice> fine"]);
    let notes = ended.notes().join("\n");
    for told in ["there is no command /pasword", "did you mean /help?", "/who takes nothing after it"] {
        assert!(notes.contains(told), "{notes}");
    }
    ended.says(1, &["4 messages were not delivered"]);
    let mut bob = Peer::signed_up(server.link(), "bob");
    assert_eq!(bob.join(None).iter().map(body).collect::<Vec<_>>(), ["fine"]);
}

#[test]
fn the_longest_message_is_said_and_a_longer_one_is_refused_with_its_size_and_not_cut() {
    let (server, link) = server();
    let home = Home::new();
    let longest = "x".repeat(MESSAGE_BYTES_MAX);
    let typed = format!("{longest}\n{longest}y\n{}\nafter\n", "z".repeat(1_000_000));
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), typed);
    assert_eq!(ended.said(), [format!("<alice> {longest}"), "<alice> after".to_owned()]);
    let notes = ended.notes();
    assert!(notes.iter().any(|note| note.contains("has 16385 bytes and at most 16384")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("has 1000000 bytes")), "{notes:?}");
    ended.says(1, &["2 messages were not delivered"]);
    let mut bob = Peer::signed_up(server.link(), "bob");
    assert_eq!(
        bob.join(None).iter().map(|said| body(said).len()).collect::<Vec<_>>(),
        [MESSAGE_BYTES_MAX, 5]
    );
}

#[test]
fn a_line_that_is_not_text_is_refused_and_the_next_one_is_said() {
    let (_server, link) = server();
    let home = Home::new();
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), b"caf\xe9\r\ncaf\xc3\xa9\r\n");
    assert_eq!(ended.said(), ["<alice> café"]);
    assert!(ended.notes().iter().any(|note| note.contains("not UTF-8")), "{ended:?}");
    ended.says(1, &["1 message was not delivered"]);
}

#[test]
fn a_signal_ends_it_as_leaving_does() {
    let (server, link) = server();
    let home = Home::new();
    for name in ["TERM", "INT", "HUP"] {
        let alice =
            Piped::start(home.client_as(&format!("alice-{}", name.to_lowercase()), &link, &["--signup"]));
        alice.wait_until_in();
        alice.signal(name);
        alice.wait().went_well();
    }
    assert!(!server.log().contains("lost"), "each said goodbye: {}", server.log());
}

#[test]
fn what_protects_the_session_is_told() {
    let (server, link) = server();
    let home = Home::new();
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), "/fingerprint\n");
    let key = server.link().server_key.unwrap().fingerprint().to_string();
    let notes = ended.notes().join("\n");
    assert!(notes.contains(&key) && notes.contains("ML-KEM-768"), "{notes}");
}

/// Who lists the processes, or reads what a child of the client was given, finds no password.
#[test]
fn the_password_is_in_nobodys_arguments_and_in_no_childs_environment() {
    let (_server, link) = server();
    let home = Home::new();
    let seen = home.path().join("seen");
    let command = format!(
        "{{ env; tr '\\0' ' ' < /proc/$$/cmdline; tr '\\0' ' ' < /proc/$PPID/cmdline; }} > '{}'; cat '{}'",
        seen.display(),
        home.password_file()
    );
    let mut client = home.client(&[&link, "--user", "alice", "--signup", "--password-command", &command]);
    client.env("CHAT_PASSWORD", "Another-Password-9");
    Piped::run(client, "").went_well();
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("HOME=") && seen.contains("--password-command"), "{seen}");
    for password in [PASSWORD, "Another-Password-9"] {
        assert!(!seen.contains(password), "{password} in {seen}");
    }
}
