//! What is said in one room, for as long as somebody reads it: in lines, or as JSON. It begins where one asks it to, and
//! from there on nothing is left out or repeated, however often the connection is lost.

mod beginning;
mod since;

use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, sync_channel};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::names::RoomName;
use crate::wire::{PastMessage, ServerMessage};

use super::event::{EVENTS_MAX, Event};
use super::happening::Happening;
use super::json_mode::{self, Output, Report};
use super::line_mode::{Screen, Transcript};
use super::login::LoggedIn;
use super::model::Model;
use super::pass::is_for_good;
use super::reader::{end_without_reader, unless_nobody_reads};
use super::recent::Subject;
use super::signals::Signals;
use super::turn::Turn;
use super::uplink::Uplink;
use super::{ClientError, Config, come_in, person};

pub use since::{Since, SinceError};

/// What is to be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Following {
    /// Where.
    pub room: RoomName,
    /// From when on.
    pub begin: Begin,
    /// As JSON.
    pub json: bool,
}

/// Where one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With what is said from now on.
    Now,
    /// So many messages before that.
    Last(u64),
    /// With what was said at this time or later.
    Since(Since),
}

/// Follows the room until a signal or the reader ends it.
pub(super) fn follow(config: &Config, following: &Following) -> Result<(), ClientError> {
    let (server, mut logged_in) = come_in(config, &mut person::nobody())?;
    let Following { room, begin, json } = following;
    let after = beginning::find(&server, &mut logged_in.connection, room, *begin)?;
    let LoggedIn { connection, name, pass } = logged_in;
    let (events, inbox) = sync_channel(EVENTS_MAX);
    let signals = Signals::listen(events.clone())?;
    end_without_reader(events.clone())?;
    let mut follower = Follower {
        room: room.clone(),
        model: Model::following(name, room.clone(), after),
        uplink: Uplink::new(server, pass, connection, events, &config.limits)?,
        display: if *json { Display::Json(Output::new()) } else { Display::lines() },
        is_lost: false,
        closing: None,
    };
    follower.uplink.begin(&mut follower.model);
    let ended = follower.take_events(&inbox);
    follower.uplink.leave(inbox);
    signals.ignore();
    ended.or_else(unless_nobody_reads)
}

/// Someone who follows a room.
struct Follower {
    room: RoomName,
    model: Model,
    uplink: Uplink,
    display: Display,
    is_lost: bool,
    /// Why the server ends the session, if it said so.
    closing: Option<String>,
}

secret!(Follower);

/// How it is shown.
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
enum Display {
    Lines(Screen, Transcript),
    Json(Output),
}

secret!(Display);

impl Follower {
    fn take_events(&mut self, inbox: &Receiver<Event>) -> Result<(), ClientError> {
        loop {
            let is_calm = self.is_calm();
            self.uplink.keep_up(&mut self.model, is_calm);
            if let Ok(event) = inbox.recv_timeout(self.uplink.patience(is_calm, None))
                && !self.take(event)?
            {
                return Ok(());
            }
        }
    }

    fn is_calm(&self) -> bool {
        !self.is_lost && self.model.is_at_rest()
    }

    /// False when it is the end.
    fn take(&mut self, event: Event) -> Result<bool, ClientError> {
        let is_calm = self.is_calm();
        match self.uplink.turn(&mut self.model, event, is_calm)? {
            // One may be in other rooms, too.
            Turn::Heard(ServerMessage::RoomAdded { room, .. }) if room != self.room.as_str() => {}
            Turn::Heard(message) => {
                for happening in self.model.apply(message) {
                    self.happened(happening)?;
                }
            }
            Turn::Lost(end) => {
                let reason = self.closing.take().unwrap_or_else(|| end.to_string());
                self.model.disconnected();
                self.uplink.lost();
                if !std::mem::replace(&mut self.is_lost, true) {
                    self.display.lost(reason)?;
                }
            }
            Turn::PutOff(text) | Turn::News(text) | Turn::Began(Some(text)) => self.display.notice(text)?,
            Turn::Own(Event::Stop) => return Ok(false),
            Turn::Own(_) | Turn::Began(None) | Turn::None => {}
        }
        Ok(true)
    }

    fn happened(&mut self, happening: Happening) -> Result<(), ClientError> {
        match happening {
            Happening::Said { room, message, subject } => self.display.said(&room, &message, &subject)?,
            Happening::Joined { .. } if std::mem::take(&mut self.is_lost) => self.display.back()?,
            Happening::CaughtUp { room, sequence } => self.display.caught_up(&room, sequence)?,
            Happening::Missing { room, first, last } => self.display.missing(&room, first, last)?,
            Happening::NotEntered { room, text, .. } => {
                return Err(ClientError::NotFollowed { room, reason: text });
            }
            Happening::Removed { room, reason } => {
                let why = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
                let reason = format!("you are in it no more{why}");
                return Err(ClientError::NotFollowed { room, reason });
            }
            Happening::Lagged => {
                let ask = self.model.ask_for_rooms();
                self.uplink.send(&ask);
            }
            Happening::Closing { code, text } if is_for_good(code) => return Err(ClientError::Revoked(text)),
            Happening::Closing { text, .. } => self.closing = Some(text),
            _ => {} // who comes and goes, and what is only told to those who ask
        }
        Ok(())
    }
}

impl Display {
    fn lines() -> Self {
        let is_for_terminal = io::stdout().is_terminal();
        Self::Lines(Screen::plain(), Transcript::new(TimeZone::system(), Timestamp::now(), is_for_terminal))
    }

    fn said(&mut self, room: &RoomName, message: &PastMessage, subject: &Subject) -> io::Result<()> {
        match self {
            Self::Json(output) => output.print(&json_mode::said(room.to_string(), message)),
            Self::Lines(screen, transcript) => {
                let lines = transcript.said(room, message, subject);
                screen.print(lines.iter().map(String::as_str))
            }
        }
    }

    fn caught_up(&mut self, room: &RoomName, sequence: u64) -> io::Result<()> {
        match self {
            Self::Json(output) => output.print(&Report::CaughtUp { room: room.to_string(), sequence }),
            Self::Lines(..) => Ok(()),
        }
    }

    fn missing(&mut self, room: &RoomName, first: u64, last: u64) -> io::Result<()> {
        let (told, room) = (format!("messages {first} to {last} of {room} did not come"), room.to_string());
        self.tell(Report::Missing { room, first, last }, &told)
    }

    fn lost(&mut self, reason: String) -> io::Result<()> {
        let told = format!("the connection is lost ({reason}); trying to come back");
        self.tell(Report::Lost { reason }, &told)
    }

    fn back(&mut self) -> io::Result<()> {
        self.tell(Report::Back {}, "the connection is back")
    }

    fn notice(&mut self, text: String) -> io::Result<()> {
        let told = text.clone();
        self.tell(Report::Notice { text }, &told)
    }

    fn tell(&mut self, report: Report, told: &str) -> io::Result<()> {
        match self {
            Self::Json(output) => output.print(&report),
            Self::Lines(screen, transcript) => screen.print([transcript.note(told).as_str()]),
        }
    }
}
