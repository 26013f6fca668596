//! Whom one does not want to hear: the server keeps it, so that all devices agree.

use super::*;

fn ignore(peer: &mut Peer, name: &str, wanted: bool) -> Result<Vec<String>, Code> {
    peer.send(&ClientMessage::Ignore { name: Some(name.into()), wanted: Some(wanted) });
    ignoring(peer)
}

fn ask(peer: &mut Peer) -> Vec<String> {
    peer.send(&ClientMessage::Ignore { name: None, wanted: None });
    ignoring(peer).unwrap()
}

fn ignoring(peer: &mut Peer) -> Result<Vec<String>, Code> {
    loop {
        match peer.next() {
            ServerMessage::Ignoring { names } => return Ok(names),
            ServerMessage::PersonRefused { code, .. } => return Err(code),
            _ => {}
        }
    }
}

/// What is unread in the lobby for whoever comes now.
fn unread(server: &ServerProcess, name: &str) -> Option<u32> {
    let mut peer = Peer::logged_in(server.link(), name);
    peer.send(&ClientMessage::MyRooms {});
    match peer.wait_for(|message| matches!(message, ServerMessage::RoomAdded { .. })) {
        ServerMessage::RoomAdded { unread, .. } => unread,
        _ => unreachable!(),
    }
}

#[test]
fn all_devices_agree_on_it_also_after_a_restart() {
    let server = ServerProcess::start();
    let (mut desk, _bob) = (listening(&server, "alice"), listening(&server, "bob"));
    let _carol = listening(&server, "carol");
    let mut phone = again(&server, "alice");
    assert_eq!(ask(&mut desk), [""; 0]);
    assert_eq!(ignore(&mut desk, "Bob", true).unwrap(), ["bob"]);
    assert_eq!(ignoring(&mut phone).unwrap(), ["bob"]);
    assert_eq!(ignore(&mut phone, "carol", true).unwrap(), ["bob", "carol"]);
    assert_eq!(ignoring(&mut desk).unwrap(), ["bob", "carol"]);
    let server = server.kill_and_restart();
    let mut desk = again(&server, "alice");
    assert_eq!(ask(&mut desk), ["bob", "carol"]);
    assert_eq!(ignore(&mut desk, "bob", false).unwrap(), ["carol"]);
    assert_eq!(ask(&mut again(&server, "bob")), [""; 0], "it is nobody else's");
}

#[test]
fn whom_one_ignores_is_told_before_anything_that_is_asked_for_later() {
    let server = ServerProcess::start();
    let mut alice = listening(&server, "alice");
    let _bob = listening(&server, "bob");
    ignore(&mut alice, "bob", true).unwrap();
    for _ in 0..20 {
        let mut device = Peer::logged_in(server.link(), "alice");
        device.send(&ClientMessage::Ignore { name: None, wanted: None });
        device.send(&ClientMessage::Join { room: "#lobby".into(), after: Some(0) });
        assert_eq!(device.next(), ServerMessage::Ignoring { names: vec!["bob".into()] });
    }
}

#[test]
fn what_they_say_is_not_counted_as_unread() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    let mut carol = listening(&server, "carol");
    let first = say(&mut carol, "#lobby", "hello").unwrap();
    alice.send(&ClientMessage::MarkRead { room: "#lobby".into(), sequence: first });
    alice.wait_for(|message| matches!(message, ServerMessage::ReadUpTo { .. }));
    say(&mut bob, "#lobby", "buy tea, alice").unwrap();
    say(&mut carol, "#lobby", "no").unwrap();
    assert_eq!(unread(&server, "alice"), Some(2));
    ignore(&mut alice, "bob", true).unwrap();
    assert_eq!(unread(&server, "alice"), Some(1));
}

#[test]
fn nonsense_changes_nothing() {
    let server = ServerProcess::start();
    let (mut alice, _bob) = (listening(&server, "alice"), listening(&server, "bob"));
    assert_eq!(ignore(&mut alice, "alice", true), Err(Code::NotNow));
    for name in ["nobody", "no name", "", "\u{202e}bob"] {
        assert_eq!(ignore(&mut alice, name, true), Err(Code::NoSuchPerson), "{name:?}");
    }
    assert_eq!(ignore(&mut alice, "bob", false), Err(Code::NotNow));
    for (name, wanted) in [(Some("bob"), None), (None, Some(true))] {
        alice.send(&ClientMessage::Ignore { name: name.map(str::to_owned), wanted });
        assert_eq!(ignoring(&mut alice), Err(Code::Malformed));
    }
    assert_eq!(ask(&mut alice), [""; 0]);
}

#[test]
fn nobody_ignores_more_people_than_fit_in_one_answer_and_who_gets_a_name_next_ignores_nobody() {
    let server = ServerProcess::start();
    let mut alice = listening(&server, "alice");
    // As long as names can be. Their accounts are made by hand: so many sign-ups take long.
    let names: Vec<_> = (0..400).map(|number| format!("{}{number:03}", "é".repeat(29))).collect();
    let users = server.data().join("users.db");
    let text = std::fs::read_to_string(&users).unwrap();
    let line = text.lines().find(|line| line.starts_with("alice:")).unwrap();
    let hash = line.strip_prefix("alice:").unwrap();
    let of = |name: &String| format!("{name}:{hash}\n");
    let others: Vec<String> = names.iter().map(of).collect();
    let reload = |content: String| {
        let times = || server.log().matches("users.db was read again").count();
        let before = times();
        std::fs::write(&users, content).unwrap();
        server.signal("HUP");
        support::eventually("the accounts are read again", || (times() > before).then_some(()));
    };
    reload(text.clone() + &others.concat() + &of(&"bob".to_owned()));
    for name in &names {
        ignore(&mut alice, name, true).unwrap();
    }
    assert_eq!(ask(&mut alice), names);
    assert_eq!(ignore(&mut alice, "bob", true), Err(Code::TooMany));
    reload(text.replace(&format!("{line}\n"), ""));
    let mut new_alice = listening(&server, "alice");
    assert_eq!(ask(&mut new_alice), [""; 0]);
}
