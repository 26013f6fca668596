//! What a person says, does to messages, and sees of those that are not delivered.

use std::io;

use super::super::ClientError;
use super::super::commands::MessageCommand;
use super::super::message_words;
use super::super::model::OWN_MAX;
use super::super::own::{Deed, Saying, Target};
use super::Session;
use crate::names::RoomName;
use crate::wire::MessageId;

/// How many messages that are not delivered are shown one by one.
const PENDING_SHOWN: usize = 20;

impl Session {
    /// Says something in the current room, as soon as that can be, or tells why not.
    pub(super) fn say(&mut self, saying: Saying) -> Result<(), ClientError> {
        let room = self.model.room().clone();
        if !self.model.is_somewhere() {
            let (room, told) = (self.model.called(&room), message_words::not_delivered(&saying));
            return Ok(self.not_sent(&format!("{told} (you are not in {room}; /join enters another room)"))?);
        }
        self.say_in(&room, saying)
    }

    /// Says something in a room, which may be a direct conversation that is not entered.
    pub(super) fn say_in(&mut self, room: &RoomName, saying: Saying) -> Result<(), ClientError> {
        self.back_by_saying()?;
        let id = MessageId::random().ok_or(ClientError::NoEntropy)?;
        let is_shown = self.uplink.is_up() || self.lines.is_some();
        let waits = (!is_shown).then(|| message_words::waits(&saying));
        if self.model.say_in(id, room, saying).is_err() {
            return Ok(
                self.not_sent(&format!("not sent: {OWN_MAX} messages wait already; say it again later"))?
            );
        }
        waits.map_or(Ok(()), |waits| self.note(&waits))?;
        Ok(self.tell_if_away(room)?)
    }

    /// Does a command about messages.
    pub(super) fn message_command(&mut self, command: MessageCommand) -> Result<(), ClientError> {
        match command {
            MessageCommand::Do(number, deed) => self.do_to_message(number, deed),
            MessageCommand::Recent(count) => Ok(self.show_recent(count)?),
            MessageCommand::Pending => Ok(self.show_pending()?),
            MessageCommand::Resend => self.resend(),
        }
    }

    fn do_to_message(&mut self, number: Option<u64>, deed: Deed) -> Result<(), ClientError> {
        let is_own = matches!(deed, Deed::Edit(_) | Deed::Remove);
        let last = || if is_own { self.model.own_last() } else { self.model.others_last() };
        let Some(target) = number.map(Target::Number).or_else(last) else {
            let told = message_words::not_done(&deed);
            let whose = if is_own { "you" } else { "others" };
            let why = format!("nothing that {whose} said is among the last messages here");
            return Ok(self.not_sent(&format!("{told} ({why})"))?);
        };
        match (target, &deed) {
            (Target::Own(id), Deed::Remove) if self.model.take_back(id) => {
                Ok(self.note("it was not sent yet, and will not be")?)
            }
            (Target::Own(id), Deed::Edit(text)) if self.model.rewrite(id, text) => {
                Ok(self.note(&message_words::waits(&text.clone().into()))?)
            }
            _ => self.say(Saying::About { target, deed }),
        }
    }

    fn show_recent(&mut self, count: u16) -> io::Result<()> {
        let mut lines: Vec<String> =
            self.model.recent().take(count.into()).map(|known| self.transcript.numbered(known)).collect();
        lines.reverse();
        if lines.is_empty() {
            return self.note("nothing that was said here is known yet; /history shows what was said before");
        }
        self.print(&lines)
    }

    fn show_pending(&mut self) -> io::Result<()> {
        let called = |room| self.model.called(room);
        let pending = self.model.pending().map(|own| message_words::pending(&called(&own.room), own));
        let failed = self.model.failed().map(|failed| message_words::failed(&called(&failed.room), failed));
        let mut told: Vec<String> = pending.chain(failed).collect();
        if told.is_empty() {
            return self.note("all that you have said is on the server's disk");
        }
        let more = told.len().saturating_sub(PENDING_SHOWN);
        told.truncate(PENDING_SHOWN);
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        if self.model.failed().len() > 0 {
            told.push("/resend says again what was not delivered".to_owned());
        }
        told.iter().try_for_each(|line| self.note(line))
    }

    /// Says again what was not delivered, where it was said; what can't be said there any more stays undelivered.
    fn resend(&mut self) -> Result<(), ClientError> {
        let (mut again, mut stay) = (0, 0);
        for failed in self.model.take_failed() {
            let id = MessageId::random().ok_or(ClientError::NoEntropy)?;
            if self.model.say_again(id, failed) { again += 1 } else { stay += 1 }
        }
        let told = match (again, stay) {
            (0, 0) => "there is nothing to say again".to_owned(),
            (again, 0) => format!("said again: {again}"),
            (again, stay) => format!("said again: {again}; {stay} can't be said: you are not in those rooms"),
        };
        Ok(self.note(&told)?)
    }
}
