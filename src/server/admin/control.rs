//! The running server's end of the control socket, on a thread of its own. One request is served at a time, within a
//! deadline and a bounded length, so that who says nothing, nonsense or too much costs nothing but that time; and
//! whatever goes on there, the thread ends at once when the server does.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tracing::{debug, info, warn};
use zeroize::Zeroizing;

use super::address::{self, Address};
use super::execute::execute;
use super::framing::{ANSWER_BYTES_MAX, FramingError, GREETING, REQUEST_BYTES_MAX, frame, unframe};
use super::request::{AdminRequest, WireAnswer};
use crate::server::data_folder::DataFolder;
use crate::server::shared::Shared;

/// From the greeting to the last byte of a request; it is written by a program, not by hand.
const REQUEST_WITHIN: Duration = Duration::from_secs(3);

/// The time to take the answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long to let things calm down when the system has no descriptor left for a newcomer.
const BREATHER: Duration = Duration::from_millis(100);

/// Requests that wait while one is served.
const BACKLOG: i32 = 16;

/// Nobody but the owner of the folder may ask.
const MODE: u32 = 0o600;

const LISTENER: Token = Token(0);
const STREAM: Token = Token(1);
const WAKE: Token = Token(2);

/// The socket, as long as the server runs.
pub(in crate::server) struct ControlSocket {
    listener: UnixListener,
    file: PathBuf,
    poll: Poll,
    events: Events,
}

/// Why a request is served no further.
#[derive(Debug, thiserror::Error)]
enum Over {
    #[error("the server ends")]
    Stopping,
    #[error("its time is up")]
    TooLate,
    #[error(transparent)]
    Framing(#[from] FramingError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ControlSocket {
    /// The socket of a folder, and what ends its [`Self::run`]. A server does without where there can't be one:
    /// `chat admin` then has to wait until it is stopped.
    pub(in crate::server) fn open(folder: &DataFolder) -> Option<(Self, Waker)> {
        Self::try_open(folder.path())
            .inspect_err(|error| {
                warn!(%error, "'chat admin' will not reach this server while it runs: there is no control socket");
            })
            .ok()
    }

    /// Serves requests until it is woken.
    pub(in crate::server) fn run(mut self, shared: &Shared) {
        loop {
            let pause = match self.listener.accept() {
                Ok((stream, _)) => match self.serve(stream, shared) {
                    Ok(()) => Some(Duration::ZERO),
                    Err(Over::Stopping) => return,
                    Err(error) => {
                        debug!(%error, "a request on the control socket was not served");
                        Some(Duration::ZERO)
                    }
                },
                Err(error) if error.kind() == ErrorKind::WouldBlock => None,
                Err(error) => {
                    warn!(%error, "the control socket can't take a request");
                    Some(BREATHER)
                }
            };
            if self.poll(pause).is_err() {
                return;
            }
        }
    }

    fn try_open(folder: &Path) -> io::Result<(Self, Waker)> {
        let file = address::file(folder);
        remove_stale(&file)?;
        let listener = listen(&Address::of(folder)?)?;
        // From here on the file is removed with the value.
        let socket = Self { listener, file, poll: Poll::new()?, events: Events::with_capacity(4) };
        socket.listener.set_nonblocking(true)?;
        let mode = fs::metadata(&socket.file)?.permissions().mode() & 0o777;
        if mode != MODE {
            // A system on which a socket's permissions are not those that it had before it was bound.
            fs::set_permissions(&socket.file, Permissions::from_mode(MODE))?;
        }
        let source = socket.listener.as_raw_fd();
        socket.poll.registry().register(&mut SourceFd(&source), LISTENER, Interest::READABLE)?;
        let waker = Waker::new(socket.poll.registry(), WAKE)?;
        Ok((socket, waker))
    }

    fn serve(&mut self, mut stream: UnixStream, shared: &Shared) -> Result<(), Over> {
        stream.set_nonblocking(true)?;
        let source = stream.as_raw_fd();
        let interests = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut SourceFd(&source), STREAM, interests)?;
        let until = Instant::now() + REQUEST_WITHIN;
        self.write_all(&mut stream, &[GREETING], until)?;
        let answer = match self.request(&mut stream, until) {
            Ok(request) => execute(request, &shared.stores, Some(shared)),
            Err(Over::Framing(FramingError::Malformed)) => {
                Err("the running server does not understand this; it may be of another version: restart it"
                    .to_owned())
            }
            Err(over) => return Err(over),
        };
        info!(is_done = answer.is_ok(), "a request on the control socket");
        let framed = frame(&WireAnswer::from(answer), ANSWER_BYTES_MAX).or_else(|_| {
            let text = "it was done, and the answer is too long to be shown".to_owned();
            frame(&WireAnswer::Refused { text }, ANSWER_BYTES_MAX)
        });
        self.write_all(&mut stream, &framed?, Instant::now() + ANSWER_WITHIN)
    }

    fn request(&mut self, stream: &mut UnixStream, until: Instant) -> Result<AdminRequest, Over> {
        let mut arrived = Zeroizing::new(Vec::with_capacity(1024));
        let mut chunk = Zeroizing::new([0; 1024]);
        loop {
            match stream.read(chunk.as_mut()) {
                Ok(0) => return Err(Over::Io(ErrorKind::UnexpectedEof.into())),
                Ok(count) => arrived.extend(chunk.iter().take(count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(until)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(request) = unframe(&arrived, REQUEST_BYTES_MAX)? {
                return Ok(request);
            }
        }
    }

    fn write_all(&mut self, stream: &mut UnixStream, mut bytes: &[u8], until: Instant) -> Result<(), Over> {
        while !bytes.is_empty() {
            match stream.write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(until)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits for the stream, no longer than `until`.
    fn wait(&mut self, until: Instant) -> Result<(), Over> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Over::TooLate);
        }
        self.poll(Some(left))
    }

    /// Waits until something happens.
    fn poll(&mut self, within: Option<Duration>) -> Result<(), Over> {
        match self.poll.poll(&mut self.events, within) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        if self.events.iter().any(|event| event.token() == WAKE) { Err(Over::Stopping) } else { Ok(()) }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file); // what is left is replaced at the next start
    }
}

/// Removes the socket of a server that was killed. Whatever else may be there stays.
fn remove_stale(file: &Path) -> io::Result<()> {
    match fs::symlink_metadata(file) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(file),
        Ok(_) => Err(io::Error::new(
            ErrorKind::AlreadyExists,
            format!("{} is in the way and no socket; move it away", file.display()),
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// A listening socket whose file was never anyone else's: Linux takes its permissions from the socket as it is when it
/// is bound.
fn listen(address: &Address) -> io::Result<UnixListener> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let socket = File::from(socket);
    let _ = socket.set_permissions(Permissions::from_mode(MODE)); // looked at again when it is bound
    rustix::net::bind(&socket, &SocketAddrUnix::new(address.path())?)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(UnixListener::from(OwnedFd::from(socket)))
}
