//! The threads that read what is typed or piped. A read from a terminal or a pipe can't be called off, so they are not
//! joined: each ends with its input, when nobody takes its events any more, or with the process.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::thread;

use crate::client::event::Event;
use crate::names::MESSAGE_BYTES_MAX;

/// The most lines of a pipe that are in the works: read, and not yet settled with the server.
const LINES_MAX: usize = 64;

/// The longest line of a person that is kept, in bytes: a message and `\r`.
pub(in crate::client) const LINE_BYTES_MAX: usize = MESSAGE_BYTES_MAX + 1;

/// What a plain read gives.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::client) enum TypedLine {
    /// A line, without its end.
    Text(String),
    /// A line that is longer than any that means something; its size in bytes.
    TooLong(usize),
    /// A line that is not UTF-8.
    NotText,
    /// There are no more.
    End,
}

/// Reads the keys of the terminal.
pub(in crate::client) fn read_keys(events: SyncSender<Event>) -> io::Result<()> {
    let read = move || {
        while let Ok(event) = crossterm::event::read() {
            if events.send(Event::Key(event)).is_err() {
                return;
            }
        }
        // The terminal is gone.
        let _ = events.send(Event::Stop);
    };
    thread::Builder::new().name("keys".into()).spawn(read).map(drop)
}

/// Lines of standard input, read only as fast as the server settles them: a file of any size goes through a small
/// window.
pub(in crate::client) struct PlainLines {
    permits: Sender<()>,
    /// Permits given, and lines that came.
    given: usize,
    taken: usize,
}

impl PlainLines {
    /// Starts the thread; nothing is read before [`Self::allow`]. Of a line no more is kept than so many bytes.
    pub(in crate::client) fn start(events: SyncSender<Event>, line_bytes_max: usize) -> io::Result<Self> {
        let (permits, permitted) = channel();
        let read = move || read_lines(&mut io::stdin().lock(), line_bytes_max, &permitted, &events);
        thread::Builder::new().name("lines".into()).spawn(read)?;
        Ok(Self { permits, given: 0, taken: 0 })
    }

    /// A line came.
    pub(in crate::client) fn took_one(&mut self) {
        self.taken += 1;
    }

    /// Lets as many lines be read as the window has room for, with so many that are not yet settled.
    pub(in crate::client) fn allow(&mut self, unsettled: usize) {
        let room = LINES_MAX.saturating_sub(unsettled);
        while self.given < self.taken + room && self.permits.send(()).is_ok() {
            self.given += 1;
        }
    }
}

fn read_lines(source: &mut impl BufRead, most: usize, permitted: &Receiver<()>, events: &SyncSender<Event>) {
    while permitted.recv().is_ok() {
        // What can't be read any more has ended.
        let line = read_line(source, most).unwrap_or(TypedLine::End);
        let is_last = line == TypedLine::End;
        if events.send(Event::Line(line)).is_err() || is_last {
            return;
        }
    }
}

/// Reads one line and keeps no more of it than it may have.
fn read_line(source: &mut impl BufRead, most: usize) -> io::Result<TypedLine> {
    let mut line = Vec::new();
    let mut size = 0;
    loop {
        let chunk = match source.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            chunk => chunk?,
        };
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let content = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        if chunk.is_empty() && size == 0 {
            return Ok(TypedLine::End);
        }
        let is_last = chunk.is_empty() || end.is_some();
        line.extend(content.iter().take(most + 1 - line.len()));
        size += content.len();
        let used = content.len() + usize::from(end.is_some());
        source.consume(used);
        if is_last {
            return Ok(typed(line, size, most));
        }
    }
}

fn typed(mut line: Vec<u8>, size: usize, most: usize) -> TypedLine {
    if size > most {
        return TypedLine::TooLong(size);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_or(TypedLine::NotText, TypedLine::Text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Read};
    use std::sync::mpsc::sync_channel;

    fn lines(bytes: &[u8], buffer: usize) -> Vec<TypedLine> {
        let mut source = BufReader::with_capacity(buffer, bytes);
        std::iter::from_fn(|| {
            Some(read_line(&mut source, LINE_BYTES_MAX).unwrap()).filter(|line| *line != TypedLine::End)
        })
        .collect()
    }

    fn text(text: &str) -> TypedLine {
        TypedLine::Text(text.into())
    }

    #[test]
    fn lines_come_out_however_they_are_buffered_and_ended() {
        for buffer in [1, 3, 100] {
            let read = lines("one\r\n\ntwo\né\nlast".as_bytes(), buffer);
            assert_eq!(read, [text("one"), text(""), text("two"), text("é"), text("last")], "{buffer}");
        }
        assert!(lines(b"", 10).is_empty());
    }

    #[test]
    fn a_line_that_no_message_can_hold_is_counted_and_not_kept() {
        let long = "x".repeat(LINE_BYTES_MAX);
        let read = lines(format!("{long}\n{long}x\n\nafter").as_bytes(), 100);
        assert_eq!(read, [text(&long), TypedLine::TooLong(LINE_BYTES_MAX + 1), text(""), text("after")]);
        let mut endless = BufReader::new(io::repeat(b'x').take(10_000_000));
        assert_eq!(read_line(&mut endless, LINE_BYTES_MAX).unwrap(), TypedLine::TooLong(10_000_000));
    }

    #[test]
    fn a_line_that_is_not_text_is_told_and_the_next_one_is_read() {
        assert_eq!(lines(b"\xff\xfe\nfine\n", 10), [TypedLine::NotText, text("fine")]);
    }

    #[test]
    fn no_more_is_read_than_the_server_settles() {
        let (permits, permitted) = channel();
        let (events, arrived) = sync_channel(1_000);
        let mut plain = PlainLines { permits, given: 0, taken: 0 };
        let endless = thread::spawn(move || {
            read_lines(&mut b"x\n".repeat(200).as_slice(), LINE_BYTES_MAX, &permitted, &events);
        });
        plain.allow(0);
        for _ in 0..LINES_MAX {
            assert!(matches!(arrived.recv().unwrap(), Event::Line(_)));
            plain.took_one();
        }
        plain.allow(LINES_MAX);
        assert!(arrived.try_recv().is_err(), "all are in the works");
        plain.allow(LINES_MAX - 1);
        assert!(arrived.recv().is_ok());
        assert_eq!(plain.given, LINES_MAX + 1);
        drop(plain);
        endless.join().unwrap();
    }
}
