//! People: who comes and goes, who is away, and what one asks about them.

use std::io;
use std::time::Instant;

use jiff::Timestamp;

use super::super::commands::PeopleCommand;
use super::super::{comings, greeting, person_words};
use super::Session;
use super::rooms::Question;
use crate::names::{AwayReason, RoomName};
use crate::wire::{ClientMessage, PersonCard};

impl Session {
    /// Does a command about people.
    pub(super) fn people_command(&mut self, command: PeopleCommand) -> io::Result<()> {
        match command {
            PeopleCommand::Who => self.note(&greeting::who(&self.model)),
            PeopleCommand::WhoIs(name) => {
                self.ask_at_once(Question::Person, &ClientMessage::WhoIs { name: name.to_string() })
            }
            PeopleCommand::HideLastSeen(hide) => {
                self.ask_at_once(Question::Person, &ClientMessage::HideLastSeen { hide })
            }
            PeopleCommand::SetAway(None) if self.away.is_none() && self.my_away().is_none() => {
                self.note("you are not away")
            }
            PeopleCommand::SetAway(away) => self.set_away(away),
        }
    }

    /// Who says something is back.
    pub(super) fn back_by_saying(&mut self) -> io::Result<()> {
        if self.away.is_none() && self.my_away().is_none() { Ok(()) } else { self.set_away(None) }
    }

    /// Who writes to one person alone who is away is told so, once.
    pub(super) fn tell_if_away(&mut self, room: &RoomName) -> io::Result<()> {
        let partner = room.partner(self.model.me());
        let told = partner
            .and_then(|name| Some(format!("{name} is {}", person_words::is_away(self.model.away(name)?))));
        match told {
            Some(told) if self.told_away != told => {
                self.note(&told)?;
                self.told_away = told;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// On a new connection: says again that the person is away.
    pub(super) fn say_away_again(&self) {
        if let Some(away) = &self.away {
            self.uplink.send(&ClientMessage::SetAway { away: Some(away.to_string()) });
        }
    }

    /// The server has it that the person is away, or back.
    pub(super) fn away_told(&mut self, away: Option<&str>) -> io::Result<()> {
        let Some(reason) = away else {
            self.away = None; // perhaps by another device
            return self.note("you are back");
        };
        let told = person_words::is_away(reason);
        self.note(&format!("you are {told}; saying something, or /back, ends it"))
    }

    /// Someone came or went.
    pub(super) fn came_or_went(
        &mut self,
        room: &RoomName,
        name: String,
        came: bool,
        at: u64,
    ) -> io::Result<()> {
        let told = match &mut self.comings {
            Some(comings) => comings.happened(room, name, came, at, Instant::now()),
            None => vec![comings::Told { room: room.clone(), at, who: name, came }],
        };
        self.tell_comings(told)
    }

    /// It is other people who are in a room now than when that was last known. Programs hear only of what they see
    /// happen.
    pub(super) fn people_changed(
        &mut self,
        room: &RoomName,
        came: Vec<String>,
        went: Vec<String>,
    ) -> io::Result<()> {
        let at = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
        let Some(comings) = &mut self.comings else { return Ok(()) };
        for name in went {
            comings.missed(room, name, at, Instant::now());
        }
        came.into_iter().try_for_each(|name| self.came_or_went(room, name, true, at))
    }

    /// Tells who came and went, if it is time.
    pub(super) fn tell_due_comings(&mut self) -> io::Result<()> {
        let told = self.comings.as_mut().map(|comings| comings.take_due(Instant::now()));
        self.tell_comings(told.unwrap_or_default())
    }

    /// Tells it now, because something else is to be told after it.
    pub(super) fn tell_held_comings(&mut self) -> io::Result<()> {
        let told = self.comings.as_mut().map(comings::Comings::take_held);
        self.tell_comings(told.unwrap_or_default())
    }

    /// What is told of someone, in lines.
    pub(super) fn person(&self, card: &PersonCard) -> Vec<String> {
        let transcript = &self.transcript;
        person_words::card(card, |time| transcript.day_and_time(time), |day| transcript.day(day))
    }

    fn tell_comings(&mut self, told: Vec<comings::Told>) -> io::Result<()> {
        let lines: Vec<String> = told
            .into_iter()
            .flat_map(|comings::Told { room, at, who, came }| {
                if came {
                    self.transcript.arrived(&room, at, &who)
                } else {
                    self.transcript.left(&room, at, &who)
                }
            })
            .collect();
        if lines.is_empty() { Ok(()) } else { self.print(&lines) }
    }

    /// Asks what need not wait for what was typed before.
    pub(super) fn ask_at_once(&mut self, question: Question, message: &ClientMessage) -> io::Result<()> {
        if !self.uplink.is_up() {
            return self.not_sent("not connected; ask again when the connection is back");
        }
        self.uplink.send(message);
        self.questions.is_asked(question);
        Ok(())
    }

    fn set_away(&mut self, away: Option<AwayReason>) -> io::Result<()> {
        let message = ClientMessage::SetAway { away: away.as_ref().map(ToString::to_string) };
        self.away = away;
        self.uplink.send(&message);
        if self.uplink.is_up() || self.away.is_none() {
            return Ok(());
        }
        self.note("not connected; others learn that you are away when the connection is back")
    }

    fn my_away(&self) -> Option<&str> {
        self.model.away(self.model.me())
    }
}
