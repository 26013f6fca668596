//! What is said about earlier messages, and what it does to them: answers, edits, removals, reactions. Each has a place
//! of its own in the room, so whoever is live, behind or away learns of it as of everything; and it changes the earlier
//! message where that stands, so whoever reads that later never sees what it was.

use rusqlite::{Connection, OptionalExtension, params};

use super::batch::Batch;
use super::changes::Refusal;
use super::rows::{About, Deed, Entry, Placed, RoomId};
use super::schema::LogError;
use crate::names::{Reaction, Username};
use crate::wire::{BODY_OF_SERVER_MIN, BODY_REMOVED, BODY_TEXT};

/// The most different reactions of one person to one message.
const REACTIONS_MAX: usize = 20;

/// The message that something is said about.
struct Subject {
    room: RoomId,
    sequence: u64,
    author: String,
    kind: u16,
}

/// Whether something could be done; if not, nothing of it was.
type Done = Result<(), Refusal>;

impl Batch<'_> {
    /// Says something about an earlier message for someone who is in the room, and does to it what is asked for, if it may
    /// be done. What was said before has its place and does nothing again.
    pub(super) fn say_about(
        &mut self,
        entry: &Entry,
        about: &About,
    ) -> Result<Result<Placed, Refusal>, LogError> {
        let Entry { room, author, id, kind, body, .. } = entry;
        if let Some(placed) = self.find(author, *id)? {
            return Ok(Ok(placed));
        }
        if let Some(refusal) = self.barred(*room, author)? {
            return Ok(Err(refusal));
        }
        let is_operator = self.role(*room, author)? == Some(true);
        let Some(subject) = self.subject(*room, about.of)? else {
            return Ok(Err(Refusal::NoSuchMessage));
        };
        let done = match &about.deed {
            Deed::Answer => Ok(()),
            _ if subject.can_be_changed().is_err() => subject.can_be_changed(),
            Deed::Edit => self.edit(&subject, author, body)?,
            Deed::Remove { by_admin } => {
                let is_operator = is_operator || (*by_admin && *room == self.lobby);
                self.remove(&subject, author, is_operator)?
            }
            Deed::React { reaction, wanted: true } => self.react(&subject, author, reaction)?,
            Deed::React { reaction, wanted: false } => self.take_back(&subject, author, reaction)?,
        };
        if let Err(refusal) = done {
            return Ok(Err(refusal));
        }
        // What a message says stands in its own row alone, so that it is gone when it is gone from there.
        let kept = if matches!(about.deed, Deed::Edit) { &[] } else { body.as_slice() };
        let placed = self.place(*room, author, *id, *kind, kept, Some(about.of))?;
        placed.map(Ok).ok_or(LogError::UsedId)
    }

    fn subject(&self, room: RoomId, sequence: u64) -> Result<Option<Subject>, LogError> {
        if sequence > self.head(room) {
            return Ok(None); // it may be more than the database can count
        }
        let mut find = self
            .transaction
            .prepare_cached("SELECT author, kind FROM messages WHERE room = ?1 AND sequence = ?2")?;
        let found = find.query_row(params![room, sequence], |row| {
            Ok(Subject { room, sequence, author: row.get(0)?, kind: row.get(1)? })
        });
        Ok(found.optional()?)
    }

    fn edit(&mut self, subject: &Subject, author: &Username, body: &[u8]) -> Result<Done, LogError> {
        if subject.author != author.as_str() {
            return Ok(Err(Refusal::NotYours));
        }
        if subject.kind != BODY_TEXT {
            return Ok(Err(Refusal::NotText));
        }
        let mut update = self
            .transaction
            .prepare_cached("UPDATE messages SET body = ?3, edited = ?4 WHERE room = ?1 AND sequence = ?2")?;
        update.execute(params![subject.room, subject.sequence, body, self.at])?;
        drop(update);
        self.overwrites = true;
        Ok(Ok(()))
    }

    fn remove(&mut self, subject: &Subject, by: &Username, is_operator: bool) -> Result<Done, LogError> {
        if subject.author != by.as_str() && !is_operator {
            return Ok(Err(Refusal::NotYours));
        }
        remove_body(&self.transaction, subject.room, subject.sequence, by.as_str())?;
        self.overwrites = true;
        Ok(Ok(()))
    }

    /// Takes away what someone has said, so many messages at most, for the operator of the server.
    pub(super) fn remove_said(&mut self, author: &Username, count: usize) -> Result<Done, LogError> {
        let mut delete = self.transaction.prepare_cached(
            "DELETE FROM reactions WHERE (room, sequence) IN
             (SELECT room, sequence FROM messages WHERE author = ?1 AND kind < ?2 ORDER BY id LIMIT ?3)",
        )?;
        delete.execute(params![author.as_str(), BODY_OF_SERVER_MIN, count])?;
        drop(delete);
        let mut update = self.transaction.prepare_cached(
            "UPDATE messages SET kind = ?4, body = x'', edited = NULL WHERE id IN
             (SELECT id FROM messages WHERE author = ?1 AND kind < ?2 ORDER BY id LIMIT ?3)",
        )?;
        let removed = update.execute(params![author.as_str(), BODY_OF_SERVER_MIN, count, BODY_REMOVED])?;
        drop(update);
        self.overwrites = true;
        Ok(if removed == 0 { Err(Refusal::AlreadySo) } else { Ok(()) })
    }

    fn react(&self, subject: &Subject, by: &Username, reaction: &Reaction) -> Result<Done, LogError> {
        let mut count = self.transaction.prepare_cached(
            "SELECT count(*) FROM reactions WHERE room = ?1 AND sequence = ?2 AND account = ?3",
        )?;
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO reactions (room, sequence, account, reaction) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?;
        let Subject { room, sequence, .. } = subject;
        let before: usize = count.query_row(params![room, sequence, by.as_str()], |row| row.get(0))?;
        if before >= REACTIONS_MAX {
            return Ok(Err(Refusal::TooManyReactions));
        }
        let inserted = insert.execute(params![room, sequence, by.as_str(), reaction.as_str()])?;
        Ok(if inserted == 0 { Err(Refusal::AlreadySo) } else { Ok(()) })
    }

    fn take_back(&self, subject: &Subject, by: &Username, reaction: &Reaction) -> Result<Done, LogError> {
        let mut delete = self.transaction.prepare_cached(
            "DELETE FROM reactions WHERE room = ?1 AND sequence = ?2 AND account = ?3 AND reaction = ?4",
        )?;
        let Subject { room, sequence, .. } = subject;
        let deleted = delete.execute(params![room, sequence, by.as_str(), reaction.as_str()])?;
        Ok(if deleted == 0 { Err(Refusal::AlreadySo) } else { Ok(()) })
    }
}

/// Takes away what a message says, and what was shown about it; its place says who has done so.
pub(super) fn remove_body(
    connection: &Connection,
    room: RoomId,
    sequence: u64,
    by: &str,
) -> Result<(), LogError> {
    let mut update = connection.prepare_cached(
        "UPDATE messages SET kind = ?3, body = ?4, edited = NULL WHERE room = ?1 AND sequence = ?2",
    )?;
    update.execute(params![room, sequence, BODY_REMOVED, by.as_bytes()])?;
    let mut delete = connection.prepare_cached("DELETE FROM reactions WHERE room = ?1 AND sequence = ?2")?;
    delete.execute(params![room, sequence])?;
    Ok(())
}

impl Subject {
    /// What people have said can be; what happens in the room can't.
    fn can_be_changed(&self) -> Done {
        match self.kind {
            BODY_REMOVED => Err(Refusal::MessageRemoved),
            BODY_OF_SERVER_MIN.. => Err(Refusal::NoSuchMessage),
            _ => Ok(()),
        }
    }
}
