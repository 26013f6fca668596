//! Signals that ask a program to end, as events: so that the terminal is given back and the server hears a goodbye.

use std::io;
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals as Waiting};

use super::event::Event;
use super::silence::Silence;

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

    /// Gives the terminal back at each one and ends the program, as the signal would have by itself: for the time
    /// before the conversation.
    pub(super) fn end_at_once(silence: Option<Silence>) -> io::Result<Self> {
        let mut waiting = Waiting::new([SIGHUP, SIGINT, SIGTERM])?;
        let handle = waiting.handle();
        let end = move || {
            for signal in waiting.forever() {
                // At a question the terminal gives every key at once; otherwise this does nothing.
                let _ = crossterm::terminal::disable_raw_mode();
                silence.iter().for_each(Silence::end);
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        };
        Ok(Self { handle, thread: thread::Builder::new().name("signals".into()).spawn(end)? })
    }

    /// Ends the thread.
    pub(super) fn ignore(self) {
        self.handle.close();
        let _ = self.thread.join();
    }
}
