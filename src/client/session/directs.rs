//! What is said to one person.

use super::super::commands::DirectCommand;
use super::super::{ClientError, message_words};
use super::Session;
use crate::names::{MessageText, Username};

impl Session {
    /// Does a command about direct conversations.
    pub(super) fn direct_command(&mut self, command: DirectCommand) -> Result<(), ClientError> {
        match command {
            DirectCommand::Tell(name, text) => match self.model.talk_with(&name) {
                Some(room) => self.say_in(&room, text.into())?,
                None => self.not_told(text, "that is you; choose someone else")?,
            },
            DirectCommand::Reply(text) => self.reply(text)?,
            DirectCommand::Query(Some(name)) => self.query(&name)?,
            DirectCommand::Query(None) if self.model.room().is_direct() => {
                let room = self.model.room().clone();
                self.model.turn_away(&room);
                self.show_room()?;
            }
            DirectCommand::Query(None) => {
                self.not_sent("what you type goes to no person alone; /query NAME makes it so")?;
            }
        }
        Ok(())
    }

    fn reply(&mut self, text: MessageText) -> Result<(), ClientError> {
        if let Some(room) = self.model.last_writer().cloned() {
            return self.say_in(&room, text.into());
        }
        self.not_told(text, "nobody has written to you alone; /msg NAME TEXT writes to someone")
    }

    /// Makes what is typed go to one person alone.
    pub(super) fn query(&mut self, name: &Username) -> Result<(), ClientError> {
        let Some(room) = self.model.talk_with(name) else {
            return Ok(self.not_sent("that is you; choose someone else")?);
        };
        self.model.want(room.clone());
        self.show_room()?;
        Ok(self.show_unread_if_read(&room)?)
    }

    fn not_told(&mut self, text: MessageText, why: &str) -> Result<(), ClientError> {
        Ok(self.not_sent(&format!("{} ({why})", message_words::not_delivered(&text.into())))?)
    }
}
