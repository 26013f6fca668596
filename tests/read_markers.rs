//! How far one has read: all of a person's devices agree on it, and on what is unread behind it.
#![cfg(test)]

mod support;

use chat::wire::{
    self, BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, Code, MessageId, RoomEvent, ServerMessage, UNREAD_MAX,
};
use support::{Peer, ServerProcess};

/// What is told of a room: how far one has read, how many messages are unread, and how many of them name one.
type State = (Option<u64>, u32, u32);

/// What is told of a room when one asks for all.
fn state(peer: &mut Peer, wanted: &str) -> State {
    peer.send(&ClientMessage::MyRooms {});
    let mut found = None;
    loop {
        match peer.next() {
            ServerMessage::RoomAdded { room, read, unread, mentions, .. } if room == wanted => {
                found = Some((read, unread.unwrap(), mentions.unwrap()));
            }
            ServerMessage::AllRooms {} => return found.unwrap(),
            _ => {}
        }
    }
}

fn mark(peer: &mut Peer, room: &str, sequence: u64) {
    peer.send(&ClientMessage::MarkRead { room: room.into(), sequence });
}

/// The next thing that is told of a marker: how far it is, and what is unread behind it.
fn moved(peer: &mut Peer) -> (u64, u32, u32) {
    match peer.wait_for(|message| matches!(message, ServerMessage::ReadUpTo { .. })) {
        ServerMessage::ReadUpTo { sequence, unread, mentions, .. } => (sequence, unread, mentions),
        _ => unreachable!(),
    }
}

fn refusal(peer: &mut Peer) -> Code {
    match peer.wait_for(|message| matches!(message, ServerMessage::RoomRefused { .. })) {
        ServerMessage::RoomRefused { code, .. } => code,
        _ => unreachable!(),
    }
}

fn say_in(peer: &mut Peer, room: &str, kind: u16, body: Vec<u8>) -> (String, u64) {
    let id = MessageId::random().unwrap();
    peer.send(&ClientMessage::Say { room: room.into(), id, kind, body: body.into(), of: None });
    match peer.wait_for(|message| matches!(message, ServerMessage::Accepted { .. })) {
        ServerMessage::Accepted { room, sequence, .. } => (room, sequence),
        _ => unreachable!(),
    }
}

fn say(peer: &mut Peer, room: &str, text: &str) -> u64 {
    say_in(peer, room, BODY_TEXT, text.into()).1
}

fn change(peer: &mut Peer, room: &str, event: &RoomEvent) -> String {
    say_in(peer, room, BODY_ROOM_EVENT, wire::encode(event)).0
}

fn add(peer: &mut Peer, room: &str, name: &str) {
    change(peer, room, &RoomEvent::Added { name: name.into() });
}

#[test]
fn two_devices_of_one_person_agree_on_what_is_unread_also_after_a_restart() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let mut bob = Peer::signed_up(server.link(), "bob");
    change(&mut bob, "#tea", &RoomEvent::Made { is_private: false });
    add(&mut bob, "#tea", "alice");
    // Only what others say in words counts; being added was the second message.
    for text in ["one", "two for @Alice", "malice", "four, alice."] {
        say(&mut bob, "#tea", text);
    }
    change(&mut bob, "#tea", &RoomEvent::Topic { topic: "alice".into() });
    say(&mut alice, "#tea", "alice herself");
    let mut phone = Peer::logged_in(server.link(), "alice");
    let everything = (Some(1), 4, 2);
    assert_eq!([state(&mut alice, "#tea"), state(&mut phone, "#tea")], [everything; 2]);
    mark(&mut phone, "#tea", 4);
    assert_eq!([moved(&mut alice), moved(&mut phone)], [(4, 2, 1); 2]);
    let server = server.kill_and_restart();
    let (mut alice, mut phone) =
        (Peer::logged_in(server.link(), "alice"), Peer::logged_in(server.link(), "alice"));
    assert_eq!([state(&mut alice, "#tea"), state(&mut phone, "#tea")], [(Some(4), 2, 1); 2]);
    mark(&mut alice, "#tea", 8);
    assert_eq!(moved(&mut phone), (8, 0, 0));
    let mut bob = Peer::logged_in(server.link(), "bob");
    say(&mut bob, "#tea", "five");
    assert_eq!([state(&mut alice, "#tea"), state(&mut phone, "#tea")], [(Some(8), 1, 0); 2]);
}

#[test]
fn a_marker_never_goes_back_and_never_past_the_last_message() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let mut bob = Peer::signed_up(server.link(), "bob");
    for number in 1..=5 {
        assert_eq!(say(&mut bob, "#lobby", "hello"), number);
    }
    assert_eq!(state(&mut alice, "#lobby"), (None, 0, 0), "nothing is unread at the first visit");
    mark(&mut alice, "#lobby", 3);
    assert_eq!(moved(&mut alice), (3, 2, 0));
    for back in [0, 1, 3] {
        mark(&mut alice, "#lobby", back);
    }
    mark(&mut alice, "#lobby", u64::MAX);
    assert_eq!(moved(&mut alice), (5, 0, 0), "and nothing was told of the others");
    say(&mut bob, "#lobby", "after that");
    assert_eq!(state(&mut alice, "#lobby"), (Some(5), 1, 0));
    assert_eq!(state(&mut bob, "#lobby"), (None, 0, 0), "another one's marker is another one's");
    // [42, {0: "#lobby", 1: -1}]
    alice.send_content(b"\x82\x18\x2a\xa2\x00\x66#lobby\x01\x20").unwrap();
    let refused = alice.wait_for(|message| matches!(message, ServerMessage::Refused { .. }));
    assert!(matches!(refused, ServerMessage::Refused { code: Code::Malformed, .. }));
}

#[test]
fn only_members_mark_a_room_and_who_comes_back_begins_anew() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let mut bob = Peer::signed_up(server.link(), "bob");
    let plans = change(&mut bob, "#plans", &RoomEvent::Made { is_private: true });
    say(&mut bob, &plans, "before you came");
    let none = if plans == "#plans.aaaa" { "#plans.bbbb" } else { "#plans.aaaa" };
    for room in [plans.as_str(), none] {
        mark(&mut alice, room, 1);
        assert_eq!(refusal(&mut alice), Code::NoSuchRoom);
    }
    change(&mut bob, "#tea", &RoomEvent::Made { is_private: false });
    mark(&mut alice, "#tea", 1);
    assert_eq!(refusal(&mut alice), Code::NotMember);
    add(&mut bob, &plans, "alice");
    say(&mut bob, &plans, "hello");
    assert_eq!(state(&mut alice, &plans), (Some(2), 1, 0));
    change(&mut alice, &plans, &RoomEvent::Left {});
    say(&mut bob, &plans, "while you were away");
    add(&mut bob, &plans, "alice");
    let again = alice.wait_for(|message| matches!(message, ServerMessage::RoomAdded { .. }));
    assert!(matches!(again, ServerMessage::RoomAdded { read: Some(6), unread: Some(0), .. }), "{again:?}");
    say(&mut bob, &plans, "welcome back");
    assert_eq!(state(&mut alice, &plans), (Some(6), 1, 0));
}

#[test]
fn what_is_unread_is_counted_to_a_thousand() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let mut bob = Peer::signed_up(server.link(), "bob");
    mark(&mut alice, "#lobby", 0);
    let last = (0..UNREAD_MAX + 50).map(|_| bob.say("hi alice")).last().unwrap();
    bob.wait_until_accepted(last);
    assert_eq!(state(&mut alice, "#lobby"), (Some(0), UNREAD_MAX, UNREAD_MAX));
    mark(&mut alice, "#lobby", 100);
    assert_eq!(moved(&mut alice), (100, UNREAD_MAX - 50, UNREAD_MAX - 50));
}

#[test]
fn who_gets_the_name_of_someone_who_is_gone_has_read_nothing() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let mut bob = Peer::signed_up(server.link(), "bob");
    mark(&mut alice, "#lobby", 0);
    say(&mut bob, "#lobby", "hello");
    assert_eq!(state(&mut alice, "#lobby"), (Some(0), 1, 0));
    let users = server.data().join("users.db");
    let kept: String = std::fs::read_to_string(&users)
        .unwrap()
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("alice:"))
        .collect();
    drop(alice);
    drop(bob);
    std::fs::write(&users, kept).unwrap();
    let server = server.stop_and_restart();
    let mut alice = Peer::signed_up(server.link(), "alice");
    assert_eq!(state(&mut alice, "#lobby"), (None, 0, 0));
}
