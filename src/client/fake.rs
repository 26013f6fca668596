//! For tests: a server on a real socket that does what the test says, and a person who answers what the test says.

use std::collections::VecDeque;
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use zeroize::Zeroizing;

use crate::channel::{self, ChannelError, Incoming, PublicKey, Record, Sealer, StaticKey};
use crate::link::Link;
use crate::wire::{self, ClientMessage, Decoded, ServerMessage};

use super::person::{Person, Unanswered};

/// Listens on a port of its own and holds the key of `number`.
pub(super) struct FakeServer {
    listener: TcpListener,
    key: StaticKey,
}

/// One client at the fake server.
pub(super) struct Guest {
    stream: TcpStream,
    sealer: Sealer,
    incoming: Incoming,
    arrived: VecDeque<ClientMessage>,
}

impl FakeServer {
    pub(super) fn with_key(number: u8) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { listener, key: StaticKey::from_bytes(&[number; 32]) }
    }

    pub(super) fn key(&self) -> PublicKey {
        self.key.public()
    }

    /// Where it is, without its key.
    pub(super) fn link(&self) -> Link {
        Link::to_host("127.0.0.1", self.listener.local_addr().unwrap().port())
    }

    /// The next connection, before any handshake.
    pub(super) fn stream(&self) -> TcpStream {
        self.listener.accept().unwrap().0
    }

    /// The next connection, with its handshake.
    pub(super) fn guest(&self) -> Result<Guest, ChannelError> {
        let mut stream = self.stream();
        let established = channel::accept(&mut stream, &self.key)?;
        let (sealer, incoming) = (established.sealer, established.incoming);
        Ok(Guest { stream, sealer, incoming, arrived: VecDeque::new() })
    }

    /// Does as the test says, on a thread of its own.
    pub(super) fn run(self, script: impl FnOnce(&Self) + Send + 'static) -> JoinHandle<()> {
        thread::spawn(move || script(&self))
    }
}

impl Guest {
    pub(super) fn send(&mut self, message: &ServerMessage) {
        self.send_bytes(&wire::encode(message));
    }

    pub(super) fn send_bytes(&mut self, content: &[u8]) {
        let mut frame = Vec::new();
        self.sealer.seal([content], &mut frame).unwrap();
        std::io::Write::write_all(&mut self.stream, &frame).unwrap();
    }

    pub(super) fn say_goodbye(&mut self) {
        let mut frame = Vec::new();
        self.sealer.goodbye(&mut frame).unwrap();
        std::io::Write::write_all(&mut self.stream, &frame).unwrap();
    }

    /// The next message; `None` is a goodbye.
    pub(super) fn receive(&mut self) -> Option<ClientMessage> {
        loop {
            if let Some(message) = self.arrived.pop_front() {
                return Some(message);
            }
            match self.incoming.next_record().unwrap() {
                Some(Record::Goodbye) => return None,
                Some(Record::KeyUpdate) => {}
                Some(Record::Messages(content)) => {
                    self.arrived.extend(wire::decode(content).map(|item| match item.unwrap() {
                        Decoded::Message(message) => message,
                        other => panic!("{}", matches!(other, Decoded::Malformed)),
                    }));
                }
                None => self.incoming.feed_from(&mut self.stream).unwrap(),
            }
        }
    }
}

/// Gives these answers, and remembers what was asked and told.
#[derive(Default)]
pub(super) struct Scripted {
    answers: VecDeque<&'static str>,
    pub(super) heard: Vec<String>,
}

impl Scripted {
    pub(super) fn answering(answers: &[&'static str]) -> Self {
        Self { answers: answers.iter().copied().collect(), heard: Vec::new() }
    }

    /// Whether everything was asked for.
    pub(super) fn is_done(&self) -> bool {
        self.answers.is_empty()
    }
}

impl Person for Scripted {
    /// Someone without answers is nobody.
    fn is_there(&self) -> bool {
        !self.answers.is_empty() || !self.heard.is_empty()
    }

    fn tell(&mut self, line: &str) {
        self.heard.push(line.to_owned());
    }

    fn ask(&mut self, question: &str) -> Result<String, Unanswered> {
        self.heard.push(question.to_owned());
        self.answers.pop_front().map(str::to_owned).ok_or(Unanswered::Stopped)
    }

    fn ask_secretly(&mut self, question: &str) -> Result<Zeroizing<String>, Unanswered> {
        self.ask(question).map(Zeroizing::new)
    }
}
