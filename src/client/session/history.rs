//! What was said before, as one asks for it: shown as notes, so that nobody takes it for new.

use std::io;

use super::super::commands::HistoryCommand;
use super::Session;
use super::rooms::Question;
use crate::names::RoomName;
use crate::wire::PastMessage;

impl Session {
    /// Asks what was asked for.
    pub(super) fn history_command(&mut self, command: HistoryCommand) -> io::Result<()> {
        match command {
            HistoryCommand::Earlier { room, count } => {
                let room = room.unwrap_or_else(|| self.model.room().clone());
                self.question(Question::Earlier { count }, room)
            }
        }
    }

    /// A page has come. What was not asked for is not shown.
    pub(super) fn past_told(
        &mut self,
        question: Option<Question>,
        room: &RoomName,
        messages: &[PastMessage],
        more: bool,
    ) -> io::Result<()> {
        match question {
            Some(Question::Earlier { .. }) => self.show_earlier(room, messages, more),
            _ => Ok(()),
        }
    }

    /// What was said in a room before what was shown of it; `more` if it goes on further back.
    fn show_earlier(&mut self, room: &RoomName, messages: &[PastMessage], more: bool) -> io::Result<()> {
        let mut lines = vec![self.transcript.note(&match messages.len() {
            0 => format!("nothing was said in {room} before what is shown"),
            1 => format!("1 earlier message of {room}:"),
            count => format!("{count} earlier messages of {room}:"),
        })];
        lines.extend(messages.iter().map(|message| self.transcript.past(room, message)));
        if more {
            lines.push(self.transcript.note("/history shows what was said before these"));
        } else if !messages.is_empty() {
            lines.push(self.transcript.note(&format!("that is where {room} begins")));
        }
        self.print(&lines)
    }
}
