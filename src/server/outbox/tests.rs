//! What happens between two steps of `catch_up`, while others push.

use std::io::Read;
use std::net::TcpListener;

use super::*;
use crate::channel::{self, Established, Incoming, Record, StaticKey};
use crate::wire::Decoded;
use rand::rngs::SysRng;

const ROOM: RoomId = RoomId::for_tests(1);

/// An outbox, and the client that reads from it.
struct Pair {
    outbox: Outbox,
    stream: TcpStream,
    incoming: Incoming,
}

impl Pair {
    fn with_bound(bound: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut served, _) = listener.accept().unwrap();
        let client = std::thread::spawn(move || {
            let key = StaticKey::generate(&mut SysRng).unwrap();
            let Established { incoming, .. } =
                channel::connect(&mut stream, &key, |_| Ok::<(), ChannelError>(())).unwrap();
            (stream, incoming)
        });
        let key = StaticKey::generate(&mut SysRng).unwrap();
        let sealer = channel::accept(&mut served, &key).unwrap().sealer;
        let (stream, incoming) = client.join().unwrap();
        Self { outbox: Outbox::new(1, Arc::new(served), sealer, bound), stream, incoming }
    }

    fn flush(&self) -> Flushed {
        self.outbox.flush(&mut Vec::new())
    }

    /// More than the bound, from another thread so to speak.
    fn overflow(&self) {
        while !lock(&self.outbox.queue).is_lagging() {
            self.outbox.push(&ServerMessage::Pong {});
        }
    }

    /// Everything that the client gets until the outbox is closed, but for pongs.
    fn received(mut self) -> Vec<ServerMessage> {
        self.flush();
        self.outbox.close();
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).unwrap();
        self.incoming.feed_from(&mut bytes.as_slice()).unwrap();
        let mut messages = Vec::new();
        while let Some(record) = self.incoming.next_record().unwrap() {
            let Record::Messages(content) = record else { continue };
            messages.extend(wire::decode(content).map(|item| match item.unwrap() {
                Decoded::Message(message) => message,
                other => panic!("{other:?}"),
            }));
        }
        messages.retain(|message| *message != ServerMessage::Pong {});
        messages
    }
}

fn numbered(sequence: u64) -> Numbered {
    Numbered { sequence, bytes: wire::encode(&caught_up(sequence)).into() }
}

fn caught_up(sequence: u64) -> ServerMessage {
    ServerMessage::CaughtUp { room: "#lobby".into(), sequence }
}

fn joined() -> ServerMessage {
    ServerMessage::Joined { room: "#lobby".into(), after: 0, head: 0 }
}

#[test]
fn who_lags_between_a_need_and_its_page_misses_no_message_and_no_list_of_people() {
    let pair = Pair::with_bound(1000);
    assert!(pair.outbox.follow(ROOM, 0, &joined()));
    assert_eq!(pair.flush(), Flushed::Behind);
    let need = pair.outbox.need().unwrap();
    assert!(need.people);
    pair.overflow();
    let people: Encoded = wire::encode(&joined()).into();
    pair.outbox.push_people(ROOM, &[people]);
    pair.outbox.push_page(&need, &[], || 0, caught_up);
    pair.outbox.push_said(ROOM, &[numbered(1)]);
    assert_eq!(pair.flush(), Flushed::Behind, "it is not live");

    let need = pair.outbox.need().unwrap();
    assert!(need.people, "the list was forgotten, so it is needed again");
    assert_eq!(need.after, 0, "and so is the message");
    pair.outbox.push_page(&need, &[numbered(1)], || 1, caught_up);
    pair.outbox.push_said(ROOM, &[numbered(1), numbered(2)]);
    let expected = [joined(), ServerMessage::Lagged {}, caught_up(1), caught_up(1), caught_up(2)];
    assert_eq!(pair.received(), expected);
}

#[test]
fn who_lags_is_told_when_the_server_ends() {
    let pair = Pair::with_bound(1000);
    pair.overflow();
    pair.outbox.end(&joined());
    assert_eq!(pair.received(), [joined()]);
}

#[test]
fn a_queue_that_holds_nearly_nothing_still_tells_that_it_lags_and_comes_to_rest() {
    let pair = Pair::with_bound(1);
    pair.outbox.push(&ServerMessage::Pong {});
    assert_eq!(pair.flush(), Flushed::Behind);
    assert!(pair.outbox.need().is_none());
    assert_eq!(pair.flush(), Flushed::All);
    assert_eq!(pair.received(), [ServerMessage::Lagged {}]);
}

#[test]
fn only_a_full_socket_that_takes_more_tells_that_the_client_reads() {
    let mut pair = Pair::with_bound(usize::MAX);
    pair.outbox.push(&ServerMessage::Pong {});
    assert_eq!(pair.flush(), Flushed::All);
    assert!(!pair.outbox.has_read(), "what the system holds may never be read");
    while pair.flush() != Flushed::Full {
        lock(&pair.outbox.queue).push(vec![0; 60_000].into());
    }
    assert_eq!(pair.flush(), Flushed::Full);
    assert!(!pair.outbox.has_read());
    while pair.flush() == Flushed::Full {
        pair.stream.read_exact(&mut [0; 4096]).unwrap();
    }
    assert!(pair.outbox.has_read());
    assert!(!pair.outbox.has_read(), "it was asked just now");
}

#[test]
fn many_small_answers_take_no_more_memory_than_a_few_large_ones() {
    let pair = Pair::with_bound(100_000);
    let pongs = (1..100_000).find(|_| {
        pair.outbox.push(&ServerMessage::Pong {});
        lock(&pair.outbox.queue).is_lagging()
    });
    assert!(pongs.unwrap() < 1_300, "each takes a place in the queue and an allocation");
}
