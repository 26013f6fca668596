//! The conversation, from the login to the goodbye. It takes one event after the other, asks the model what it means,
//! and sees that the screen, the server and the person learn of it. Whatever takes time (the network, the keyboard, a
//! try to come back) has a thread of its own, so that nothing here waits for it.

mod account;
mod hearing;
mod history;
mod moderation;
mod people;
mod rooms;
mod search;
mod typing;

use std::io::{self, IsTerminal};
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::names::{AwayReason, RoomName};

use super::comings::Comings;
use super::connection::Connection;
use super::event::{EVENTS_MAX, Event};
use super::leaving::{Leaving, UnderWay};
use super::line_mode::{PlainLines, Screen, Transcript, is_for_editing, read_keys};
use super::login::LoggedIn;
use super::model::{Entered, Model};
use super::own_account::OwnAccount;
use super::server_identity::Server;
use super::signals::Signals;
use super::uplink::{Gone, Passed, Uplink};
use super::{ClientError, Config, room_words};
use history::Reading;
use rooms::Questions;
use search::LastSearch;

/// How long to wait for an event when nothing else is due.
const IDLE: Duration = Duration::from_secs(3600);

/// Converses until the person leaves, a signal asks for it, or the server can't be come back to.
/// Signals were `handled` otherwise until now.
pub(super) fn converse(
    server: Server,
    logged_in: LoggedIn,
    config: &Config,
    handled: Signals,
) -> Result<(), ClientError> {
    let (events, inbox) = sync_channel(EVENTS_MAX);
    let signals = Signals::listen(events.clone())?;
    handled.ignore();
    let mut session = Session::start(server, logged_in, config, events)?;
    let ended = session.take_events(&inbox);
    let left = session.leave(inbox, ended);
    signals.ignore();
    left
}

/// One person's conversation.
struct Session {
    model: Model,
    transcript: Transcript,
    screen: Screen,
    uplink: Uplink,
    /// Where lines come from when they are not typed on the screen.
    lines: Option<PlainLines>,
    /// The room that was entered first.
    entry: RoomName,
    /// The first catching up is complete and the person was greeted.
    is_greeted: bool,
    /// All rooms of the account were told once.
    knows_rooms: bool,
    /// The person was told that the connection is lost, and not yet that it is back.
    is_lost: bool,
    /// Why the server ends the session, if it said so.
    closing: Option<String>,
    leaving: Option<Leaving>,
    own_account: OwnAccount,
    questions: Questions,
    reading: Reading,
    /// What was searched for last.
    searched: Option<LastSearch>,
    /// Who comes and goes, when someone sits at a terminal; for programs each line stands as it happens.
    comings: Option<Comings>,
    /// What this client has said of its person being away, to be said again on the next connection.
    away: Option<AwayReason>,
    /// Lines that were not sent, or were refused.
    failed: usize,
}

secret!(Session);

impl Session {
    fn start(
        server: Server,
        logged_in: LoggedIn,
        config: &Config,
        events: SyncSender<Event>,
    ) -> Result<Self, ClientError> {
        let LoggedIn { connection, name, pass } = logged_in;
        let room = config.link.room.clone().unwrap_or_else(RoomName::lobby);
        let is_for_terminal = io::stdout().is_terminal();
        let transcript = Transcript::new(TimeZone::system(), Timestamp::now(), is_for_terminal);
        let (screen, lines) = if is_for_editing() && !config.plain {
            let screen = Screen::with_editor()?;
            read_keys(events.clone())?;
            (screen, None)
        } else {
            (Screen::plain(), Some(PlainLines::start(events.clone())?))
        };
        let uplink = Uplink::new(server, pass, connection, events, config.limits.session)?;
        let mut session = Self {
            model: Model::new(name, room.clone()),
            entry: room,
            transcript,
            screen,
            uplink,
            lines,
            is_greeted: false,
            knows_rooms: false,
            is_lost: false,
            closing: None,
            leaving: None,
            own_account: OwnAccount::default(),
            questions: Questions::default(),
            reading: Reading::of_this_terminal(),
            searched: None,
            comings: is_for_terminal.then(Comings::default),
            away: None,
            failed: 0,
        };
        session.show_room()?;
        session.begin();
        Ok(session)
    }

    fn take_events(&mut self, inbox: &Receiver<Event>) -> Result<(), ClientError> {
        loop {
            if self.uplink.is_up() {
                self.send_unsent();
                self.ask_questions()?;
                self.mark_if_due();
            }
            let unsettled = self.under_way().unsettled;
            if let Some(lines) = self.lines.as_mut().filter(|_| self.is_greeted) {
                lines.allow(unsettled);
            }
            self.tell_due_comings()?;
            self.uplink.try_if_due();
            if self.is_calm() {
                self.uplink.renew_if_due();
            }
            if self.may_leave() {
                return Ok(());
            }
            match inbox.recv_timeout(self.patience()) {
                Ok(event) => {
                    if self.take(event)?.is_break() {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<ControlFlow<()>, ClientError> {
        match event {
            Event::Server(line, message) => match self.uplink.pass(line, message) {
                Passed::On(message) => self.heard(message)?,
                Passed::Entered(rooms) => self.move_over(&rooms),
                Passed::Over => {}
            },
            Event::Ended(line, end) => match self.uplink.ended(line) {
                Gone::Present => {
                    let reason = self.closing.take().unwrap_or_else(|| end.to_string());
                    return Ok(self.lost(&reason)?);
                }
                Gone::MovedBack(rooms) => self.model.moved_back(&rooms),
                Gone::Other => {}
            },
            Event::Renewed(mut tried) => {
                tried.iter_mut().try_for_each(|connection| self.tell_news(connection))?;
                if self.uplink.renewed(tried, self.model.entered()) {
                    self.begin();
                }
            }
            Event::CameBack(Ok(mut connection)) => {
                self.tell_news(&mut connection)?;
                self.uplink.came_back(*connection);
                self.begin();
            }
            Event::CameBack(Err(error)) if error.is_final() => return Err(error),
            Event::CameBack(Err(ClientError::PutOff { reason, wait, .. })) => {
                self.uplink.put_off(wait);
                self.note(&format!("the server says: {reason}"))?;
            }
            Event::CameBack(Err(_)) => self.uplink.lost(),
            Event::Line(line) => return self.plain_line(line),
            Event::Key(key) => return self.key(key),
            Event::Stop => return Ok(Break(())),
        }
        Ok(Continue(()))
    }

    /// Ends what is left to end. Tells what the server never got.
    fn leave(mut self, inbox: Receiver<Event>, ended: Result<(), ClientError>) -> Result<(), ClientError> {
        let undelivered: Vec<String> = self.model.undelivered().map(room_words::not_delivered).collect();
        let told = self.tell_held_comings();
        let told = told.and_then(|()| undelivered.iter().try_for_each(|told| self.note(told)));
        let closed = told.and_then(|()| self.screen.close());
        self.mark_now();
        self.uplink.leave(inbox);
        ended.and_then(|()| Ok(closed?)).or_else(unless_nobody_reads)?;
        // Who types has seen what was refused; a script has only the exit code.
        let failed = undelivered.len() + if self.lines.is_some() { self.failed } else { 0 };
        if failed == 0 { Ok(()) } else { Err(ClientError::NotDelivered { count: failed }) }
    }

    /// On a new connection: enters what is to be entered, and asks for the rooms that the account is in.
    fn begin(&mut self) {
        self.send_unsent();
        let ask = self.model.ask_for_rooms();
        self.uplink.send(&ask);
        self.say_away_again();
    }

    fn send_unsent(&mut self) {
        for message in self.model.take_unsent() {
            self.uplink.send(&message);
        }
    }

    /// The new connection is in the rooms.
    fn move_over(&mut self, rooms: &[Entered]) {
        if self.is_calm() && rooms.len() == self.model.rooms().count() {
            self.model.moved(rooms);
            self.uplink.move_over();
            let ask = self.model.ask_for_rooms();
            self.uplink.send(&ask);
        } else {
            self.uplink.put_off_renewal();
        }
    }

    /// Whether another connection could take the place of the present one without anyone noticing: nobody is on the way
    /// in or out, and no answer is due that comes only on the connection where it was asked for.
    fn is_calm(&self) -> bool {
        self.is_greeted
            && !self.is_lost
            && self.leaving.is_none()
            && self.own_account.unsettled() == 0
            && self.questions.len() == 0
            && self.model.is_at_rest()
    }

    fn lost(&mut self, reason: &str) -> io::Result<ControlFlow<()>> {
        self.model.disconnected();
        self.uplink.lost();
        let told = self.own_account.answers_lost();
        self.react(told)?;
        self.questions_lost()?;
        if !self.is_lost {
            self.is_lost = true;
            self.note(&format!("the connection is lost ({reason}); trying to come back"))?;
        }
        let is_asked_to_leave = self.leaving.is_some() && self.lines.is_none();
        Ok(if is_asked_to_leave { Break(()) } else { Continue(()) })
    }

    fn tell_news(&mut self, connection: &mut Connection) -> io::Result<()> {
        connection.news.take().map_or(Ok(()), |news| self.note(&news))
    }

    fn want_to_leave(&mut self) {
        self.leaving = Some(Leaving::begin(self.under_way()));
    }

    fn may_leave(&mut self) -> bool {
        let under_way = self.under_way();
        self.leaving.as_mut().is_some_and(|leaving| leaving.may_leave(under_way))
    }

    fn under_way(&self) -> UnderWay {
        UnderWay {
            unsettled: self.model.unsettled()
                + self.model.entering()
                + self.questions.len()
                + self.own_account.unsettled(),
            undelivered: self.model.undelivered().count(),
            is_greeted: self.is_greeted,
        }
    }

    fn patience(&self) -> Duration {
        let due = self
            .uplink
            .next_try()
            .into_iter()
            .chain(self.comings.as_ref().and_then(Comings::due))
            .chain(self.leaving.as_ref().map(Leaving::until))
            .chain(self.uplink.next_renewal().filter(|_| self.is_calm()))
            .chain(self.reading.next_mark())
            .min();
        due.map_or(IDLE, |due| due.saturating_duration_since(Instant::now()))
    }

    fn not_sent(&mut self, why: &str) -> io::Result<()> {
        self.failed += 1;
        self.note(why)
    }

    fn note(&mut self, text: &str) -> io::Result<()> {
        let line = self.transcript.note(text);
        self.screen.print([line.as_str()])
    }

    fn print(&mut self, lines: &[String]) -> io::Result<()> {
        self.screen.print(lines.iter().map(String::as_str))
    }
}

/// Whoever reads our output has left, as `head` does; then there is nothing more to say.
fn unless_nobody_reads(error: ClientError) -> Result<(), ClientError> {
    match error {
        ClientError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        error => Err(error),
    }
}
