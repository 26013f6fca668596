//! Rooms that come and go: those that are made, entered, refused, and left.

use std::mem;

use super::super::happening::{Happening, Told};
use super::super::place::Place;
use super::{Model, ROOMS_MAX};
use crate::names::RoomName;
use crate::wire::Code;

impl Model {
    /// A room was made, perhaps under another name than was wished for: what was typed for it goes there.
    pub(super) fn made(&mut self, wished: &RoomName, room: &RoomName) {
        self.own.rename(wished, room);
        if self.current == *wished {
            self.current = room.clone();
        }
        let place = self.rooms.entry(room.clone()).or_default();
        if !place.is_in() {
            place.is_wanted = true;
            place.seen = Some(0); // from its first message
        }
    }

    pub(super) fn added(&mut self, room: &str, head: u64, read: Option<u64>) -> Vec<Happening> {
        let Ok(room) = room.parse::<RoomName>() else { return Vec::new() };
        if let Some(place) = self.rooms.get_mut(&room) {
            place.is_told = true;
            return Vec::new();
        }
        if room.is_direct() && room.partner(&self.me).is_none() {
            return Vec::new();
        }
        if self.rooms.len() >= ROOMS_MAX {
            let is_news = !mem::replace(&mut self.is_full, true);
            return is_news.then_some(Happening::TooManyRooms { kept: ROOMS_MAX }).into_iter().collect();
        }
        if room.is_direct() {
            // One that the other has opened is nothing to see before something is said in it.
            self.rooms.insert(room, Place::told_to_show(Self::first_shown(head, read)));
            return Vec::new();
        }
        self.rooms.insert(room.clone(), Place::told(head));
        // What one has made oneself is no news.
        let is_own = self.own.being_made().iter().any(|wished| wished.as_str() == room.base());
        if is_own { Vec::new() } else { vec![Happening::Added { room }] }
    }

    pub(super) fn removed(&mut self, room: &RoomName, reason: Option<String>) -> Vec<Happening> {
        if self.rooms.remove(room).is_none() {
            return Vec::new();
        }
        let given_up = self.give_up(room, "you are not in the room any more");
        [Happening::Removed { room: room.clone(), reason }].into_iter().chain(given_up).collect()
    }

    pub(super) fn all_told(&mut self) -> Vec<Happening> {
        let gone: Vec<_> = self
            .rooms
            .iter()
            .filter(|(_, place)| !place.is_told && !place.is_wanted)
            .map(|(room, _)| room.clone())
            .collect();
        let removed: Vec<_> = gone.iter().flat_map(|room| self.removed(room, None)).collect();
        removed.into_iter().chain([Happening::AllTold]).collect()
    }

    pub(super) fn room_refused(&mut self, room: &str, code: Code, text: String) -> Vec<Happening> {
        match self.find(room) {
            Some((room, place)) if place.is_asked() => {
                self.rooms.remove(&room);
                let given_up = self.give_up(&room, &text);
                [Happening::NotEntered { room, code, text }].into_iter().chain(given_up).collect()
            }
            _ => vec![Happening::Told(Told::No { code, text })],
        }
    }

    /// What one has said in a room that is gone is told, and said nowhere.
    pub(super) fn give_up(&mut self, room: &RoomName, reason: &str) -> Vec<Happening> {
        let given_up = self.own.give_up_room(room);
        given_up.into_iter().map(|own| self.not_delivered(own, None, reason.to_owned())).collect()
    }
}
