//! What this person has said and what became of it, in whatever rooms.

use std::collections::VecDeque;

use crate::names::{MessageText, Reaction, RoomName};
use crate::wire::{self, BODY_ROOM_EVENT, BODY_TEXT, ClientMessage, MessageChange, MessageId, RoomEvent};

/// The most messages of one's own that are kept for a server that does not take them.
pub(super) const OWN_MAX: usize = 1_000;

/// The most messages that are kept to be said again after they were not delivered.
pub(super) const FAILED_MAX: usize = 20;

/// What can be said in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Saying {
    Text(MessageText),
    /// Something about an earlier message of the room.
    About {
        target: Target,
        deed: Deed,
    },
    /// A change of the room, which the server is asked for.
    Change(RoomEvent),
}

/// Which message something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The one with this number.
    Number(u64),
    /// One of one's own that has none yet.
    Own(MessageId),
}

/// What is done to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Answer(MessageText),
    Edit(MessageText),
    Remove,
    React(Reaction),
    TakeBack(Reaction),
}

/// As many messages wait as are kept; this one was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyWaiting;

/// In the order in which they were typed.
#[derive(Default)]
pub(super) struct OwnMessages {
    /// At most [`OWN_MAX`].
    queue: VecDeque<Own>,
    /// At most [`FAILED_MAX`].
    failed: VecDeque<Failed>,
}

pub(super) struct Own {
    pub(super) id: MessageId,
    pub(super) room: RoomName,
    pub(super) saying: Saying,
    pub(super) delivery: Delivery,
    /// It was sent at least once, so that the server may have it.
    was_sent: bool,
}

/// Something that was typed and not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) room: RoomName,
    pub(super) saying: Saying,
    pub(super) reason: String,
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
        if self.queue.len() >= OWN_MAX {
            return Err(TooManyWaiting);
        }
        self.queue.push_back(Own { id, room, saying, delivery: Delivery::Waiting, was_sent: false });
        Ok(())
    }

    /// Those that wait and of which `may_be_sent` is true, in order; they count as sent from here on.
    pub(super) fn take_unsent(&mut self, may_be_sent: impl Fn(&Own) -> bool) -> Vec<ClientMessage> {
        let waiting = self.queue.iter_mut().filter(|own| own.delivery == Delivery::Waiting);
        let mut messages = Vec::new();
        for own in waiting {
            if let Some(message) = own.message().filter(|_| may_be_sent(own)) {
                (own.delivery, own.was_sent) = (Delivery::Sent, true);
                messages.push(message);
            }
        }
        messages
    }

    /// What was sent and not answered is sent again.
    pub(super) fn send_again(&mut self) {
        for own in self.queue.iter_mut().filter(|own| own.delivery == Delivery::Sent) {
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
        self.queue.retain(|own| accepted(own).is_none_or(|sequence| sequence > after));
        for own in &mut self.queue {
            if accepted(own).is_some_and(|sequence| sequence > head) {
                own.delivery = Delivery::Waiting;
            }
        }
    }

    /// The one with this id.
    pub(super) fn find(&mut self, id: MessageId) -> Option<&mut Own> {
        self.queue.iter_mut().find(|own| own.id == id)
    }

    /// One has got its number: what is about it can be sent.
    pub(super) fn placed(&mut self, id: MessageId, sequence: u64) {
        for own in &mut self.queue {
            if let Saying::About { target, .. } = &mut own.saying
                && *target == Target::Own(id)
            {
                *target = Target::Number(sequence);
            }
        }
    }

    /// The last one that was said in a room, if there is any.
    pub(super) fn last_in(&self, room: &RoomName) -> Option<Target> {
        let mut in_words =
            self.queue.iter().rev().filter(|own| own.room == *room && own.saying.is_in_words());
        in_words.next().map(|own| match own.delivery {
            Delivery::Accepted { sequence } => Target::Number(sequence),
            Delivery::Waiting | Delivery::Sent => Target::Own(own.id),
        })
    }

    /// It is settled: everything is known that will ever be.
    pub(super) fn settle(&mut self, id: MessageId) {
        self.queue.retain(|own| own.id != id);
    }

    /// Takes one out of which it is not known that the server has it.
    pub(super) fn give_up(&mut self, id: MessageId) -> Option<Own> {
        let place = self.queue.iter().position(|own| own.id == id && own.is_open())?;
        self.queue.remove(place)
    }

    /// Takes one out if it was never sent. False if it was.
    pub(super) fn take_back(&mut self, id: MessageId) -> bool {
        !self.take_out(|own| own.id == id && !own.was_sent).is_empty()
    }

    /// Gives one another text if it was never sent. False if it was.
    pub(super) fn rewrite(&mut self, id: MessageId, new: &MessageText) -> bool {
        let Some(own) = self.queue.iter_mut().find(|own| own.id == id && !own.was_sent) else { return false };
        if let Saying::Text(text) | Saying::About { deed: Deed::Answer(text), .. } = &mut own.saying {
            text.clone_from(new);
        }
        true
    }

    /// Takes all out that are about this one.
    pub(super) fn give_up_about(&mut self, id: MessageId) -> Vec<Own> {
        self.take_out(|own| own.saying.is_about(id))
    }

    /// Takes all out that were meant for this room.
    pub(super) fn give_up_room(&mut self, room: &RoomName) -> Vec<Own> {
        self.take_out(|own| own.room == *room).into_iter().filter(Own::is_open).collect()
    }

    fn take_out(&mut self, is_meant: impl Fn(&Own) -> bool) -> Vec<Own> {
        let (taken, kept): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.queue).into_iter().partition(|own| is_meant(own));
        self.queue = kept;
        taken.into()
    }

    /// What was meant for a room goes to it under the name that it got.
    pub(super) fn rename(&mut self, old: &RoomName, new: &RoomName) {
        for own in self.queue.iter_mut().filter(|own| own.room == *old) {
            own.room = new.clone();
        }
    }

    /// The rooms that are on the way to be made, by the names that were wished for.
    pub(super) fn being_made(&self) -> Vec<RoomName> {
        let is_made = |own: &&Own| matches!(own.saying, Saying::Change(RoomEvent::Made { .. }));
        self.open().filter(is_made).map(|own| own.room.clone()).collect()
    }

    /// Keeps what was not delivered, if it can be said again; the oldest is forgotten when there are too many.
    pub(super) fn fail(&mut self, failed: Failed) {
        if failed.saying.is_in_words() {
            self.failed.push_back(failed);
        }
        if self.failed.len() > FAILED_MAX {
            self.failed.pop_front();
        }
    }

    /// What was not delivered.
    pub(super) fn failed(&self) -> impl ExactSizeIterator<Item = &Failed> {
        self.failed.iter()
    }

    /// Takes out what was not delivered.
    pub(super) fn take_failed(&mut self) -> Vec<Failed> {
        std::mem::take(&mut self.failed).into()
    }

    /// How many are not settled.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// How many changes are not settled.
    pub(super) fn changes(&self) -> usize {
        self.queue.iter().filter(|own| matches!(own.saying, Saying::Change(_))).count()
    }

    /// Those of which it is not known that the server has them.
    pub(super) fn open(&self) -> impl Iterator<Item = &Own> {
        self.queue.iter().filter(|own| own.is_open())
    }
}

impl From<MessageText> for Saying {
    fn from(text: MessageText) -> Self {
        Self::Text(text)
    }
}

impl Saying {
    /// Whether it is something for people to read, in a place of its own.
    pub(super) fn is_in_words(&self) -> bool {
        matches!(self, Self::Text(_) | Self::About { deed: Deed::Answer(_), .. })
    }

    fn is_about(&self, id: MessageId) -> bool {
        matches!(self, Self::About { target: Target::Own(own), .. } if *own == id)
    }
}

impl Own {
    fn is_open(&self) -> bool {
        !matches!(self.delivery, Delivery::Accepted { .. })
    }

    /// What is sent; nothing as long as the message that it is about has no number.
    fn message(&self) -> Option<ClientMessage> {
        let (kind, body, of) = match &self.saying {
            Saying::Text(text) => (BODY_TEXT, bytes(text), None),
            Saying::Change(event) => (BODY_ROOM_EVENT, wire::encode(event), None),
            Saying::About { target: Target::Own(_), .. } => return None,
            Saying::About { target: Target::Number(of), deed } => {
                let (kind, body) = deed.kind_and_body();
                (kind, body, Some(*of))
            }
        };
        Some(ClientMessage::Say { room: self.room.to_string(), id: self.id, kind, body: body.into(), of })
    }
}

impl Deed {
    fn kind_and_body(&self) -> (u16, Vec<u8>) {
        let change = match self {
            Self::Answer(text) => return (BODY_TEXT, bytes(text)),
            Self::Edit(text) => MessageChange::Edit(text.as_str().as_bytes()),
            Self::Remove => MessageChange::Remove,
            Self::React(reaction) => MessageChange::React(reaction.clone()),
            Self::TakeBack(reaction) => MessageChange::TakeBack(reaction.clone()),
        };
        (change.kind(), change.body())
    }
}

fn bytes(text: &MessageText) -> Vec<u8> {
    text.as_str().as_bytes().to_vec()
}
