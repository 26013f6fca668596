//! All devices, in memory for logins and on the disk for the next start.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use super::store::{Device, DevicesError, Store};
use crate::channel::{Fingerprint, PublicKey};
use crate::names::{DeviceLabel, Username};
use crate::server::lock::lock;

/// The most devices of one account. More than anyone has at hand; each costs some 200 bytes of memory for ever.
pub(crate) const DEVICES_MAX: usize = 32;

/// The devices of one server, shared by all its threads.
pub(crate) struct Devices {
    /// What `devices.db` says, but for times that are yet to be written. Logins read it; devices come and go under the
    /// lock of `store` only, and it is locked for no longer than a look-up.
    known: Mutex<HashMap<PublicKey, Known>>,
    /// Locked by whoever enrols or revokes, from writing the file until `known` agrees with it and the revoked
    /// sessions are told to end. Logins don't wait for it.
    store: Mutex<Store>,
}

struct Known {
    device: Device,
    /// Its `last_seen` is newer than what is on the disk.
    is_unwritten: bool,
}

/// Why a device was not enrolled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrolError {
    /// The key logs in to another account already. To move it would let whoever stole a key take it away from its
    /// owner.
    #[error(
        "this device is remembered for another account; log in from another profile, or revoke it there first"
    )]
    Taken,
    /// As many as there may be.
    #[error("{DEVICES_MAX} devices are remembered already; revoke one that you no longer use with /devices")]
    TooMany,
    /// The session has just been revoked itself.
    #[error("this session is being ended")]
    Ended,
    /// It could not be written.
    #[error(
        "the server could not write it down, so this device is not remembered; tell the person who runs it"
    )]
    NotStored(#[from] DevicesError),
}

impl Devices {
    /// Reads the devices at `path`. A missing file means none.
    pub(crate) fn open(path: &Path) -> Result<Self, DevicesError> {
        let store = Store::open(path)?;
        let known = store.read()?.into_iter().map(|device| (device.key, Known::written(device))).collect();
        Ok(Self { known: Mutex::new(known), store: Mutex::new(store) })
    }

    /// Whose device this key is.
    pub(crate) fn account_of(&self, key: &PublicKey) -> Option<Username> {
        lock(&self.known).get(key).map(|known| known.device.account.clone())
    }

    /// Notes that the device with this key, if it is one, came or went at `now`. It is written by
    /// [`Self::write_last_seen`].
    pub(crate) fn was_seen(&self, key: &PublicKey, now: u64) {
        if let Some(known) = lock(&self.known).get_mut(key) {
            known.device.last_seen = now;
            known.is_unwritten = true;
        }
    }

    /// Makes `key`, which the caller's handshake has proved, a device of `account`. A device that is enrolled again gets
    /// the new label. Returns when it is on the disk. `is_welcome` is asked once no revocation can come in between.
    pub(crate) fn enrol(
        &self,
        key: PublicKey,
        account: &Username,
        label: DeviceLabel,
        now: u64,
        is_welcome: impl FnOnce() -> bool,
    ) -> Result<(), EnrolError> {
        let store = lock(&self.store);
        if !is_welcome() {
            return Err(EnrolError::Ended);
        }
        let first_seen = self.first_seen_if_enrollable(&key, account, now)?;
        let device = Device { key, account: account.clone(), label, first_seen, last_seen: now };
        store.put(&device)?;
        lock(&self.known).insert(key, Known::written(device));
        Ok(())
    }

    /// The devices of an account, in the order in which they were enrolled.
    pub(crate) fn of(&self, account: &Username) -> Vec<Device> {
        let mut devices: Vec<Device> = self.matching(|device| device.account == *account);
        devices.sort_by_key(|device| (device.first_seen, *device.key.as_bytes()));
        devices
    }

    /// Forgets the devices of `account` that `is_meant` picks by key and fingerprint. Once they are off the disk,
    /// `end_sessions` is given their keys and ends their sessions. No device is enrolled in between; and a session that
    /// logs in at this moment either is there for `end_sessions` to see, or finds its key gone if it asks
    /// [`Self::account_of`] when it is there.
    pub(crate) fn revoke(
        &self,
        account: &Username,
        is_meant: impl Fn(&PublicKey, Fingerprint) -> bool,
        end_sessions: impl FnOnce(&[PublicKey]),
    ) -> Result<(), DevicesError> {
        let mut store = lock(&self.store);
        let meant = self
            .matching(|device| device.account == *account && is_meant(&device.key, device.key.fingerprint()));
        let keys: Vec<PublicKey> = meant.iter().map(|device| device.key).collect();
        if !keys.is_empty() {
            store.remove(&keys)?;
            lock(&self.known).retain(|key, _| !keys.contains(key));
        }
        end_sessions(&keys);
        drop(store);
        Ok(())
    }

    /// Writes when devices were last seen, if any was since the last time. After an error it is tried again next time.
    pub(crate) fn write_last_seen(&self) -> Result<(), DevicesError> {
        let mut store = lock(&self.store);
        let mut seen = Vec::new();
        for known in lock(&self.known).values_mut().filter(|known| known.is_unwritten) {
            known.is_unwritten = false;
            seen.push((known.device.key, known.device.last_seen));
        }
        if seen.is_empty() {
            return Ok(());
        }
        let written = store.put_last_seen(&seen);
        if written.is_err() {
            let mut all = lock(&self.known);
            for (key, _) in &seen {
                all.entry(*key).and_modify(|known| known.is_unwritten = true);
            }
        }
        drop(store);
        written
    }

    /// When a device was first seen that may be enrolled.
    fn first_seen_if_enrollable(
        &self,
        key: &PublicKey,
        account: &Username,
        now: u64,
    ) -> Result<u64, EnrolError> {
        let all = lock(&self.known);
        match all.get(key).map(|known| &known.device) {
            Some(device) if device.account == *account => Ok(device.first_seen),
            Some(_) => Err(EnrolError::Taken),
            None => {
                let count = all.values().filter(|known| known.device.account == *account).count();
                if count < DEVICES_MAX { Ok(now) } else { Err(EnrolError::TooMany) }
            }
        }
    }

    fn matching(&self, is_wanted: impl Fn(&Device) -> bool) -> Vec<Device> {
        let all = lock(&self.known);
        all.values().map(|known| &known.device).filter(|device| is_wanted(device)).cloned().collect()
    }
}

impl Known {
    fn written(device: Device) -> Self {
        Self { device, is_unwritten: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A folder for `devices.db`, and what is in it.
    struct House {
        folder: TempDir,
        devices: Devices,
    }

    impl House {
        fn of(folder: TempDir) -> Self {
            let devices = Devices::open(&folder.path().join("devices.db")).unwrap();
            Self { folder, devices }
        }

        fn empty() -> Self {
            Self::of(tempfile::tempdir().unwrap())
        }

        fn restarted(self) -> Self {
            Self::of(self.folder)
        }

        fn enrol(&self, number: u8, account: &str, now: u64) -> Result<(), EnrolError> {
            self.devices.enrol(key(number), &name(account), "laptop".parse().unwrap(), now, || true)
        }

        fn revoke(&self, number: u8, account: &str) -> Vec<PublicKey> {
            let (mut ended, meant) = (Vec::new(), key(number));
            let end = |keys: &[PublicKey]| ended.extend_from_slice(keys);
            self.devices.revoke(&name(account), |key, _| *key == meant, end).unwrap();
            ended
        }

        fn keys(&self, account: &str) -> Vec<PublicKey> {
            self.devices.of(&name(account)).iter().map(|device| device.key).collect()
        }
    }

    fn key(number: u8) -> PublicKey {
        PublicKey::from_bytes([number; 32])
    }

    fn name(text: &str) -> Username {
        text.parse().unwrap()
    }

    #[test]
    fn a_device_is_its_accounts_until_it_is_revoked_also_after_restarts() {
        let house = House::empty();
        house.enrol(1, "alice", 10).unwrap();
        house.enrol(2, "alice", 11).unwrap();
        let house = house.restarted();
        assert_eq!(house.devices.account_of(&key(1)), Some(name("alice")));
        assert_eq!(house.revoke(1, "alice"), [key(1)]);
        assert_eq!(house.devices.account_of(&key(1)), None);
        let house = house.restarted();
        assert_eq!(house.keys("alice"), [key(2)]);
    }

    #[test]
    fn nobody_revokes_or_takes_over_the_device_of_another_account() {
        let house = House::empty();
        house.enrol(1, "alice", 10).unwrap();
        assert!(matches!(house.enrol(1, "mallory", 11), Err(EnrolError::Taken)));
        assert_eq!(house.revoke(1, "mallory"), []);
        assert_eq!(house.devices.account_of(&key(1)), Some(name("alice")));
    }

    #[test]
    fn an_account_has_so_many_devices_and_one_of_them_may_be_enrolled_again() {
        let house = House::empty();
        for number in 0..u8::try_from(DEVICES_MAX).unwrap() {
            house.enrol(number, "alice", 10).unwrap();
        }
        assert!(matches!(house.enrol(200, "alice", 20), Err(EnrolError::TooMany)));
        house.enrol(3, "alice", 20).unwrap();
        house.enrol(200, "bob", 20).unwrap();
        let device =
            house.devices.of(&name("alice")).into_iter().find(|device| device.key == key(3)).unwrap();
        assert_eq!((device.first_seen, device.last_seen), (10, 20));
    }

    #[test]
    fn a_session_that_is_being_ended_enrols_nothing() {
        let house = House::empty();
        let label = "laptop".parse().unwrap();
        let refused = house.devices.enrol(key(1), &name("alice"), label, 10, || false);
        assert!(matches!(refused, Err(EnrolError::Ended)));
        assert_eq!(house.restarted().keys("alice"), []);
    }

    #[test]
    fn when_a_device_was_seen_is_told_at_once_and_written_later() {
        let house = House::empty();
        house.enrol(1, "alice", 10).unwrap();
        house.devices.was_seen(&key(1), 50);
        house.devices.was_seen(&key(9), 50);
        let last_seen = |house: &House| house.devices.of(&name("alice"))[0].last_seen;
        assert_eq!(last_seen(&house), 50);
        let house = house.restarted();
        assert_eq!(last_seen(&house), 10, "a server that was killed has not written it");
        house.devices.was_seen(&key(1), 60);
        house.devices.write_last_seen().unwrap();
        assert_eq!(last_seen(&house.restarted()), 60);
    }

    #[test]
    fn what_can_not_be_written_is_not_changed() {
        let house = House::empty();
        house.enrol(1, "alice", 10).unwrap();
        let path = house.folder.path().join("devices.db");
        rusqlite::Connection::open(path).unwrap().execute_batch("DROP TABLE devices").unwrap();
        assert!(matches!(house.enrol(2, "alice", 11), Err(EnrolError::NotStored(_))));
        assert!(
            house.devices.revoke(&name("alice"), |_, _| true, |_| panic!("nothing was revoked")).is_err()
        );
        house.devices.was_seen(&key(1), 50);
        assert!(house.devices.write_last_seen().is_err() && house.devices.write_last_seen().is_err());
        assert_eq!(house.keys("alice"), [key(1)]);
    }
}
