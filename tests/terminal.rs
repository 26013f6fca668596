//! The client on a real terminal: the first minute of someone new, a line that is typed while others speak, keys that
//! end things, and a terminal that is given back as it was.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use chat::link::Link;
use client::{FakeServer, Home, Terminal, assert_presentable};
use support::{PASSWORD, Peer, ServerProcess, body, is_said};

const WIDE: (u16, u16) = (80, 24);
const NARROW: (u16, u16) = (40, 10);

fn server() -> (ServerProcess, String) {
    let server = ServerProcess::start();
    let link = server.link().to_string();
    (server, link)
}

fn place(server: &ServerProcess) -> String {
    Link { server_key: None, ..server.link().clone() }.to_string()
}

/// What is on the screen, with rows that went on in the next one put together at their spaces.
fn flowing(terminal: &Terminal) -> String {
    terminal.rows().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_first_minute_of_someone_new_leads_into_the_room() {
    for size in [WIDE, NARROW] {
        let server = ServerProcess::start();
        let home = Home::new();
        let mut terminal = Terminal::start(&home, size, &[&place(&server)]);
        terminal.wait_for("(yes/no)");
        terminal.enter("perhaps");
        terminal.wait_for("Type yes or no.");
        terminal.enter("yes");
        terminal.wait_for("(l/s)");
        terminal.enter("s");
        terminal.wait_for("Name:");
        terminal.enter("not a name");
        terminal.wait_for("A name is made of");
        terminal.enter("Alice");
        terminal.wait_for("Password:");
        terminal.enter("weak-secret");
        terminal.wait_for("too weak");
        terminal.enter(PASSWORD);
        terminal.wait_for("The same again:");
        terminal.enter("another-secret");
        terminal.wait_for("type them once more");
        terminal.enter(PASSWORD);
        terminal.wait_until("it is asked again", |screen| {
            screen.contents().trim_end().ends_with("The same again:")
        });
        terminal.enter(PASSWORD);
        terminal.wait_for("you are alice in");
        terminal.enter("hello");
        terminal.wait_for("#lobby <alice> hello");
        let written = String::from_utf8(terminal.bytes()).unwrap();
        for secret in [PASSWORD, "weak-secret", "another-secret"] {
            assert!(!written.contains(secret), "{secret} is on the screen");
        }
        terminal.enter("exit");
        assert_eq!(terminal.wait(), 0);
    }
}

#[test]
fn answers_that_are_typed_ahead_are_taken_and_the_secret_ones_not_shown() {
    let server = ServerProcess::start();
    let home = Home::new();
    let mut terminal = Terminal::start(&home, WIDE, &[&place(&server)]);
    terminal.wait_for("(yes/no)");
    terminal.press(&format!("yes\rs\rAlice\r{PASSWORD}\r{PASSWORD}\r"));
    terminal.wait_for("you are alice in");
    terminal.enter("exit");
    assert_eq!(terminal.wait(), 0);
    assert!(!String::from_utf8(terminal.bytes()).unwrap().contains(PASSWORD));
}

#[test]
fn a_question_is_asked_once_however_much_is_typed() {
    for size in [WIDE, NARROW] {
        let server = ServerProcess::start();
        let home = Home::new();
        let mut terminal = Terminal::start(&home, size, &[&place(&server)]);
        terminal.wait_for("(yes/no)");
        terminal.press("perhaps not today");
        terminal.wait_for("today");
        let asked = flowing(&terminal);
        assert_eq!(asked.matches("Is that the one").count(), 1, "{}", terminal.contents());
        terminal.press("\x15yes\r");
        terminal.wait_for("(l/s)");
        terminal.enter("l");
        terminal.wait_for("Name:");
        terminal.enter("someone-with-a-really-long-name");
        terminal.wait_for("Password of");
        terminal.press("something long that nobody sees");
        terminal.press("\x03");
        assert_eq!(terminal.wait(), 1);
        assert_eq!(flowing(&terminal).matches("Password of").count(), 1, "{}", terminal.contents());
    }
}

#[test]
fn who_says_no_to_the_key_goes_no_further() {
    let (server, _) = server();
    let home = Home::new();
    let mut terminal = Terminal::start(&home, WIDE, &[&place(&server)]);
    terminal.wait_for("(yes/no)");
    let fingerprint = server.link().server_key.unwrap().fingerprint().to_string();
    assert!(terminal.contents().contains(&fingerprint));
    terminal.enter("no");
    assert_eq!(terminal.wait(), 3);
    assert!(flowing(&terminal).contains("ask its operator"));
    assert!(!home.known_servers().exists());
}

#[test]
fn what_others_say_stands_above_the_line_that_is_being_typed() {
    for size in [WIDE, NARROW] {
        let (server, link) = server();
        let home = Home::new();
        let mut terminal = Terminal::start_in(&home, size, "alice", &link, &["--signup"]);
        let mut bob = Peer::signed_up(server.link(), "bob");
        bob.join(None);
        terminal.press("half a ");
        terminal.wait_for_row("> half a");
        for number in 0..30 {
            bob.say(&format!("message {number}"));
        }
        terminal.wait_for("<bob> message 29");
        terminal.wait_for_row("> half a");
        terminal.press("line");
        terminal.wait_for_row("> half a line");
        let rows = terminal.rows();
        let said: Vec<_> =
            rows.iter().filter_map(|row| row.split_once("<bob> ")).map(|(_, text)| text).collect();
        let seen = said.len();
        assert!(seen >= usize::from(size.1) / 2, "{rows:?}");
        let last: Vec<_> = (30 - seen..30).map(|number| format!("message {number}")).collect();
        assert_eq!(said, last);
        terminal.enter("");
        terminal.wait_for("<alice> half a line");
        assert_eq!(
            body(&bob.wait_for(|message| is_said(message) && body(message).starts_with("half"))),
            "half a line"
        );
        terminal.enter("/quit");
        assert_eq!(terminal.wait(), 0);
    }
}

#[test]
fn a_long_line_stays_in_its_row_and_is_said_whole() {
    let (server, link) = server();
    let home = Home::new();
    let mut terminal = Terminal::start_in(&home, NARROW, "alice", &link, &["--signup"]);
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let long: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    let long = long.join(" ");
    terminal.press(&long);
    terminal.wait_until("its end is in one row", |screen| {
        screen.contents().lines().any(|row| row.starts_with("> ") && row.ends_with("38 39"))
    });
    terminal.press("\x01");
    terminal.wait_until("its beginning is in one row", |screen| {
        screen.contents().lines().any(|row| row.starts_with("> 0 1 2 3"))
    });
    terminal.enter("");
    assert_eq!(body(&bob.wait_for(is_said)), long);
}

#[test]
fn a_window_that_changes_its_size_keeps_the_line() {
    let (server, link) = server();
    let home = Home::new();
    let mut terminal = Terminal::start_in(&home, WIDE, "alice", &link, &["--signup"]);
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    terminal.press("a line that fits into eighty columns and not into forty of them");
    terminal.wait_for_row("> a line that fits into eighty columns and not into forty of them");
    terminal.resize(40, 10);
    terminal.wait_until("the end of the line is there", |screen| {
        screen.contents().lines().any(|row| row.starts_with("> ") && row.ends_with("forty of them"))
    });
    bob.say("while it is narrow");
    terminal.wait_for("<bob> while it is narrow");
    terminal.resize(120, 40);
    terminal.wait_for_row("> a line that fits into eighty columns and not into forty of them");
    terminal.resize(1, 1);
    bob.say("there is no room for this");
    terminal.resize(80, 24);
    terminal.wait_for_row("> a line that fits into eighty columns and not into forty of them");
    terminal.enter("");
    terminal.wait_for("<alice> a line that fits");
}

#[test]
fn wide_and_combining_characters_are_edited_as_what_they_look_like() {
    let (server, link) = server();
    let home = Home::new();
    let mut terminal = Terminal::start_in(&home, NARROW, "alice", &link, &["--signup"]);
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    terminal.press("世界e\u{301}x");
    terminal.wait_for_row("> 世界e\u{301}x");
    terminal.press("\x7f\x7f\x1b[D!");
    terminal.wait_for_row("> 世!界");
    terminal.wait_until("the cursor is behind the mark", |screen| screen.cursor_position().1 == 5);
    terminal.enter("");
    assert_eq!(body(&bob.wait_for(is_said)), "世!界");
    bob.say("各位早安，今天的会议改到下午三点，请大家准时参加。");
    terminal.wait_for("准时参加。");
    terminal.press("done");
    terminal.wait_for_row("> done");
}

#[test]
fn a_paste_of_several_lines_is_one_message_that_waits_for_enter() {
    let (server, link) = server();
    let home = Home::new();
    let mut terminal = Terminal::start_in(&home, WIDE, "alice", &link, &["--signup"]);
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    terminal.press("\x1b[200~one\ntwo\x1b[31m\n/quit\x1b[201~");
    terminal.wait_for("> one\u{23ce}two");
    terminal.enter("");
    assert!(body(&bob.wait_for(is_said)).starts_with("one\ntwo"));
}

#[test]
fn tab_completes_what_is_typed_by_what_there_is() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let mut terminal = Terminal::start_in(&home, WIDE, "alice", &link, &["--signup"]);
    for (keys, row) in [
        ("/WHOI\t", "> /whois"),
        ("B\t", "> /whois bob"),
        ("\x15/who\t\t", "> /whois"),
        ("\x1b[Z", "> /who"),
        ("\x15/join #lo\t", "> /join #lobby"),
        ("\x15b\t", "> bob:"),
    ] {
        terminal.press(keys);
        terminal.wait_for_row(row);
    }
    terminal.enter("hello");
    assert_eq!(body(&bob.wait_for(is_said)), "bob: hello");
    terminal.enter("/help fingerprnt");
    terminal.wait_for("there is no command /fingerprnt; did you mean /fingerprint?");
    terminal.enter("/help");
    terminal.wait_for("//TEXT says /TEXT");
    let rows = terminal.rows();
    let told: Vec<_> = rows.iter().filter(|row| row.contains(" ! ")).collect();
    assert!(told.len() >= 20 && told.iter().all(|row| !row.starts_with("      ")), "{rows:?}");
}

#[test]
fn ctrl_c_says_how_to_leave_and_ctrl_d_leaves() {
    let (_server, link) = server();
    let home = Home::new();
    let mut terminal = Terminal::start_in(&home, NARROW, "alice", &link, &["--signup"]);
    assert!(!terminal.is_as_before());
    terminal.press("never said\x03");
    terminal.wait_for("to leave, type /quit");
    terminal.wait_for_row(">");
    terminal.press("\x04");
    assert_eq!(terminal.wait(), 0);
    assert!(!terminal.contents().contains("never said"));
}

#[test]
fn a_connection_that_is_lost_and_comes_back_is_shown_and_what_was_typed_meanwhile_is_said() {
    let (server, link) = server();
    let home = Home::new();
    let mut terminal = Terminal::start_in(&home, WIDE, "alice", &link, &["--signup"]);
    terminal.press("half ");
    server.signal("STOP");
    terminal.press("a line");
    terminal.wait_for_row("> half a line");
    let server = server.kill_and_restart();
    terminal.wait_for("the connection is lost");
    terminal.wait_for("the connection is back");
    terminal.wait_for_row("> half a line");
    terminal.enter("");
    terminal.wait_for("<alice> half a line");
    drop(server);
    terminal
        .wait_until("the second loss is told", |screen| screen.contents().matches("is lost").count() == 2);
    terminal.enter("while away");
    terminal.wait_for("not connected; this waits: while away");
    terminal.enter("/quit");
    assert_eq!(terminal.wait(), 1, "something was not delivered");
    assert!(terminal.contents().contains("not delivered: \"while away\""));
}

#[test]
fn the_terminal_is_given_back_whatever_ends_the_client() {
    let (server, link) = server();
    let home = Home::new();
    for (name, code) in [("TERM", 0), ("HUP", 0), ("INT", 0)] {
        let user = format!("alice-{}", name.to_lowercase());
        let mut terminal = Terminal::start_in(&home, WIDE, &user, &link, &["--signup"]);
        terminal.press("half a line");
        terminal.wait_for_row("> half a line");
        terminal.signal(name);
        assert_eq!(terminal.wait(), code, "{name}");
        let after = String::from_utf8(terminal.bytes()).unwrap();
        assert!(after.rfind("\x1b[?2004l") > after.rfind("\x1b[?2004h"), "bracketed paste is off again");
    }
    let mut refused = Terminal::start(&home, WIDE, &[&link, "--user", "alice-term"]);
    for _ in 0..5 {
        refused.wait_until("it asks", |screen| {
            screen.contents().trim_end().ends_with("Password of alice-term:")
                || screen.contents().trim_end().ends_with("Name [alice-term]:")
        });
        if refused.contents().trim_end().ends_with("Name [alice-term]:") {
            refused.enter("");
            refused.wait_until("it asks for the password", |screen| {
                screen.contents().trim_end().ends_with("Password of alice-term:")
            });
        }
        let asked = refused.contents().matches("Password of").count();
        refused.enter("Wrong-Horse-7");
        refused.wait_until("it is answered", |screen| {
            screen.contents().matches("is wrong").count() >= asked || screen.contents().contains("chat: ")
        });
    }
    assert_eq!(refused.wait(), 4);
    assert_presentable(&refused.contents());
    drop(server);
}

#[test]
fn the_terminal_is_given_back_when_a_signal_comes_at_a_question() {
    let (server, _) = server();
    let home = Home::new();
    for name in ["TERM", "HUP", "INT"] {
        let mut terminal = Terminal::start(&home, WIDE, &[&place(&server)]);
        terminal.wait_for("(yes/no)");
        terminal.signal(name);
        terminal.wait();
    }
}

#[test]
fn the_terminal_is_given_back_when_the_server_turns_out_to_be_someone_else() {
    let server = FakeServer::new();
    let home = Home::new();
    let link = server.link().to_string();
    let (address, other) = (server.place().address(), FakeServer::new().link().server_key.unwrap());
    // It takes the login, and is then replaced by someone with another key.
    let running = server.run(|server| server.resident().hang_up());
    let mut terminal = Terminal::start_in(&home, WIDE, "alice", &link, &[]);
    running.join().unwrap();
    terminal.wait_for("the connection is lost");
    terminal.press("/quit\r");
    assert_eq!(terminal.wait(), 0);
    home.write(".local/share/chat/known_servers", format!("{address} {other}\n"));
    let running = FakeServer::at(&address).run(|server| server.try_guest().is_err());
    let mut refused = Terminal::start(&home, WIDE, &[&link, "--user", "alice"]);
    assert_eq!(refused.wait(), 5);
    assert!(running.join().unwrap());
}
