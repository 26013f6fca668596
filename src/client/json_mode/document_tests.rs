//! PROTOCOL.md says of requests and reports what this program does, word for word.

use std::collections::BTreeSet;

use super::output::line;
use super::report::{Next, Report, said};
use super::request::{self, Ref};
use crate::wire::{
    self, BODY_EDIT, BODY_REACT, BODY_REMOVE, BODY_REMOVED, BODY_ROOM_EVENT, MessageId, PastMessage,
    PersonCard, ROOM_OPERATOR, RoomCard, RoomEvent, RoomLine, RoomMember, SANCTION_BAN, Sanction,
};

const DOCUMENT: &str = include_str!("../../../PROTOCOL.md");

/// 20 November 2026, 10:34:00.123 UTC.
const AT: u64 = 1_795_170_840_123;

fn id() -> MessageId {
    MessageId::from_bytes(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes())
}

fn message(sequence: u64, kind: u16, body: impl AsRef<[u8]>) -> PastMessage {
    let body = body.as_ref().to_vec().into();
    PastMessage { sequence, at: AT, author: "alice".into(), id: id(), kind, body, of: None, edited: None }
}

fn about_7(message: PastMessage) -> PastMessage {
    PastMessage { of: Some(7), ..message }
}

fn in_lobby(message: PastMessage) -> Report {
    said("#lobby".into(), &message)
}

/// One report of each form, as the server's messages make them; those with a `ref` have 1.
fn reports() -> Vec<(Ref, Report)> {
    let (room, at) = (|| "#lobby".to_owned(), || super::report::time(AT));
    let hello = || in_lobby(message(7, 0, "hello"));
    let changed = |event: RoomEvent| said("#tea".into(), &message(8, BODY_ROOM_EVENT, wire::encode(&event)));
    let (tea, bob) = (|| "#tea".to_owned(), || "bob".to_owned());
    let reply =
        PastMessage { edited: Some(AT), ..about_7(message(8, 0, "a reply, that has another text by now")) };
    let card = RoomCard {
        room: tea(),
        topic: "black".into(),
        members: Some(2),
        role: Some(0),
        made_at: AT,
        made_by: "alice".into(),
        head: 8,
    };
    let person = PersonCard {
        name: bob(),
        role: 0,
        is_online: false,
        away: None,
        last_seen: Some(AT),
        since: None,
        rooms: vec![room()],
        more: false,
        hides_last_seen: None,
    };
    let sanction = Sanction {
        name: bob(),
        kind: SANCTION_BAN,
        at: AT,
        by: "alice".into(),
        until: None,
        reason: Some("spam".into()),
    };
    let told = |report| (None, report);
    let answer = |report| (Some(1.into()), report);
    let digits = super::report::hexadecimal;
    vec![
        told(Report::Ready { name: "robot".into(), rooms: vec![room()] }),
        answer(Report::Joined { room: room(), sequence: 6 }),
        told(hello()),
        told(in_lobby(reply)),
        told(in_lobby(message(8, BODY_REMOVED, "bob"))),
        told(in_lobby(message(8, 7, [0, 0xff]))),
        told(in_lobby(about_7(message(8, BODY_EDIT, "another text")))),
        told(in_lobby(about_7(message(8, BODY_REMOVE, [0xa0])))),
        told(in_lobby(about_7(message(8, BODY_REACT, "++1")))),
        told(changed(RoomEvent::Made { is_private: true })),
        told(changed(RoomEvent::Joined {})),
        told(changed(RoomEvent::Left {})),
        told(changed(RoomEvent::Added { name: bob() })),
        told(changed(RoomEvent::Role { name: bob(), role: ROOM_OPERATOR })),
        told(changed(RoomEvent::Topic { topic: "black".into() })),
        told(changed(RoomEvent::Removed { name: bob(), reason: Some("spam".into()) })),
        told(changed(RoomEvent::Banned { name: bob(), until: Some(AT), reason: None, seconds: None })),
        told(changed(RoomEvent::Unbanned { name: bob() })),
        told(changed(RoomEvent::Muted { name: bob(), until: None, reason: None, seconds: None })),
        told(changed(RoomEvent::Unmuted { name: bob() })),
        told(changed(RoomEvent::Purged { name: bob(), since: Some(AT), seconds: None })),
        told(Report::Arrived { room: room(), name: bob(), at: at() }),
        told(Report::Left { room: room(), name: bob(), at: at() }),
        told(Report::Away { away: Some("lunch".into()) }),
        told(Report::RoomAdded { room: tea() }),
        told(Report::RoomRemoved { room: tea(), reason: None }),
        told(Report::CaughtUp { room: room(), sequence: 8 }),
        told(Report::Missing { room: room(), first: 8, last: 9 }),
        answer(Report::Accepted { id: digits(id()), room: room(), sequence: 8, at: at() }),
        answer(Report::Refused {
            id: Some(digits(id())),
            code: Some(32),
            reason: "you are not in this room; join it first".into(),
        }),
        answer(Report::Error { reason: "not done: unknown variant `shout`".into() }),
        answer(Report::Rooms { rooms: vec![room(), tea()] }),
        answer(Report::People { room: room(), names: vec!["alice".into(), "robot".into()] }),
        answer(Report::List {
            rooms: vec![RoomLine { room: tea(), topic: "black".into(), members: Some(2) }.into()],
            more: false,
        }),
        answer(Report::Room(card.into())),
        answer(Report::Members {
            room: tea(),
            members: vec![RoomMember { name: "alice".into(), role: ROOM_OPERATOR }.into()],
            more: false,
        }),
        answer(Report::Found {
            messages: Vec::new(),
            next: Some(Next { room: room(), sequence: 6 }),
            behind: false,
        }),
        answer(Report::Sanctions { room: tea(), sanctions: vec![sanction.into()], more: false }),
        answer(Report::Moderations { room: tea(), messages: Vec::new(), more: false }),
        answer(Report::Person(person.into())),
        answer(Report::History { room: room(), messages: vec![hello()], more: false }),
        told(Report::Lost { reason: "the server said goodbye".into() }),
        told(Report::Back {}),
        told(Report::Slowed {}),
        told(Report::Notice { text: "tea is at four".into() }),
    ]
}

/// Each variant stands in [`reports`]: whoever adds one is stopped here by the compiler.
fn is_documented(report: &Report) -> bool {
    match report {
        Report::Ready { .. }
        | Report::Joined { .. }
        | Report::Said { .. }
        | Report::Edited { .. }
        | Report::Removed { .. }
        | Report::Reacted { .. }
        | Report::Changed { .. }
        | Report::Arrived { .. }
        | Report::Left { .. }
        | Report::Away { .. }
        | Report::RoomAdded { .. }
        | Report::RoomRemoved { .. }
        | Report::CaughtUp { .. }
        | Report::Missing { .. }
        | Report::Accepted { .. }
        | Report::Refused { .. }
        | Report::Error { .. }
        | Report::Rooms { .. }
        | Report::People { .. }
        | Report::List { .. }
        | Report::Room(_)
        | Report::Members { .. }
        | Report::Found { .. }
        | Report::Sanctions { .. }
        | Report::Moderations { .. }
        | Report::Person(_)
        | Report::History { .. }
        | Report::Lost { .. }
        | Report::Back {}
        | Report::Slowed {}
        | Report::Notice { .. } => true,
    }
}

#[test]
fn every_report_stands_in_the_document_as_it_is_written() {
    let reports = reports();
    assert!(reports.iter().all(|(_, report)| is_documented(report)));
    let written: String = reports.iter().map(|(r#ref, report)| line(r#ref, report).unwrap()).collect();
    let (_, block) = DOCUMENT.split_once("```json\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    assert_eq!(block, written);
}

#[test]
fn every_request_stands_in_the_document_and_no_other() {
    let (_, table) = DOCUMENT.split_once("| `do` | fields | answer |\n|---|---|---|\n").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let documented: BTreeSet<String> =
        table.lines().flat_map(|row| quoted(row.split('|').nth(1).unwrap())).collect();
    // The program itself tells what there is.
    let told = request::read(r#"{"do":"what?"}"#).unwrap_err().reason;
    let (_, told) = told.split_once("expected one of ").unwrap();
    let known: BTreeSet<String> = quoted(told.split(';').next().unwrap()).into_iter().collect();
    assert_eq!(documented, known);
}
