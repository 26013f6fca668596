//! Comings and goings in rooms, as someone at a terminal wants to hear of them: few one by one, many in one line, and not
//! at all who is back at once. It is pure: what happens and the time go in, and what is to be told comes out.
//!
//! Who comes into a calm room is told at once. Who goes, and whoever comes when much is going on, is held back for a
//! moment; who is back within it is not told. What is held is told before the next message, so that the order stays true.
//! Those who are not there any more when a lost connection is back are most likely on their way as well, and have longer.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::names::RoomName;

/// As many may come or go within [`LATELY`] before a room is not calm.
const CALM_MAX: usize = 4;
const LATELY: Duration = Duration::from_secs(10);

/// What is held is told when nothing else has happened for so long …
const QUIET: Duration = Duration::from_secs(3);

/// … or when something was held for so long.
const HELD_MAX: Duration = Duration::from_secs(10);

/// As long as others may take to be back after everyone has lost the connection: the longest wait between two tries, and
/// time for the try.
const RETURN_WITHIN: Duration = Duration::from_secs(75);

/// The most names that are held of a room; they are told when there are more.
const NAMES_MAX: usize = 500;

/// As many are told one by one.
const ONE_BY_ONE_MAX: usize = 3;

/// As many are named when there are more.
const NAMED: usize = 2;

/// Those who came to a room, or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) room: RoomName,
    /// When it happened, or the first of it, in milliseconds since 1970.
    pub(super) at: u64,
    /// Who, in words.
    pub(super) who: String,
    /// They came.
    pub(super) came: bool,
}

/// What goes on in all rooms.
#[derive(Default)]
pub(super) struct Comings {
    rooms: BTreeMap<RoomName, Restless>,
}

/// What goes on in one room.
#[derive(Default)]
struct Restless {
    /// When someone came or went last; at most [`CALM_MAX`].
    lately: VecDeque<Instant>,
    /// In the order in which it happened.
    held: Vec<Held>,
    /// Those who were gone when the connection was back.
    missed: Vec<Held>,
}

struct Held {
    name: String,
    came: bool,
    at: u64,
    since: Instant,
}

impl Comings {
    /// Someone came or went. Gives what is to be told at once.
    pub(super) fn happened(
        &mut self,
        room: &RoomName,
        name: String,
        came: bool,
        at: u64,
        now: Instant,
    ) -> Vec<Told> {
        let restless = self.rooms.entry(room.clone()).or_default();
        if came && restless.forgive(&name) {
            return Vec::new();
        }
        if came && restless.is_calm(now) {
            return vec![Told { room: room.clone(), at, who: name, came }];
        }
        restless.held.push(Held { name, came, at, since: now });
        if restless.held.len() < NAMES_MAX { Vec::new() } else { restless.take_held(room) }
    }

    /// Someone was gone when the connection was back.
    pub(super) fn missed(&mut self, room: &RoomName, name: String, at: u64, now: Instant) {
        let missed = &mut self.rooms.entry(room.clone()).or_default().missed;
        if missed.len() < NAMES_MAX {
            missed.push(Held { name, came: false, at, since: now });
        }
    }

    /// When something is to be told next.
    pub(super) fn due(&self) -> Option<Instant> {
        self.rooms.values().filter_map(Restless::due).min()
    }

    /// What is to be told now.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Told> {
        let mut told = Vec::new();
        for (room, restless) in &mut self.rooms {
            if restless.held_until().is_some_and(|until| until <= now) {
                told.extend(restless.take_held(room));
            }
            let gone: Vec<_> =
                restless.missed.extract_if(.., |held| held.since + RETURN_WITHIN <= now).collect();
            told.extend(folded(room, gone));
        }
        self.forget_calm_rooms(now);
        told
    }

    /// What is held, to be told before something else. Who may still be on the way back is not in it.
    pub(super) fn take_held(&mut self) -> Vec<Told> {
        self.rooms.iter_mut().flat_map(|(room, restless)| restless.take_held(room)).collect()
    }

    fn forget_calm_rooms(&mut self, now: Instant) {
        self.rooms.retain(|_, restless| {
            let was_lately = restless.lately.back().is_some_and(|last| *last + LATELY > now);
            was_lately || !restless.held.is_empty() || !restless.missed.is_empty()
        });
    }
}

impl Restless {
    /// Someone is here again of whom it is held that they went; nothing has happened.
    fn forgive(&mut self, name: &str) -> bool {
        for gone in [&mut self.held, &mut self.missed] {
            if let Some(place) = gone.iter().rposition(|held| held.name == name && !held.came) {
                gone.remove(place);
                return true;
            }
        }
        false
    }

    /// Notes that something happens. Whether it is so little that it can be told by itself.
    fn is_calm(&mut self, now: Instant) -> bool {
        self.lately.retain(|past| now.saturating_duration_since(*past) < LATELY);
        let is_calm = self.held.is_empty() && self.lately.len() < CALM_MAX;
        if self.lately.len() == CALM_MAX {
            self.lately.pop_front();
        }
        self.lately.push_back(now);
        is_calm
    }

    fn held_until(&self) -> Option<Instant> {
        let (first, last) = (self.held.first()?, self.held.last()?);
        Some((first.since + HELD_MAX).min(last.since + QUIET))
    }

    fn due(&self) -> Option<Instant> {
        let missed = self.missed.first().map(|held| held.since + RETURN_WITHIN);
        self.held_until().into_iter().chain(missed).min()
    }

    fn take_held(&mut self, room: &RoomName) -> Vec<Told> {
        folded(room, std::mem::take(&mut self.held))
    }
}

/// One line for each, or one for all who came and one for all who went if they are many.
fn folded(room: &RoomName, held: Vec<Held>) -> Vec<Told> {
    if held.len() <= ONE_BY_ONE_MAX {
        let alone = |Held { name, came, at, .. }| Told { room: room.clone(), at, who: name, came };
        return held.into_iter().map(alone).collect();
    }
    let (came, went): (Vec<_>, Vec<_>) = held.into_iter().partition(|held| held.came);
    [came, went].into_iter().filter_map(|group| together(room, &group)).collect()
}

fn together(room: &RoomName, group: &[Held]) -> Option<Told> {
    let first = group.first()?;
    let all: Vec<&str> = group.iter().map(|held| held.name.as_str()).collect();
    let who = match (all.get(..NAMED), all.split_last()) {
        (Some(some), _) if all.len() > ONE_BY_ONE_MAX => {
            format!("{} and {} others", some.join(", "), all.len() - NAMED)
        }
        (_, Some((last, others))) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => all.concat(),
    };
    Some(Told { room: room.clone(), at: first.at, who, came: first.came })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A room in which things happen at the seconds that are given.
    struct Watched {
        comings: Comings,
        start: Instant,
    }

    impl Watched {
        fn new() -> Self {
            Self { comings: Comings::default(), start: Instant::now() }
        }

        fn came(&mut self, second: u32, name: &str) -> Vec<String> {
            self.happened(second, name, true)
        }

        fn went(&mut self, second: u32, name: &str) -> Vec<String> {
            self.happened(second, name, false)
        }

        fn happened(&mut self, second: u32, name: &str, came: bool) -> Vec<String> {
            let now = self.start + SECOND * second;
            in_words(self.comings.happened(&RoomName::lobby(), name.into(), came, second.into(), now))
        }

        fn at(&mut self, second: u32) -> Vec<String> {
            in_words(self.comings.take_due(self.start + SECOND * second))
        }

        fn before_a_message(&mut self) -> Vec<String> {
            in_words(self.comings.take_held())
        }
    }

    fn in_words(told: Vec<Told>) -> Vec<String> {
        let words =
            |told: Told| format!("{} {} {}", told.at, told.who, if told.came { "came" } else { "went" });
        told.into_iter().map(words).collect()
    }

    #[test]
    fn who_comes_into_a_calm_room_is_told_at_once_and_who_goes_after_a_moment() {
        let mut room = Watched::new();
        assert_eq!(room.came(1, "alice"), ["1 alice came"]);
        assert!(room.went(5, "alice").is_empty() && room.at(7).is_empty());
        assert_eq!(room.comings.due(), Some(room.start + SECOND * 5 + QUIET));
        assert_eq!(room.at(8), ["5 alice went"]);
        assert_eq!(room.comings.due(), None);
    }

    #[test]
    fn who_is_back_at_once_is_not_told_at_all() {
        let mut room = Watched::new();
        for second in 0..20 {
            assert!(room.went(second * 2, "alice").is_empty());
            assert!(room.came(second * 2 + 1, "alice").is_empty());
        }
        assert!(room.at(60).is_empty() && room.before_a_message().is_empty());
    }

    #[test]
    fn when_many_come_and_go_it_is_told_in_a_line() {
        let mut room = Watched::new();
        let at_once: Vec<_> = (0..20).flat_map(|number| room.came(0, &format!("p{number}"))).collect();
        assert_eq!(at_once, ["0 p0 came", "0 p1 came", "0 p2 came", "0 p3 came"]);
        assert!(room.at(2).is_empty());
        assert_eq!(room.at(3), ["0 p4, p5 and 14 others came"]);
        for number in 0..20 {
            room.went(5, &format!("p{number}"));
        }
        room.came(5, "bob");
        assert_eq!(room.at(8), ["5 bob came", "5 p0, p1 and 18 others went"]);
    }

    #[test]
    fn nothing_is_held_for_long_and_nothing_past_a_message() {
        let mut room = Watched::new();
        let told: Vec<_> = (0..20)
            .flat_map(|second| [room.went(second, &format!("p{second}")), room.at(second)].concat())
            .collect();
        assert_eq!(told, ["0 p0, p1 and 9 others went"], "10 s after the first");
        assert_eq!(room.before_a_message(), ["11 p11, p12 and 7 others went"]);
        room.went(21, "one");
        room.went(21, "two");
        assert_eq!(room.before_a_message(), ["21 one went", "21 two went"]);
        for number in 0..NAMES_MAX - 1 {
            assert!(room.went(22, &format!("p{number}")).is_empty());
        }
        assert_eq!(room.went(22, "last").len(), 1, "memory has a bound");
    }

    #[test]
    fn who_was_gone_with_the_server_has_time_to_come_back() {
        let mut room = Watched::new();
        for name in ["alice", "bob"] {
            room.comings.missed(&RoomName::lobby(), name.into(), 1, room.start);
        }
        assert!(room.came(60, "alice").is_empty() && room.before_a_message().is_empty());
        assert!(room.at(74).is_empty());
        assert_eq!(room.at(75), ["1 bob went"]);
        assert_eq!(room.came(76, "bob"), ["76 bob came"]);
    }
}
