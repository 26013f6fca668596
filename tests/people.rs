//! What people learn of each other: who is online, who is away, who was here when, and who is in which rooms.
#![cfg(test)]

mod support;

use std::fs;

use chat::wire::{
    self, AwayPerson, BODY_ROOM_EVENT, ClientMessage, Code, MessageId, PersonCard, RoomEvent, ServerMessage,
};
use support::{Peer, ServerProcess, eventually};

/// Someone new, who has entered the lobby.
fn inside(server: &ServerProcess, name: &str) -> Peer {
    let mut peer = Peer::signed_up(server.link(), name);
    peer.join(None);
    peer
}

fn set_away(peer: &mut Peer, away: Option<&str>) {
    peer.send(&ClientMessage::SetAway { away: away.map(str::to_owned) });
}

fn presence(name: &str, away: Option<&str>) -> ServerMessage {
    ServerMessage::Presence { name: name.into(), away: away.map(str::to_owned) }
}

fn is_presence(message: &ServerMessage) -> bool {
    matches!(message, ServerMessage::Presence { .. })
}

/// What has come of who is away until now.
fn presences(peer: &mut Peer) -> Vec<ServerMessage> {
    peer.send(&ClientMessage::Ping {});
    let mut heard = Vec::new();
    peer.wait_for(|message| {
        heard.extend(Some(message.clone()).filter(is_presence));
        *message == ServerMessage::Pong {}
    });
    heard
}

fn who_is(peer: &mut Peer, name: &str) -> Result<PersonCard, Code> {
    peer.send(&ClientMessage::WhoIs { name: name.into() });
    card(peer)
}

fn card(peer: &mut Peer) -> Result<PersonCard, Code> {
    loop {
        match peer.next() {
            ServerMessage::Person { card } => return Ok(card),
            ServerMessage::PersonRefused { code, .. } => return Err(code),
            _ => {}
        }
    }
}

fn say_change(peer: &mut Peer, room: &str, event: &RoomEvent) -> String {
    let (wanted, body) = (MessageId::random().unwrap(), wire::encode(event).into());
    peer.send(&ClientMessage::Say { room: room.into(), id: wanted, kind: BODY_ROOM_EVENT, body, of: None });
    loop {
        match peer.next() {
            ServerMessage::Accepted { id, room, .. } if id == wanted => return room,
            ServerMessage::Refused { text, .. } => panic!("refused: {text}"),
            _ => {}
        }
    }
}

fn enter(peer: &mut Peer, wanted: &str) {
    peer.send(&ClientMessage::Join { room: wanted.into(), after: None });
    peer.wait_for(|message| matches!(message, ServerMessage::CaughtUp { room, .. } if room == wanted));
}

#[test]
fn who_is_away_is_told_once_to_everyone_in_a_room_with_them_and_to_who_comes_later() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (inside(&server, "alice"), inside(&server, "bob"));
    let mut stranger = Peer::signed_up(server.link(), "dave"); // has entered no room
    say_change(&mut alice, "#tea", &RoomEvent::Made { is_private: false });
    enter(&mut alice, "#tea");
    enter(&mut bob, "#tea");
    set_away(&mut alice, Some(" lunch "));
    alice.wait_for(|message| *message == presence("alice", Some("lunch")));
    bob.wait_for(is_presence);
    assert_eq!(presences(&mut bob), [], "two rooms are shared, and it is told once");
    assert_eq!(presences(&mut stranger), []);
    let mut carol = Peer::signed_up(server.link(), "carol");
    carol.send(&ClientMessage::Join { room: "#lobby".into(), after: None });
    let away = carol.wait_for(|message| matches!(message, ServerMessage::Away { .. }));
    let people = vec![AwayPerson { name: "alice".into(), away: "lunch".into() }];
    assert_eq!(away, ServerMessage::Away { room: "#lobby".into(), people });
}

#[test]
fn who_changes_their_mind_all_the_time_floods_nobody_and_what_is_so_in_the_end_is_told() {
    let server = ServerProcess::with_limits(&["ping-seconds=1", "silence-seconds=60"]);
    let (mut alice, mut bob) = (inside(&server, "alice"), inside(&server, "bob"));
    for number in 0..500 {
        set_away(&mut alice, Some(&number.to_string()));
        set_away(&mut alice, None);
    }
    set_away(&mut alice, Some("really"));
    let mut heard = Vec::new();
    bob.wait_for(|message| {
        heard.extend(Some(message.clone()).filter(is_presence));
        *message == presence("alice", Some("really"))
    });
    assert!(heard.len() <= 3, "{heard:?}");
}

#[test]
fn someone_is_online_and_away_on_all_their_devices_until_the_last_one_goes() {
    let server = ServerProcess::start();
    let mut bob = inside(&server, "bob");
    let (mut desk, mut phone) = (inside(&server, "alice"), Peer::logged_in(server.link(), "alice"));
    set_away(&mut desk, Some(""));
    desk.wait_for(is_presence);
    desk.leave();
    bob.wait_for(|message| matches!(message, ServerMessage::Left { name, .. } if name == "alice"));
    let card = who_is(&mut bob, "Alice").unwrap();
    assert_eq!((card.is_online, card.away.as_deref(), card.last_seen), (true, Some(""), None));
    assert_eq!(who_is(&mut phone, "alice").unwrap().away.as_deref(), Some(""));
    phone.leave();
    let card = eventually("alice is gone", || who_is(&mut bob, "alice").ok().filter(|card| !card.is_online));
    assert_eq!(card.away, None);
    assert!(card.last_seen.is_some() && card.since <= card.last_seen, "{card:?}");
}

#[test]
fn when_someone_was_last_seen_outlasts_the_server_unless_they_hide_it() {
    let server = ServerProcess::start();
    let mut bob = inside(&server, "bob");
    let mut alice = inside(&server, "alice");
    assert_eq!(who_is(&mut alice, "alice").unwrap().hides_last_seen, Some(false));
    alice.leave();
    let gone = eventually("alice is gone", || who_is(&mut bob, "alice").ok().filter(|card| !card.is_online));
    assert!(gone.last_seen.is_some() && gone.hides_last_seen.is_none());
    let server = server.stop_and_restart();
    let mut bob = Peer::logged_in(server.link(), "bob");
    assert_eq!(who_is(&mut bob, "alice").unwrap(), gone);
    let mut alice = Peer::logged_in(server.link(), "alice");
    alice.send(&ClientMessage::HideLastSeen { hide: true });
    assert_eq!(card(&mut alice).unwrap().hides_last_seen, Some(true));
    let server = server.kill_and_restart();
    let mut bob = Peer::logged_in(server.link(), "bob");
    let card = who_is(&mut bob, "alice").unwrap();
    assert_eq!((card.last_seen, card.hides_last_seen, card.since), (None, None, gone.since));
}

#[test]
fn whoever_gets_a_name_that_was_someone_elses_is_someone_new() {
    let server = ServerProcess::start();
    let mut alice = inside(&server, "alice");
    let mut bob = inside(&server, "bob");
    bob.send(&ClientMessage::HideLastSeen { hide: true });
    let since = card(&mut bob).unwrap().since;
    bob.leave();
    let users = server.data().join("users.db");
    let text = fs::read_to_string(&users).unwrap();
    let without: String = text.split_inclusive('\n').filter(|line| !line.starts_with("bob:")).collect();
    fs::write(&users, without).unwrap();
    server.signal("HUP");
    eventually("nobody is called so", || {
        (who_is(&mut alice, "bob") == Err(Code::NoSuchPerson)).then_some(())
    });
    let mut other = inside(&server, "bob");
    let card = who_is(&mut other, "bob").unwrap();
    assert!(card.since > since && card.hides_last_seen == Some(false), "{card:?}");
}

#[test]
fn rooms_of_others_are_told_if_one_may_know_of_them() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (inside(&server, "alice"), inside(&server, "bob"));
    say_change(&mut alice, "#tea", &RoomEvent::Made { is_private: false });
    say_change(&mut alice, "#secret", &RoomEvent::Made { is_private: true });
    let shared = say_change(&mut alice, "#plans", &RoomEvent::Made { is_private: true });
    say_change(&mut alice, &shared, &RoomEvent::Added { name: "bob".into() });
    let card = who_is(&mut bob, "alice").unwrap();
    assert_eq!((card.rooms, card.more), (vec!["#lobby".to_owned(), shared, "#tea".to_owned()], false));
    assert_eq!(who_is(&mut alice, "alice").unwrap().rooms.len(), 4);
}

#[test]
fn what_is_no_reason_and_who_is_nobody_is_refused() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (inside(&server, "alice"), inside(&server, "bob"));
    for reason in ["x".repeat(201), "a\nb".into(), "\u{1b}[2J".into()] {
        set_away(&mut alice, Some(&reason));
        assert_eq!(card(&mut alice), Err(Code::Malformed), "{reason:?}");
    }
    for name in ["carol", "no name", "", "#lobby"] {
        assert_eq!(who_is(&mut alice, name), Err(Code::NoSuchPerson), "{name}");
    }
    assert_eq!(presences(&mut bob), []);
}
