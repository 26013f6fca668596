//! How the server's database files are made and opened: for their owner only, of a version that this program knows, and
//! so that a commit is on the disk when it returns. A file of an older version is brought to this one, and a copy of it
//! as it was stays beside it. What is in them is the business of whoever opens them.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tracing::info;

/// A second program that reads the file (a backup, say) may hold a lock for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The tables of a database file.
pub(super) struct Schema {
    /// The statements that make version 1, then those that make each version of the one before. How many of them a file
    /// has had is kept in it as `user_version`.
    pub(super) steps: &'static [&'static str],
}

impl Schema {
    fn version(&self) -> i64 {
        i64::try_from(self.steps.len()).unwrap_or(i64::MAX)
    }
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
    /// There is no copy of a file of an older version, so it is left as it is.
    #[error(
        "{path} is of an older version of chat and is copied before it is changed, but {copy} can't be made: {source}; \
         make room on the disk or move away what is there"
    )]
    Copy { path: PathBuf, copy: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    /// The file was written by a newer program.
    #[error(
        "{path} was written by a newer version of chat (format {found}, this one knows {known}); start that version"
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
}

/// Opens a file for its one writer, and makes its tables when it is new. One of an older version is brought to this one,
/// all at once or not at all.
pub(super) fn open_to_write(path: &Path, schema: &Schema) -> Result<Connection, DatabaseError> {
    make_private(path)?;
    let failed = |source| open_error(path, source);
    let mut connection = Connection::open(path).and_then(prepared).map_err(failed)?;
    let (found, known) = (version(&connection).map_err(failed)?, schema.version());
    if found > known {
        return Err(DatabaseError::Newer { path: path.to_owned(), found, known });
    }
    if found != 0 && found < known {
        let copy = beside(path, &format!(".v{found}"));
        let copied = keep_copy(&connection, &copy);
        copied.map_err(|source| DatabaseError::Copy { path: path.to_owned(), copy: copy.clone(), source })?;
        info!(path = %path.display(), copy = %copy.display(), "from version {found} to {known}");
    }
    bring_up(&mut connection, found, schema).map_err(failed)?;
    Ok(connection)
}

/// Takes what was overwritten out of the write-ahead log: brings all of it into the file, and empties it. False when someone
/// reads at this moment, and so stands in its way; it does not wait for them.
pub(super) fn wipe(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(Duration::ZERO)?;
    let is_busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(!is_busy?)
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

/// WAL, so that readers never wait for the writer; FULL, so that a commit returns when it is on the disk. What is deleted
/// or overwritten is so with zeros, on all pages of the file.
fn prepared(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    Ok(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Does the steps that a file of the version `found` has not had.
fn bring_up(connection: &mut Connection, found: i64, schema: &Schema) -> rusqlite::Result<()> {
    let missing = schema.steps.iter().skip(usize::try_from(found).unwrap_or(0));
    if missing.len() == 0 {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", schema.version())?;
    transaction.commit()
}

/// Makes a copy of the whole file, for its owner only. It is there when it is complete; one that a start was killed over
/// is made anew.
fn keep_copy(connection: &Connection, copy: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let unfinished = beside(copy, ".new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let file = File::options().create_new(true).write(true).mode(0o600).open(&unfinished)?;
    connection
        .execute("VACUUM INTO ?1", [unfinished.as_os_str().to_str().ok_or("its path is not UTF-8")?])?;
    file.sync_all()?;
    fs::rename(&unfinished, copy)?;
    Ok(())
}

/// The same path with something added to its name.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn open_error(path: &Path, source: rusqlite::Error) -> DatabaseError {
    DatabaseError::Open { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const FIRST: &str = "CREATE TABLE things (id INTEGER PRIMARY KEY) STRICT;";
    const SECOND: &str = "ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7;";
    const SCHEMA: Schema = Schema { steps: &[FIRST] };
    const NEXT: Schema = Schema { steps: &[FIRST, SECOND] };

    fn sizes(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
        connection.prepare("SELECT size FROM things")?.query_map([], |row| row.get(0))?.collect()
    }

    #[test]
    fn a_new_file_is_its_owners_alone_and_has_its_tables_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        for _ in 0..2 {
            let connection = open_to_write(&path, &SCHEMA).unwrap();
            connection.execute("INSERT INTO things DEFAULT VALUES", []).unwrap();
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
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
        let before = fs::read(&path).unwrap();
        let refused = open_to_write(&path, &SCHEMA);
        assert!(matches!(refused, Err(DatabaseError::Newer { found: 2, known: 1, .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_database_of_an_older_version_is_brought_to_this_one_and_its_copy_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        let old = open_to_write(&path, &SCHEMA).unwrap();
        old.execute("INSERT INTO things DEFAULT VALUES", []).unwrap();
        drop(old);
        // A start that was killed over the copy.
        fs::write(folder.path().join("chat.db.v1.new"), "half").unwrap();
        for _ in 0..2 {
            assert_eq!(sizes(&open_to_write(&path, &NEXT).unwrap()).unwrap(), [7]);
        }
        let copy = folder.path().join("chat.db.v1");
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        let copy = open_to_write(&copy, &SCHEMA).unwrap();
        assert!(sizes(&copy).is_err(), "it is as it was");
        let count: i64 = copy.query_row("SELECT count(*) FROM things", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 1);
    }

    #[test]
    fn a_database_that_can_not_be_brought_to_this_version_or_be_copied_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        drop(open_to_write(&path, &SCHEMA).unwrap());
        let broken = Schema { steps: &[FIRST, SECOND, "CREATE NONSENSE;"] };
        assert!(matches!(open_to_write(&path, &broken), Err(DatabaseError::Open { .. })));
        let in_the_way = folder.path().join("chat.db.v1.new/full");
        fs::create_dir_all(in_the_way).unwrap();
        assert!(matches!(open_to_write(&path, &NEXT), Err(DatabaseError::Copy { .. })));
        let still = open_to_write(&path, &SCHEMA).unwrap();
        assert!(sizes(&still).is_err());
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.db");
        fs::write(&path, "not a database, but long enough to have a header of its own".repeat(20)).unwrap();
        let before = fs::read(&path).unwrap();
        assert!(matches!(open_to_write(&path, &SCHEMA), Err(DatabaseError::Open { .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}
