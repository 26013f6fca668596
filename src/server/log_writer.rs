//! The one thread that writes to the log. While a commit waits for the disk, what arrives gathers and goes with the
//! next one: so one fsync serves all that came meanwhile, and the busier the server, the larger its batches.
//!
//! Only after the commit is anyone told, by [`tidings`]. Since nobody else changes rooms, what they are in memory
//! follows what they are on the disk, in the same order.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tracing::{error, warn};

use super::clock;
use super::flusher::Flusher;
use super::indexer::Bell;
use super::log::{Change, Entry, Ignoring, LogStore, Mark, Outcome, Write};
use super::outbox::Outbox;
use super::rooms::{Beginning, Room, Rooms};
use super::tidings;
use crate::names::RoomName;
use crate::wire::ServerMessage;

/// Tasks that wait for the next commit. A session whose task finds no room waits, and so reads no further.
const WAITING_MAX: usize = 1024;

/// Tasks in one commit.
const BATCH_MAX: usize = 1024;

/// With no more receivers than this and nothing else waiting, the writer flushes by itself: a hand-over costs more.
const FLUSH_HERE_MAX: usize = 4;

/// When it is tried again to wipe what was removed, if someone was reading.
const WIPE_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// When it is tried again to take something away, if that failed.
const PURGE_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Something on its way into the log, and who is told what became of it.
pub(super) enum Task {
    /// Someone says something.
    Say { entry: Entry, outbox: Arc<Outbox> },
    /// Someone changes a room.
    Change { change: Change, asker: Asker },
    /// Someone has read a room up to here; `moved` tells all of that person's sessions.
    Mark { room: Arc<Room>, mark: Mark, moved: ServerMessage, outbox: Arc<Outbox> },
    /// Someone ignores another one, or no more, or asks whom; the thread that waits goes on when that is told.
    Ignore { ignoring: Ignoring, outbox: Arc<Outbox>, told: SyncSender<()> },
}

/// Who wants a room to be changed.
pub(super) enum Asker {
    /// A client that is told as of everything it says.
    Sayer(Arc<Outbox>),
    /// A client that wants to follow the room from a place, once it may.
    Follower { room: RoomName, begin: Beginning, outbox: Arc<Outbox> },
    /// A thread that waits until it is done; false is no.
    Door(SyncSender<bool>),
    /// A session that waits for what becomes of it, without its effects; nothing if it can't be written.
    Moderator(SyncSender<Option<Outcome>>),
}

/// Where sessions hand in what they have to say.
#[derive(Clone)]
pub(super) struct LogQueue(SyncSender<Option<Task>>);

impl LogQueue {
    /// The queue, and its end for [`LogWriter::run`].
    pub(super) fn new() -> (Self, LogTasks) {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        (Self(sender), LogTasks { tasks: receiver, ended: false })
    }

    /// Hands a task in; waits while the disk is behind. False when the writer has ended.
    pub(super) fn hand_in(&self, task: Task) -> bool {
        self.0.send(Some(task)).is_ok()
    }

    /// Ends the writer, after everything that was handed in before.
    pub(super) fn stop(&self) {
        let _ = self.0.send(None);
    }
}

/// The writer's end of a [`LogQueue`].
pub(super) struct LogTasks {
    tasks: Receiver<Option<Task>>,
    /// [`LogQueue::stop`] was seen.
    ended: bool,
}

impl LogTasks {
    /// Waits for something to write, perhaps no longer than `patience`, then takes all that is there.
    fn next_batch(&mut self, patience: Option<Duration>) -> Vec<Task> {
        let mut batch = Vec::new();
        while !self.ended && batch.len() < BATCH_MAX {
            let next = if batch.is_empty() {
                match self.first(patience) {
                    Err(RecvTimeoutError::Timeout) => break,
                    first => first.unwrap_or_default(),
                }
            } else {
                let Ok(next) = self.tasks.try_recv() else { break };
                next
            };
            match next {
                Some(task) => batch.push(task),
                None => self.ended = true,
            }
        }
        batch
    }

    fn first(&self, patience: Option<Duration>) -> Result<Option<Task>, RecvTimeoutError> {
        match patience {
            Some(patience) => self.tasks.recv_timeout(patience),
            None => self.tasks.recv().map_err(RecvTimeoutError::from),
        }
    }
}

/// The thread's own: the store, and what it needs to tell people.
pub(super) struct LogWriter {
    pub(super) store: LogStore,
    pub(super) rooms: Arc<Rooms>,
    pub(super) flusher: Arc<Flusher>,
    pub(super) indexer: Bell,
}

impl LogWriter {
    /// The thread.
    pub(super) fn run(mut self, mut tasks: LogTasks) {
        let (mut touched, mut scratch) = (Vec::new(), Vec::new());
        let mut is_stuck = false;
        loop {
            let batch = tasks.next_batch(self.patience(is_stuck));
            if batch.is_empty() && tasks.ended {
                return;
            }
            if !batch.is_empty() {
                self.write(batch, &mut touched);
            }
            self.flush(&mut touched, &mut scratch);
            is_stuck = self.store.has_purges() && !self.purge();
            if let Err(error) = self.store.wipe() {
                warn!(%error, "what was removed may still be in the write-ahead log; it is tried again");
            }
        }
    }

    /// How long to wait for something to write, when there is something else to do.
    fn patience(&self, is_stuck: bool) -> Option<Duration> {
        match self.store.has_purges() {
            true if is_stuck => Some(PURGE_AGAIN_AFTER),
            true => Some(Duration::ZERO),
            false => self.store.has_remains().then_some(WIPE_AGAIN_AFTER),
        }
    }

    /// Takes away a piece of what is to be taken away. False when it can't be written.
    fn purge(&mut self) -> bool {
        let purged = self.store.purge();
        match &purged {
            Ok(()) => self.indexer.ring(),
            Err(error) => warn!(%error, "what an operator has taken away is still there; it is tried again"),
        }
        purged.is_ok()
    }

    fn write(&mut self, batch: Vec<Task>, touched: &mut Vec<Arc<Outbox>>) {
        match self.store.write(batch.iter().map(Task::write), clock::now()) {
            Ok(outcomes) => {
                tidings::tell(&self.rooms, batch, outcomes, touched);
                self.indexer.ring();
            }
            Err(error) => {
                error!(%error, tasks = batch.len(), "the log can't be written; what was to be written is refused");
                tidings::refuse(batch, touched);
            }
        }
    }

    fn flush(&self, touched: &mut Vec<Arc<Outbox>>, scratch: &mut Vec<u8>) {
        if touched.len() > FLUSH_HERE_MAX {
            return self.flusher.hand_over(touched);
        }
        for outbox in touched.drain(..) {
            self.flusher.flush(&outbox, scratch);
        }
    }
}

impl Task {
    fn write(&self) -> Write<'_> {
        match self {
            Self::Say { entry, .. } => Write::Say(entry),
            Self::Change { change, .. } => Write::Change(change),
            Self::Mark { mark, .. } => Write::Mark(mark),
            Self::Ignore { ignoring, .. } => Write::Ignore(ignoring),
        }
    }
}
