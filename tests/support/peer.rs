//! Someone on the other end of a real socket.

use std::collections::VecDeque;
use std::net::TcpStream;

use chat::channel::{self, ChannelError, Incoming, Record, Sealer, StaticKey};
use chat::link::Link;
use chat::wire::{self, BODY_TEXT, ClientMessage, Decoded, MessageId, SecretText, ServerMessage};
use rand::rngs::SysRng;
use std::io::Write;

use super::{PASSWORD, PATIENCE};

/// A session that has done its handshake.
pub struct Peer {
    pub stream: TcpStream,
    pub sealer: Sealer,
    incoming: Incoming,
    heard: VecDeque<ServerMessage>,
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
        let mut stream = TcpStream::connect(link.address())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let key = StaticKey::generate(&mut SysRng)?;
        let expected = link.server_key;
        let established = channel::connect(&mut stream, &key, |server| {
            assert_eq!(Some(server), expected);
            Ok::<(), ChannelError>(())
        })?;
        Ok(Self {
            stream,
            sealer: established.sealer,
            incoming: established.incoming,
            heard: VecDeque::new(),
        })
    }

    /// Connects and signs up.
    pub fn signed_up(link: &Link, name: &str) -> Self {
        let mut peer = Self::connect(link);
        peer.send(&ClientMessage::SignUp { name: name.into(), password: secret(PASSWORD) });
        assert!(matches!(peer.next(), ServerMessage::LoggedIn { .. }));
        peer
    }

    /// Connects and logs in.
    pub fn logged_in(link: &Link, name: &str) -> Self {
        let mut peer = Self::connect(link);
        peer.send(&ClientMessage::LogIn { name: name.into(), password: secret(PASSWORD) });
        assert!(matches!(peer.next(), ServerMessage::LoggedIn { .. }));
        peer
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
        self.try_send(&ClientMessage::Say { room: "#lobby".into(), id, kind: BODY_TEXT, body })
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
    pub fn wait_for(&mut self, wanted: impl Fn(&ServerMessage) -> bool) -> ServerMessage {
        loop {
            let message = self.next();
            if wanted(&message) {
                return message;
            }
        }
    }

    /// The next message or the end.
    pub fn hear(&mut self) -> Heard {
        loop {
            while let Some(message) = self.heard.pop_front() {
                if message == (ServerMessage::Ping {}) {
                    let _ = self.try_send(&ClientMessage::Pong {});
                } else {
                    return Heard::Message(message);
                }
            }
            loop {
                match self.incoming.next_record().unwrap() {
                    Some(Record::Messages(content)) => {
                        self.heard.extend(wire::decode(content).map(|item| match item.unwrap() {
                            Decoded::Message(message) => message,
                            other => panic!("the server sent {other:?}"),
                        }));
                    }
                    Some(Record::Goodbye) if self.heard.is_empty() => return Heard::Goodbye,
                    Some(Record::Goodbye) => panic!("messages and a goodbye in one go are not expected here"),
                    None => break,
                }
            }
            if self.heard.is_empty() {
                match self.incoming.feed_from(&mut self.stream) {
                    Ok(()) => {}
                    Err(ChannelError::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                        panic!("nothing came for {PATIENCE:?}")
                    }
                    Err(_) => return Heard::Lost,
                }
            }
        }
    }
}

/// A password for a message.
pub fn secret(text: &str) -> SecretText {
    SecretText(text.to_owned().into())
}
