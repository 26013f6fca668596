//! Many rooms, and many people in them.

use super::*;
use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use support::eventually;

const ROOMS: usize = 10_000;
/// In each room, of as many accounts as there are rooms.
const MEMBERS: usize = 10;

/// A clock tick is 10 ms, on every Linux.
const TICKS_A_SECOND: u64 = 100;

#[test]
fn ten_thousand_rooms_with_a_hundred_thousand_members_cost_a_restart_little_and_no_threads() {
    let mut server = ServerProcess::start();
    drop(listening(&server, "p0"));
    let threads = server.threads();
    let data = server.data().to_owned();
    server.signal("TERM");
    assert!(server.wait().success());
    fill(&data.join("chat.db"));
    let server = server.kill_and_restart(); // it has ended already
    let ticks = server.cpu_ticks();
    assert!(ticks < 2 * TICKS_A_SECOND, "{ticks} ticks of CPU time");
    eventually("the server is at rest", || (server.threads() <= threads).then_some(()));
    let (mut peer, rooms) = again(&server, "p0");
    assert_eq!(rooms.len(), 1 + MEMBERS);
    assert_eq!(join(&mut peer, "#room0", None).unwrap().len(), 1);
}

#[test]
fn who_is_in_more_conversations_than_an_outbox_holds_is_told_all_of_them() {
    const TALKS: usize = 3_000;
    let mut server = ServerProcess::with_limits(&["outbox-bytes=65536"]);
    drop(listening(&server, "alice"));
    let data = server.data().to_owned();
    server.signal("TERM");
    assert!(server.wait().success());
    let mut connection = Connection::open(data.join("chat.db")).unwrap();
    let transaction = connection.transaction().unwrap();
    for number in 0..TALKS {
        let name = format!("@alice+p{number:04}");
        transaction
            .execute("INSERT INTO rooms (name, made_at, made_by) VALUES (?1, 1, 'p')", [name])
            .unwrap();
        let member = "INSERT INTO members (room, account, is_operator, since, is_direct)
                      VALUES (?1, 'alice', 0, 1, 1)";
        transaction.execute(member, [transaction.last_insert_rowid()]).unwrap();
    }
    transaction.commit().unwrap();
    let server = server.kill_and_restart(); // it has ended already
    let (mut alice, rooms) = again(&server, "alice");
    assert_eq!(rooms.len(), 1 + TALKS);
    assert!(rooms.is_sorted());
    // Whoever asks over and over is told from the beginning again.
    for _ in 0..20 {
        alice.send(&ClientMessage::MyRooms {});
    }
    let told: BTreeSet<_> = my_rooms(&mut alice).into_iter().collect();
    assert_eq!(told.len(), 1 + TALKS);
}

/// What a server leaves behind that has so many rooms; each with something said in it.
fn fill(path: &std::path::Path) {
    let mut connection = Connection::open(path).unwrap();
    let transaction = connection.transaction().unwrap();
    for number in 0..ROOMS {
        let name = format!("#room{number}");
        transaction
            .prepare_cached(
                "INSERT INTO rooms (name, topic, made_at, made_by) VALUES (?1, 'a topic', 1, 'p0')",
            )
            .unwrap()
            .execute([name])
            .unwrap();
        let room = transaction.last_insert_rowid();
        transaction
            .prepare_cached(
                "INSERT INTO messages (room, sequence, at, author, client_id, kind, body)
                 VALUES (?1, 1, 1, 'p0', ?2, 0, x'61')",
            )
            .unwrap()
            .execute(params![room, (number as u128).to_be_bytes()])
            .unwrap();
        for member in 0..MEMBERS {
            transaction
                .prepare_cached(
                    "INSERT INTO members (room, account, is_operator, since) VALUES (?1, ?2, ?3, 1)",
                )
                .unwrap()
                .execute(params![room, format!("p{}", (number + member) % ROOMS), member == 0])
                .unwrap();
        }
    }
    transaction.commit().unwrap();
}

#[test]
fn all_public_rooms_come_in_bounded_pages_in_order() {
    const MANY: usize = 250;
    let server = ServerProcess::with_limits(&["rooms-per-account=300"]);
    let mut alice = listening(&server, "alice");
    let body = wire::encode(&RoomEvent::Made { is_private: false });
    let ids: Vec<_> = (0..MANY)
        .map(|number| say_in(&mut alice, &format!("#r{number:03}"), BODY_ROOM_EVENT, body.clone()))
        .collect();
    for id in ids {
        outcome(&mut alice, id).unwrap();
    }
    let (mut seen, mut pages) = (Vec::new(), Vec::new());
    loop {
        let (page, more) = list(&mut alice, seen.last().map(String::as_str));
        pages.push(page.len());
        seen.extend(page);
        if !more {
            break;
        }
    }
    assert_eq!(pages, [100, 100, MANY + 1 - 200]);
    assert!(seen.is_sorted());
    assert_eq!(list(&mut alice, Some("no room's name")), (Vec::new(), false));
    assert_eq!(my_rooms(&mut alice).len(), MANY + 1, "also those are told in one go");
}
