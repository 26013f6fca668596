//! What the person types: lines and keys, what is said, and what is asked for.

use std::io;
use std::ops::ControlFlow::{self, Break, Continue};

use super::super::ClientError;
use super::super::commands::{self, Command, Typed};
use super::super::line_mode::{Pressed, Struck, TypedLine};
use super::Session;
use crate::names::MessageTextError;

impl Session {
    pub(super) fn plain_line(&mut self, line: TypedLine) -> Result<ControlFlow<()>, ClientError> {
        if let Some(lines) = &mut self.lines {
            lines.took_one();
        }
        if self.leaving.is_some() {
            // What stands after `exit` was not meant for anyone.
            return Ok(Continue(()));
        }
        match line {
            TypedLine::Text(line) => return self.typed(&line),
            TypedLine::TooLong(size) => {
                self.not_sent(&format!("not sent: {}", MessageTextError::TooLong(size)))?;
            }
            TypedLine::NotText => self.not_sent("not sent: the line is not UTF-8; convert it first")?,
            TypedLine::End => self.want_to_leave(),
        }
        Ok(Continue(()))
    }

    pub(super) fn key(&mut self, key: crossterm::event::Event) -> Result<ControlFlow<()>, ClientError> {
        match self.screen.press(key)? {
            Struck::Line(Pressed::Line(line)) => return self.typed(&line),
            Struck::Line(Pressed::End) => return Ok(self.quit()),
            Struck::Line(Pressed::Pasted { lines }) => self.note(&format!(
                "{lines} lines were pasted; Enter says them as one message, Ctrl-C drops them"
            ))?,
            Struck::Line(Pressed::Interrupt) => self.note("to leave, type /quit or press Ctrl-D")?,
            Struck::Line(Pressed::Edited | Pressed::Suspend | Pressed::Redraw) => {}
            Struck::Line(Pressed::Complete { is_back }) => {
                let known = self.model.known();
                self.screen.complete(is_back, |typed| commands::complete(typed, &known))?;
            }
            Struck::Secret(answer) => self.answered(Some(answer))?,
            Struck::NoSecret => self.answered(None)?,
        }
        Ok(Continue(()))
    }

    fn typed(&mut self, line: &str) -> Result<ControlFlow<()>, ClientError> {
        match commands::parse(line) {
            Ok(Typed::Nothing) if self.lines.is_none() => self.uplink.try_now(),
            Ok(Typed::Nothing) => {}
            Ok(Typed::Say(text)) => self.say(text.into())?,
            Ok(Typed::Do(Command::Quit)) => return Ok(self.quit()),
            Ok(Typed::Do(Command::Reconnect)) => return Ok(self.reconnect()?),
            Ok(Typed::Do(command)) => self.obey(command)?,
            Err(error) => self.not_sent(&error.to_string())?,
        }
        Ok(Continue(()))
    }

    fn obey(&mut self, command: Command) -> Result<(), ClientError> {
        match command {
            Command::Help(about) => self.show_help(about.as_deref())?,
            Command::Version => self.note(concat!("chat ", env!("CARGO_PKG_VERSION")))?,
            Command::Fingerprint => self.show_fingerprint()?,
            Command::Message(command) => self.message_command(command)?,
            Command::Room(command) => self.room_command(command)?,
            Command::People(command) => self.people_command(command)?,
            Command::Direct(command) => self.direct_command(command)?,
            Command::History(command) => self.history_command(command)?,
            Command::Moderation(command) => self.moderation_command(command)?,
            Command::Account(command) => self.account_command(command)?,
            Command::Reconnect => _ = self.reconnect()?,
            Command::Quit => self.want_to_leave(),
        }
        Ok(())
    }

    /// Lets go of the connection, if there is one, and tries at once to have another one.
    fn reconnect(&mut self) -> io::Result<ControlFlow<()>> {
        let flow = if self.uplink.is_up() { self.lost("as you asked")? } else { Continue(()) };
        self.uplink.try_now();
        Ok(flow)
    }

    fn show_help(&mut self, about: Option<&str>) -> io::Result<()> {
        match about.map(commands::about) {
            None => commands::manual().iter().try_for_each(|line| self.note(line)),
            Some(Ok(lines)) => lines.iter().try_for_each(|line| self.note(line)),
            Some(Err(error)) => self.not_sent(&error.to_string()),
        }
    }

    fn show_fingerprint(&mut self) -> io::Result<()> {
        let server = self.uplink.server();
        self.note(&format!("the key of {} is {}", server.address(), server.key().fingerprint()))?;
        let suite = self.uplink.suite();
        suite.map_or(Ok(()), |suite| self.note(&format!("this session is protected by {suite}")))
    }

    /// Leaves at once if nothing could come of waiting, or if asked for the second time.
    fn quit(&mut self) -> ControlFlow<()> {
        if self.leaving.is_some() || !self.uplink.is_up() {
            return Break(());
        }
        self.want_to_leave();
        Continue(())
    }
}
