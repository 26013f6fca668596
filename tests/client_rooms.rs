//! The client in several rooms: where what is typed goes, what is shown of each, and how it comes back to all of them.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use chat::wire::{self, BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, MessageId, RoomEvent, ServerMessage};
use client::{FakeServer, Home, Piped, Terminal};
use support::{Peer, ServerProcess, body};

/// A server, and the words with which one gets there.
fn server() -> (ServerProcess, String) {
    let server = ServerProcess::start();
    let link = server.link().to_string();
    (server, link)
}

/// Someone else, who hears of their rooms.
fn listening(server: &ServerProcess, name: &str) -> Peer {
    let mut peer = Peer::signed_up(server.link(), name);
    peer.send(&ClientMessage::MyRooms {});
    peer.wait_for(|message| *message == ServerMessage::AllRooms {});
    peer
}

fn say_in(peer: &mut Peer, room: &str, kind: u16, body: Vec<u8>) {
    let id = MessageId::random().unwrap();
    peer.send(&ClientMessage::Say { room: room.into(), id, kind, body: body.into(), of: None });
    peer.wait_until_accepted(id);
}

fn make(peer: &mut Peer, room: &str) {
    say_in(peer, room, BODY_ROOM_EVENT, wire::encode(&RoomEvent::Made { is_private: false }));
    enter(peer, room);
}

fn enter(peer: &mut Peer, room: &str) {
    peer.send(&ClientMessage::Join { room: room.into(), after: None });
    peer.wait_for(
        |message| matches!(message, ServerMessage::CaughtUp { room: entered, .. } if entered == room),
    );
}

/// The next thing that is said in this room, in words.
fn hear_in(peer: &mut Peer, wanted: &str) -> String {
    let said = |message: &ServerMessage| matches!(message, ServerMessage::Said { room, kind: BODY_TEXT, .. } if room == wanted);
    body(&peer.wait_for(said))
}

#[test]
fn what_is_typed_goes_to_the_room_that_was_joined_last_and_each_line_tells_its_room() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = listening(&server, "bob");
    make(&mut bob, "#tea");
    bob.join(None);
    let typed = "in the lobby\n/join tea\nmilk?\n/join #lobby\nback again\n";
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), typed).went_well();
    let lines = ended.lines();
    for line in ["#lobby <alice> in the lobby", "#tea <alice> milk?", "#lobby <alice> back again"] {
        assert!(lines.contains(&line), "{line}: {lines:?}");
    }
    assert!(lines.contains(&"#tea * alice is a member now"), "{lines:?}");
    assert_eq!(hear_in(&mut bob, "#tea"), "milk?");
}

#[test]
fn a_room_that_is_not_there_is_told_with_what_else_and_nothing_typed_for_it_is_said_anywhere() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = listening(&server, "bob");
    make(&mut bob, "#plan");
    bob.join(None);
    let typed = "/join #plan\n/join #plans\nsecret\n/join #teh\n/join #lobby\nfine\n";
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), typed);
    let notes = ended.notes().join("\n");
    for told in ["did you mean #plan?", "/create #teh makes one", "not delivered: \"secret\""] {
        assert!(notes.contains(told), "{told}: {notes}");
    }
    ended.says(1, &["3 messages were not delivered"]);
    assert_eq!(hear_in(&mut bob, "#lobby"), "fine", "and nothing before it");
}

#[test]
fn a_private_room_is_made_and_someone_added_who_hears_of_it_on_a_device_that_is_there() {
    let (server, link) = server();
    let (alices, bobs) = (Home::new(), Home::new());
    let mut bob = Piped::start(bobs.client_as("bob", &link, &["--signup"]));
    bob.wait_until_in();
    let mut alice = Piped::start(alices.client_as("alice", &link, &["--signup"]));
    alice.write("/create #plans private\nnobody else reads this\n/add bob\n/topic where to go\n");
    let made = alice.wait_for_line("nobody else reads this");
    let room = made.split(' ').nth(1).unwrap().to_owned();
    assert!(room.starts_with("#plans.") && room.len() == "#plans.k7q2".len(), "{made}");
    bob.wait_for_line(&format!("you are in {room} now; /join {room} talks there"));
    alice.wait_for_line("* alice set the topic: where to go");
    bob.write("/join plans\nto the sea\n");
    alice.wait_for_line(&format!("{room} <bob> to the sea"));
    alice.write("/room\n");
    alice.wait_for_line(&format!(
        "{room}: private: 2 members and nobody else can enter or know of it; you are an operator"
    ));
    alice.wait_for_line(&format!("{room}: in it are alice (operator), bob"));
    bob.write("/part\n");
    bob.wait_for_line(&format!("you are in {room} no more"));
    alice.wait_for_line(&format!("{room} * bob is no member any more"));
    alice.write("/list\n");
    alice.wait_for_line("#lobby (everyone)");
    let ended = alice.finish().went_well();
    assert!(!ended.lines().iter().any(|line| line.starts_with("! #plans") && line.contains("members):")));
    let mut carol = listening(&server, "carol");
    carol.send(&ClientMessage::Join { room, after: None });
    carol.wait_for(|message| matches!(message, ServerMessage::RoomRefused { .. }));
    bob.finish().went_well();
}

#[test]
fn who_comes_back_is_in_all_rooms_and_is_told_so() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = listening(&server, "bob");
    make(&mut bob, "#tea");
    Piped::run(home.client_as("alice", &link, &["--signup"]), "/join #tea\n").went_well();
    let alice = Piped::start(home.client_as("alice", &link, &[]));
    alice.wait_for_line("you are also in #tea; /join talks there");
    bob.wait_for(|message| matches!(message, ServerMessage::Arrived { room, name, .. } if room == "#tea" && name == "alice"));
    say_in(&mut bob, "#tea", BODY_TEXT, b"since you are here".to_vec());
    alice.wait_for_line("#tea <bob> since you are here");
    alice.finish().went_well();
}

#[test]
fn a_restart_of_the_server_loses_nothing_of_any_room_and_shows_nothing_twice() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = listening(&server, "bob");
    make(&mut bob, "#tea");
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_until_in();
    alice.write("one\n/join #tea\ntwo\n");
    alice.wait_for_line("#tea <alice> two");
    let server = server.kill_and_restart();
    let mut bob = Peer::logged_in(server.link(), "bob");
    say_in(&mut bob, "#tea", BODY_TEXT, b"three".to_vec());
    say_in(&mut bob, "#lobby", BODY_TEXT, b"four".to_vec());
    alice.write("five\n");
    alice.wait_for_line("#tea <alice> five");
    alice.wait_for_line("#lobby <bob> four");
    let ended = alice.finish().went_well();
    let said: Vec<_> = ended.lines().into_iter().filter(|line| line.contains('<')).collect();
    let of = |room: &str| said.iter().filter(|line| line.starts_with(room)).copied().collect::<Vec<_>>();
    assert_eq!(of("#tea"), ["#tea <alice> two", "#tea <bob> three", "#tea <alice> five"]);
    assert_eq!(of("#lobby"), ["#lobby <alice> one", "#lobby <bob> four"]);
}

#[test]
fn the_prompt_tells_where_what_is_typed_goes() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = listening(&server, "bob");
    make(&mut bob, "#tea");
    let mut terminal = Terminal::start_in(&home, (80, 24), "alice", &link, &["--signup"]);
    terminal.wait_for_row(">");
    terminal.enter("/join #tea");
    terminal.wait_for_row("#tea>");
    terminal.enter("hello");
    terminal.wait_for("#tea <alice> hello");
    terminal.enter("/part");
    terminal.wait_for("you are in #tea no more");
    terminal.wait_for_row(">");
    terminal.enter("/quit");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn what_a_server_tells_of_rooms_is_safe_to_print_and_bounded() {
    let fake = FakeServer::new();
    let link = fake.link().to_string();
    let served = fake.run(|fake| {
        let mut guest = fake.resident();
        let hostile = "\u{1b}[2J\u{202e}evil\n12:00 #lobby <bob> forged".to_owned();
        let topic = wire::encode(&RoomEvent::Topic { topic: hostile.clone() });
        let (id, room) = (MessageId::random().unwrap(), "#lobby".to_owned());
        guest.send(&ServerMessage::Said {
            room: room.clone(),
            sequence: 1,
            at: 1_795_170_840_000,
            author: hostile.clone(),
            id,
            kind: BODY_ROOM_EVENT,
            body: topic.into(),
            of: None,
            edited: None,
        });
        guest.send(&ServerMessage::RoomRefused {
            room: hostile.clone(),
            code: wire::Code::Busy,
            text: hostile,
        });
        for number in 0..2000 {
            guest.send(&ServerMessage::RoomAdded {
                room: format!("#r{number}"),
                role: 9,
                head: u64::MAX,
                read: Some(number),
                unread: Some(u32::MAX),
                mentions: Some(u32::MAX),
            });
        }
        guest.send(&ServerMessage::RoomRemoved { room: "no room at all".into(), reason: None });
        let mut joins = 0;
        while let Some(message) = guest.receive() {
            joins += usize::from(matches!(message, ClientMessage::Join { .. }));
        }
        joins
    });
    let home = Home::new();
    let alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_for_line("forged"); // the topic, on the line where it belongs
    let ended = alice.finish();
    assert!(ended.stdout.contains("[2J"), "{}", ended.stdout);
    assert!(served.join().unwrap() < 1000);
}
