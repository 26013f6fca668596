//! What was said before the messages that are shown as they come, and what of all of it was read.

use super::super::happening::{Happening, Told};
use super::super::unread::Counts;
use super::Model;
use crate::names::RoomName;
use crate::wire::{ClientMessage, PastMessage};

impl Model {
    /// The number of the first message of a room that was shown; none if the room was never entered.
    pub(in crate::client) fn shown_from(&self, room: &RoomName) -> Option<u64> {
        self.rooms.get(room)?.shown_from()
    }

    /// The number after which what is unread in a room was not shown yet; none if all of it was.
    pub(in crate::client) fn unread_from(&self, room: &RoomName) -> Option<u64> {
        self.rooms.get(room)?.unread_from()
    }

    /// The rooms in which something is unread, and how much.
    pub(in crate::client) fn unread(&self) -> impl Iterator<Item = (&RoomName, Counts)> {
        let counts = self.rooms.iter().map(|(room, place)| (room, place.unread.counts()));
        counts.filter(|(_, counts)| counts.messages > 0)
    }

    /// Whether the server does not know yet how far this person has read: the current room, what was said to them alone, and
    /// what they have asked to see.
    pub(in crate::client) fn is_mark_due(&self) -> bool {
        self.rooms
            .iter()
            .any(|(room, place)| place.read_up_to(*room == self.current || room.is_direct()).is_some())
    }

    /// What the server is to be told of that, one room after the other. It counts as told from here on.
    pub(in crate::client) fn take_mark(&mut self) -> Option<ClientMessage> {
        let current = self.current.clone();
        self.rooms.iter_mut().find_map(|(room, place)| {
            let sequence = place.read_up_to(*room == current || room.is_direct())?;
            place.marked(sequence);
            Some(ClientMessage::MarkRead { room: room.to_string(), sequence })
        })
    }

    /// Everything that there is of a room counts as read; none if this person is not in it.
    pub(in crate::client) fn mark_all(&self, room: &RoomName) -> Option<ClientMessage> {
        let sequence = self.rooms.get(room)?.seen?;
        Some(ClientMessage::MarkRead { room: room.to_string(), sequence })
    }

    /// A page of what stands before what was shown is being shown.
    pub(in crate::client) fn show_earlier(&mut self, room: &RoomName, page: &[PastMessage]) {
        if let (Some(place), Some(first)) = (self.rooms.get_mut(room), page.first()) {
            place.show_from(first.sequence);
        }
    }

    /// A page of what is unread is being shown.
    pub(in crate::client) fn show_unread(&mut self, room: &RoomName, page: &[PastMessage]) {
        if let (Some(place), Some(last)) = (self.rooms.get_mut(room), page.last()) {
            place.show_unread_to(last.sequence);
        }
    }

    pub(super) fn read(&mut self, room: &str, read: Option<u64>, head: u64, counts: Counts) {
        if let Some((_, place)) = self.find(room) {
            place.unread.told(read, head, counts);
        }
    }
}

/// A page has come.
pub(super) fn past(room: &str, mut messages: Vec<PastMessage>, more: bool) -> Vec<Happening> {
    let Ok(room) = room.parse::<RoomName>() else { return Vec::new() };
    messages.sort_by_key(|message| message.sequence);
    vec![Happening::Told(Told::Past(room, messages, more))]
}
