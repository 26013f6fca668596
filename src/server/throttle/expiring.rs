//! A table that forgets: each entry has a time after which it means nothing. There is a bound on the entries; when it
//! is reached, that one goes which would mean nothing the soonest. No timer: what is out of date goes when something
//! new comes.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Instant;

/// Entries that are looked at, and cleared away if they are out of date, for each new one: more than are added.
const CLEARED_AT_ONCE: usize = 2;

/// A table of at most `max` entries. Who reads one that is out of date must find in it that it is.
pub(super) struct Expiring<K, V> {
    max: usize,
    entries: HashMap<K, Held<V>>,
    /// The same keys, by when they mean nothing any more, and numbered.
    order: BTreeMap<Place, K>,
    next: u64,
}

type Place = (Instant, u64);

struct Held<V> {
    value: V,
    place: Place,
}

impl<K: Clone + Eq + Hash, V> Expiring<K, V> {
    /// An empty one.
    pub(super) fn of_at_most(max: usize) -> Self {
        Self { max, entries: HashMap::new(), order: BTreeMap::new(), next: 0 }
    }

    /// What is known of a key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|held| &held.value)
    }

    /// Holds a value until it means nothing any more, instead of what was known of the key before.
    pub(super) fn put(&mut self, key: K, value: V, until: Instant, now: Instant) {
        self.remove(&key);
        for _ in 0..CLEARED_AT_ONCE {
            if self.order.first_key_value().is_some_and(|((until, _), _)| *until <= now) {
                self.remove_first();
            }
        }
        if self.entries.len() >= self.max {
            self.remove_first();
        }
        let place = (until, self.next);
        self.next += 1;
        self.order.insert(place, key.clone());
        self.entries.insert(key, Held { value, place });
    }

    /// Forgets a key, and gives what was known of it.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let Held { value, place } = self.entries.remove(key)?;
        self.order.remove(&place);
        Some(value)
    }

    fn remove_first(&mut self) {
        if let Some((_, key)) = self.order.pop_first() {
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn later(now: Instant, seconds: u64) -> Instant {
        now + Duration::from_secs(seconds)
    }

    #[test]
    fn a_full_table_forgets_what_would_be_forgotten_first_anyway() {
        let now = Instant::now();
        let mut table = Expiring::of_at_most(3);
        table.put("worst", 9, later(now, 900), now);
        for (key, seconds) in [("a", 10), ("b", 20), ("c", 30), ("d", 40)] {
            table.put(key, 1, later(now, seconds), now);
        }
        let left = ["worst", "a", "b", "c", "d"].map(|key| table.get(&key).is_some());
        assert_eq!(left, [true, false, false, true, true]);
    }

    #[test]
    fn what_is_out_of_date_is_cleared_away_by_what_comes() {
        let now = Instant::now();
        let mut table = Expiring::of_at_most(1000);
        (0..100).for_each(|n| table.put(n, (), later(now, 10), now));
        (100..160).for_each(|n| table.put(n, (), later(now, 99), later(now, 10)));
        assert_eq!(table.entries.len(), 60);
    }

    #[test]
    fn a_key_has_one_entry_and_both_ways_to_it_agree() {
        let now = Instant::now();
        let mut table = Expiring::of_at_most(10);
        (0..100).for_each(|n| table.put(n % 7, n, later(now, 100 - n), now));
        assert_eq!((table.entries.len(), table.order.len()), (7, 7));
        assert_eq!(table.remove(&3), Some(94));
        assert_eq!((table.get(&3), table.order.len()), (None, 6));
    }
}
