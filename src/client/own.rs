//! What this person has said and what became of it, in whatever rooms.

use std::collections::VecDeque;

use crate::names::{MessageText, RoomName};
use crate::wire::{self, BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, MessageId, RoomEvent};

/// The most messages of one's own that are kept for a server that does not take them.
pub(super) const OWN_MAX: usize = 1_000;

/// What can be said in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Saying {
    Text(MessageText),
    /// A change of the room, which the server is asked for.
    Change(RoomEvent),
}

/// As many messages wait as are kept; this one was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyWaiting;

/// In the order in which they were typed; at most [`OWN_MAX`].
#[derive(Default)]
pub(super) struct OwnMessages(VecDeque<Own>);

pub(super) struct Own {
    pub(super) id: MessageId,
    pub(super) room: RoomName,
    pub(super) saying: Saying,
    pub(super) delivery: Delivery,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Waiting,
    Sent,
    Accepted { sequence: u64 },
}

impl OwnMessages {
    /// Takes one that waits from now on.
    pub(super) fn push(
        &mut self,
        id: MessageId,
        room: RoomName,
        saying: Saying,
    ) -> Result<(), TooManyWaiting> {
        if self.0.len() >= OWN_MAX {
            return Err(TooManyWaiting);
        }
        self.0.push_back(Own { id, room, saying, delivery: Delivery::Waiting });
        Ok(())
    }

    /// Those that wait and of which `may_be_sent` is true, in order; they count as sent from here on.
    pub(super) fn take_unsent(&mut self, may_be_sent: impl Fn(&Own) -> bool) -> Vec<ClientMessage> {
        let waiting = self.0.iter_mut().filter(|own| own.delivery == Delivery::Waiting);
        let mut messages = Vec::new();
        for own in waiting {
            if may_be_sent(own) {
                own.delivery = Delivery::Sent;
                messages.push(own.message());
            }
        }
        messages
    }

    /// What was sent and not answered is sent again.
    pub(super) fn send_again(&mut self) {
        for own in self.0.iter_mut().filter(|own| own.delivery == Delivery::Sent) {
            own.delivery = Delivery::Waiting;
        }
    }

    /// A room was entered after a number, and has this head. A server that was restored from a backup may have lost what
    /// it once accepted, or have shown it elsewhere.
    pub(super) fn entered(&mut self, room: &RoomName, after: u64, head: u64) {
        let accepted = |own: &Own| match own.delivery {
            Delivery::Accepted { sequence } if own.room == *room => Some(sequence),
            _ => None,
        };
        self.0.retain(|own| accepted(own).is_none_or(|sequence| sequence > after));
        for own in &mut self.0 {
            if accepted(own).is_some_and(|sequence| sequence > head) {
                own.delivery = Delivery::Waiting;
            }
        }
    }

    /// The one with this id.
    pub(super) fn find(&mut self, id: MessageId) -> Option<&mut Own> {
        self.0.iter_mut().find(|own| own.id == id)
    }

    /// It is settled: everything is known that will ever be.
    pub(super) fn settle(&mut self, id: MessageId) {
        self.0.retain(|own| own.id != id);
    }

    /// Takes one out of which it is not known that the server has it.
    pub(super) fn give_up(&mut self, id: MessageId) -> Option<Own> {
        let place = self.0.iter().position(|own| own.id == id && own.is_open())?;
        self.0.remove(place)
    }

    /// Takes all out that were meant for this room.
    pub(super) fn give_up_room(&mut self, room: &RoomName) -> Vec<Own> {
        let (given_up, kept): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.0).into_iter().partition(|own| own.room == *room);
        self.0 = kept;
        given_up.into_iter().filter(Own::is_open).collect()
    }

    /// What was meant for a room goes to it under the name that it got.
    pub(super) fn rename(&mut self, old: &RoomName, new: &RoomName) {
        for own in self.0.iter_mut().filter(|own| own.room == *old) {
            own.room = new.clone();
        }
    }

    /// The rooms that are on the way to be made, by the names that were wished for.
    pub(super) fn being_made(&self) -> Vec<RoomName> {
        let is_made = |own: &&Own| matches!(own.saying, Saying::Change(RoomEvent::Made { .. }));
        self.open().filter(is_made).map(|own| own.room.clone()).collect()
    }

    /// How many are not settled.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many changes are not settled.
    pub(super) fn changes(&self) -> usize {
        self.0.iter().filter(|own| matches!(own.saying, Saying::Change(_))).count()
    }

    /// Those of which it is not known that the server has them.
    pub(super) fn open(&self) -> impl Iterator<Item = &Own> {
        self.0.iter().filter(|own| own.is_open())
    }
}

impl Own {
    fn is_open(&self) -> bool {
        !matches!(self.delivery, Delivery::Accepted { .. })
    }

    fn message(&self) -> ClientMessage {
        let (kind, body) = match &self.saying {
            Saying::Text(text) => (BODY_TEXT, text.as_str().as_bytes().to_vec()),
            Saying::Change(event) => (BODY_ROOM_EVENT, wire::encode(event)),
        };
        ClientMessage::Say { room: self.room.to_string(), id: self.id, kind, body: body.into(), of: None }
    }
}
