//! Keeps the index of what can be searched for up with the log, on a thread of its own that stands back behind all
//! others. Nobody waits for it: it is told when something was written, and goes through the log in small steps.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tracing::error;

use super::background;
use super::log::SearchIndex;

/// When it is tried again to wipe what was taken out, if someone was searching.
const WIPE_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How long to wait when there is nothing to do.
const IDLE: Duration = Duration::from_secs(3600);

/// By which the log writer tells that something was written. When it is dropped the thread ends.
pub(super) struct Bell(SyncSender<()>);

impl Bell {
    /// The bell, and its end for [`run`].
    pub(super) fn new() -> (Self, Receiver<()>) {
        let (sender, receiver) = sync_channel(1);
        (Self(sender), receiver)
    }

    /// Tells; it does not wait. Whoever is told already need not be told again.
    pub(super) fn ring(&self) {
        let _ = self.0.try_send(());
    }
}

/// The thread.
pub(super) fn run(mut index: SearchIndex, bell: &Receiver<()>) {
    background::stand_back();
    let mut is_broken = false;
    loop {
        let stepped = index.step().and_then(|more| index.wipe().map(|()| more));
        if let Err(error) = &stepped
            && !is_broken
        {
            error!(%error, "what was said last can't be searched for; it is tried again");
        }
        is_broken = stepped.is_err();
        let patience = match stepped {
            Ok(true) => Duration::ZERO,
            _ if index.has_remains() => WIPE_AGAIN_AFTER,
            _ => IDLE,
        };
        if bell.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}
