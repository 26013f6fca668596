//! The one thread that writes to the log. While a commit waits for the disk, what arrives gathers and goes with the
//! next one: so one fsync serves all that came meanwhile, and the busier the server, the larger its batches.
//!
//! Only after the commit is anyone told: the author that it is accepted, the room what was said. An author's message
//! that has its place already is accepted again and not said again.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use minicbor::bytes::ByteVec;
use tracing::error;

use super::clock;
use super::flusher::Flusher;
use super::log::{Entry, LogStore, Placed};
use super::outbox::{Encoded, Numbered, Outbox};
use super::rooms::Room;
use crate::wire::{self, Code, ServerMessage};

/// Messages that wait for the next commit. A session whose message finds no room waits, and so reads no further.
const WAITING_MAX: usize = 1024;

/// Messages in one commit.
const BATCH_MAX: usize = 1024;

/// With no more receivers than this and nothing else waiting, the writer flushes by itself: a hand-over costs more.
const FLUSH_HERE_MAX: usize = 4;

/// A message on its way into the log.
pub(super) struct Append {
    pub(super) room: Arc<Room>,
    pub(super) entry: Entry,
    /// Who is told what became of it.
    pub(super) outbox: Arc<Outbox>,
}

/// Where sessions hand in what they have to say.
#[derive(Clone)]
pub(super) struct LogQueue(SyncSender<Option<Append>>);

impl LogQueue {
    /// The queue, and its end for [`LogWriter::run`].
    pub(super) fn new() -> (Self, LogTasks) {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        (Self(sender), LogTasks { tasks: receiver, ended: false })
    }

    /// Hands a message in; waits while the disk is behind. False when the writer has ended.
    pub(super) fn append(&self, append: Append) -> bool {
        self.0.send(Some(append)).is_ok()
    }

    /// Ends the writer, after everything that was handed in before.
    pub(super) fn stop(&self) {
        let _ = self.0.send(None);
    }
}

/// The writer's end of a [`LogQueue`].
pub(super) struct LogTasks {
    tasks: Receiver<Option<Append>>,
    /// [`LogQueue::stop`] was seen.
    ended: bool,
}

impl LogTasks {
    /// Waits for something to write, then takes all that is there. Nothing is the end.
    fn next_batch(&mut self) -> Vec<Append> {
        let mut batch = Vec::new();
        while !self.ended && batch.len() < BATCH_MAX {
            let next = if batch.is_empty() {
                self.tasks.recv().unwrap_or_default()
            } else {
                let Ok(next) = self.tasks.try_recv() else { break };
                next
            };
            match next {
                Some(append) => batch.push(append),
                None => self.ended = true,
            }
        }
        batch
    }
}

/// The thread's own: the store, and what it needs to tell people.
pub(super) struct LogWriter {
    pub(super) store: LogStore,
    pub(super) flusher: Arc<Flusher>,
}

impl LogWriter {
    /// The thread.
    pub(super) fn run(mut self, mut tasks: LogTasks) {
        let (mut touched, mut scratch) = (Vec::new(), Vec::new());
        loop {
            let batch = tasks.next_batch();
            if batch.is_empty() {
                return;
            }
            let at = clock::now();
            match self.store.append(batch.iter().map(|append| &append.entry), at) {
                Ok(placed) => tell(batch, &placed, &mut touched),
                Err(error) => {
                    error!(%error, messages = batch.len(), "the log can't be written; the messages are refused");
                    refuse(&batch, &mut touched);
                }
            }
            if touched.len() <= FLUSH_HERE_MAX {
                for outbox in touched.drain(..) {
                    self.flusher.flush(&outbox, &mut scratch);
                }
            } else {
                self.flusher.hand_over(&mut touched);
            }
        }
    }
}

/// Tells authors that their messages are accepted, then rooms what was said in them.
fn tell(batch: Vec<Append>, placed: &[Placed], touched: &mut Vec<Arc<Outbox>>) {
    let mut rooms: Vec<(Arc<Room>, Vec<Numbered>)> = Vec::new();
    for (Append { room, entry, outbox }, Placed { sequence, at, is_new }) in batch.into_iter().zip(placed) {
        let (sequence, at, name) = (*sequence, *at, room.name().to_string());
        let accepted = ServerMessage::Accepted { id: entry.id, room: name.clone(), sequence, at };
        if outbox.push(&accepted) {
            touched.push(outbox);
        }
        if !is_new {
            continue;
        }
        let said = ServerMessage::Said {
            room: name,
            sequence,
            at,
            author: entry.author.to_string(),
            id: entry.id,
            kind: entry.kind,
            body: ByteVec::from(entry.body),
        };
        let numbered = Numbered { sequence, bytes: Encoded::from(wire::encode(&said)) };
        match rooms.iter_mut().find(|(other, _)| Arc::ptr_eq(other, &room)) {
            Some((_, said)) => said.push(numbered),
            None => rooms.push((room, vec![numbered])),
        }
    }
    for (room, said) in rooms {
        room.deliver(&said, touched);
    }
}

fn refuse(batch: &[Append], touched: &mut Vec<Arc<Outbox>>) {
    for Append { entry, outbox, .. } in batch {
        let refused = ServerMessage::Refused {
            code: Code::NotStored,
            text: "the server can't write it down now (its disk may be full); tell its operator, and say it again later"
                .to_owned(),
            id: Some(entry.id),
            retry_after: None,
        };
        if outbox.push(&refused) {
            touched.push(Arc::clone(outbox));
        }
    }
}
