//! The way to the server, which comes and goes: the present connection, or when the next try to come back begins. A try
//! takes up to half a minute, so it has a thread of its own and ends as [`Event::CameBack`].

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::channel::Suite;
use crate::wire::ClientMessage;

use super::backoff::Backoff;
use super::connection::Connection;
use super::courier::Courier;
use super::event::Event;
use super::login::{self, Pass};
use super::server_identity::Server;

/// The time for the server to answer our goodbye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);

/// A connection that held for so long was a good one: after it the waits begin anew.
const GOOD_AFTER: Duration = Duration::from_secs(60);

/// The present or the next connection of someone who was logged in once.
pub(super) struct Uplink {
    account: Arc<(Server, Pass)>,
    events: SyncSender<Event>,
    backoff: Backoff,
    state: State,
}

enum State {
    Up { courier: Courier, suite: Suite, since: Instant },
    Waiting { until: Instant },
    Trying,
}

impl Uplink {
    /// The way over a connection that is logged in.
    pub(super) fn new(
        server: Server,
        pass: Pass,
        connection: Connection,
        events: SyncSender<Event>,
    ) -> io::Result<Self> {
        let state = up(connection, &events)?;
        Ok(Self { account: Arc::new((server, pass)), events, backoff: Backoff::default(), state })
    }

    /// The server at its end.
    pub(super) fn server(&self) -> &Server {
        &self.account.0
    }

    /// What protects the present connection, if there is one.
    pub(super) fn suite(&self) -> Option<Suite> {
        match self.state {
            State::Up { suite, .. } => Some(suite),
            State::Waiting { .. } | State::Trying => None,
        }
    }

    /// Whether there is a connection.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// Sends a message if there is a connection. One that takes nothing any more is cut.
    pub(super) fn send(&self, message: &ClientMessage) {
        if let State::Up { courier, .. } = &self.state
            && courier.send(message).is_err()
        {
            courier.cut();
        }
    }

    /// The connection has ended, or the try has failed: the next one begins after a while.
    pub(super) fn lost(&mut self) {
        if let State::Up { since, .. } = &self.state
            && since.elapsed() >= GOOD_AFTER
        {
            self.backoff = Backoff::default();
        }
        let until = Instant::now() + self.backoff.wait(rand::random());
        if let State::Up { courier, .. } = std::mem::replace(&mut self.state, State::Waiting { until }) {
            courier.join();
        }
    }

    /// When [`Self::try_if_due`] has something to do.
    pub(super) fn next_try(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { until } => Some(until),
            State::Up { .. } | State::Trying => None,
        }
    }

    /// Begins a try to come back, if it is time.
    pub(super) fn try_if_due(&mut self) {
        if self.next_try().is_none_or(|due| due > Instant::now()) {
            return;
        }
        let (account, events) = (Arc::clone(&self.account), self.events.clone());
        let come_back = move || {
            let (server, pass) = &*account;
            // Whoever has left meanwhile does not want the connection any more.
            let _ = events.send(Event::CameBack(login::come_back(server, pass).map(Box::new)));
        };
        match thread::Builder::new().name("reconnect".into()).spawn(come_back) {
            Ok(_) => self.state = State::Trying,
            Err(_) => self.lost(),
        }
    }

    /// A try has succeeded.
    pub(super) fn came_back(&mut self, connection: Connection) {
        match up(connection, &self.events) {
            Ok(state) => self.state = state,
            Err(_) => self.lost(),
        }
    }

    /// Says goodbye and waits a little for the server's, so that what was sent arrives before the end does. What comes
    /// meanwhile is not looked at.
    pub(super) fn leave(self, inbox: Receiver<Event>) {
        let State::Up { courier, .. } = self.state else {
            return;
        };
        courier.say_goodbye();
        let until = Instant::now() + GOODBYE_WITHIN;
        while let Ok(event) = inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if matches!(event, Event::Ended(_)) {
                break;
            }
        }
        drop(inbox);
        courier.join();
    }
}

fn up(connection: Connection, events: &SyncSender<Event>) -> io::Result<State> {
    let suite = connection.suite;
    let courier = Courier::start(connection, events.clone())?;
    Ok(State::Up { courier, suite, since: Instant::now() })
}
