//! What a token is for.

use std::collections::BTreeSet;

use crate::names::RoomName;

/// What may be done with a token, and in which rooms. Other rooms do not exist for who comes in by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// None for all rooms of the bot.
    pub(super) rooms: Option<BTreeSet<RoomName>>,
    pub(super) reads: bool,
    pub(super) writes: bool,
}

impl Scope {
    /// For these rooms, or for all if there is none among them.
    pub(crate) fn new(rooms: BTreeSet<RoomName>, reads: bool, writes: bool) -> Self {
        Self { rooms: Some(rooms).filter(|rooms| !rooms.is_empty()), reads, writes }
    }

    /// The rooms, if not all.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &RoomName> {
        self.rooms.iter().flatten()
    }

    /// Whether a room is among them.
    pub(crate) fn has(&self, room: &RoomName) -> bool {
        self.rooms.as_ref().is_none_or(|rooms| rooms.contains(room))
    }

    /// In words for the operator.
    pub(crate) fn in_words(&self) -> String {
        let deeds = match (self.reads, self.writes) {
            (true, true) => "reads and writes",
            (true, false) => "reads",
            (false, true) => "writes",
            (false, false) => "does nothing",
        };
        let rooms: Vec<&str> = self.rooms().map(RoomName::as_str).collect();
        if self.rooms.is_none() {
            format!("{deeds} in all its rooms")
        } else {
            format!("{deeds} in {}", rooms.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_has_its_rooms_or_all_and_says_so() {
        let ops: RoomName = "#ops".parse().unwrap();
        let all = Scope::new(BTreeSet::new(), true, true);
        assert!(all.has(&ops) && all.has(&RoomName::lobby()));
        assert_eq!(all.in_words(), "reads and writes in all its rooms");
        let some = Scope::new([ops.clone()].into(), false, true);
        assert!(some.has(&ops) && !some.has(&RoomName::lobby()));
        assert_eq!(some.in_words(), "writes in #ops");
    }
}
