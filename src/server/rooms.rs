//! Rooms: who is in them, how far they are, and the delivery of what was said to all who are there.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::clock;
use super::lock::lock;
use super::log::RoomId;
use super::outbox::{Encoded, Numbered, Outbox, SessionId};
use crate::names::{RoomName, Username};
use crate::wire::{self, PEOPLE_MAX, ServerMessage};

/// Someone who joins without having been here before gets this many messages.
const FIRST_MESSAGES: u64 = 50;

/// All rooms of the server.
pub(super) struct Rooms(Vec<Arc<Room>>);

impl Rooms {
    /// These rooms.
    pub(super) fn new(rooms: Vec<Arc<Room>>) -> Self {
        Self(rooms)
    }

    /// The room of this name.
    pub(super) fn find(&self, name: &RoomName) -> Option<&Arc<Room>> {
        self.0.iter().find(|room| room.name == *name)
    }

    /// The room with this number.
    pub(super) fn find_by_id(&self, id: RoomId) -> Option<&Arc<Room>> {
        self.0.iter().find(|room| room.id == id)
    }

    /// Takes a session out of every room that it is in.
    pub(super) fn leave_all(&self, name: &Username, session: SessionId, touched: &mut Vec<Arc<Outbox>>) {
        for room in &self.0 {
            room.leave(name, session, touched);
        }
    }
}

/// One room.
pub(super) struct Room {
    id: RoomId,
    name: RoomName,
    /// The last sequence number on the disk. Written by the log writer, before it delivers.
    head: AtomicU64,
    members: Mutex<Members>,
}

/// Written by session threads (coming and going); the log writer reads it to deliver.
#[derive(Default)]
struct Members {
    outboxes: HashMap<SessionId, Arc<Outbox>>,
    /// How many sessions each person has here.
    people: BTreeMap<Username, usize>,
}

impl Room {
    /// A room that the log knows, with its last sequence number.
    pub(super) fn new(id: RoomId, name: RoomName, head: u64) -> Self {
        Self { id, name, head: AtomicU64::new(head), members: Mutex::default() }
    }

    /// Its number in the log.
    pub(super) fn id(&self) -> RoomId {
        self.id
    }

    /// Its name.
    pub(super) fn name(&self) -> &RoomName {
        &self.name
    }

    /// The last sequence number on the disk.
    pub(super) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Lets a session in, which has everything up to `after`; a place that the room has not reached yet is from
    /// another log and counts as none. False when it is in already.
    ///
    /// `touched` gets the outboxes that must be flushed, here and below.
    pub(super) fn join(
        &self,
        name: &Username,
        outbox: &Arc<Outbox>,
        after: Option<u64>,
        touched: &mut Vec<Arc<Outbox>>,
    ) -> bool {
        let mut members = lock(&self.members);
        let head = self.head();
        let after = after.filter(|after| *after <= head).unwrap_or(head.saturating_sub(FIRST_MESSAGES));
        let joined = ServerMessage::Joined { room: self.name.to_string(), after, head };
        if !outbox.follow(self.id, after, &joined) {
            return false;
        }
        members.outboxes.insert(outbox.session(), Arc::clone(outbox));
        let sessions = members.people.entry(name.clone()).or_insert(0);
        *sessions += 1;
        if *sessions == 1 {
            let (room, name, at) = (self.name.to_string(), name.to_string(), clock::now());
            self.tell_change(&members, &ServerMessage::Arrived { room, name, at }, touched);
        }
        true
    }

    /// Takes a session out, if it is in.
    fn leave(&self, name: &Username, session: SessionId, touched: &mut Vec<Arc<Outbox>>) {
        let mut members = lock(&self.members);
        if members.outboxes.remove(&session).is_none() {
            return;
        }
        if let Some(sessions) = members.people.get_mut(name) {
            *sessions -= 1;
            if *sessions == 0 {
                members.people.remove(name);
                let (room, name, at) = (self.name.to_string(), name.to_string(), clock::now());
                self.tell_change(&members, &ServerMessage::Left { room, name, at }, touched);
            }
        }
    }

    /// Queues what was just written to the log, in order, for everyone who is here and that far.
    pub(super) fn deliver(&self, said: &[Numbered], touched: &mut Vec<Arc<Outbox>>) {
        if let Some(last) = said.last() {
            self.head.store(last.sequence, Ordering::Release);
        }
        let members = lock(&self.members);
        for outbox in members.outboxes.values() {
            if outbox.push_said(self.id, said) {
                touched.push(Arc::clone(outbox));
            }
        }
    }

    /// Queues the list of who is here for one client, who hears of every change from then on.
    pub(super) fn tell_who_is_here(&self, outbox: &Outbox) {
        let members = lock(&self.members);
        let names: Vec<_> = members.people.keys().map(Username::to_string).collect();
        let count = names.chunks(PEOPLE_MAX).len();
        let parts: Vec<Encoded> = names
            .chunks(PEOPLE_MAX)
            .enumerate()
            .map(|(part, names)| ServerMessage::People {
                room: self.name.to_string(),
                names: names.to_vec(),
                first: part == 0,
                last: part + 1 == count,
            })
            .map(|people| wire::encode(&people).into())
            .collect();
        outbox.push_people(self.id, &parts);
    }

    fn tell_change(&self, members: &Members, change: &ServerMessage, touched: &mut Vec<Arc<Outbox>>) {
        let bytes = Encoded::from(wire::encode(change));
        for outbox in members.outboxes.values() {
            if outbox.push_people_change(self.id, &bytes) {
                touched.push(Arc::clone(outbox));
            }
        }
    }
}
