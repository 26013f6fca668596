//! `connect` and `accept` with a peer over a socket that is made of snow.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use chat::channel::{ChannelError, Established, Record, Suite, accept, connect};

use super::snow_peer::{handshake_read, handshake_write, transport_read, transport_write};
use super::{CLIENT, SERVER, client_hello, server_hello};

/// What our client offers, as whoever reads the protocol would write it by hand.
const CLIENT_HELLO: &[u8; 8] = b"CHAT\x01\x02\x02\x01";

#[test]
fn connect_talks_to_a_server_that_is_made_of_snow() {
    for suite in Suite::ALL {
        let (mut near, mut far) = stream_pair();
        let server = thread::spawn(move || {
            let mut hello = [0; CLIENT_HELLO.len()];
            far.read_exact(&mut hello).unwrap();
            assert_eq!(hello, *CLIENT_HELLO);
            far.write_all(server_hello(suite)).unwrap();
            let prologue = [&hello, server_hello(suite)].concat();
            let mut snow = SERVER.snow_responder(suite, &prologue);
            handshake_read(&mut snow, &read_frame(&mut far));
            write_frame(&mut far, &handshake_write(&mut snow, &[]));
            handshake_read(&mut snow, &read_frame(&mut far));
            echo_twice(snow.into_transport_mode().unwrap(), &mut far);
        });
        let session = connect(&mut near, &CLIENT.static_key(), |_| Ok::<(), ChannelError>(())).unwrap();
        assert_eq!(session.peer, SERVER.static_key().public());
        assert_eq!(session.suite, suite);
        hear_twice(session, &mut near);
        server.join().unwrap();
    }
}

#[test]
fn accept_talks_to_a_client_that_is_made_of_snow() {
    for suite in Suite::ALL {
        let (mut near, mut far) = stream_pair();
        let client = thread::spawn(move || {
            far.write_all(client_hello(suite)).unwrap();
            let mut answer = [0; 6];
            far.read_exact(&mut answer).unwrap();
            assert_eq!(answer, server_hello(suite));
            let prologue = [client_hello(suite), &answer].concat();
            let mut snow = CLIENT.snow_initiator(suite, &prologue);
            write_frame(&mut far, &handshake_write(&mut snow, &[]));
            handshake_read(&mut snow, &read_frame(&mut far));
            write_frame(&mut far, &handshake_write(&mut snow, &[]));
            echo_twice(snow.into_transport_mode().unwrap(), &mut far);
        });
        let session = accept(&mut near, &SERVER.static_key()).unwrap();
        assert_eq!(session.peer, CLIENT.static_key().public());
        assert_eq!(session.suite, suite);
        hear_twice(session, &mut near);
        client.join().unwrap();
    }
}

/// Both ends of a connection; whoever waits for ever fails.
fn stream_pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    for end in [&near, &far] {
        end.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    }
    (near, far)
}

/// Says two things and hears each of them again.
fn hear_twice(mut session: Established, stream: &mut UnixStream) {
    for text in [b"hello".as_slice(), b"again"] {
        let mut frame = Vec::new();
        session.sealer.seal([text], &mut frame).unwrap();
        stream.write_all(&frame).unwrap();
        session.incoming.feed_from(stream).unwrap();
        assert_eq!(session.incoming.next_record().unwrap(), Some(Record::Messages(text)));
    }
}

/// Sends two records back as they came, as a peer would whose code is none of ours.
fn echo_twice(mut snow: snow::TransportState, stream: &mut UnixStream) {
    for _ in 0..2 {
        let plaintext = transport_read(&mut snow, &read_frame(stream));
        write_frame(stream, &transport_write(&mut snow, &plaintext));
    }
}

fn read_frame(stream: &mut UnixStream) -> Vec<u8> {
    let mut header = [0; 2];
    stream.read_exact(&mut header).unwrap();
    let mut message = vec![0; u16::from_be_bytes(header).into()];
    stream.read_exact(&mut message).unwrap();
    message
}

fn write_frame(stream: &mut UnixStream, message: &[u8]) {
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length, message].concat()).unwrap();
}
