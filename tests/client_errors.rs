//! What can be in the way of a client: each is a sentence with what to do next, and the exit code that scripts rely on.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::thread;

use client::{Ended, FakeServer, Home, Piped};
use support::{PASSWORD, Peer, ServerProcess};

fn run(home: &Home, target: &str) -> Ended {
    let ended = Piped::run(home.client_as("alice", target, &[]), "a secret\n");
    assert_eq!(ended.stdout, "");
    ended
}

/// What a client says of a server that answers with these bytes and then closes.
fn answered_with(answer: &'static [u8]) -> Ended {
    let server = FakeServer::new();
    let target = server.place().to_string();
    let running = server.run(move |server| {
        let mut stream = server.stream();
        let _ = stream.write_all(answer).and_then(|()| stream.shutdown(Shutdown::Write));
        // What the client has sent is read, so that nothing is reset under it.
        let mut sent = Vec::new();
        let _ = stream.read_to_end(&mut sent);
        sent
    });
    let ended = run(&Home::new(), &target);
    let sent = running.join().unwrap();
    for secret in ["a secret", PASSWORD, "alice"] {
        assert!(!sent.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret:?} was sent");
    }
    ended
}

#[test]
fn a_host_without_an_address_is_told() {
    let ended = run(&Home::new(), "does-not-exist.invalid");
    ended.says(3, &["'does-not-exist.invalid' has no address", "check how it is written"]);
}

#[test]
fn a_port_where_nothing_listens_is_told() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    run(&Home::new(), &address).says(3, &["nothing listens at", &address, "chat server"]);
}

#[test]
fn a_peer_that_says_nothing_is_given_up_after_ten_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    run(&Home::new(), &address).says(3, &[&address, "said nothing for 10 s", "check the port"]);
}

#[test]
fn other_programs_are_recognised() {
    let cases: [(&[u8], &str); 5] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it is a web server"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it is an ssh server"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "it speaks TLS"),
        (
            b"\x8f\x1b[2J\x00\xff\x07\x1b]0;owned\x07 and more than a hello",
            "does not speak the chat protocol",
        ),
        (b"", "the other side closed the connection"),
    ];
    for (answer, told) in cases {
        answered_with(answer).says(3, &["127.0.0.1:", told, "; "]);
    }
}

#[test]
fn a_server_of_another_version_or_that_breaks_the_handshake_off_is_told() {
    let cases: [(&[u8], &str); 4] = [
        (b"CHAT\x09\x01", "version 9"),
        (b"CHAT\x01\x01", "closed the connection"),
        (b"CHAT\x01\x01\xff\xff", "impossible length"),
        (b"CHAT\x01\x01\x00\x60garbage", "closed the connection"),
    ];
    for (answer, told) in cases {
        answered_with(answer).says(3, &["127.0.0.1:", told]);
    }
}

#[test]
fn a_full_server_is_told() {
    let server = ServerProcess::start_with(&["--limit", "connections=1"]);
    let inside = Peer::connect(server.link());
    run(&Home::new(), &server.link().to_string()).says(3, &["is full; try again later"]);
    inside.leave();
}

#[test]
fn a_wrong_password_and_an_unknown_name_get_one_answer() {
    let server = ServerProcess::start();
    let home = Home::new();
    let link = server.link().to_string();
    Piped::run(home.client_as("alice", &link, &["--signup"]), "").went_well();
    let mut answers = Vec::new();
    for (name, password) in [("alice", "Wrong-Horse-7"), ("nobody", PASSWORD)] {
        let mut client = home.client(&[&link, "--user", name]);
        client.env("CHAT_PASSWORD", password);
        let ended = Piped::run(client, "a secret\n");
        ended.says(4, &["the server refused the login"]);
        answers.push(ended.stderr);
    }
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_name_that_is_taken_is_told() {
    let server = ServerProcess::start();
    Peer::signed_up(server.link(), "alice").leave();
    let home = Home::new();
    let ended = Piped::run(home.client_as("alice", &server.link().to_string(), &["--signup"]), "");
    ended.says(4, &["the server refused the login", "taken"]);
}

#[test]
fn a_weak_password_for_a_new_account_is_told_with_the_rule() {
    let server = ServerProcess::start();
    let home = Home::new();
    let mut client = home.client(&[&server.link().to_string(), "--user", "alice", "--signup"]);
    client.env("CHAT_PASSWORD", "short");
    Piped::run(client, "").says(4, &["at least 8 characters with a digit", "16"]);
}

#[test]
fn what_is_missing_without_a_terminal_is_told_before_anything_is_sent() {
    let server = ServerProcess::start();
    let home = Home::new();
    let link = server.link().to_string();
    Piped::run(home.client(&[&link]), "").says(2, &["--user NAME"]);
    let no_password = home.client(&[&link, "--user", "alice"]);
    Piped::run(no_password, "").says(2, &["--password-file FILE", "CHAT_PASSWORD"]);
}

#[test]
fn a_bad_command_line_is_told_with_what_to_write() {
    let home = Home::new();
    let cases: [(&[&str], &str); 9] = [
        (&["http://127.0.0.1"], "a link begins with chat://"),
        (&["chat://127.0.0.1:99999"], "is no port"),
        (&["chat://127.0.0.1#cut"], "copy the whole link again"),
        (&["chat://host name"], "is no host"),
        (&["chat://127.0.0.1?key=x"], "a newer chat may know it"),
        (&["chat://127.0.0.1?invite=x"], "an invite is 24 characters"),
        (&["127.0.0.1", "--user", "no name"], "a name is made of"),
        (&["127.0.0.1", "--user", "admin"], "kept for the server"),
        (&["127.0.0.1", "--password-file", "a", "--password-command", "b"], "cannot be used with"),
    ];
    for (arguments, told) in cases {
        Piped::run(home.client(arguments), "").says(2, &[told]);
    }
}

#[test]
fn a_password_that_is_not_there_is_told_with_its_place() {
    let server = ServerProcess::start();
    let home = Home::new();
    let link = server.link().to_string();
    let empty = home.write("empty", "\nPassword1\n");
    let binary = home.write("binary", b"\xff\xfe\n");
    let missing = home.path().join("missing");
    for (file, reason) in [(empty, "is empty"), (binary, "not UTF-8"), (missing, "No such file")] {
        let file = file.to_str().unwrap();
        let client = home.client(&[&link, "--user", "alice", "--password-file", file]);
        Piped::run(client, "").says(1, &[file, reason, "on its first line"]);
    }
    for (command, reason) in
        [("true", "is empty"), ("exit 3", "failed"), ("yes | head -c 4000 | tr -d '\\n'", "longer")]
    {
        let client = home.client(&[&link, "--user", "alice", "--password-command", command]);
        Piped::run(client, "").says(1, &["no password from the command", reason]);
    }
    let mut client = home.client(&[&link, "--user", "alice"]);
    client.env("CHAT_PASSWORD", "");
    Piped::run(client, "").says(1, &["CHAT_PASSWORD", "is empty"]);
}

#[test]
fn a_room_that_does_not_exist_is_told() {
    let server = ServerProcess::start();
    let home = Home::new();
    let link = server.link().to_string().replace('#', "/elsewhere#");
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), "a secret\n");
    ended.says(1, &["you can't enter #elsewhere", "leave the room out of the link"]);
}

#[test]
fn a_client_without_a_place_for_its_files_is_told() {
    let home = Home::new();
    let mut client = home.client(&["127.0.0.1:1"]);
    client.env_remove("HOME");
    Piped::run(client, "").says(2, &["neither XDG_DATA_HOME nor HOME is set"]);
}

#[test]
fn a_login_that_is_never_answered_because_the_server_dies_is_told() {
    let server = FakeServer::new();
    let link = server.link().to_string();
    let running = thread::spawn(move || {
        for _ in 0..2 {
            let mut guest = server.try_guest().unwrap();
            guest.welcome();
            guest.login_name();
        }
    });
    run(&Home::new(), &link).says(3, &["was lost before the login was answered", "try again"]);
    running.join().unwrap();
}
