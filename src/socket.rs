//! A TCP stream that must be done by a certain moment. It stands apart because server and client both need it and the
//! channel must know nothing of sockets: a peer that sends a byte now and then can't stretch a handshake with it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Reads and writes that fail with [`ErrorKind::TimedOut`] once the deadline has passed.
pub struct Deadlined<'s> {
    stream: &'s TcpStream,
    until: Instant,
}

impl<'s> Deadlined<'s> {
    /// Everything on `stream` must be done `within` this time from now.
    pub fn new(stream: &'s TcpStream, within: Duration) -> Self {
        Self { stream, until: Instant::now() + within }
    }

    /// Lets the stream wait without an end again.
    pub fn lift(self) -> io::Result<()> {
        self.stream.set_read_timeout(None)?;
        self.stream.set_write_timeout(None)
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Deadlined<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(bytes).map_err(timed_out)
    }
}

impl Write for Deadlined<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Unix says "would block" when a socket's time is up.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_peer_that_drips_bytes_does_not_stretch_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let begun = Instant::now();
        let dripping = std::thread::spawn(move || while peer.write_all(b".").is_ok() {});
        let mut deadlined = Deadlined::new(&stream, Duration::from_millis(50));
        let error = loop {
            if let Err(error) = deadlined.read(&mut [0]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(begun.elapsed() >= Duration::from_millis(50));
        drop(stream);
        dripping.join().unwrap();
    }
}
