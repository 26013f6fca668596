//! Keeping order: what operators do about people in rooms and admins about everyone, and what the server does by itself
//! about whoever sends too much.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod ignore;
mod lobby;
mod pace;
mod purge;
mod sanctions;

use chat::wire::{
    self, BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, Code, MessageChange, MessageId, PastMessage,
    ROOM_OPERATOR, RoomEvent, SANCTION_BAN, Sanction, ServerMessage,
};
use support::{PASSWORD, Peer, ServerProcess, admin};

/// Someone who has signed up and hears of their rooms.
fn listening(server: &ServerProcess, name: &str) -> Peer {
    let mut peer = Peer::signed_up(server.link(), name);
    hear_of_rooms(&mut peer);
    peer
}

/// The same on another device.
fn again(server: &ServerProcess, name: &str) -> Peer {
    let mut peer = Peer::logged_in(server.link(), name);
    hear_of_rooms(&mut peer);
    peer
}

/// The same, an admin of the server.
fn listening_admin(server: &ServerProcess, name: &str) -> Peer {
    let link = admin(server.data(), &["invite", "--role", "admin"]).remove(0);
    let token = link.split_once("?invite=").unwrap().1.split('#').next().unwrap().to_owned();
    let mut peer = Peer::connect(server.link());
    assert!(matches!(
        peer.sign_up_with(name, PASSWORD, Some(&token)),
        ServerMessage::LoggedIn { role: 1, .. }
    ));
    hear_of_rooms(&mut peer);
    peer
}

fn hear_of_rooms(peer: &mut Peer) {
    peer.send(&ClientMessage::MyRooms {});
    peer.wait_for(|message| *message == ServerMessage::AllRooms {});
}

fn say_in(peer: &mut Peer, room: &str, kind: u16, body: impl Into<Vec<u8>>) -> MessageId {
    let id = MessageId::random().unwrap();
    say_as(peer, id, room, kind, body);
    id
}

fn say_as(peer: &mut Peer, id: MessageId, room: &str, kind: u16, body: impl Into<Vec<u8>>) {
    peer.send(&ClientMessage::Say { room: room.into(), id, kind, body: body.into().into(), of: None });
}

/// What becomes of something that was said: its place, or why not.
fn outcome(peer: &mut Peer, wanted: MessageId) -> Result<u64, Code> {
    loop {
        match peer.next() {
            ServerMessage::Accepted { id, sequence, .. } if id == wanted => return Ok(sequence),
            ServerMessage::Refused { id: Some(id), code, .. } if id == wanted => return Err(code),
            _ => {}
        }
    }
}

fn say(peer: &mut Peer, room: &str, text: &str) -> Result<u64, Code> {
    let id = say_in(peer, room, BODY_TEXT, text);
    outcome(peer, id)
}

fn change(peer: &mut Peer, room: &str, event: &RoomEvent) -> Result<u64, Code> {
    let id = say_in(peer, room, BODY_ROOM_EVENT, wire::encode(event));
    outcome(peer, id)
}

/// A public room of the first one's, in which the others are and which all of them follow.
fn tea(peers: &mut [&mut Peer]) {
    for (place, peer) in peers.iter_mut().enumerate() {
        if place == 0 {
            change(peer, "#tea", &RoomEvent::Made { is_private: false }).unwrap();
        }
        join(peer, "#tea").unwrap();
    }
}

/// Makes a private room, and gives its name.
fn make_private(peer: &mut Peer, wished: &str) -> String {
    let wanted = say_in(peer, wished, BODY_ROOM_EVENT, wire::encode(&RoomEvent::Made { is_private: true }));
    let is_made =
        |message: &ServerMessage| matches!(message, ServerMessage::Accepted { id, .. } if *id == wanted);
    match peer.wait_for(is_made) {
        ServerMessage::Accepted { room, .. } => room,
        _ => unreachable!(),
    }
}

/// Follows a room from its beginning, and gives what was said in it, once caught up.
fn join(peer: &mut Peer, wanted: &str) -> Result<Vec<ServerMessage>, Code> {
    peer.send(&ClientMessage::Join { room: wanted.into(), after: Some(0) });
    let mut said = Vec::new();
    loop {
        match peer.next() {
            ServerMessage::CaughtUp { room, .. } if room == wanted => return Ok(said),
            ServerMessage::RoomRefused { room, code, .. } if room == wanted => return Err(code),
            message => said.extend(Some(message).filter(support::is_said)),
        }
    }
}

fn removed(name: &str) -> RoomEvent {
    RoomEvent::Removed { name: name.into(), reason: Some("spam".into()) }
}

fn banned(name: &str, seconds: Option<u64>) -> RoomEvent {
    RoomEvent::Banned { name: name.into(), until: None, reason: Some("spam".into()), seconds }
}

fn unbanned(name: &str) -> RoomEvent {
    RoomEvent::Unbanned { name: name.into() }
}

fn muted(name: &str, seconds: Option<u64>) -> RoomEvent {
    RoomEvent::Muted { name: name.into(), until: None, reason: None, seconds }
}

fn unmuted(name: &str) -> RoomEvent {
    RoomEvent::Unmuted { name: name.into() }
}

fn purged(name: &str, seconds: Option<u64>) -> RoomEvent {
    RoomEvent::Purged { name: name.into(), since: None, seconds }
}

fn role(name: &str, role: u8) -> RoomEvent {
    RoomEvent::Role { name: name.into(), role }
}

/// A change of a room, in words: author and event.
fn told(author: &str, body: &[u8]) -> String {
    match RoomEvent::parse(body).unwrap() {
        RoomEvent::Banned { name, until, reason, seconds } => {
            assert_eq!(until.is_some(), seconds.is_some());
            format!("{author} banned {name} {seconds:?} {reason:?}")
        }
        event => format!("{author} {event:?}"),
    }
}

/// The first page of what operators have done in a room.
fn moderation_log(peer: &mut Peer, room: &str) -> Result<Vec<String>, Code> {
    let (changes, _) = moderation_page(peer, room, None)?;
    Ok(changes.iter().map(|change| told(&change.author, &change.body)).collect())
}

fn moderation_page(
    peer: &mut Peer,
    wanted: &str,
    before: Option<u64>,
) -> Result<(Vec<PastMessage>, bool), Code> {
    peer.send(&ClientMessage::ModerationLog { room: wanted.into(), before });
    loop {
        match peer.next() {
            ServerMessage::ModerationLog { changes, more, .. } => return Ok((changes, more)),
            ServerMessage::RoomRefused { code, .. } => return Err(code),
            _ => {}
        }
    }
}

/// Who is banned or muted in a room, banned ones with a star.
fn sanctioned(peer: &mut Peer, room: &str) -> Result<Vec<String>, Code> {
    let (sanctions, more) = sanction_page(peer, room, None)?;
    assert!(!more);
    let star = |kind| if kind == SANCTION_BAN { "*" } else { "" };
    Ok(sanctions.iter().map(|sanction| format!("{}{}", sanction.name, star(sanction.kind))).collect())
}

fn sanction_page(peer: &mut Peer, wanted: &str, after: Option<&str>) -> Result<(Vec<Sanction>, bool), Code> {
    peer.send(&ClientMessage::ListSanctions { room: wanted.into(), after: after.map(str::to_owned) });
    loop {
        match peer.next() {
            ServerMessage::Sanctions { sanctions, more, .. } => return Ok((sanctions, more)),
            ServerMessage::RoomRefused { code, .. } => return Err(code),
            _ => {}
        }
    }
}
