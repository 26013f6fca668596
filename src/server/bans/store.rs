//! `bans.db`: the bans on the disk. Whoever makes or lifts one is told so when it is written there.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Row, params};

use super::subject::Subject;
use crate::names::{BanReason, Username};
use crate::server::clock;
use crate::server::database::{DatabaseError, Schema, open_to_write};

const SCHEMA: Schema = Schema {
    steps: &["
         CREATE TABLE bans (
             subject TEXT PRIMARY KEY,
             reason TEXT,
             made_by TEXT,
             made_at INTEGER NOT NULL,
             until INTEGER
         ) STRICT;"],
};

/// Why the bans can't be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BansError {
    /// The file can't be opened.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// A statement failed.
    #[error("bans.db: {0}; check that it can be written and that the disk is not full")]
    Store(#[from] rusqlite::Error),
    /// Something in it is not what this program writes.
    #[error(
        "bans.db has a ban that can't be read; put your copy of it back, or move it away to lift all bans"
    )]
    BadRow,
}

/// A ban. Times are milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ban {
    /// Who must stay out.
    pub(crate) subject: Subject,
    /// What they are told, if anything.
    pub(crate) reason: Option<BanReason>,
    /// Who made it; without a name, whoever runs the server.
    pub(crate) by: Option<Username>,
    /// When it was made.
    pub(crate) at: u64,
    /// When it ends, if it does.
    pub(crate) until: Option<u64>,
}

impl Ban {
    /// Whether it has not ended.
    pub(super) fn is_in_force(&self, now: u64) -> bool {
        self.until.is_none_or(|until| until > now)
    }

    /// What those are told whom it keeps out.
    pub(crate) fn told(&self, now: u64) -> String {
        let left = self.until.map(|until| Duration::from_millis(until.saturating_sub(now)));
        let left = left.map_or_else(String::new, |left| format!(" for another {}", clock::in_words(left)));
        let reason = self.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        format!("you are banned here{left}{reason}")
    }
}

/// The open file.
pub(super) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the file, or makes a new one.
    pub(super) fn open(path: &Path) -> Result<Self, BansError> {
        Ok(Self { connection: open_to_write(path, &SCHEMA)? })
    }

    /// All bans.
    pub(super) fn read(&self) -> Result<Vec<Ban>, BansError> {
        let mut statement =
            self.connection.prepare("SELECT subject, reason, made_by, made_at, until FROM bans")?;
        let rows = statement.query_map([], |row| Ok(ban(row)))?;
        rows.map(|row| row?).collect()
    }

    /// Writes a ban, instead of another one of the same subject.
    pub(super) fn put(&self, ban: &Ban) -> Result<(), BansError> {
        let Ban { subject, reason, by, at, until } = ban;
        let (reason, by) = (reason.as_ref().map(BanReason::as_str), by.as_ref().map(Username::as_str));
        self.connection.execute(
            "INSERT OR REPLACE INTO bans (subject, reason, made_by, made_at, until) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![subject.to_string(), reason, by, at, until],
        )?;
        Ok(())
    }

    /// Removes a ban.
    pub(super) fn remove(&self, subject: &Subject) -> Result<(), BansError> {
        self.connection.execute("DELETE FROM bans WHERE subject = ?1", [subject.to_string()])?;
        Ok(())
    }

    /// Removes what has ended before a time.
    pub(super) fn remove_ended(&self, before: u64) -> Result<(), BansError> {
        self.connection.execute("DELETE FROM bans WHERE until < ?1", [before])?;
        Ok(())
    }
}

fn ban(row: &Row<'_>) -> Result<Ban, BansError> {
    let subject: String = row.get(0)?;
    let (reason, by): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
    Ok(Ban {
        subject: subject.parse().map_err(|_| BansError::BadRow)?,
        reason: reason.map(|reason| reason.parse()).transpose().map_err(|_| BansError::BadRow)?,
        by: by.map(|by| by.parse()).transpose().map_err(|_| BansError::BadRow)?,
        at: row.get(3)?,
        until: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ban(subject: &str) -> Ban {
        let reason = Some("spam".parse().unwrap());
        Ban { subject: subject.parse().unwrap(), reason, by: None, at: 1, until: Some(90_000_001) }
    }

    #[test]
    fn what_was_written_is_read_by_the_next_server_and_what_was_removed_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bans.db");
        let store = Store::open(&path).unwrap();
        let subjects =
            ["alice", "192.0.2.0/24", "::1/128", "0dd0940b1ba69591f4fc4bdef5281e78", "account:192.0.2.1"];
        for subject in subjects {
            store.put(&ban(subject)).unwrap();
        }
        let other = Ban { reason: None, by: Some("bob".parse().unwrap()), until: None, ..ban("alice") };
        store.put(&other).unwrap();
        store.remove(&ban("192.0.2.0/24").subject).unwrap();
        store.remove_ended(90_000_001).unwrap();
        let read = Store::open(&path).unwrap().read().unwrap();
        assert_eq!(read.len(), 4);
        assert!(read.contains(&other) && read.contains(&ban("account:192.0.2.1")), "{read:?}");
        store.remove_ended(90_000_002).unwrap();
        assert_eq!(store.read().unwrap(), [other]);
    }

    #[test]
    fn a_row_that_means_nothing_refuses_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("bans.db")).unwrap();
        store.put(&ban("alice")).unwrap();
        for spoil in ["UPDATE bans SET reason = 'a' || char(10)", "UPDATE bans SET subject = 'no name'"] {
            store.connection.execute(spoil, []).unwrap();
            assert!(matches!(store.read(), Err(BansError::BadRow)), "{spoil}");
        }
    }

    #[test]
    fn who_is_banned_is_told_for_how_long_and_why() {
        let ban = ban("alice");
        assert_eq!(ban.told(1), "you are banned here for another 25 h: spam");
        assert_eq!(Ban { until: None, ..ban.clone() }.told(1), "you are banned here: spam");
        assert_eq!(Ban { until: None, reason: None, ..ban }.told(1), "you are banned here");
    }
}
