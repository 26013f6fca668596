//! What goes into the log and what comes out of it.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};

use crate::names::{Reaction, RoomName, Topic, Username};
use crate::wire::MessageId;

/// A room's number in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RoomId(i64);

impl RoomId {
    /// The room with the number of a row that was just made.
    pub(super) fn of_row(number: i64) -> Self {
        Self(number)
    }

    /// The number of its row.
    pub(super) fn row(self) -> i64 {
        self.0
    }

    /// A room that is in no log.
    #[cfg(test)]
    pub(crate) const fn for_tests(number: i64) -> Self {
        Self(number)
    }
}

impl ToSql for RoomId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for RoomId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

/// A room as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomRecord {
    pub(crate) id: RoomId,
    pub(crate) name: RoomName,
    pub(crate) topic: Topic,
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub(crate) made_at: u64,
    /// Empty for the server.
    pub(crate) made_by: String,
    /// The last sequence number.
    pub(crate) head: u64,
    /// Who is in it, and whether they are operators. Of the lobby, nobody.
    pub(crate) members: Vec<(Username, bool)>,
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
    /// Which message it is about, if it is not said by itself.
    pub(crate) about: Option<About>,
}

/// That something is said about an earlier message of the same room.
pub(crate) struct About {
    /// Its number there; it may be none.
    pub(crate) of: u64,
    /// What is done to it.
    pub(crate) deed: Deed,
}

/// What is done to a message.
pub(crate) enum Deed {
    /// Nothing: it is answered.
    Answer,
    /// It gets the body of what is said about it.
    Edit,
    /// It loses its body. Admins of the server are operators of the lobby.
    Remove { by_admin: bool },
    /// It gets a reaction, or has it no more.
    React { reaction: Reaction, wanted: bool },
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// In which room. Another one than was asked for when the same id was used before, elsewhere.
    pub(crate) room: RoomId,
    /// 1, 2, 3 … in each room.
    pub(crate) sequence: u64,
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub(crate) at: u64,
    /// False when the same message had its place already.
    pub(crate) is_new: bool,
}

/// A message that the server has put into a room's log because of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) room: RoomId,
    pub(crate) stored: Stored,
}

/// A message as it is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) sequence: u64,
    pub(crate) at: u64,
    pub(crate) author: String,
    pub(crate) id: MessageId,
    pub(crate) kind: u16,
    pub(crate) body: Vec<u8>,
    /// The number of the message that it is about.
    pub(crate) of: Option<u64>,
    /// When it got the body that it has now, if that is not its first one.
    pub(crate) edited: Option<u64>,
}
