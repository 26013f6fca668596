//! What is said about earlier messages, and what was not delivered.

use super::super::happening::Happening;
use super::super::own::{Failed, Own, Target};
use super::super::recent::Remembered;
use super::Model;
use crate::names::MessageText;
use crate::wire::{Code, MessageId};

impl Model {
    /// The last message of the current room that one has said oneself; also one that is on its way.
    pub(in crate::client) fn own_last(&self) -> Option<Target> {
        let known = || self.recent().find(|known| known.author == self.me && known.is_text);
        self.own.last_in(&self.current).or_else(|| known().map(|known| Target::Number(known.sequence)))
    }

    /// The last message of the current room that someone else has said.
    pub(in crate::client) fn others_last(&self) -> Option<Target> {
        self.recent().find(|known| known.author != self.me).map(|known| Target::Number(known.sequence))
    }

    /// The last messages of the current room, but for those of people who are ignored, the very last one first.
    pub(in crate::client) fn recent(&self) -> impl Iterator<Item = &Remembered> {
        let remembered =
            self.rooms.get(&self.current).into_iter().flat_map(|place| place.recent.last_first());
        remembered.filter(|known| !self.ignores(&known.author))
    }

    /// What was not delivered, and can be said again.
    pub(in crate::client) fn failed(&self) -> impl ExactSizeIterator<Item = &Failed> {
        self.own.failed()
    }

    /// What one has said and is not known to be on the server, in order: where, what, and whether it was sent.
    pub(in crate::client) fn pending(&self) -> impl Iterator<Item = &Own> {
        self.own.open()
    }

    /// Takes out what was not delivered; whoever takes it can say it again.
    pub(in crate::client) fn take_failed(&mut self) -> Vec<Failed> {
        self.own.take_failed()
    }

    /// Says something again that was not delivered, in the room where it was said. False when that can't be; then it stays
    /// undelivered.
    pub(in crate::client) fn say_again(&mut self, id: MessageId, failed: Failed) -> bool {
        let Failed { room, saying, .. } = failed.clone();
        let is_taken = self.rooms.contains_key(&room) && self.own.push(id, room, saying).is_ok();
        if !is_taken {
            self.own.fail(failed);
        }
        is_taken
    }

    /// Takes back what was not sent yet. False if it was, at any time.
    pub(in crate::client) fn take_back(&mut self, id: MessageId) -> bool {
        let is_taken_back = self.own.take_back(id);
        if is_taken_back {
            self.own.give_up_about(id);
        }
        is_taken_back
    }

    /// Gives what was not sent yet another text. False if it was, at any time.
    pub(in crate::client) fn rewrite(&mut self, id: MessageId, text: &MessageText) -> bool {
        self.own.rewrite(id, text)
    }

    /// Something is given up; what was typed can be said again.
    pub(super) fn not_delivered(&mut self, own: Own, code: Option<Code>, reason: String) -> Happening {
        let Own { id, room, saying, .. } = own;
        self.own.fail(Failed { room, saying: saying.clone(), reason: reason.clone() });
        Happening::NotDelivered { id, saying, code, reason }
    }

    /// What is about a message that was given up is given up with it.
    pub(super) fn give_up_about(&mut self, id: MessageId) -> Vec<Happening> {
        const REASON: &str = "the message that it is about was not delivered";
        let given_up = self.own.give_up_about(id);
        given_up.into_iter().map(|own| self.not_delivered(own, None, REASON.to_owned())).collect()
    }
}
