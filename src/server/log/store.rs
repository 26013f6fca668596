//! Writing in batches and reading in pages, on SQLite.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};
use tracing::warn;

use super::batch::Batch;
use super::changes::{Change, Effect, Refusal};
use super::ignored::Ignoring;
use super::markers::Mark;
use super::rows::{Entry, Placed, RoomId, RoomRecord, Stored};
use super::schema::{LogError, SCHEMA};
use crate::names::{RoomName, Username};
use crate::server::database::{open_to_read, open_to_write, wipe};
use crate::wire::{BODY_EDIT, BODY_TEXT, MessageId};

/// Statements that are kept prepared.
const STATEMENTS: usize = 64;

/// Something to be written.
pub(crate) enum Write<'t> {
    /// Someone says something.
    Say(&'t Entry),
    /// Someone changes a room.
    Change(&'t Change),
    /// Someone has read a room up to here.
    Mark(&'t Mark),
    /// Someone ignores another one, or no more.
    Ignore(&'t Ignoring),
}

/// What has become of it, in the same order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It has its place.
    Said(Placed),
    /// It is done. The entry that tells of it has this place, if it has one entry; nothing but the place is told of a
    /// change that was done before.
    Changed(Option<Placed>, Vec<Effect>),
    /// Whether the marker is further than before.
    Marked(bool),
    /// All whom the person ignores now, in the order of their names.
    Ignoring(Vec<String>),
    /// It may not be done, and nothing of it is.
    Refused(Refusal),
}

/// The one writer.
pub(crate) struct LogStore {
    path: PathBuf,
    pub(super) connection: Connection,
    /// The room that everyone is in.
    lobby: RoomId,
    /// The last sequence number on the disk, for each room in which anything was said.
    heads: HashMap<RoomId, u64>,
    /// What was overwritten may still be found in the write-ahead log.
    pub(super) has_remains: bool,
    /// Something is to be taken away.
    pub(super) has_purges: bool,
}

impl LogStore {
    /// Opens the log, or makes a new one, and gives the lobby and the other rooms. The lobby is there from the beginning;
    /// when it is made now, it is made at `at`.
    pub(crate) fn open(path: &Path, at: u64) -> Result<(Self, (RoomRecord, Vec<RoomRecord>)), LogError> {
        let connection = open_to_write(path, &SCHEMA)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let lobby = RoomName::lobby();
        connection.execute(
            "INSERT INTO rooms (name, made_at) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
            params![lobby.as_str(), at],
        )?;
        let mut rooms = read_rooms(&connection)?;
        let heads = rooms.iter().map(|room| (room.id, room.head)).collect();
        let place = rooms.iter().position(|room| room.name == lobby);
        let lobby = place.map(|place| rooms.swap_remove(place));
        let lobby = lobby.ok_or_else(|| LogError::BadRoom("#lobby".to_owned()))?;
        let has_purges =
            connection.query_row("SELECT EXISTS (SELECT 1 FROM purges)", [], |row| row.get(0))?;
        let path = path.to_owned();
        let store = Self { path, connection, lobby: lobby.id, heads, has_remains: false, has_purges };
        Ok((store, (lobby, rooms)))
    }

    /// Writes everything with one commit: when this returns, it is on the disk. After an error nothing of it is.
    pub(crate) fn write<'t>(
        &mut self,
        tasks: impl IntoIterator<Item = Write<'t>>,
        at: u64,
    ) -> Result<Vec<Outcome>, LogError> {
        let mut batch = Batch::new(self.connection.transaction()?, at, self.lobby, &self.heads);
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(match task {
                Write::Say(entry) => batch.say(entry)?.map_or_else(Outcome::Refused, Outcome::Said),
                Write::Change(change) => batch.change(change)?,
                Write::Ignore(ignoring) => {
                    batch.ignore(ignoring)?.map_or_else(Outcome::Refused, Outcome::Ignoring)
                }
                Write::Mark(mark) => batch.mark(mark)?.map_or_else(Outcome::Refused, Outcome::Marked),
            });
        }
        self.has_remains |= batch.overwrites;
        let begins_purge = batch.begins_purge;
        let grown = batch.commit()?;
        self.has_purges |= begins_purge;
        self.heads.extend(grown);
        Ok(outcomes)
    }

    /// Whether [`Self::purge`] has something to do.
    pub(crate) fn has_purges(&self) -> bool {
        self.has_purges
    }

    /// Whether [`Self::wipe`] has something to do.
    pub(crate) fn has_remains(&self) -> bool {
        self.has_remains
    }

    /// Sees that what was overwritten is nowhere in the files any more. Someone who reads at this moment can be in its
    /// way, and is not waited for; then there is still something to do.
    pub(crate) fn wipe(&mut self) -> Result<(), LogError> {
        if self.has_remains {
            self.has_remains = !wipe(&self.connection)?;
        }
        Ok(())
    }

    /// Forgets the notes of changes up to this number.
    pub(crate) fn forget_altered(&self, number: i64) -> Result<(), LogError> {
        self.connection.execute("DELETE FROM altered WHERE number <= ?1", [number])?;
        Ok(())
    }

    /// A second way into the same log, for a thread that reads while this one writes.
    pub(crate) fn reader(&self) -> Result<LogReader, LogError> {
        Ok(LogReader { connection: open_to_read(&self.path)? })
    }
}

/// All rooms with their members. A room's last number is one look into an index, however long its log is.
fn read_rooms(connection: &Connection) -> Result<Vec<RoomRecord>, LogError> {
    let mut members = read_members(connection)?;
    let mut statement = connection.prepare(
        "SELECT id, name, topic, made_at, made_by,
                (SELECT coalesce(max(sequence), 0) FROM messages WHERE room = rooms.id) FROM rooms",
    )?;
    let mut rows = statement.query([])?;
    let mut rooms = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, name, topic): (RoomId, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        rooms.push(RoomRecord {
            id,
            topic: topic.parse().map_err(|_| LogError::BadRoom(name.clone()))?,
            name: name.parse().map_err(|_| LogError::BadRoom(name))?,
            made_at: row.get(3)?,
            made_by: row.get(4)?,
            head: row.get(5)?,
            members: members.remove(&id).unwrap_or_default(),
        });
    }
    Ok(rooms)
}

/// Everyone who is in a room. Each name is kept once, however many rooms its owner is in.
fn read_members(connection: &Connection) -> Result<HashMap<RoomId, Vec<(Username, bool)>>, LogError> {
    let mut statement =
        connection.prepare("SELECT room, account, is_operator FROM members ORDER BY room, account")?;
    let mut rows = statement.query([])?;
    let mut names: HashMap<String, Username> = HashMap::new();
    let mut members: HashMap<RoomId, Vec<(Username, bool)>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let (room, account, is_operator): (RoomId, String, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let name = match names.get(&account) {
            Some(name) => name.clone(),
            None => match account.parse::<Username>() {
                Ok(name) => names.entry(account).or_insert(name).clone(),
                Err(error) => {
                    warn!(account, %error, "a member of a room has a name that nobody can have, and is passed over");
                    continue;
                }
            },
        };
        members.entry(room).or_default().push((name, is_operator));
    }
    Ok(members)
}

/// Reads what is committed; never waits for the writer.
pub(crate) struct LogReader {
    pub(super) connection: Connection,
}

impl LogReader {
    /// The messages of `room` after the sequence number `after`, in order, until their bodies come to `bytes` or
    /// more; at least one if there is any.
    pub(crate) fn page(&self, room: RoomId, after: u64, bytes: usize) -> Result<Vec<Stored>, LogError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT sequence, at, author, client_id, kind, body, of, edited FROM messages
             WHERE room = ?1 AND sequence > ?2 ORDER BY sequence",
        )?;
        let mut rows = statement.query(params![room, after])?;
        let (mut page, mut taken) = (Vec::new(), 0);
        while taken < bytes
            && let Some(row) = rows.next()?
        {
            let stored = self.stored(room, row)?;
            taken += stored.body.len() + ROW_BYTES;
            page.push(stored);
        }
        Ok(page)
    }

    /// The message in a row of its number, time, author, id, kind, body, subject and edit. An edit has the text that the
    /// message says now, which stands with that message alone; none if it was removed.
    pub(super) fn stored(&self, room: RoomId, row: &Row<'_>) -> Result<Stored, LogError> {
        let mut stored = Stored {
            sequence: row.get(0)?,
            at: row.get(1)?,
            author: row.get(2)?,
            id: MessageId::from_bytes(row.get(3)?),
            kind: row.get(4)?,
            body: row.get(5)?,
            of: row.get(6)?,
            edited: row.get(7)?,
        };
        if let (BODY_EDIT, Some(of)) = (stored.kind, stored.of) {
            stored.body = self.text(room, of)?;
        }
        Ok(stored)
    }

    /// What a message says now; nothing if it was removed.
    fn text(&self, room: RoomId, sequence: u64) -> Result<Vec<u8>, LogError> {
        let mut find = self
            .connection
            .prepare_cached("SELECT body FROM messages WHERE room = ?1 AND sequence = ?2 AND kind = ?3")?;
        let text = find.query_row(params![room, sequence, BODY_TEXT], |row| row.get(0)).optional()?;
        Ok(text.unwrap_or_default())
    }
}

/// What a message takes beside its body, about; so that a page of very short ones is bounded too.
pub(super) const ROW_BYTES: usize = 96;

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
