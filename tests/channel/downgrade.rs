//! An attacker on the wire who would rather have the two ends speak the classical suite, so as to read later what is
//! recorded now. Both hellos are in the prologue, so all that can be had is that there is no session.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

use chat::channel::{ChannelError, Established, Suite, accept, connect};

use super::{
    CLASSICAL_CLIENT_HELLO, CLASSICAL_SERVER_HELLO, CLIENT_HELLO, Parties, SERVER_HELLO, stream_pair,
};

/// What the attacker tells the server for the client's hello, and the client for the server's.
struct Attack {
    offer: &'static [u8],
    answer: &'static [u8],
}

#[test]
fn downgrade_to_classical() {
    // The hybrid suite is taken out of the offer: the server chooses the classical one in good faith, and the client
    // takes it, as it offered it. The client is the first to see something of the prologue.
    let attack = Attack { offer: CLASSICAL_CLIENT_HELLO, answer: CLASSICAL_SERVER_HELLO };
    let (client, server) = both_ends_fail(attack);
    assert!(matches!(client, ChannelError::NotAuthentic), "{client}");
    assert!(matches!(server, ChannelError::Closed), "{server}");

    // It is replaced by a suite that nobody knows, so that the offer keeps its length.
    let attack = Attack { offer: b"CHAT\x01\x02\x70\x01", answer: CLASSICAL_SERVER_HELLO };
    let (client, server) = both_ends_fail(attack);
    assert!(matches!(client, ChannelError::NotAuthentic), "{client}");
    assert!(matches!(server, ChannelError::Closed), "{server}");

    // The offer arrives, and the server's answer is changed: the two ends speak different suites, and the server misses
    // the encapsulation key.
    let attack = Attack { offer: CLIENT_HELLO, answer: CLASSICAL_SERVER_HELLO };
    let (client, server) = both_ends_fail(attack);
    assert!(matches!(client, ChannelError::Closed), "{client}");
    assert!(matches!(server, ChannelError::BadLength), "{server}");

    // Both are changed, so that the client believes in a hybrid suite of which the server knows nothing.
    let attack = Attack { offer: CLASSICAL_CLIENT_HELLO, answer: SERVER_HELLO };
    let (client, server) = both_ends_fail(attack);
    assert!(matches!(client, ChannelError::BadLength), "{client}");
    assert!(matches!(server, ChannelError::Closed), "{server}");
}

#[test]
fn an_attacker_who_only_passes_on_what_is_said_changes_nothing() {
    let (client, server) = between(Attack { offer: CLIENT_HELLO, answer: SERVER_HELLO });
    let (client, server) = (client.unwrap(), server.unwrap());
    assert_eq!((client.suite, server.suite), (Suite::Hybrid, Suite::Hybrid));
    assert_eq!(client.handshake_hash, server.handshake_hash);
}

fn both_ends_fail(attack: Attack) -> (ChannelError, ChannelError) {
    let (client, server) = between(attack);
    (client.err().unwrap(), server.err().unwrap())
}

/// What a client and a server make of each other with an attacker between them.
fn between(attack: Attack) -> (Result<Established, ChannelError>, Result<Established, ChannelError>) {
    let (mut client_end, from_client) = stream_pair();
    let (mut server_end, from_server) = stream_pair();
    thread::scope(|scope| {
        scope.spawn(|| pass_on(attack, from_client, from_server).unwrap());
        // Each end closes its connection when it has failed.
        let server = scope.spawn(move || accept(&mut server_end, &Parties::of(Suite::Hybrid).server));
        let client = connect(&mut client_end, &Parties::of(Suite::Hybrid).client, |_| Ok(()));
        drop(client_end);
        (client, server.join().unwrap())
    })
}

/// Changes the hellos, and leaves everything after them as it is.
fn pass_on(attack: Attack, mut client: UnixStream, mut server: UnixStream) -> io::Result<()> {
    client.read_exact(&mut [0; CLIENT_HELLO.len()])?;
    server.write_all(attack.offer)?;
    server.read_exact(&mut [0; SERVER_HELLO.len()])?;
    client.write_all(attack.answer)?;
    let (client_again, server_again) = (client.try_clone()?, server.try_clone()?);
    let back = thread::spawn(move || pass_on_one_way(server_again, client_again));
    pass_on_one_way(client, server);
    back.join().unwrap();
    Ok(())
}

/// An end that has closed takes nothing more, which is no error here.
fn pass_on_one_way(mut from: UnixStream, mut to: UnixStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
