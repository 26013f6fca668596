//! How far a person has read, which all of their devices agree on: markers that only go forward, and what is unread
//! behind them. The counting is done where questions are answered, the writing where everything is written.

use std::sync::Arc;

use tracing::error;

use super::log::{LogError, LogReader, Mark, RoomId, Unread};
use super::log_writer::Task;
use super::room_requests::{Guest, NO_SUCH_ROOM, NOT_MEMBER, Stopping};
use super::rooms::{ReadState, Room};
use super::tidings::room_refused;
use crate::names::Username;
use crate::wire::{Code, ServerMessage};

impl Guest<'_> {
    /// Tells all rooms that the account is in, with what is unread in them.
    pub(super) fn my_rooms(&self) -> Result<(), Stopping> {
        for room in self.shared.rooms.listen(self.name, self.outbox) {
            let state = self.read_state(&room)?;
            let is_operator = room.name().is_lobby() && self.is_admin();
            room.tell_role(self.name, is_operator, state, self.outbox);
        }
        self.outbox.push(&ServerMessage::AllRooms {});
        Ok(())
    }

    /// Moves the account's marker in a room. All of its sessions are told when it has moved.
    pub(super) fn mark_read(&self, wanted: &str, sequence: u64) -> Result<(), Stopping> {
        let refuse = |code, text| {
            self.outbox.push(&room_refused(wanted, code, text));
            Ok(())
        };
        let Some(room) = self.room(wanted) else {
            return refuse(Code::NoSuchRoom, NO_SUCH_ROOM);
        };
        if !room.has_member(self.name) {
            return refuse(Code::NotMember, NOT_MEMBER);
        }
        let (head, account) = (room.head(), self.name.clone());
        let mark = Mark { room: room.id(), account, sequence: sequence.min(head) };
        let unread = self.unread_after(&room, mark.sequence, head)?;
        let moved = ServerMessage::ReadUpTo {
            room: room.name().to_string(),
            sequence: mark.sequence,
            unread: unread.messages,
            mentions: unread.mentions,
            head,
        };
        self.hand_in(Task::Mark { room, mark, moved, outbox: Arc::clone(self.outbox) })
    }

    /// How far the account is in a room, as of its present head.
    fn read_state(&self, room: &Room) -> Result<ReadState, Stopping> {
        let (id, account, head) = (room.id(), self.name.clone(), room.head());
        let (read, unread) = self.ask(move |log| {
            let read = log.marker(id, &account).unwrap_or_else(|error| unreadable(&error));
            (read, count(log, id, &account, read.unwrap_or(head), head))
        })?;
        Ok(ReadState { head, read, unread: Some(unread) })
    }

    fn unread_after(&self, room: &Room, after: u64, head: u64) -> Result<Unread, Stopping> {
        let (id, account) = (room.id(), self.name.clone());
        if after >= head {
            Ok(Unread::default())
        } else {
            self.ask(move |log| count(log, id, &account, after, head))
        }
    }
}

fn count(log: &LogReader, room: RoomId, account: &Username, after: u64, head: u64) -> Unread {
    if after >= head {
        return Unread::default();
    }
    log.unread(room, account, after, head).unwrap_or_else(|error| unreadable(&error))
}

/// Without its log the server goes on; what is unread is told another time.
fn unreadable<T: Default>(error: &LogError) -> T {
    error!(%error, "the log can't be read; what is unread is not told");
    T::default()
}
