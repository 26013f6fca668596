//! Kicks, bans and mutes in rooms.

use super::*;
use support::eventually;

#[test]
fn who_is_banned_is_out_on_all_sessions_at_once_and_is_told_by_whom_and_why() {
    let server = ServerProcess::start();
    let (mut alice, mut desk) = (listening(&server, "alice"), listening(&server, "bob"));
    tea(&mut [&mut alice, &mut desk]);
    let (mut phone, mut tablet) = (again(&server, "bob"), again(&server, "bob"));
    join(&mut phone, "#tea").unwrap();
    change(&mut alice, "#tea", &banned("bob", Some(604_800))).unwrap();
    say(&mut alice, "#tea", "not for bob").unwrap();
    for device in [&mut desk, &mut phone, &mut tablet] {
        device.wait_for(|message| {
            assert!(!support::is_said(message) || support::sequence(message) <= 3, "{message:?}");
            let reason = Some("alice banned you for 1w: spam".to_owned());
            *message == ServerMessage::RoomRemoved { room: "#tea".into(), reason }
        });
        assert_eq!(say(device, "#tea", "still here"), Err(Code::BannedHere));
        assert_eq!(join(device, "#tea"), Err(Code::BannedHere));
        assert_eq!(change(device, "#tea", &RoomEvent::Joined {}), Err(Code::BannedHere));
    }
    assert_eq!(change(&mut alice, "#tea", &RoomEvent::Added { name: "bob".into() }), Err(Code::NotNow));
    change(&mut alice, "#tea", &unbanned("bob")).unwrap();
    assert_eq!(change(&mut alice, "#tea", &unbanned("bob")), Err(Code::NotNow));
    join(&mut desk, "#tea").unwrap();
}

#[test]
fn who_is_kicked_may_come_back_into_a_public_room_and_not_into_a_private_one() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    tea(&mut [&mut alice, &mut bob]);
    change(&mut alice, "#tea", &removed("bob")).unwrap();
    let reason = Some("alice removed you: spam".to_owned());
    let out = ServerMessage::RoomRemoved { room: "#tea".into(), reason };
    bob.wait_for(|message| *message == out);
    assert_eq!(say(&mut bob, "#tea", "still here"), Err(Code::NotMember));
    assert_eq!(change(&mut alice, "#tea", &removed("bob")), Err(Code::NoSuchPerson));
    join(&mut bob, "#tea").unwrap();
    let plans = make_private(&mut alice, "#plans");
    change(&mut alice, &plans, &RoomEvent::Added { name: "bob".into() }).unwrap();
    change(&mut alice, &plans, &removed("bob")).unwrap();
    assert_eq!(join(&mut bob, &plans), Err(Code::NoSuchRoom));
}

#[test]
fn who_is_muted_hears_and_can_say_nothing_in_any_way() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    tea(&mut [&mut alice, &mut bob]);
    let before = say_in(&mut bob, "#tea", BODY_TEXT, "before");
    let place = outcome(&mut bob, before).unwrap();
    change(&mut alice, "#tea", &muted("bob", None)).unwrap();
    let thumb = || "+1".parse().unwrap();
    let changes = [
        MessageChange::Edit(b"still here"),
        MessageChange::Remove,
        MessageChange::React(thumb()),
        MessageChange::TakeBack(thumb()),
    ];
    let ways = changes.map(|change| (change.kind(), change.body(), Some(place)));
    let text = || b"still here".to_vec();
    let plain = [(BODY_TEXT, text(), None), (BODY_TEXT, text(), Some(place)), (7, text(), None)];
    for (kind, body, of) in ways.into_iter().chain(plain) {
        let id = MessageId::random().unwrap();
        bob.send(&ClientMessage::Say { room: "#tea".into(), id, kind, body: body.into(), of });
        assert_eq!(outcome(&mut bob, id), Err(Code::Muted), "{kind:x} {of:?}");
    }
    say_as(&mut bob, before, "#tea", BODY_TEXT, "before");
    assert_eq!(outcome(&mut bob, before), Ok(place), "said before, and sent again after a lost connection");
    // Made an operator all the same, bob still says nothing, not even by the topic.
    change(&mut alice, "#tea", &role("bob", ROOM_OPERATOR)).unwrap();
    let topic = RoomEvent::Topic { topic: "still here".into() };
    assert_eq!(change(&mut bob, "#tea", &topic), Err(Code::Muted));
    change(&mut alice, "#tea", &role("bob", 0)).unwrap();
    say(&mut alice, "#tea", "for all").unwrap();
    bob.wait_for(|message| {
        matches!(message, ServerMessage::Said { kind: BODY_TEXT, body, .. } if body.as_slice() == b"for all")
    });
    say(&mut bob, "#lobby", "elsewhere").unwrap();
    change(&mut bob, "#tea", &RoomEvent::Left {}).unwrap();
    join(&mut bob, "#tea").unwrap();
    assert_eq!(say(&mut bob, "#tea", "I came back"), Err(Code::Muted));
    change(&mut alice, "#tea", &unmuted("bob")).unwrap();
    say(&mut bob, "#tea", "thanks").unwrap();
}

#[test]
fn sanctions_survive_a_restart_and_end_by_themselves() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    let mut carol = listening(&server, "carol");
    tea(&mut [&mut alice, &mut bob, &mut carol]);
    change(&mut alice, "#tea", &banned("bob", None)).unwrap();
    change(&mut alice, "#tea", &muted("carol", Some(3600))).unwrap();
    let server = server.kill_and_restart();
    let (mut alice, mut bob) = (again(&server, "alice"), again(&server, "bob"));
    let mut carol = again(&server, "carol");
    assert_eq!(sanctioned(&mut alice, "#tea").unwrap(), ["bob*", "carol"]);
    assert_eq!(join(&mut bob, "#tea"), Err(Code::BannedHere));
    assert_eq!(say(&mut carol, "#tea", "hello"), Err(Code::Muted));
    // Another one of the same kind takes its place.
    change(&mut alice, "#tea", &banned("bob", Some(1))).unwrap();
    change(&mut alice, "#tea", &muted("carol", Some(1))).unwrap();
    eventually("the ban ends", || join(&mut bob, "#tea").ok());
    eventually("the mute ends", || say(&mut carol, "#tea", "hello").ok());
    assert_eq!(sanctioned(&mut alice, "#tea").unwrap(), [""; 0]);
}

#[test]
fn what_is_on_its_way_when_its_author_is_banned_is_said_before_the_ban_or_not_at_all() {
    const MESSAGES: usize = 300;
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    tea(&mut [&mut alice, &mut bob]);
    let ids: Vec<_> =
        (0..MESSAGES).map(|number| say_in(&mut bob, "#tea", BODY_TEXT, format!("{number}"))).collect();
    let ban = change(&mut alice, "#tea", &banned("bob", None)).unwrap();
    let after: Vec<_> = (0..10).map(|_| say_in(&mut bob, "#tea", BODY_TEXT, "late")).collect();
    let outcomes: Vec<_> = ids.into_iter().chain(after).map(|id| outcome(&mut bob, id)).collect();
    assert!(
        outcomes.iter().all(|outcome| outcome.map_or_else(|code| code == Code::BannedHere, |at| at < ban))
    );
    assert_eq!(outcomes.last(), Some(&Err(Code::BannedHere)));
    assert!(outcomes.is_sorted_by_key(Result::is_err), "{outcomes:?}");
}

#[test]
fn only_operators_keep_order_and_never_over_themselves() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    let mut carol = listening(&server, "carol");
    tea(&mut [&mut alice, &mut bob]);
    let all = |name: &str| {
        let (ban, mute) = (banned(name, None), muted(name, None));
        [removed(name), ban, mute, unbanned(name), unmuted(name), purged(name, None)]
    };
    for event in all("alice") {
        assert_eq!(change(&mut bob, "#tea", &event), Err(Code::NotOperator), "{event:?}");
        assert_eq!(change(&mut carol, "#tea", &event), Err(Code::NotMember), "{event:?}");
        assert_eq!(change(&mut alice, "#tea", &event), Err(Code::NotNow), "{event:?}");
        assert_eq!(change(&mut carol, "#lobby", &event), Err(Code::NotOperator), "{event:?}");
    }
    for event in [removed("nobody"), banned("nobody", None), muted("nobody", None)] {
        assert_eq!(change(&mut alice, "#tea", &event), Err(Code::NoSuchPerson));
    }
    assert_eq!(moderation_log(&mut bob, "#tea"), Err(Code::NotOperator));
    assert_eq!(sanctioned(&mut bob, "#tea"), Err(Code::NotOperator));
    assert_eq!(moderation_log(&mut alice, "#nowhere"), Err(Code::NoSuchRoom));
    // An operator is kicked by another one, and muted by nobody.
    change(&mut alice, "#tea", &role("bob", ROOM_OPERATOR)).unwrap();
    assert_eq!(change(&mut alice, "#tea", &muted("bob", None)), Err(Code::NotNow));
    change(&mut bob, "#tea", &removed("alice")).unwrap();
    assert_eq!(change(&mut alice, "#tea", &removed("bob")), Err(Code::NotMember));
    // Who was never there can be kept from coming.
    change(&mut bob, "#tea", &banned("carol", None)).unwrap();
    assert_eq!(join(&mut carol, "#tea"), Err(Code::BannedHere));
}

#[test]
fn hostile_reasons_and_times() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    tea(&mut [&mut alice, &mut bob]);
    for reason in ["", " ", "\u{1b}[2J", "a\nb", "a\u{9b}b", &"x".repeat(201), &"x".repeat(16_000)] {
        let (name, reason) = ("bob".to_owned(), Some(reason.to_owned()));
        let event = RoomEvent::Banned { name, until: None, reason: reason.clone(), seconds: None };
        assert_eq!(change(&mut alice, "#tea", &event), Err(Code::BadBody), "{reason:?}");
    }
    for (until, seconds) in [(Some(1), None), (None, Some(0)), (None, Some(u64::MAX)), (Some(1), Some(1))] {
        let event = RoomEvent::Muted { name: "bob".into(), until, reason: None, seconds };
        assert_eq!(change(&mut alice, "#tea", &event), Err(Code::BadBody), "{until:?} {seconds:?}");
    }
    say(&mut bob, "#tea", "I am still here").unwrap();
    // What is no control character is for those who show it.
    let reason = Some("\u{202e}maps".to_owned());
    let event = RoomEvent::Banned { name: "bob".into(), until: None, reason, seconds: None };
    change(&mut alice, "#tea", &event).unwrap();
    let (page, _) = sanction_page(&mut alice, "#tea", None).unwrap();
    assert_eq!(page[0].reason.as_deref(), Some("\u{202e}maps"));
}

#[test]
fn operators_read_what_was_done_page_by_page_the_latest_first() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    tea(&mut [&mut alice, &mut bob]);
    for _ in 0..60 {
        say(&mut alice, "#tea", "in between").unwrap();
        change(&mut alice, "#tea", &muted("bob", None)).unwrap();
    }
    change(&mut alice, "#tea", &banned("bob", Some(60))).unwrap();
    let (first, more) = moderation_page(&mut alice, "#tea", None).unwrap();
    assert_eq!(told("alice", &first[0].body), "alice banned bob Some(60) Some(\"spam\")");
    assert!(more && first.len() == 50);
    let (second, more) = moderation_page(&mut alice, "#tea", Some(first[49].sequence)).unwrap();
    assert!(!more && second.len() == 11);
    let places: Vec<_> = first.iter().chain(&second).map(|change| change.sequence).collect();
    assert!(places.is_sorted_by(|one, other| one > other), "{places:?}");
    for before in [0, 1] {
        assert_eq!(moderation_page(&mut alice, "#tea", Some(before)), Ok((Vec::new(), false)));
    }
    assert_eq!(moderation_page(&mut alice, "#tea", Some(u64::MAX)).unwrap().0, first);
}

#[test]
fn who_is_banned_or_muted_is_listed_in_pages() {
    let server = ServerProcess::start();
    let mut alice = listening(&server, "alice");
    tea(&mut [&mut alice]);
    let names: Vec<_> = (0..120).map(|number| format!("p{number:03}")).collect();
    // Their accounts are made by hand: a hundred sign-ups take long.
    let users = server.data().join("users.db");
    let text = std::fs::read_to_string(&users).unwrap();
    let hash = text.lines().find_map(|line| line.strip_prefix("alice:")).unwrap().to_owned();
    let more: Vec<String> = names.iter().map(|name| format!("{name}:{hash}\n")).collect();
    std::fs::write(&users, text + &more.concat()).unwrap();
    server.signal("HUP");
    eventually("the accounts are read again", || {
        server.log().contains("users.db was read again").then_some(())
    });
    for name in &names {
        change(&mut alice, "#tea", &banned(name, None)).unwrap();
    }
    change(&mut alice, "#tea", &muted("p050", None)).unwrap();
    let (first, more) = sanction_page(&mut alice, "#tea", None).unwrap();
    assert!(more && first.len() == 100);
    let (second, more) = sanction_page(&mut alice, "#tea", Some(&first[99].name)).unwrap();
    assert!(!more);
    let all: Vec<_> = first.iter().chain(&second).map(|sanction| &sanction.name).collect();
    assert_eq!(all.len(), 121);
    assert!(all.is_sorted());
    assert_eq!(sanction_page(&mut alice, "#tea", Some("\u{10ffff}")), Ok((Vec::new(), false)));
}
