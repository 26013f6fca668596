//! What this client knows: its rooms and its place in each, who is there, and what became of its own messages. It is
//! pure (no socket, no clock, no screen), so that every order in which things can happen is tested here and not by
//! chance.
//!
//! A message of one's own is *waiting* until it was sent on the present connection, *sent* until the server answers,
//! *accepted* until it comes back in its place among the others. Whatever breaks in between puts it back to waiting,
//! under the same id, by which the server knows it again. A change of a room is such a message too.

mod directs;
mod history;
mod ignored;
mod messages;
mod people;
mod rooms;

use std::collections::{BTreeMap, BTreeSet};

use crate::names::{RoomName, Username};
use crate::wire::{
    BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, Code, MessageId, PastMessage, RoomEvent, ServerMessage,
};

use super::happening::{Happening, Told};
use super::own::{Delivery, OwnMessages, Saying};
pub(super) use super::own::{OWN_MAX, TooManyWaiting};
use super::place::Place;
use super::recent::Subject;
use super::unread::Counts;

/// The most names that are kept of the people of all rooms.
const PEOPLE_MAX: usize = 20_000;

/// The most rooms that are kept: far more than a server lets an account be in, but for direct conversations, which others
/// begin.
const ROOMS_MAX: usize = 5_000;

/// A room that a new connection was let into, to take the place of another connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entered {
    pub(super) room: RoomName,
    /// The number that was asked for.
    pub(super) asked: Option<u64>,
    pub(super) after: u64,
    pub(super) head: u64,
}

/// One person in their rooms.
pub(super) struct Model {
    me: String,
    /// The same, if it is one that this version takes for a name.
    name: Option<Username>,
    /// Where what is typed goes. Only what is typed changes it: nothing that comes from the server can make a line go
    /// elsewhere than where the person saw that it would.
    current: RoomName,
    /// The last such room that was no direct conversation.
    home: RoomName,
    /// The direct conversation in which someone else wrote last, and when.
    last_writer: Option<(u64, RoomName)>,
    /// There were more rooms than are kept.
    is_full: bool,
    rooms: BTreeMap<RoomName, Place>,
    away: people::Away,
    /// Whom this person ignores, once the server has told.
    ignored: Option<BTreeSet<String>>,
    own: OwnMessages,
    /// What was said in a room before it is entered is not shown.
    is_for_news: bool,
    /// What the operator told last.
    notice: String,
}

impl Model {
    /// Someone who wants to enter a room.
    pub(super) fn new(me: String, room: RoomName) -> Self {
        let mut model = Self::outside(me);
        model.want(room);
        model
    }

    /// Someone who wants to hear what is said from now on, in all of their rooms.
    pub(super) fn for_news(me: String) -> Self {
        Self { is_for_news: true, ..Self::outside(me) }
    }

    /// Someone who wants to hear what was said in a room after this number, and nothing else.
    pub(super) fn following(me: String, room: RoomName, after: u64) -> Self {
        let mut model = Self::outside(me);
        model.rooms.insert(room, Place::told(after));
        model
    }

    fn outside(me: String) -> Self {
        Self {
            name: me.parse().ok(),
            me,
            current: RoomName::lobby(),
            home: RoomName::lobby(),
            last_writer: None,
            is_full: false,
            rooms: BTreeMap::new(),
            away: people::Away::new(),
            ignored: None,
            own: OwnMessages::default(),
            is_for_news: false,
            notice: String::new(),
        }
    }

    /// The name that the server knows this person by.
    pub(super) fn me(&self) -> &str {
        &self.me
    }

    /// The room that what is typed goes to.
    pub(super) fn room(&self) -> &RoomName {
        &self.current
    }

    /// All rooms, in the order of the alphabet.
    pub(super) fn rooms(&self) -> impl Iterator<Item = &RoomName> {
        self.rooms.keys()
    }

    /// The room that is meant by a name: a private one may be called by what stands before its tag, if that is clear.
    pub(super) fn meant<'m>(&'m self, name: &'m RoomName) -> &'m RoomName {
        let mut private = self.rooms.keys().filter(|room| room.is_private() && room.base() == name.as_str());
        match (self.rooms.contains_key(name), private.next(), private.next()) {
            (false, Some(room), None) => room,
            _ => name,
        }
    }

    /// The number of the last message of a room that was shown, if it is entered.
    pub(super) fn entered_up_to(&self, room: &RoomName) -> Option<u64> {
        self.rooms.get(room).filter(|place| place.is_in())?.seen
    }

    /// From now on what is typed goes to this room, which is to be entered if that was not done.
    pub(super) fn want(&mut self, room: RoomName) {
        self.enter(&room);
        if !room.is_direct() {
            self.home = room.clone();
        }
        self.current = room;
    }

    /// From now on what is typed goes elsewhere, if it went to this room: to the lobby, or from a direct conversation to
    /// where one was before.
    pub(super) fn turn_away(&mut self, room: &RoomName) {
        if self.home == *room {
            self.home = RoomName::lobby();
        }
        if self.current == *room {
            self.current = self.home.clone();
        }
    }

    /// Whether what is typed goes anywhere: the current room can have been lost, or not be there.
    pub(super) fn is_somewhere(&self) -> bool {
        self.rooms.contains_key(&self.current) || self.own.being_made().contains(&self.current)
    }

    /// Takes what was typed for a room. [`Self::take_unsent`] gives it out. A direct conversation is entered if that was not
    /// done.
    pub(super) fn say_in(
        &mut self,
        id: MessageId,
        room: &RoomName,
        saying: impl Into<Saying>,
    ) -> Result<(), TooManyWaiting> {
        self.own.push(id, room.clone(), saying.into())?;
        if room.is_direct() {
            self.enter(room);
        }
        Ok(())
    }

    /// Takes a change that is to be made to a room. A room that is to be made becomes the current one, and what is typed
    /// waits for it.
    pub(super) fn change(
        &mut self,
        id: MessageId,
        room: RoomName,
        event: RoomEvent,
    ) -> Result<(), TooManyWaiting> {
        let is_made = matches!(event, RoomEvent::Made { .. });
        self.own.push(id, room.clone(), Saying::Change(event))?;
        if is_made {
            self.home = room.clone();
            self.current = room;
        }
        Ok(())
    }

    /// What must be sent now, in order: first the wishes to enter rooms, then what one has said. Each counts as sent from
    /// here on. Nothing is said in a room that is not entered, and nothing at all before any is.
    pub(super) fn take_unsent(&mut self) -> Vec<ClientMessage> {
        let mut messages = Vec::new();
        for (room, place) in &mut self.rooms {
            if place.ask(room.is_lobby()) {
                messages.push(ClientMessage::Join { room: room.to_string(), after: place.seen });
            }
        }
        let making = self.own.being_made();
        let rooms = &self.rooms;
        let is_connected = rooms.values().any(Place::is_in);
        messages.extend(self.own.take_unsent(|own| match (&own.saying, rooms.get(&own.room)) {
            (Saying::Change(RoomEvent::Made { .. }), _) => is_connected,
            (_, Some(place)) => place.is_in(),
            // The server says what is wrong with it.
            (Saying::Change(_), None) => is_connected && !making.contains(&own.room),
            (Saying::Text(_) | Saying::About { .. }, None) => false,
        }));
        messages
    }

    /// The server is asked for all rooms of the account: those that it does not tell are none.
    pub(super) fn ask_for_rooms(&mut self) -> ClientMessage {
        for place in self.rooms.values_mut() {
            place.is_told = false;
        }
        ClientMessage::MyRooms {}
    }

    /// The connection is gone; what was sent and not answered is sent again on the next one.
    pub(super) fn disconnected(&mut self) {
        self.rooms.values_mut().for_each(Place::lose);
        self.own.send_again();
    }

    /// The rooms that another connection has to enter to take the place of the present one, and after which numbers.
    pub(super) fn entered(&self) -> Vec<(RoomName, Option<u64>)> {
        let inside = self.rooms.iter().filter(|(_, place)| place.is_in());
        inside.map(|(room, place)| (room.clone(), place.seen)).collect()
    }

    /// Another connection has entered these rooms and takes the place of the present one, on which more may have been
    /// shown since. What was sent and not answered is sent again there.
    pub(super) fn moved(&mut self, entered: &[Entered]) {
        for Entered { room, asked, after, head } in entered {
            let Some(place) = self.rooms.get_mut(room) else { continue };
            // Who is still there on the other connection may have been shown more by now than there was when it was let
            // in.
            let shown = place.seen.filter(|_| asked == &Some(*after)).unwrap_or(*after);
            place.enter(shown);
            self.own.entered(room, shown, (*head).max(shown));
        }
        self.own.send_again();
    }

    /// The connection that had taken the place of another one is gone, and the other one, which is in these rooms, is
    /// still there.
    pub(super) fn moved_back(&mut self, rooms: &[RoomName]) {
        for (_, place) in self.rooms.iter_mut().filter(|(room, _)| !rooms.contains(room)) {
            place.step_out();
        }
        self.own.send_again();
    }

    /// The number of one's own messages that are not yet accepted and shown.
    pub(super) fn unsettled(&self) -> usize {
        self.own.len()
    }

    /// Whether nobody is on the way into a room, and no room on the way to be changed.
    pub(super) fn is_at_rest(&self) -> bool {
        self.own.changes() == 0 && self.rooms.values().all(Place::is_in)
    }

    /// How many rooms are wanted and neither entered nor refused.
    pub(super) fn entering(&self) -> usize {
        self.rooms.values().filter(|place| place.is_wanted).count()
    }

    /// What one has said of which it is not known that the server has it.
    pub(super) fn undelivered(&self) -> impl Iterator<Item = &Saying> {
        self.own.open().map(|own| &own.saying)
    }

    /// Takes what the server sent. Messages of other rooms and of the login are passed over.
    pub(super) fn apply(&mut self, message: ServerMessage) -> Vec<Happening> {
        match message {
            ServerMessage::Joined { room, after, head } => self.joined(&room, after, head),
            ServerMessage::Said { room, sequence, at, author, id, kind, body, of, edited } => {
                self.said(&room, PastMessage { sequence, at, author, id, kind, body, of, edited })
            }
            ServerMessage::CaughtUp { room, sequence } => {
                let caught_up = |(room, _)| Happening::CaughtUp { room, sequence };
                self.find(&room).map(caught_up).into_iter().collect()
            }
            ServerMessage::Accepted { id, room, sequence, at } => self.accepted(id, &room, sequence, at),
            ServerMessage::Refused { code, text, id, .. } => self.refused(code, text, id),
            ServerMessage::RoomRefused { room, code, text } => self.room_refused(&room, code, text),
            ServerMessage::People { room, names, first, last } => self.people_told(&room, names, first, last),
            ServerMessage::Arrived { room, name, at } => self.arrived(&room, name, at),
            ServerMessage::Left { room, name, at } => self.left(&room, name, at),
            ServerMessage::Away { room, people } => self.away_told(&room, people),
            ServerMessage::Presence { name, away } => self.presence(name, away),
            ServerMessage::Person { card } => Self::person_told(card),
            ServerMessage::PersonRefused { code, text, .. } => vec![Happening::Told(Told::No { code, text })],
            ServerMessage::RoomAdded { room, head, read, unread, mentions, .. } => {
                let added = self.added(&room, head, read);
                if let (Some(messages), Some(mentions)) = (unread, mentions) {
                    self.read(&room, read, head, Counts { messages, mentions });
                }
                added
            }
            ServerMessage::ReadUpTo { room, sequence, unread, mentions, head } => {
                self.read(&room, Some(sequence), head, Counts { messages: unread, mentions });
                Vec::new()
            }
            ServerMessage::RoomRemoved { room, reason } => {
                room.parse().map_or_else(|_| Vec::new(), |room| self.removed(&room, reason))
            }
            ServerMessage::AllRooms {} => self.all_told(),
            ServerMessage::RoomList { rooms, more } => vec![Happening::Told(Told::List(rooms, more))],
            ServerMessage::RoomDescription { card } => vec![Happening::Told(Told::Card(card))],
            ServerMessage::Members { room, members, more } => {
                vec![Happening::Told(Told::Members(room, members, more))]
            }
            ServerMessage::History { room, messages, more } => history::past(&room, messages, more),
            ServerMessage::Found { hits, next, is_behind } => {
                vec![Happening::Told(Told::Found(hits, next, is_behind))]
            }
            ServerMessage::Sanctions { room, sanctions, more } => {
                vec![Happening::Told(Told::Sanctions(room, sanctions, more))]
            }
            ServerMessage::ModerationLog { room, changes, more } => {
                let told = |room| Happening::Told(Told::Moderations(room, changes, more));
                room.parse().map(told).into_iter().collect()
            }
            ServerMessage::Ignoring { names } => self.ignoring(names),
            ServerMessage::Slowed { .. } => vec![Happening::Slowed],
            ServerMessage::Lagged {} => {
                self.own.send_again();
                vec![Happening::Lagged]
            }
            ServerMessage::Devices { devices } => vec![Happening::Devices(devices)],
            ServerMessage::PasswordChanged {} => vec![Happening::PasswordChanged],
            ServerMessage::Invited { token, uses, until } => vec![Happening::Invited { token, uses, until }],
            ServerMessage::Notice { text } => self.noticed(text),
            ServerMessage::Closing { code, text } => vec![Happening::Closing { code, text }],
            _ => Vec::new(),
        }
    }

    /// Who comes back after a lost connection is not told the same again.
    fn noticed(&mut self, text: String) -> Vec<Happening> {
        if self.notice == text {
            return Vec::new();
        }
        self.notice.clone_from(&text);
        vec![Happening::Notice { text }]
    }

    fn find(&mut self, room: &str) -> Option<(RoomName, &mut Place)> {
        let room: RoomName = room.parse().ok()?;
        let place = self.rooms.get_mut(&room)?;
        Some((room, place))
    }

    fn joined(&mut self, room: &str, after: u64, head: u64) -> Vec<Happening> {
        let is_for_news = self.is_for_news;
        let Some((room, place)) = self.find(room) else { return Vec::new() };
        let after = if is_for_news && place.seen.is_none() { head } else { after };
        place.enter(after);
        self.own.entered(&room, after, head);
        vec![Happening::Joined { room, after }]
    }

    fn said(&mut self, room: &str, message: PastMessage) -> Vec<Happening> {
        let Some((room, place)) = self.find(room) else { return Vec::new() };
        let sequence = message.sequence;
        let Some(seen) = place.show(sequence) else { return Vec::new() };
        let mut subject = place.recent.hear(&message);
        // What operators do concerns everyone.
        let is_shown = message.kind == BODY_ROOM_EVENT || !self.ignores(&message.author);
        if matches!(&subject, Subject::Known(known) if self.ignores(&known.author)) {
            subject = Subject::Earlier; // nor is it quoted
        }
        self.heard_from(&room, message.at, &message.author);
        if message.author == self.me {
            self.own.placed(message.id, sequence);
            self.own.settle(message.id);
        } else if is_shown {
            self.count(&room, &message);
        }
        let (first, last) = (seen + 1, sequence.saturating_sub(1));
        let gap = (sequence - seen > 1).then(|| Happening::Missing { room: room.clone(), first, last });
        gap.into_iter().chain(is_shown.then_some(Happening::Said { room, message, subject })).collect()
    }

    fn accepted(&mut self, id: MessageId, room: &str, sequence: u64, at: u64) -> Vec<Happening> {
        let (Some(own), Ok(room)) = (self.own.find(id), room.parse::<RoomName>()) else { return Vec::new() };
        own.delivery = Delivery::Accepted { sequence };
        if matches!(own.saying, Saying::Change(RoomEvent::Made { .. })) {
            let wished = own.room.clone();
            self.made(&wished, &room);
        }
        self.own.placed(id, sequence);
        // In a room that is not entered it won't come back.
        if self.rooms.get(&room).is_none_or(|place| place.seen.is_some_and(|seen| sequence <= seen)) {
            self.own.settle(id);
        }
        vec![Happening::Accepted { id, room, sequence, at }]
    }

    fn refused(&mut self, code: Code, text: String, id: Option<MessageId>) -> Vec<Happening> {
        let Some(id) = id else {
            return vec![Happening::Refused { code, text }];
        };
        let Some(own) = self.own.give_up(id) else { return Vec::new() };
        let mut happenings = self.give_up_about(id);
        if matches!(own.saying, Saying::Change(RoomEvent::Made { .. })) && !self.rooms.contains_key(&own.room)
        {
            happenings.extend(self.give_up(&own.room, "there is no such room"));
        }
        happenings.insert(0, self.not_delivered(own, Some(code), text));
        happenings
    }

    /// Counts what others say in words as unread, until it is read.
    fn count(&mut self, room: &RoomName, message: &PastMessage) {
        let text = String::from_utf8_lossy(&message.body);
        let names_me = self.name.as_ref().is_some_and(|name| name.is_named_in(&text)) || room.is_direct();
        if let Some(place) = self.rooms.get_mut(room).filter(|_| message.kind == BODY_TEXT) {
            place.unread.said(message.sequence, names_me);
        }
    }

    fn enter(&mut self, room: &RoomName) {
        let place = self.rooms.entry(room.clone()).or_default();
        place.is_wanted |= !place.is_in();
    }
}

#[cfg(test)]
mod tests;
