//! Direct conversations: how one begins, and what becomes of it when the account of one of the two is gone. In between it
//! is a room like any other: private, of two members, with no operator.

use rusqlite::{OptionalExtension, params};

use super::batch::Batch;
use super::changes::{Done, Effect, Refusal, with_tags};
use super::rows::{RoomId, RoomRecord};
use super::schema::LogError;
use crate::names::{RoomName, Topic, Username};

/// What a conversation is called, before its tag, when the account of one of the two is gone.
const FORMER: &str = "#former";

impl Batch<'_> {
    /// Makes the conversation of two people, unless it is there. Nobody begins more than `most`.
    pub(super) fn begin_direct(
        &mut self,
        by: &Username,
        with: &Username,
        most: usize,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, LogError> {
        let name = RoomName::direct(by, with).ok_or(LogError::BadRoom(format!("{by} alone")))?;
        if self.transaction.prepare_cached("SELECT 1 FROM rooms WHERE name = ?1")?.exists([name.as_str()])? {
            return Ok(Err(Refusal::AlreadySo));
        }
        let begun = self.count("SELECT count(*) FROM rooms WHERE made_by = ?1 AND name LIKE '@%'", by)?;
        if begun >= most {
            return Ok(Err(Refusal::TooManyDirects));
        }
        let Some((id, name)) = self.insert_first_free(vec![name], by)? else {
            return Ok(Err(Refusal::NameTaken));
        };
        let (made_at, made_by) = (self.at, by.to_string());
        let (topic, members) = (Topic::default(), Vec::new());
        effects.push(Effect::Made(RoomRecord { id, name, topic, made_at, made_by, head: 0, members }));
        for account in [by, with] {
            let mut put = self.transaction.prepare_cached(
                "INSERT INTO members (room, account, is_operator, since, is_direct) VALUES (?1, ?2, 0, ?3, 1)",
            )?;
            put.execute(params![id, account.as_str(), self.at])?;
            self.begin_to_read(id, account)?;
            effects.push(Effect::Member { room: id, account: account.clone(), is_operator: false });
        }
        Ok(Ok(()))
    }

    /// Leaves a conversation to the one whose account is still there, as a private room of the server's: what was said
    /// stays that person's, and the two names are free for a conversation with whoever has the name of `gone` next.
    pub(super) fn end_direct(
        &mut self,
        room: RoomId,
        gone: &Username,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, LogError> {
        let other = self.other_than(room, gone)?;
        let topic = format!("what was said with {gone}, whose account is gone").parse().unwrap_or_default();
        let Some(record) = self.make_former(room, topic)? else {
            return Ok(Err(Refusal::NoNameFound));
        };
        let mut delete =
            self.transaction.prepare_cached("DELETE FROM members WHERE room = ?1 AND account = ?2")?;
        delete.execute(params![room, gone.as_str()])?;
        self.forget_marker(room, gone)?;
        let mut keep = self.transaction.prepare_cached("UPDATE members SET is_direct = 0 WHERE room = ?1")?;
        keep.execute([room])?;
        effects.push(Effect::NoMember { room, account: gone.clone(), reason: None });
        if let Some(account) = other.clone() {
            let reason = Some(format!("the account of {gone} is gone"));
            effects.push(Effect::NoMember { room, account, reason });
        }
        effects.push(Effect::Made(record));
        effects.extend(other.map(|account| Effect::Member { room, account, is_operator: false }));
        Ok(Ok(()))
    }

    fn other_than(&self, room: RoomId, account: &Username) -> Result<Option<Username>, LogError> {
        let mut find = self
            .transaction
            .prepare_cached("SELECT account FROM members WHERE room = ?1 AND account <> ?2")?;
        let other: Option<String> =
            find.query_row(params![room, account.as_str()], |row| row.get(0)).optional()?;
        Ok(other.and_then(|other| other.parse().ok()))
    }

    /// Makes a conversation a private room, if a name can be found for it. Nobody has made it: it counts for nobody.
    fn make_former(&self, room: RoomId, topic: Topic) -> Result<Option<RoomRecord>, LogError> {
        let mut update = self
            .transaction
            .prepare_cached("UPDATE OR IGNORE rooms SET name = ?2, topic = ?3, made_by = '' WHERE id = ?1")?;
        for name in with_tags(&FORMER.parse().map_err(|_| LogError::BadRoom(FORMER.to_owned()))?)? {
            if update.execute(params![room, name.as_str(), topic.as_str()])? == 1 {
                let mut find = self.transaction.prepare_cached("SELECT made_at FROM rooms WHERE id = ?1")?;
                let made_at = find.query_row([room], |row| row.get(0))?;
                let (made_by, head, members) = (String::new(), self.head(room), Vec::new());
                return Ok(Some(RoomRecord { id: room, name, topic, made_at, made_by, head, members }));
            }
        }
        Ok(None)
    }
}
