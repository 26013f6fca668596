//! The log: every message with its place, and what the rooms are, on the disk before anyone is told. It is the truth from
//! which everyone who joins, comes back or falls behind is served.
//!
//! What the rest of the server asks of it is all here: open it with its rooms, write a batch, read a page. It knows
//! nothing of sockets and sessions, so that another store can stand behind the same few calls. `batch` says things,
//! `changes` changes rooms, `directs` begins and ends direct conversations, `revisions` changes what was said, `history`
//! reads from any place on, `markers` keeps how far each person has read, `sanctions` who must stay out or be silent.
//! `search_index` keeps the words in a file of their own, in which `search` finds them.

mod batch;
mod changes;
mod directs;
mod history;
mod ignored;
mod markers;
mod purges;
mod revisions;
mod rows;
mod sanctions;
mod schema;
mod search;
mod search_expression;
mod search_index;
mod store;
mod survey;

pub(super) use changes::{Change, Effect, Refusal, Target, Wish};
pub(super) use history::Stretch;
pub(super) use ignored::Ignoring;
pub(super) use markers::{Mark, Unread};
pub(super) use rows::{About, Deed, Entry, Event, Placed, RoomId, RoomRecord, Stored};
pub(super) use sanctions::{Measure, Moderation, OnServer, SanctionKind, end_of};
pub(super) use schema::LogError;
pub(super) use search::{Finds, Search, Spot};
pub(super) use search_index::SearchIndex;
pub(super) use store::{LogReader, LogStore, Outcome, Write};
pub(super) use survey::{Authored, Membership, RoomSize};
