//! `devices.db`: the devices on the disk. Who has enrolled or revoked one is told so when it is written there; when
//! a device was last seen is written later, many at once.

use std::path::Path;

use rusqlite::{Connection, Row, params};

use crate::channel::PublicKey;
use crate::names::{DeviceLabel, Username};
use crate::server::database::{DatabaseError, Schema, open_to_read, open_to_write};

const SCHEMA: Schema = Schema {
    steps: &["
         CREATE TABLE devices (
             key BLOB PRIMARY KEY,
             account TEXT NOT NULL,
             label TEXT NOT NULL,
             first_seen INTEGER NOT NULL,
             last_seen INTEGER NOT NULL
         ) STRICT;"],
};

/// Why the devices can't be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevicesError {
    /// The file can't be opened.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// A statement failed.
    #[error("devices.db: {0}; check that it can be written and that the disk is not full")]
    Store(#[from] rusqlite::Error),
    /// Something in it is not what this program writes.
    #[error(
        "devices.db has a device that can't be read; put your copy of it back, or move it away to forget all"
    )]
    BadRow,
}

/// A device. Times are milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// What it proves to hold.
    pub(crate) key: PublicKey,
    /// Whose it is.
    pub(crate) account: Username,
    /// What it called itself.
    pub(crate) label: DeviceLabel,
    /// When it was enrolled.
    pub(crate) first_seen: u64,
    /// When it last came or went.
    pub(crate) last_seen: u64,
}

/// The open file.
pub(super) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the file, or makes a new one.
    pub(super) fn open(path: &Path) -> Result<Self, DevicesError> {
        Ok(Self { connection: open_to_write(path, &SCHEMA)? })
    }

    /// All devices.
    pub(super) fn read(&self) -> Result<Vec<Device>, DevicesError> {
        let mut statement =
            self.connection.prepare("SELECT key, account, label, first_seen, last_seen FROM devices")?;
        let rows = statement.query_map([], |row| Ok(device(row)))?;
        rows.map(|row| row?).collect()
    }

    /// Writes a device, new or changed.
    pub(super) fn put(&self, device: &Device) -> Result<(), DevicesError> {
        let Device { key, account, label, first_seen, last_seen } = device;
        self.connection.execute(
            "INSERT INTO devices (key, account, label, first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (key) DO UPDATE SET label = ?3, last_seen = ?5",
            params![key.as_bytes(), account.as_str(), label.as_str(), first_seen, last_seen],
        )?;
        Ok(())
    }

    /// Removes devices, all with one commit.
    pub(super) fn remove(&mut self, keys: &[PublicKey]) -> Result<(), DevicesError> {
        let transaction = self.connection.transaction()?;
        for key in keys {
            transaction.execute("DELETE FROM devices WHERE key = ?1", [key.as_bytes()])?;
        }
        Ok(transaction.commit()?)
    }

    /// Writes when devices were last seen, all with one commit.
    pub(super) fn put_last_seen(&mut self, seen: &[(PublicKey, u64)]) -> Result<(), DevicesError> {
        let transaction = self.connection.transaction()?;
        {
            let mut update = transaction.prepare("UPDATE devices SET last_seen = ?2 WHERE key = ?1")?;
            for (key, at) in seen {
                update.execute(params![key.as_bytes(), at])?;
            }
        }
        Ok(transaction.commit()?)
    }
}

/// The devices of an account in a file, whether a server runs on it or not.
pub(crate) fn devices_in(path: &Path, account: &Username) -> Result<Vec<Device>, DevicesError> {
    let mut devices = Store { connection: open_to_read(path)? }.read()?;
    devices.retain(|device| device.account == *account);
    devices.sort_by_key(|device| device.first_seen);
    Ok(devices)
}

fn device(row: &Row<'_>) -> Result<Device, DevicesError> {
    let key: Vec<u8> = row.get(0)?;
    let (account, label): (String, String) = (row.get(1)?, row.get(2)?);
    Ok(Device {
        key: PublicKey::from_bytes(key.try_into().map_err(|_| DevicesError::BadRow)?),
        account: account.parse().map_err(|_| DevicesError::BadRow)?,
        label: label.parse().map_err(|_| DevicesError::BadRow)?,
        first_seen: row.get(3)?,
        last_seen: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(number: u8) -> Device {
        Device {
            key: PublicKey::from_bytes([number; 32]),
            account: "alice".parse().unwrap(),
            label: "laptop".parse().unwrap(),
            first_seen: 1,
            last_seen: 2,
        }
    }

    #[test]
    fn what_was_written_is_read_by_the_next_server_and_what_was_removed_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("devices.db");
        let mut store = Store::open(&path).unwrap();
        for number in 1..=3 {
            store.put(&device(number)).unwrap();
        }
        let renamed = Device { label: "desk".parse().unwrap(), first_seen: 9, last_seen: 9, ..device(1) };
        store.put(&renamed).unwrap();
        store.put_last_seen(&[(device(2).key, 77), (device(9).key, 77)]).unwrap();
        store.remove(&[device(3).key, device(9).key]).unwrap();
        let mut read = Store::open(&path).unwrap().read().unwrap();
        read.sort_by_key(|device| *device.key.as_bytes());
        assert_eq!(read, [Device { first_seen: 1, ..renamed }, Device { last_seen: 77, ..device(2) }]);
    }

    #[test]
    fn a_row_that_means_nothing_refuses_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("devices.db")).unwrap();
        store.put(&device(1)).unwrap();
        for spoil in ["UPDATE devices SET key = x'00'", "UPDATE devices SET account = 'no name'"] {
            store.connection.execute(spoil, []).unwrap();
            assert!(matches!(store.read(), Err(DevicesError::BadRow)), "{spoil}");
        }
    }
}
