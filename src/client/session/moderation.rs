//! What operators do about people in the current room, and what they read of it.

use std::io;

use super::super::ClientError;
use super::super::commands::ModerationCommand;
use super::Session;
use super::rooms::Question;
use crate::names::{BanReason, RoomName, TimeSpan, Username};
use crate::wire::{ClientMessage, PastMessage, RoomEvent, Sanction};

impl Session {
    /// Does a command about people in the current room.
    pub(super) fn moderation_command(&mut self, command: ModerationCommand) -> Result<(), ClientError> {
        let words = |reason: Option<BanReason>| reason.map(|reason| reason.to_string());
        let seconds = |lasts: Option<TimeSpan>| lasts.map(|lasts| lasts.duration().as_secs());
        let room = self.model.room().clone();
        let event = match command {
            ModerationCommand::Kick(name, reason) => {
                RoomEvent::Removed { name: name.to_string(), reason: words(reason) }
            }
            ModerationCommand::Ban(name, lasts, reason) => {
                let (name, seconds, reason) = (name.to_string(), seconds(lasts), words(reason));
                RoomEvent::Banned { name, until: None, reason, seconds }
            }
            ModerationCommand::Mute(name, lasts, reason) => {
                let (name, seconds, reason) = (name.to_string(), seconds(lasts), words(reason));
                RoomEvent::Muted { name, until: None, reason, seconds }
            }
            ModerationCommand::Unban(name) => RoomEvent::Unbanned { name: name.to_string() },
            ModerationCommand::Unmute(name) => RoomEvent::Unmuted { name: name.to_string() },
            ModerationCommand::Purge(name, within) => {
                RoomEvent::Purged { name: name.to_string(), since: None, seconds: seconds(within) }
            }
            ModerationCommand::Ignore(None) => return Ok(self.show_ignored()?),
            ModerationCommand::Ignore(Some(name)) => return Ok(self.ignore(&name, true)?),
            ModerationCommand::Unignore(name) => return Ok(self.ignore(&name, false)?),
            ModerationCommand::List => return Ok(self.question(Question::Sanctions, room)?),
            ModerationCommand::Log { is_more } => {
                let shown = self.questions.moderations_from.as_ref();
                let before = shown.filter(|(shown, _)| is_more && *shown == room).map(|(_, from)| *from);
                return Ok(self.question(Question::Moderations { before }, room)?);
            }
        };
        self.change(room, event)
    }

    /// Other people are ignored now than when that was last known.
    pub(super) fn ignoring_told(&mut self, more: &[String], less: &[String]) -> io::Result<()> {
        self.questions.was_answered(Question::Ignore);
        for name in more {
            self.note(&format!("you don't see any more what {name} says; /unignore {name} ends that"))?;
        }
        less.iter().try_for_each(|name| self.note(&format!("you see again what {name} says")))
    }

    fn ignore(&mut self, name: &Username, wanted: bool) -> io::Result<()> {
        let message = ClientMessage::Ignore { name: Some(name.to_string()), wanted: Some(wanted) };
        self.ask_at_once(Question::Ignore, &message)
    }

    fn show_ignored(&mut self) -> io::Result<()> {
        let names: Vec<&str> = self.model.ignored().collect();
        let told = match names.len() {
            0 => "you ignore nobody".to_owned(),
            _ => format!("you ignore {}", names.join(", ")),
        };
        self.note(&told)
    }

    /// A page of those who are banned or muted has come. The next one follows by itself.
    pub(super) fn sanctions_told(
        &mut self,
        room: String,
        sanctions: &[Sanction],
        more: bool,
    ) -> io::Result<()> {
        if sanctions.is_empty() {
            return self.note(&format!("nobody is banned or muted in {room}"));
        }
        let lines: Vec<String> =
            sanctions.iter().map(|sanction| self.transcript.sanction(&room, sanction)).collect();
        if let Some(last) = sanctions.last().filter(|_| more) {
            let after = Some(last.name.clone());
            self.ask_on(Question::Sanctions, &ClientMessage::ListSanctions { room, after });
        }
        self.print(&lines)
    }

    /// A page of what operators have done has come.
    pub(super) fn moderations_told(
        &mut self,
        room: &RoomName,
        changes: &[PastMessage],
        more: bool,
    ) -> io::Result<()> {
        let mut lines = self.transcript.past(room, changes);
        match changes.last() {
            None => lines.push(self.transcript.note(&format!("no operator has done anything in {room}"))),
            Some(last) => self.questions.moderations_from = Some((room.clone(), last.sequence)),
        }
        if more {
            lines.push(self.transcript.note("/modlog more shows what was done before"));
        }
        self.print(&lines)
    }
}
