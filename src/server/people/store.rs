//! `people.db`: when people were here, on the disk.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, params};
use tracing::warn;

use super::registry::Seen;
use crate::names::Username;
use crate::server::database::{DatabaseError, Schema, open_to_write};

const SCHEMA: Schema = Schema {
    steps: &["
         CREATE TABLE people (
             account TEXT PRIMARY KEY,
             first_seen INTEGER NOT NULL,
             last_seen INTEGER NOT NULL,
             hides_last_seen INTEGER NOT NULL
         ) STRICT, WITHOUT ROWID;"],
};

/// Why it can't be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeopleError {
    /// The file can't be opened.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// A statement failed.
    #[error("people.db: {0}; check that it can be written and that the disk is not full")]
    Store(#[from] rusqlite::Error),
}

/// The open file.
pub(super) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the file, or makes a new one.
    pub(super) fn open(path: &Path) -> Result<Self, PeopleError> {
        Ok(Self { connection: open_to_write(path, &SCHEMA)? })
    }

    /// Everyone in it.
    pub(super) fn read(&self) -> Result<HashMap<Username, Seen>, PeopleError> {
        let mut statement =
            self.connection.prepare("SELECT account, first_seen, last_seen, hides_last_seen FROM people")?;
        let mut rows = statement.query([])?;
        let mut people = HashMap::new();
        while let Some(row) = rows.next()? {
            let account: String = row.get(0)?;
            let seen = Seen { first: row.get(1)?, last: row.get(2)?, hides_last: row.get(3)? };
            match account.parse() {
                Ok(name) => _ = people.insert(name, seen),
                Err(error) => warn!(account, %error, "someone in people.db has a name that nobody can have"),
            }
        }
        Ok(people)
    }

    /// Writes what is known of these, all with one commit.
    pub(super) fn put(&mut self, people: &[(Username, Seen)]) -> Result<(), PeopleError> {
        let transaction = self.connection.transaction()?;
        for (name, Seen { first, last, hides_last }) in people {
            transaction.execute(
                "INSERT OR REPLACE INTO people (account, first_seen, last_seen, hides_last_seen)
                 VALUES (?1, ?2, ?3, ?4)",
                params![name.as_str(), first, last, hides_last],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// Removes someone.
    pub(super) fn remove(&mut self, name: &Username) -> Result<(), PeopleError> {
        self.connection.execute("DELETE FROM people WHERE account = ?1", [name.as_str()])?;
        Ok(())
    }
}
