//! One room: who is in it, who follows it now, and how far it is.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use minicbor::bytes::ByteVec;

use crate::names::{RoomName, Topic, Username};
use crate::server::clock;
use crate::server::lock::lock;
use crate::server::log::{RoomId, RoomRecord, Stored, Unread};
use crate::server::outbox::{Encoded, Numbered, Outbox, SessionId};
use crate::server::presence::Presence;
use crate::wire::{
    self, PEOPLE_MAX, ROOM_MEMBER, ROOM_OPERATOR, ROOM_PAGE_MAX, RoomCard, RoomLine, RoomMember,
    ServerMessage,
};

/// Someone who joins without having been here before gets this many messages.
const FIRST_MESSAGES: u64 = 50;

/// One room.
pub(in crate::server) struct Room {
    id: RoomId,
    name: RoomName,
    made_at: u64,
    made_by: String,
    /// The last sequence number on the disk. Written by the log writer, before it delivers.
    head: AtomicU64,
    inside: Mutex<Inside>,
}

/// `topic` and `members` are written by the log writer, `followers` and `people` by session threads (coming and going)
/// and the log writer.
#[derive(Default)]
struct Inside {
    topic: Topic,
    /// Who is in the room, and whether they are operators; nobody in the lobby, where everyone is.
    members: BTreeMap<Username, bool>,
    /// The sessions that hear what is said, and whose they are.
    followers: HashMap<SessionId, (Username, Arc<Outbox>)>,
    /// How many sessions each person has here.
    people: BTreeMap<Username, usize>,
}

/// Where someone begins who follows a room: after a message, or so many before the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) struct Beginning {
    after: Option<u64>,
    last: u64,
}

impl Beginning {
    /// After this message; without one with the last messages.
    pub(in crate::server) fn of_person(after: Option<u64>) -> Self {
        Self { after, last: FIRST_MESSAGES }
    }

    /// After this message; without one with the next.
    pub(in crate::server) fn now(after: Option<u64>) -> Self {
        Self { after, last: 0 }
    }
}

/// What came of a wish to follow a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Entered {
    /// What was missed and what will be said comes.
    In,
    /// It did already, or the session is over.
    Already,
    /// Only members hear what is said.
    NotMember,
}

/// How far someone has read.
#[derive(Clone, Copy)]
pub(in crate::server) struct ReadState {
    /// The last message of the room when this was so.
    pub(in crate::server) head: u64,
    /// The last one that was read; none if nothing ever was.
    pub(in crate::server) read: Option<u64>,
    /// None if it was not counted.
    pub(in crate::server) unread: Option<Unread>,
}

impl Room {
    /// A room that the log knows.
    pub(super) fn new(record: RoomRecord) -> Self {
        let RoomRecord { id, name, topic, made_at, made_by, head, members } = record;
        let members = members.into_iter().collect();
        let inside = Mutex::new(Inside { topic, members, ..Inside::default() });
        Self { id, name, made_at, made_by, head: AtomicU64::new(head), inside }
    }

    /// Its number in the log.
    pub(in crate::server) fn id(&self) -> RoomId {
        self.id
    }

    /// Its name.
    pub(in crate::server) fn name(&self) -> &RoomName {
        &self.name
    }

    /// The last sequence number on the disk.
    pub(in crate::server) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Whether someone is in the room.
    pub(in crate::server) fn has_member(&self, name: &Username) -> bool {
        self.role(&lock(&self.inside), name).is_some()
    }

    /// Whether someone is an operator of the room. Of the lobby, nobody.
    pub(in crate::server) fn has_operator(&self, name: &Username) -> bool {
        self.role(&lock(&self.inside), name) == Some(true)
    }

    /// Lets a session follow the room, which has everything up to `after`; a place that the room has not reached yet is
    /// from another log and counts as none.
    ///
    /// `touched` gets the outboxes that must be flushed, here and below.
    pub(in crate::server) fn enter(
        &self,
        name: &Username,
        outbox: &Arc<Outbox>,
        begin: Beginning,
        touched: &mut Vec<Arc<Outbox>>,
    ) -> Entered {
        let mut inside = lock(&self.inside);
        if self.role(&inside, name).is_none() {
            return Entered::NotMember;
        }
        let head = self.head();
        let after = begin.after.filter(|after| *after <= head).unwrap_or(head.saturating_sub(begin.last));
        let joined = ServerMessage::Joined { room: self.name.to_string(), after, head };
        if !outbox.follow(self.id, after, &joined) {
            return Entered::Already;
        }
        inside.followers.insert(outbox.session(), (name.clone(), Arc::clone(outbox)));
        let sessions = inside.people.entry(name.clone()).or_insert(0);
        *sessions += 1;
        if *sessions == 1 {
            let (room, name, at) = (self.name.to_string(), name.to_string(), clock::now());
            self.tell_change(&inside, &ServerMessage::Arrived { room, name, at }, touched);
        }
        Entered::In
    }

    /// Lets a session that ends follow no more, if it did.
    pub(super) fn leave(&self, name: &Username, session: SessionId, touched: &mut Vec<Arc<Outbox>>) {
        let mut inside = lock(&self.inside);
        if inside.followers.remove(&session).is_none() {
            return;
        }
        if let Some(sessions) = inside.people.get_mut(name) {
            *sessions -= 1;
            if *sessions == 0 {
                inside.people.remove(name);
                self.tell_left(&inside, name, touched);
            }
        }
    }

    /// Adds the sessions that follow the room.
    pub(super) fn gather_followers(&self, followers: &mut BTreeMap<SessionId, Arc<Outbox>>) {
        let inside = lock(&self.inside);
        followers
            .extend(inside.followers.iter().map(|(session, (_, outbox))| (*session, Arc::clone(outbox))));
    }

    /// Queues what was just written to the log, in order, for everyone who is here and that far.
    pub(in crate::server) fn deliver(&self, said: &[Numbered], touched: &mut Vec<Arc<Outbox>>) {
        if let Some(last) = said.last() {
            self.head.store(last.sequence, Ordering::Release);
        }
        let inside = lock(&self.inside);
        for (_, outbox) in inside.followers.values() {
            if outbox.push_said(self.id, said) {
                touched.push(Arc::clone(outbox));
            }
        }
    }

    /// Something from the log as it is sent.
    pub(in crate::server) fn said(&self, stored: Stored) -> Encoded {
        let Stored { sequence, at, author, id, kind, body, of, edited } = stored;
        let (room, body) = (self.name.to_string(), ByteVec::from(body));
        wire::encode(&ServerMessage::Said { room, sequence, at, author, id, kind, body, of, edited }).into()
    }

    /// Queues the list of who is here, and who of them is away, for one client, who hears of every change from then on.
    pub(in crate::server) fn tell_who_is_here(&self, presence: &Presence, outbox: &Outbox) {
        let inside = lock(&self.inside);
        let names: Vec<_> = inside.people.keys().map(Username::to_string).collect();
        let count = names.chunks(PEOPLE_MAX).len();
        let parts = names
            .chunks(PEOPLE_MAX)
            .enumerate()
            .map(|(part, names)| ServerMessage::People {
                room: self.name.to_string(),
                names: names.to_vec(),
                first: part == 0,
                last: part + 1 == count,
            })
            .chain([ServerMessage::Away {
                room: self.name.to_string(),
                people: presence.away_of(inside.people.keys()),
            }]);
        let parts: Vec<Encoded> = parts.map(|part| wire::encode(&part).into()).collect();
        outbox.push_people(self.id, &parts);
    }

    /// Queues for one client that its account is in this room, if it is, as what, and what is unread in it. What changes
    /// meanwhile is told by itself, before or after. True when the outbox must be flushed.
    pub(in crate::server) fn tell_role(
        &self,
        account: &Username,
        is_admin: bool,
        state: ReadState,
        outbox: &Outbox,
    ) -> bool {
        let inside = lock(&self.inside);
        let Some(is_operator) = self.role(&inside, account) else {
            return false;
        };
        let (room, role) = (self.name.to_string(), role_number(is_operator || is_admin));
        let ReadState { head, read, unread } = state;
        let (unread, mentions) = (unread.map(|unread| unread.messages), unread.map(|unread| unread.mentions));
        outbox.push(&ServerMessage::RoomAdded { room, role, head, read, unread, mentions })
    }

    /// Queues for one client what its account may know as a member, if it is one at this moment.
    pub(in crate::server) fn tell_member(
        &self,
        account: &Username,
        outbox: &Outbox,
        message: &ServerMessage,
    ) -> bool {
        let bytes = Encoded::from(wire::encode(message));
        let inside = lock(&self.inside);
        let is_member = self.role(&inside, account).is_some();
        if is_member {
            outbox.push_encoded(bytes);
        }
        is_member
    }

    /// How far someone is who comes into the room now: everything until then is as good as read.
    pub(super) fn read_by_newcomer(&self) -> ReadState {
        let head = self.head();
        ReadState { head, read: Some(head), unread: Some(Unread::default()) }
    }

    /// What `account` may know of the room. `is_admin` makes it an operator of the lobby.
    pub(in crate::server) fn card(&self, account: &Username, is_admin: bool) -> RoomCard {
        let inside = lock(&self.inside);
        let role = self.role(&inside, account);
        RoomCard {
            room: self.name.to_string(),
            topic: inside.topic.to_string(),
            members: self.count(&inside),
            role: role.map(|is_operator| role_number(is_operator || (is_admin && self.name.is_lobby()))),
            made_at: self.made_at,
            made_by: self.made_by.clone(),
            head: self.head(),
        }
    }

    /// The room in the list of all.
    pub(super) fn line(&self) -> RoomLine {
        let inside = lock(&self.inside);
        RoomLine {
            room: self.name.to_string(),
            topic: inside.topic.to_string(),
            members: self.count(&inside),
        }
    }

    /// A page of the members after this name, and whether there are more. None in the lobby.
    pub(in crate::server) fn members_after(&self, after: Option<&Username>) -> (Vec<RoomMember>, bool) {
        let inside = lock(&self.inside);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = inside.members.range::<Username, _>((from, Bound::Unbounded));
        let page = rest
            .by_ref()
            .take(ROOM_PAGE_MAX)
            .map(|(name, is_operator)| RoomMember { name: name.to_string(), role: role_number(*is_operator) })
            .collect();
        (page, rest.next().is_some())
    }

    /// Makes someone a member, or gives a member another role. True when it is a new member.
    pub(super) fn put_member(&self, name: &Username, is_operator: bool) -> bool {
        lock(&self.inside).members.insert(name.clone(), is_operator).is_none()
    }

    /// Someone is no member any more: none of that person's sessions hears anything of the room from here on.
    pub(super) fn remove_member(&self, name: &Username, touched: &mut Vec<Arc<Outbox>>) {
        let mut inside = lock(&self.inside);
        inside.members.remove(name);
        let gone: Vec<SessionId> = inside
            .followers
            .iter()
            .filter(|(_, (follower, _))| follower == name)
            .map(|(session, _)| *session)
            .collect();
        for session in gone {
            if let Some((_, outbox)) = inside.followers.remove(&session) {
                outbox.unfollow(self.id);
            }
        }
        if inside.people.remove(name).is_some() {
            self.tell_left(&inside, name, touched);
        }
    }

    /// The room has another topic.
    pub(super) fn set_topic(&self, topic: Topic) {
        lock(&self.inside).topic = topic;
    }

    /// Whether someone is in the room, and an operator of it.
    fn role(&self, inside: &Inside, name: &Username) -> Option<bool> {
        if self.name.is_lobby() { Some(false) } else { inside.members.get(name).copied() }
    }

    fn count(&self, inside: &Inside) -> Option<u64> {
        if self.name.is_lobby() { None } else { u64::try_from(inside.members.len()).ok() }
    }

    fn tell_left(&self, inside: &Inside, name: &Username, touched: &mut Vec<Arc<Outbox>>) {
        let (room, name, at) = (self.name.to_string(), name.to_string(), clock::now());
        self.tell_change(inside, &ServerMessage::Left { room, name, at }, touched);
    }

    fn tell_change(&self, inside: &Inside, change: &ServerMessage, touched: &mut Vec<Arc<Outbox>>) {
        let bytes = Encoded::from(wire::encode(change));
        for (_, outbox) in inside.followers.values() {
            if outbox.push_people_change(self.id, &bytes) {
                touched.push(Arc::clone(outbox));
            }
        }
    }
}

/// How a role stands on the wire.
fn role_number(is_operator: bool) -> u8 {
    if is_operator { ROOM_OPERATOR } else { ROOM_MEMBER }
}
