//! People: who is in a room, and who is away.

use std::collections::{BTreeMap, BTreeSet};

use super::super::commands::Known;
use super::super::happening::{Happening, Told};
use super::super::place::{Change, NAME_BYTES_MAX, Place};
use super::{Model, PEOPLE_MAX};
use crate::names::{AWAY_REASON_BYTES_MAX, RoomName};
use crate::wire::{AwayPerson, PersonCard};

/// Why people are away, by their names; at most [`PEOPLE_MAX`].
pub(super) type Away = BTreeMap<String, String>;

impl Model {
    /// Who is in the current room, in the order of the alphabet.
    pub(in crate::client) fn people(&self) -> impl Iterator<Item = &str> {
        self.people_of(&self.current)
    }

    /// Who is in a room, in the order of the alphabet; nobody in one that is not entered.
    pub(in crate::client) fn people_of(&self, room: &RoomName) -> impl Iterator<Item = &str> {
        self.rooms.get(room).into_iter().flat_map(Place::people)
    }

    /// What can be meant by what is being typed.
    pub(in crate::client) fn known(&self) -> Known<'_> {
        let here: BTreeSet<&str> = self.people().collect();
        let elsewhere: BTreeSet<&str> = self.rooms.values().flat_map(Place::people).collect();
        let people = here.iter().chain(elsewhere.difference(&here)).copied().collect();
        Known { me: &self.me, people, rooms: self.rooms.keys().collect() }
    }

    /// Whether someone is in a room; none if it is not known who is there.
    pub(in crate::client) fn is_here(&self, room: &RoomName, name: &str) -> Option<bool> {
        self.rooms.get(room).filter(|place| place.is_in()).map(|place| place.has(name))
    }

    /// Why someone is away, if that is known of them; empty for no reason.
    pub(in crate::client) fn away(&self, name: &str) -> Option<&str> {
        self.away.get(name).map(String::as_str)
    }

    /// A part of the list of who is in a room.
    pub(super) fn people_told(
        &mut self,
        room: &str,
        names: Vec<String>,
        first: bool,
        last: bool,
    ) -> Vec<Happening> {
        let most = self.names_left_for(room);
        let Some((room, place)) = self.find(room) else { return Vec::new() };
        let Some(Change { mut came, mut went }) = place.gather(names, first, last, most) else {
            return Vec::new();
        };
        for names in [&mut came, &mut went] {
            names.retain(|name| *name != self.me);
        }
        if (came.is_empty() && went.is_empty()) || room.is_direct() {
            Vec::new()
        } else {
            vec![Happening::Changed { room, came, went }]
        }
    }

    pub(super) fn arrived(&mut self, room: &str, name: String, at: u64) -> Vec<Happening> {
        let most = self.names_left_for(room);
        let Some((room, place)) = self.find(room) else { return Vec::new() };
        place.arrived(name.clone(), most);
        self.unless_known(&room.clone(), name, |name| Happening::Arrived { room, at, name })
    }

    pub(super) fn left(&mut self, room: &str, name: String, at: u64) -> Vec<Happening> {
        let Some((room, place)) = self.find(room) else { return Vec::new() };
        place.left(&name);
        if !self.rooms.values().any(|place| place.has(&name)) {
            self.away.remove(&name);
        }
        self.unless_known(&room.clone(), name, |name| Happening::Left { room, at, name })
    }

    /// Those who are away of the people of a room; the others of them are not.
    pub(super) fn away_told(&mut self, room: &str, people: Vec<AwayPerson>) -> Vec<Happening> {
        let Some(place) = room.parse().ok().and_then(|room: RoomName| self.rooms.get(&room)) else {
            return Vec::new();
        };
        for name in place.people() {
            self.away.remove(name);
        }
        for AwayPerson { name, away } in people {
            self.note_away(name, Some(away));
        }
        Vec::new()
    }

    /// Someone is away or back. Of oneself, perhaps on another device, that is news.
    pub(super) fn presence(&mut self, name: String, away: Option<String>) -> Vec<Happening> {
        let (is_me, before) = (name == self.me, self.away.get(&name).cloned());
        self.note_away(name, away.clone());
        if is_me && before != away { vec![Happening::Away(away)] } else { Vec::new() }
    }

    pub(super) fn person_told(card: PersonCard) -> Vec<Happening> {
        vec![Happening::Told(Told::Person(card))]
    }

    fn note_away(&mut self, name: String, away: Option<String>) {
        match away.filter(|away| away.len() <= AWAY_REASON_BYTES_MAX) {
            None => _ = self.away.remove(&name),
            Some(away) if name.len() <= NAME_BYTES_MAX && self.away.len() < PEOPLE_MAX => {
                self.away.insert(name, away);
            }
            Some(_) => {}
        }
    }

    /// How many names of people may be kept of this room, whatever is kept of it now.
    fn names_left_for(&self, room: &str) -> usize {
        let others = self.rooms.iter().filter(|(other, _)| other.as_str() != room);
        PEOPLE_MAX.saturating_sub(others.map(|(_, place)| place.names()).sum())
    }

    /// Someone's coming or going, unless it is one's own, or that of someone who is ignored. That of the other one in a direct conversation is known from
    /// the lobby.
    fn unless_known(
        &self,
        room: &RoomName,
        name: String,
        happening: impl FnOnce(String) -> Happening,
    ) -> Vec<Happening> {
        let is_known = name == self.me || room.is_direct() || self.ignores(&name);
        if is_known { Vec::new() } else { vec![happening(name)] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ServerMessage;

    fn people(model: &mut Model, room: &str, names: &[&str]) -> Vec<Happening> {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        model.apply(ServerMessage::People { room: room.into(), names, first: true, last: true })
    }

    fn away(room: &str, people: &[(&str, &str)]) -> ServerMessage {
        let person = |(name, away): &(&str, &str)| AwayPerson { name: (*name).into(), away: (*away).into() };
        ServerMessage::Away { room: room.into(), people: people.iter().map(person).collect() }
    }

    fn presence(name: &str, away: Option<&str>) -> ServerMessage {
        ServerMessage::Presence { name: name.into(), away: away.map(str::to_owned) }
    }

    fn model() -> Model {
        let mut model = Model::new("alice".into(), RoomName::lobby());
        people(&mut model, "#lobby", &["alice", "bob", "carol"]);
        model
    }

    #[test]
    fn who_is_away_is_so_until_it_is_told_otherwise_or_they_are_gone() {
        let mut model = model();
        model.apply(away("#lobby", &[("bob", "lunch"), ("carol", "")]));
        assert_eq!((model.away("bob"), model.away("carol")), (Some("lunch"), Some("")));
        model.apply(presence("bob", None));
        model.apply(presence("carol", Some("tea")));
        assert_eq!((model.away("bob"), model.away("carol")), (None, Some("tea")));
        model.apply(away("#lobby", &[("bob", "again")]));
        assert_eq!((model.away("bob"), model.away("carol")), (Some("again"), None), "those and no others");
        model.apply(ServerMessage::Left { room: "#lobby".into(), name: "bob".into(), at: 1 });
        assert_eq!(model.away("bob"), None);
    }

    #[test]
    fn of_oneself_it_is_told_once() {
        let mut model = model();
        assert_eq!(model.apply(presence("alice", Some(""))), [Happening::Away(Some(String::new()))]);
        assert_eq!(model.apply(presence("alice", Some(""))), []);
        assert_eq!(model.apply(presence("alice", None)), [Happening::Away(None)]);
        assert_eq!(model.apply(presence("bob", Some("lunch"))), []);
    }

    #[test]
    fn who_came_and_went_while_the_connection_was_lost_is_told() {
        let mut model = model();
        model.disconnected();
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let changed = Happening::Changed {
            room: RoomName::lobby(),
            came: names(&["dave"]),
            went: names(&["bob", "carol"]),
        };
        assert_eq!(people(&mut model, "#lobby", &["dave"]), [changed], "and nothing of oneself");
        assert_eq!(people(&mut model, "#lobby", &["alice", "dave"]), []);
    }

    #[test]
    fn a_server_can_not_make_us_keep_long_reasons_or_names() {
        let mut model = model();
        model.apply(presence("bob", Some(&"x".repeat(AWAY_REASON_BYTES_MAX + 1))));
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        model.apply(presence(&long, Some("lunch")));
        assert_eq!((model.away("bob"), model.away(&long)), (None, None));
    }
}
