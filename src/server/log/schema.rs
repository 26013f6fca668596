//! The database file: how it is opened, what its tables are, and which versions of it this program reads.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// The version of the tables below, kept in the file as `user_version`.
const SCHEMA: i64 = 1;

/// A second program that reads the file (a backup, say) may hold a lock for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the log can't be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The file can't be used.
    #[error(
        "{path}: {source}; check that the file is a chat database, that it can be written, and that the disk is not full"
    )]
    Open { path: PathBuf, source: rusqlite::Error },
    /// The file can't be made.
    #[error("{path} can't be made: {source}; check who owns the folder and whether the disk is full")]
    Make { path: PathBuf, source: io::Error },
    /// The file was written by a newer program.
    #[error(
        "{path} was written by a newer version of chat (format {found}, this one knows {SCHEMA}); start that version"
    )]
    Newer { path: PathBuf, found: i64 },
    /// A statement failed while the server ran.
    #[error("{0}")]
    Store(#[from] rusqlite::Error),
}

/// Opens the file for the one writer, and makes its tables when it is new.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, LogError> {
    make_private(path)?;
    let connection = Connection::open(path).and_then(prepared).map_err(|source| open_error(path, source))?;
    let found = version(&connection).map_err(|source| open_error(path, source))?;
    match found {
        0 => create(&connection).map_err(|source| open_error(path, source))?,
        SCHEMA => {}
        found => return Err(LogError::Newer { path: path.to_owned(), found }),
    }
    Ok(connection)
}

/// Makes the file where there is none, for its owner only: `SQLite` would let everyone on the host read what was said. It
/// gives the files beside it (`-wal`, `-shm`) the same permissions.
fn make_private(path: &Path) -> Result<(), LogError> {
    let made = File::options().create_new(true).write(true).mode(0o600).open(path);
    match made {
        Err(source) if source.kind() != ErrorKind::AlreadyExists => {
            Err(LogError::Make { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Opens the file that [`open_to_write`] has made for a thread that only reads.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|source| open_error(path, source))?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// WAL, so that readers never wait for the writer; FULL, so that a commit returns when it is on the disk.
fn prepared(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN;
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
         ) STRICT;
         PRAGMA user_version = {SCHEMA};
         COMMIT;"
    ))
}

fn open_error(path: &Path, source: rusqlite::Error) -> LogError {
    LogError::Open { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        open_to_write(&path).unwrap().pragma_update(None, "user_version", SCHEMA + 1).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(open_to_write(&path), Err(LogError::Newer { found: 2, .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        std::fs::write(&path, "not a database, but long enough to have a header of its own".repeat(20))
            .unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(open_to_write(&path), Err(LogError::Open { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
