//! Someone on the other end of a real socket.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};
use std::net::{IpAddr, TcpStream};

use chat::channel::{self, ChannelError, Incoming, Record, Sealer, StaticKey};
use chat::link::Link;
use chat::wire::{self, BODY_TEXT, ClientMessage, Decoded, MessageId, SecretText, ServerMessage};
use rand::rngs::SysRng;

use super::{PASSWORD, PATIENCE, connect_from};

/// A session that has done its handshake.
pub struct Peer {
    pub stream: TcpStream,
    pub sealer: Sealer,
    incoming: Incoming,
    heard: VecDeque<ServerMessage>,
    /// The server has said goodbye, after what is in `heard`.
    goodbye: bool,
}

/// How the other side ended, or what it said.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Message(ServerMessage),
    Goodbye,
    Lost,
}

impl Peer {
    /// Connects, shakes hands, and takes the server's welcome.
    pub fn connect(link: &Link) -> Self {
        let mut peer = Self::try_connect(link).unwrap();
        assert!(matches!(peer.next(), ServerMessage::Welcome { .. }));
        peer
    }

    /// Connects and shakes hands, if the server lets us.
    pub fn try_connect(link: &Link) -> Result<Self, ChannelError> {
        Self::over(TcpStream::connect(link.address())?, link)
    }

    /// Connects with a key of one's own, and takes the server's welcome.
    pub fn with_key(link: &Link, key: &StaticKey) -> Self {
        let mut peer = Self::try_with_key(link, key).unwrap();
        assert!(matches!(peer.next(), ServerMessage::Welcome { .. }));
        peer
    }

    /// Connects with a key of one's own and shakes hands, if the server lets us.
    pub fn try_with_key(link: &Link, key: &StaticKey) -> Result<Self, ChannelError> {
        Self::shake_hands(TcpStream::connect(link.address())?, link, key)
    }

    /// Connects from another address of this computer, and takes the server's welcome.
    pub fn from_host(host: IpAddr, link: &Link) -> Self {
        let mut peer = Self::try_from_host(host, link).unwrap();
        assert!(matches!(peer.next(), ServerMessage::Welcome { .. }));
        peer
    }

    /// Connects from another address and shakes hands, if the server lets us.
    pub fn try_from_host(host: IpAddr, link: &Link) -> Result<Self, ChannelError> {
        Self::over(connect_from(host, link.address().parse().unwrap()), link)
    }

    /// The same with a key of one's own.
    pub fn try_from_host_with_key(host: IpAddr, link: &Link, key: &StaticKey) -> Result<Self, ChannelError> {
        Self::shake_hands(connect_from(host, link.address().parse().unwrap()), link, key)
    }

    /// The same as [`Self::try_connect`] on a socket of one's own making.
    pub fn over(stream: TcpStream, link: &Link) -> Result<Self, ChannelError> {
        Self::shake_hands(stream, link, &StaticKey::generate(&mut SysRng)?)
    }

    fn shake_hands(mut stream: TcpStream, link: &Link, key: &StaticKey) -> Result<Self, ChannelError> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let expected = link.server_key;
        let established = channel::connect(&mut stream, key, |server| {
            assert_eq!(Some(server), expected);
            Ok::<(), ChannelError>(())
        })?;
        let (sealer, incoming) = (established.sealer, established.incoming);
        Ok(Self { stream, sealer, incoming, heard: VecDeque::new(), goodbye: false })
    }

    /// Connects and signs up.
    pub fn signed_up(link: &Link, name: &str) -> Self {
        let mut peer = Self::connect(link);
        assert!(matches!(peer.sign_up(name, PASSWORD), ServerMessage::LoggedIn { .. }), "{name}");
        peer
    }

    /// Connects and logs in.
    pub fn logged_in(link: &Link, name: &str) -> Self {
        let mut peer = Self::connect(link);
        peer.send(&ClientMessage::LogIn { name: name.into(), password: secret(PASSWORD) });
        assert!(matches!(peer.next(), ServerMessage::LoggedIn { .. }));
        peer
    }

    /// Logs in on a session that has been welcomed.
    pub fn log_in(&mut self, name: &str, password: &str) -> ServerMessage {
        self.send(&ClientMessage::LogIn { name: name.into(), password: secret(password) });
        self.next()
    }

    /// The same, on a connection that may be gone.
    pub fn try_log_in(&mut self, name: &str, password: &str) -> Heard {
        match self.try_send(&ClientMessage::LogIn { name: name.into(), password: secret(password) }) {
            Ok(()) => self.hear(),
            Err(_) => Heard::Lost,
        }
    }

    /// Signs up on a session that has been welcomed.
    pub fn sign_up(&mut self, name: &str, password: &str) -> ServerMessage {
        self.sign_up_with(name, password, None)
    }

    /// The same, perhaps with an invite.
    pub fn sign_up_with(&mut self, name: &str, password: &str, invite: Option<&str>) -> ServerMessage {
        let (name, password, invite) = (name.into(), secret(password), invite.map(secret));
        self.send(&ClientMessage::SignUp { name, password, invite, server_password: None });
        self.next()
    }

    /// Asks for the lobby, and takes what comes until it is caught up. Gives what was said.
    pub fn join(&mut self, after: Option<u64>) -> Vec<ServerMessage> {
        self.send(&ClientMessage::Join { room: "#lobby".into(), after });
        let mut said = Vec::new();
        loop {
            match self.next() {
                ServerMessage::CaughtUp { .. } => return said,
                message @ ServerMessage::Said { .. } => said.push(message),
                ServerMessage::Refused { text, .. } => panic!("the join was refused: {text}"),
                _ => {}
            }
        }
    }

    /// Says something in the lobby, and gives its id.
    pub fn say(&mut self, text: &str) -> MessageId {
        let id = MessageId::random().unwrap();
        self.say_as(id, text);
        id
    }

    /// Says something in the lobby with a certain id.
    pub fn say_as(&mut self, id: MessageId, text: &str) {
        self.try_say_as(id, text).unwrap();
    }

    /// The same, on a connection that may be gone.
    pub fn try_say_as(&mut self, id: MessageId, text: &str) -> std::io::Result<()> {
        let body = text.as_bytes().to_vec().into();
        self.try_send(&ClientMessage::Say { room: "#lobby".into(), id, kind: BODY_TEXT, body, of: None })
    }

    /// Sends a message in a record of its own.
    pub fn send(&mut self, message: &ClientMessage) {
        self.try_send(message).unwrap();
    }

    /// The same, on a connection that may be gone.
    pub fn try_send(&mut self, message: &ClientMessage) -> std::io::Result<()> {
        self.send_content(&wire::encode(message))
    }

    /// Seals anything at all as a record of messages, and sends it.
    pub fn send_content(&mut self, content: &[u8]) -> std::io::Result<()> {
        let mut frame = Vec::new();
        self.sealer.seal([content], &mut frame).unwrap();
        self.stream.write_all(&frame)
    }

    /// Says goodbye.
    pub fn leave(mut self) {
        let mut frame = Vec::new();
        self.sealer.goodbye(&mut frame).unwrap();
        self.stream.write_all(&frame).unwrap();
    }

    /// The next message; pings are answered and passed over.
    pub fn next(&mut self) -> ServerMessage {
        match self.hear() {
            Heard::Message(message) => message,
            end => panic!("the session ended: {end:?}"),
        }
    }

    /// The first message that `wanted` takes.
    pub fn wait_for(&mut self, mut wanted: impl FnMut(&ServerMessage) -> bool) -> ServerMessage {
        loop {
            let message = self.next();
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Waits until the message with this id is accepted, and gives its place.
    pub fn wait_until_accepted(&mut self, wanted: MessageId) -> u64 {
        loop {
            match self.next() {
                ServerMessage::Accepted { id, sequence, .. } if id == wanted => return sequence,
                ServerMessage::Refused { text, .. } => panic!("refused: {text}"),
                _ => {}
            }
        }
    }

    /// The next message or the end; pings are answered and passed over.
    pub fn hear(&mut self) -> Heard {
        loop {
            match self.hear_everything() {
                Heard::Message(ServerMessage::Ping {}) => {
                    let _ = self.try_send(&ClientMessage::Pong {});
                }
                heard => return heard,
            }
        }
    }

    /// The next message, pings too, or the end.
    pub fn hear_everything(&mut self) -> Heard {
        while self.heard.is_empty() && !self.goodbye {
            match self.incoming.feed_from(&mut self.stream) {
                Ok(()) => self.open_records(),
                Err(ChannelError::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    panic!("nothing came for {PATIENCE:?}")
                }
                Err(_) => return Heard::Lost,
            }
        }
        self.heard.pop_front().map_or(Heard::Goodbye, Heard::Message)
    }

    /// What is left until the end, and how that was.
    pub fn hear_out(&mut self) -> (Vec<ServerMessage>, Heard) {
        let mut last = Vec::new();
        loop {
            match self.hear() {
                Heard::Message(message) => last.push(message),
                end => return (last, end),
            }
        }
    }

    fn open_records(&mut self) {
        loop {
            match self.incoming.next_record().unwrap() {
                Some(Record::Messages(content)) => {
                    self.heard.extend(wire::decode(content).map(|item| match item.unwrap() {
                        Decoded::Message(message) => message,
                        other => panic!("the server sent {other:?}"),
                    }));
                }
                Some(Record::Goodbye) => self.goodbye = true,
                Some(Record::KeyUpdate) => {}
                None => return,
            }
        }
    }
}

/// A password for a message.
pub fn secret(text: &str) -> SecretText {
    SecretText(text.to_owned().into())
}
