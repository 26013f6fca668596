//! The full-text index, in a file of its own beside the log. All of it comes from the log: a file that is missing, broken
//! or another log's is made anew, and no backup needs it.
//!
//! It goes through the log in its order and remembers how far it is, in small transactions that nobody waits for. The log
//! notes each message whose text has become another one or is gone, whoever changed it (see `altered` in
//! [`schema`](super::schema)); those are taken out of the index, also from the disk, and come in again as they are.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use tracing::{info, warn};

use super::rows::RoomId;
use super::schema::LogError;
use super::search_expression::room_term;
use super::store::LogReader;
use crate::server::database::{Schema, open_to_write, wipe};
use crate::wire::BODY_TEXT;

/// Messages, or changes of messages, that are taken in with one transaction.
const STEP: usize = 500;

const SCHEMA: Schema = Schema { steps: &[TEXTS] };

/// `message` is the last message of the log that was taken in, `client_id` tells whether it is still the same log, and
/// `altered` the last note of a change. Every word is found, also without its accents, in any room by the room's term.
const TEXTS: &str = "
    CREATE TABLE progress (
        message INTEGER NOT NULL,
        client_id BLOB NOT NULL,
        altered INTEGER NOT NULL
    ) STRICT;
    CREATE VIRTUAL TABLE texts USING fts5 (
        room, body, columnsize = 0, prefix = '2 3', tokenize = 'unicode61 remove_diacritics 2'
    );
    INSERT INTO texts (texts, rank) VALUES ('secure-delete', 1);";

/// The index, and its way into the log.
pub(crate) struct SearchIndex {
    connection: Connection,
    log: LogReader,
    progress: Progress,
    /// Something was taken out, and may still be in the write-ahead log.
    has_remains: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Progress {
    message: i64,
    client_id: Vec<u8>,
    altered: i64,
}

/// A message of the log as the index takes it in.
struct Text {
    message: i64,
    room: RoomId,
    client_id: Vec<u8>,
    /// `None` when it is not text.
    body: Option<String>,
}

impl SearchIndex {
    /// Opens the index of a log, or makes it anew when it is not one of this log.
    pub(crate) fn open(path: &Path, log: LogReader) -> Result<Self, LogError> {
        match Self::open_existing(path, &log) {
            Ok(Some((connection, progress))) => {
                return Ok(Self { connection, log, progress, has_remains: true });
            }
            Ok(None) => info!("what can be searched for is gathered from the log"),
            Err(error) => warn!(%error, "the index of what can be searched for is made anew"),
        }
        remove(path)?;
        let connection = prepared(path)?;
        // What was altered before the index begins is in the log as it is now.
        let altered =
            log.connection.query_row("SELECT coalesce(max(number), 0) FROM altered", [], |row| row.get(0))?;
        let progress = Progress { message: 0, client_id: Vec::new(), altered };
        put_progress(&connection, &progress)?;
        Ok(Self { connection, log, progress, has_remains: false })
    }

    /// The index, if it is one of this log.
    fn open_existing(path: &Path, log: &LogReader) -> Result<Option<(Connection, Progress)>, LogError> {
        let connection = prepared(path)?;
        let progress = connection
            .query_row("SELECT message, client_id, altered FROM progress", [], |row| {
                Ok(Progress { message: row.get(0)?, client_id: row.get(1)?, altered: row.get(2)? })
            })
            .optional()?;
        let Some(progress) = progress else { return Ok(None) };
        let is_same = match log.client_id(progress.message)? {
            Some(client_id) => client_id == progress.client_id,
            None => progress.message == 0,
        };
        Ok(is_same.then_some((connection, progress)))
    }

    /// Removes the index of a log that no server writes.
    pub(crate) fn remove(path: &Path) -> Result<(), LogError> {
        remove(path)
    }

    /// The last note of a change that was taken in: those up to it are needed no more.
    pub(crate) fn altered(&self) -> i64 {
        self.progress.altered
    }

    /// Takes in what comes next in the log. False when there was nothing.
    pub(crate) fn step(&mut self) -> Result<bool, LogError> {
        let texts = self.log.texts_after(self.progress.message)?;
        let altered = self.log.altered_after(self.progress.altered)?;
        if texts.is_empty() && altered.is_empty() {
            return Ok(false);
        }
        let mut progress = self.progress.clone();
        let transaction = self.connection.transaction()?;
        for text in &texts {
            insert(&transaction, text)?;
            (progress.message, progress.client_id) = (text.message, text.client_id.clone());
        }
        let is_altered = !altered.is_empty();
        for (number, message) in altered {
            transaction.prepare_cached("DELETE FROM texts WHERE rowid = ?1")?.execute([message])?;
            if message <= progress.message
                && let Some(text) = self.log.text_of(message)?
            {
                insert(&transaction, &text)?;
            }
            progress.altered = number;
        }
        put_progress(&transaction, &progress)?;
        transaction.commit()?;
        self.progress = progress;
        self.has_remains |= is_altered;
        Ok(true)
    }

    /// Whether [`Self::wipe`] has something to do.
    pub(crate) fn has_remains(&self) -> bool {
        self.has_remains
    }

    /// Sees that what was taken out is nowhere in the files any more. Someone who searches at this moment can be in its
    /// way, and is not waited for; then there is still something to do.
    pub(crate) fn wipe(&mut self) -> Result<(), LogError> {
        if self.has_remains {
            self.has_remains = !wipe(&self.connection)?;
        }
        Ok(())
    }
}

fn prepared(path: &Path) -> Result<Connection, LogError> {
    let connection = open_to_write(path, &SCHEMA)?;
    // What is lost with the power is taken in again.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

fn remove(path: &Path) -> Result<(), LogError> {
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        let path = PathBuf::from(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(LogError::Remove { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

fn put_progress(connection: &Connection, progress: &Progress) -> Result<(), LogError> {
    let Progress { message, client_id, altered } = progress;
    connection.execute(
        "INSERT INTO progress (rowid, message, client_id, altered) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (rowid) DO UPDATE SET message = ?1, client_id = ?2, altered = ?3",
        params![message, client_id, altered],
    )?;
    Ok(())
}

fn insert(connection: &Connection, text: &Text) -> Result<(), LogError> {
    if let Some(body) = &text.body {
        let mut insert =
            connection.prepare_cached("INSERT INTO texts (rowid, room, body) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![text.message, room_term(text.room), body])?;
    }
    Ok(())
}

impl LogReader {
    fn texts_after(&self, message: i64) -> Result<Vec<Text>, LogError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, room, client_id, kind, body FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?;
        Ok(statement.query_map(params![message, STEP], text)?.collect::<Result<_, _>>()?)
    }

    fn text_of(&self, message: i64) -> Result<Option<Text>, LogError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, room, client_id, kind, body FROM messages WHERE id = ?1")?;
        Ok(statement.query_row([message], text).optional()?)
    }

    fn client_id(&self, message: i64) -> Result<Option<Vec<u8>>, LogError> {
        let mut statement = self.connection.prepare_cached("SELECT client_id FROM messages WHERE id = ?1")?;
        Ok(statement.query_row([message], |row| row.get(0)).optional()?)
    }

    /// The next notes of changes: their numbers, and the messages.
    fn altered_after(&self, number: i64) -> Result<Vec<(i64, i64)>, LogError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, message FROM altered WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?;
        let notes = statement.query_map(params![number, STEP], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(notes.collect::<Result<_, _>>()?)
    }
}

fn text(row: &rusqlite::Row<'_>) -> rusqlite::Result<Text> {
    let is_text = row.get::<_, u16>(3)? == BODY_TEXT;
    let body = row.get_ref(4)?.as_bytes()?;
    let body = is_text.then(|| String::from_utf8_lossy(body).into_owned());
    Ok(Text { message: row.get(0)?, room: row.get(1)?, client_id: row.get(2)?, body })
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
