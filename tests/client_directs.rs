//! Direct conversations in the client: where what is said goes, what is shown of it, and what is told when it can't go.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use chat::wire::{ClientMessage, MessageId, ServerMessage};
use client::{FakeServer, Home, Piped, Terminal};
use support::{Peer, ServerProcess, body};

/// A server, and the words with which one gets there.
fn server() -> (ServerProcess, String) {
    let server = ServerProcess::start();
    let link = server.link().to_string();
    (server, link)
}

/// Someone's client that is in.
fn client_in(home: &Home, name: &str, link: &str, more: &[&str]) -> Piped {
    let client = Piped::start(home.client_as(name, link, more));
    client.wait_until_in();
    client
}

/// Follows a conversation, and gives what was said in it.
fn said_in(peer: &mut Peer, wanted: &str) -> Vec<String> {
    peer.send(&ClientMessage::Join { room: wanted.into(), after: Some(0) });
    let mut said = Vec::new();
    loop {
        match peer.next() {
            ServerMessage::CaughtUp { room, .. } if room == wanted => return said,
            message @ ServerMessage::Said { .. } => said.push(body(&message)),
            ServerMessage::RoomRefused { text, .. } => panic!("{text}"),
            _ => {}
        }
    }
}

#[test]
fn what_is_said_to_one_person_is_answered_while_each_stays_where_they_are() {
    let (_server, link) = server();
    let (alices, bobs) = (Home::new(), Home::new());
    let mut alice = client_in(&alices, "alice", &link, &["--signup"]);
    let mut bob = client_in(&bobs, "bob", &link, &["--signup"]);
    alice.write("/msg Bob are you there?\n");
    bob.wait_for_line("@alice <alice> are you there?");
    bob.write("/r yes //\n/reply and\tyou?\nto all\n");
    alice.wait_for_line("@bob <bob> yes //");
    alice.wait_for_line("@bob <bob> and    you?");
    alice.wait_for_line("#lobby <bob> to all");
    alice.write("to all, too\n");
    bob.wait_for_line("#lobby <alice> to all, too");
    let (alice, bob) = (alice.finish().went_well(), bob.finish().went_well());
    assert!(alice.lines().contains(&"@bob <alice> are you there?"), "one's own, too: {}", alice.stdout);
    for shown in [&alice.stdout, &bob.stdout] {
        assert!(!shown.contains("@alice+bob") && !shown.contains("you are in @"), "{shown}");
        assert!(!shown.contains("@alice * ") && !shown.contains("@bob * "), "{shown}");
    }
}

#[test]
fn what_was_said_to_who_was_away_is_shown_on_all_their_devices_once_also_across_a_restart() {
    let (server, link) = server();
    let (alices, bobs, phones) = (Home::new(), Home::new(), Home::new());
    Piped::run(bobs.client_as("bob", &link, &["--signup"]), "").went_well();
    let mut alice = client_in(&alices, "alice", &link, &["--signup"]);
    alice.write("/msg bob one\n");
    alice.wait_for_line("@bob <alice> one");
    let desk = client_in(&bobs, "bob", &link, &[]);
    desk.wait_for_line("@alice <alice> one");
    let server = server.kill_and_restart();
    alice.write("/msg bob two\n");
    desk.wait_for_line("@alice <alice> two");
    let mut phone = client_in(&phones, "bob", &link, &[]);
    phone.wait_for_line("@alice <alice> two");
    phone.write("/r three\n");
    for (client, line) in [(&alice, "@bob <bob> three"), (&desk, "@alice <bob> three")] {
        client.wait_for_line(line);
    }
    for client in [alice, desk, phone] {
        let ended = client.finish().went_well();
        for text in ["> one", "> two", "> three"] {
            assert_eq!(ended.stdout.matches(text).count(), 1, "{text}: {}", ended.stdout);
        }
    }
    let mut bob = Peer::logged_in(server.link(), "bob");
    assert_eq!(said_in(&mut bob, "@alice+bob"), ["one", "two", "three"]);
}

#[test]
fn who_can_not_be_written_to_is_told_with_who_may_be_meant_and_the_text() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let typed =
        "/msg bbo hi\n/r anyone?\n/msg alice to me\n/query\n/query nobody\nlost\n/join #lobby\nfine\n";
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), typed);
    let notes = ended.notes().join("\n");
    for told in [
        "you can't talk with bbo: nobody here has that name; they must sign up first; did you mean bob?",
        "not delivered: \"hi\" (nobody here has that name",
        "not delivered: \"anyone?\" (nobody has written to you alone",
        "not delivered: \"to me\" (that is you",
        "/query NAME makes it so",
        "you can't talk with nobody: ",
        "not delivered: \"lost\"",
    ] {
        assert!(notes.contains(told), "{told}: {notes}");
    }
    ended.says(1, &["messages were not delivered"]);
    let lobby = bob.wait_for(|message| matches!(message, ServerMessage::Said { .. }));
    assert_eq!(body(&lobby), "fine", "and nothing before it");
}

#[test]
fn the_prompt_tells_to_whom_one_talks_and_the_way_back_on_80_columns() {
    let (server, link) = server();
    let home = Home::new();
    let wide = "王".repeat(32);
    let mut other = Peer::signed_up(server.link(), &wide);
    let mut terminal = Terminal::start_in(&home, (80, 24), "alice", &link, &["--signup"]);
    terminal.wait_for_row(">");
    terminal.enter(&format!("/query {wide}"));
    terminal.wait_for_row(&format!("@{wide}>"));
    terminal.enter("a line that is a little longer than the row");
    terminal.wait_for(&format!("@{wide} <alice> a line that is a little longer than the row"));
    terminal.enter("/room");
    terminal.wait_for(&format!("direct: you and {wide}, and nobody else can enter or know of it"));
    terminal.wait_for("1 messages) is kept and you both can read it");
    terminal.enter("/query");
    terminal.wait_for_row(">");
    terminal.enter(&format!("/join @{wide}"));
    terminal.wait_for_row(&format!("@{wide}>"));
    terminal.enter("/part");
    terminal.wait_for_row(">");
    terminal.enter("to all");
    terminal.wait_for("#lobby <alice> to all");
    terminal.enter("/quit");
    assert_eq!(terminal.wait(), 0);
    let said = said_in(&mut other, &format!("@alice+{wide}"));
    assert_eq!(said, ["a line that is a little longer than the row"], "and /part has ended nothing");
}

#[test]
fn what_was_said_to_one_alone_is_read_where_it_is_shown_to_someone() {
    let (server, link) = server();
    let home = Home::new();
    let mut terminal = Terminal::start_in(&home, (80, 24), "bob", &link, &["--signup"]);
    let mut phone = Peer::logged_in(server.link(), "bob");
    phone.send(&ClientMessage::MyRooms {});
    let mut alice = Peer::signed_up(server.link(), "alice");
    assert_eq!(said_in(&mut alice, "@alice+bob"), [""; 0]);
    let (id, room) = (MessageId::random().unwrap(), "@alice+bob".to_owned());
    alice.send(&ClientMessage::Say { room, id, kind: 0, body: b"hello".to_vec().into(), of: None });
    terminal.wait_for("@alice <alice> hello");
    phone.wait_for(|message| matches!(message, ServerMessage::ReadUpTo { room, sequence: 1, unread: 0, .. } if room == "@alice+bob"));
    terminal.enter("/query alice");
    terminal.wait_for_row("@alice>");
    terminal.enter("/unread");
    terminal.wait_for("nothing is unread");
    terminal.enter("/history");
    terminal.wait_for("nothing was said in @alice before what is shown");
    terminal.enter("/quit");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn conversations_of_a_hostile_server_are_bounded_safe_and_ones_own() {
    const TOLD: usize = 20_000;
    let fake = FakeServer::new();
    let link = fake.link().to_string();
    let served = fake.run(|fake| {
        let mut guest = fake.resident();
        let told = |room: String| ServerMessage::RoomAdded {
            room,
            role: 0,
            head: 1,
            read: Some(u64::MAX),
            unread: Some(u32::MAX),
            mentions: None,
        };
        for name in
            ["@bob+carol", "@alice+\u{1b}[2J", "@alice+\u{202e}bob", "@alice+alice", "@bob+alice", "@"]
        {
            guest.send(&told(name.into()));
        }
        for number in 0..TOLD {
            guest.send(&told(format!("@alice+p{number}")));
        }
        let (id, at) = (MessageId::random().unwrap(), 1_795_170_840_000);
        let (room, body) = ("@bob+carol".to_owned(), b"not for alice".to_vec().into());
        guest.send(&ServerMessage::Said {
            room,
            sequence: 2,
            at,
            author: "bob".into(),
            id,
            kind: 0,
            body,
            of: None,
            edited: None,
        });
        let (mut joins, mut others) = (0, 0);
        while let Some(message) = guest.receive() {
            if let ClientMessage::Join { room, .. } = message {
                joins += 1;
                others += usize::from(!room.starts_with("@alice+p") && room != "#lobby");
            }
        }
        (joins, others)
    });
    let home = Home::new();
    let alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_for_line(
        "you are in more rooms than this client keeps (5000); what is said in the others does not come here",
    );
    let ended = alice.finish();
    assert_eq!(ended.stdout.matches("more rooms than").count(), 1, "once");
    assert!(!ended.stdout.contains("not for alice"));
    let (joins, others) = served.join().unwrap();
    assert!(joins <= 5_001 && others == 0, "{joins} {others}");
}
