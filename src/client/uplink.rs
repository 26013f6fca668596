//! The way to the server, which comes and goes: the present connection, or when the next try to come back begins. A try
//! takes up to half a minute, so it has a thread of its own and ends as [`Event::CameBack`], or as [`Event::Renewed`]
//! when it is for a connection that takes the place of the present one.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tracing::debug;

use crate::channel::Suite;
use crate::names::{NewPassword, RoomName};
use crate::wire::{ClientMessage, ServerMessage};

use super::ClientError;
use super::backoff::Backoff;
use super::connection::Connection;
use super::courier::Courier;
use super::event::Event;
use super::limits::Limits;
use super::model::Entered;
use super::naps::Naps;
use super::pass::{self, Pass};
use super::renewal::{Line, LineId, Renewal, Schedule, counts_beside, entered_last};
use super::server_identity::Server;

/// The time for the server to answer our goodbye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);

/// A connection that held for so long was a good one: after it the waits begin anew.
const GOOD_AFTER: Duration = Duration::from_secs(60);

/// A server that is asked whether it is still there answers within this time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// The present or the next connection of someone who was logged in once.
pub(super) struct Uplink {
    account: Arc<(Server, Pass)>,
    events: SyncSender<Event>,
    backoff: Backoff,
    schedule: Schedule,
    /// How long a server may be silent.
    silence: Duration,
    state: State,
    /// When something must have come on the present line, or it is lost.
    answer_due: Option<Instant>,
    naps: Naps,
    /// The lines that were let go and have not ended.
    parting: Vec<Line>,
    next_id: LineId,
}

#[allow(clippy::large_enum_variant, reason = "a client has one of it")]
enum State {
    Up { present: Line, renewal: Renewal },
    Waiting { until: Instant },
    Trying,
}

secret!(Uplink, State);

/// How it stands with the way to the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// There is a connection.
    Up,
    /// The next try begins after this time.
    Waiting(Duration),
    /// A try is under way.
    Trying,
}

/// What is to be done about a message.
pub(super) enum Passed {
    /// It counts.
    On(ServerMessage),
    /// The next line was let into all rooms that it has asked for: it is to be moved to, or put off.
    Entered(Vec<Entered>),
    /// Nothing.
    Over,
}

/// Which line has ended.
pub(super) enum Gone {
    /// The present one, and there is no other.
    Present,
    /// The present one, and the one before is still there, in these rooms.
    MovedBack(Vec<RoomName>),
    /// One that does not matter any more, or yet.
    Other,
}

impl Uplink {
    /// The way over a connection that is logged in. It is replaced when it is of the age that the limits have.
    pub(super) fn new(
        server: Server,
        pass: Pass,
        connection: Connection,
        events: SyncSender<Event>,
        limits: &Limits,
    ) -> io::Result<Self> {
        let mut uplink = Self {
            account: Arc::new((server, pass)),
            events,
            backoff: Backoff::default(),
            schedule: Schedule::new(limits.session),
            silence: limits.silence,
            state: State::Trying,
            answer_due: None,
            naps: Naps::new(SystemTime::now()),
            parting: Vec::new(),
            next_id: 0,
        };
        let present = uplink.line(connection)?;
        uplink.state = uplink.up(present);
        Ok(uplink)
    }

    /// The server at its end.
    pub(super) fn server(&self) -> &Server {
        &self.account.0
    }

    /// The person has another password now, which those connections need that no device lets in.
    pub(super) fn password_is(&self, password: NewPassword) {
        self.account.1.password_is(password);
    }

    /// What protects the present connection, if there is one.
    pub(super) fn suite(&self) -> Option<Suite> {
        match &self.state {
            State::Up { present, .. } => Some(present.suite),
            State::Waiting { .. } | State::Trying => None,
        }
    }

    /// Whether there is a connection.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// Sends a message if there is a connection. One that takes nothing any more is cut.
    pub(super) fn send(&self, message: &ClientMessage) {
        if let State::Up { present, .. } = &self.state
            && present.courier.send(message).is_err()
        {
            present.courier.cut();
        }
    }

    /// What is to be done about a message that came on this line.
    pub(super) fn pass(&mut self, line: LineId, message: ServerMessage) -> Passed {
        let State::Up { present, renewal } = &mut self.state else {
            return Passed::Over;
        };
        if line == present.id {
            self.answer_due = None;
        }
        match (renewal, message) {
            (Renewal::HandsOver { behind, .. }, ServerMessage::CaughtUp { room, sequence })
                if line == present.id =>
            {
                behind.retain(|other| other.as_str() != room);
                if behind.is_empty() {
                    self.let_go_of_the_one_before();
                }
                Passed::On(ServerMessage::CaughtUp { room, sequence })
            }
            (_, message) if line == present.id => Passed::On(message),
            (Renewal::HandsOver { before, .. }, message) if line == before.id && counts_beside(&message) => {
                Passed::On(message)
            }
            (Renewal::Enters { next, asked, entered }, ServerMessage::Joined { room, after, head })
                if line == next.id =>
            {
                entered_last(asked, entered, &room, after, head).map_or(Passed::Over, Passed::Entered)
            }
            (
                Renewal::Enters { next, .. },
                ServerMessage::Refused { .. }
                | ServerMessage::RoomRefused { .. }
                | ServerMessage::Closing { .. },
            ) if line == next.id => {
                self.put_off_renewal();
                Passed::Over
            }
            _ => Passed::Over,
        }
    }

    /// A line has ended.
    pub(super) fn ended(&mut self, line: LineId) -> Gone {
        if let Some(place) = self.parting.iter().position(|parting| parting.id == line) {
            self.parting.swap_remove(place).courier.join();
            return Gone::Other;
        }
        let State::Up { present, renewal } = &mut self.state else {
            return Gone::Other;
        };
        let is_present = line == present.id;
        match std::mem::replace(renewal, Renewal::Calls) {
            Renewal::HandsOver { before, rooms, .. } if is_present => {
                debug!("the new session is lost; the one before goes on");
                std::mem::replace(present, before).courier.join();
                *renewal = self.schedule.put_off(rand::random());
                Gone::MovedBack(rooms)
            }
            Renewal::HandsOver { before, .. } if line == before.id => {
                before.courier.join();
                *renewal = self.schedule.begins(rand::random());
                Gone::Other
            }
            Renewal::Enters { next, .. } if line == next.id => {
                next.courier.join();
                *renewal = self.schedule.put_off(rand::random());
                Gone::Other
            }
            other => {
                *renewal = other;
                if is_present { Gone::Present } else { Gone::Other }
            }
        }
    }

    /// The connection has ended, or the try has failed: the next one begins after a while.
    pub(super) fn lost(&mut self) {
        self.put_off(Duration::ZERO);
    }

    /// The same, and the server asks that no try begins before this time has passed.
    pub(super) fn put_off(&mut self, at_least: Duration) {
        if let State::Up { present, .. } = &self.state
            && present.since.elapsed() >= GOOD_AFTER
        {
            self.backoff = Backoff::default();
        }
        // Those whom the server has put off for the same time do not come all at once.
        let until = Instant::now() + at_least + self.backoff.wait(rand::random());
        self.answer_due = None;
        if let State::Up { present, renewal } = std::mem::replace(&mut self.state, State::Waiting { until }) {
            self.part_from(renewal);
            present.courier.join();
        }
    }

    /// How it stands with the way to the server.
    pub(super) fn reach(&self) -> Reach {
        match self.state {
            State::Up { .. } => Reach::Up,
            State::Waiting { until } => Reach::Waiting(until.saturating_duration_since(Instant::now())),
            State::Trying => Reach::Trying,
        }
    }

    /// The next try begins now, if one is waited for.
    pub(super) fn try_now(&mut self) {
        if let State::Waiting { until } = &mut self.state {
            *until = Instant::now();
        }
    }

    /// Looks whether the server is still there when this computer has slept, and gives it up if it does not answer.
    pub(super) fn watch(&mut self) {
        let now = Instant::now();
        if self.naps.was_one(SystemTime::now()) {
            self.look(now);
        }
        self.cut_if_due(now);
    }

    /// Much may have happened that was not noticed: sees whether the server is still there. Who waits for the next try
    /// waits no longer, and no longer after it than at first.
    fn look(&mut self, now: Instant) {
        self.backoff = Backoff::default();
        self.try_now();
        if self.is_up() {
            self.send(&ClientMessage::Ping {});
            self.answer_due = Some(now + ANSWERS_WITHIN);
        }
    }

    /// When [`Self::cut_if_due`] has something to do.
    pub(super) fn next_cut(&self) -> Option<Instant> {
        self.answer_due
    }

    /// Cuts the present connection, if the server was asked whether it is there and has not answered in time.
    fn cut_if_due(&mut self, now: Instant) {
        if self.answer_due.is_some_and(|due| due <= now) {
            self.answer_due = None;
            if let State::Up { present, .. } = &self.state {
                present.courier.cut();
            }
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
        match self.call("reconnect", Event::CameBack) {
            Ok(()) => self.state = State::Trying,
            Err(_) => self.lost(),
        }
    }

    /// A try has succeeded.
    pub(super) fn came_back(&mut self, connection: Connection) {
        match self.line(connection) {
            Ok(present) => self.state = self.up(present),
            Err(_) => self.lost(),
        }
    }

    /// When [`Self::renew_if_due`] has something to do.
    pub(super) fn next_renewal(&self) -> Option<Instant> {
        match self.state {
            State::Up { renewal: Renewal::Rests { due }, .. } => Some(due),
            _ => None,
        }
    }

    /// Begins a try to have another connection beside the present one, if that is old enough.
    pub(super) fn renew_if_due(&mut self) {
        if self.next_renewal().is_none_or(|due| due > Instant::now()) {
            return;
        }
        debug!("the session is old; calling for a new one");
        let called = self.call("renew", Event::Renewed);
        if let State::Up { renewal, .. } = &mut self.state {
            *renewal = if called.is_ok() { Renewal::Calls } else { self.schedule.put_off(rand::random()) };
        }
    }

    /// Such a try has ended. The new connection asks for these rooms, after these numbers. True when the present one was
    /// lost meanwhile, and the new one is now present instead, and has not asked.
    pub(super) fn renewed(
        &mut self,
        tried: Result<Box<Connection>, ClientError>,
        asked: Vec<(RoomName, Option<u64>)>,
    ) -> bool {
        let was_calling = matches!(self.state, State::Up { renewal: Renewal::Calls, .. });
        match tried {
            Err(error) => debug!(%error, "no new session; the present one goes on"),
            Ok(connection) if was_calling => {
                if let Ok(next) = self.line(*connection)
                    && asked.iter().all(|(room, after)| {
                        let join = ClientMessage::Join { room: room.to_string(), after: *after };
                        next.courier.send(&join).is_ok()
                    })
                    && let State::Up { renewal, .. } = &mut self.state
                {
                    *renewal = Renewal::Enters { next, asked, entered: Vec::new() };
                    return false;
                }
            }
            Ok(connection) if matches!(self.state, State::Waiting { .. }) => {
                self.came_back(*connection);
                return self.is_up();
            }
            Ok(mut connection) => connection.sending.say_goodbye(GOODBYE_WITHIN),
        }
        if was_calling {
            self.put_off_renewal();
        }
        false
    }

    /// From now on the next line, which is in the rooms, is the present one.
    pub(super) fn move_over(&mut self) {
        let State::Up { present, renewal } = &mut self.state else { return };
        match std::mem::replace(renewal, Renewal::Calls) {
            Renewal::Enters { next, asked, .. } => {
                debug!(line = next.id, "the session is renewed");
                let rooms: Vec<_> = asked.into_iter().map(|(room, _)| room).collect();
                let before = std::mem::replace(present, next);
                *renewal = Renewal::HandsOver { before, behind: rooms.clone(), rooms };
            }
            other => *renewal = other,
        }
    }

    /// Lets go of the next line; another one is tried after a while.
    pub(super) fn put_off_renewal(&mut self) {
        let put_off = self.schedule.put_off(rand::random());
        if let State::Up { renewal, .. } = &mut self.state {
            let renewal = std::mem::replace(renewal, put_off);
            self.part_from(renewal);
        }
    }

    /// Says goodbye and waits a little for the server's, so that what was sent arrives before the end does. What comes
    /// meanwhile is not looked at.
    pub(super) fn leave(mut self, inbox: Receiver<Event>) {
        let state = std::mem::replace(&mut self.state, State::Trying);
        let State::Up { present, renewal } = state else {
            drop(inbox);
            return self.parting.into_iter().for_each(|line| line.courier.join());
        };
        self.part_from(renewal);
        present.courier.say_goodbye();
        let until = Instant::now() + GOODBYE_WITHIN;
        while let Ok(event) = inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if matches!(event, Event::Ended(line, _) if line == present.id) {
                break;
            }
        }
        drop(inbox);
        present.courier.join();
        self.parting.into_iter().for_each(|line| line.courier.join());
    }

    /// The line before has nothing more to tell.
    fn let_go_of_the_one_before(&mut self) {
        let next_time = self.schedule.begins(rand::random());
        if let State::Up { renewal, .. } = &mut self.state {
            let renewal = std::mem::replace(renewal, next_time);
            self.part_from(renewal);
        }
    }

    fn part_from(&mut self, renewal: Renewal) {
        if let Renewal::Enters { next: line, .. } | Renewal::HandsOver { before: line, .. } = renewal {
            line.courier.say_goodbye();
            self.parting.push(line);
        }
    }

    /// Connects and logs in on a thread of its own, which tells of it as an event.
    fn call(
        &self,
        thread: &str,
        event: impl FnOnce(Result<Box<Connection>, ClientError>) -> Event + Send + 'static,
    ) -> io::Result<()> {
        let (account, events) = (Arc::clone(&self.account), self.events.clone());
        let come_back = move || {
            let (server, pass) = &*account;
            // Whoever has left meanwhile does not want the connection any more.
            let _ = events.send(event(pass::come_back(server, pass).map(Box::new)));
        };
        thread::Builder::new().name(thread.into()).spawn(come_back).map(drop)
    }

    fn up(&mut self, present: Line) -> State {
        State::Up { present, renewal: self.schedule.begins(rand::random()) }
    }

    fn line(&mut self, connection: Connection) -> io::Result<Line> {
        let (id, suite) = (self.next_id, connection.suite);
        self.next_id += 1;
        let courier = Courier::start(connection, id, self.silence, self.events.clone())?;
        Ok(Line { id, courier, suite, since: Instant::now() })
    }
}

#[cfg(test)]
#[path = "uplink_tests.rs"]
mod tests;
