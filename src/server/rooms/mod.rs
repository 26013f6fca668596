//! Rooms in memory: which there are, who is in them, who follows them now, and the delivery of what was said to all who
//! do. What of it lasts is in the log: it is read at the start, and changed here when the log writer has written a change.
//!
//! `directory` finds rooms by name, by number and by account; `room` is a single one.

mod directory;
mod room;

pub(super) use directory::Rooms;
pub(super) use room::{Beginning, Entered, ReadState, Room};
