//! A client that has once had the hybrid suite from a server wants no less from it, whatever the server or someone on
//! the way says.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use chat::channel::{ChannelError, StaticKey, Suite};
use chat::link::Link;
use client::{Ended, FakeServer, Home, Piped};
use rand::rngs::SysRng;
use support::{Peer, ServerProcess};

/// The hello of a client that offers both suites, and of one that wants the hybrid one.
const OFFERS_BOTH: &[u8] = b"CHAT\x01\x02\x02\x01";
const WANTS_HYBRID: &[u8] = b"CHAT\x01\x01\x02";

/// The line of the one server that is known.
fn line(home: &Home) -> String {
    fs::read_to_string(home.known_servers()).unwrap().lines().last().unwrap().to_owned()
}

/// A session in which nothing is said, and what the server then makes of the next client.
fn visit(home: &Home, server: FakeServer, link: &Link) -> (Ended, FakeServer) {
    let client = Piped::start(home.client_as("alice", &link.to_string(), &[]));
    let running = server.run(|server| {
        server.resident().see_off();
        server
    });
    let ended = client.finish();
    (ended, running.join().unwrap())
}

#[test]
fn a_server_that_can_not_do_any_more_what_it_did_is_refused_until_the_line_is_edited() {
    let (home, mut server) = (Home::new(), FakeServer::new());
    let link = server.link();
    let ended;
    (ended, server) = visit(&home, server, &link);
    ended.went_well();
    let hybrid = format!("{} {} hybrid", link.address(), link.server_key.unwrap());
    assert_eq!(line(&home), hybrid);

    server.suites = &[Suite::Classical];
    let running = server.run(|server| (server.try_guest().err().unwrap(), server));
    let refused = Piped::run(home.client_as("alice", &link.to_string(), &[]), "a secret\n");
    let remove = format!("remove the word 'hybrid' from line 2 of {}", home.known_servers().display());
    refused.says(3, &[&link.address(), "does less than it once did", "hybrid suite", &remove]);
    let (error, server) = running.join().unwrap();
    assert!(matches!(error, ChannelError::NoCommonSuite), "{error}");
    assert_eq!(line(&home), hybrid);

    let place = format!("{} {}", link.address(), link.server_key.unwrap());
    fs::write(home.known_servers(), format!("{place}\n")).unwrap();
    let (ended, mut server) = visit(&home, server, &link);
    ended.went_well();
    assert_eq!(line(&home), format!("{place} classical"));

    // When it is strong again, that is noted again.
    server.suites = &Suite::ALL;
    visit(&home, server, &link).0.went_well();
    assert_eq!(line(&home), hybrid);
}

#[test]
fn a_suite_counts_as_seen_only_once_the_server_has_proved_its_key() {
    let (home, mut server) = (Home::new(), FakeServer::new());
    let link = server.link();
    server.suites = &[Suite::Classical];
    let (ended, mut someone) = visit(&home, server, &link);
    ended.went_well();
    let classical = format!("{} {} classical", link.address(), link.server_key.unwrap());
    assert_eq!(line(&home), classical);
    // Someone without the key does the hybrid handshake at the same place.
    someone.key = StaticKey::generate(&mut SysRng).unwrap();
    someone.suites = &Suite::ALL;
    let running = someone.run(|someone| someone.try_guest().is_err());
    Piped::run(home.client_as("alice", &link.to_string(), &[]), "").says(5, &["another key"]);
    assert!(running.join().unwrap());
    assert_eq!(line(&home), classical);
}

/// Stands before `server` for one connection: passes on `offer` in the place of the client's hello, which must be
/// `expected`, and `answer`, if there is one, in the place of the server's.
fn meddle(
    listener: &TcpListener,
    server: &Link,
    [expected, offer]: [&'static [u8]; 2],
    answer: Option<&'static [u8]>,
) -> JoinHandle<()> {
    let (listener, address) = (listener.try_clone().unwrap(), server.address());
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = TcpStream::connect(address).unwrap();
        let mut hello = vec![0; expected.len()];
        client.read_exact(&mut hello).unwrap();
        assert_eq!(hello, expected);
        server.write_all(offer).unwrap();
        let mut answered = [0; 6];
        server.read_exact(&mut answered).unwrap();
        client.write_all(answer.unwrap_or(&answered)).unwrap();
        let (client_again, server_again) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let back = thread::spawn(move || pass_on(server_again, client_again));
        pass_on(client, server);
        back.join().unwrap();
    })
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

#[test]
fn who_strips_the_hybrid_suite_from_the_hello_on_the_way_gets_no_session() {
    let (home, server) = (Home::new(), ServerProcess::start());
    Peer::signed_up(server.link(), "alice").leave();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let link = Link { server_key: server.link().server_key, ..Link::to_host("127.0.0.1", port) };
    let run = || Piped::run(home.client_as("alice", &link.to_string(), &[]), "a secret\n");

    // The first time the client does not know better, and the handshake fails because the hellos are part of it.
    let meddler = meddle(&listener, server.link(), [OFFERS_BOTH, b"CHAT\x01\x01\x01"], None);
    run().says(3, &["is not authentic"]);
    meddler.join().unwrap();
    assert!(!home.known_servers().exists());

    let honest = meddle(&listener, server.link(), [OFFERS_BOTH, OFFERS_BOTH], None);
    run().went_well();
    honest.join().unwrap();
    assert!(line(&home).ends_with(" hybrid"));

    // Afterwards it offers nothing else, and does not even begin a handshake with less.
    for (offer, answer) in [
        (b"CHAT\x01\x01\x01".as_slice(), None),
        (b"CHAT\x01\x02\x02\x01", Some(b"CHAT\x01\x01".as_slice())),
        (WANTS_HYBRID, Some(b"CHAT\x01\x00")),
    ] {
        let meddler = meddle(&listener, server.link(), [WANTS_HYBRID, offer], answer);
        run().says(3, &["does less than it once did", "remove the word 'hybrid' from line 2"]);
        meddler.join().unwrap();
    }
    let honest = meddle(&listener, server.link(), [WANTS_HYBRID, WANTS_HYBRID], None);
    run().went_well();
    honest.join().unwrap();
    assert!(!server.log().contains("panicked"));
}
