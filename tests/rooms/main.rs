//! Rooms: who is in them, who may know of them, and what happens in them on all of a person's devices.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod attacks;
mod directs;
mod many;
mod members;

use chat::wire::{
    self, BODY_REMOVED, BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, Code, MessageId, ROOM_OPERATOR, RoomCard,
    RoomEvent, ServerMessage,
};
use support::{Peer, ServerProcess};

/// Someone who has signed up and hears of their rooms.
fn listening(server: &ServerProcess, name: &str) -> Peer {
    let mut peer = Peer::signed_up(server.link(), name);
    my_rooms(&mut peer);
    peer
}

/// The same on another device, and which rooms it was told.
fn again(server: &ServerProcess, name: &str) -> (Peer, Vec<String>) {
    let mut peer = Peer::logged_in(server.link(), name);
    let rooms = my_rooms(&mut peer);
    (peer, rooms)
}

/// The rooms that the account is in, operators' with a star.
fn my_rooms(peer: &mut Peer) -> Vec<String> {
    peer.send(&ClientMessage::MyRooms {});
    let mut rooms = Vec::new();
    loop {
        match peer.next() {
            ServerMessage::RoomAdded { room, role, .. } => {
                rooms.push(if role == ROOM_OPERATOR { format!("{room}*") } else { room });
            }
            ServerMessage::AllRooms {} => return rooms,
            _ => {}
        }
    }
}

fn say_in(peer: &mut Peer, room: &str, kind: u16, body: Vec<u8>) -> MessageId {
    let id = MessageId::random().unwrap();
    peer.send(&ClientMessage::Say { room: room.into(), id, kind, body: body.into(), of: None });
    id
}

/// What becomes of something that was said: the room and the place, or why not.
fn outcome(peer: &mut Peer, wanted: MessageId) -> Result<(String, u64), Code> {
    loop {
        match peer.next() {
            ServerMessage::Accepted { id, room, sequence, .. } if id == wanted => {
                return Ok((room, sequence));
            }
            ServerMessage::Refused { id: Some(id), code, .. } if id == wanted => return Err(code),
            _ => {}
        }
    }
}

fn say(peer: &mut Peer, room: &str, text: &str) -> Result<(String, u64), Code> {
    let id = say_in(peer, room, BODY_TEXT, text.into());
    outcome(peer, id)
}

fn change(peer: &mut Peer, room: &str, event: &RoomEvent) -> Result<(String, u64), Code> {
    let id = say_in(peer, room, BODY_ROOM_EVENT, wire::encode(event));
    outcome(peer, id)
}

/// Makes a room, and gives its name.
fn make(peer: &mut Peer, room: &str, is_private: bool) -> String {
    change(peer, room, &RoomEvent::Made { is_private }).unwrap().0
}

fn added(name: &str) -> RoomEvent {
    RoomEvent::Added { name: name.into() }
}

fn topic(text: &str) -> RoomEvent {
    RoomEvent::Topic { topic: text.into() }
}

/// Follows a room, and gives what was said in it, once caught up.
fn join(peer: &mut Peer, wanted: &str, after: Option<u64>) -> Result<Vec<ServerMessage>, Code> {
    peer.send(&ClientMessage::Join { room: wanted.into(), after });
    let mut said = Vec::new();
    loop {
        match peer.next() {
            ServerMessage::CaughtUp { room, .. } if room == wanted => return Ok(said),
            ServerMessage::RoomRefused { room, code, .. } if room == wanted => return Err(code),
            message => said.extend(Some(message).filter(|message| is_in(message, wanted))),
        }
    }
}

/// Whether it was said in this room.
fn is_in(message: &ServerMessage, wanted: &str) -> bool {
    matches!(message, ServerMessage::Said { room, .. } if room == wanted)
}

/// Takes an account out of the file, as an operator can.
fn delete_account(server: &ServerProcess, name: &str) {
    let users = server.data().join("users.db");
    let text = std::fs::read_to_string(&users).unwrap();
    let is_kept = |line: &&str| !line.starts_with(&format!("{name}:"));
    std::fs::write(&users, text.split_inclusive('\n').filter(is_kept).collect::<String>()).unwrap();
    server.signal("HUP");
    support::eventually("the accounts are read again", || server.log().contains("read again").then_some(()));
}

/// What was said in words: `author: text` or `author event`.
fn in_words(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Said { author, kind: BODY_TEXT, body, .. } => {
            format!("{author}: {}", String::from_utf8_lossy(body))
        }
        ServerMessage::Said { author, kind: BODY_ROOM_EVENT, body, .. } => {
            format!("{author} {:?}", RoomEvent::parse(body).unwrap())
        }
        other => panic!("not said: {other:?}"),
    }
}

fn card(peer: &mut Peer, room: &str) -> Result<RoomCard, Code> {
    peer.send(&ClientMessage::DescribeRoom { room: room.into() });
    loop {
        match peer.next() {
            ServerMessage::RoomDescription { card } => return Ok(card),
            ServerMessage::RoomRefused { code, .. } => return Err(code),
            _ => {}
        }
    }
}

/// A page of a room's members, operators with a star, and whether there are more.
fn members(peer: &mut Peer, room: &str, after: Option<&str>) -> Result<(Vec<String>, bool), Code> {
    peer.send(&ClientMessage::ListMembers { room: room.into(), after: after.map(str::to_owned) });
    loop {
        match peer.next() {
            ServerMessage::Members { members, more, .. } => {
                let star = |role| if role == ROOM_OPERATOR { "*" } else { "" };
                let shown = members.iter().map(|member| format!("{}{}", member.name, star(member.role)));
                return Ok((shown.collect(), more));
            }
            ServerMessage::RoomRefused { code, .. } => return Err(code),
            _ => {}
        }
    }
}

/// A page of the public rooms, and whether there are more.
fn list(peer: &mut Peer, after: Option<&str>) -> (Vec<String>, bool) {
    peer.send(&ClientMessage::ListRooms { after: after.map(str::to_owned) });
    loop {
        if let ServerMessage::RoomList { rooms, more } = peer.next() {
            return (rooms.into_iter().map(|line| line.room).collect(), more);
        }
    }
}
