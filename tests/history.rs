//! What was said before comes page by page, from any place, to those who are in the room and nobody else.
#![cfg(test)]

mod support;

use std::time::Instant;

use chat::wire::{
    self, BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, Code, HISTORY_PAGE_MAX, MessageId, PastMessage,
    RoomEvent, ServerMessage,
};
use support::{Peer, ServerProcess, is_said};

/// A page: the numbers in it, and whether there is more.
type Page = (Vec<u64>, bool);

fn say_in(peer: &mut Peer, room: &str, kind: u16, body: Vec<u8>) -> u64 {
    let id = MessageId::random().unwrap();
    peer.send(&ClientMessage::Say { room: room.into(), id, kind, body: body.into(), of: None });
    peer.wait_until_accepted(id)
}

/// Says so many things in the lobby, and waits until the last one is accepted.
fn say_many(peer: &mut Peer, count: u64) {
    let last = (1..=count).map(|number| peer.say(&format!("number {number}"))).last().unwrap();
    peer.wait_until_accepted(last);
}

fn ask(peer: &mut Peer, room: &str, before: Option<u64>, after: Option<u64>, count: Option<u16>) {
    peer.send(&ClientMessage::History { room: room.into(), before, after, count });
}

/// The page that was asked for, or why there is none.
fn answer(peer: &mut Peer) -> Result<(Vec<PastMessage>, bool), Code> {
    loop {
        match peer.next() {
            ServerMessage::History { messages, more, .. } => return Ok((messages, more)),
            ServerMessage::RoomRefused { code, .. } => return Err(code),
            _ => {}
        }
    }
}

fn page(peer: &mut Peer, before: Option<u64>, after: Option<u64>, count: Option<u16>) -> Page {
    ask(peer, "#lobby", before, after, count);
    let (messages, more) = answer(peer).unwrap();
    (messages.iter().map(|message| message.sequence).collect(), more)
}

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    range.collect()
}

#[test]
fn pages_lead_back_to_the_beginning_and_forth_to_the_end_without_a_gap_also_after_a_restart() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    say_many(&mut alice, 120);
    assert_eq!(page(&mut alice, None, None, None), (numbers(71..=120), true));
    let server = server.kill_and_restart();
    let mut bob = Peer::signed_up(server.link(), "bob");
    assert_eq!(page(&mut bob, Some(71), None, None), (numbers(21..=70), true));
    assert_eq!(page(&mut bob, Some(21), None, None), (numbers(1..=20), false));
    assert_eq!(page(&mut bob, None, Some(0), Some(100)), (numbers(1..=100), true));
    assert_eq!(page(&mut bob, None, Some(100), Some(100)), (numbers(101..=120), false));
    assert_eq!(page(&mut bob, Some(60), Some(40), None), (numbers(41..=59), false), "between the two");
    ask(&mut bob, "#lobby", None, Some(6), Some(1));
    let (messages, _) = answer(&mut bob).unwrap();
    let PastMessage { author, kind, body, .. } = &messages[0];
    assert_eq!((author.as_str(), *kind, body.as_slice()), ("alice", BODY_TEXT, b"number 7".as_slice()));
}

#[test]
fn a_stale_or_forged_place_leads_to_an_empty_or_the_last_page() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    assert_eq!(page(&mut alice, None, None, None), (Vec::new(), false), "nothing was ever said");
    say_many(&mut alice, 3);
    for far in [4, 1_000_000, i64::MAX.unsigned_abs(), u64::MAX] {
        assert_eq!(page(&mut alice, Some(far), None, None), (numbers(1..=3), false), "before {far}");
        assert_eq!(page(&mut alice, None, Some(far), None), (Vec::new(), false), "after {far}");
    }
    assert_eq!(page(&mut alice, Some(0), None, None), (Vec::new(), false));
    assert_eq!(page(&mut alice, Some(1), Some(2), None), (Vec::new(), false), "the wrong way round");
    assert_eq!(page(&mut alice, None, None, Some(0)), (numbers(3..=3), true), "none is as one");
    // [40, {0: "#lobby", 1: -1}], [40, {0: "#lobby", 3: 65536}] and [40, {1: 7}]
    for content in [
        b"\x82\x18\x28\xa2\x00\x66#lobby\x01\x20".as_slice(),
        b"\x82\x18\x28\xa2\x00\x66#lobby\x03\x1a\x00\x01\x00\x00",
        b"\x82\x18\x28\xa1\x01\x07",
    ] {
        alice.send_content(content).unwrap();
        assert!(matches!(alice.next(), ServerMessage::Refused { code: Code::Malformed, .. }), "{content:x?}");
    }
}

#[test]
fn a_page_is_bounded_in_number_and_in_bytes_and_the_next_one_follows_it() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    say_many(&mut alice, 300);
    let (most, more) = page(&mut alice, None, None, Some(u16::MAX));
    assert_eq!((most.len(), more), (HISTORY_PAGE_MAX.into(), true));
    let longest = "x".repeat(16_384);
    let last = (0..10).map(|_| alice.say(&longest)).last().unwrap();
    let mut before = alice.wait_until_accepted(last) + 1;
    while before > 301 {
        let (page, more) = page(&mut alice, Some(before), None, Some(10));
        assert!(more && (1..=2).contains(&page.len()) || page.len() > 2 && page[0] <= 300, "{page:?}");
        assert_eq!(page.last(), Some(&(before - 1)));
        before = page[0];
    }
}

#[test]
fn who_is_not_in_a_room_reads_nothing_of_it_and_learns_of_no_private_one() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let mut mallory = Peer::signed_up(server.link(), "mallory");
    let made = wire::encode(&RoomEvent::Made { is_private: false });
    say_in(&mut alice, "#tea", BODY_ROOM_EVENT, made);
    ask(&mut mallory, "#tea", None, None, None);
    assert_eq!(answer(&mut mallory), Err(Code::NotMember));
    mallory.send(&ClientMessage::Join { room: "#tea".into(), after: None });
    mallory.wait_for(|message| matches!(message, ServerMessage::CaughtUp { .. }));
    ask(&mut mallory, "#tea", None, None, None);
    assert_eq!(answer(&mut mallory).unwrap().0.len(), 2);
    say_in(&mut mallory, "#tea", BODY_ROOM_EVENT, wire::encode(&RoomEvent::Left {}));
    ask(&mut mallory, "#tea", None, Some(0), None);
    assert_eq!(answer(&mut mallory), Err(Code::NotMember), "although it was read before");

    let id = MessageId::random().unwrap();
    let body = wire::encode(&RoomEvent::Made { is_private: true }).into();
    alice.send(&ClientMessage::Say { room: "#plans".into(), id, kind: BODY_ROOM_EVENT, body, of: None });
    let made = alice.wait_for(|message| matches!(message, ServerMessage::Accepted { .. }));
    let ServerMessage::Accepted { room: plans, .. } = made else { panic!() };
    let none = if plans == "#plans.aaaa" { "#plans.bbbb" } else { "#plans.aaaa" };
    let refusals = [&plans, none].map(|room| {
        ask(&mut mallory, room, None, None, None);
        let refused = mallory.wait_for(|message| matches!(message, ServerMessage::RoomRefused { .. }));
        format!("{refused:?}").replace(room, "ROOM")
    });
    assert_eq!(refusals[0], refusals[1]);
    for room in ["", "lobby", "#no such room", &"#".repeat(10_000)] {
        ask(&mut mallory, room, None, None, None);
        assert_eq!(answer(&mut mallory), Err(Code::NoSuchRoom), "{room}");
    }
}

#[test]
fn who_asks_for_everything_at_once_holds_nobody_up_and_costs_bounded_memory() {
    const QUESTIONS: usize = 1000;
    let server = ServerProcess::start();
    let (mut alice, mut bob) =
        (Peer::signed_up(server.link(), "alice"), Peer::signed_up(server.link(), "bob"));
    alice.join(None);
    let text = "x".repeat(1000);
    (0..50).for_each(|_| {
        alice.say(&text);
    });
    alice.wait_for(|message| matches!(message, ServerMessage::Said { sequence: 50, .. }));
    let mut greedy = Peer::signed_up(server.link(), "greedy");
    let question = ClientMessage::History { room: "#lobby".into(), before: None, after: None, count: None };
    let before = server.resident_kib();
    greedy.send_content(&wire::encode(&question).repeat(QUESTIONS)).unwrap();
    greedy.send(&ClientMessage::Ping {});
    let begin = Instant::now();
    bob.say("in between");
    alice.wait_for(is_said);
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
    // Whoever reads gets an answer to each, in order; whoever does not has lagged, and may ask again.
    let mut pages = 0;
    let lagged = loop {
        match greedy.next() {
            ServerMessage::History { messages, .. } => {
                assert!(messages.len() >= 30);
                pages += 1;
            }
            ServerMessage::Pong {} => break false,
            ServerMessage::Lagged {} => break true,
            other => panic!("{other:?}"),
        }
    };
    assert!(pages == QUESTIONS || lagged, "{pages}");
    assert!(server.resident_kib() < before + 16 * 1024, "{} KiB", server.resident_kib() - before);
}
