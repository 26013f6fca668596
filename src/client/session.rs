//! The conversation, from the login to the goodbye. It takes one event after the other, asks the model what it means,
//! and sees that the screen, the server and the person learn of it. Whatever takes time (the network, the keyboard, a
//! try to come back) has a thread of its own, so that nothing here waits for it.

mod account;
mod directs;
mod hearing;
mod history;
mod messages;
mod moderation;
mod people;
mod rooms;
mod search;
mod typing;

use std::io::{self, IsTerminal};
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::names::{AwayReason, RoomName};

use super::comings::Comings;
use super::event::{EVENTS_MAX, Event};
use super::leaving::{Leaving, UnderWay};
use super::line_mode::{LINE_BYTES_MAX, PlainLines, Screen, Transcript, is_for_editing, read_keys};
use super::login::LoggedIn;
use super::model::Model;
use super::own_account::OwnAccount;
use super::reader::unless_nobody_reads;
use super::server_identity::Server;
use super::signals::Signals;
use super::turn::Turn;
use super::uplink::Uplink;
use super::{ClientError, Config, Task, View, message_words};
use history::Reading;
use rooms::Questions;
use search::LastSearch;

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
    /// Who is away, as it was told last to this person who has written to them.
    told_away: String,
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
        let (screen, lines) = if is_for_editing() && config.task == Task::Converse(View::Screen) {
            let screen = Screen::with_editor()?;
            read_keys(events.clone())?;
            (screen, None)
        } else {
            (Screen::plain(), Some(PlainLines::start(events.clone(), LINE_BYTES_MAX)?))
        };
        let uplink = Uplink::new(server, pass, connection, events, &config.limits)?;
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
            told_away: String::new(),
            failed: 0,
        };
        session.show_room()?;
        session.uplink.begin(&mut session.model);
        Ok(session)
    }

    fn take_events(&mut self, inbox: &Receiver<Event>) -> Result<(), ClientError> {
        loop {
            let is_calm = self.is_calm();
            self.uplink.keep_up(&mut self.model, is_calm);
            if self.uplink.is_up() {
                self.ask_questions()?;
                self.mark_if_due();
            }
            let unsettled = self.under_way().unsettled;
            if let Some(lines) = self.lines.as_mut().filter(|_| self.is_greeted) {
                lines.allow(unsettled);
            }
            self.show_room()?;
            self.tell_due_comings()?;
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
        let is_calm = self.is_calm();
        match self.uplink.turn(&mut self.model, event, is_calm)? {
            Turn::Heard(message) => self.heard(message)?,
            Turn::Lost(end) => {
                let reason = self.closing.take().unwrap_or_else(|| end.to_string());
                return Ok(self.lost(&reason)?);
            }
            Turn::PutOff(reason) => self.note(&format!("the server says: {reason}"))?,
            Turn::News(news) => self.note(&news)?,
            Turn::Began(news) => {
                news.map_or(Ok(()), |news| self.note(&news))?;
                self.say_away_again();
            }
            Turn::Own(Event::Line(line)) => return self.plain_line(line),
            Turn::Own(Event::Key(key)) => return self.key(key),
            Turn::Own(Event::Stop) => return Ok(Break(())),
            Turn::Own(_) | Turn::None => {}
        }
        Ok(Continue(()))
    }

    /// Ends what is left to end. Tells what the server never got.
    fn leave(mut self, inbox: Receiver<Event>, ended: Result<(), ClientError>) -> Result<(), ClientError> {
        let undelivered: Vec<String> = self.model.undelivered().map(message_words::not_delivered).collect();
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
        let due = [
            self.next_countdown(),
            self.comings.as_ref().and_then(Comings::due),
            self.leaving.as_ref().map(Leaving::until),
            self.reading.next_mark(),
        ];
        self.uplink.patience(self.is_calm(), due.into_iter().flatten())
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
