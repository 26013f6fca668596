//! What waits for one client, and how far it is in each of its rooms. No sockets and no sealing: who holds the lock of a
//! queue never waits for anything.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use super::{Encoded, Numbered};
use crate::channel::RECORD_BYTES_MAX;
use crate::names::{RoomName, Username};
use crate::server::bots::Scope;
use crate::server::log::RoomId;
use crate::wire::{self, ServerMessage};

/// What a message takes of memory besides its bytes, at most: its place in the queue, the counts of its `Arc`, what the
/// allocator rounds up to. Without it, a client that asks for answers of three bytes and never reads would make us hold
/// twenty times the bound.
const OVERHEAD_BYTES: usize = 80;

pub(super) struct Queue {
    /// The most bytes that may wait.
    bound: usize,
    waiting: VecDeque<Waiting>,
    /// The memory that `waiting` takes.
    bytes: usize,
    state: State,
    /// Someone will flush: pushing need not ask for it again.
    flush_is_due: bool,
    /// The queue was forgotten and the client has not been told yet.
    lagging: bool,
    /// In the order of their numbers.
    rooms: Vec<Following>,
    /// The client has asked for the rooms of its account, and these were not queued yet.
    telling: Option<Telling>,
}

pub(super) struct Waiting {
    pub(super) bytes: Encoded,
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// What waits is still sent, then a goodbye; nothing more is taken.
    Ending,
    /// Nothing is sent or taken.
    Ended,
}

/// What a client needs next from the log.
pub(in crate::server) struct Need {
    pub(in crate::server) room: RoomId,
    /// The last message that it has or will get.
    pub(in crate::server) after: u64,
    /// The list of people must be queued first.
    pub(in crate::server) people: bool,
}

/// The rooms of an account that a client is still to be told, in the order of their names.
pub(in crate::server) struct Telling {
    pub(in crate::server) account: Username,
    pub(in crate::server) is_admin: bool,
    /// Those that are told, if the session is a bot's.
    pub(in crate::server) scope: Option<Scope>,
    /// The last one that it was told.
    pub(in crate::server) after: Option<RoomName>,
}

/// What is to be sealed next.
pub(super) enum Next {
    /// These, as one record. Never none.
    Messages(Vec<Waiting>),
    /// The end of the session.
    Goodbye,
    /// The session has ended.
    Over,
    /// Nothing waits, and the client is behind.
    Behind,
    /// Nothing waits.
    Nothing,
}

impl Queue {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            bound,
            waiting: VecDeque::new(),
            bytes: 0,
            state: State::Open,
            flush_is_due: false,
            lagging: false,
            rooms: Vec::new(),
            telling: None,
        }
    }

    pub(super) fn push(&mut self, bytes: Encoded) {
        self.push_within(self.bound, Waiting { bytes, place: None });
    }

    /// What has just been said in `room`, unless the client is not that far or has it already.
    pub(super) fn push_said(&mut self, room: RoomId, said: &[Numbered]) {
        for numbered in said {
            if self
                .following(room)
                .is_some_and(|following| following.live && numbered.sequence > following.queued)
            {
                self.push_placed(self.bound, room, numbered);
            }
        }
    }

    /// A change of who is in `room`, unless the whole list is yet to come.
    pub(super) fn push_people_change(&mut self, room: RoomId, bytes: &Encoded) {
        if self.following(room).is_some_and(|following| following.hears_people) {
            self.push(Arc::clone(bytes));
        }
    }

    /// The list of who is in `room`, however long. Changes to it follow.
    pub(super) fn push_people(&mut self, room: RoomId, parts: &[Encoded]) {
        if self.lagging {
            return; // the queue was forgotten again meanwhile; the next need asks for the list anew
        }
        let Some(following) = self.following(room) else {
            return; // left meanwhile
        };
        following.hears_people = true;
        for bytes in parts {
            self.push_in_any_case(Arc::clone(bytes));
        }
    }

    /// Begins to follow `room` after a message. False when it is followed already, or nothing is taken any more.
    pub(super) fn follow(&mut self, room: RoomId, after: u64) -> bool {
        match self.place(room) {
            Err(place) if self.state == State::Open => {
                let following =
                    Following { room, queued: after, sent: after, live: false, hears_people: false };
                self.rooms.insert(place, following);
                true
            }
            _ => false,
        }
    }

    /// Follows `room` no more. What of it waits is still sent.
    pub(super) fn unfollow(&mut self, room: RoomId) {
        if let Ok(place) = self.place(room) {
            self.rooms.remove(place);
        }
    }

    /// The rooms that are followed.
    pub(super) fn followed(&self) -> Vec<RoomId> {
        self.rooms.iter().map(|following| following.room).collect()
    }

    /// All rooms are to be told, from the first one on.
    pub(super) fn tell_rooms(&mut self, telling: Telling) {
        self.telling = Some(telling).filter(|_| self.state == State::Open);
    }

    /// What is to be told next of the rooms, if anything. Who lags is told that before.
    pub(super) fn take_telling(&mut self) -> Option<Telling> {
        if self.lagging { None } else { self.telling.take() }
    }

    /// A part of the rooms was told, and the others are still to be, unless all of them are anew.
    pub(super) fn told_rooms(&mut self, rest: Telling) {
        if self.telling.is_none() && !self.lagging {
            self.tell_rooms(rest);
        }
    }

    /// What is needed next from the log, if anything. Who lags is told of it first.
    pub(super) fn need(&mut self) -> Option<Need> {
        if self.state != State::Open {
            return None;
        }
        if mem::take(&mut self.lagging) {
            self.push_in_any_case(wire::encode(&ServerMessage::Lagged {}).into());
        }
        let following = self.rooms.iter().find(|following| following.is_behind())?;
        Some(Need { room: following.room, after: following.queued, people: !following.hears_people })
    }

    /// A page that answers a need. When it reaches the room's `head`, the client is live from here on.
    pub(super) fn push_page(
        &mut self,
        need: &Need,
        page: &[Numbered],
        head: u64,
        caught_up: impl Fn(u64) -> ServerMessage,
    ) {
        let as_needed = |following: &mut Following| !following.live && following.queued == need.after;
        if self.lagging || !self.following(need.room).is_some_and(as_needed) {
            return; // the queue was forgotten meanwhile; the next need begins further back
        }
        for numbered in page {
            self.push_placed(usize::MAX, need.room, numbered);
        }
        if let Some(following) = self.following(need.room).filter(|following| following.queued >= head) {
            following.live = true;
            let last = following.queued;
            self.push_in_any_case(wire::encode(&caught_up(last)).into());
        }
    }

    /// Takes nothing more after `last`.
    pub(super) fn end(&mut self, last: Encoded) {
        if self.state == State::Open {
            self.lagging = false; // who is behind is told too; the rest of the log is for the next session
            self.push_in_any_case(last);
            self.state = State::Ending;
        }
    }

    /// Takes and gives nothing more.
    pub(super) fn close(&mut self) {
        self.state = State::Ended;
        self.forget();
    }

    /// Whether whoever pushed has to see to a flush. True once until all is sent.
    pub(super) fn asks_for_flush(&mut self) -> bool {
        let due = !self.waiting.is_empty() || self.lagging || self.state == State::Ending;
        due && !mem::replace(&mut self.flush_is_due, true)
    }

    /// A flush will come by itself: the socket is full.
    pub(super) fn expect_flush(&mut self) {
        self.flush_is_due = true;
    }

    /// Takes what fits in one record, in order, and notes what of each room is thereby sent.
    pub(super) fn take_next(&mut self) -> Next {
        let batch = self.take_batch();
        if !batch.is_empty() {
            return Next::Messages(batch);
        }
        self.flush_is_due = false;
        self.waiting = VecDeque::new(); // an idle client holds no buffer
        match self.state {
            State::Ending => {
                self.state = State::Ended;
                Next::Goodbye
            }
            State::Ended => Next::Over,
            State::Open if self.is_behind() => Next::Behind,
            State::Open => Next::Nothing,
        }
    }

    #[cfg(test)]
    pub(super) fn is_lagging(&self) -> bool {
        self.lagging
    }

    fn take_batch(&mut self) -> Vec<Waiting> {
        let (mut batch, mut bytes) = (Vec::<Waiting>::new(), 0);
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
        self.bytes -= bytes + batch.len() * OVERHEAD_BYTES;
        batch
    }

    fn push_placed(&mut self, bound: usize, room: RoomId, Numbered { sequence, bytes }: &Numbered) {
        if self.lagging {
            return;
        }
        if let Some(following) = self.following(room) {
            following.queued = *sequence;
        }
        self.push_within(bound, Waiting { bytes: Arc::clone(bytes), place: Some((room, *sequence)) });
    }

    /// What comes one at a time, and only when what came before is sent: its own size is its bound.
    fn push_in_any_case(&mut self, bytes: Encoded) {
        self.push_within(usize::MAX, Waiting { bytes, place: None });
    }

    /// The one place where the bound is held.
    fn push_within(&mut self, bound: usize, waiting: Waiting) {
        if self.state != State::Open || self.lagging {
            return;
        }
        let bytes = self.bytes + waiting.bytes.len() + OVERHEAD_BYTES;
        if bytes > bound {
            self.forget();
            self.lagging = true;
            return;
        }
        self.bytes = bytes;
        self.waiting.push_back(waiting);
    }

    fn is_behind(&self) -> bool {
        self.lagging || self.telling.is_some() || self.rooms.iter().any(Following::is_behind)
    }

    /// Answers are forgotten for good: who is told of it asks again.
    fn forget(&mut self) {
        self.waiting = VecDeque::new();
        self.bytes = 0;
        self.telling = None;
        for following in &mut self.rooms {
            following.queued = following.sent;
            following.live = false;
            following.hears_people = false;
        }
    }

    fn following(&mut self, room: RoomId) -> Option<&mut Following> {
        let place = self.place(room).ok()?;
        self.rooms.get_mut(place)
    }

    /// Where `room` stands among those that are followed, or would stand.
    fn place(&self, room: RoomId) -> Result<usize, usize> {
        self.rooms.binary_search_by_key(&room, |following| following.room)
    }
}

impl Following {
    fn is_behind(&self) -> bool {
        !self.live || !self.hears_people
    }
}
