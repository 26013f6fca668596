//! All rooms of the server, found by whatever one has: a name, a number, an account.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use super::room::Room;
use crate::names::{RoomName, Username};
use crate::server::bots::Scope;
use crate::server::lock::lock;
use crate::server::log::{Effect, Event, RoomId, RoomRecord};
use crate::server::outbox::{Numbered, Outbox};
use crate::wire::{ROOM_PAGE_MAX, RoomLine, ServerMessage};

/// All rooms of the server.
pub(in crate::server) struct Rooms {
    lobby: Arc<Room>,
    directory: Mutex<Directory>,
}

/// Written by the log writer, but for `listeners`: session threads write that. Locked for a few look-ups; no room is
/// locked under it.
#[derive(Default)]
struct Directory {
    by_name: HashMap<RoomName, Arc<Room>>,
    by_id: HashMap<RoomId, Arc<Room>>,
    public: BTreeSet<RoomName>,
    /// The rooms of each account, but for the lobby. No account stands here without a room.
    of_account: HashMap<Username, BTreeMap<RoomName, Arc<Room>>>,
    /// The sessions of each account that want to hear of its rooms. No account stands here without a session.
    listeners: HashMap<Username, Vec<Listener>>,
}

/// A session that wants to hear of its account's rooms.
struct Listener {
    outbox: Arc<Outbox>,
    /// Those of which it may hear, if it is a bot's.
    scope: Option<Scope>,
}

impl Rooms {
    /// The lobby and the other rooms.
    pub(in crate::server) fn new((lobby, others): (RoomRecord, Vec<RoomRecord>)) -> Self {
        let mut directory = Directory::default();
        let lobby = directory.add(lobby);
        for record in others {
            let members: Vec<_> = record.members.iter().map(|(name, _)| name.clone()).collect();
            let room = directory.add(record);
            for name in members {
                directory.of_account.entry(name).or_default().insert(room.name().clone(), Arc::clone(&room));
            }
        }
        Self { lobby, directory: Mutex::new(directory) }
    }

    /// The room of this name, if `account` may know of it: it is public, or the account is in it.
    pub(in crate::server) fn known_to(&self, account: &Username, name: &RoomName) -> Option<Arc<Room>> {
        let room = lock(&self.directory).by_name.get(name).map(Arc::clone)?;
        (!name.is_private() || room.has_member(account)).then_some(room)
    }

    /// The room with this number.
    pub(in crate::server) fn find_by_id(&self, id: RoomId) -> Option<Arc<Room>> {
        lock(&self.directory).by_id.get(&id).map(Arc::clone)
    }

    /// Lets one of an account's sessions hear of every change of its rooms from now on; if it is a bot's, of those that are
    /// in its `scope`.
    pub(in crate::server) fn listen(&self, account: &Username, outbox: &Arc<Outbox>, scope: Option<&Scope>) {
        let mut directory = lock(&self.directory);
        let listeners = directory.listeners.entry(account.clone()).or_default();
        if listeners.iter().all(|other| other.outbox.session() != outbox.session()) {
            listeners.push(Listener { outbox: Arc::clone(outbox), scope: scope.cloned() });
        }
    }

    /// All rooms of an account, the lobby first.
    pub(in crate::server) fn of(&self, account: &Username) -> Vec<Arc<Room>> {
        let directory = lock(&self.directory);
        let own = directory.of_account.get(account).into_iter().flat_map(BTreeMap::values);
        [&self.lobby].into_iter().chain(own).map(Arc::clone).collect()
    }

    /// The next rooms of an account after this one, in the order of their names, at most so many. The lobby is none of them.
    pub(in crate::server) fn next_of(
        &self,
        account: &Username,
        after: Option<&RoomName>,
        count: usize,
    ) -> Vec<Arc<Room>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let directory = lock(&self.directory);
        let all = directory.of_account.get(account).into_iter();
        let rooms = all.flat_map(|rooms| rooms.range::<RoomName, _>((from, Bound::Unbounded)));
        rooms.take(count).map(|(_, room)| Arc::clone(room)).collect()
    }

    /// Queues something about a room for all sessions of an account that hear of it.
    pub(in crate::server) fn tell_sessions_of(
        &self,
        account: &Username,
        room: &RoomName,
        message: &ServerMessage,
        touched: &mut Vec<Arc<Outbox>>,
    ) {
        let listeners = lock(&self.directory).listeners_about(account, room);
        touched.extend(listeners.into_iter().filter(|outbox| outbox.push(message)));
    }

    /// A page of the public rooms after this name, and whether there are more.
    pub(in crate::server) fn public_after(&self, after: Option<&RoomName>) -> (Vec<RoomLine>, bool) {
        let directory = lock(&self.directory);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = directory.public.range::<RoomName, _>((from, Bound::Unbounded));
        let mut rooms: Vec<_> = names
            .filter_map(|name| directory.by_name.get(name))
            .take(ROOM_PAGE_MAX + 1)
            .map(Arc::clone)
            .collect();
        drop(directory);
        let more = rooms.len() > ROOM_PAGE_MAX;
        rooms.truncate(ROOM_PAGE_MAX);
        (rooms.iter().map(|room| room.line()).collect(), more)
    }

    /// The room that everyone is in.
    pub(in crate::server) fn lobby(&self) -> &Arc<Room> {
        &self.lobby
    }

    /// Whether an account is in any room but the lobby.
    pub(in crate::server) fn is_in_any(&self, account: &Username) -> bool {
        lock(&self.directory).of_account.contains_key(account)
    }

    /// The sessions that follow a room in which an account is, each once.
    pub(in crate::server) fn audience_of(&self, account: &Username) -> Vec<Arc<Outbox>> {
        let mut followers = BTreeMap::new();
        for room in self.rooms_of(account) {
            room.gather_followers(&mut followers);
        }
        followers.into_values().collect()
    }

    /// The sessions of an account that want to hear of its rooms.
    pub(in crate::server) fn listeners_of(&self, account: &Username) -> Vec<Arc<Outbox>> {
        let directory = lock(&self.directory);
        let listeners = directory.listeners.get(account).into_iter().flatten();
        listeners.map(|listener| Arc::clone(&listener.outbox)).collect()
    }

    /// The rooms that an account is in and of which another one may know, in the order of their names; no direct
    /// conversation.
    pub(in crate::server) fn shared_with(&self, account: &Username, asker: &Username) -> Vec<RoomName> {
        let rooms = self.rooms_of(account).into_iter();
        let rooms = rooms.filter(|room| !room.name().is_direct());
        let known = rooms.filter(|room| !room.name().is_private() || room.has_member(asker));
        let names: BTreeSet<_> = known.map(|room| room.name().clone()).collect();
        names.into_iter().collect()
    }

    /// Takes a session out of every room that it follows; it hears no more of its account's rooms.
    pub(in crate::server) fn leave_all(
        &self,
        account: &Username,
        outbox: &Outbox,
        touched: &mut Vec<Arc<Outbox>>,
    ) {
        let mut directory = lock(&self.directory);
        if let Some(listeners) = directory.listeners.get_mut(account) {
            listeners.retain(|other| other.outbox.session() != outbox.session());
            if listeners.is_empty() {
                directory.listeners.remove(account);
            }
        }
        let followed = outbox.followed();
        let rooms: Vec<_> =
            followed.iter().filter_map(|id| directory.by_id.get(id)).map(Arc::clone).collect();
        drop(directory);
        for room in rooms {
            room.leave(account, outbox.session(), touched);
        }
    }

    /// Does what the log writer has written.
    pub(in crate::server) fn apply(&self, effect: Effect, touched: &mut Vec<Arc<Outbox>>) {
        match effect {
            Effect::Made(record) => {
                lock(&self.directory).add(record);
            }
            Effect::Member { room, account, is_operator } => {
                let Some(room) = self.find_by_id(room) else { return };
                let is_new = room.put_member(&account, is_operator);
                let mut directory = lock(&self.directory);
                let rooms = directory.of_account.entry(account.clone()).or_default();
                rooms.insert(room.name().clone(), Arc::clone(&room));
                let listeners =
                    if is_new { directory.listeners_about(&account, room.name()) } else { Vec::new() };
                drop(directory);
                for outbox in listeners {
                    if room.tell_role(&account, false, room.read_by_newcomer(), &outbox) {
                        touched.push(outbox);
                    }
                }
            }
            Effect::Topic { room, topic } => {
                if let Some(room) = self.find_by_id(room) {
                    room.set_topic(topic);
                }
            }
            Effect::Said(Event { room, stored }) => {
                if let Some(room) = self.find_by_id(room) {
                    let (sequence, bytes) = (stored.sequence, room.said(stored));
                    room.deliver(&[Numbered { sequence, bytes }], touched);
                }
            }
            Effect::NoMember { room, account, reason } => {
                let Some(room) = self.find_by_id(room) else { return };
                room.remove_member(&account, touched);
                let mut directory = lock(&self.directory);
                if let Some(rooms) = directory.of_account.get_mut(&account) {
                    rooms.remove(room.name());
                    if rooms.is_empty() {
                        directory.of_account.remove(&account);
                    }
                }
                drop(directory);
                let removed = ServerMessage::RoomRemoved { room: room.name().to_string(), reason };
                self.tell_sessions_of(&account, room.name(), &removed, touched);
            }
        }
    }

    fn rooms_of(&self, account: &Username) -> Vec<Arc<Room>> {
        let directory = lock(&self.directory);
        let others = directory.of_account.get(account).into_iter().flat_map(BTreeMap::values);
        [&self.lobby].into_iter().chain(others).map(Arc::clone).collect()
    }
}

impl Directory {
    /// Adds a room, in the place of the one with the same number if that has got another name.
    fn add(&mut self, record: RoomRecord) -> Arc<Room> {
        let room = Arc::new(Room::new(record));
        self.by_name.insert(room.name().clone(), Arc::clone(&room));
        if let Some(former) = self.by_id.insert(room.id(), Arc::clone(&room)) {
            self.by_name.remove(former.name());
        }
        if !room.name().is_private() {
            self.public.insert(room.name().clone());
        }
        room
    }

    fn listeners_about(&self, account: &Username, room: &RoomName) -> Vec<Arc<Outbox>> {
        let hears = |listener: &&Listener| listener.scope.as_ref().is_none_or(|scope| scope.has(room));
        let listeners = self.listeners.get(account).into_iter().flatten().filter(hears);
        listeners.map(|listener| Arc::clone(&listener.outbox)).collect()
    }
}
