//! Takes connections and gives each a thread. It never waits for one of them.

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use rustix::net::sockopt::set_socket_send_buffer_size;
use tracing::{debug, info_span, warn};

use super::clock;
use super::hub::Refusal;
use super::session;
use super::shared::Shared;
use crate::channel::{self, ChannelError};

/// Connections that the system holds for us while many come at once.
const BACKLOG: i32 = 1024;

/// Address space for a session's stack; only what is touched takes memory.
const STACK_BYTES: usize = if cfg!(debug_assertions) { 1024 * 1024 } else { 256 * 1024 };

/// How long to let things calm down when the system has no descriptor or thread left for a newcomer.
const BREATHER: Duration = Duration::from_millis(100);

/// What the system may hold for a client that does not read; Linux takes twice this. Left alone it would hold up to 4 MiB
/// for each, which no limit of ours counts, and a slow line would need as long for it before it hears a ping.
const SEND_BYTES: usize = 128 * 1024;

/// Connections taken in one go; then it is looked whether the server ends, and whether others wait elsewhere.
const ACCEPTS_MAX: usize = 64;

/// How often it is logged at most that newcomers are turned away: they may be many, and of one mind.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// The waker's token; listeners are numbered from 0.
const WAKE: Token = Token(usize::MAX);

/// Where to listen when nothing else was said: both IP families, or IPv4 where the host has no IPv6.
const DEFAULT: [&str; 2] = ["[::]:5555", "0.0.0.0:5555"];

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// It is no address.
    #[error(
        "'{0}' is no address to listen on; write ADDRESS:PORT, for example 127.0.0.1:5555 or '[::]:5555'"
    )]
    NoAddress(String),
    /// Somebody else listens there.
    #[error("{0} is in use, perhaps by another chat server; stop it, or choose another port with --listen")]
    InUse(String),
    /// The system does not let us.
    #[error(
        "you may not listen on {0}; ports below 1024 need special rights: choose a higher one with --listen"
    )]
    NotAllowed(String),
    /// The host has no such address.
    #[error("this host has no address {0}; list its addresses with: ip address")]
    NotOurs(String),
    /// Anything else.
    #[error("{address} can't be listened on: {source}")]
    Other {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Binds all of `addresses`, or the default when there are none.
pub(super) fn bind(addresses: &[String]) -> Result<Vec<TcpListener>, ListenError> {
    if !addresses.is_empty() {
        return addresses.iter().map(|address| bind_one(address)).collect();
    }
    let [both, ipv4] = DEFAULT;
    let listener = match bind_one(both) {
        Err(ListenError::Other { .. } | ListenError::NotOurs(_)) => bind_one(ipv4)?,
        bound => bound?,
    };
    Ok(vec![listener])
}

/// Whether all of `addresses` are some. Nothing is listened on.
pub(super) fn check(addresses: &[String]) -> Result<(), ListenError> {
    addresses.iter().try_for_each(|address| resolve(address).map(drop))
}

/// Accepts from some listeners, on a thread of its own.
pub(super) struct Acceptor {
    listeners: Vec<TcpListener>,
    poll: Poll,
}

impl Acceptor {
    /// An acceptor, and what ends its [`Self::run`].
    pub(super) fn new(listeners: Vec<TcpListener>) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        for (number, listener) in listeners.iter().enumerate() {
            rustix::net::listen(listener, BACKLOG)?;
            listener.set_nonblocking(true)?;
            let source = listener.as_raw_fd();
            poll.registry().register(&mut SourceFd(&source), Token(number), Interest::READABLE)?;
        }
        let waker = Waker::new(poll.registry(), WAKE)?;
        Ok((Self { listeners, poll }, waker))
    }

    /// Accepts until it is woken.
    pub(super) fn run(mut self, shared: &Arc<Shared>) {
        let mut events = Events::with_capacity(16);
        let mut pause = None;
        let mut turned_away = TurnedAway::default();
        loop {
            if let Err(error) = self.poll.poll(&mut events, pause)
                && error.kind() != ErrorKind::Interrupted
            {
                warn!(%error, "waiting for connections failed");
            }
            if events.iter().any(|event| event.token() == WAKE) {
                return;
            }
            let accepted = |listener| accept_some(listener, shared, &mut turned_away);
            pause = self.listeners.iter().filter_map(accepted).max();
        }
    }
}

fn bind_one(address: &str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(&*resolve(address)?).map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => ListenError::InUse(address.to_owned()),
        ErrorKind::PermissionDenied => ListenError::NotAllowed(address.to_owned()),
        ErrorKind::AddrNotAvailable => ListenError::NotOurs(address.to_owned()),
        _ => ListenError::Other { address: address.to_owned(), source },
    })
}

fn resolve(address: &str) -> Result<Vec<SocketAddr>, ListenError> {
    let resolved = address.to_socket_addrs().map_err(|_| ListenError::NoAddress(address.to_owned()))?;
    Ok(resolved.collect())
}

/// Takes those who wait. Gives how long to wait before trying again; `None` when all are taken.
fn accept_some(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    turned_away: &mut TurnedAway,
) -> Option<Duration> {
    for _ in 0..ACCEPTS_MAX {
        match listener.accept() {
            Ok((stream, address)) => welcome(stream, address, shared, turned_away),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            // The newcomer is gone again (accept(2) hands over the errors of the connection).
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
            Err(error) => {
                warn!(%error, "a connection can't be accepted");
                return Some(BREATHER);
            }
        }
    }
    Some(Duration::ZERO)
}

/// How many were turned away since it was last logged, and when that was.
#[derive(Default)]
struct TurnedAway {
    count: u64,
    told: Option<Instant>,
}

impl TurnedAway {
    fn one_more(&mut self, address: SocketAddr) {
        self.count += 1;
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            warn!(last = %address, count = self.count, "no place is free: newcomers are turned away");
            *self = Self { count: 0, told: Some(Instant::now()) };
        }
    }
}

fn welcome(stream: TcpStream, address: SocketAddr, shared: &Arc<Shared>, turned_away: &mut TurnedAway) {
    let prepared = stream
        .set_nonblocking(false)
        .and_then(|()| stream.set_nodelay(true))
        .and_then(|()| Ok(set_socket_send_buffer_size(&stream, SEND_BYTES)?));
    if let Err(error) = prepared {
        debug!(%error, %address, "a connection is gone before it began");
        return;
    }
    if is_banned(shared, address) {
        debug!(%address, "banned");
        return turn_away(&stream, channel::refuse_banned);
    }
    let client = match shared.hub.admit(stream, address, &shared.settings().limits) {
        Ok(client) => client,
        Err((Refusal::Stopping, _)) => return,
        Err((Refusal::Full, stream)) => {
            turned_away.one_more(address);
            turn_away(&stream, channel::refuse_full);
            return;
        }
    };
    // A ban that is made in this very moment has not seen this connection.
    if is_banned(shared, address) {
        shared.hub.leave(&client);
        return turn_away(&client.stream, channel::refuse_banned);
    }
    let span = info_span!("session", id = client.id);
    let (thread_shared, thread_client) = (Arc::clone(shared), Arc::clone(&client));
    let started = thread::Builder::new()
        .name(format!("session-{}", client.id))
        .stack_size(STACK_BYTES)
        .spawn(move || span.in_scope(|| session::serve(&thread_shared, &thread_client)));
    if let Err(error) = started {
        warn!(%error, %address, "no thread for a newcomer, who is turned away");
        shared.hub.leave(&client);
        turn_away(&client.stream, channel::refuse_full);
    }
}

fn is_banned(shared: &Shared, address: SocketAddr) -> bool {
    shared.stores.bans.of_address(address.ip(), clock::now()).is_some()
}

/// Says why, if the socket takes six bytes at once, and closes. What the newcomer has sent by then is read, so that
/// closing does not throw our answer away.
fn turn_away<'s>(mut stream: &'s TcpStream, refuse: fn(&mut &'s TcpStream) -> Result<(), ChannelError>) {
    if stream.set_nonblocking(true).is_ok() {
        let _ = stream.read(&mut [0; 64]);
        let _ = refuse(&mut stream);
    }
}
