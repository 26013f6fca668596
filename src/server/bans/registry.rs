//! All bans, in memory for whoever asks to come in and on the disk for the next start.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use super::network::Network;
use super::store::{Ban, BansError, Store};
use super::subject::Subject;
use crate::channel::PublicKey;
use crate::names::Username;
use crate::server::lock::lock;

/// The most bans; each costs some 300 bytes of memory.
pub(crate) const BANS_MAX: usize = 200_000;

/// A ban that has ended stays on the disk for so long, in case it was a clock that jumped.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// The bans of one server, shared by all its threads.
pub(crate) struct Bans {
    /// What `bans.db` says. Whoever asks to come in reads it; it is written under the lock of `store` only, and locked
    /// for no longer than a look-up.
    known: Mutex<Index>,
    /// Locked by whoever makes or lifts a ban, from writing the file until `known` agrees with it and the banned sessions
    /// are told to end. Logins don't wait for it.
    store: Mutex<Store>,
}

/// The bans by what they are about.
#[derive(Default)]
struct Index {
    bans: HashMap<Subject, Ban>,
    /// How many networks there are of each length. An address is looked up once for each that there is, 129 at most,
    /// however many networks that are.
    lengths: BTreeMap<u8, usize>,
}

/// Why there is no ban.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BanError {
    /// As many as there may be.
    #[error("there are {BANS_MAX} bans already; lift some, or ban whole networks")]
    TooMany,
    /// It could not be written.
    #[error(transparent)]
    NotStored(#[from] BansError),
}

impl Bans {
    /// Reads the bans at `path`. A missing file means none. What ended long before `now` is forgotten.
    pub(crate) fn open(path: &Path, now: u64) -> Result<Self, BansError> {
        let store = Store::open(path)?;
        let kept = u64::try_from(KEPT.as_millis()).unwrap_or(u64::MAX);
        store.remove_ended(now.saturating_sub(kept))?;
        let mut known = Index::default();
        store.read()?.into_iter().for_each(|ban| known.insert(ban));
        Ok(Self { known: Mutex::new(known), store: Mutex::new(store) })
    }

    /// What keeps out whoever comes from this address.
    pub(crate) fn of_address(&self, address: IpAddr, now: u64) -> Option<Ban> {
        lock(&self.known).of_address(address, now).cloned()
    }

    /// What keeps out the device with this key, or whoever comes from this address.
    pub(crate) fn of_stranger(&self, key: &PublicKey, address: IpAddr, now: u64) -> Option<Ban> {
        let device = Subject::Device(key.fingerprint());
        let known = lock(&self.known);
        known.of(&device, now).or_else(|| known.of_address(address, now)).cloned()
    }

    /// What keeps out an account, its device or its address.
    pub(crate) fn of_member(
        &self,
        name: &Username,
        key: &PublicKey,
        address: IpAddr,
        now: u64,
    ) -> Option<Ban> {
        self.of_account(name, now).or_else(|| self.of_stranger(key, address, now))
    }

    /// What keeps out an account.
    pub(crate) fn of_account(&self, name: &Username, now: u64) -> Option<Ban> {
        lock(&self.known).of(&Subject::Account(name.clone()), now).cloned()
    }

    /// Makes a ban, instead of another one of the same subject. Once it is on the disk, and nobody whom it is about can
    /// come in any more, `end_sessions` ends the sessions of those who are in.
    pub(crate) fn ban(&self, ban: Ban, end_sessions: impl FnOnce(&Ban)) -> Result<(), BanError> {
        let store = lock(&self.store);
        let has_room = {
            let known = lock(&self.known);
            known.bans.len() < BANS_MAX || known.bans.contains_key(&ban.subject)
        };
        if !has_room {
            return Err(BanError::TooMany);
        }
        store.put(&ban)?;
        lock(&self.known).insert(ban.clone());
        end_sessions(&ban);
        drop(store);
        Ok(())
    }

    /// Lifts a ban. Gives it, if there was one that had not ended.
    pub(crate) fn lift(&self, subject: &Subject, now: u64) -> Result<Option<Ban>, BansError> {
        let store = lock(&self.store);
        store.remove(subject)?;
        let lifted = lock(&self.known).remove(subject);
        drop(store);
        Ok(lifted.filter(|ban| ban.is_in_force(now)))
    }

    /// The bans of accounts that have not ended, of those after this name, in the order of the names; at most so many.
    pub(crate) fn accounts_after(&self, after: &str, now: u64, most: usize) -> Vec<Ban> {
        let is_meant = |ban: &&Ban| match &ban.subject {
            Subject::Account(name) => ban.is_in_force(now) && name.as_str() > after,
            _ => false,
        };
        let known = lock(&self.known);
        let mut bans: Vec<&Ban> = known.bans.values().filter(is_meant).collect();
        bans.sort_by_cached_key(|ban| ban.subject.to_string());
        bans.into_iter().take(most).cloned().collect()
    }

    /// The bans that have not ended, the oldest first.
    pub(crate) fn in_force(&self, now: u64) -> Vec<Ban> {
        let mut bans: Vec<Ban> =
            lock(&self.known).bans.values().filter(|ban| ban.is_in_force(now)).cloned().collect();
        bans.sort_by_cached_key(|ban| (ban.at, ban.subject.to_string()));
        bans
    }
}

impl Index {
    fn of(&self, subject: &Subject, now: u64) -> Option<&Ban> {
        self.bans.get(subject).filter(|ban| ban.is_in_force(now))
    }

    /// The narrowest that is in force.
    fn of_address(&self, address: IpAddr, now: u64) -> Option<&Ban> {
        let of_length = |bits: &u8| self.of(&Subject::Addresses(Network::around(address, *bits)), now);
        self.lengths.keys().rev().find_map(of_length)
    }

    fn insert(&mut self, ban: Ban) {
        self.remove(&ban.subject);
        if let Subject::Addresses(network) = ban.subject {
            *self.lengths.entry(network.bits()).or_default() += 1;
        }
        self.bans.insert(ban.subject.clone(), ban);
    }

    fn remove(&mut self, subject: &Subject) -> Option<Ban> {
        let removed = self.bans.remove(subject)?;
        if let Subject::Addresses(network) = removed.subject
            && let Some(count) = self.lengths.get_mut(&network.bits())
        {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&network.bits());
            }
        }
        Some(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Instant;
    use tempfile::TempDir;

    const DAY: u64 = 24 * 3600 * 1000;

    /// A folder for `bans.db`, and what is in it.
    struct House {
        folder: TempDir,
        bans: Bans,
    }

    impl House {
        fn at(folder: TempDir, now: u64) -> Self {
            let bans = Bans::open(&folder.path().join("bans.db"), now).unwrap();
            Self { folder, bans }
        }

        fn empty() -> Self {
            Self::at(tempfile::tempdir().unwrap(), 0)
        }

        fn restarted(self, now: u64) -> Self {
            Self::at(self.folder, now)
        }

        fn ban(&self, subject: &str, until: Option<u64>) {
            self.bans.ban(ban(subject, until), |_| ()).unwrap();
        }

        fn is_out(&self, address: &str, now: u64) -> bool {
            self.bans.of_address(address.parse().unwrap(), now).is_some()
        }

        fn subjects(&self, now: u64) -> Vec<String> {
            self.bans.in_force(now).iter().map(|ban| ban.subject.to_string()).collect()
        }
    }

    fn ban(subject: &str, until: Option<u64>) -> Ban {
        Ban { subject: subject.parse().unwrap(), reason: None, by: None, at: 1, until }
    }

    fn key(number: u8) -> PublicKey {
        PublicKey::from_bytes([number; 32])
    }

    #[test]
    fn a_member_is_kept_out_by_name_by_device_and_by_address_and_by_nothing_else() {
        let house = House::empty();
        let device = Subject::Device(key(1).fingerprint()).to_string();
        for subject in ["alice", &device, "192.0.2.0/24"] {
            house.ban(subject, None);
        }
        let is_out = |name: &str, number, address: &str| {
            let address = address.parse().unwrap();
            house.bans.of_member(&name.parse().unwrap(), &key(number), address, 5).is_some()
        };
        assert!(is_out("alice", 2, "::1") && is_out("bob", 1, "::1") && is_out("bob", 2, "192.0.2.9"));
        assert!(!is_out("bob", 2, "::1") && !is_out("alicia", 2, "192.0.3.1"));
    }

    #[test]
    fn a_ban_holds_until_it_ends_also_across_restarts_and_a_clock_that_goes_back() {
        let house = House::empty();
        house.ban("alice", Some(DAY));
        house.ban("192.0.2.1", None);
        let house = house.restarted(DAY - 1);
        assert_eq!(house.subjects(DAY - 1), ["account:alice", "address:192.0.2.1"]);
        assert_eq!(house.subjects(DAY), ["address:192.0.2.1"]);
        let house = house.restarted(20 * DAY); // the clock has jumped ...
        assert_eq!(house.subjects(20 * DAY).len(), 1);
        let house = house.restarted(DAY / 2); // ... and was set right
        assert_eq!(house.subjects(DAY / 2).len(), 2);
        assert_eq!(house.restarted(32 * DAY).restarted(0).subjects(0).len(), 1, "ended long ago");
    }

    #[test]
    fn the_narrowest_network_that_is_in_force_counts_and_those_that_ended_hide_none() {
        let house = House::empty();
        house.ban("10.0.0.0/8", None);
        house.ban("10.1.2.3", Some(10));
        let of = |now| house.bans.of_address("::ffff:10.1.2.3".parse().unwrap(), now).unwrap().until;
        assert_eq!((of(5), of(10)), (Some(10), None));
        assert!(!house.is_out("11.0.0.1", 5));
    }

    #[test]
    fn a_ban_is_changed_by_another_one_and_lifted_once() {
        let house = House::empty();
        house.ban("192.0.2.0/24", Some(10));
        house.ban("192.0.2.77/24", Some(20));
        assert_eq!(house.subjects(15).len(), 1);
        let subject = ban("192.0.2.0/24", None).subject;
        assert!(house.bans.lift(&subject, 15).unwrap().is_some());
        assert!(house.bans.lift(&subject, 15).unwrap().is_none());
        assert!(!house.is_out("192.0.2.1", 15));
        assert!(lock(&house.bans.known).lengths.is_empty());
        house.ban("alice", Some(10));
        assert!(house.bans.lift(&ban("alice", None).subject, 10).unwrap().is_none(), "it had ended");
    }

    #[test]
    fn sessions_are_ended_when_the_ban_is_seen_by_all_who_come() {
        let house = House::empty();
        let mut was_seen = false;
        let see = |ban: &Ban| was_seen = house.bans.of_address([192, 0, 2, 1].into(), 5) == Some(ban.clone());
        house.bans.ban(ban("192.0.2.1", None), see).unwrap();
        assert!(was_seen);
    }

    #[test]
    fn what_can_not_be_written_is_not_changed() {
        let house = House::empty();
        house.ban("alice", None);
        let path = house.folder.path().join("bans.db");
        rusqlite::Connection::open(path).unwrap().execute_batch("DROP TABLE bans").unwrap();
        let refused = house.bans.ban(ban("bob", None), |_| panic!("there is no ban"));
        assert!(matches!(refused, Err(BanError::NotStored(_))));
        assert!(house.bans.lift(&ban("alice", None).subject, 5).is_err());
        assert_eq!(house.subjects(5), ["account:alice"]);
    }

    #[test]
    fn a_hundred_thousand_bans_are_no_burden_to_who_comes() {
        let mut index = Index::default();
        for number in 0..100_000_u32 {
            // Networks without an address in common, most of each length from 20 bits up, and one of each shorter length.
            let address = IpAddr::from(Ipv4Addr::from_bits(number << 12));
            let bits = if number < 12 { 8 + number } else { 20 + number % 13 };
            let network = Network::around(address, 96 + u8::try_from(bits).unwrap());
            index.insert(Ban { subject: Subject::Addresses(network), ..ban("alice", None) });
        }
        assert!(index.bans.len() > 99_980, "{}", index.bans.len());
        assert_eq!(index.lengths.len(), 25);
        let begun = Instant::now();
        let out = (0..10_000_u32).filter(|n| {
            let address = IpAddr::from(Ipv4Addr::from_bits(0xcb00_7100 | n));
            index.of_address(address, 5).is_some()
        });
        let (out, took) = (out.count(), begun.elapsed() / 10_000);
        println!("{} bans: {took:?} for each look-up", index.bans.len());
        assert_eq!(out, 0);
        assert!(took < Duration::from_micros(500), "{took:?}");
    }
}
