//! The log's tables.

use crate::server::database::{DatabaseError, Schema};

pub(super) const SCHEMA: Schema = Schema {
    version: 1,
    tables: "
         CREATE TABLE rooms (
             id INTEGER PRIMARY KEY,
             name TEXT NOT NULL UNIQUE
         ) STRICT;
         CREATE TABLE messages (
             id INTEGER PRIMARY KEY,
             room INTEGER NOT NULL REFERENCES rooms (id),
             sequence INTEGER NOT NULL,
             at INTEGER NOT NULL,
             author TEXT NOT NULL,
             client_id BLOB NOT NULL,
             kind INTEGER NOT NULL,
             body BLOB NOT NULL,
             UNIQUE (room, sequence),
             UNIQUE (author, client_id)
         ) STRICT;",
};

/// Why the log can't be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The file can't be opened.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// A statement failed while the server ran.
    #[error("{0}")]
    Store(#[from] rusqlite::Error),
}
