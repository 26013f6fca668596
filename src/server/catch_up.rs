//! Serves from the log whoever is behind: who joins, who comes back, who read too slowly; and tells people their rooms,
//! of which there can be many. One mechanism, one thread.
//!
//! An outbox comes here when its socket has taken everything and the client is still behind. It gets one page, goes
//! back to be flushed, and comes again when that is gone: so the client's own pace is the pace, a page is all that is
//! held for it, and clients take turns. The page that reaches the room's last message makes the client live.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use tracing::error;

use super::flusher::Flusher;
use super::log::{LogReader, Stored};
use super::outbox::{Numbered, Outbox};
use super::presence::Presence;
use super::read_markers;
use super::rooms::Rooms;
use crate::wire::ServerMessage;

/// What is read from the log for one client at a time, in bytes.
const PAGE_BYTES: usize = 64 * 1024;

/// Where outboxes wait for their page. Each is in it once at most, so it is bounded by the number of connections.
#[derive(Clone)]
pub(super) struct CatchUpQueue(Sender<Option<Arc<Outbox>>>);

impl CatchUpQueue {
    /// The queue, and its end for [`CatchUp::run`].
    pub(super) fn new() -> (Self, Receiver<Option<Arc<Outbox>>>) {
        let (sender, receiver) = mpsc::channel();
        (Self(sender), receiver)
    }

    /// Puts an outbox on the list, unless it is there.
    pub(super) fn enlist(&self, outbox: &Arc<Outbox>) {
        if outbox.enlist_to_catch_up() {
            // The thread is gone only when the server ends; who is behind then comes back later.
            let _ = self.0.send(Some(Arc::clone(outbox)));
        }
    }

    /// Ends the thread, after those who are on the list.
    pub(super) fn stop(&self) {
        let _ = self.0.send(None);
    }
}

/// The thread's own: its way into the log, and what it needs to serve what it reads.
pub(super) struct CatchUp {
    pub(super) rooms: Arc<Rooms>,
    pub(super) presence: Arc<Presence>,
    pub(super) log: LogReader,
    pub(super) flusher: Arc<Flusher>,
}

impl CatchUp {
    /// The thread: one page for one outbox after the other.
    pub(super) fn run(&self, behind: &Receiver<Option<Arc<Outbox>>>) {
        let mut scratch = Vec::new();
        while let Ok(Some(outbox)) = behind.recv() {
            self.queue_next(&outbox);
            outbox.caught_one_page();
            self.flusher.flush(&outbox, &mut scratch);
        }
    }

    fn queue_next(&self, outbox: &Outbox) {
        if let Some(telling) = outbox.take_telling() {
            if let Some(rest) = read_markers::tell_some(&self.rooms, &self.log, telling, outbox) {
                outbox.told_rooms(rest);
            }
            return;
        }
        let Some(need) = outbox.need() else { return };
        let Some(room) = self.rooms.find_by_id(need.room) else { return };
        if need.people {
            room.tell_who_is_here(&self.presence, outbox);
        }
        let page = match self.log.page(need.room, need.after, PAGE_BYTES) {
            Ok(page) => page,
            Err(error) => {
                error!(%error, "the log can't be read; the client is disconnected so that it misses nothing");
                outbox.close();
                return;
            }
        };
        let numbered = |stored: Stored| Numbered { sequence: stored.sequence, bytes: room.said(stored) };
        let page: Vec<_> = page.into_iter().map(numbered).collect();
        let caught_up = |sequence| ServerMessage::CaughtUp { room: room.name().to_string(), sequence };
        outbox.push_page(&need, &page, || room.head(), caught_up);
    }
}
