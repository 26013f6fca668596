//! The log: every message with its place, on the disk before anyone is told. It is the truth from which everyone who
//! joins, comes back or falls behind is served.
//!
//! What the rest of the server asks of it is all here: open a room, append a batch, read a page. It knows nothing of
//! sockets and sessions, so that another store can stand behind the same few calls.

mod schema;
mod store;

pub(super) use schema::LogError;
pub(super) use store::{Entry, LogReader, LogStore, Placed, RoomId, Stored};
