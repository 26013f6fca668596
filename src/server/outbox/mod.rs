//! What waits for one client: a bounded queue, and the sealed bytes that its socket has not taken yet.
//!
//! Whoever has something for a client puts it in the queue and never waits. Whoever flushes seals all that has gathered
//! as one record and writes it with one call that doesn't block. When the queue would grow past its bound the client
//! is *lagging*: the queue is forgotten, and `catch_up` serves the client from the log once its socket takes bytes
//! again. So a slow reader costs bounded memory, loses nothing, and nobody waits for it.

mod queue;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::SendFlags;

pub(super) use self::queue::{Need, Telling};
use self::queue::{Next, Queue};
use super::lock::lock;
use super::log::RoomId;
use crate::channel::{ChannelError, Sealer};
use crate::wire::{self, ServerMessage};

/// A connection's number, unique while the server runs.
pub(super) type SessionId = usize;

/// An encoded message, shared by the outboxes of all who get it.
pub(super) type Encoded = Arc<[u8]>;

/// A room's message with its sequence number.
pub(super) struct Numbered {
    pub(super) sequence: u64,
    pub(super) bytes: Encoded,
}

/// Two locks: `queue` for all who have something to say, held for a few pushes; `wire` for whoever flushes, never
/// waited for by those.
pub(super) struct Outbox {
    session: SessionId,
    stream: Arc<TcpStream>,
    /// Written by every thread.
    queue: Mutex<Queue>,
    /// Written by whoever flushes.
    wire: Mutex<Wire>,
    /// `catch_up` has this outbox on its list. Set by whoever finds that the client is behind, taken by `catch_up`.
    is_enlisted: AtomicBool,
    /// A full socket has taken something: the client reads, however slowly. Set by whoever flushes, taken by
    /// housekeeping.
    has_read: AtomicBool,
}

struct Wire {
    sealer: Sealer,
    /// Sealed bytes that the socket did not take.
    unsent: Vec<u8>,
    /// Since when it has taken none.
    full_since: Option<Instant>,
}

secret!(Outbox, Wire);

/// How a flush ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    /// The socket took everything.
    All,
    /// It took everything, and the client has to catch up from the log.
    Behind,
    /// The socket is full; flush again when it can be written.
    Full,
    /// The goodbye is out, or the connection is gone.
    Over,
}

impl Outbox {
    /// An outbox that holds at most `bound` bytes in its queue, and as much as one record beyond it, sealed.
    pub(super) fn new(session: SessionId, stream: Arc<TcpStream>, sealer: Sealer, bound: usize) -> Self {
        Self {
            session,
            stream,
            queue: Mutex::new(Queue::new(bound)),
            wire: Mutex::new(Wire { sealer, unsent: Vec::new(), full_since: None }),
            is_enlisted: AtomicBool::new(false),
            has_read: AtomicBool::new(false),
        }
    }

    /// Whose it is.
    pub(super) fn session(&self) -> SessionId {
        self.session
    }

    /// Queues a message for this client. True when it must be flushed by the caller's care; so below.
    pub(super) fn push(&self, message: &ServerMessage) -> bool {
        self.push_encoded(wire::encode(message).into())
    }

    /// The same for a message that is encoded already.
    pub(super) fn push_encoded(&self, bytes: Encoded) -> bool {
        self.queue_and_ask(|queue| queue.push(bytes))
    }

    /// Queues what has just been said in `room`, unless the client is not that far or has it already.
    pub(super) fn push_said(&self, room: RoomId, said: &[Numbered]) -> bool {
        self.queue_and_ask(|queue| queue.push_said(room, said))
    }

    /// Queues a change of who is in `room`, unless the whole list is yet to come.
    pub(super) fn push_people_change(&self, room: RoomId, bytes: &Encoded) -> bool {
        self.queue_and_ask(|queue| queue.push_people_change(room, bytes))
    }

    /// Queues the list of who is in `room`. The caller holds the room's lock, so that no change is missed.
    pub(super) fn push_people(&self, room: RoomId, parts: &[Encoded]) {
        lock(&self.queue).push_people(room, parts);
    }

    /// Begins to follow `room` after the message `after`, with `joined` as the answer. False when it is followed already,
    /// or nothing is taken any more.
    pub(super) fn follow(&self, room: RoomId, after: u64, joined: &ServerMessage) -> bool {
        let mut queue = lock(&self.queue);
        let is_new = queue.follow(room, after);
        if is_new {
            queue.push(wire::encode(joined).into());
        }
        is_new
    }

    /// Follows `room` no more. What of it waits is still sent.
    pub(super) fn unfollow(&self, room: RoomId) {
        lock(&self.queue).unfollow(room);
    }

    /// The rooms that are followed.
    pub(super) fn followed(&self) -> Vec<RoomId> {
        lock(&self.queue).followed()
    }

    /// All rooms of the account are to be told, from the first one on, as fast as the client reads. The caller flushes.
    pub(super) fn tell_rooms(&self, telling: Telling) {
        lock(&self.queue).tell_rooms(telling);
    }

    /// What is to be told next of the rooms, if anything. `catch_up` asks.
    pub(super) fn take_telling(&self) -> Option<Telling> {
        lock(&self.queue).take_telling()
    }

    /// A part of the rooms was queued, and these are the rest.
    pub(super) fn told_rooms(&self, rest: Telling) {
        lock(&self.queue).told_rooms(rest);
    }

    /// What the client needs next from the log; `None` when it needs nothing. `catch_up` asks.
    pub(super) fn need(&self) -> Option<Need> {
        lock(&self.queue).need()
    }

    /// Queues a page of the log that answers a [`Need`]. `head` tells the room's last number, asked under the lock;
    /// when the page reaches it, the client is live from here on.
    pub(super) fn push_page(
        &self,
        need: &Need,
        page: &[Numbered],
        head: impl Fn() -> u64,
        caught_up: impl Fn(u64) -> ServerMessage,
    ) {
        let mut queue = lock(&self.queue);
        let head = head();
        queue.push_page(need, page, head, caught_up);
    }

    /// Whether `catch_up` has to put this outbox on its list; true once, until [`Self::caught_one_page`].
    pub(super) fn enlist_to_catch_up(&self) -> bool {
        !self.is_enlisted.swap(true, Ordering::AcqRel)
    }

    /// `catch_up` has taken this outbox off its list.
    pub(super) fn caught_one_page(&self) {
        self.is_enlisted.store(false, Ordering::Release);
    }

    /// Takes nothing more, sends what waits, then `last`, then a goodbye.
    pub(super) fn end(&self, last: &ServerMessage) {
        lock(&self.queue).end(wire::encode(last).into());
    }

    /// Whether the client has read, since this was last asked, so that a socket which had been full took more.
    pub(super) fn has_read(&self) -> bool {
        self.has_read.swap(false, Ordering::Relaxed)
    }

    /// For how long the client has read nothing of what waits for it.
    pub(super) fn unread_for(&self) -> Duration {
        lock(&self.wire).full_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Forgets everything and closes the connection, which also ends its reader.
    pub(super) fn close(&self) {
        lock(&self.queue).close();
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Seals what waits and writes it, as much as the socket takes without waiting. `scratch` is anyone's buffer.
    pub(super) fn flush(&self, scratch: &mut Vec<u8>) -> Flushed {
        let mut wire = lock(&self.wire);
        let resumed = self.write(&wire.unsent);
        if matches!(resumed, Ok(1..)) {
            self.has_read.store(true, Ordering::Relaxed);
            wire.full_since = None;
        }
        match resumed {
            Ok(count) if count < wire.unsent.len() => {
                wire.unsent.drain(..count);
                return self.full(&mut wire);
            }
            Ok(_) => wire.unsent = Vec::new(),
            Err(_) => return self.lost(),
        }
        loop {
            scratch.clear();
            match self.seal_next(&mut wire.sealer, scratch) {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(_) => return self.lost(),
            }
            match self.write(scratch) {
                Ok(count) if count < scratch.len() => {
                    wire.unsent.extend_from_slice(scratch.get(count..).unwrap_or_default());
                    return self.full(&mut wire);
                }
                Ok(_) => {}
                Err(_) => return self.lost(),
            }
        }
    }

    /// Seals one record of what has gathered; or tells how the flush ends.
    fn seal_next(&self, sealer: &mut Sealer, out: &mut Vec<u8>) -> Result<Option<Flushed>, ChannelError> {
        let next = lock(&self.queue).take_next();
        match next {
            Next::Messages(batch) => sealer.seal(batch.iter().map(|waiting| &*waiting.bytes), out)?,
            Next::Goodbye => sealer.goodbye(out)?,
            Next::Over => return Ok(Some(Flushed::Over)),
            Next::Behind => return Ok(Some(Flushed::Behind)),
            Next::Nothing => return Ok(Some(Flushed::All)),
        }
        Ok(None)
    }

    fn queue_and_ask(&self, push: impl FnOnce(&mut Queue)) -> bool {
        let mut queue = lock(&self.queue);
        push(&mut queue);
        queue.asks_for_flush()
    }

    /// Writes without waiting. Gives how much the socket took.
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match rustix::net::send(&*self.stream, rest, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) => written += count,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(written)
    }

    /// The flush is due when the socket can be written, whatever is pushed meanwhile.
    fn full(&self, wire: &mut Wire) -> Flushed {
        wire.full_since.get_or_insert_with(Instant::now);
        lock(&self.queue).expect_flush();
        Flushed::Full
    }

    fn lost(&self) -> Flushed {
        self.close();
        Flushed::Over
    }
}

impl AsFd for Outbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
