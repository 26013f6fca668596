//! What is known of everyone, in memory for those who ask and on the disk for the next start.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use super::store::{PeopleError, Store};
use crate::names::Username;
use crate::server::lock::lock;

/// When someone was here. Times are milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// When their first session began.
    pub(crate) first: u64,
    /// When they came or went last.
    pub(crate) last: u64,
    /// Others are not to be told of the last time.
    pub(crate) hides_last: bool,
}

/// All people of one server, shared by its threads.
pub(crate) struct People {
    /// What `people.db` says, but for times that are yet to be written. Locked for no longer than a look-up.
    known: Mutex<HashMap<Username, Known>>,
    /// Locked from writing the file until `known` agrees with it.
    store: Mutex<Store>,
}

struct Known {
    seen: Seen,
    /// It is newer than what is on the disk.
    is_unwritten: bool,
}

impl People {
    /// Reads what is known at `path`. A missing file means nobody.
    pub(crate) fn open(path: &Path) -> Result<Self, PeopleError> {
        let store = Store::open(path)?;
        let known = store.read()?.into_iter().map(|(name, seen)| (name, Known { seen, is_unwritten: false }));
        Ok(Self { known: Mutex::new(known.collect()), store: Mutex::new(store) })
    }

    /// Notes that someone came or went at `now`. It is written by [`Self::write_unwritten`].
    pub(crate) fn was_seen(&self, name: &Username, now: u64) {
        let mut all = lock(&self.known);
        let new = Known { seen: Seen { first: now, last: now, hides_last: false }, is_unwritten: true };
        let known = all.entry(name.clone()).or_insert(new);
        known.seen.last = now;
        known.is_unwritten = true;
    }

    /// When someone was here; none if they never were, or not since this is noted.
    pub(crate) fn seen(&self, name: &Username) -> Option<Seen> {
        lock(&self.known).get(name).map(|known| known.seen)
    }

    /// Notes whether someone wants it told when they were here last. Returns when it is on the disk.
    pub(crate) fn hide_last(&self, name: &Username, hide: bool) -> Result<(), PeopleError> {
        let mut store = lock(&self.store);
        let Some(seen) = self.seen(name) else { return Ok(()) };
        store.put(&[(name.clone(), Seen { hides_last: hide, ..seen })])?;
        lock(&self.known).entry(name.clone()).and_modify(|known| known.seen.hides_last = hide);
        drop(store);
        Ok(())
    }

    /// Forgets someone, so that whoever gets the name next is someone new. Returns when it is off the disk.
    pub(crate) fn forget(&self, name: &Username) -> Result<(), PeopleError> {
        let mut store = lock(&self.store);
        if self.seen(name).is_some() {
            store.remove(name)?;
            lock(&self.known).remove(name);
        }
        drop(store);
        Ok(())
    }

    /// Writes what is not on the disk, with one commit. After an error it is tried again next time.
    pub(crate) fn write_unwritten(&self) -> Result<(), PeopleError> {
        let mut store = lock(&self.store);
        let mut unwritten = Vec::new();
        for (name, known) in lock(&self.known).iter_mut().filter(|(_, known)| known.is_unwritten) {
            known.is_unwritten = false;
            unwritten.push((name.clone(), known.seen));
        }
        if unwritten.is_empty() {
            return Ok(());
        }
        let written = store.put(&unwritten);
        if written.is_err() {
            let mut all = lock(&self.known);
            for (name, _) in unwritten {
                all.entry(name).and_modify(|known| known.is_unwritten = true);
            }
        }
        drop(store);
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn open(folder: &TempDir) -> People {
        People::open(&folder.path().join("people.db")).unwrap()
    }

    fn name(text: &str) -> Username {
        text.parse().unwrap()
    }

    #[test]
    fn when_someone_was_here_is_told_at_once_and_outlasts_the_server_when_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let people = open(&folder);
        people.was_seen(&name("alice"), 10);
        people.was_seen(&name("alice"), 20);
        let seen = Seen { first: 10, last: 20, hides_last: false };
        assert_eq!(people.seen(&name("alice")), Some(seen));
        assert_eq!(open(&folder).seen(&name("alice")), None, "a server that was killed has not written it");
        people.write_unwritten().unwrap();
        assert_eq!(open(&folder).seen(&name("alice")), Some(seen));
        assert_eq!(people.seen(&name("bob")), None);
    }

    #[test]
    fn who_hides_it_does_so_until_they_say_otherwise_and_whoever_gets_the_name_next_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let people = open(&folder);
        people.was_seen(&name("alice"), 10);
        people.hide_last(&name("alice"), true).unwrap();
        people.was_seen(&name("alice"), 20);
        people.write_unwritten().unwrap();
        let people = open(&folder);
        assert_eq!(people.seen(&name("alice")), Some(Seen { first: 10, last: 20, hides_last: true }));
        people.forget(&name("alice")).unwrap();
        assert_eq!(open(&folder).seen(&name("alice")), None);
        people.was_seen(&name("alice"), 30);
        assert_eq!(people.seen(&name("alice")), Some(Seen { first: 30, last: 30, hides_last: false }));
    }

    #[test]
    fn what_can_not_be_written_is_kept_for_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let people = open(&folder);
        people.was_seen(&name("alice"), 10);
        let other = rusqlite::Connection::open(folder.path().join("people.db")).unwrap();
        other.execute_batch("ALTER TABLE people RENAME TO gone").unwrap();
        assert!(people.write_unwritten().is_err());
        assert!(people.hide_last(&name("alice"), true).is_err());
        assert_eq!(people.seen(&name("alice")).map(|seen| seen.hides_last), Some(false));
        other.execute_batch("ALTER TABLE gone RENAME TO people").unwrap();
        people.write_unwritten().unwrap();
        assert_eq!(open(&folder).seen(&name("alice")).map(|seen| seen.last), Some(10));
    }
}
