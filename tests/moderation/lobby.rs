//! What admins do about everyone: in the lobby it is the server that keeps people out.

use super::*;
use support::Heard;

/// What ends a session, and how.
fn closing(peer: &mut Peer) -> Option<(Code, String)> {
    let (last, end) = peer.hear_out();
    assert_eq!(end, Heard::Goodbye);
    last.into_iter().find_map(|message| match message {
        ServerMessage::Closing { code, text } => Some((code, text)),
        _ => None,
    })
}

#[test]
fn a_ban_in_the_lobby_keeps_one_off_the_server_until_it_is_lifted_there() {
    let server = ServerProcess::start();
    let (mut root, mut bob) = (listening_admin(&server, "root1"), listening(&server, "bob"));
    let mut phone = again(&server, "bob");
    change(&mut root, "#lobby", &banned("bob", Some(3600))).unwrap();
    for device in [&mut bob, &mut phone] {
        let (code, text) = closing(device).unwrap();
        assert_eq!(code, Code::Banned);
        assert!(text.starts_with("you are banned here for another ") && text.ends_with(": spam"), "{text}");
    }
    let server = server.kill_and_restart();
    assert!(admin(server.data(), &["bans"])[0].contains("account:bob"));
    let mut bob = Peer::connect(server.link());
    bob.send(&ClientMessage::LogIn { name: "bob".into(), password: support::secret(PASSWORD) });
    assert_eq!(closing(&mut bob).unwrap().0, Code::Banned);
    let mut root = again(&server, "root1");
    assert_eq!(sanctioned(&mut root, "#lobby").unwrap(), ["bob*"]);
    change(&mut root, "#lobby", &unbanned("bob")).unwrap();
    assert_eq!(change(&mut root, "#lobby", &unbanned("bob")), Err(Code::NotNow));
    let mut bob = again(&server, "bob");
    assert_eq!(sanctioned(&mut bob, "#lobby"), Err(Code::NotOperator));
    let done = ["root1 Unbanned { name: \"bob\" }", "root1 banned bob Some(3600) Some(\"spam\")"];
    assert_eq!(moderation_log(&mut root, "#lobby").unwrap(), done);
}

#[test]
fn a_kick_in_the_lobby_ends_the_sessions_that_there_are_once() {
    let server = ServerProcess::start();
    let (mut root, mut bob) = (listening_admin(&server, "root1"), listening(&server, "bob"));
    let mut phone = again(&server, "bob");
    let kick = wire::encode(&removed("bob"));
    let id = say_in(&mut root, "#lobby", BODY_ROOM_EVENT, kick.clone());
    let place = outcome(&mut root, id).unwrap();
    for device in [&mut bob, &mut phone] {
        let told = "root1 removed you: spam; you may come back";
        assert_eq!(closing(device), Some((Code::Removed, told.into())));
    }
    // They come back; that the kick is asked for again, after a lost connection, is nothing new.
    let mut bob = again(&server, "bob");
    say_as(&mut root, id, "#lobby", BODY_ROOM_EVENT, kick);
    assert_eq!(outcome(&mut root, id), Ok(place));
    say(&mut bob, "#lobby", "I am back").unwrap();
    bob.leave();
    support::eventually("bob is gone", || {
        (change(&mut root, "#lobby", &removed("bob")) == Err(Code::NoSuchPerson)).then_some(())
    });
}

#[test]
fn a_ban_that_is_asked_for_again_after_a_lost_connection_is_one_ban() {
    let server = ServerProcess::start();
    let (mut root, _bob) = (listening_admin(&server, "root1"), listening(&server, "bob"));
    let ban = wire::encode(&banned("bob", Some(3600)));
    let id = say_in(&mut root, "#lobby", BODY_ROOM_EVENT, ban.clone());
    let place = outcome(&mut root, id).unwrap();
    let (before, _) = sanction_page(&mut root, "#lobby", None).unwrap();
    // The server was killed after it had written what was done, and before it did it.
    let data = server.data().to_owned();
    let mut server = server;
    server.signal("TERM");
    assert!(server.wait().success());
    std::fs::remove_file(data.join("bans.db")).unwrap();
    let server = server.restart();
    let mut root = again(&server, "root1");
    assert_eq!(sanctioned(&mut root, "#lobby").unwrap(), [""; 0]);
    for _ in 0..2 {
        say_as(&mut root, id, "#lobby", BODY_ROOM_EVENT, ban.clone());
        assert_eq!(outcome(&mut root, id), Ok(place));
        assert_eq!(sanction_page(&mut root, "#lobby", None).unwrap().0, before);
    }
}

#[test]
fn a_mute_in_the_lobby_is_one_of_the_lobby() {
    let server = ServerProcess::start();
    let (mut root, mut bob) = (listening_admin(&server, "root1"), listening(&server, "bob"));
    tea(&mut [&mut bob]);
    change(&mut root, "#lobby", &muted("bob", None)).unwrap();
    assert_eq!(say(&mut bob, "#lobby", "hello"), Err(Code::Muted));
    say(&mut bob, "#tea", "hello").unwrap();
    change(&mut root, "#lobby", &unmuted("bob")).unwrap();
    say(&mut bob, "#lobby", "hello").unwrap();
}

#[test]
fn admins_are_above_the_lobby_and_a_last_resort_in_public_rooms_alone() {
    let server = ServerProcess::start();
    let (mut root, mut other) = (listening_admin(&server, "root1"), listening_admin(&server, "root2"));
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    for event in [removed("root2"), banned("root2", None), muted("root2", None)] {
        assert_eq!(change(&mut root, "#lobby", &event), Err(Code::NotAllowed), "{event:?}");
    }
    // The only operator goes by an admin's will, and who has been there for longest looks after the room.
    tea(&mut [&mut alice, &mut bob]);
    change(&mut root, "#tea", &banned("alice", None)).unwrap();
    change(&mut bob, "#tea", &unbanned("alice")).unwrap();
    // An admin in someone else's room is a guest like others.
    join(&mut other, "#tea").unwrap();
    change(&mut bob, "#tea", &removed("root2")).unwrap();
    let plans = make_private(&mut alice, "#plans");
    assert_eq!(change(&mut root, &plans, &removed("alice")), Err(Code::NoSuchRoom));
    assert_eq!(moderation_log(&mut root, &plans), Err(Code::NoSuchRoom));
    change(&mut alice, &plans, &RoomEvent::Added { name: "root1".into() }).unwrap();
    assert_eq!(change(&mut root, &plans, &removed("alice")), Err(Code::NotOperator));
    assert_eq!(moderation_log(&mut root, &plans), Err(Code::NotOperator));
}
