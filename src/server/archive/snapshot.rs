//! All files of a server as they were at one moment, while it may go on. Of a database, a transaction that only reads has
//! one moment's state for as long as it lasts; the other files are small and replaced as a whole. That all of them are of
//! one moment is seen by the small ones, which were the same before and after the transactions began.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;
use zeroize::Zeroizing;

use super::{ArchiveError, database_error, io_error};
use crate::server::data_folder::DataFolder;
use crate::server::database::open_to_read;

/// With what a database begins (`SQLite` file format, section 1.3.1).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How often a moment is looked for, and the pause in between: many sign-ups at once change `users.db` every 100 ms.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// How many pages of a database are copied at once.
const PAGES: i32 = 1024;

/// A server's files at one moment.
pub(super) struct Snapshot {
    small: Vec<SmallFile>,
    databases: Vec<Database>,
}

/// A small file, such as the server's key.
#[derive(PartialEq, Eq)]
struct SmallFile {
    name: String,
    contents: Zeroizing<Vec<u8>>,
}

/// A database, in the state that it had when it was opened.
struct Database {
    path: PathBuf,
    name: String,
    connection: Connection,
}

secret!(Snapshot, SmallFile);

impl Snapshot {
    /// The files in a data folder.
    pub(super) fn of(folder: &Path) -> Result<Self, ArchiveError> {
        for _ in 0..TRIES {
            let small = read_small_files(folder)?;
            let databases = open_databases(folder)?;
            if read_small_files(folder)? == small {
                return Ok(Self { small, databases });
            }
            thread::sleep(PAUSE);
        }
        Err(ArchiveError::Restless)
    }

    /// Writes all of them into a folder, and sees that they are whole there. Gives their names.
    pub(super) fn write(&self, folder: &Path) -> Result<Vec<String>, ArchiveError> {
        for file in &self.small {
            let path = folder.join(&file.name);
            crate::private_file::create(&path, &file.contents).map_err(io_error(&path))?;
        }
        for database in &self.databases {
            database.copy(&folder.join(&database.name))?;
        }
        let databases = self.databases.iter().map(|database| &database.name);
        Ok(self.small.iter().map(|file| &file.name).chain(databases).cloned().collect())
    }
}

impl Database {
    fn copy(&self, to: &Path) -> Result<(), ArchiveError> {
        crate::private_file::create(to, &[]).map_err(io_error(to))?;
        let mut copy = Connection::open(to).map_err(database_error(to))?;
        // It is brought to the disk as a whole, below; until then it counts for nothing.
        copy.pragma_update(None, "synchronous", "OFF").map_err(database_error(to))?;
        Backup::new(&self.connection, &mut copy)
            .and_then(|backup| backup.run_to_completion(PAGES, Duration::ZERO, None))
            .map_err(database_error(&self.path))?;
        // One file, without another one beside it.
        copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
            .map_err(database_error(to))?;
        check(&copy, to)?;
        copy.close().map_err(|(_, error)| database_error(to)(error))?;
        File::open(to).and_then(|file| file.sync_all()).map_err(io_error(to))
    }
}

/// Looks at every page of a database, and whether its indexes fit to its tables.
fn check(connection: &Connection, path: &Path) -> Result<(), ArchiveError> {
    let checked = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    if checked.map_err(database_error(path))? == "ok" {
        Ok(())
    } else {
        Err(ArchiveError::Damaged(path.to_owned()))
    }
}

/// The files that belong to a server: `server.…`, its own, and `….db`, what it keeps. Nothing of others is taken along, no
/// lock and no socket, no copy of an older version, and no index that is made anew from the log.
fn names(folder: &Path) -> Result<Vec<String>, ArchiveError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(io_error(folder))? {
        let entry = entry.map_err(io_error(folder))?;
        if let Ok(name) = entry.file_name().into_string()
            && is_kept(&name)
            && name != DataFolder::SEARCH_INDEX
            && fs::metadata(entry.path()).is_ok_and(|found| found.is_file())
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether a file of this name belongs to a server.
pub(super) fn is_kept(name: &str) -> bool {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let is_named = name
        .strip_suffix(".db")
        .or_else(|| name.strip_prefix("server."))
        .is_some_and(|rest| !rest.is_empty());
    is_plain && is_named && !name.starts_with('.')
}

fn read_small_files(folder: &Path) -> Result<Vec<SmallFile>, ArchiveError> {
    let mut small = Vec::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        if !is_database(&path)? {
            let contents = Zeroizing::new(fs::read(&path).map_err(io_error(&path))?);
            small.push(SmallFile { name, contents });
        }
    }
    Ok(small)
}

fn open_databases(folder: &Path) -> Result<Vec<Database>, ArchiveError> {
    let mut databases = Vec::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        if is_database(&path)? {
            let opened = open_to_read(&path).map_err(|error| ArchiveError::Files(error.to_string()))?;
            // The transaction begins with the first look at the file.
            let begun = opened.execute_batch("BEGIN").and_then(|()| {
                opened.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
            });
            begun.map_err(database_error(&path))?;
            databases.push(Database { path, name, connection: opened });
        }
    }
    Ok(databases)
}

fn is_database(path: &Path) -> Result<bool, ArchiveError> {
    let mut beginning = Vec::with_capacity(MAGIC.len());
    let file = File::open(path).map_err(io_error(path))?;
    file.take(MAGIC.len() as u64).read_to_end(&mut beginning).map_err(io_error(path))?;
    Ok(beginning == MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_server_is_taken_and_nothing_else() {
        for name in ["users.db", "chat.db", "server.key", "server.statements"] {
            assert!(is_kept(name), "{name}");
        }
        for name in
            ["lock", "admin.sock", "chat.db-wal", "chat.db.v1", ".users.db", ".db", "a/b.db", "../x.db", ""]
        {
            assert!(!is_kept(name), "{name}");
        }
    }

    #[test]
    fn a_snapshot_stays_as_it_was_while_others_write_and_its_copy_is_one_file() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let writer = Connection::open(from.path().join("chat.db")).unwrap();
        writer.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
        writer.execute_batch("CREATE TABLE said (text TEXT); INSERT INTO said VALUES ('before');").unwrap();
        fs::write(from.path().join("users.db"), "# nobody").unwrap();
        let snapshot = Snapshot::of(from.path()).unwrap();
        writer.execute_batch("INSERT INTO said VALUES ('after')").unwrap();
        fs::write(from.path().join("users.db"), "# somebody").unwrap();
        assert_eq!(snapshot.write(to.path()).unwrap(), ["users.db", "chat.db"]);
        assert_eq!(fs::read(to.path().join("users.db")).unwrap(), b"# nobody");
        let copy = Connection::open(to.path().join("chat.db")).unwrap();
        let said: String =
            copy.query_row("SELECT group_concat(text) FROM said", [], |row| row.get(0)).unwrap();
        assert_eq!(said, "before");
        assert_eq!(fs::read_dir(to.path()).unwrap().count(), 2);
    }
}
