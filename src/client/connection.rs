//! From an address to an open channel, and then one message at a time, with a deadline for each wait. The login
//! speaks through it as it is; afterwards a [`Courier`](super::courier::Courier) gives each half to a thread.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use tracing::debug;
use zeroize::Zeroizing;

use crate::channel::{
    self, ChannelError, Established, Incoming, PublicKey, Record, Sealer, StaticKey, Suite,
};
use crate::link::Link;
use crate::socket::Deadlined;
use crate::wire::{self, ClientMessage, Decoded, NotCbor, ServerMessage};

use super::ClientError;

/// The time for a host to take a connection, for each of its addresses.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// The time for the whole handshake.
pub(super) const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// The most addresses of one host that are tried.
const ADDRESSES_MAX: usize = 8;

/// The most names in one part of a list of people (PROTOCOL.md). In memory an empty name is 24 times what it is on the
/// wire.
const NAMES_MAX: usize = 500;

/// The bytes that sealing adds to a message, and some more.
pub(super) const FRAME_OVERHEAD: usize = 64;

/// An open channel to a server whose key was checked.
pub(super) struct Connection {
    /// What protects it.
    pub(super) suite: Suite,
    /// What the person should be told of the server before anything else.
    pub(super) news: Option<String>,
    pub(super) sending: Sending,
    pub(super) receiving: Receiving,
}

/// The half that sends.
pub(super) struct Sending {
    pub(super) stream: TcpStream,
    pub(super) sealer: Sealer,
}

/// The half that receives.
pub(super) struct Receiving {
    pub(super) stream: TcpStream,
    incoming: Incoming,
    /// What came in the same record as the last message that was given out.
    arrived: VecDeque<ServerMessage>,
}

secret!(Connection, Sending, Receiving);

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("the server said goodbye")]
    Goodbye,
    #[error("the server has been silent for too long")]
    Silent,
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("the server sent something that is no message")]
    NotCbor(#[from] NotCbor),
    #[error("the server sent more names at once than it may")]
    TooManyNames,
}

/// Why there is no channel to a server.
pub(super) enum ConnectError {
    /// The server has none of the suites, and there are weaker ones.
    TooWeak,
    /// Anything else.
    Failed(ClientError),
}

/// Connects to the first of the host's addresses that takes a connection, and opens a channel with one of `suites` if
/// `judge` takes the server for its key and what it brings with that.
pub(super) fn connect(
    link: &Link,
    ours: &StaticKey,
    suites: &[Suite],
    judge: impl FnOnce(PublicKey, &[u8]) -> Result<(), ClientError>,
) -> Result<Connection, ConnectError> {
    let stream = dial(link).map_err(ConnectError::Failed)?;
    let failed = |error| ConnectError::Failed(handshake_failed(link.address(), error));
    let verify = |found, payload: &[u8]| judge(found, payload).map_err(HandshakeEnd::Refused);
    let mut socket = Deadlined::new(&stream, HANDSHAKE_WITHIN);
    let established = channel::connect_with(&mut socket, ours, suites, verify).map_err(|end| match end {
        HandshakeEnd::Refused(error) => ConnectError::Failed(error),
        HandshakeEnd::Channel(ChannelError::NoCommonSuite | ChannelError::SuiteNotOffered)
            if suites != Suite::ALL =>
        {
            ConnectError::TooWeak
        }
        HandshakeEnd::Channel(error) => failed(error),
    })?;
    halves(stream, established).map_err(|error| failed(error.into()))
}

impl Sending {
    /// Sends one message, until `within` has passed.
    pub(super) fn send(&mut self, message: &ClientMessage, within: Duration) -> Result<(), End> {
        let bytes = Zeroizing::new(wire::encode(message));
        // Large enough that it need not move while the message, perhaps a password, lies in it unsealed.
        let mut frame = Vec::with_capacity(bytes.len() + FRAME_OVERHEAD);
        self.sealer.seal([bytes.as_slice()], &mut frame)?;
        Deadlined::new(&self.stream, within).write_all(&frame).map_err(end_of)
    }

    /// Ends the session cleanly, if the socket still takes it.
    pub(super) fn say_goodbye(&mut self, within: Duration) {
        let mut frame = Vec::new();
        if self.sealer.goodbye(&mut frame).is_ok() {
            let _ = Deadlined::new(&self.stream, within).write_all(&frame);
        }
    }
}

impl Receiving {
    /// Has a message received again, before everything else that comes.
    pub(super) fn put_back(&mut self, message: ServerMessage) {
        self.arrived.push_front(message);
    }

    /// The next message, unless `within` passes or the connection ends before. What this version does not know is
    /// passed over.
    pub(super) fn receive(&mut self, within: Duration) -> Result<ServerMessage, End> {
        let until = Instant::now() + within;
        loop {
            if let Some(message) = self.arrived.pop_front() {
                return Ok(message);
            }
            match self.incoming.next_record()? {
                Some(Record::Messages(content)) => self.arrived = messages(content)?,
                Some(Record::KeyUpdate) => {}
                Some(Record::Goodbye) => return Err(End::Goodbye),
                None => {
                    let left = until.saturating_duration_since(Instant::now());
                    let fed = self.incoming.feed_from(&mut Deadlined::new(&self.stream, left));
                    fed.map_err(|error| match error {
                        ChannelError::Io(error) => end_of(error),
                        other => other.into(),
                    })?;
                }
            }
        }
    }
}

/// Where a handshake ends that does not succeed.
enum HandshakeEnd {
    Refused(ClientError),
    Channel(ChannelError),
}

impl From<ChannelError> for HandshakeEnd {
    fn from(error: ChannelError) -> Self {
        Self::Channel(error)
    }
}

fn dial(link: &Link) -> Result<TcpStream, ClientError> {
    let unresolved = |error| ClientError::Resolve { host: link.host.clone(), error };
    let addresses = (link.host.as_str(), link.port).to_socket_addrs().map_err(unresolved)?;
    let mut first_error = None;
    for address in addresses.take(ADDRESSES_MAX) {
        match dial_address(address) {
            Ok(stream) => return Ok(stream),
            // The system puts first what it thinks best, so that one's error tells most.
            Err(error) => _ = first_error.get_or_insert(error),
        }
    }
    let address = link.address();
    Err(match first_error {
        None => unresolved(ErrorKind::NotFound.into()),
        Some(error) => match error.kind() {
            ErrorKind::ConnectionRefused => ClientError::NothingListens { address },
            ErrorKind::TimedOut => ClientError::NoAnswer { address },
            _ => ClientError::Unreachable { address, error },
        },
    })
}

fn dial_address(address: SocketAddr) -> io::Result<TcpStream> {
    debug!(%address, "connecting");
    let stream = TcpStream::connect_timeout(&address, CONNECT_WITHIN)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn halves(stream: TcpStream, established: Established) -> io::Result<Connection> {
    let Established { suite, sealer, incoming, .. } = established;
    let receiving = Receiving { stream: stream.try_clone()?, incoming, arrived: VecDeque::new() };
    Ok(Connection { suite, news: None, sending: Sending { stream, sealer }, receiving })
}

fn handshake_failed(address: String, error: ChannelError) -> ClientError {
    match error {
        ChannelError::Io(error) if error.kind() == ErrorKind::TimedOut => {
            ClientError::SaysNothing { address }
        }
        ChannelError::Io(error) => ClientError::Unreachable { address, error },
        ChannelError::NotChat(_) => ClientError::OtherProgram { address, error },
        ChannelError::Banned => ClientError::AddressBanned { address },
        ChannelError::Full => ClientError::Full { address },
        ChannelError::NoEntropy => ClientError::NoEntropy,
        _ => ClientError::NoChannel { address, error },
    }
}

fn end_of(error: io::Error) -> End {
    match error.kind() {
        ErrorKind::TimedOut => End::Silent,
        _ => End::Channel(error.into()),
    }
}

fn messages(content: &[u8]) -> Result<VecDeque<ServerMessage>, End> {
    let mut known = VecDeque::new();
    for item in wire::decode(content) {
        match item? {
            Decoded::Message(ServerMessage::People { names, .. }) if names.len() > NAMES_MAX => {
                return Err(End::TooManyNames);
            }
            Decoded::Message(message) => known.push_back(message),
            Decoded::UnknownKind(kind) => debug!(kind, "a message of an unknown kind"),
            Decoded::Malformed => debug!("a malformed message"),
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeServer;
    use super::*;
    use crate::channel::NotChat;

    const SOON: Duration = Duration::from_secs(5);

    fn failure(link: &Link) -> ClientError {
        match connect(link, &StaticKey::from_bytes(&[9; 32]), &Suite::ALL, |_, _| Ok(())) {
            Err(ConnectError::Failed(error)) => error,
            Err(_) | Ok(_) => panic!("it went further than it should"),
        }
    }

    #[test]
    fn what_is_in_the_way_is_told_with_what_to_do() {
        let closed = FakeServer::with_key(1).link();
        let error = failure(&closed);
        assert!(matches!(error, ClientError::NothingListens { .. }), "{error}");
        let error = failure(&Link::to_host("does-not-exist.invalid", 1));
        assert!(matches!(error, ClientError::Resolve { .. }), "{error}");
        assert_eq!(error.exit_code(), 3);
    }

    #[test]
    fn other_programs_are_told_apart() {
        type Told = fn(&ClientError) -> bool;
        let cases: [(&[u8], Told); 5] = [
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", |error| {
                matches!(
                    error,
                    ClientError::OtherProgram { error: ChannelError::NotChat(NotChat::WebServer), .. }
                )
            }),
            (b"SSH-2.0-x\r\n", |error| matches!(error, ClientError::OtherProgram { .. })),
            (b"CHAT\x01\xff", |error| matches!(error, ClientError::Full { .. })),
            (b"CHAT\x01\x01\xff\xff", |error| matches!(error, ClientError::NoChannel { .. })),
            (b"CHAT\x01\x01\x00\x60", |error| matches!(error, ClientError::NoChannel { .. })),
        ];
        for (answer, told) in cases {
            let fake = FakeServer::with_key(1);
            let link = fake.link();
            let running = fake.run(move |fake| {
                let mut stream = fake.stream();
                stream.write_all(answer).unwrap();
                // The client hangs up, perhaps by now; what it has sent until then is read, so that nothing is reset.
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let _ = io::copy(&mut stream, &mut io::sink());
            });
            let error = failure(&link);
            assert!(told(&error), "{answer:?}: {error}");
            running.join().unwrap();
        }
    }

    #[test]
    fn messages_of_the_future_are_passed_over_and_others_come_in_order() {
        let fake = FakeServer::with_key(1);
        let (link, key) = (fake.link(), fake.key());
        let running = fake.run(|fake| {
            let mut guest = fake.guest().unwrap();
            let known =
                [ServerMessage::Lagged {}, ServerMessage::Pong {}].map(|message| wire::encode(&message));
            // A message of kind 200 and a number stand between the two.
            guest.send_bytes(&[known[0].as_slice(), b"\x82\x18\xc8\xa0\x07", &known[1]].concat());
            guest.send_bytes(b"\x82\x0a");
        });
        let opened = connect(&link, &StaticKey::from_bytes(&[9; 32]), &Suite::ALL, |found, _| {
            assert_eq!(found, key);
            Ok(())
        });
        let mut connection = opened.unwrap_or_else(|_| panic!("the server holds its key"));
        assert_eq!(connection.receiving.receive(SOON).unwrap(), ServerMessage::Lagged {});
        assert_eq!(connection.receiving.receive(SOON).unwrap(), ServerMessage::Pong {});
        assert!(matches!(connection.receiving.receive(SOON), Err(End::NotCbor(_))));
        running.join().unwrap();
    }

    #[test]
    fn a_silent_server_is_given_up_after_its_time() {
        let fake = FakeServer::with_key(1);
        let (link, key) = (fake.link(), fake.key());
        let running = fake.run(|fake| assert!(fake.guest().unwrap().receive().is_none()));
        let opened = connect(&link, &StaticKey::from_bytes(&[9; 32]), &Suite::ALL, |found, _| {
            assert_eq!(found, key);
            Ok(())
        });
        let mut connection = opened.unwrap_or_else(|_| panic!("the server holds its key"));
        let end = connection.receiving.receive(Duration::from_millis(20));
        assert!(matches!(end, Err(End::Silent)));
        connection.sending.say_goodbye(SOON);
        running.join().unwrap();
    }
}
