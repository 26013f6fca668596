//! What is unread, as the client tells it, and what it tells the server of what was read.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use chat::wire::{self, BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, MessageId, RoomEvent, ServerMessage};
use client::{FakeServer, Home, Piped, Terminal, said};
use support::{Peer, ServerProcess};

fn say_in(peer: &mut Peer, room: &str, kind: u16, body: Vec<u8>) -> u64 {
    let id = MessageId::random().unwrap();
    peer.send(&ClientMessage::Say { room: room.into(), id, kind, body: body.into(), of: None });
    peer.wait_until_accepted(id)
}

/// A server where alice has not read what bob says in `#tea`: so many messages, the first of which names her. Its link,
/// and another device of hers.
fn server_with(unread: usize) -> (ServerProcess, Peer, Peer, String) {
    let server = ServerProcess::start();
    let mut phone = Peer::signed_up(server.link(), "alice");
    let mut bob = Peer::signed_up(server.link(), "bob");
    for event in [RoomEvent::Made { is_private: false }, RoomEvent::Added { name: "alice".into() }] {
        say_in(&mut bob, "#tea", BODY_ROOM_EVENT, wire::encode(&event));
    }
    for number in 1..=unread {
        let text = if number == 1 { "number 1 for @alice".to_owned() } else { format!("number {number}") };
        say_in(&mut bob, "#tea", BODY_TEXT, text.into());
    }
    phone.send(&ClientMessage::MyRooms {});
    phone.wait_for(|message| *message == ServerMessage::AllRooms {});
    let link = server.link().to_string();
    (server, phone, bob, link)
}

fn hear_moved(phone: &mut Peer, wanted: &str) -> (u64, u32) {
    let is_wanted =
        |message: &ServerMessage| matches!(message, ServerMessage::ReadUpTo { room, .. } if room == wanted);
    match phone.wait_for(is_wanted) {
        ServerMessage::ReadUpTo { sequence, unread, .. } => (sequence, unread),
        _ => unreachable!(),
    }
}

#[test]
fn who_comes_is_told_what_is_unread_where_and_is_shown_it_from_the_first_message_on() {
    let (_server, _phone, _bob, link) = server_with(60);
    let home = Home::new();
    let typed = "/unread\n/unread tea\n/unread #tea\n/unread #tea\n";
    let mut alice = Piped::start(home.client_as("alice", &link, &[]));
    alice.wait_for_line("! 60 unread in #tea, 1 names you; /unread #tea shows them");
    alice.write(typed);
    let ended = alice.finish().went_well();
    let notes = ended.notes();
    assert!(notes.contains(&"60 unread in #tea, 1 names you"), "{notes:?}");
    let place = |text: &str| {
        notes.iter().position(|note| note.ends_with(text)).unwrap_or_else(|| panic!("{text}: {notes:?}"))
    };
    let shown = [
        "unread in #tea:",
        "#tea * bob added alice",
        "#tea <bob> number 1 for @alice",
        "#tea <bob> number 49",
        "/unread #tea shows the next ones",
        "#tea <bob> number 50",
        "#tea <bob> number 60",
        "that is all of #tea",
        "nothing is unread in #tea that was not shown",
    ];
    assert!(shown.map(place).is_sorted(), "{notes:?}");
}

#[test]
fn what_is_shown_on_a_terminal_in_the_room_where_one_is_counts_as_read_on_every_device() {
    let (_server, mut phone, mut bob, link) = server_with(3);
    let home = Home::new();
    let mut terminal = Terminal::start_in(&home, (80, 24), "alice", &link, &[]);
    terminal.wait_for("3 unread in #tea, 1 names you");
    say_in(&mut bob, "#lobby", BODY_TEXT, b"in the lobby".to_vec());
    assert_eq!(hear_moved(&mut phone, "#lobby"), (1, 0));
    say_in(&mut bob, "#tea", BODY_TEXT, b"number 4".to_vec());
    terminal.wait_for("#tea <bob> number 4");
    terminal.enter("/unread");
    terminal.wait_for("! 4 unread in #tea, 1 names you");
    terminal.enter("/join tea");
    terminal.wait_for("that is all of #tea");
    assert_eq!(hear_moved(&mut phone, "#tea"), (6, 0), "the first three and the one that came");
    // The client was told before this is answered.
    terminal.enter("/room");
    terminal.wait_for("bob (operator, not here)");
    terminal.enter("/unread");
    terminal.wait_for("nothing is unread");
    terminal.enter("/quit");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn what_another_device_has_read_is_read_here() {
    let (_server, mut phone, _bob, link) = server_with(3);
    let home = Home::new();
    let mut alice = Piped::start(home.client_as("alice", &link, &[]));
    alice.wait_for_line("3 unread in #tea, 1 names you; /unread #tea shows them");
    phone.send(&ClientMessage::MarkRead { room: "#tea".into(), sequence: 4 });
    hear_moved(&mut phone, "#tea");
    // Whatever the client asks after that is answered after it was told.
    alice.write("/room #tea\n");
    alice.wait_for_line("bob (operator, not here)");
    alice.write("/unread\n");
    alice.wait_for_line("! 1 unread in #tea");
    alice.write("/read #tea\n");
    assert_eq!(hear_moved(&mut phone, "#tea"), (5, 0));
    alice.finish().went_well();
}

#[test]
fn what_goes_into_a_pipe_is_not_read_and_what_a_server_counts_does_no_harm() {
    let fake = FakeServer::new();
    let link = fake.link().to_string();
    let served = fake.run(|fake| {
        let mut guest = fake.resident();
        let (room, role, head) = ("#lobby".to_owned(), 0, 0);
        let (read, unread, mentions) = (Some(u64::MAX), Some(u32::MAX), Some(u32::MAX));
        guest.send(&ServerMessage::RoomAdded { room, role, head, read, unread, mentions });
        guest.send(&ServerMessage::AllRooms {});
        for number in 1..=3 {
            guest.send(&said(number, "bob", "alice?"));
        }
        let marks = std::iter::from_fn(|| guest.receive());
        marks.filter(|message| matches!(message, ClientMessage::MarkRead { .. })).count()
    });
    let home = Home::new();
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_for_line("#lobby <bob> alice?");
    alice.write("/unread\n");
    alice.wait_for_line("1000 or more unread in #lobby, 4294967295 name you");
    alice.finish();
    assert_eq!(served.join().unwrap(), 0);
}
