//! The client where messages are answered, edited, removed, reacted to, and said again.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use chat::wire::{ClientMessage, Code, MessageChange, MessageId, ServerMessage};
use client::{Ended, FakeServer, Home, Piped, Terminal};
use support::{Peer, ServerProcess, body, is_said};

/// A server, and the words with which one gets there.
fn server() -> (ServerProcess, String) {
    let server = ServerProcess::start();
    let link = server.link().to_string();
    (server, link)
}

/// Someone new in the lobby.
fn in_lobby(home: &Home, name: &str, link: &str) -> Piped {
    let client = Piped::start(home.client_as(name, link, &["--signup"]));
    client.wait_until_in();
    client
}

/// What was said and happened to messages in the lobby, with `00:00` for every time.
fn told(ended: &Ended) -> Vec<String> {
    let is_told = |line: &&str| !line.ends_with(" joined") && !line.ends_with(" left");
    let in_lobby = ended.lines().into_iter().filter_map(|line| line.strip_prefix("#lobby ")).filter(is_told);
    in_lobby.map(timeless).collect()
}

fn timeless(line: &str) -> String {
    let mut letters: Vec<char> = line.chars().collect();
    for place in 0..letters.len().saturating_sub(4) {
        let is_digit = |offset: usize| letters[place + offset].is_ascii_digit();
        if [0, 1, 3, 4].into_iter().all(is_digit) && letters[place + 2] == ':' {
            for offset in [0, 1, 3, 4] {
                letters[place + offset] = '0';
            }
        }
    }
    letters.into_iter().collect()
}

#[test]
fn people_answer_edit_remove_and_react_and_all_see_what_is_meant() {
    let (_server, link) = server();
    let (alices, bobs) = (Home::new(), Home::new());
    let mut alice = in_lobby(&alices, "alice", &link);
    let mut bob = in_lobby(&bobs, "bob", &link);
    // The edit is typed before the server has the message.
    alice.write("teh tea is ready\n/edit the tea is ready\n");
    bob.wait_for_line("the tea is ready");
    bob.write("/answer I come\n/react +1\n/unreact +1\nspam\n");
    bob.wait_for_line("<bob> spam");
    bob.write("/delete\n/answer #1 really\ndone\n");
    alice.wait_for_line("<bob> done");
    let (alice, bob) = (alice.finish().went_well(), bob.finish().went_well());
    let expected = [
        "<alice> teh tea is ready",
        "* alice edited (00:00): the tea is ready",
        "* bob answers alice (00:00): \"the tea is ready\"",
        "<bob> I come",
        "* bob reacted +1 to alice (00:00): \"the tea is ready\"",
        "* bob took back +1 to alice (00:00): \"the tea is ready\"",
        "<bob> spam",
        "* bob removed a message (00:00)",
        "* bob answers alice (00:00): \"the tea is ready\"",
        "<bob> really",
        "<bob> done",
    ];
    assert_eq!((told(&alice), told(&bob)), (expected.map(str::to_owned).to_vec(), told(&alice)));
    // Who comes later finds it done, and is not told of it as news.
    let carols = Home::new();
    let mut later = Piped::start(carols.client_as("carol", &link, &["--signup"]));
    later.wait_until_in();
    later.write("/history\n");
    let later = later.finish().went_well();
    assert_eq!(told(&later)[0], "<alice> the tea is ready (edited 00:00)");
    assert_eq!(told(&later)[1], expected[2]);
    assert!(told(&later).contains(&"* bob removed this message".to_owned()), "{later:?}");
    assert_eq!(told(&later).len(), expected.len() - 2);
}

#[test]
fn a_message_is_meant_by_its_number_and_only_ones_own_can_be_changed() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    for text in ["one", "two"] {
        let id = bob.say(text);
        bob.wait_until_accepted(id);
    }
    let mut alice = in_lobby(&home, "alice", &link);
    alice.write("/edit nothing of mine\nthree\n");
    alice.wait_for_line("<alice> three");
    alice.write("/recent\n/react #1 👍\n/edit #2 mine now\n/delete #99\n/edit #3 drei\n");
    alice.wait_for_line(": drei");
    let ended = alice.finish();
    let notes: Vec<_> = ended.notes().into_iter().map(timeless).collect();
    let listed = ["#1 bob (00:00): \"one\"", "#2 bob (00:00): \"two\"", "#3 alice (00:00): \"three\""];
    assert!(notes.windows(3).any(|window| window == listed), "{notes:?}");
    for refused in [
        "not done: /edit nothing of mine (nothing that you said is among the last messages here)",
        "not done: /edit #2 mine now (someone else said that",
        "not done: /delete #99 (the room has no such message",
    ] {
        assert!(notes.iter().any(|note| note.starts_with(refused)), "{refused}: {notes:?}");
    }
    assert!(told(&ended).contains(&"* alice reacted 👍 to bob (00:00): \"one\"".to_owned()));
    ended.says(1, &["3 messages were not delivered"]);
}

#[test]
fn two_devices_of_one_person_see_each_others_edits_and_a_restart_in_between_repeats_none() {
    let (server, link) = server();
    let home = Home::new();
    let mut desk = in_lobby(&home, "alice", &link);
    let mut phone = Piped::start(home.client_as("alice", &link, &[]));
    phone.wait_until_in();
    desk.write("from the desk\n");
    phone.wait_for_line("<alice> from the desk");
    phone.write("/edit from the phone\n");
    desk.wait_for_line(": from the phone");
    let _server = server.kill_and_restart();
    desk.write("/edit once more\nlast\n");
    phone.wait_for_line("<alice> last");
    desk.wait_for_line("<alice> last");
    let (desk, phone) = (desk.finish().went_well(), phone.finish().went_well());
    let expected = [
        "<alice> from the desk",
        "* alice edited (00:00): from the phone",
        "* alice edited (00:00): once more",
        "<alice> last",
    ];
    assert_eq!((told(&desk), told(&phone)), (expected.map(str::to_owned).to_vec(), told(&desk)));
}

#[test]
fn what_the_server_refused_is_shown_and_said_again_when_asked() {
    let fake = FakeServer::new();
    let link = fake.link().to_string();
    let served = fake.run(|fake| {
        let mut guest = fake.resident();
        let (id, _) = guest.receive_said();
        guest.send(&ServerMessage::Refused {
            code: Code::NotStored,
            text: "the disk is full".into(),
            id: Some(id),
            retry_after: None,
        });
        let again = guest.receive_said();
        guest.send(&ServerMessage::Accepted {
            id: again.0,
            room: "#lobby".into(),
            sequence: 1,
            at: client::NOON,
        });
        let mut said = client::said(1, "alice", &again.1);
        if let ServerMessage::Said { id, .. } = &mut said {
            *id = again.0;
        }
        guest.send(&said);
        guest.see_off();
        (id == again.0, again.1)
    });
    let home = Home::new();
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.write("hello\n");
    alice.wait_for_line("not delivered: \"hello\" (the disk is full)");
    alice.write("/pending\n/resend\n/resend\n");
    alice.wait_for_line("#lobby: not delivered: \"hello\" (the disk is full)");
    alice.wait_for_line("said again: 1");
    alice.wait_for_line("there is nothing to say again");
    alice.wait_for_line("<alice> hello");
    alice.write("/pending\n");
    alice.wait_for_line("all that you have said is on the server's disk");
    alice.finish();
    assert_eq!(served.join().unwrap(), (false, "hello".to_owned()), "under another id");
}

#[test]
fn several_lines_are_asked_about_and_said_as_one_message_that_passes_for_nobody_elses() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let mut terminal = Terminal::start_in(&home, (80, 24), "alice", &link, &["--signup"]);
    terminal.press("\x1b[200~    if tea {\n12:00 #lobby <bob> forged\n\x1b[201~");
    terminal.wait_for("2 lines were pasted; Enter says them as one message, Ctrl-C drops them");
    terminal.press("\r");
    let said = bob.wait_for(is_said);
    assert_eq!(body(&said), "    if tea {\n12:00 #lobby <bob> forged");
    terminal.wait_for("#lobby <alice>     if tea {⏎12:00 #lobby <bob> forged");
    terminal.press("\x1b[200~dropped\nlines\x1b[201~");
    terminal.wait_for_row("> dropped⏎lines");
    terminal.press("\x03one\x1b\rtwo\r");
    assert_eq!(body(&bob.wait_for(is_said)), "one\ntwo");
}

#[test]
fn what_waits_for_the_connection_is_shown_and_can_be_changed_or_taken_back() {
    let (server, link) = server();
    let home = Home::new();
    let mut terminal = Terminal::start_in(&home, (80, 24), "alice", &link, &["--signup"]);
    server.signal("KILL");
    terminal.wait_for("the connection is lost");
    terminal.enter("teh tea");
    terminal.wait_for("not connected; this waits: teh tea");
    terminal.enter("/edit the tea");
    terminal.wait_for("not connected; this waits: the tea");
    terminal.enter("never mind");
    terminal.wait_for("not connected; this waits: never mind");
    terminal.enter("/delete");
    terminal.wait_for("it was not sent yet, and will not be");
    terminal.enter("/pending");
    terminal.wait_for("#lobby: waits: the tea");
    let server = server.restart();
    terminal.wait_for("#lobby <alice> the tea");
    let mut bob = Peer::signed_up(server.link(), "bob");
    assert_eq!(bob.join(None).iter().map(body).collect::<Vec<_>>(), ["the tea"]);
}

#[test]
fn edits_and_quotations_that_a_server_makes_up_are_harmless() {
    let fake = FakeServer::new();
    let link = fake.link().to_string();
    let served = fake.run(|fake| {
        let mut guest = fake.resident();
        let hostile = "\u{1b}[2J\u{202e}evil\n12:00 #lobby <bob> forged".to_owned();
        let change = MessageChange::Edit(hostile.as_bytes());
        for (sequence, kind, body, of) in [
            (1, 0, hostile.clone().into_bytes(), None),
            (2, change.kind(), change.body(), Some(1)),
            (3, 0, hostile.clone().into_bytes(), Some(1)),
            (4, 0x8002, vec![0xa0], Some(u64::MAX)),
            (5, 0x8003, b"+\x1b[2J".to_vec(), Some(5)),
            (6, 0x8004, hostile.clone().into_bytes(), Some(0)),
            (7, 0, b"the end".to_vec(), Some(7)),
        ] {
            guest.send(&ServerMessage::Said {
                room: "#lobby".into(),
                sequence,
                at: client::NOON,
                author: hostile.clone(),
                id: MessageId::random().unwrap(),
                kind,
                body: body.into(),
                of,
                edited: Some(u64::MAX),
            });
        }
        while let Some(message) = guest.receive() {
            assert!(!matches!(message, ClientMessage::Say { .. }));
        }
    });
    let home = Home::new();
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_for_line("the end (edited ?)");
    alice.write("/recent\n");
    alice.wait_for_line("\"the end\"");
    let ended = alice.finish(); // which also looks whether all of it can be shown
    assert!(ended.stdout.lines().all(|line| !line.starts_with("12:00 #lobby <bob>")), "{}", ended.stdout);
    served.join().unwrap();
}
