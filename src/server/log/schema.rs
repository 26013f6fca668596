//! The log's tables.

use std::io;
use std::path::PathBuf;

use crate::server::database::{DatabaseError, Schema};

pub(super) const SCHEMA: Schema = Schema {
    steps: &[ONE_ROOM, MANY_ROOMS, READ_MARKERS, REVISIONS, SANCTIONS, ALTERED, DIRECT, PURGES, IGNORED],
};

/// Version 1.
pub(super) const ONE_ROOM: &str = "
    CREATE TABLE rooms (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY,
        room INTEGER NOT NULL REFERENCES rooms (id),
        sequence INTEGER NOT NULL,
        at INTEGER NOT NULL,
        author TEXT NOT NULL,
        client_id BLOB NOT NULL,
        kind INTEGER NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (room, sequence),
        UNIQUE (author, client_id)
    ) STRICT;";

/// Version 2. Whether a room is private is in its name. `made_by` is empty for the server's own room, in which everyone
/// is and nobody is therefore listed.
pub(super) const MANY_ROOMS: &str = "
    ALTER TABLE rooms ADD COLUMN topic TEXT NOT NULL DEFAULT '';
    ALTER TABLE rooms ADD COLUMN made_at INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE rooms ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
    UPDATE rooms SET made_at =
        coalesce((SELECT at FROM messages WHERE room = rooms.id AND sequence = 1), 0);
    CREATE INDEX rooms_by_maker ON rooms (made_by);
    CREATE TABLE members (
        room INTEGER NOT NULL REFERENCES rooms (id),
        account TEXT NOT NULL,
        is_operator INTEGER NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (room, account)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX members_by_account ON members (account);
    CREATE INDEX members_by_standing ON members (room, is_operator DESC, since, account);";

/// Version 3. Who is in a room when it comes has read everything.
const READ_MARKERS: &str = "
    CREATE TABLE read_markers (
        account TEXT NOT NULL,
        room INTEGER NOT NULL REFERENCES rooms (id),
        sequence INTEGER NOT NULL,
        PRIMARY KEY (account, room)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO read_markers (account, room, sequence)
        SELECT account, room, coalesce((SELECT max(sequence) FROM messages WHERE room = members.room), 0)
        FROM members;";

/// Version 4. What is said about earlier messages. `of` is the number of such a message in the same room. The text of a message that
/// was edited stands in its own row and nowhere else: the rows of its edits have empty bodies. `reactions` is what is left
/// when those that were taken back are taken off.
const REVISIONS: &str = "
    ALTER TABLE messages ADD COLUMN of INTEGER;
    ALTER TABLE messages ADD COLUMN edited INTEGER;
    CREATE INDEX messages_by_subject ON messages (room, of) WHERE of IS NOT NULL;
    CREATE TABLE reactions (
        room INTEGER NOT NULL REFERENCES rooms (id),
        sequence INTEGER NOT NULL,
        account TEXT NOT NULL,
        reaction TEXT NOT NULL,
        PRIMARY KEY (room, sequence, account, reaction)
    ) STRICT, WITHOUT ROWID;";

/// Version 5. Who must stay out of a room, or say nothing there. The index finds in a room's log what operators have done about people:
/// changes of the room (0x8000) of the numbers 10 to 17, which stand in the second byte.
const SANCTIONS: &str = "
    CREATE TABLE sanctions (
        room INTEGER NOT NULL REFERENCES rooms (id),
        account TEXT NOT NULL,
        kind INTEGER NOT NULL,
        at INTEGER NOT NULL,
        by TEXT NOT NULL,
        until INTEGER,
        reason TEXT,
        PRIMARY KEY (room, account, kind)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX messages_of_moderation ON messages (room, sequence)
        WHERE kind = 32768 AND substr(body, 2, 1) BETWEEN x'0a' AND x'11';";

/// Version 6. Each message whose text has become another one, or is gone, is noted for whoever keeps something of it.
const ALTERED: &str = "
    CREATE TABLE altered (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        message INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER message_changed AFTER UPDATE OF kind, body ON messages BEGIN
        INSERT INTO altered (message) VALUES (old.id);
    END;
    CREATE TRIGGER message_deleted AFTER DELETE ON messages BEGIN
        INSERT INTO altered (message) VALUES (old.id);
    END;";

/// Direct conversations, of which someone may be in any number without being in any more rooms thereby.
const DIRECT: &str = "
    ALTER TABLE members ADD COLUMN is_direct INTEGER NOT NULL DEFAULT 0;
    DROP INDEX members_by_account;
    CREATE INDEX members_by_account ON members (account, is_direct);";

/// What is to be taken away of someone's messages in a room: those up to `upto` and not before `since`. `after` is how far that
/// has come.
const PURGES: &str = "
    CREATE TABLE purges (
        room INTEGER NOT NULL REFERENCES rooms (id),
        author TEXT NOT NULL,
        by TEXT NOT NULL,
        since INTEGER NOT NULL,
        upto INTEGER NOT NULL,
        after BLOB NOT NULL,
        PRIMARY KEY (room, author)
    ) STRICT, WITHOUT ROWID;";

/// Whom each account does not want to hear.
const IGNORED: &str = "
    CREATE TABLE ignored (
        account TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (account, name)
    ) STRICT, WITHOUT ROWID;";

/// Why the log can't be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The file can't be opened.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// A statement failed while the server ran.
    #[error("{0}")]
    Store(#[from] rusqlite::Error),
    /// Something in it is not what this program writes.
    #[error("chat.db has a room that can't be read ('{0}'); put your copy of the file back")]
    BadRoom(String),
    /// The index can't be made anew.
    #[error("{path} can't be removed: {source}; check who owns the folder")]
    Remove { path: PathBuf, source: io::Error },
    /// The index can't be named to the database.
    #[error("the path of the data folder is not UTF-8 ({}); give another one with --data", .0.display())]
    NotUtf8(PathBuf),
    /// The operating system gives no random bytes.
    #[error("the system gives no random numbers")]
    NoEntropy,
    /// An id that was drawn was there already: the random numbers are none.
    #[error("the system's random numbers repeat themselves")]
    UsedId,
}
