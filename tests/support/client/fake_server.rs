//! A server on a real socket that does what a test says: it speaks the protocol through the crate's own `channel` and
//! `wire`, and no server's rules hold for it.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use chat::channel::{self, ChannelError, Incoming, Record, Sealer, StaticKey, Suite};
use chat::link::Link;
use chat::wire::{self, ClientMessage, Decoded, MessageId, ServerMessage};
use rand::rngs::SysRng;

use crate::support::{PATIENCE, eventually};

/// Listens on a port of its own, with a key of its own.
pub struct FakeServer {
    listener: TcpListener,
    /// Who it is.
    pub key: StaticKey,
    /// What it speaks, strongest first.
    pub suites: &'static [Suite],
    /// What it brings with the second message of the handshake.
    pub payload: Vec<u8>,
}

/// One client at the fake server.
pub struct Guest {
    pub stream: TcpStream,
    sealer: Sealer,
    incoming: Incoming,
    arrived: VecDeque<ClientMessage>,
}

impl FakeServer {
    /// On a free port of the loopback address.
    pub fn new() -> Self {
        Self::at("127.0.0.1:0")
    }

    /// On another address, as soon as no connection of another process has its port.
    pub fn at(address: &str) -> Self {
        let listener = eventually("the port is free", || TcpListener::bind(address).ok());
        listener.set_nonblocking(true).unwrap();
        Self {
            listener,
            key: StaticKey::generate(&mut SysRng).unwrap(),
            suites: &Suite::ALL,
            payload: Vec::new(),
        }
    }

    /// Where it is, with its key.
    pub fn link(&self) -> Link {
        Link { server_key: Some(self.key.public()), ..self.place() }
    }

    /// Where it is, without its key.
    pub fn place(&self) -> Link {
        Link::to_host("127.0.0.1", self.listener.local_addr().unwrap().port())
    }

    /// Only its socket, which does not wait for anyone.
    pub fn into_listener(self) -> TcpListener {
        self.listener
    }

    /// The next connection, before any handshake.
    pub fn stream(&self) -> TcpStream {
        let stream = eventually("a client connects", || match self.listener.accept() {
            Ok((stream, _)) => Some(stream),
            Err(error) => (error.kind() != ErrorKind::WouldBlock).then(|| panic!("{error}")),
        });
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// The next connection, with its handshake.
    pub fn try_guest(&self) -> Result<Guest, ChannelError> {
        let mut stream = self.stream();
        let established = channel::accept_with(&mut stream, &self.key, self.suites, &self.payload)?;
        let (sealer, incoming) = (established.sealer, established.incoming);
        Ok(Guest { stream, sealer, incoming, arrived: VecDeque::new() })
    }

    /// The same, welcomed and logged in, when it has asked for the room.
    pub fn member(&self) -> Guest {
        let mut guest = self.try_guest().unwrap();
        guest.welcome();
        let name = guest.login_name();
        guest.send(&ServerMessage::LoggedIn { name, role: 0 });
        guest.receive_join();
        guest
    }

    /// The same, when it has entered the empty room and is alone there.
    pub fn resident(&self) -> Guest {
        let mut guest = self.member();
        guest.let_in(0, 0);
        guest.send(&ServerMessage::CaughtUp { room: "#lobby".into(), sequence: 0 });
        guest
    }

    /// Does as the test says, on a thread of its own.
    pub fn run<T: Send + 'static>(self, script: impl FnOnce(Self) -> T + Send + 'static) -> JoinHandle<T> {
        thread::spawn(move || script(self))
    }
}

impl Guest {
    /// Says what a server says first.
    pub fn welcome(&mut self) {
        let (software, password_rule) = ("fake".into(), "any".into());
        self.send(&ServerMessage::Welcome {
            protocol: 1,
            software,
            password_rule,
            body_max: 16_384,
            registration: None,
            wants_server_password: None,
        });
    }

    /// The name that it wants to log in or sign up with.
    pub fn login_name(&mut self) -> String {
        match self.receive() {
            Some(ClientMessage::SignUp { name, .. } | ClientMessage::LogIn { name, .. }) => name,
            _ => panic!("no login"),
        }
    }

    /// Takes its wish to enter the room, and gives the place after which it wants to hear.
    pub fn receive_join(&mut self) -> Option<u64> {
        match self.receive() {
            Some(ClientMessage::Join { after, .. }) => after,
            _ => panic!("no join"),
        }
    }

    /// Lets it into the room.
    pub fn let_in(&mut self, after: u64, head: u64) {
        self.send(&ServerMessage::Joined { room: "#lobby".into(), after, head });
    }

    /// Takes something that it says, and gives its id and text.
    pub fn receive_said(&mut self) -> (MessageId, String) {
        match self.receive() {
            Some(ClientMessage::Say { id, body, .. }) => (id, String::from_utf8(body.to_vec()).unwrap()),
            _ => panic!("not said"),
        }
    }

    /// Sends a message in a record of its own.
    pub fn send(&mut self, message: &ServerMessage) {
        self.try_send(message).unwrap();
    }

    /// The same, to a client that may be gone.
    pub fn try_send(&mut self, message: &ServerMessage) -> std::io::Result<()> {
        self.try_send_content(&wire::encode(message))
    }

    /// Seals anything at all as a record of messages, and sends it.
    pub fn try_send_content(&mut self, content: &[u8]) -> std::io::Result<()> {
        let mut frame = Vec::new();
        self.sealer.seal([content], &mut frame).unwrap();
        self.stream.write_all(&frame)
    }

    /// Ends the session cleanly.
    pub fn say_goodbye(&mut self) {
        let mut frame = Vec::new();
        self.sealer.goodbye(&mut frame).unwrap();
        let _ = self.stream.write_all(&frame);
    }

    /// The next message; `None` is a goodbye or the end.
    pub fn receive(&mut self) -> Option<ClientMessage> {
        loop {
            match self.arrived.pop_front() {
                Some(ClientMessage::MyRooms {} | ClientMessage::Ignore { .. }) => continue, // as a server that has but one
                Some(message) => return Some(message),
                None => {}
            }
            match self.incoming.next_record().unwrap() {
                Some(Record::Goodbye) => return None,
                Some(Record::KeyUpdate) => {}
                Some(Record::Messages(content)) => {
                    self.arrived.extend(wire::decode(content).map(|item| match item.unwrap() {
                        Decoded::Message(message) => message,
                        Decoded::UnknownKind(_) | Decoded::Malformed => panic!("the client sent no message"),
                    }));
                }
                None => match self.incoming.feed_from(&mut self.stream) {
                    Ok(()) => {}
                    Err(ChannelError::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                        panic!("nothing came for {PATIENCE:?}")
                    }
                    Err(_) => return None,
                },
            }
        }
    }

    /// Ends the connection without a word, when the client has got everything.
    pub fn hang_up(self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
        self.see_off();
    }

    /// Passes over everything until the client is gone.
    pub fn see_off(mut self) {
        while self.receive().is_some() {}
    }
}

/// When something was said or happened, in milliseconds since 1970.
pub const NOON: u64 = 1_795_170_840_000;

/// Something that was said in the lobby just now.
pub fn said(sequence: u64, author: &str, body: impl AsRef<[u8]>) -> ServerMessage {
    ServerMessage::Said {
        room: "#lobby".into(),
        sequence,
        at: NOON,
        author: author.into(),
        id: MessageId::random().unwrap(),
        kind: 0,
        body: body.as_ref().to_vec().into(),
        of: None,
        edited: None,
    }
}
