//! What an operator asks of the whole log: how large each room is, and what one account has in it.

use std::io;
use std::path::Path;

use rusqlite::{OptionalExtension, params};

use super::rows::RoomId;
use super::schema::LogError;
use super::store::LogReader;
use crate::names::{RoomName, Username};
use crate::server::database::open_to_read;
use crate::wire::BODY_OF_SERVER_MIN;

/// A room, as large as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomSize {
    pub(crate) room: String,
    /// Who is in it; nobody is listed for the lobby.
    pub(crate) members: u64,
    pub(crate) messages: u64,
    /// Of all bodies together.
    pub(crate) bytes: u64,
}

/// That someone is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) room: String,
    pub(crate) is_operator: bool,
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub(crate) since: u64,
}

/// Something that one account has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authored {
    pub(crate) room: String,
    pub(crate) sequence: u64,
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub(crate) at: u64,
    pub(crate) kind: u16,
    pub(crate) body: Vec<u8>,
}

impl LogReader {
    /// A way into a log from without, beside whatever server writes it.
    pub(crate) fn open(path: &Path) -> Result<Self, LogError> {
        Ok(Self { connection: open_to_read(path)? })
    }

    /// All rooms, in the order of their names. It reads the whole log.
    pub(crate) fn room_sizes(&self) -> Result<Vec<RoomSize>, LogError> {
        let mut statement = self.connection.prepare(
            "SELECT name, (SELECT count(*) FROM members WHERE room = rooms.id), count(messages.id),
                    coalesce(sum(length(body)), 0)
             FROM rooms LEFT JOIN messages ON messages.room = rooms.id GROUP BY rooms.id ORDER BY name",
        )?;
        let sizes = statement.query_map([], |row| {
            Ok(RoomSize {
                room: row.get(0)?,
                members: row.get(1)?,
                messages: row.get(2)?,
                bytes: row.get(3)?,
            })
        })?;
        Ok(sizes.collect::<Result<_, _>>()?)
    }

    /// The rooms that an account is in, in the order of their names.
    pub(crate) fn rooms_of(&self, account: &Username) -> Result<Vec<Membership>, LogError> {
        let mut statement = self.connection.prepare(
            "SELECT name, is_operator, since FROM members JOIN rooms ON rooms.id = room
             WHERE account = ?1 ORDER BY name",
        )?;
        let rooms = statement.query_map([account.as_str()], |row| {
            Ok(Membership { room: row.get(0)?, is_operator: row.get(1)?, since: row.get(2)? })
        })?;
        Ok(rooms.collect::<Result<_, _>>()?)
    }

    /// The number of the room of this name, if there is one.
    pub(crate) fn room_named(&self, name: &RoomName) -> Result<Option<RoomId>, LogError> {
        let mut find = self.connection.prepare("SELECT id FROM rooms WHERE name = ?1")?;
        Ok(find.query_row([name.as_str()], |row| row.get(0)).optional()?)
    }

    /// Whether anything in the log is by someone of this name.
    pub(crate) fn has_said_anything(&self, author: &Username) -> Result<bool, LogError> {
        let mut find = self.connection.prepare("SELECT 1 FROM messages WHERE author = ?1")?;
        Ok(find.exists(params![author.as_str()])?)
    }

    /// Whether anything that someone of this name has said was not removed.
    pub(crate) fn has_texts_of(&self, author: &Username) -> Result<bool, LogError> {
        let mut find = self.connection.prepare("SELECT 1 FROM messages WHERE author = ?1 AND kind < ?2")?;
        Ok(find.exists(params![author.as_str(), BODY_OF_SERVER_MIN])?)
    }

    /// Gives all that is by someone of this name to `take`, in the order in which it was said.
    pub(crate) fn each_of(
        &self,
        author: &Username,
        mut take: impl FnMut(Authored) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT name, sequence, at, kind, body FROM messages JOIN rooms ON rooms.id = room
                 WHERE author = ?1 ORDER BY messages.id",
            )
            .map_err(io::Error::other)?;
        let said = statement.query_map([author.as_str()], |row| {
            Ok(Authored {
                room: row.get(0)?,
                sequence: row.get(1)?,
                at: row.get(2)?,
                kind: row.get(3)?,
                body: row.get(4)?,
            })
        });
        said.map_err(io::Error::other)?.try_for_each(|said| take(said.map_err(io::Error::other)?))
    }
}
