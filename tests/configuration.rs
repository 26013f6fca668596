//! Configuration files say what options say, are told what is wrong with them, and give way to what is typed.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chat::wire::ServerMessage;
use client::{Home, Piped};
use support::{Heard, PASSWORD, PROGRAM, Peer, Refused, ServerProcess, eventually};

/// `chat server --check-config` with more arguments, for someone who lives in `home`.
fn check(home: &Path, arguments: &[&str]) -> Refused {
    let mut command = Command::new(PROGRAM);
    command.args(["server", "--check-config"]).args(arguments);
    command.env("HOME", home).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
    Refused::run_command(&mut command)
}

/// Checks a file with this text.
fn check_text(text: &str) -> Refused {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("chat.toml");
    fs::write(&file, text).unwrap();
    check(home.path(), &["--config", file.to_str().unwrap()])
}

/// The number of the policy that a server tells newcomers.
fn registration(server: &ServerProcess) -> Option<u8> {
    match Peer::try_connect(server.link()).unwrap().hear() {
        Heard::Message(ServerMessage::Welcome { registration, .. }) => registration,
        other => panic!("{other:?}"),
    }
}

/// Connects when those before are gone.
fn connected(server: &ServerProcess) -> Peer {
    eventually("there is a place", || Peer::try_connect(server.link()).ok())
}

/// The examples of configuration files in the README.
fn examples() -> Vec<String> {
    let readme = include_str!("../README.md");
    let blocks = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(str::to_owned).collect()
}

/// The options that `chat COMMAND --help` shows and a file can have, as they are called there.
fn keys(command: &str) -> Vec<String> {
    let help = Refused::run(&[command, "--help"]).stdout;
    // "--listen <ADDR:PORT>", "-v, --verbose"
    let long = |line: &str| line.strip_prefix("--").or(line.get(4..)?.strip_prefix("--")).map(str::to_owned);
    let of_the_run = ["config", "check-config", "help", "verbose", "version"];
    let options = help.lines().filter_map(|line| long(line.trim_start()));
    let names = options.filter_map(|line| line.split([' ', '.']).next().map(str::to_owned));
    let in_files = names.filter(|name| !of_the_run.contains(&name.as_str()));
    in_files.map(|name| if name == "limit" { "limits".to_owned() } else { name }).collect()
}

#[test]
fn a_file_counts_and_what_is_typed_counts_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.toml");
    fs::write(&file, "registration = 'closed'\n[limits]\nlogin-seconds = 1\nconnections = 1\n").unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let server = ServerProcess::start_with(&config);
    assert_eq!(registration(&server), Some(2));
    let only = connected(&server);
    assert!(Peer::try_connect(server.link()).is_err(), "one connection is all that there may be");
    drop(only);
    let typed = [&config[..], &["--registration", "invite", "--limit", "connections=2"]].concat();
    let server = ServerProcess::start_with(&typed);
    assert_eq!(registration(&server), Some(1));
    let mut first = connected(&server);
    let _second = connected(&server);
    let (_, end) = first.hear_out();
    assert_eq!(end, Heard::Goodbye, "the limit that was not typed is that of the file");
}

#[test]
fn what_a_file_names_gives_way_to_the_other_way_to_say_it() {
    let folder = tempfile::tempdir().unwrap();
    let (file, word) = (folder.path().join("chat.toml"), folder.path().join("word"));
    fs::write(&word, "swordfish").unwrap();
    fs::write(&file, "server-password-file = '/nowhere'").unwrap();
    let file = file.to_str().unwrap();
    check(folder.path(), &["--config", file]).says(2, &["/nowhere", "first line"]);
    let command = format!("cat {}", word.display());
    let checked = check(folder.path(), &["--config", file, "--server-password-command", &command]);
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""));
    assert!(checked.stdout.contains("# server-password-file is not set"), "{}", checked.stdout);
    let both = "server-password-file = 'a'\nserver-password-command = 'b'\n";
    check_text(both).says(2, &["chat.toml", "--server-password-file", "cannot be used with"]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_line_and_what_was_meant() {
    let told = check_text(
        "# a comment\nlisten = ['127.0.0.1:0', 5]\nregistraton = 'open'\nregistration = 'opn'\n\
         small-host = 1\ncolour = 'red'\nlimits = { conections = 5, strangers = 0, outbox-bytes = 'x' }\n",
    );
    let lines: Vec<&str> = told.stderr.lines().collect();
    let expected = [
        ("line 3", "there is no option 'registraton'; did you mean registration?"),
        ("line 4", "registration: write open, invite or closed"),
        ("line 5", "small-host must be true or false"),
        ("line 6", "there is no option 'colour'; there are listen, data, "),
        ("line 7", "there is no limit 'conections' (did you mean connections?)"),
        ("line 7", "a whole number from 1 up"),
        ("line 7", "a whole number from 1 up"),
    ];
    assert_eq!(lines.len(), expected.len(), "{told:?}");
    for (line, (number, fault)) in lines.iter().zip(expected) {
        assert!(line.contains(&format!("chat.toml, {number}: ")) && line.contains(fault), "{line}: {fault}");
    }
    told.says(2, &[]);
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    for (text, line) in [
        ("registration = open\n", "line 1"),
        ("\n\nlisten = ['127.0.0.1:0'\n", "line 3"),
        ("data = 'a'\ndata = 'b'\n", "line 2"),
        ("[limits\n", "line 1"),
        ("limits = 5", "line 1"),
        ("data = 1979-05-27", "line 1"),
    ] {
        check_text(text).says(2, &["chat.toml", line]);
    }
    let home = tempfile::tempdir().unwrap();
    check(home.path(), &["--config", "/nowhere/chat.toml"]).says(2, &["/nowhere/chat.toml", "can't be read"]);
}

#[test]
fn what_is_wrong_with_what_a_file_names_is_told_too() {
    let folder = tempfile::tempdir().unwrap();
    let motd = folder.path().join("motd");
    fs::write(&motd, "x\n".repeat(21)).unwrap();
    check_text(&format!("motd-file = '{}'", motd.display())).says(2, &["motd", "21 lines"]);
    fs::write(&motd, "x".repeat(100_000)).unwrap();
    check_text(&format!("motd-file = '{}'", motd.display())).says(2, &["motd", "more than 4096 bytes"]);
    check_text("motd-file = '/nowhere'").says(2, &["/nowhere", "message of the day"]);
    check_text("listen = 'here'").says(2, &["'here'", "127.0.0.1:5555"]);
    Refused::server(&folder.path().join("data"), &["--motd-file", "/nowhere"]).says(1, &["/nowhere"]);
    assert!(!folder.path().join("data").exists(), "nothing is made before all of it is known to be good");
}

#[test]
fn a_check_shows_what_is_in_force_as_a_file_and_touches_nothing() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data \"1\"");
    let data = data.to_str().unwrap();
    let typed = ["--data", data, "--listen", "127.0.0.1:0", "--members-invite", "--limit", "strangers=7"];
    let first = check(home.path(), &typed);
    assert_eq!((first.code, first.stderr.as_str()), (Some(0), ""));
    assert!(
        first.stdout.contains("\nregistration = \"open\"\n") && first.stdout.ends_with("strangers = 7\n")
    );
    let usual: PathBuf = home.path().join(".config/chat/server.toml");
    assert!(!home.path().join(data).exists() && !usual.exists());
    // What it shows is a file that says the same, also where a file is looked for.
    fs::create_dir_all(usual.parent().unwrap()).unwrap();
    fs::write(&usual, &first.stdout).unwrap();
    let second = check(home.path(), &[]);
    let settings = |shown: &Refused| shown.stdout.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(settings(&second), settings(&first), "{second:?}");
    assert!(second.stdout.lines().next().unwrap().contains("server.toml"), "{}", second.stdout);
}

#[test]
fn the_examples_in_the_readme_are_right_and_complete() {
    let examples = examples();
    let [server, client] = &examples[..] else { panic!("{} examples", examples.len()) };
    let home = Home::new();
    for (command, example) in [("server", server), ("client", client)] {
        for key in keys(command) {
            let is_there = example.lines().any(|line| line.trim_start_matches("# ").starts_with(&key))
                || example.contains(&format!("[{key}]"));
            assert!(is_there, "the example for {command} lacks {key}");
        }
    }
    // All of it counts, with files that are there.
    let word = home.write("word", "swordfish");
    let whole = server.replace("# ", "").replace("/etc/chat/motd", word.to_str().unwrap());
    let whole = whole.replace("/etc/chat/word", word.to_str().unwrap());
    let without_other_way: Vec<_> =
        whole.lines().filter(|line| !line.starts_with("server-password-command")).collect();
    let checked = check_text(&without_other_way.join("\n"));
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_client_reads_its_own_file_where_it_is_looked_for_or_named() {
    let server = ServerProcess::start();
    let home = Home::new();
    let settings = format!(
        "target = '{}'\nuser = 'alice'\npassword-file = '{}'\nplain = true\n",
        server.link(),
        home.password_file()
    );
    home.write(".config/chat/client.toml", &settings);
    Piped::run(home.client(&["--signup"]), "hello\n").went_well();
    // Who is typed is someone else.
    Piped::run(home.client(&["--signup", "--user", "bob"]), "hello\n").went_well();
    let other = home.write("other.toml", "usr = 'alice'\n[limits]\nsesion-seconds = 1\n");
    let ended = Piped::run(home.client(&["--config", other.to_str().unwrap()]), "");
    ended.says(2, &["other.toml, line 1", "did you mean user?", "line 3", "did you mean session-seconds?"]);
    let mut peer = Peer::logged_in(server.link(), "bob");
    assert_eq!(peer.join(None).len(), 2);
    assert!(!settings.contains(PASSWORD));
}
