//! Finding what was said, newest first, in the rooms of whoever asks. The index tells where the words are, the log what is
//! said there now.
//!
//! One search looks through the messages in stretches, each longer than the one before, until it has found enough or has
//! taken its time; then it tells where to go on. So it is bounded also for words that are nowhere together.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{OptionalExtension, params};

use super::history::in_sqlite;
use super::rows::{RoomId, Stored};
use super::schema::LogError;
use super::search_expression::{in_rooms, words_in_rooms};
use super::store::{LogReader, ROW_BYTES};
use crate::names::SearchWords;
use crate::wire::BODY_TEXT;

/// The messages of the first stretch.
const STRETCH: i64 = 1 << 16;

/// How many times as long each further one is.
const GROWTH: i64 = 4;

/// After this time no other stretch is begun.
const TIME: Duration = Duration::from_millis(60);

/// So many messages that the index has not taken in yet are nothing to speak of.
const BEHIND_MAX: i64 = 1000;

/// A message's room and its number there.
pub(crate) type Spot = (RoomId, u64);

/// What is searched for.
pub(crate) struct Search {
    pub(crate) words: SearchWords,
    /// Where; one room at least.
    pub(crate) rooms: Vec<RoomId>,
    /// The newest message that is looked at; without it, the last of all.
    pub(crate) from: Option<Spot>,
    /// The most messages that are wanted.
    pub(crate) count: usize,
    /// How much they may come to, in bytes; one is found in any case.
    pub(crate) bytes: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Finds {
    /// Newest first.
    pub(crate) hits: Vec<(RoomId, Stored)>,
    /// The newest message that was not looked at; none when there is no other.
    pub(crate) next: Option<Spot>,
    /// The index has not taken in all that was said.
    pub(crate) is_behind: bool,
}

impl LogReader {
    /// Makes this a reader that can search in an index.
    pub(crate) fn with_index(self, path: &Path) -> Result<Self, LogError> {
        let path = path.to_str().ok_or_else(|| LogError::NotUtf8(path.to_owned()))?;
        self.connection.execute("ATTACH DATABASE ?1 AS search", [path])?;
        Ok(self)
    }

    /// Searches. None when there is no message where it is to begin.
    pub(crate) fn search(&self, search: &Search) -> Result<Option<Finds>, LogError> {
        let begin = Instant::now();
        let newest: i64 =
            self.connection.query_row("SELECT coalesce(max(id), 0) FROM messages", [], |row| row.get(0))?;
        let from = search.from.map_or(Ok(Some(newest)), |spot| self.message_at(spot))?;
        let Some(from) = from else { return Ok(None) };
        let mut finds = Finds { is_behind: self.is_index_behind(newest)?, ..Finds::default() };
        let expression = words_in_rooms(&search.words, &search.rooms);
        let (mut end, mut length) = (from.saturating_add(1), STRETCH);
        while end > 1 && begin.elapsed() < TIME {
            let first = end.saturating_sub(length).max(1);
            if let Some(left) = self.search_stretch(&expression, first, end, search, &mut finds.hits)? {
                end = left + 1;
                break;
            }
            (end, length) = (first, length.saturating_mul(GROWTH));
        }
        finds.next = self.last_text_before(end, &search.rooms)?;
        Ok(Some(finds))
    }

    /// Adds what is found among the messages from `first` to before `end`. Gives the first one for which there was no
    /// room left.
    fn search_stretch(
        &self,
        expression: &str,
        first: i64,
        end: i64,
        search: &Search,
        hits: &mut Vec<(RoomId, Stored)>,
    ) -> Result<Option<i64>, LogError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT m.sequence, m.at, m.author, m.client_id, m.kind, m.body, m.of, m.edited,
                    m.room AS room, m.id AS message
             FROM search.texts AS t CROSS JOIN messages AS m ON m.id = t.rowid
             WHERE t.texts MATCH ?1 AND t.rowid >= ?2 AND t.rowid < ?3 AND m.kind = ?4
             ORDER BY t.rowid DESC",
        )?;
        let mut rows = statement.query(params![expression, first, end, BODY_TEXT])?;
        let mut taken: usize = hits.iter().map(|(_, hit)| size(hit)).sum();
        while let Some(row) = rows.next()? {
            let room = row.get("room")?;
            let hit = self.stored(room, row)?;
            taken += size(&hit);
            if hits.len() >= search.count || (taken > search.bytes && !hits.is_empty()) {
                return Ok(Some(row.get("message")?));
            }
            hits.push((room, hit));
        }
        Ok(None)
    }

    /// The last text in these rooms that stands before a message in the log.
    fn last_text_before(&self, end: i64, rooms: &[RoomId]) -> Result<Option<Spot>, LogError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT m.room, m.sequence FROM search.texts AS t CROSS JOIN messages AS m ON m.id = t.rowid
             WHERE t.texts MATCH ?1 AND t.rowid < ?2 ORDER BY t.rowid DESC LIMIT 1",
        )?;
        let spot = statement.query_row(params![in_rooms(rooms), end], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(spot.optional()?)
    }

    fn message_at(&self, (room, sequence): Spot) -> Result<Option<i64>, LogError> {
        let mut statement =
            self.connection.prepare_cached("SELECT id FROM messages WHERE room = ?1 AND sequence = ?2")?;
        Ok(statement.query_row(params![room, in_sqlite(sequence)], |row| row.get(0)).optional()?)
    }

    fn is_index_behind(&self, newest: i64) -> Result<bool, LogError> {
        let mut statement = self.connection.prepare_cached("SELECT message FROM search.progress")?;
        let taken_in: Option<i64> = statement.query_row([], |row| row.get(0)).optional()?;
        Ok(newest - taken_in.unwrap_or(0) > BEHIND_MAX)
    }
}

/// What a hit comes to, in bytes.
fn size(hit: &Stored) -> usize {
    hit.body.len() + hit.author.len() + ROW_BYTES
}
