//! Appending in batches and reading in pages, on SQLite.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row, params};

use super::schema::{LogError, SCHEMA};
use crate::names::{RoomName, Username};
use crate::server::database::{open_to_read, open_to_write};
use crate::wire::MessageId;

/// A room's number in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RoomId(i64);

#[cfg(test)]
impl RoomId {
    /// A room that is in no log.
    pub(crate) const fn for_tests(number: i64) -> Self {
        Self(number)
    }
}

/// A message that wants a place.
pub(crate) struct Entry {
    /// Where it is said.
    pub(crate) room: RoomId,
    /// Who says it.
    pub(crate) author: Username,
    /// Its author's name for it; one (author, id) has one place.
    pub(crate) id: MessageId,
    /// What the body is; nothing here looks into it.
    pub(crate) kind: u16,
    /// 1 to 16,384 bytes.
    pub(crate) body: Vec<u8>,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// 1, 2, 3 … in each room.
    pub(crate) sequence: u64,
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub(crate) at: u64,
    /// False when the same message had its place already.
    pub(crate) is_new: bool,
}

/// A message as it is in the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) sequence: u64,
    pub(crate) at: u64,
    pub(crate) author: String,
    pub(crate) id: MessageId,
    pub(crate) kind: u16,
    pub(crate) body: Vec<u8>,
}

/// The one writer.
pub(crate) struct LogStore {
    path: PathBuf,
    connection: Connection,
    /// The last sequence number on the disk, for each room.
    heads: HashMap<RoomId, u64>,
}

impl LogStore {
    /// Opens the log, or makes a new one.
    pub(crate) fn open(path: &Path) -> Result<Self, LogError> {
        Ok(Self { path: path.to_owned(), connection: open_to_write(path, &SCHEMA)?, heads: HashMap::new() })
    }

    /// The room of this name, made when it is new, and its last sequence number.
    pub(crate) fn open_room(&mut self, name: &RoomName) -> Result<(RoomId, u64), LogError> {
        self.connection.execute("INSERT OR IGNORE INTO rooms (name) VALUES (?1)", [name.as_str()])?;
        let (id, head) = self.connection.query_row(
            "SELECT id, (SELECT coalesce(max(sequence), 0) FROM messages WHERE room = rooms.id) FROM rooms WHERE name = ?1",
            [name.as_str()],
            |row| Ok((RoomId(row.get(0)?), row.get(1)?)),
        )?;
        self.heads.insert(id, head);
        Ok((id, head))
    }

    /// Gives each entry its place, all with one commit: when this returns, they are on the disk. After an error
    /// none of them is.
    pub(crate) fn append<'e>(
        &mut self,
        entries: impl IntoIterator<Item = &'e Entry>,
        at: u64,
    ) -> Result<Vec<Placed>, LogError> {
        let mut heads = self.heads.clone();
        let transaction = self.connection.transaction()?;
        let mut placed = Vec::new();
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO messages (room, sequence, at, author, client_id, kind, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (author, client_id) DO NOTHING",
            )?;
            let mut find = transaction
                .prepare_cached("SELECT sequence, at FROM messages WHERE author = ?1 AND client_id = ?2")?;
            for Entry { room, author, id, kind, body } in entries {
                let head = heads.entry(*room).or_insert(0);
                let sequence = *head + 1;
                let inserted = insert.execute(params![
                    room.0,
                    sequence,
                    at,
                    author.as_str(),
                    id.as_bytes(),
                    kind,
                    body
                ])?;
                if inserted == 1 {
                    *head = sequence;
                    placed.push(Placed { sequence, at, is_new: true });
                } else {
                    placed.push(find.query_row(params![author.as_str(), id.as_bytes()], |row| {
                        Ok(Placed { sequence: row.get(0)?, at: row.get(1)?, is_new: false })
                    })?);
                }
            }
        }
        transaction.commit()?;
        self.heads = heads;
        Ok(placed)
    }

    /// A second way into the same log, for a thread that reads while this one writes.
    pub(crate) fn reader(&self) -> Result<LogReader, LogError> {
        Ok(LogReader { connection: open_to_read(&self.path)? })
    }
}

/// Reads what is committed; never waits for the writer.
pub(crate) struct LogReader {
    connection: Connection,
}

impl LogReader {
    /// The messages of `room` after the sequence number `after`, in order, until their bodies come to `bytes` or
    /// more; at least one if there is any.
    pub(crate) fn page(&self, room: RoomId, after: u64, bytes: usize) -> Result<Vec<Stored>, LogError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT sequence, at, author, client_id, kind, body FROM messages
             WHERE room = ?1 AND sequence > ?2 ORDER BY sequence",
        )?;
        let mut rows = statement.query(params![room.0, after])?;
        let (mut page, mut taken) = (Vec::new(), 0);
        while taken < bytes
            && let Some(row) = rows.next()?
        {
            let stored = stored(row)?;
            taken += stored.body.len() + ROW_BYTES;
            page.push(stored);
        }
        Ok(page)
    }
}

/// What a message takes beside its body, about; so that a page of very short ones is bounded too.
const ROW_BYTES: usize = 96;

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        sequence: row.get(0)?,
        at: row.get(1)?,
        author: row.get(2)?,
        id: MessageId::from_bytes(row.get(3)?),
        kind: row.get(4)?,
        body: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(room: RoomId, id: u8, body: &str) -> Entry {
        let author = "alice".parse().unwrap();
        Entry { room, author, id: MessageId::from_bytes([id; 16]), kind: 0, body: body.into() }
    }

    fn lobby(folder: &tempfile::TempDir) -> (LogStore, RoomId, u64) {
        let mut store = LogStore::open(&folder.path().join("chat.db")).unwrap();
        let (room, head) = store.open_room(&RoomName::lobby()).unwrap();
        (store, room, head)
    }

    #[test]
    fn places_are_counted_from_one_and_go_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, room, head) = lobby(&folder);
        assert_eq!(head, 0);
        let placed = store.append(&[entry(room, 1, "a"), entry(room, 2, "b")], 5).unwrap();
        assert_eq!(placed.iter().map(|p| p.sequence).collect::<Vec<_>>(), [1, 2]);
        drop(store);
        let (mut store, same, head) = lobby(&folder);
        assert_eq!((same, head), (room, 2));
        assert_eq!(store.append(&[entry(room, 3, "c")], 6).unwrap()[0].sequence, 3);
    }

    #[test]
    fn a_message_that_is_sent_again_keeps_its_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, room, _) = lobby(&folder);
        store.append(&[entry(room, 1, "a")], 5).unwrap();
        let again =
            store.append(&[entry(room, 1, "a"), entry(room, 2, "b"), entry(room, 2, "b")], 9).unwrap();
        let expected = [(1, 5, false), (2, 9, true), (2, 9, false)].map(|(sequence, at, is_new)| Placed {
            sequence,
            at,
            is_new,
        });
        assert_eq!(again, expected);
        let bodies: Vec<_> = store
            .reader()
            .unwrap()
            .page(room, 0, 1000)
            .unwrap()
            .into_iter()
            .map(|stored| stored.body)
            .collect();
        assert_eq!(bodies, [b"a", b"b"]);
    }

    #[test]
    fn pages_follow_each_other_without_a_gap_and_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, room, _) = lobby(&folder);
        let entries: Vec<_> = (0..100).map(|id| entry(room, id, &"x".repeat(100))).collect();
        store.append(&entries, 5).unwrap();
        let reader = store.reader().unwrap();
        let (mut seen, mut pages) = (0, 0);
        loop {
            let page = reader.page(room, seen, 1000).unwrap();
            assert!(page.len() <= 6);
            for stored in &page {
                assert_eq!(stored.sequence, seen + 1);
                seen = stored.sequence;
            }
            if page.is_empty() {
                break;
            }
            pages += 1;
        }
        assert_eq!((seen, pages), (100, 17));
    }

    #[test]
    fn a_batch_that_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, room, _) = lobby(&folder);
        // As small as it can be made: the next commit finds the disk full.
        store.connection.pragma_update(None, "max_page_count", 12).unwrap();
        let large: Vec<_> = (0..20).map(|id| entry(room, id, &"x".repeat(16_000))).collect();
        assert!(store.append(&large, 5).is_err());
        store.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
        assert_eq!(store.reader().unwrap().page(room, 0, 1000).unwrap(), []);
        assert_eq!(store.append(&[entry(room, 1, "a")], 6).unwrap()[0].sequence, 1);
    }
}
