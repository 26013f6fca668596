//! Bots: who comes in by a token, what it is for, and when it ends.
#![cfg(test)]

mod support;

use std::fs;

use chat::wire::{
    self, BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, Code, MessageId, ROLE_BOT, RoomEvent, ServerMessage,
};
use support::{Heard, PASSWORD, Peer, ServerProcess, admin, admin_ended, body, eventually, is_said, secret};

/// A token of the bot `deploy`, made with these options.
fn token(server: &ServerProcess, options: &[&str]) -> String {
    admin(server.data(), &[&["add-bot", "deploy"], options].concat()).remove(0)
}

fn try_token(server: &ServerProcess, token: &str) -> (Peer, ServerMessage) {
    let mut peer = Peer::connect(server.link());
    peer.send(&ClientMessage::LogInByToken { token: secret(token) });
    let answer = peer.next();
    (peer, answer)
}

/// The bot, come in by a token.
#[track_caller]
fn bot(server: &ServerProcess, token: &str) -> Peer {
    let (peer, answer) = try_token(server, token);
    assert_eq!(answer, ServerMessage::LoggedIn { name: "deploy".into(), role: ROLE_BOT });
    peer
}

fn say(peer: &mut Peer, room: &str, kind: u16, body: Vec<u8>) -> Result<u64, Code> {
    let id = MessageId::random().unwrap();
    peer.send(&ClientMessage::Say { room: room.into(), id, kind, body: body.into(), of: None });
    let answer = peer.wait_for(|message| {
        matches!(message, ServerMessage::Accepted { id: of, .. } if *of == id)
            || matches!(message, ServerMessage::Refused { id: Some(of), .. } if *of == id)
    });
    match answer {
        ServerMessage::Accepted { sequence, .. } => Ok(sequence),
        ServerMessage::Refused { code, .. } => Err(code),
        _ => unreachable!(),
    }
}

fn change(peer: &mut Peer, room: &str, event: &RoomEvent) -> Result<u64, Code> {
    say(peer, room, BODY_ROOM_EVENT, wire::encode(event))
}

fn text(peer: &mut Peer, room: &str, text: &str) -> Result<u64, Code> {
    say(peer, room, BODY_TEXT, text.into())
}

/// Asks to follow a room, and gives where that begins.
fn join(peer: &mut Peer, room: &str, after: Option<u64>) -> Result<u64, Code> {
    peer.send(&ClientMessage::Join { room: room.into(), after });
    let answer = peer.wait_for(|message| {
        matches!(message, ServerMessage::Joined { .. } | ServerMessage::RoomRefused { .. })
    });
    match answer {
        ServerMessage::Joined { after, .. } => Ok(after),
        ServerMessage::RoomRefused { code, .. } => Err(code),
        _ => unreachable!(),
    }
}

/// The rooms that a session is told.
fn rooms(peer: &mut Peer) -> Vec<String> {
    peer.send(&ClientMessage::MyRooms {});
    let mut rooms = Vec::new();
    loop {
        match peer.next() {
            ServerMessage::RoomAdded { room, .. } => rooms.push(room),
            ServerMessage::AllRooms {} => return rooms,
            _ => {}
        }
    }
}

/// Alice, in rooms that she has made.
fn alice_with(server: &ServerProcess, rooms: &[&str]) -> Peer {
    let mut alice = Peer::signed_up(server.link(), "alice");
    for room in rooms {
        change(&mut alice, room, &RoomEvent::Made { is_private: false }).unwrap();
    }
    alice
}

#[test]
fn a_bot_comes_in_by_its_token_alone_and_everyone_can_know_what_it_is() {
    let server = ServerProcess::start();
    let token = token(&server, &[]);
    let mut deploy = bot(&server, &token);
    let mut alice = alice_with(&server, &[]);
    alice.send(&ClientMessage::WhoIs { name: "deploy".into() });
    let told = alice.wait_for(|message| matches!(message, ServerMessage::Person { .. }));
    assert!(
        matches!(told, ServerMessage::Person { card } if card.role == ROLE_BOT && card.is_online),
        "a bot"
    );
    for password in ["", &token, PASSWORD] {
        let refused = Peer::connect(server.link()).log_in("deploy", password);
        let is_no = matches!(refused, ServerMessage::Refused { code: Code::WrongNameOrPassword, .. });
        assert!(is_no, "{refused:?}");
    }
    for request in [
        ClientMessage::Remember { label: "here".into() },
        ClientMessage::ListDevices {},
        ClientMessage::RevokeOtherDevices {},
        ClientMessage::MakeInvite { uses: None, seconds: None },
        ClientMessage::ChangePassword { old: secret(PASSWORD), new: secret("Another-Horse-8") },
        ClientMessage::HideLastSeen { hide: true },
    ] {
        deploy.send(&request);
        let refused = deploy.next();
        assert!(matches!(refused, ServerMessage::Refused { code: Code::OutOfScope, .. }), "{refused:?}");
    }
    let users = fs::read_to_string(server.data().join("users.db")).unwrap();
    assert!(users.contains("deploy:bot:\n"), "{users}");
    assert!(!server.log().contains(&token));
    for entry in fs::read_dir(server.data()).unwrap() {
        let content = fs::read(entry.unwrap().path()).unwrap_or_default();
        assert!(!content.windows(token.len()).any(|window| window == token.as_bytes()));
    }
    let mut nobody = Peer::connect(server.link());
    assert!(matches!(
        nobody.sign_up("dep1oy", PASSWORD),
        ServerMessage::Refused { code: Code::NameTaken, .. }
    ));
}

#[test]
fn outside_its_rooms_there_is_nothing_for_a_token() {
    let server = ServerProcess::start();
    let mut alice = alice_with(&server, &["#ops", "#tea"]);
    text(&mut alice, "#tea", "secret leaves").unwrap();
    let mut all = bot(&server, &token(&server, &["--room", "#tea"]));
    let mut deploy = bot(&server, &token(&server, &["--room", "#ops"]));
    assert_eq!(rooms(&mut all), ["#tea"]);
    assert_eq!(rooms(&mut deploy), ["#ops"], "it is in both, and in the lobby");
    for room in ["#tea", "#lobby", "#nowhere"] {
        assert_eq!(join(&mut deploy, room, None), Err(Code::NoSuchRoom), "{room}");
        assert_eq!(text(&mut deploy, room, "hello"), Err(Code::NoSuchRoom), "{room}");
        assert_eq!(change(&mut deploy, room, &RoomEvent::Made { is_private: false }), Err(Code::NoSuchRoom));
        for request in [
            ClientMessage::DescribeRoom { room: room.into() },
            ClientMessage::ListMembers { room: room.into(), after: None },
            ClientMessage::History { room: room.into(), before: None, after: None, count: None },
            ClientMessage::MarkRead { room: room.into(), sequence: 1 },
            ClientMessage::ModerationLog { room: room.into(), before: None },
            ClientMessage::Search {
                room: Some(room.into()),
                words: "secret".into(),
                from: None,
                count: None,
            },
        ] {
            deploy.send(&request);
            let refused = deploy.next();
            assert!(
                matches!(refused, ServerMessage::RoomRefused { code: Code::NoSuchRoom, .. }),
                "{refused:?}"
            );
        }
    }
    deploy.send(&ClientMessage::ListRooms { after: None });
    let listed = deploy.wait_for(|message| matches!(message, ServerMessage::RoomList { .. }));
    let ServerMessage::RoomList { rooms: lines, .. } = listed else { unreachable!() };
    assert_eq!(lines.iter().map(|line| line.room.as_str()).collect::<Vec<_>>(), ["#ops"]);
    deploy.send(&ClientMessage::WhoIs { name: "alice".into() });
    let told = deploy.wait_for(|message| matches!(message, ServerMessage::Person { .. }));
    assert!(matches!(told, ServerMessage::Person { card } if card.rooms == ["#ops"]));
    deploy.send(&ClientMessage::Search { room: None, words: "secret".into(), from: None, count: None });
    let found = deploy.wait_for(|message| matches!(message, ServerMessage::Found { .. }));
    assert!(matches!(found, ServerMessage::Found { hits, .. } if hits.is_empty()));
    // What becomes of its other rooms it does not hear.
    change(&mut alice, "#tea", &RoomEvent::Removed { name: "deploy".into(), reason: None }).unwrap();
    all.wait_for(|message| matches!(message, ServerMessage::RoomRemoved { .. }));
    change(&mut alice, "#ops", &RoomEvent::Removed { name: "deploy".into(), reason: None }).unwrap();
    let removed = deploy.next();
    assert!(matches!(&removed, ServerMessage::RoomRemoved { room, .. } if room == "#ops"), "{removed:?}");
}

#[test]
fn a_token_is_for_reading_or_writing_or_both() {
    let server = ServerProcess::start();
    let mut alice = alice_with(&server, &["#ops"]);
    let mut reader = bot(&server, &token(&server, &["--room", "#ops", "--read-only"]));
    let mut writer = bot(&server, &token(&server, &["--room", "#ops", "--write-only"]));
    let head = text(&mut alice, "#ops", "before").unwrap();
    assert_eq!(join(&mut reader, "#ops", None), Ok(head), "and nothing of what was said before");
    assert_eq!(text(&mut reader, "#ops", "hello"), Err(Code::OutOfScope));
    let leave = change(&mut reader, "#ops", &RoomEvent::Left {});
    assert_eq!(leave, Err(Code::OutOfScope), "and it changes nothing");
    assert_eq!(join(&mut writer, "#ops", None), Err(Code::OutOfScope));
    writer.send(&ClientMessage::Search { room: None, words: "before".into(), from: None, count: None });
    assert!(matches!(writer.next(), ServerMessage::Refused { code: Code::OutOfScope, .. }));
    text(&mut writer, "#ops", "deployed").unwrap();
    assert_eq!(body(&reader.wait_for(is_said)), "deployed");
    let mut again = bot(&server, &token(&server, &["--room", "#ops"]));
    assert_eq!(join(&mut again, "#ops", Some(head)), Ok(head), "who asks is told");
    assert_eq!(body(&again.wait_for(is_said)), "deployed");
}

#[test]
fn a_token_ends_when_it_is_revoked_or_its_time_is_over_with_its_sessions() {
    let server = ServerProcess::with_limits(&["ping-seconds=1"]);
    let (first, second) = (token(&server, &[]), token(&server, &["--for", "1s"]));
    let ever = token(&server, &[]);
    let mut kept = bot(&server, &ever);
    let mut deploy = bot(&server, &first);
    assert!(
        admin(server.data(), &["bots"])
            .iter()
            .any(|line| line.starts_with("1: deploy reads and writes in all"))
    );
    let mut brief = bot(&server, &second);
    let told = admin(server.data(), &["revoke-token", "1"]);
    assert_eq!(told, ["token 1 of deploy is revoked"]);
    for peer in [&mut deploy, &mut brief] {
        let (last, end) = peer.hear_out();
        assert_eq!(end, Heard::Goodbye);
        let is_told = matches!(last.last(), Some(ServerMessage::Closing { code: Code::TokenRevoked, .. }));
        assert!(is_told, "{last:?}");
    }
    for ended in [&first, &second, &"a".repeat(24), &"too short".to_owned(), &String::new()] {
        let (_, refused) = try_token(&server, ended);
        assert!(matches!(refused, ServerMessage::Refused { code: Code::TokenNotValid, .. }), "{refused:?}");
    }
    assert_eq!(text(&mut kept, "#lobby", "still here"), Ok(1));
    let again = admin_ended(server.data(), &["revoke-token", "1"]);
    assert!(again.code == Some(1) && again.stderr.contains("there is no token 1"), "{}", again.stderr);
    admin(server.data(), &["delete-user", "deploy"]);
    let (_, end) = kept.hear_out();
    assert_eq!(end, Heard::Goodbye);
    let (_, refused) = try_token(&server, &ever);
    assert!(matches!(refused, ServerMessage::Refused { code: Code::TokenNotValid, .. }));
}

#[test]
fn who_guesses_is_disconnected_after_five_tries() {
    let server = ServerProcess::start();
    let mut peer = Peer::connect(server.link());
    for _ in 0..5 {
        peer.send(&ClientMessage::LogInByToken { token: secret(&"a".repeat(24)) });
    }
    let (last, end) = peer.hear_out();
    assert!(matches!(last.last(), Some(ServerMessage::Closing { code: Code::TooManyTries, .. })), "{last:?}");
    assert_eq!(end, Heard::Goodbye);
}

#[test]
fn what_an_operator_asks_for_in_vain_is_told_and_a_stopped_server_has_bots_too() {
    let mut server = ServerProcess::start();
    let mut alice = alice_with(&server, &["#ops"]);
    let refused = |server: &ServerProcess, command: &[&str], words: &str| {
        let ended = admin_ended(server.data(), command);
        assert!(ended.code == Some(1) && ended.stderr.contains(words), "{command:?}: {}", ended.stderr);
    };
    refused(&server, &["add-bot", "alice"], "is a person's account");
    refused(&server, &["add-bot", "a1ice"], "looks like a name that is taken");
    refused(&server, &["add-bot", "deploy", "--room", "#nowhere"], "there is no room #nowhere");
    change(&mut alice, "#ops", &RoomEvent::Topic { topic: "pumps".into() }).unwrap();
    alice.leave();
    server.signal("TERM");
    server.wait();
    let token = token(&server, &["--room", "#ops"]);
    refused(&server, &["role", "deploy", "admin"], "is a bot");
    let server = server.restart();
    let mut deploy = bot(&server, &token);
    assert_eq!(rooms(&mut deploy), ["#ops"]);
    assert_eq!(text(&mut deploy, "#ops", "hello"), Ok(4), "after the topic and its own coming");
    let users = server.data().join("users.db");
    let without = fs::read_to_string(&users).unwrap().replace("deploy:bot:\n", "");
    fs::write(&users, without).unwrap();
    server.signal("HUP");
    let (last, _) = deploy.hear_out();
    assert!(matches!(last.last(), Some(ServerMessage::Closing { code: Code::AccountGone, .. })), "{last:?}");
    eventually("the token is no bot's", || {
        let (_, answer) = try_token(&server, &token);
        matches!(answer, ServerMessage::Refused { code: Code::TokenNotValid, .. }).then_some(())
    });
}
