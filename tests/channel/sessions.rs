//! `connect` and `accept` with each other, and how a session goes on and ends.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use chat::channel::{
    ChannelError, Established, Incoming, NotChat, PublicKey, Record, StaticKey, Suite, accept, connect,
};

use super::{CLIENT_HELLO, HEADER_BYTES, Parties, SERVER_HELLO, sessions, stream_pair};

/// Why a client did not want a session.
#[derive(Debug)]
enum Unwanted {
    Channel(ChannelError),
    Key(PublicKey),
}

impl From<ChannelError> for Unwanted {
    fn from(error: ChannelError) -> Self {
        Self::Channel(error)
    }
}

#[test]
fn both_ends_agree_and_know_each_other() {
    let parties = Parties::of(Suite::Hybrid);
    let [one, two, three] = parties.sizes();
    let (near, far) = stream_pair();
    let [mut near, mut far] = [near, far].map(|stream| Counted { stream, sent: 0 });
    let (client, server) = established(&parties, &mut near, &mut far);
    assert_eq!(client.handshake_hash, server.handshake_hash);
    assert_eq!((client.suite, server.suite), (Suite::Hybrid, Suite::Hybrid));
    assert_eq!(client.peer, parties.server.public());
    assert_eq!(server.peer, parties.client.public());
    assert_eq!(near.sent, CLIENT_HELLO.len() + HEADER_BYTES + one + HEADER_BYTES + three);
    assert_eq!(far.sent, SERVER_HELLO.len() + HEADER_BYTES + two);
}

#[test]
fn a_stream_that_gives_single_bytes_and_is_interrupted_is_good_enough() {
    let (near, far) = stream_pair();
    let (client, server) =
        established(&Parties::of(Suite::Hybrid), &mut Crumbs::of(near), &mut Crumbs::of(far));
    assert_eq!(client.handshake_hash, server.handshake_hash);
}

#[test]
fn records_go_both_ways_until_the_goodbye() {
    let (mut near, mut far) = stream_pair();
    let (mut client, mut server) = established(&Parties::of(Suite::Hybrid), &mut near, &mut far);
    for (from, to) in [(&mut client.sealer, &mut server.incoming), (&mut server.sealer, &mut client.incoming)]
    {
        let mut stream = Vec::new();
        from.seal([b"one".as_slice()], &mut stream).unwrap();
        from.seal([], &mut stream).unwrap();
        from.seal([b"two ".as_slice(), b"parts"], &mut stream).unwrap();
        from.goodbye(&mut stream).unwrap();
        let mut source = Crumbs::of(stream.as_slice());
        assert_eq!(next(to, &mut source).unwrap(), Some(b"one".to_vec()));
        assert_eq!(next(to, &mut source).unwrap(), Some(Vec::new()));
        assert_eq!(next(to, &mut source).unwrap(), Some(b"two parts".to_vec()));
        assert_eq!(next(to, &mut source).unwrap(), None);
    }
}

#[test]
fn all_that_comes_with_one_read_is_given_before_more_is_needed() {
    for (mut client, server) in sessions() {
        let mut incoming = Established::from(server).incoming;
        let mut stream = Vec::new();
        for number in 0..3 {
            client.sealer.seal([[number].as_slice()], &mut stream).unwrap();
        }
        incoming.feed_from(&mut stream.as_slice()).unwrap();
        for number in 0..3 {
            assert_eq!(incoming.next_record().unwrap(), Some(Record::Messages(&[number])));
        }
        assert_eq!(incoming.next_record().unwrap(), None);
    }
}

#[test]
fn a_client_that_does_not_want_the_servers_key_shows_nothing_of_its_own() {
    let parties = Parties::of(Suite::Hybrid);
    let (near, mut far) = stream_pair();
    let server_key = StaticKey::from_bytes(&parties.server.to_bytes());
    let server = thread::spawn(move || accept(&mut far, &server_key).err().unwrap());

    let mut near = Counted { stream: near, sent: 0 };
    let refused = connect(&mut near, &parties.client, |key| Err(Unwanted::Key(key))).err();
    let Some(Unwanted::Key(shown)) = refused else { panic!("{refused:?}") };
    assert_eq!(shown, parties.server.public());
    assert_eq!(near.sent, CLIENT_HELLO.len() + HEADER_BYTES + parties.sizes()[0]);

    drop(near);
    assert!(matches!(server.join().unwrap(), ChannelError::Closed));
}

#[test]
fn what_goes_wrong_below_comes_out_as_the_callers_own_error() {
    let (mut near, mut far) = stream_pair();
    far.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    let refused = connect(&mut near, &Parties::of(Suite::Hybrid).client, |key| Err(Unwanted::Key(key))).err();
    assert!(matches!(refused, Some(Unwanted::Channel(ChannelError::NotChat(NotChat::WebServer)))));
}

#[test]
fn an_end_without_a_goodbye_is_a_lost_connection_wherever_it_is() {
    for parties in Parties::of_each_suite() {
        let said = || {
            let (mut client, server) = parties.session();
            let mut stream = Vec::new();
            client.sealer.seal([b"one".as_slice()], &mut stream).unwrap();
            let goodbye_at = stream.len();
            client.sealer.goodbye(&mut stream).unwrap();
            (stream, goodbye_at, Established::from(server).incoming)
        };
        for length in 0..said().0.len() {
            let (stream, goodbye_at, mut incoming) = said();
            let mut source = &stream[..length];
            if length >= goodbye_at {
                assert_eq!(next(&mut incoming, &mut source).unwrap(), Some(b"one".to_vec()));
            }
            let end = next(&mut incoming, &mut source);
            assert!(matches!(end, Err(ChannelError::Closed)), "{length} bytes");
        }
    }
}

#[test]
fn a_stream_of_another_session_is_refused_at_its_first_frame() {
    for parties in Parties::of_each_suite() {
        let ((mut client, _), (_, server)) = (parties.session(), parties.session());
        let mut stream = Vec::new();
        client.sealer.seal([b"one".as_slice()], &mut stream).unwrap();
        let mut incoming = Established::from(server).incoming;
        assert!(matches!(next(&mut incoming, &mut stream.as_slice()), Err(ChannelError::NotAuthentic)));
    }
}

/// The content of the next record, or `None` at the goodbye.
fn next(incoming: &mut Incoming, source: &mut impl Read) -> Result<Option<Vec<u8>>, ChannelError> {
    loop {
        match incoming.next_record()? {
            Some(Record::Messages(content)) => return Ok(Some(content.to_vec())),
            Some(Record::Goodbye) => return Ok(None),
            Some(Record::KeyUpdate) => {}
            None => incoming.feed_from(source)?,
        }
    }
}

/// The client's and the server's end of a session that begins over these two ends of a connection.
fn established<S: Read + Write + Send>(
    parties: &Parties,
    near: &mut S,
    far: &mut S,
) -> (Established, Established) {
    thread::scope(|scope| {
        let server = scope.spawn(|| accept(far, &parties.server).unwrap());
        let client = connect(near, &parties.client, |_| Ok::<(), ChannelError>(())).unwrap();
        (client, server.join().unwrap())
    })
}

/// A stream that counts what is sent.
struct Counted {
    stream: UnixStream,
    sent: usize,
}

impl Read for Counted {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.stream.read(to)
    }
}

impl Write for Counted {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let count = self.stream.write(from)?;
        self.sent += count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A stream that takes and gives one byte at a time, and is interrupted before each that it gives.
struct Crumbs<S> {
    stream: S,
    interrupted: bool,
}

impl<S> Crumbs<S> {
    fn of(stream: S) -> Self {
        Self { stream, interrupted: false }
    }
}

impl<S: Read> Read for Crumbs<S> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = to.len().min(1);
        self.stream.read(&mut to[..most])
    }
}

impl<S: Write> Write for Crumbs<S> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.stream.write(&from[..from.len().min(1)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
