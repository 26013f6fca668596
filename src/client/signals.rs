//! Signals that ask a program to end, as events: so that the terminal is given back and the server hears a goodbye.

use std::io;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals as Waiting};

use super::event::Event;

/// A thread that waits for signals.
pub(super) struct Signals {
    handle: Handle,
    thread: JoinHandle<()>,
}

impl Signals {
    /// Tells of each one as [`Event::Stop`].
    pub(super) fn listen(events: SyncSender<Event>) -> io::Result<Self> {
        let mut waiting = Waiting::new([SIGHUP, SIGINT, SIGTERM])?;
        let handle = waiting.handle();
        let tell = move || {
            for _ in waiting.forever() {
                if events.send(Event::Stop).is_err() {
                    return;
                }
            }
        };
        Ok(Self { handle, thread: thread::Builder::new().name("signals".into()).spawn(tell)? })
    }

    /// Ends the thread.
    pub(super) fn ignore(self) {
        self.handle.close();
        let _ = self.thread.join();
    }
}
