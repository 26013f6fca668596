//! What this client knows: its place in the room, who is there, and what became of its own messages. It is pure (no
//! socket, no clock, no screen), so that every order in which things can happen is tested here and not by chance.
//!
//! A message of one's own is *waiting* until it was sent on the present connection, *sent* until the server answers,
//! *accepted* until it comes back in its place among the others. Whatever breaks in between puts it back to waiting,
//! under the same id, by which the server knows it again.

use std::collections::{BTreeSet, VecDeque};

use crate::names::{InviteText, MessageText, RoomName};
use crate::wire::{Code, Device, MessageId, ServerMessage};

/// The most messages of one's own that are kept for a server that does not take them.
pub(super) const OWN_MAX: usize = 1_000;

/// The most names that are kept of a room's people.
const PEOPLE_MAX: usize = 20_000;

/// The longest name that is kept, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// What a person should see or the session should act on. Times are milliseconds since 1970 by the server's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// The room was entered; what was missed follows.
    Joined,
    /// What was missed is complete.
    CaughtUp,
    /// Someone, perhaps oneself, said something.
    Said { at: u64, author: String, kind: u16, body: Vec<u8> },
    /// Someone came.
    Arrived { at: u64, name: String },
    /// Someone went.
    Left { at: u64, name: String },
    /// The server passed over these numbers, which it never should.
    Missing { first: u64, last: u64 },
    /// A message of one's own was refused and is given up.
    NotDelivered { text: MessageText, reason: String },
    /// Something else was refused.
    Refused { code: Code, text: String },
    /// The server has dropped what waited for us; what was said comes again, answers don't.
    Lagged,
    /// One's devices, as one asked.
    Devices(Vec<Device>),
    /// The password is another one now, as one asked.
    PasswordChanged,
    /// An invite, as one asked.
    Invited { token: InviteText, uses: u32, until: u64 },
    /// The server ends the session.
    Closing { code: Code, text: String },
}

/// As many messages wait as are kept; this one was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyWaiting;

/// One person in one room.
pub(super) struct Model {
    me: String,
    room: RoomName,
    /// Whether the room was entered on the present connection.
    is_in: bool,
    /// The number of the last message that was shown; `None` before the room was first entered.
    seen: Option<u64>,
    people: BTreeSet<String>,
    /// A list of people of which parts are still to come.
    gathering: BTreeSet<String>,
    /// In the order in which they were typed; at most [`OWN_MAX`].
    own: VecDeque<Own>,
}

struct Own {
    id: MessageId,
    text: MessageText,
    delivery: Delivery,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Waiting,
    Sent,
    Accepted { sequence: u64 },
}

impl Model {
    /// Someone who has not entered the room yet.
    pub(super) fn new(me: String, room: RoomName) -> Self {
        Self {
            me,
            room,
            is_in: false,
            seen: None,
            people: BTreeSet::new(),
            gathering: BTreeSet::new(),
            own: VecDeque::new(),
        }
    }

    /// The name that the server knows this person by.
    pub(super) fn me(&self) -> &str {
        &self.me
    }

    /// The room.
    pub(super) fn room(&self) -> &RoomName {
        &self.room
    }

    /// The number after which the room is to be entered.
    pub(super) fn seen(&self) -> Option<u64> {
        self.seen
    }

    /// Who is in the room, in the order of the alphabet.
    pub(super) fn people(&self) -> impl ExactSizeIterator<Item = &str> {
        self.people.iter().map(String::as_str)
    }

    /// Takes a message that was typed. [`Self::take_unsent`] gives it out.
    pub(super) fn say(&mut self, id: MessageId, text: MessageText) -> Result<(), TooManyWaiting> {
        if self.own.len() >= OWN_MAX {
            return Err(TooManyWaiting);
        }
        self.own.push_back(Own { id, text, delivery: Delivery::Waiting });
        Ok(())
    }

    /// What must be sent now, in order; it counts as sent from here on. Nothing while the room is not entered.
    pub(super) fn take_unsent(&mut self) -> Vec<(MessageId, MessageText)> {
        if !self.is_in {
            return Vec::new();
        }
        let waiting = self.own.iter_mut().filter(|own| own.delivery == Delivery::Waiting);
        waiting
            .map(|own| {
                own.delivery = Delivery::Sent;
                (own.id, own.text.clone())
            })
            .collect()
    }

    /// The connection is gone; what was sent and not answered is sent again on the next one.
    pub(super) fn disconnected(&mut self) {
        self.is_in = false;
        self.send_again();
    }

    /// Another connection has asked for the room after `asked` and was let in, and takes the place of the present one,
    /// on which more may have been shown since. What was sent and not answered is sent again there.
    pub(super) fn moved(&mut self, asked: Option<u64>, after: u64, head: u64) {
        // Who is still there on the other connection may have been shown more by now than there was when it was let in.
        let shown = self.seen.filter(|_| asked == Some(after)).unwrap_or(after);
        self.joined(shown, head.max(shown));
        self.send_again();
    }

    /// The connection that had taken the place of another one is gone, and the other one is still there.
    pub(super) fn moved_back(&mut self) {
        self.send_again();
    }

    /// The number of one's own messages that are not yet accepted and shown.
    pub(super) fn unsettled(&self) -> usize {
        self.own.len()
    }

    /// One's own messages of which it is not known that the server has them.
    pub(super) fn undelivered(&self) -> impl Iterator<Item = &MessageText> {
        let open = |own: &&Own| !matches!(own.delivery, Delivery::Accepted { .. });
        self.own.iter().filter(open).map(|own| &own.text)
    }

    /// Takes what the server sent. Messages of other rooms and of the login are passed over.
    pub(super) fn apply(&mut self, message: ServerMessage) -> Vec<Happening> {
        match message {
            ServerMessage::Joined { room, after, head } if self.is_here(&room) => {
                self.joined(after, head);
                vec![Happening::Joined]
            }
            ServerMessage::Said { room, sequence, at, author, id, kind, body } if self.is_here(&room) => self
                .said(
                    sequence,
                    &author,
                    id,
                    Happening::Said { at, author: author.clone(), kind, body: body.into() },
                ),
            ServerMessage::CaughtUp { room, .. } if self.is_here(&room) => vec![Happening::CaughtUp],
            ServerMessage::Accepted { id, sequence, .. } => {
                self.accepted(id, sequence);
                Vec::new()
            }
            ServerMessage::Refused { code, text, id, .. } => self.refused(code, text, id),
            ServerMessage::RoomRefused { room, code, text } if self.is_here(&room) => {
                vec![Happening::Refused { code, text }]
            }
            ServerMessage::People { room, names, first, last } if self.is_here(&room) => {
                self.gather(names, first, last);
                Vec::new()
            }
            ServerMessage::Arrived { room, name, at } if self.is_here(&room) => {
                keep_name(&mut self.people, name.clone());
                self.unless_me(name, |name| Happening::Arrived { at, name })
            }
            ServerMessage::Left { room, name, at } if self.is_here(&room) => {
                self.people.remove(&name);
                self.unless_me(name, |name| Happening::Left { at, name })
            }
            ServerMessage::Lagged {} => {
                self.send_again();
                vec![Happening::Lagged]
            }
            ServerMessage::Devices { devices } => vec![Happening::Devices(devices)],
            ServerMessage::PasswordChanged {} => vec![Happening::PasswordChanged],
            ServerMessage::Invited { token, uses, until } => vec![Happening::Invited { token, uses, until }],
            ServerMessage::Closing { code, text } => vec![Happening::Closing { code, text }],
            _ => Vec::new(),
        }
    }

    fn is_here(&self, room: &str) -> bool {
        room == self.room.as_str()
    }

    fn joined(&mut self, after: u64, head: u64) {
        self.is_in = true;
        self.seen = Some(after);
        self.gathering.clear();
        // A server that was restored from a backup may have lost what it once accepted, or have shown it elsewhere.
        self.own.retain(|own| !matches!(own.delivery, Delivery::Accepted { sequence } if sequence <= after));
        for own in &mut self.own {
            if matches!(own.delivery, Delivery::Accepted { sequence } if sequence > head) {
                own.delivery = Delivery::Waiting;
            }
        }
    }

    fn said(&mut self, sequence: u64, author: &str, id: MessageId, said: Happening) -> Vec<Happening> {
        let Some(seen) = self.seen.filter(|seen| self.is_in && sequence > *seen) else {
            return Vec::new();
        };
        self.seen = Some(sequence);
        if author == self.me {
            self.own.retain(|own| own.id != id);
        }
        let gap = (sequence - seen > 1).then(|| Happening::Missing { first: seen + 1, last: sequence - 1 });
        gap.into_iter().chain([said]).collect()
    }

    fn accepted(&mut self, id: MessageId, sequence: u64) {
        if self.seen.is_some_and(|seen| sequence <= seen) {
            self.own.retain(|own| own.id != id);
        } else if let Some(own) = self.own.iter_mut().find(|own| own.id == id) {
            own.delivery = Delivery::Accepted { sequence };
        }
    }

    fn refused(&mut self, code: Code, text: String, id: Option<MessageId>) -> Vec<Happening> {
        let Some(id) = id else {
            return vec![Happening::Refused { code, text }];
        };
        let is_open = |own: &Own| own.id == id && !matches!(own.delivery, Delivery::Accepted { .. });
        let given_up = self.own.iter().position(is_open).and_then(|place| self.own.remove(place));
        given_up.map(|own| Happening::NotDelivered { text: own.text, reason: text }).into_iter().collect()
    }

    fn gather(&mut self, names: Vec<String>, first: bool, last: bool) {
        if first {
            self.gathering.clear();
        }
        for name in names {
            keep_name(&mut self.gathering, name);
        }
        if last {
            self.people = std::mem::take(&mut self.gathering);
        }
    }

    fn unless_me(&self, name: String, happening: impl FnOnce(String) -> Happening) -> Vec<Happening> {
        if name == self.me { Vec::new() } else { vec![happening(name)] }
    }

    fn send_again(&mut self) {
        for own in &mut self.own {
            if own.delivery == Delivery::Sent {
                own.delivery = Delivery::Waiting;
            }
        }
    }
}

fn keep_name(people: &mut BTreeSet<String>, name: String) {
    if people.len() < PEOPLE_MAX && name.len() <= NAME_BYTES_MAX {
        people.insert(name);
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
