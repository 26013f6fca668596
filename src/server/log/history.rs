//! Reading what was said before, from any place of a room on.

use rusqlite::params;

use super::rows::{RoomId, Stored};
use super::schema::LogError;
use super::store::{LogReader, ROW_BYTES};

/// A part of what was said in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// It begins after this number; if there is one, it is read from there on, else from its end backwards.
    pub(crate) after: Option<u64>,
    /// It ends before this number. Any that the room has not reached is as good as the one after its last.
    pub(crate) before: u64,
    /// The most messages of it.
    pub(crate) count: usize,
}

impl LogReader {
    /// The messages of a stretch, in the order of their numbers, and whether there are more of it: as many as come to no
    /// more than `bytes`, at least one if there is any.
    pub(crate) fn stretch(
        &self,
        room: RoomId,
        Stretch { after, before, count }: Stretch,
        bytes: usize,
    ) -> Result<(Vec<Stored>, bool), LogError> {
        let mut statement = self.connection.prepare_cached(if after.is_some() {
            "SELECT sequence, at, author, client_id, kind, body, of, edited FROM messages
             WHERE room = ?1 AND sequence > ?2 AND sequence < ?3 ORDER BY sequence"
        } else {
            "SELECT sequence, at, author, client_id, kind, body, of, edited FROM messages
             WHERE room = ?1 AND sequence > ?2 AND sequence < ?3 ORDER BY sequence DESC"
        })?;
        let mut rows = statement.query(params![room, in_sqlite(after.unwrap_or(0)), in_sqlite(before)])?;
        let (mut page, mut taken, mut more) = (Vec::new(), 0, false);
        while let Some(row) = rows.next()? {
            let stored = self.stored(room, row)?;
            taken += stored.body.len() + stored.author.len() + ROW_BYTES;
            more = page.len() >= count || (taken > bytes && !page.is_empty());
            if more {
                break;
            }
            page.push(stored);
        }
        if after.is_none() {
            page.reverse();
        }
        Ok((page, more))
    }
}

/// `SQLite` counts to 2^63 - 1, further than any room has come.
pub(super) fn in_sqlite(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
