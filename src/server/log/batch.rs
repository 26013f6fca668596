//! One commit that is being prepared: what is said gets its places. Each step sees the steps before it, because all of
//! them ask the database itself, and nothing is anywhere until the commit.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Transaction, params};

use super::changes::Refusal;
use super::rows::{Entry, Placed, RoomId};
use super::schema::LogError;
use crate::names::Username;
use crate::wire::MessageId;

pub(super) struct Batch<'s> {
    pub(super) transaction: Transaction<'s>,
    /// When all of it happens, in milliseconds since 1970-01-01 00:00 UTC.
    pub(super) at: u64,
    /// The room that everyone is in.
    pub(super) lobby: RoomId,
    /// The last sequence number of each room before this batch.
    heads: &'s HashMap<RoomId, u64>,
    /// Those that have grown.
    grown: HashMap<RoomId, u64>,
    /// Something is overwritten that nobody shall find any more.
    pub(super) overwrites: bool,
    /// Something is to be taken away that goes beyond this batch.
    pub(super) begins_purge: bool,
}

impl<'s> Batch<'s> {
    pub(super) fn new(
        transaction: Transaction<'s>,
        at: u64,
        lobby: RoomId,
        heads: &'s HashMap<RoomId, u64>,
    ) -> Self {
        Self { transaction, at, lobby, heads, grown: HashMap::new(), overwrites: false, begins_purge: false }
    }

    /// Says something for someone who is in the room and may.
    pub(super) fn say(&mut self, entry: &Entry) -> Result<Result<Placed, Refusal>, LogError> {
        let Entry { room, author, id, kind, body, about } = entry;
        if let Some(about) = about {
            return self.say_about(entry, about);
        }
        let barred = self.barred(*room, author)?;
        if barred.is_none()
            && let Some(placed) = self.place(*room, author, *id, *kind, body, None)?
        {
            return Ok(Ok(placed));
        }
        // Said before: perhaps by someone who has left the room since.
        Ok(self.find(author, *id)?.ok_or(barred.unwrap_or(Refusal::NotMember)))
    }

    /// Gives something its place, whoever says it; none if its author has used the id before.
    pub(super) fn place(
        &mut self,
        room: RoomId,
        author: &Username,
        id: MessageId,
        kind: u16,
        body: &[u8],
        of: Option<u64>,
    ) -> Result<Option<Placed>, LogError> {
        let (sequence, at) = (self.head(room) + 1, self.at);
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO messages (room, sequence, at, author, client_id, kind, body, of)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (author, client_id) DO NOTHING",
        )?;
        let inserted =
            insert.execute(params![room, sequence, at, author.as_str(), id.as_bytes(), kind, body, of])?;
        if inserted == 0 {
            return Ok(None);
        }
        self.grown.insert(room, sequence);
        Ok(Some(Placed { room, sequence, at, is_new: true }))
    }

    /// The last sequence number of a room at this point.
    pub(super) fn head(&self, room: RoomId) -> u64 {
        self.grown.get(&room).or_else(|| self.heads.get(&room)).copied().unwrap_or(0)
    }

    /// The place of what was said before, under this id.
    pub(super) fn find(&self, author: &Username, id: MessageId) -> Result<Option<Placed>, LogError> {
        let mut find = self
            .transaction
            .prepare_cached("SELECT room, sequence, at FROM messages WHERE author = ?1 AND client_id = ?2")?;
        let found = find.query_row(params![author.as_str(), id.as_bytes()], |row| {
            Ok(Placed { room: row.get(0)?, sequence: row.get(1)?, at: row.get(2)?, is_new: false })
        });
        Ok(found.optional()?)
    }

    /// Whether someone is in a room, and an operator of it. In the lobby everyone is, and nobody an operator.
    pub(super) fn role(&self, room: RoomId, account: &Username) -> Result<Option<bool>, LogError> {
        if room == self.lobby {
            return Ok(Some(false));
        }
        let mut find = self
            .transaction
            .prepare_cached("SELECT is_operator FROM members WHERE room = ?1 AND account = ?2")?;
        Ok(find.query_row(params![room, account.as_str()], |row| row.get(0)).optional()?)
    }

    /// Puts everything on the disk. Gives the last sequence numbers of the rooms that have grown.
    pub(super) fn commit(self) -> Result<HashMap<RoomId, u64>, LogError> {
        self.transaction.commit()?;
        Ok(self.grown)
    }
}
