//! How far each person has read in each room, and what of it is unread.

use rusqlite::{OptionalExtension, params};

use super::batch::Batch;
use super::changes::Refusal;
use super::history::in_sqlite;
use super::rows::RoomId;
use super::schema::LogError;
use super::store::LogReader;
use crate::names::Username;
use crate::wire::{BODY_TEXT, UNREAD_MAX};

/// The most messages behind a marker among which the unread ones are counted.
const LOOKED_AT_MAX: u64 = 10_000;

/// A marker that is to be moved.
pub(crate) struct Mark {
    pub(crate) room: RoomId,
    pub(crate) account: Username,
    /// The last message that was read; the room has it.
    pub(crate) sequence: u64,
}

/// What someone has not read: what others have said in words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unread {
    /// How many messages, at most [`UNREAD_MAX`].
    pub(crate) messages: u32,
    /// How many of them name that person.
    pub(crate) mentions: u32,
}

impl Batch<'_> {
    /// Moves a marker, unless it is as far already. Tells whether it has moved.
    pub(super) fn mark(&self, mark: &Mark) -> Result<Result<bool, Refusal>, LogError> {
        if self.role(mark.room, &mark.account)?.is_none() {
            return Ok(Err(Refusal::NotMember));
        }
        let mut put = self.transaction.prepare_cached(
            "INSERT INTO read_markers (account, room, sequence) VALUES (?1, ?2, ?3)
             ON CONFLICT (account, room) DO UPDATE SET sequence = ?3 WHERE sequence < ?3",
        )?;
        Ok(Ok(put.execute(params![mark.account.as_str(), mark.room, mark.sequence])? == 1))
    }

    /// Nothing that was said until now is unread for someone who comes into a room.
    pub(super) fn begin_to_read(&self, room: RoomId, account: &Username) -> Result<(), LogError> {
        let mut put = self.transaction.prepare_cached(
            "INSERT INTO read_markers (account, room, sequence) VALUES (?1, ?2, ?3)
             ON CONFLICT (account, room) DO NOTHING",
        )?;
        put.execute(params![account.as_str(), room, self.head(room)])?;
        Ok(())
    }

    /// Forgets how far someone has read in a room.
    pub(super) fn forget_marker(&self, room: RoomId, account: &Username) -> Result<(), LogError> {
        let mut delete =
            self.transaction.prepare_cached("DELETE FROM read_markers WHERE room = ?1 AND account = ?2")?;
        delete.execute(params![room, account.as_str()])?;
        Ok(())
    }
}

impl LogReader {
    /// How far someone has read in a room; none if nothing was ever marked.
    pub(crate) fn marker(&self, room: RoomId, account: &Username) -> Result<Option<u64>, LogError> {
        let mut find = self
            .connection
            .prepare_cached("SELECT sequence FROM read_markers WHERE account = ?1 AND room = ?2")?;
        Ok(find.query_row(params![account.as_str(), room], |row| row.get(0)).optional()?)
    }

    /// What of a room someone has not read who has read up to `after`, when `head` is the last message. It looks at no
    /// more than the next 10,000 messages.
    pub(crate) fn unread(
        &self,
        room: RoomId,
        account: &Username,
        after: u64,
        head: u64,
    ) -> Result<Unread, LogError> {
        let last = head.min(after.saturating_add(LOOKED_AT_MAX));
        let mut statement = self.connection.prepare_cached(
            "SELECT body FROM messages
             WHERE room = ?1 AND sequence > ?2 AND sequence <= ?3 AND kind = ?4 AND author <> ?5
                 AND author NOT IN (SELECT name FROM ignored WHERE account = ?5)
             ORDER BY sequence LIMIT ?6",
        )?;
        let (after, last) = (in_sqlite(after), in_sqlite(last));
        let mut rows =
            statement.query(params![room, after, last, BODY_TEXT, account.as_str(), UNREAD_MAX])?;
        let mut unread = Unread::default();
        while let Some(row) = rows.next()? {
            let body = row.get_ref(0)?.as_bytes().unwrap_or_default();
            unread.messages += 1;
            unread.mentions += u32::from(account.is_named_in(&String::from_utf8_lossy(body)));
        }
        Ok(unread)
    }
}
