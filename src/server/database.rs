//! How the server's database files are made and opened: for their owner only, of a version that this program knows, and
//! so that a commit is on the disk when it returns. What is in them is the business of whoever opens them.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// A second program that reads the file (a backup, say) may hold a lock for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The tables of a database file.
pub(super) struct Schema {
    /// Kept in the file as `user_version`; never 0, which a new file has.
    pub(super) version: i64,
    /// The statements that make them.
    pub(super) tables: &'static str,
}

/// Why a database can't be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
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
        "{path} was written by a newer version of chat (format {found}, this one knows {known}); start that version"
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
}

/// Opens a file for its one writer, and makes its tables when it is new.
pub(super) fn open_to_write(path: &Path, schema: &Schema) -> Result<Connection, DatabaseError> {
    make_private(path)?;
    let failed = |source| open_error(path, source);
    let mut connection = Connection::open(path).and_then(prepared).map_err(failed)?;
    match version(&connection).map_err(failed)? {
        0 => create(&mut connection, schema).map_err(failed)?,
        found if found == schema.version => {}
        found => {
            return Err(DatabaseError::Newer { path: path.to_owned(), found, known: schema.version });
        }
    }
    Ok(connection)
}

/// Opens a file that [`open_to_write`] has made for a thread that only reads.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, DatabaseError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok(connection)
    });
    opened.map_err(|source| open_error(path, source))
}

/// Makes the file where there is none, for its owner only: `SQLite` would let everyone on the host read it. It gives the
/// files beside it (`-wal`, `-shm`) the same permissions.
fn make_private(path: &Path) -> Result<(), DatabaseError> {
    let made = File::options().create_new(true).write(true).mode(0o600).open(path);
    match made {
        Err(source) if source.kind() != ErrorKind::AlreadyExists => {
            Err(DatabaseError::Make { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
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

fn create(connection: &mut Connection, schema: &Schema) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(schema.tables)?;
    transaction.pragma_update(None, "user_version", schema.version)?;
    transaction.commit()
}

fn open_error(path: &Path, source: rusqlite::Error) -> DatabaseError {
    DatabaseError::Open { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const SCHEMA: Schema =
        Schema { version: 1, tables: "CREATE TABLE things (id INTEGER PRIMARY KEY) STRICT;" };

    #[test]
    fn a_new_file_is_its_owners_alone_and_has_its_tables_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        for _ in 0..2 {
            let connection = open_to_write(&path, &SCHEMA).unwrap();
            connection.execute("INSERT INTO things DEFAULT VALUES", []).unwrap();
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let count: i64 = open_to_read(&path)
            .unwrap()
            .query_row("SELECT count(*) FROM things", [], |row| row.get(0))
            .unwrap();
        assert_eq!(count, 2);
    }

    #[test]
    fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        open_to_write(&path, &SCHEMA).unwrap().pragma_update(None, "user_version", 2).unwrap();
        let before = std::fs::read(&path).unwrap();
        let refused = open_to_write(&path, &SCHEMA);
        assert!(matches!(refused, Err(DatabaseError::Newer { found: 2, known: 1, .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        std::fs::write(&path, "not a database, but long enough to have a header of its own".repeat(20))
            .unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(open_to_write(&path, &SCHEMA), Err(DatabaseError::Open { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
