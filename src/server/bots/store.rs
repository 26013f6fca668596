//! `bots.db`: tokens on the disk. Each change is one commit.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::scope::Scope;
use crate::names::{RoomName, TimeSpan, Username};
use crate::server::database::{DatabaseError, Schema, open_to_write};

/// A number is never given twice: who revokes a token by its number means that one. Rooms stand with spaces between
/// them; NULL is all.
const SCHEMA: Schema = Schema {
    steps: &["
         CREATE TABLE tokens (
             id INTEGER PRIMARY KEY AUTOINCREMENT,
             digest BLOB NOT NULL UNIQUE,
             account TEXT NOT NULL,
             rooms TEXT,
             reads INTEGER NOT NULL,
             writes INTEGER NOT NULL,
             made INTEGER NOT NULL,
             until INTEGER,
             last_used INTEGER
         ) STRICT;
         CREATE INDEX tokens_of ON tokens (account);"],
};

const COLUMNS: &str = "id, account, rooms, reads, writes, until, last_used";

/// Why tokens can't be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BotsError {
    /// The file can't be opened.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// A statement failed.
    #[error("bots.db: {0}; check that it can be written and that the disk is not full")]
    Store(#[from] rusqlite::Error),
    /// Something in it is not what this program writes.
    #[error(
        "bots.db has a token that can't be read; put your copy of it back, or move it away to revoke all"
    )]
    BadRow,
}

/// A token that has not ended. Times are milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// By which it is revoked.
    pub(crate) id: i64,
    /// Who comes in by it.
    pub(crate) account: Username,
    /// What for.
    pub(crate) scope: Scope,
    /// When it ends, if it does.
    pub(crate) until: Option<u64>,
    /// When someone last came in by it.
    pub(crate) last_used: Option<u64>,
}

/// A token that is to be made.
pub(crate) struct NewToken {
    /// For whom.
    pub(crate) account: Username,
    /// What for.
    pub(crate) scope: Scope,
    /// From now on; for ever without it.
    pub(crate) lasts: Option<TimeSpan>,
}

/// The open file.
pub(super) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the file, or makes a new one.
    pub(super) fn open(path: &Path) -> Result<Self, BotsError> {
        Ok(Self { connection: open_to_write(path, &SCHEMA)? })
    }

    /// Writes a new token, and clears away those that have ended. Gives its number.
    pub(super) fn add(
        &mut self,
        new: &NewToken,
        digest: [u8; 32],
        until: Option<u64>,
        now: u64,
    ) -> Result<i64, BotsError> {
        let NewToken { account, scope, .. } = new;
        let rooms: Vec<&str> = scope.rooms().map(RoomName::as_str).collect();
        let rooms = scope.rooms.as_ref().map(|_| rooms.join(" "));
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM tokens WHERE until <= ?1", [now])?;
        transaction.execute(
            "INSERT INTO tokens (digest, account, rooms, reads, writes, made, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![digest, account.as_str(), rooms, scope.reads, scope.writes, now, until],
        )?;
        let id = transaction.last_insert_rowid();
        transaction.commit()?;
        Ok(id)
    }

    /// The token with this digest, if it has not ended.
    pub(super) fn find(&self, digest: [u8; 32], now: u64) -> Result<Option<Token>, BotsError> {
        let sql = format!("SELECT {COLUMNS} FROM tokens WHERE digest = ?1 AND (until IS NULL OR until > ?2)");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_row(params![digest, now], |row| Ok(token(row))).optional()?.transpose()
    }

    /// Whether the token with this number is there and has not ended.
    pub(super) fn has(&self, id: i64, now: u64) -> Result<bool, BotsError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM tokens WHERE id = ?1 AND (until IS NULL OR until > ?2))";
        Ok(self.connection.query_row(sql, params![id, now], |row| row.get(0))?)
    }

    /// All that have not ended, in the order of their bots and then of their numbers.
    pub(super) fn all(&self, now: u64) -> Result<Vec<Token>, BotsError> {
        let sql =
            format!("SELECT {COLUMNS} FROM tokens WHERE until IS NULL OR until > ?1 ORDER BY account, id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([now], |row| Ok(token(row)))?;
        rows.map(|row| row?).collect()
    }

    /// Notes that someone has come in by a token.
    pub(super) fn was_used(&self, id: i64, now: u64) -> Result<(), BotsError> {
        self.connection.execute("UPDATE tokens SET last_used = ?2 WHERE id = ?1", params![id, now])?;
        Ok(())
    }

    /// Removes a token, and gives whose it was; none if there is none with this number.
    pub(super) fn remove(&self, id: i64) -> Result<Option<Username>, BotsError> {
        let sql = "DELETE FROM tokens WHERE id = ?1 RETURNING account";
        let account = self.connection.query_row(sql, [id], |row| row.get::<_, String>(0)).optional()?;
        account.map(|account| account.parse().map_err(|_| BotsError::BadRow)).transpose()
    }

    /// Removes all tokens of an account.
    pub(super) fn remove_all_of(&self, account: &Username) -> Result<(), BotsError> {
        self.connection.execute("DELETE FROM tokens WHERE account = ?1", [account.as_str()])?;
        Ok(())
    }
}

fn token(row: &Row<'_>) -> Result<Token, BotsError> {
    let (account, rooms): (String, Option<String>) = (row.get(1)?, row.get(2)?);
    let rooms = rooms.map(|rooms| rooms.split(' ').map(str::parse).collect::<Result<_, _>>());
    Ok(Token {
        id: row.get(0)?,
        account: account.parse().map_err(|_| BotsError::BadRow)?,
        scope: Scope {
            rooms: rooms.transpose().map_err(|_| BotsError::BadRow)?,
            reads: row.get(3)?,
            writes: row.get(4)?,
        },
        until: row.get(5)?,
        last_used: row.get(6)?,
    })
}
