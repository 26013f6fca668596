//! Carries messages between the session and an open connection. One thread receives and one sends, so that neither a
//! socket that takes nothing nor a person who reads slowly can hold up the other direction.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::channel::{ChannelError, RECORD_BYTES_MAX};
use crate::wire::{self, ClientMessage, ServerMessage};

use super::connection::{Connection, FRAME_OVERHEAD, Receiving, Sending};
use super::event::Event;
use super::model::OWN_MAX;
use super::renewal::LineId;

/// The most messages that wait for the socket: all that a person can have waiting, and what the program adds.
const WAITING_MAX: usize = OWN_MAX + 24;

/// What is sealed and written at once, in bytes, goes little over this.
const WRITE_BYTES: usize = RECORD_BYTES_MAX;

/// The two threads of a connection. What comes is told as [`Event::Server`], and its end, once, as [`Event::Ended`].
pub(super) struct Courier {
    outgoing: SyncSender<Parcel>,
    stream: TcpStream,
    threads: [JoinHandle<()>; 2],
}

/// The socket has not taken anything for so long that no more can wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stuck;

enum Parcel {
    /// An encoded message, which may hold a password.
    Message(Zeroizing<Vec<u8>>),
    /// Nothing follows.
    Goodbye,
}

secret!(Courier, Parcel);

impl Courier {
    /// Starts the threads. What they tell, they tell of this line. When nothing comes, or nothing is taken, for as long as
    /// `silence`, the connection is lost.
    pub(super) fn start(
        connection: Connection,
        line: LineId,
        silence: Duration,
        events: SyncSender<Event>,
    ) -> std::io::Result<Self> {
        let Connection { sending, receiving, .. } = connection;
        let stream = sending.stream.try_clone()?;
        let (outgoing, parcels) = sync_channel(WAITING_MAX);
        let answers = outgoing.clone();
        let sender =
            thread::Builder::new().name("send".into()).spawn(move || send(sending, silence, &parcels))?;
        let receiver = thread::Builder::new()
            .name("receive".into())
            .spawn(move || receive(receiving, line, silence, &answers, &events))?;
        Ok(Self { outgoing, stream, threads: [sender, receiver] })
    }

    /// Sends a message, after those before it; it does not wait.
    pub(super) fn send(&self, message: &ClientMessage) -> Result<(), Stuck> {
        match self.outgoing.try_send(Parcel::Message(wire::encode(message).into())) {
            Err(TrySendError::Full(_)) => Err(Stuck),
            // A connection that is at its end is told as an event.
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(()),
        }
    }

    /// Ends our direction cleanly, after everything that was sent before. The server then ends its own.
    pub(super) fn say_goodbye(&self) {
        let _ = self.outgoing.try_send(Parcel::Goodbye);
    }

    /// Cuts the connection; its end is still told.
    pub(super) fn cut(&self) {
        shut(&self.stream);
    }

    /// Waits for both threads, which end at once if [`Event::Ended`] has come or nobody takes events any more.
    pub(super) fn join(self) {
        self.cut();
        let Self { outgoing, threads, .. } = self;
        drop(outgoing);
        for thread in threads {
            // A panic in a thread was told by the panic itself, and its connection is over.
            let _ = thread.join();
        }
    }
}

fn receive(
    mut receiving: Receiving,
    line: LineId,
    silence: Duration,
    answers: &SyncSender<Parcel>,
    events: &SyncSender<Event>,
) {
    let end = loop {
        match receiving.receive(silence) {
            // When so many messages wait that there is no room for this one, the server hears from us anyway.
            Ok(ServerMessage::Ping {}) => {
                let _ = answers.try_send(Parcel::Message(wire::encode(&ClientMessage::Pong {}).into()));
            }
            Ok(message) => {
                if events.send(Event::Server(line, message)).is_err() {
                    return;
                }
            }
            Err(end) => break end,
        }
    };
    shut(&receiving.stream);
    let _ = events.send(Event::Ended(line, end));
}

/// Seals together what waits together. It ends after the goodbye, when nobody sends any more, or with the socket.
fn send(mut sending: Sending, silence: Duration, parcels: &Receiver<Parcel>) {
    // What the socket does not take within this time, while nothing comes either, it will not take.
    let _ = sending.stream.set_write_timeout(Some(silence));
    while let Ok(first) = parcels.recv() {
        let mut frames = Vec::new();
        let mut next = Some(first);
        let mut is_last = false;
        while let Some(parcel) = next {
            is_last = matches!(parcel, Parcel::Goodbye);
            if seal(&mut sending, &parcel, &mut frames).is_err() {
                return shut(&sending.stream);
            }
            next = if is_last || frames.len() >= WRITE_BYTES { None } else { parcels.try_recv().ok() };
        }
        if sending.stream.write_all(&frames).is_err() {
            return shut(&sending.stream);
        }
        if is_last {
            let _ = sending.stream.shutdown(Shutdown::Write);
            return;
        }
    }
}

fn seal(sending: &mut Sending, parcel: &Parcel, frames: &mut Vec<u8>) -> Result<(), ChannelError> {
    match parcel {
        Parcel::Message(bytes) => {
            frames.reserve(bytes.len() + FRAME_OVERHEAD); // so that it does not move while it lies there unsealed
            sending.sealer.seal([bytes.as_slice()], frames)
        }
        Parcel::Goodbye => sending.sealer.goodbye(frames),
    }
}

/// Fails only when the connection is gone already, which is what it is for.
fn shut(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::super::connection::{End, connect};
    use super::super::fake::{FakeServer, Guest};
    use super::*;
    use crate::channel::{StaticKey, Suite};

    fn started(script: impl FnOnce(Guest) + Send + 'static) -> (Courier, Receiver<Event>, JoinHandle<()>) {
        let fake = FakeServer::with_key(1);
        let (link, key) = (fake.link(), fake.key());
        let running = fake.run(|fake| script(fake.guest().unwrap()));
        let opened = connect(&link, &StaticKey::from_bytes(&[9; 32]), &Suite::ALL, |found, _| {
            assert_eq!(found, key);
            Ok(())
        });
        let connection = opened.unwrap_or_else(|_| panic!("the server holds its key"));
        let (events, inbox) = sync_channel(1);
        (Courier::start(connection, 7, Duration::from_secs(60), events).unwrap(), inbox, running)
    }

    #[test]
    fn pings_are_answered_and_everything_else_is_told_in_order() {
        let (courier, inbox, running) = started(|mut guest| {
            guest.send(&ServerMessage::Ping {});
            assert!(matches!(guest.receive(), Some(ClientMessage::Pong {})));
            guest.send(&ServerMessage::Lagged {});
            guest.send(&ServerMessage::Pong {});
            guest.say_goodbye();
        });
        assert!(matches!(inbox.recv().unwrap(), Event::Server(7, ServerMessage::Lagged {})));
        assert!(matches!(inbox.recv().unwrap(), Event::Server(7, ServerMessage::Pong {})));
        assert!(matches!(inbox.recv().unwrap(), Event::Ended(7, End::Goodbye)));
        courier.join();
        running.join().unwrap();
    }

    #[test]
    fn an_end_without_a_goodbye_is_a_lost_connection() {
        let (courier, inbox, running) = started(drop);
        assert!(matches!(inbox.recv().unwrap(), Event::Ended(7, End::Channel(ChannelError::Closed))));
        courier.join();
        running.join().unwrap();
    }

    #[test]
    fn what_was_sent_arrives_before_the_goodbye() {
        let (courier, inbox, running) = started(|mut guest| {
            for _ in 0..100 {
                assert!(matches!(guest.receive(), Some(ClientMessage::Ping {})));
            }
            assert!(guest.receive().is_none());
            guest.say_goodbye();
        });
        for _ in 0..100 {
            courier.send(&ClientMessage::Ping {}).unwrap();
        }
        courier.say_goodbye();
        assert!(matches!(inbox.recv().unwrap(), Event::Ended(7, End::Goodbye)));
        courier.join();
        running.join().unwrap();
    }

    #[test]
    fn a_session_that_takes_no_more_events_ends_the_threads() {
        let (courier, inbox, running) = started(|mut guest| {
            for _ in 0..100 {
                guest.send(&ServerMessage::Pong {});
            }
            assert!(guest.receive().is_none());
        });
        courier.say_goodbye();
        running.join().unwrap();
        drop(inbox);
        courier.join();
    }
}
