//! What was said before, as one asks for it: shown as notes, so that nobody takes it for new. And what was read of it
//! all: on a terminal, what was shown of the room where one is counts as read, and the server is told so that all of a
//! person's devices agree. What goes into a pipe or a file may never be looked at.

use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use super::super::commands::HistoryCommand;
use super::super::greeting;
use super::Session;
use super::rooms::Question;
use crate::names::RoomName;
use crate::wire::{BODY_ROOM_EVENT, PastMessage};

/// How long what is read gathers before the server is told.
const MARK_AFTER: Duration = Duration::from_secs(1);

/// When the server is told what was read.
pub(super) struct Reading {
    /// Someone looks at what is shown.
    is_seen: bool,
    next_mark: Option<Instant>,
}

impl Reading {
    /// Someone looks at it if they type and see it on a terminal.
    pub(super) fn of_this_terminal() -> Self {
        Self { is_seen: io::stdin().is_terminal() && io::stdout().is_terminal(), next_mark: None }
    }

    /// When the server is to be told next.
    pub(super) fn next_mark(&self) -> Option<Instant> {
        self.next_mark
    }
}

impl Session {
    /// Asks what was asked for.
    pub(super) fn history_command(&mut self, command: HistoryCommand) -> io::Result<()> {
        match command {
            HistoryCommand::Earlier { room, count } => {
                let room = self.meant(room)?;
                room.map_or(Ok(()), |room| self.question(Question::Earlier { count }, room))
            }
            HistoryCommand::CountUnread if !self.knows_rooms => {
                self.not_sent("what is unread is not known yet; ask again in a moment")
            }
            HistoryCommand::CountUnread => {
                greeting::unread_rooms(&self.model).iter().try_for_each(|told| self.note(told))
            }
            HistoryCommand::Unread(room) => {
                let room = self.meant(Some(room))?;
                room.map_or(Ok(()), |room| self.question(Question::Unread, room))
            }
            HistoryCommand::Search { room, words } => {
                let words = words.iter().collect::<Vec<_>>().join(" ");
                let current = self.model.room().clone();
                let room = match room {
                    None => None,
                    Some(room) => match self.meant(Some(room))? {
                        None => return Ok(()),
                        room => room,
                    },
                };
                self.question(Question::Search { room, words }, current)
            }
            HistoryCommand::SearchOn => {
                let current = self.model.room().clone();
                self.question(Question::SearchOn, current)
            }
            HistoryCommand::MarkRead(room) => {
                let Some(room) = self.meant(room)? else { return Ok(()) };
                match self.model.mark_all(&room) {
                    Some(mark) if self.uplink.is_up() => self.uplink.send(&mark),
                    Some(_) => self.not_sent("not connected; try again when the connection is back")?,
                    None => self.not_sent(&format!("you are not in {}", self.model.called(&room)))?,
                }
                Ok(())
            }
        }
    }

    /// Shows what is unread in a room that becomes the current one, to someone who looks at it.
    pub(super) fn show_unread_if_read(&mut self, room: &RoomName) -> io::Result<()> {
        let is_due = self.reading.is_seen && self.uplink.is_up() && self.model.unread_from(room).is_some();
        if is_due { self.question(Question::Unread, room.clone()) } else { Ok(()) }
    }

    /// Tells the server what was read, when it is time.
    pub(super) fn mark_if_due(&mut self) {
        let is_due = self.reading.is_seen && self.model.is_mark_due();
        match self.reading.next_mark {
            None if is_due => self.reading.next_mark = Some(Instant::now() + MARK_AFTER),
            Some(at) if at <= Instant::now() => self.mark_now(),
            _ => {}
        }
    }

    /// Tells the server what was read.
    pub(super) fn mark_now(&mut self) {
        self.reading.next_mark = None;
        while self.reading.is_seen
            && self.uplink.is_up()
            && let Some(mark) = self.model.take_mark()
        {
            self.uplink.send(&mark);
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
            Some(Question::Unread) => self.show_unread(room, messages, more),
            _ => Ok(()),
        }
    }

    /// What is unread in a room, from the first such message on; `more` if there is more of it that was not shown.
    fn show_unread(&mut self, room: &RoomName, messages: &[PastMessage], more: bool) -> io::Result<()> {
        if messages.is_empty() {
            let room = self.model.called(room);
            return self.note(&format!("nothing is unread in {room} that was not shown"));
        }
        self.model.show_unread(room, messages);
        let room = &self.model.called(room);
        let mut lines = vec![self.transcript.note(&format!("unread in {room}:"))];
        lines.extend(self.past_lines(room, messages));
        let end = if more {
            format!("/unread {room} shows the next ones")
        } else {
            format!("that is all of {room}")
        };
        lines.push(self.transcript.note(&end));
        self.print(&lines)
    }

    /// Messages as lines, but for those of people who are ignored.
    fn past_lines(&self, room: &impl Display, messages: &[PastMessage]) -> Vec<String> {
        let is_shown =
            |message: &&PastMessage| message.kind == BODY_ROOM_EVENT || !self.model.ignores(&message.author);
        let shown: Vec<PastMessage> = messages.iter().filter(is_shown).cloned().collect();
        let mut lines = self.transcript.past(room, &shown);
        let hidden = messages.len() - shown.len();
        if hidden > 0 {
            lines.push(self.transcript.note(&format!("{hidden} of them are by people whom you ignore")));
        }
        lines
    }

    /// What was said in a room before what was shown of it; `more` if it goes on further back.
    fn show_earlier(&mut self, room: &RoomName, messages: &[PastMessage], more: bool) -> io::Result<()> {
        self.model.show_earlier(room, messages);
        let room = &self.model.called(room);
        let mut lines = vec![self.transcript.note(&match messages.len() {
            0 => format!("nothing was said in {room} before what is shown"),
            1 => format!("1 earlier message of {room}:"),
            count => format!("{count} earlier messages of {room}:"),
        })];
        lines.extend(self.past_lines(room, messages));
        if more {
            lines.push(self.transcript.note("/history shows what was said before these"));
        } else if !messages.is_empty() {
            lines.push(self.transcript.note(&format!("that is where {room} begins")));
        }
        self.print(&lines)
    }
}
