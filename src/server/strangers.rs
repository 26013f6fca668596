//! Who stands in the door: the connections that have not logged in, by address, and who of them has to give way when
//! there is no room for another one. Apart from the map of connections, because it is a rule and nothing else.
//!
//! A host that opens connections and leaves them there must not keep others out. So an address has only so many places;
//! and when all places are taken, a newcomer gets that of the oldest stranger of the address that has the most, be it
//! that the newcomer's own would still have fewer, or that the oldest one has had its time (as long as a handshake may
//! take, which is longer than a device needs to log in). Only when neither is so is the newcomer turned away; then
//! everyone in the door is new, or is about to be inside, and trying again soon helps. To keep the door shut
//! somebody would need to come from as many addresses as there are places, and take each place again within that time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::origin::Origin;
use super::outbox::SessionId;

/// The strangers of a server. No question costs more than a few steps in a tree, however many there are.
#[derive(Default)]
pub(super) struct Strangers {
    /// Session numbers grow, so the first is the oldest. Nobody's set is empty.
    by_origin: HashMap<Origin, BTreeSet<SessionId>>,
    /// Each origin by how many it has, and by how old its oldest is: the last one is to give way first.
    crowds: BTreeMap<(usize, Reverse<SessionId>), Origin>,
    count: usize,
}

/// Places for strangers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) in_all: usize,
    pub(super) per_address: usize,
}

/// What becomes of a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is a place.
    LetIn,
    /// This stranger's.
    InPlaceOf(SessionId),
    /// There is none.
    TurnAway,
}

impl Strangers {
    /// What becomes of a newcomer. `had_its_time` tells whether a stranger has been here for long enough.
    pub(super) fn judge(
        &self,
        origin: Origin,
        places: Places,
        had_its_time: impl FnOnce(SessionId) -> bool,
    ) -> Verdict {
        let own = self.by_origin.get(&origin);
        let own_count = own.map_or(0, BTreeSet::len);
        let own_oldest = own.and_then(BTreeSet::first).copied();
        let (is_unfair, oldest) = if own_count >= places.per_address {
            (false, own_oldest)
        } else if self.count < places.in_all {
            return Verdict::LetIn;
        } else {
            match self.crowds.last_key_value() {
                Some(((most, Reverse(oldest)), _)) if own_count < *most => {
                    (own_count + 1 < *most, Some(*oldest))
                }
                _ => (false, own_oldest),
            }
        };
        match oldest {
            Some(oldest) if is_unfair || had_its_time(oldest) => Verdict::InPlaceOf(oldest),
            _ => Verdict::TurnAway,
        }
    }

    /// Someone is in the door.
    pub(super) fn insert(&mut self, origin: Origin, id: SessionId) {
        self.change(origin, |ids| ids.insert(id));
    }

    /// Someone is in the door no more: inside, gone, or has had to give way before.
    pub(super) fn remove(&mut self, origin: Origin, id: SessionId) {
        self.change(origin, |ids| ids.remove(&id));
    }

    fn change(&mut self, origin: Origin, change: impl FnOnce(&mut BTreeSet<SessionId>) -> bool) {
        let mut ids = self.by_origin.remove(&origin).unwrap_or_default();
        self.count -= ids.len();
        if let Some(oldest) = ids.first() {
            self.crowds.remove(&(ids.len(), Reverse(*oldest)));
        }
        change(&mut ids);
        if let Some(oldest) = ids.first() {
            self.crowds.insert((ids.len(), Reverse(*oldest)), origin);
            self.count += ids.len();
            self.by_origin.insert(origin, ids);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv4Addr};

    const PLACES: Places = Places { in_all: 6, per_address: 4 };

    fn host(number: u8) -> Origin {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)).into()
    }

    /// Strangers that came in this order, numbered from 0.
    fn from_hosts(hosts: &[u8]) -> Strangers {
        let mut strangers = Strangers::default();
        for (id, number) in hosts.iter().enumerate() {
            strangers.insert(host(*number), id);
        }
        strangers
    }

    fn judged(strangers: &Strangers, from: u8, had_its_time: bool) -> Verdict {
        strangers.judge(host(from), PLACES, |_| had_its_time)
    }

    #[test]
    fn an_address_has_only_so_many_places_of_its_own_and_others_still_get_in() {
        let strangers = from_hosts(&[1, 1, 1, 1]);
        assert_eq!(judged(&strangers, 1, false), Verdict::TurnAway);
        assert_eq!(judged(&strangers, 1, true), Verdict::InPlaceOf(0));
        assert_eq!(judged(&strangers, 2, false), Verdict::LetIn);
    }

    #[test]
    fn when_all_places_are_taken_the_oldest_of_who_has_the_most_gives_way_at_once() {
        let mut strangers = from_hosts(&[2, 1, 1, 2, 1, 1]);
        assert_eq!(judged(&strangers, 3, false), Verdict::InPlaceOf(1));
        assert_eq!(judged(&strangers, 2, false), Verdict::InPlaceOf(1));
        strangers.remove(host(1), 1);
        strangers.insert(host(2), 6);
        // Three each: neither may take from the other any more, but a third one may.
        assert_eq!(judged(&strangers, 1, false), Verdict::TurnAway);
        assert_eq!(judged(&strangers, 2, false), Verdict::TurnAway);
        assert_eq!(judged(&strangers, 3, false), Verdict::InPlaceOf(0));
    }

    #[test]
    fn when_all_addresses_have_one_place_the_oldest_gives_way_once_it_has_had_its_time() {
        let strangers = from_hosts(&[1, 2, 3, 4, 5, 6]);
        assert_eq!(judged(&strangers, 7, false), Verdict::TurnAway);
        assert_eq!(judged(&strangers, 7, true), Verdict::InPlaceOf(0));
        assert_eq!(judged(&strangers, 4, true), Verdict::InPlaceOf(3), "its own");
    }

    #[test]
    fn who_is_gone_takes_no_place_and_leaving_twice_is_leaving_once() {
        let mut strangers = from_hosts(&[1, 1, 1, 1]);
        for id in [3, 0, 0, 1, 2, 2] {
            strangers.remove(host(1), id);
        }
        assert_eq!(strangers.count, 0);
        assert!(strangers.by_origin.is_empty() && strangers.crowds.is_empty());
    }

    proptest! {
        #[test]
        fn the_counts_are_right_whoever_comes_and_goes(
            steps in proptest::collection::vec((0..5_u8, 0..20_usize, any::<bool>()), 0..200)
        ) {
            let mut strangers = Strangers::default();
            let mut here = BTreeSet::new();
            for (number, id, comes) in steps {
                let id = id * 5 + usize::from(number); // a session has one address
                if comes {
                    strangers.insert(host(number), id);
                    here.insert((number, id));
                } else {
                    strangers.remove(host(number), id);
                    here.remove(&(number, id));
                }
                let of = |number| here.iter().filter(move |(of, _)| *of == number).map(|(_, id)| *id);
                let crowds = (0..5).filter_map(|number| Some((of(number).count(), Reverse(of(number).min()?))));
                prop_assert_eq!(strangers.count, here.len());
                prop_assert_eq!(strangers.crowds.keys().copied().max(), crowds.max());
                prop_assert_eq!(strangers.crowds.len(), strangers.by_origin.len());
            }
        }
    }
}
