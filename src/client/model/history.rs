//! What was said before the messages that are shown as they come.

use super::super::happening::{Happening, Told};
use super::Model;
use crate::names::RoomName;
use crate::wire::PastMessage;

impl Model {
    /// The number of the first message of a room that was shown; none if the room was never entered.
    pub(in crate::client) fn shown_from(&self, room: &RoomName) -> Option<u64> {
        self.rooms.get(room)?.shown_from()
    }

    pub(super) fn past(&mut self, room: &str, mut messages: Vec<PastMessage>, more: bool) -> Vec<Happening> {
        let Ok(room) = room.parse::<RoomName>() else { return Vec::new() };
        messages.sort_by_key(|message| message.sequence);
        if let (Some(place), Some(first)) = (self.rooms.get_mut(&room), messages.first()) {
            place.show_from(first.sequence);
        }
        vec![Happening::Told(Told::Past(room, messages, more))]
    }
}
