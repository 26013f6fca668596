//! What operators do about people in a room: they make them leave, keep them out, or let them say nothing, for a time or for
//! ever. Each stands in the room's log, with its author and reason, as every change; so the log of the room tells later
//! what was done. A sanction ends by itself, when it is looked at after its time.

use std::fmt;
use std::time::Duration;

use rusqlite::{OptionalExtension, Row, params};

use super::batch::Batch;
use super::changes::{Change, Done, Effect, Refusal};
use super::rows::{RoomId, Stored};
use super::schema::LogError;
use super::store::LogReader;
use crate::names::{BanReason, TimeSpan, Username};
use crate::server::clock;
use crate::wire::{RoomEvent, SANCTION_BAN, SANCTION_MUTE, Sanction};

/// The most sanctions in a room; each costs some 200 bytes of the disk.
const SANCTIONS_MAX: usize = 10_000;

/// A sanction that has ended stays on the disk for so long, in case it was a clock that jumped.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// What operators have done. The conditions are those of the index.
const MODERATIONS: &str = "
    SELECT sequence, at, author, client_id, kind, body, of, edited FROM messages
    WHERE room = ?1 AND sequence < ?2 AND kind = 32768 AND substr(body, 2, 1) BETWEEN x'0a' AND x'11'
    ORDER BY sequence DESC LIMIT ?3";

/// Something that is to be done about someone in a room.
#[derive(Clone)]
pub(crate) struct Moderation {
    pub(crate) room: RoomId,
    /// Whom it is about.
    pub(crate) about: Username,
    pub(crate) measure: Measure,
    /// Whether who asks may do it as an admin of the server, whatever they are in the room.
    pub(crate) by_admin: bool,
    /// Whether it is about an admin in the lobby.
    pub(crate) of_admin: bool,
    /// How the person stands with the server, if that does itself what is only written here.
    pub(crate) on_server: Option<OnServer>,
}

/// What is to be done.
#[derive(Clone)]
pub(crate) enum Measure {
    /// To be a member no more.
    Remove { reason: Option<BanReason> },
    /// A sanction, instead of another one of its kind.
    Impose { kind: SanctionKind, lasts: Option<TimeSpan>, reason: Option<BanReason> },
    /// A sanction no more.
    Lift(SanctionKind),
    /// To have said nothing, or nothing within this time.
    Purge { within: Option<TimeSpan> },
}

/// How someone stands with the whole server.
#[derive(Clone, Copy)]
pub(crate) struct OnServer {
    pub(crate) is_connected: bool,
    pub(crate) is_banned: bool,
}

/// What can be imposed on someone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SanctionKind {
    /// To stay out.
    Ban,
    /// To say nothing.
    Mute,
}

impl SanctionKind {
    fn number(self) -> u8 {
        match self {
            Self::Ban => SANCTION_BAN,
            Self::Mute => SANCTION_MUTE,
        }
    }
}

/// What is left of a sanction; nothing if it has no end. It is shown as it stands in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left(Option<Duration>);

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |left| write!(f, " for another {}", clock::in_words(left)))
    }
}

impl Batch<'_> {
    /// Why someone may say nothing in a room; `None` if they may.
    pub(super) fn barred(&self, room: RoomId, account: &Username) -> Result<Option<Refusal>, LogError> {
        if self.role(room, account)?.is_none() {
            return self.outsider(room, account).map(Some);
        }
        self.muted(room, account)
    }

    /// Why someone who is not in a room can do nothing there.
    pub(super) fn outsider(&self, room: RoomId, account: &Username) -> Result<Refusal, LogError> {
        Ok(self.sanction(room, account, SanctionKind::Ban)?.map_or(Refusal::NotMember, Refusal::BannedHere))
    }

    /// Why a member may say nothing in a room; `None` if they may.
    pub(super) fn muted(&self, room: RoomId, account: &Username) -> Result<Option<Refusal>, LogError> {
        Ok(self.sanction(room, account, SanctionKind::Mute)?.map(Refusal::Muted))
    }

    /// The sanction of a kind that holds now for someone.
    pub(super) fn sanction(
        &self,
        room: RoomId,
        account: &Username,
        kind: SanctionKind,
    ) -> Result<Option<Left>, LogError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT until FROM sanctions
             WHERE room = ?1 AND account = ?2 AND kind = ?3 AND (until IS NULL OR until > ?4)",
        )?;
        let until: Option<Option<u64>> = find
            .query_row(params![room, account.as_str(), kind.number(), self.at], |row| row.get(0))
            .optional()?;
        let left = |until: u64| Duration::from_millis(until.saturating_sub(self.at));
        Ok(until.map(|until| Left(until.map(left))))
    }

    /// Does something about someone, if who asks may do that.
    pub(super) fn moderate(
        &mut self,
        change: &Change,
        moderation: &Moderation,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, LogError> {
        let Moderation { room, about, measure, by_admin, of_admin, on_server } = moderation;
        match self.role(*room, &change.by)? {
            Some(true) => {}
            _ if *by_admin => {}
            Some(false) => return Ok(Err(Refusal::NotOperator)),
            None => return self.outsider(*room, &change.by).map(Err),
        }
        if change.by == *about {
            return Ok(Err(Refusal::Oneself));
        }
        if *of_admin {
            return Ok(Err(Refusal::Admin));
        }
        let role = self.role(*room, about)?;
        let is_gone = on_server.map_or(role.is_none(), |on_server| !on_server.is_connected);
        let done = match measure {
            Measure::Remove { .. } if is_gone => Err(Refusal::NotThere),
            Measure::Lift(_) if on_server.is_some_and(|on_server| !on_server.is_banned) => {
                Err(Refusal::NotSo)
            }
            Measure::Remove { .. } => Ok(()),
            _ if on_server.is_some() => Ok(()),
            Measure::Impose { kind: SanctionKind::Mute, .. } if role == Some(true) => Err(Refusal::Operator),
            Measure::Impose { kind, lasts, reason } => {
                self.impose(change, *room, about, *kind, *lasts, reason.as_ref())?
            }
            Measure::Lift(kind) => self.lift(*room, about, *kind)?,
            Measure::Purge { within } => {
                let since = within.map(|within| begin_of(within, self.at));
                self.begin_purge(*room, about, &change.by, since)?
            }
        };
        if let Err(refusal) = done {
            return Ok(Err(refusal));
        }
        let is_put_out =
            matches!(measure, Measure::Remove { .. } | Measure::Impose { kind: SanctionKind::Ban, .. });
        let leaves = is_put_out && role.is_some() && on_server.is_none();
        if leaves {
            self.delete_member(*room, about)?;
        }
        self.tell(*room, &change.by, change.id, &measure.event(about, self.at), effects)?;
        if leaves {
            self.keep_an_operator(*room, &change.by, effects)?;
            let reason = measure.told(&change.by);
            effects.push(Effect::NoMember { room: *room, account: about.clone(), reason });
        }
        Ok(Ok(()))
    }

    fn impose(
        &self,
        change: &Change,
        room: RoomId,
        about: &Username,
        kind: SanctionKind,
        lasts: Option<TimeSpan>,
        reason: Option<&BanReason>,
    ) -> Result<Done, LogError> {
        let kept = u64::try_from(KEPT.as_millis()).unwrap_or(u64::MAX);
        let mut forget =
            self.transaction.prepare_cached("DELETE FROM sanctions WHERE room = ?1 AND until < ?2")?;
        forget.execute(params![room, self.at.saturating_sub(kept)])?;
        let mut count = self.transaction.prepare_cached("SELECT count(*) FROM sanctions WHERE room = ?1")?;
        if count.query_row([room], |row| row.get::<_, usize>(0))? >= SANCTIONS_MAX {
            return Ok(Err(Refusal::TooManySanctions));
        }
        let mut put = self.transaction.prepare_cached(
            "INSERT OR REPLACE INTO sanctions (room, account, kind, at, by, until, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let (until, reason) = (lasts.map(|lasts| end_of(lasts, self.at)), reason.map(BanReason::as_str));
        let (about, by) = (about.as_str(), change.by.as_str());
        put.execute(params![room, about, kind.number(), self.at, by, until, reason])?;
        Ok(Ok(()))
    }

    fn lift(&self, room: RoomId, about: &Username, kind: SanctionKind) -> Result<Done, LogError> {
        if self.sanction(room, about, kind)?.is_none() {
            return Ok(Err(Refusal::NotSo));
        }
        let mut delete = self
            .transaction
            .prepare_cached("DELETE FROM sanctions WHERE room = ?1 AND account = ?2 AND kind = ?3")?;
        delete.execute(params![room, about.as_str(), kind.number()])?;
        Ok(Ok(()))
    }
}

impl Measure {
    /// As it stands in the room's log.
    fn event(&self, about: &Username, at: u64) -> RoomEvent {
        let name = about.to_string();
        let words = |reason: &Option<BanReason>| reason.as_ref().map(BanReason::to_string);
        match self {
            Self::Remove { reason } => RoomEvent::Removed { name, reason: words(reason) },
            Self::Impose { kind, lasts, reason } => {
                let (until, seconds) =
                    (lasts.map(|lasts| end_of(lasts, at)), lasts.map(|lasts| lasts.duration().as_secs()));
                let reason = words(reason);
                match kind {
                    SanctionKind::Ban => RoomEvent::Banned { name, until, reason, seconds },
                    SanctionKind::Mute => RoomEvent::Muted { name, until, reason, seconds },
                }
            }
            Self::Lift(SanctionKind::Ban) => RoomEvent::Unbanned { name },
            Self::Lift(SanctionKind::Mute) => RoomEvent::Unmuted { name },
            Self::Purge { within } => RoomEvent::Purged {
                name,
                since: within.map(|within| begin_of(within, at)),
                seconds: within.map(|within| within.duration().as_secs()),
            },
        }
    }

    /// What someone is told who has to leave because of it.
    pub(crate) fn told(&self, by: &Username) -> Option<String> {
        let (what, reason) = match self {
            Self::Impose { lasts, reason, .. } => {
                let lasts = lasts.map_or_else(String::new, |lasts| format!(" for {lasts}"));
                (format!("{by} banned you{lasts}"), reason)
            }
            Self::Remove { reason } => (format!("{by} removed you"), reason),
            Self::Lift(_) | Self::Purge { .. } => return None,
        };
        let reason = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        Some(what + &reason)
    }
}

/// When something begins that lasts until a time.
fn begin_of(lasts: TimeSpan, at: u64) -> u64 {
    at.saturating_sub(lasts.milliseconds())
}

/// When something ends that begins at a time.
pub(crate) fn end_of(lasts: TimeSpan, at: u64) -> u64 {
    at.saturating_add(lasts.milliseconds())
}

impl LogReader {
    /// The sanctions in a room that hold `now`, of people after this name, in the order of their names; at most so many.
    pub(crate) fn sanctions(
        &self,
        room: RoomId,
        after: &str,
        now: u64,
        most: usize,
    ) -> Result<Vec<Sanction>, LogError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT account, kind, at, by, until, reason FROM sanctions
             WHERE room = ?1 AND account > ?2 AND (until IS NULL OR until > ?3) ORDER BY account, kind LIMIT ?4",
        )?;
        let rows = statement.query_map(params![room, after, now, most], sanction)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The changes of a room before this number that tell what operators have done about people, the latest first; at most
    /// so many.
    pub(crate) fn moderations(
        &self,
        room: RoomId,
        before: u64,
        most: usize,
    ) -> Result<Vec<Stored>, LogError> {
        let mut statement = self.connection.prepare_cached(MODERATIONS)?;
        let mut rows = statement.query(params![room, before, most])?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            changes.push(self.stored(room, row)?);
        }
        Ok(changes)
    }
}

fn sanction(row: &Row<'_>) -> rusqlite::Result<Sanction> {
    Ok(Sanction {
        name: row.get(0)?,
        kind: row.get(1)?,
        at: row.get(2)?,
        by: row.get(3)?,
        until: row.get(4)?,
        reason: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::log::{LogStore, Outcome, Target, Wish, Write};
    use crate::wire::MessageId;

    fn name(text: &str) -> Username {
        text.parse().unwrap()
    }

    /// A log in a folder, with a room of alice's.
    fn log_with_room(folder: &tempfile::TempDir) -> (LogStore, RoomId) {
        let (mut store, _) = LogStore::open(&folder.path().join("chat.db"), 5).unwrap();
        let wish = Wish::Make { name: "#tea".parse().unwrap(), is_private: false };
        match write(&mut store, 1, "alice", wish, 5) {
            Outcome::Changed(Some(placed), _) => (store, placed.room),
            other => panic!("{other:?}"),
        }
    }

    fn write(store: &mut LogStore, id: u128, by: &str, wish: Wish, at: u64) -> Outcome {
        let id = MessageId::from_bytes(id.to_be_bytes());
        let change = Change { by: name(by), id, is_admin: false, rooms_max: 9, wish };
        store.write([Write::Change(&change)], at).unwrap().remove(0)
    }

    fn ban(room: RoomId, about: &str, lasts: Option<TimeSpan>) -> Wish {
        let measure = Measure::Impose { kind: SanctionKind::Ban, lasts, reason: None };
        let (by_admin, of_admin, on_server) = (false, false, None);
        Wish::Moderate(Moderation { room, about: name(about), measure, by_admin, of_admin, on_server })
    }

    #[test]
    fn a_ban_holds_until_its_end_and_a_clock_that_goes_back_gives_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, room) = log_with_room(&folder);
        write(&mut store, 2, "alice", ban(room, "bob", TimeSpan::seconds(60)), 1_000);
        let mut join = |id, at| write(&mut store, id, "bob", Wish::In { room, target: Target::Join }, at);
        let Outcome::Refused(refusal) = join(3, 31_000) else { panic!() };
        assert_eq!(refusal.to_string(), "you are banned from this room for another 30 s");
        assert!(matches!(join(4, 60_999), Outcome::Refused(Refusal::BannedHere(_))));
        assert!(matches!(join(5, 61_000), Outcome::Changed(..)));
        let reader = store.reader().unwrap();
        assert_eq!(reader.sanctions(room, "", 60_000, 9).unwrap().len(), 1);
        assert_eq!(reader.sanctions(room, "", 61_000, 9).unwrap().len(), 0);
    }

    #[test]
    fn there_are_no_more_sanctions_than_may_be_and_those_that_ended_long_ago_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, room) = log_with_room(&folder);
        store
            .connection
            .execute(
                "WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)
                 INSERT INTO sanctions (room, account, kind, at, by, until) SELECT ?1, 'p' || n, 0, 1, 'alice', 60000
                 FROM numbers",
                params![room, SANCTIONS_MAX],
            )
            .unwrap();
        let kept = u64::try_from(KEPT.as_millis()).unwrap();
        let one_more = write(&mut store, 2, "alice", ban(room, "bob", None), 60_000 + kept);
        assert_eq!(one_more, Outcome::Refused(Refusal::TooManySanctions));
        let later = write(&mut store, 3, "alice", ban(room, "bob", None), 60_001 + kept);
        assert!(matches!(later, Outcome::Changed(..)));
    }

    #[test]
    fn what_operators_have_done_is_found_without_reading_what_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, room) = log_with_room(&folder);
        write(&mut store, 2, "alice", ban(room, "bob", None), 5);
        let reader = store.reader().unwrap();
        assert_eq!(reader.moderations(room, 9, 9).unwrap().len(), 1, "and not that the room was made");
        let mut plan = reader.connection.prepare(&format!("EXPLAIN QUERY PLAN {MODERATIONS}")).unwrap();
        let plan: Vec<String> =
            plan.query_map(params![room, 9, 9], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(plan.len() == 1 && plan[0].contains("messages_of_moderation"), "{plan:?}");
    }
}
