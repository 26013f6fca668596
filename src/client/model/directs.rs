//! Direct conversations: what they are called here, and who wrote last.

use super::super::place::Place;
use super::Model;
use crate::names::{RoomName, Username};

/// How many messages of a direct conversation are shown that were said before this client came.
const FIRST_SHOWN: u64 = 50;

impl Model {
    /// The direct conversation with someone; `None` with oneself.
    pub(in crate::client) fn talk_with(&self, name: &Username) -> Option<RoomName> {
        RoomName::direct(self.name.as_ref()?, name)
    }

    /// What a room is called where a person sees it: a direct conversation by the other one.
    pub(in crate::client) fn called(&self, room: &RoomName) -> String {
        room.partner(&self.me).map_or_else(|| room.to_string(), |partner| format!("@{partner}"))
    }

    /// The direct conversation in which someone else wrote last.
    pub(in crate::client) fn last_writer(&self) -> Option<&RoomName> {
        self.last_writer.as_ref().map(|(_, room)| room)
    }

    /// Everyone whose name is known here.
    pub(in crate::client) fn known_people(&self) -> impl Iterator<Item = &str> {
        let partners = self.rooms.keys().filter_map(|room| room.partner(&self.me));
        self.rooms.values().flat_map(Place::people).chain(partners)
    }

    /// Notes who wrote. What was missed in several conversations does not come in the order in which it was written.
    pub(super) fn heard_from(&mut self, room: &RoomName, at: u64, author: &str) {
        let is_later = self.last_writer.as_ref().is_none_or(|(last, _)| at >= *last);
        if room.is_direct() && author != self.me && !self.ignores(author) && is_later {
            self.last_writer = Some((at, room.clone()));
        }
    }

    /// After which message one begins in a direct conversation that the server has told: what was said while one was away
    /// is shown, if it is not too much.
    pub(super) fn first_shown(head: u64, read: Option<u64>) -> u64 {
        head.saturating_sub(FIRST_SHOWN).max(read.unwrap_or(0).min(head))
    }
}
