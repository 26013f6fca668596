//! What people say about what was said before: answers, edits, removals, reactions, on the wire.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod attacks;
mod changes;
mod disk;

use chat::wire::{
    self, BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, Code, MessageChange, MessageId, PastMessage, RoomEvent,
    ServerMessage,
};
use support::{PASSWORD, Peer, ServerProcess, admin};

/// Someone who has signed up and hears the lobby.
fn talking(server: &ServerProcess, name: &str) -> Peer {
    let mut peer = Peer::signed_up(server.link(), name);
    peer.join(None);
    peer
}

/// The same, an admin of the server.
fn talking_admin(server: &ServerProcess, name: &str) -> Peer {
    let link = admin(server.data(), &["invite", "--role", "admin"]).remove(0);
    let token = link.split_once("?invite=").unwrap().1.split('#').next().unwrap().to_owned();
    let mut peer = Peer::connect(server.link());
    peer.sign_up_with(name, PASSWORD, Some(&token));
    peer.join(None);
    peer
}

/// Something that is said, perhaps about an earlier message.
fn message(room: &str, id: MessageId, kind: u16, body: impl Into<Vec<u8>>, of: Option<u64>) -> ClientMessage {
    ClientMessage::Say { room: room.into(), id, kind, body: body.into().into(), of }
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

fn say_in(
    peer: &mut Peer,
    room: &str,
    kind: u16,
    body: impl Into<Vec<u8>>,
    of: Option<u64>,
) -> Result<u64, Code> {
    let id = MessageId::random().unwrap();
    peer.send(&message(room, id, kind, body, of));
    outcome(peer, id)
}

/// Says a text in the lobby, and gives its number.
fn say(peer: &mut Peer, text: &str) -> u64 {
    say_in(peer, "#lobby", BODY_TEXT, text, None).unwrap()
}

/// Answers a message of the lobby.
fn answer(peer: &mut Peer, text: &str, of: u64) -> Result<u64, Code> {
    say_in(peer, "#lobby", BODY_TEXT, text, Some(of))
}

/// Changes a message of the lobby.
fn change(peer: &mut Peer, of: u64, change: &MessageChange<'_>) -> Result<u64, Code> {
    say_in(peer, "#lobby", change.kind(), change.body(), Some(of))
}

fn edit(text: &str) -> MessageChange<'_> {
    MessageChange::Edit(text.as_bytes())
}

fn react(reaction: &str) -> MessageChange<'static> {
    MessageChange::React(reaction.parse().unwrap())
}

fn take_back(reaction: &str) -> MessageChange<'static> {
    MessageChange::TakeBack(reaction.parse().unwrap())
}

fn make(peer: &mut Peer, room: &str) {
    change_room(peer, room, &RoomEvent::Made { is_private: false }).unwrap();
}

fn change_room(peer: &mut Peer, room: &str, event: &RoomEvent) -> Result<u64, Code> {
    say_in(peer, room, BODY_ROOM_EVENT, wire::encode(event), None)
}

/// Something that was said in short: author, kind and body, of which message, and whether it was edited.
fn in_short(message: &ServerMessage) -> String {
    let ServerMessage::Said { sequence, author, kind, body, of, edited, .. } = message else {
        panic!("not said: {message:?}")
    };
    let what = match kind {
        0..0x8000 => format!("{kind}"),
        _ => format!("{kind:x}"),
    };
    let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
    let edited = if edited.is_some() { " edited" } else { "" };
    format!("{sequence} {author} {what} {:?}{of}{edited}", String::from_utf8_lossy(body))
}

/// What a page of the lobby's history says.
fn past(peer: &mut Peer) -> Vec<String> {
    peer.send(&ClientMessage::History { room: "#lobby".into(), before: None, after: None, count: None });
    loop {
        if let ServerMessage::History { room, messages, .. } = peer.next() {
            let said = |message: PastMessage| {
                let PastMessage { sequence, at, author, id, kind, body, of, edited } = message;
                let room = room.clone();
                in_short(&ServerMessage::Said { room, sequence, at, author, id, kind, body, of, edited })
            };
            return messages.into_iter().map(said).collect();
        }
    }
}

/// What someone is told of the lobby who comes now.
fn seen_now(server: &ServerProcess, name: &str) -> Vec<String> {
    let said = Peer::logged_in(server.link(), name).join(Some(0));
    said.iter().map(in_short).collect()
}
