//! The one place that writes for everyone. Whoever has queued something for many clients hands their outboxes over
//! here, so that nobody wakes a thread for each receiver, and everything that gathers for a socket meanwhile goes out
//! with one call. The same thread returns to the sockets that were full.
//!
//! A thread that has queued something for a single client may flush it by itself with [`Flusher::flush`]: that saves
//! the hand-over, and it waits for nothing either.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use rustix::event::{PollFd, PollFlags, Timespec};
use tracing::warn;

use super::catch_up::CatchUpQueue;
use super::lock::lock;
use super::outbox::{Flushed, Outbox, SessionId};

/// The waker's token; no session has this number.
const WAKE: Token = Token(usize::MAX);

/// Sockets that can be written again, taken at once.
const EVENTS: usize = 256;

pub(super) struct Flusher {
    /// Outboxes to flush. Pushed by everyone, taken by the flusher's thread.
    due: Mutex<Vec<Arc<Outbox>>>,
    /// Outboxes whose sockets are full and watched. Written by whoever flushes.
    full: Mutex<HashMap<SessionId, Arc<Outbox>>>,
    registry: Registry,
    waker: Waker,
    stopping: AtomicBool,
    behind: CatchUpQueue,
}

impl Flusher {
    /// The flusher, and the poll that its thread waits with in [`Self::run`].
    pub(super) fn new(behind: CatchUpQueue) -> io::Result<(Self, Poll)> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let flusher = Self {
            due: Mutex::default(),
            full: Mutex::default(),
            registry,
            waker,
            stopping: AtomicBool::new(false),
            behind,
        };
        Ok((flusher, poll))
    }

    /// Hands outboxes over to the flusher's thread.
    pub(super) fn hand_over(&self, outboxes: &mut Vec<Arc<Outbox>>) {
        if outboxes.is_empty() {
            return;
        }
        let mut due = lock(&self.due);
        let thread_knows = !due.is_empty();
        due.append(outboxes);
        drop(due);
        if !thread_knows {
            self.wake();
        }
    }

    /// Flushes one outbox from the caller's thread, and sees to what must follow.
    pub(super) fn flush(&self, outbox: &Arc<Outbox>, scratch: &mut Vec<u8>) -> Flushed {
        let flushed = outbox.flush(scratch);
        match flushed {
            Flushed::All => {}
            Flushed::Behind => self.behind.enlist(outbox),
            Flushed::Full => self.watch(outbox),
            Flushed::Over => self.forget(outbox),
        }
        flushed
    }

    /// The flusher's thread.
    pub(super) fn run(&self, mut poll: Poll) {
        let mut events = Events::with_capacity(EVENTS);
        let mut scratch = Vec::new();
        while !self.stopping.load(Ordering::Acquire) {
            if let Err(error) = poll.poll(&mut events, None)
                && error.kind() != io::ErrorKind::Interrupted
            {
                warn!(%error, "waiting for sockets failed");
            }
            for event in events.iter().filter(|event| event.token() != WAKE) {
                if let Some(outbox) = self.unwatch(event.token().0) {
                    self.flush(&outbox, &mut scratch);
                }
            }
            let due = std::mem::take(&mut *lock(&self.due));
            for outbox in due {
                self.flush(&outbox, &mut scratch);
            }
        }
    }

    /// Ends [`Self::run`].
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake();
    }

    /// Drops what is kept of an outbox whose connection is over.
    pub(super) fn forget(&self, outbox: &Arc<Outbox>) {
        self.unwatch(outbox.session());
    }

    fn watch(&self, outbox: &Arc<Outbox>) {
        let mut full = lock(&self.full);
        if full.contains_key(&outbox.session()) {
            return;
        }
        let token = Token(outbox.session());
        match self.registry.register(&mut SourceFd(&outbox.as_fd().as_raw_fd()), token, Interest::WRITABLE) {
            Ok(()) => {
                full.insert(outbox.session(), Arc::clone(outbox));
            }
            Err(error) => {
                drop(full);
                warn!(%error, session = outbox.session(), "a full socket can't be watched; the connection is closed");
                outbox.close();
            }
        }
    }

    fn unwatch(&self, session: SessionId) -> Option<Arc<Outbox>> {
        let mut full = lock(&self.full);
        let outbox = full.remove(&session)?;
        if let Err(error) = self.registry.deregister(&mut SourceFd(&outbox.as_fd().as_raw_fd())) {
            warn!(%error, session, "a socket can't be unwatched");
        }
        drop(full);
        Some(outbox)
    }

    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            warn!(%error, "the flusher can't be woken");
        }
    }
}

/// Flushes `outboxes` until each is empty or the time is `until`. For the end, when nothing else runs.
pub(super) fn drain(mut outboxes: Vec<Arc<Outbox>>, until: Instant) {
    let mut scratch = Vec::new();
    loop {
        outboxes.retain(|outbox| outbox.flush(&mut scratch) == Flushed::Full);
        let left = until.saturating_duration_since(Instant::now());
        if outboxes.is_empty() || left.is_zero() {
            return;
        }
        let mut waiting: Vec<_> =
            outboxes.iter().map(|outbox| PollFd::new(&**outbox, PollFlags::OUT)).collect();
        if rustix::event::poll(&mut waiting, Timespec::try_from(left).ok().as_ref()).is_err() {
            return;
        }
    }
}
