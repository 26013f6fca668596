//! Taking away all that someone has said in a room, in small steps between what others say. What is to be taken away is
//! written down together with the change of the room that tells of it: a server that is killed meanwhile goes on where it
//! was.

use rusqlite::{Connection, OptionalExtension, params};

use super::batch::Batch;
use super::changes::{Done, Refusal};
use super::revisions::remove_body;
use super::rows::RoomId;
use super::schema::LogError;
use super::store::LogStore;
use crate::names::Username;
use crate::wire::BODY_OF_SERVER_MIN;

/// The messages that are looked at in one step.
const STEP: usize = 200;

/// What is to be taken away.
struct Purge {
    room: RoomId,
    author: String,
    by: String,
    /// What was said before this time stays.
    since: u64,
    /// The last message that goes.
    upto: u64,
    /// The id of the last message that was looked at; they are looked at in the order of their ids, for by those they are
    /// found.
    after: Vec<u8>,
}

/// A message that may have to go.
struct Candidate {
    id: Vec<u8>,
    room: RoomId,
    sequence: u64,
    at: u64,
    kind: u16,
}

impl Batch<'_> {
    /// Has everything taken away that someone has said in a room since a time. It is done by [`LogStore::purge`].
    pub(super) fn begin_purge(
        &mut self,
        room: RoomId,
        about: &Username,
        by: &Username,
        since: Option<u64>,
    ) -> Result<Done, LogError> {
        let mut put = self.transaction.prepare_cached(
            "INSERT INTO purges (room, author, by, since, upto, after) VALUES (?1, ?2, ?3, ?4, ?5, x'')
             ON CONFLICT (room, author) DO NOTHING",
        )?;
        let (about, by, since) = (about.as_str(), by.as_str(), since.unwrap_or(0));
        let begun = put.execute(params![room, about, by, since, self.head(room)])?;
        drop(put);
        self.begins_purge |= begun == 1;
        Ok(if begun == 1 { Ok(()) } else { Err(Refusal::AlreadySo) })
    }
}

impl LogStore {
    /// Takes away a piece of what is to be taken away; it is on the disk when this returns.
    pub(crate) fn purge(&mut self) -> Result<(), LogError> {
        let transaction = self.connection.transaction()?;
        let Some(purge) = next_purge(&transaction)? else {
            self.has_purges = false;
            return Ok(());
        };
        let candidates = candidates(&transaction, &purge)?;
        for candidate in candidates.iter().filter(|candidate| purge.is_about(candidate)) {
            remove_body(&transaction, candidate.room, candidate.sequence, &purge.by)?;
        }
        let last = candidates.last().filter(|_| candidates.len() == STEP);
        if let Some(last) = last {
            let mut update =
                transaction.prepare_cached("UPDATE purges SET after = ?3 WHERE room = ?1 AND author = ?2")?;
            update.execute(params![purge.room, purge.author, last.id])?;
        } else {
            let mut delete =
                transaction.prepare_cached("DELETE FROM purges WHERE room = ?1 AND author = ?2")?;
            delete.execute(params![purge.room, purge.author])?;
        }
        let is_done = last.is_none();
        transaction.commit()?;
        self.has_remains |= is_done;
        Ok(())
    }
}

impl Purge {
    fn is_about(&self, candidate: &Candidate) -> bool {
        candidate.room == self.room
            && candidate.sequence <= self.upto
            && candidate.at >= self.since
            && candidate.kind < BODY_OF_SERVER_MIN
    }
}

fn next_purge(connection: &Connection) -> Result<Option<Purge>, LogError> {
    let mut find =
        connection.prepare_cached("SELECT room, author, by, since, upto, after FROM purges LIMIT 1")?;
    let purge = find.query_row([], |row| {
        Ok(Purge {
            room: row.get(0)?,
            author: row.get(1)?,
            by: row.get(2)?,
            since: row.get(3)?,
            upto: row.get(4)?,
            after: row.get(5)?,
        })
    });
    Ok(purge.optional()?)
}

fn candidates(connection: &Connection, purge: &Purge) -> Result<Vec<Candidate>, LogError> {
    let mut find = connection.prepare_cached(
        "SELECT client_id, room, sequence, at, kind FROM messages
         WHERE author = ?1 AND client_id > ?2 ORDER BY client_id LIMIT ?3",
    )?;
    let candidates = find.query_map(params![purge.author, purge.after, STEP], |row| {
        Ok(Candidate {
            id: row.get(0)?,
            room: row.get(1)?,
            sequence: row.get(2)?,
            at: row.get(3)?,
            kind: row.get(4)?,
        })
    })?;
    Ok(candidates.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::log::{Change, Entry, Measure, Moderation, Outcome, Target, Wish, Write};
    use crate::wire::{BODY_REMOVED, BODY_TEXT, MessageId};

    /// More than two steps' worth, in two rooms.
    const MESSAGES: u64 = 2 * STEP as u64 + 50;

    fn name(text: &str) -> Username {
        text.parse().unwrap()
    }

    fn id_of(number: u64) -> MessageId {
        MessageId::from_bytes((u128::from(number) << 64).to_be_bytes())
    }

    fn change(store: &mut LogStore, number: u64, by: &str, wish: Wish) -> Outcome {
        let change = Change { by: name(by), id: id_of(number), is_admin: false, rooms_max: 9, wish };
        store.write([Write::Change(&change)], 50_000).unwrap().remove(0)
    }

    fn purge(store: &mut LogStore, room: RoomId, number: u64, within: Option<u64>) -> Outcome {
        let within = within.map(|seconds| crate::names::TimeSpan::seconds(seconds).unwrap());
        let measure = Measure::Purge { within };
        let (by_admin, of_admin, on_server) = (false, false, None);
        let about = name("bob");
        let moderation = Moderation { room, about, measure, by_admin, of_admin, on_server };
        change(store, number, "alice", Wish::Moderate(moderation))
    }

    /// A log in which bob says something each second, by turns in alice's room and in the lobby.
    fn log(folder: &tempfile::TempDir) -> (LogStore, RoomId, RoomId) {
        let (mut store, (lobby, _)) = LogStore::open(&folder.path().join("chat.db"), 5).unwrap();
        let wish = Wish::Make { name: "#tea".parse().unwrap(), is_private: false };
        let Outcome::Changed(Some(placed), _) = change(&mut store, 10_001, "alice", wish) else { panic!() };
        let target = Target::Join;
        change(&mut store, 10_002, "bob", Wish::In { room: placed.room, target });
        for number in 0..MESSAGES {
            let room = if number % 2 == 0 { placed.room } else { lobby.id };
            let (author, id, body) = (name("bob"), id_of(number), b"spam".to_vec());
            let entry = Entry { room, author, id, kind: BODY_TEXT, body, about: None };
            store.write([Write::Say(&entry)], number * 1000).unwrap();
        }
        (store, placed.room, lobby.id)
    }

    fn purge_all(store: &mut LogStore) -> usize {
        let mut steps = 0;
        while store.has_purges() {
            store.purge().unwrap();
            steps += 1;
        }
        steps
    }

    fn left(store: &LogStore, room: RoomId) -> (usize, usize) {
        let page = store.reader().unwrap().page(room, 0, 10_000_000).unwrap();
        let of = |kind| page.iter().filter(|stored| stored.kind == kind).count();
        (of(BODY_TEXT), of(BODY_REMOVED))
    }

    #[test]
    fn what_was_said_since_a_time_goes_in_steps_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, tea, lobby) = log(&folder);
        assert!(!store.has_purges());
        // At 50 seconds by the server's clock, those since the 40th second.
        assert!(matches!(purge(&mut store, tea, 10_003, Some(10)), Outcome::Changed(..)));
        assert_eq!(purge_all(&mut store), 4, "three with messages, and one that finds nothing more to do");
        let kept = usize::try_from(MESSAGES / 2).unwrap();
        assert_eq!((left(&store, tea), left(&store, lobby)), ((20, kept - 20), (kept, 0)));
        assert!(matches!(purge(&mut store, tea, 10_004, None), Outcome::Changed(..)));
        purge_all(&mut store);
        assert_eq!((left(&store, tea), left(&store, lobby)), ((0, kept), (kept, 0)));
    }

    #[test]
    fn it_goes_on_where_it_was_and_is_asked_for_once_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, tea, _) = log(&folder);
        purge(&mut store, tea, 10_003, None);
        assert_eq!(purge(&mut store, tea, 10_004, None), Outcome::Refused(Refusal::AlreadySo));
        store.purge().unwrap();
        drop(store);
        let (mut store, _) = LogStore::open(&folder.path().join("chat.db"), 5).unwrap();
        assert!(store.has_purges());
        assert_eq!(left(&store, tea).1, STEP / 2);
        assert_eq!(purge_all(&mut store), 3);
        assert_eq!(left(&store, tea).0, 0);
    }
}
