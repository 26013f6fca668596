//! The client map: every connection, who it is, and when it was last heard. It decides who is let in, and it is where
//! the server finds everyone when it ends.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tracing::debug;

use super::bots::Token;
use super::limits::Limits;
use super::lock::lock;
use super::origin::Origin;
use super::outbox::{Outbox, SessionId};
use super::strangers::{Places, Strangers, Verdict};
use crate::channel::PublicKey;
use crate::names::Username;
use crate::wire::Code;

/// How often it is looked for who is most likely gone, when all places are taken: it is a look at everyone.
const GHOSTS_EVERY: Duration = Duration::from_millis(250);

/// What is told on the session of such a one, should they be there after all.
const GAVE_WAY: Ending = Ending {
    code: Code::GaveWay,
    text: Cow::Borrowed("nothing came for a while, and another connection needed the place; connect again"),
};

/// One connection.
pub(super) struct Client {
    pub(super) id: SessionId,
    pub(super) stream: Arc<TcpStream>,
    pub(super) address: SocketAddr,
    /// What of the address is counted.
    pub(super) origin: Origin,
    /// Set when someone logs in.
    member: OnceLock<Member>,
    /// Why the server ends this session, once it wants to. Written by whoever ends it.
    ending: OnceLock<Ending>,
    /// Its thread rests, and so hears nothing that may have come. Written by that thread.
    is_resting: AtomicBool,
    /// The session is to end: its thread, which may be resting, goes on. Written by whoever ends it.
    is_over: Mutex<bool>,
    woken: Condvar,
    /// When it was last heard, in milliseconds since `since`. Written by the session's thread.
    heard: AtomicU64,
    since: Instant,
}

/// Why a session is ended by another one, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) code: Code,
    pub(super) text: Cow<'static, str>,
}

/// Someone who has logged in.
pub(super) struct Member {
    pub(super) name: Username,
    /// The key that the handshake has proved, whether it is remembered or not.
    pub(super) key: PublicKey,
    pub(super) outbox: Arc<Outbox>,
    /// By which a bot has come in.
    pub(super) token: Option<Token>,
}

impl Member {
    /// The number of the token by which a bot has come in.
    pub(super) fn token_id(&self) -> Option<i64> {
        self.token.as_ref().map(|token| token.id)
    }
}

impl Client {
    /// Notes that something came from the client.
    pub(super) fn was_heard(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now, Ordering::Relaxed);
    }

    /// How long nothing has come; nothing while nobody listens.
    pub(super) fn silence(&self) -> Duration {
        if self.is_resting.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        self.since.elapsed().saturating_sub(Duration::from_millis(self.heard.load(Ordering::Relaxed)))
    }

    /// Who it is, once that is known.
    pub(super) fn member(&self) -> Option<&Member> {
        self.member.get()
    }

    /// Ends the session: its thread, which may be waiting for the client, wakes up and says why.
    pub(super) fn end(&self, ending: Ending) {
        let _ = self.ending.set(ending); // whoever was first has said why
        self.stop_reading();
    }

    /// Ends the session's reading: its thread, which may be waiting for the client or resting, goes on.
    fn stop_reading(&self) {
        let _ = self.stream.shutdown(Shutdown::Read);
        *lock(&self.is_over) = true;
        self.woken.notify_all();
    }

    /// Waits for so long, or until the session is to end. The session's thread does so.
    pub(super) fn rest(&self, time: Duration) {
        self.is_resting.store(true, Ordering::Relaxed);
        let is_over = lock(&self.is_over);
        drop(self.woken.wait_timeout_while(is_over, time, |is_over| !*is_over));
        self.was_heard();
        self.is_resting.store(false, Ordering::Relaxed);
    }

    /// Why the session is to end, if it is.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending.get().cloned()
    }
}

/// Why a newcomer is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are as many connections as the limits allow, in all or from this address.
    Full,
    /// The server is ending.
    Stopping,
}

/// All connections.
#[derive(Default)]
pub(super) struct Hub {
    clients: Mutex<Clients>,
    /// Told when a client leaves.
    left: Condvar,
    /// Set once, under the lock of `clients`; read without it.
    stopping: AtomicBool,
}

/// Written by the listener, and by session threads as they log in and end.
#[derive(Default)]
struct Clients {
    map: HashMap<SessionId, Arc<Client>>,
    /// How many connections of `map` each address has; never 0.
    by_origin: HashMap<Origin, usize>,
    /// Those of `map` who have not logged in, but for who had to give way and is about to be gone.
    strangers: Strangers,
    next: SessionId,
    /// When nobody was found who is most likely gone.
    no_ghost: Option<Instant>,
    /// Members whose threads have ended because the server does, to be told goodbye.
    to_dismiss: Vec<Arc<Outbox>>,
}

impl Hub {
    /// Lets a connection in, as a stranger, or gives it back. Another stranger may have to give way for it.
    pub(super) fn admit(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        limits: &Limits,
    ) -> Result<Arc<Client>, (Refusal, TcpStream)> {
        let origin = Origin::from(address.ip());
        let mut clients = lock(&self.clients);
        if self.is_stopping() {
            return Err((Refusal::Stopping, stream));
        }
        let Ok(to_give_way) = clients.room_for(origin, limits) else {
            return Err((Refusal::Full, stream));
        };
        let id = clients.next;
        clients.next += 1;
        let client = Arc::new(Client {
            id,
            stream: Arc::new(stream),
            address,
            origin,
            member: OnceLock::new(),
            ending: OnceLock::new(),
            is_resting: AtomicBool::new(false),
            is_over: Mutex::new(false),
            woken: Condvar::new(),
            heard: AtomicU64::new(0),
            since: Instant::now(),
        });
        clients.strangers.insert(origin, id);
        *clients.by_origin.entry(origin).or_default() += 1;
        clients.map.insert(id, Arc::clone(&client));
        drop(clients);
        if let Some(other) = to_give_way {
            debug!(session = other.id, origin = %other.origin, "a stranger gives way");
            let _ = other.stream.shutdown(Shutdown::Both);
        }
        Ok(client)
    }

    /// Makes a stranger a member.
    pub(super) fn log_in(&self, client: &Client, member: Member) {
        let mut clients = lock(&self.clients);
        if client.member.set(member).is_ok() {
            clients.strangers.remove(client.origin, client.id);
        }
    }

    /// Forgets a connection whose thread ends. True when the server is ending and will say goodbye to it.
    pub(super) fn leave(&self, client: &Client) -> bool {
        let mut clients = lock(&self.clients);
        clients.forget(client);
        if let Some(member) = client.member().filter(|_| self.is_stopping()) {
            clients.to_dismiss.push(Arc::clone(&member.outbox));
        }
        self.left.notify_all();
        self.is_stopping()
    }

    /// Everyone who is logged in.
    pub(super) fn members(&self) -> Vec<Arc<Client>> {
        lock(&self.clients).map.values().filter(|client| client.member().is_some()).map(Arc::clone).collect()
    }

    /// Whether someone has a session.
    pub(super) fn is_connected(&self, name: &Username) -> bool {
        let clients = lock(&self.clients);
        clients.map.values().any(|client| client.member().is_some_and(|member| member.name == *name))
    }

    /// How many connections there are, strangers too.
    pub(super) fn connections(&self) -> usize {
        lock(&self.clients).map.len()
    }

    /// Ends those of the sessions of `name` that `is_meant` picks.
    pub(super) fn end_sessions(
        &self,
        name: &Username,
        ending: &Ending,
        is_meant: impl Fn(&Client, &Member) -> bool,
    ) {
        for client in lock(&self.clients).map.values() {
            if client.member().is_some_and(|member| member.name == *name && is_meant(client, member)) {
                client.end(ending.clone());
            }
        }
    }

    /// Waits until no session of `name` is left. False if the time is `until` before that.
    pub(super) fn wait_until_gone(&self, name: &Username, until: Instant) -> bool {
        let is_here = |client: &Arc<Client>| client.member().is_some_and(|member| member.name == *name);
        let mut clients = lock(&self.clients);
        while clients.map.values().any(is_here) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            clients = self.left.wait_timeout(clients, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Ends those connections that `is_meant` picks, of strangers too. Gives how many they are.
    pub(super) fn end_connections(&self, ending: &Ending, is_meant: impl Fn(&Client) -> bool) -> usize {
        let clients = lock(&self.clients);
        let meant = clients.map.values().filter(|client| is_meant(client));
        meant.map(|client| client.end(ending.clone())).count()
    }

    /// Whether the server is ending.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Lets nobody in any more, and ends every session's reading. Gives those who are to be told goodbye, once their
    /// threads have ended or the time is `until`.
    pub(super) fn stop(&self, until: Instant) -> Vec<Arc<Outbox>> {
        let mut clients = lock(&self.clients);
        self.stopping.store(true, Ordering::Release);
        for client in clients.map.values() {
            client.stop_reading();
        }
        while !clients.map.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.left.wait_timeout(clients, left);
            clients = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::take(&mut clients.to_dismiss)
    }
}

impl Clients {
    /// Sees whether there is room for a newcomer, and who has to give way for it; that one is no longer counted.
    fn room_for(&mut self, origin: Origin, limits: &Limits) -> Result<Option<Arc<Client>>, Full> {
        let here = self.by_origin.get(&origin).copied().unwrap_or(0);
        let per_address = limits.connections_per_address.unwrap_or(limits.connections);
        if self.map.len() >= limits.connections || here >= per_address {
            let only_from = (here >= per_address).then_some(origin);
            self.ghost(only_from, limits).ok_or(Full)?.end(GAVE_WAY);
        }
        let places = Places { in_all: limits.strangers, per_address: limits.strangers_per_address };
        let had_its_time =
            |id| self.map.get(&id).is_none_or(|client| client.since.elapsed() >= limits.handshake);
        match self.strangers.judge(origin, places, had_its_time) {
            Verdict::LetIn => Ok(None),
            Verdict::TurnAway => Err(Full),
            Verdict::InPlaceOf(id) => {
                let other = self.map.get(&id).map(Arc::clone);
                if let Some(other) = &other {
                    self.strangers.remove(other.origin, id);
                }
                Ok(other)
            }
        }
    }

    /// A member who is most likely gone, so that the connection that such a one has lost is in nobody's way.
    fn ghost(&mut self, only_from: Option<Origin>, limits: &Limits) -> Option<&Client> {
        let now = Instant::now();
        if self.no_ghost.is_some_and(|looked| now.saturating_duration_since(looked) < GHOSTS_EVERY) {
            return None;
        }
        let here = self.map.values().filter(|client| only_from.is_none_or(|origin| client.origin == origin));
        let members = here.filter(|client| client.member().is_some() && client.ending().is_none());
        let ghost = members.max_by_key(|client| client.silence());
        let ghost = ghost.filter(|client| client.silence() >= limits.ghost_after());
        if ghost.is_none() {
            self.no_ghost = Some(now);
        }
        ghost.map(Arc::as_ref)
    }

    fn forget(&mut self, client: &Client) {
        self.strangers.remove(client.origin, client.id);
        if self.map.remove(&client.id).is_some()
            && let Entry::Occupied(mut here) = self.by_origin.entry(client.origin)
        {
            *here.get_mut() -= 1;
            if *here.get() == 0 {
                here.remove();
            }
        }
    }
}

/// There is no room.
struct Full;
