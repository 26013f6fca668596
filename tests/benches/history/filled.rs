//! A server with much in its log, written there by hand while it does not run.

use std::time::Duration;

use chat::wire::{ClientMessage, ServerMessage};
use rusqlite::{Connection, params};

use super::support::{Peer, ServerProcess, eventually_within};

/// A million messages take half a minute when nothing else runs.
const GATHERED_WITHIN: Duration = Duration::from_secs(600);

/// What someone says again and again: a word that is in all of it, one that is in half of it, one that is in the other
/// half, some that are rare, and a number.
pub(super) fn text(number: u64) -> String {
    let half = if number.is_multiple_of(2) { "alpha" } else { "beta" };
    format!("everyone says {half} about w{} and w{} in message n{number}", number % 7_919, number % 104_729)
}

/// A server that slows nobody down.
pub(super) fn server() -> ServerProcess {
    let limits =
        ["messages-per-second=1000000", "message-burst=1000000", "message-bytes-per-second=1000000000"];
    let limits = limits.into_iter().flat_map(|limit| ["--limit", limit]);
    let arguments: Vec<_> = ["--small-host"].into_iter().chain(limits).collect();
    ServerProcess::start_as_operators_do(&arguments, "warn")
}

/// A server in whose lobby alice, who has an account, has said so much.
pub(super) fn server_with(messages: u64) -> ServerProcess {
    let mut server = server();
    drop(Peer::signed_up(server.link(), "alice"));
    server.signal("TERM");
    assert!(server.wait().success());
    let mut connection = Connection::open(server.data().join("chat.db")).unwrap();
    let transaction = connection.transaction().unwrap();
    let lobby: i64 =
        transaction.query_row("SELECT id FROM rooms WHERE name = '#lobby'", [], |row| row.get(0)).unwrap();
    let mut insert = transaction
        .prepare(
            "INSERT INTO messages (room, sequence, at, author, client_id, kind, body)
             VALUES (?1, ?2, ?3, 'alice', ?4, 0, ?5)",
        )
        .unwrap();
    for number in 1..=messages {
        let (id, body) = (u128::from(number).to_be_bytes(), text(number).into_bytes());
        insert.execute(params![lobby, number, 1_700_000_000_000 + number, id, body]).unwrap();
    }
    drop(insert);
    transaction.commit().unwrap();
    drop(connection);
    let server = server.restart();
    wait_until_gathered(&server, messages);
    server
}

/// Waits until all of it can be found: it is gathered once, when such a log is opened for the first time.
fn wait_until_gathered(server: &ServerProcess, messages: u64) {
    let mut alice = Peer::logged_in(server.link(), "alice");
    eventually_within(GATHERED_WITHIN, "everything can be found", || {
        let words = format!("n{messages}");
        alice.send(&ClientMessage::Search { room: None, words, from: None, count: None });
        let found = alice.wait_for(|message| matches!(message, ServerMessage::Found { .. }));
        matches!(found, ServerMessage::Found { hits, .. } if !hits.is_empty()).then_some(())
    });
}
