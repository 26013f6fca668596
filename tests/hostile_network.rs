//! Attacks by name, by someone on the wire between the real client and the real server: there is no session, or it ends
//! and the person is told so; what was said is said once, whole, when the connection is back.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use client::{Ended, Home, Piped, Unit, Wiretap};
use support::{Peer, ServerProcess, body, eventually};

const TEXT: &str = "meet me at noon";

/// Alice behind the attacker has an account, and connects for this. Gives what her client told in the end.
fn alice_tries(server: &ServerProcess, wiretap: &Wiretap) -> Ended {
    let home = Home::new();
    Piped::run(home.client_as("alice", &wiretap.link_to(server.link()), &["--signup"]), format!("{TEXT}\n"))
}

/// Nobody got in, and the server is none the worse.
fn assert_nobody_came_in(server: &ServerProcess) {
    assert!(!server.log().contains("logged in"), "{}", server.log());
    assert!(!server.log().contains("panicked"), "{}", server.log());
    Peer::signed_up(server.link(), "witness").leave();
}

/// Which way a record goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToServer,
    ToClient,
}

/// Without a login that is remembered, a client's records are its login, its wish to enter the room, and what is said: the
/// units 3, 4 and 5.
const SAY: usize = 5;

/// Alice says something, and the attacker does this to the record that holds it, or to the first one that comes back. Her
/// client loses the connection, says so and comes back, and the message is said once.
fn alice_talks_through(way: Way, mischief: fn(Vec<u8>) -> Option<Vec<u8>>) {
    let server = ServerProcess::with_limits(&["ping-seconds=1"]);
    Peer::signed_up(server.link(), "alice").leave();
    let (has_spoken, is_done) = (AtomicBool::new(false), AtomicBool::new(false));
    let wiretap = Wiretap::before(server.address(), move |unit, bytes| {
        let is_say = unit == Unit { connection: 0, is_from_client: true, number: SAY };
        let is_answer = unit.connection == 0 && !unit.is_from_client && has_spoken.load(Ordering::Acquire);
        has_spoken.fetch_or(is_say, Ordering::AcqRel);
        let is_meant = if way == Way::ToServer { is_say } else { is_answer };
        if is_meant && !is_done.swap(true, Ordering::AcqRel) { mischief(bytes) } else { Some(bytes) }
    });
    let home = Home::new();
    let mut alice = Piped::start(home.client_as("alice", &wiretap.link_to(server.link()), &[]));
    alice.wait_until_in();
    alice.write(format!("{TEXT}\n"));
    alice.wait_for_line("! the connection is back");
    alice.wait_for_line(&format!("#lobby <alice> {TEXT}"));
    let ended = alice.finish().went_well();
    assert!(
        ended.notes().iter().any(|note| note.starts_with("the connection is lost")),
        "{:?}",
        ended.notes()
    );
    let said = Peer::signed_up(server.link(), "witness").join(Some(0));
    assert_eq!(said.iter().map(body).collect::<Vec<_>>(), [TEXT], "it is said once");
    assert!(server.log().contains("the connection was lost"), "{}", server.log());
}

/// Alice finds this attacker before the server. Her client ends with `code`, and nobody is in.
fn alice_fails(
    server: &ServerProcess,
    code: i32,
    attack: impl Fn(Unit, Vec<u8>) -> Option<Vec<u8>> + Send + Sync + 'static,
) {
    let wiretap = Wiretap::before(server.address(), attack);
    assert_eq!(alice_tries(server, &wiretap).code, Some(code));
    assert_nobody_came_in(server);
}

#[test]
fn an_attacker_who_only_listens_changes_nothing_and_reads_nothing() {
    let server = ServerProcess::start();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let tape = Arc::clone(&heard);
    let wiretap = Wiretap::before(server.address(), move |_, bytes| {
        tape.lock().unwrap().extend_from_slice(&bytes);
        Some(bytes)
    });
    alice_tries(&server, &wiretap).went_well();
    let heard = heard.lock().unwrap();
    let key = server.link().server_key.unwrap();
    for secret in [TEXT.as_bytes(), b"alice", b"#lobby", support::PASSWORD.as_bytes(), key.as_bytes()] {
        assert!(!heard.windows(secret.len()).any(|window| window == secret), "{secret:?} went over the wire");
    }
}

#[test]
fn downgrade_to_classical() {
    for offer in [b"CHAT\x01\x01\x01".as_slice(), b"CHAT\x01\x02\x70\x01", b"CHAT\x01\x02\x01\x02"] {
        alice_fails(&ServerProcess::start(), 3, move |unit, bytes| {
            Some(if unit.is_from_client && unit.number == 0 { offer.to_vec() } else { bytes })
        });
    }
}

#[test]
fn version_confusion() {
    for (is_from_client, version) in [(true, 2), (true, 0xff), (false, 0), (false, 2)] {
        alice_fails(&ServerProcess::start(), 3, move |unit, mut bytes| {
            if unit.number == 0 && unit.is_from_client == is_from_client {
                bytes[4] = version;
            }
            Some(bytes)
        });
    }
}

#[test]
fn changed_server_key() {
    let (server, other) = (ServerProcess::start(), ServerProcess::start());
    // Alice has the key of the one, and is led to the other.
    let wiretap = Wiretap::before(other.address(), |_, bytes| Some(bytes));
    assert_eq!(alice_tries(&server, &wiretap).code, Some(5));
    assert!(!other.log().contains("handshake done"), "it never learned who she is: {}", other.log());
    assert_nobody_came_in(&other);
}

/// The proof of its key that one client made for a session is shown for the session of another one.
#[test]
fn identity_misbinding() {
    let server = ServerProcess::start();
    let proof = Mutex::new(None);
    let wiretap = Wiretap::before(server.address(), move |unit, bytes| {
        if !unit.is_from_client || unit.number != 2 {
            return Some(bytes);
        }
        let mut proof = proof.lock().unwrap();
        let earlier = proof.take();
        *proof = Some(bytes);
        earlier
    });
    for _ in 0..3 {
        assert_eq!(alice_tries(&server, &wiretap).code, Some(3));
    }
    assert_nobody_came_in(&server);
}

#[test]
fn reflected_message() {
    for to_server in [true, false] {
        // Each side's handshake message is kept, and comes back to it for the one that it waits for next.
        let (of_client, of_server) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        alice_fails(&ServerProcess::start(), 3, move |unit, bytes| {
            let (mut of_client, mut of_server) = (of_client.lock().unwrap(), of_server.lock().unwrap());
            match (unit.is_from_client, unit.number) {
                (true, 1) => of_client.clone_from(&bytes),
                (false, 1) => of_server.clone_from(&bytes),
                _ => {}
            }
            Some(match (unit.is_from_client, unit.number) {
                (true, 2) if to_server => of_server.clone(),
                (false, 1) if !to_server => of_client.clone(),
                _ => bytes,
            })
        });
    }
}

#[test]
fn truncated_stream_is_not_a_goodbye() {
    for way in [Way::ToServer, Way::ToClient] {
        alice_talks_through(way, |_| None);
    }
}

#[test]
fn truncated_record_is_not_a_goodbye() {
    for way in [Way::ToServer, Way::ToClient] {
        alice_talks_through(way, |bytes| Some(bytes[..bytes.len() - 1].to_vec()));
    }
}

#[test]
fn changed_record() {
    for way in [Way::ToServer, Way::ToClient] {
        alice_talks_through(way, |mut bytes| {
            *bytes.last_mut().unwrap() ^= 1;
            Some(bytes)
        });
    }
}

#[test]
fn replayed_record() {
    for way in [Way::ToServer, Way::ToClient] {
        alice_talks_through(way, |bytes| Some(bytes.repeat(2)));
    }
}

#[test]
fn record_that_was_taken_out() {
    for way in [Way::ToServer, Way::ToClient] {
        alice_talks_through(way, |_| Some(Vec::new()));
    }
}

#[test]
fn record_that_was_put_in() {
    for way in [Way::ToServer, Way::ToClient] {
        alice_talks_through(way, |bytes| Some([&[0, 17], [9; 17].as_slice(), &bytes].concat()));
        alice_talks_through(way, |bytes| Some([&[0, 0], bytes.as_slice()].concat()));
    }
}

#[test]
fn a_client_that_leaves_is_heard_to_leave() {
    let server = ServerProcess::start();
    alice_tries(&server, &Wiretap::before(server.address(), |_, bytes| Some(bytes))).went_well();
    eventually("she has left", || server.log().contains("left").then_some(()));
    assert!(!server.log().contains("the connection was lost"), "{}", server.log());
}
