//! Whoever reads what we write.

use std::io::{self, ErrorKind};
use std::sync::mpsc::SyncSender;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};

use super::ClientError;
use super::event::Event;

/// Tells as [`Event::Stop`] that nobody reads standard output any more, also while there is nothing to write. The thread
/// waits for that and nothing else, so it ends with the process.
pub(super) fn end_without_reader(events: SyncSender<Event>) -> io::Result<()> {
    let watch = move || {
        let stdout = io::stdout();
        // What is asked for is nothing: errors and the end are told unasked (poll(2)).
        if poll(&mut [PollFd::new(&stdout, PollFlags::empty())], None).is_ok() {
            let _ = events.send(Event::Stop);
        }
    };
    thread::Builder::new().name("reader".into()).spawn(watch).map(drop)
}

/// Whoever reads our output has left, as `head` does; then there is nothing more to say.
pub(super) fn unless_nobody_reads(error: ClientError) -> Result<(), ClientError> {
    match error {
        ClientError::Output(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        error => Err(error),
    }
}
