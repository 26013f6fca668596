//! What waits for one client: a bounded queue, and the sealed bytes that its socket has not taken yet.
//!
//! Whoever has something for a client puts it in the queue and never waits. Whoever flushes seals all that has gathered
//! as one record and writes it with one call that doesn't block. When the queue would grow past its bound the client
//! is *lagging*: the queue is forgotten, and `catch_up` serves the client from the log once its socket takes bytes
//! again. So a slow reader costs bounded memory, loses nothing, and nobody waits for it.

use std::collections::VecDeque;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex};

use rustix::io::Errno;
use rustix::net::SendFlags;

use super::lock::lock;
use super::log::RoomId;
use crate::channel::{ChannelError, RECORD_BYTES_MAX, Sealer};
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
    bound: usize,
    queue: Mutex<Queue>,
    wire: Mutex<Wire>,
}

/// Written by every thread, under `Outbox::queue`.
struct Queue {
    waiting: VecDeque<Waiting>,
    /// The bytes in `waiting`.
    bytes: usize,
    state: State,
    /// Someone will flush: pushing need not ask for it again.
    flush_is_due: bool,
    /// The queue was forgotten and the client has not been told yet.
    lagging: bool,
    /// `catch_up` has this outbox on its list.
    catching_up: bool,
    rooms: Vec<Following>,
}

struct Waiting {
    bytes: Encoded,
    place: Option<(RoomId, u64)>,
}

/// How far a client is in a room that it is in.
struct Following {
    room: RoomId,
    /// The last message that was put in the queue.
    queued: u64,
    /// The last message that was sealed: from here it goes on when the queue is forgotten.
    sent: u64,
    /// Messages are queued as they are said; else `catch_up` brings them.
    live: bool,
    /// The list of people was queued and changes to it follow.
    hears_people: bool,
}

#[derive(PartialEq, Eq)]
enum State {
    Open,
    /// What waits is still sent, then a goodbye; nothing more is taken.
    Ending,
    /// Nothing is sent or taken.
    Ended,
}

/// Written by whoever flushes, under `Outbox::wire`.
struct Wire {
    sealer: Sealer,
    /// Sealed bytes that the socket did not take.
    unsent: Vec<u8>,
}

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

/// What a client needs next from the log.
pub(super) struct Need {
    pub(super) room: RoomId,
    /// The last message that it has or will get.
    pub(super) after: u64,
    /// The list of people must be queued first.
    pub(super) people: bool,
}

impl Outbox {
    /// An outbox that holds at most `bound` bytes in its queue, and as much as one record beyond it, sealed.
    pub(super) fn new(session: SessionId, stream: Arc<TcpStream>, sealer: Sealer, bound: usize) -> Self {
        let queue = Queue {
            waiting: VecDeque::new(),
            bytes: 0,
            state: State::Open,
            flush_is_due: false,
            lagging: false,
            catching_up: false,
            rooms: Vec::new(),
        };
        let wire = Wire { sealer, unsent: Vec::new() };
        Self { session, stream, bound, queue: Mutex::new(queue), wire: Mutex::new(wire) }
    }

    /// Whose it is.
    pub(super) fn session(&self) -> SessionId {
        self.session
    }

    /// Queues a message for this client. True when it must be flushed by the caller's care.
    pub(super) fn push(&self, message: &ServerMessage) -> bool {
        self.push_encoded(wire::encode(message).into())
    }

    /// Queues a message that others get too.
    pub(super) fn push_encoded(&self, bytes: Encoded) -> bool {
        let mut queue = lock(&self.queue);
        queue.push(Waiting { bytes, place: None }, self.bound);
        queue.asks_for_flush()
    }

    /// Queues what has just been said in `room`, unless the client is not that far or has it already.
    pub(super) fn push_said(&self, room: RoomId, said: &[Numbered]) -> bool {
        let mut queue = lock(&self.queue);
        for Numbered { sequence, bytes } in said {
            if queue.following(room).is_some_and(|following| following.live && *sequence > following.queued) {
                queue.push_placed(room, *sequence, bytes, self.bound);
            }
        }
        queue.asks_for_flush()
    }

    /// Queues a change of who is in `room`, unless the whole list is yet to come.
    pub(super) fn push_people_change(&self, room: RoomId, bytes: &Encoded) -> bool {
        let mut queue = lock(&self.queue);
        if queue.following(room).is_some_and(|following| following.hears_people) {
            queue.push(Waiting { bytes: Arc::clone(bytes), place: None }, self.bound);
        }
        queue.asks_for_flush()
    }

    /// Queues the list of who is in `room`. The caller holds the room's lock, so that no change is missed.
    pub(super) fn push_people(&self, room: RoomId, parts: &[Encoded]) {
        let mut queue = lock(&self.queue);
        if let Some(following) = queue.following(room) {
            following.hears_people = true;
        }
        for bytes in parts {
            queue.push(Waiting { bytes: Arc::clone(bytes), place: None }, usize::MAX);
        }
    }

    /// Begins to follow `room` after the message `after`, with `joined` as the answer. False when it is followed already.
    pub(super) fn follow(&self, room: RoomId, after: u64, joined: &ServerMessage) -> bool {
        let mut queue = lock(&self.queue);
        if queue.following(room).is_some() {
            return false;
        }
        queue.rooms.push(Following { room, queued: after, sent: after, live: false, hears_people: false });
        queue.push(Waiting { bytes: wire::encode(joined).into(), place: None }, self.bound);
        true
    }

    /// What the client needs next from the log; `None` when it needs nothing. `catch_up` asks.
    pub(super) fn need(&self) -> Option<Need> {
        let mut queue = lock(&self.queue);
        if queue.state != State::Open {
            return None;
        }
        if std::mem::take(&mut queue.lagging) {
            let bytes = wire::encode(&ServerMessage::Lagged {}).into();
            queue.push(Waiting { bytes, place: None }, self.bound);
        }
        let following = queue.rooms.iter().find(|following| following.is_behind())?;
        Some(Need { room: following.room, after: following.queued, people: !following.hears_people })
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
        if queue.following(need.room).is_none_or(|following| following.live || following.queued != need.after)
        {
            return; // the queue was forgotten meanwhile; the next need begins further back
        }
        for Numbered { sequence, bytes } in page {
            queue.push_placed(need.room, *sequence, bytes, usize::MAX);
        }
        let Some(following) = queue.following(need.room) else { return };
        if following.queued >= head() {
            following.live = true;
            let bytes = wire::encode(&caught_up(following.queued)).into();
            queue.push(Waiting { bytes, place: None }, usize::MAX);
        }
    }

    /// Whether `catch_up` has to put this outbox on its list; true once, until [`Self::caught_one_page`].
    pub(super) fn enlist_to_catch_up(&self) -> bool {
        let mut queue = lock(&self.queue);
        !std::mem::replace(&mut queue.catching_up, true)
    }

    /// `catch_up` has taken this outbox off its list.
    pub(super) fn caught_one_page(&self) {
        lock(&self.queue).catching_up = false;
    }

    /// Takes nothing more, sends what waits, then `last`, then a goodbye.
    pub(super) fn end(&self, last: &ServerMessage) {
        let mut queue = lock(&self.queue);
        if queue.state == State::Open {
            queue.push(Waiting { bytes: wire::encode(last).into(), place: None }, usize::MAX);
            queue.state = State::Ending;
        }
    }

    /// Forgets everything and closes the connection, which also ends its reader.
    pub(super) fn close(&self) {
        let mut queue = lock(&self.queue);
        queue.state = State::Ended;
        queue.forget();
        drop(queue);
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Seals what waits and writes it, as much as the socket takes without waiting. `scratch` is anyone's buffer.
    pub(super) fn flush(&self, scratch: &mut Vec<u8>) -> Flushed {
        let mut wire = lock(&self.wire);
        match self.write(&wire.unsent) {
            Ok(count) if count < wire.unsent.len() => {
                wire.unsent.drain(..count);
                return self.full();
            }
            Ok(_) => wire.unsent = Vec::new(),
            Err(_) => return self.lost(),
        }
        loop {
            scratch.clear();
            match self.seal_next(&mut wire.sealer, scratch) {
                Ok(Sealed::Some) => {}
                Ok(Sealed::Nothing(end)) => return end,
                Err(_) => return self.lost(),
            }
            match self.write(scratch) {
                Ok(count) if count < scratch.len() => {
                    wire.unsent.extend_from_slice(scratch.get(count..).unwrap_or_default());
                    return self.full();
                }
                Ok(_) => {}
                Err(_) => return self.lost(),
            }
        }
    }

    /// Seals one record of what has gathered.
    fn seal_next(&self, sealer: &mut Sealer, out: &mut Vec<u8>) -> Result<Sealed, ChannelError> {
        let mut queue = lock(&self.queue);
        let batch = queue.take_batch();
        if !batch.is_empty() {
            drop(queue);
            sealer.seal(batch.iter().map(|waiting| &*waiting.bytes), out)?;
            return Ok(Sealed::Some);
        }
        queue.flush_is_due = false;
        queue.waiting = VecDeque::new(); // an idle client holds no buffer
        match queue.state {
            State::Ending => {
                queue.state = State::Ended;
                drop(queue);
                sealer.goodbye(out)?;
                Ok(Sealed::Some)
            }
            State::Ended => Ok(Sealed::Nothing(Flushed::Over)),
            State::Open if queue.needs_catch_up() => Ok(Sealed::Nothing(Flushed::Behind)),
            State::Open => Ok(Sealed::Nothing(Flushed::All)),
        }
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
    fn full(&self) -> Flushed {
        lock(&self.queue).flush_is_due = true;
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

enum Sealed {
    Some,
    Nothing(Flushed),
}

impl Queue {
    /// The one place where the bound is held.
    fn push(&mut self, waiting: Waiting, bound: usize) {
        if self.state != State::Open || self.lagging {
            return;
        }
        if self.bytes + waiting.bytes.len() > bound {
            self.forget();
            self.lagging = true;
            return;
        }
        self.bytes += waiting.bytes.len();
        self.waiting.push_back(waiting);
    }

    fn push_placed(&mut self, room: RoomId, sequence: u64, bytes: &Encoded, bound: usize) {
        if self.lagging {
            return;
        }
        if let Some(following) = self.following(room) {
            following.queued = sequence;
        }
        self.push(Waiting { bytes: Arc::clone(bytes), place: Some((room, sequence)) }, bound);
    }

    fn forget(&mut self) {
        self.waiting = VecDeque::new();
        self.bytes = 0;
        for following in &mut self.rooms {
            following.queued = following.sent;
            following.live = false;
            following.hears_people = false;
        }
    }

    /// What fits in one record, in order; notes what of each room is thereby sent.
    fn take_batch(&mut self) -> Vec<Waiting> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(next) = self.waiting.front()
            && bytes + next.bytes.len() <= RECORD_BYTES_MAX
            && let Some(waiting) = self.waiting.pop_front()
        {
            bytes += waiting.bytes.len();
            if let Some((room, sequence)) = waiting.place
                && let Some(following) = self.following(room)
            {
                following.sent = sequence;
            }
            batch.push(waiting);
        }
        self.bytes -= bytes;
        batch
    }

    fn asks_for_flush(&mut self) -> bool {
        let due = !self.waiting.is_empty() || self.lagging || self.state == State::Ending;
        due && !std::mem::replace(&mut self.flush_is_due, true)
    }

    fn needs_catch_up(&self) -> bool {
        self.lagging || self.rooms.iter().any(Following::is_behind)
    }

    fn following(&mut self, room: RoomId) -> Option<&mut Following> {
        self.rooms.iter_mut().find(|following| following.room == room)
    }
}

impl Following {
    fn is_behind(&self) -> bool {
        !self.live || !self.hears_people
    }
}
