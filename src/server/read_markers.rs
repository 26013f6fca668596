//! How far a person has read, which all of their devices agree on: markers that only go forward, and what is unread
//! behind them. The counting is done where questions are answered and where people catch up, the writing where everything
//! is written.

use std::sync::Arc;

use tracing::error;

use super::log::{LogError, LogReader, Mark, Unread};
use super::log_writer::Task;
use super::outbox::{Outbox, Telling};
use super::room_requests::{Guest, NOT_MEMBER, Stopping};
use super::rooms::{ReadState, Room, Rooms};
use super::tidings::{NO_SUCH_ROOM, room_refused};
use crate::names::Username;
use crate::wire::{Code, ServerMessage, UNREAD_MAX};

/// How many of its rooms a client is told at a time: they fit in the smallest outbox.
const ROOMS_TOLD: usize = 100;

impl Guest<'_> {
    /// Has all rooms told that the account is in, with what is unread in them, as fast as the client reads.
    pub(super) fn my_rooms(&self) {
        self.shared.rooms.listen(self.name, self.outbox, self.scope);
        let (account, is_admin, scope) = (self.name.clone(), self.is_admin(), self.scope.cloned());
        self.outbox.tell_rooms(Telling { account, is_admin, scope, after: None });
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

    fn unread_after(&self, room: &Arc<Room>, after: u64, head: u64) -> Result<Unread, Stopping> {
        let (room, account) = (Arc::clone(room), self.name.clone());
        if after >= head {
            Ok(Unread::default())
        } else {
            self.ask(move |log| count(log, &room, &account, after, head))
        }
    }
}

/// Queues some of the rooms of an account for a client, with what is unread in them, and gives the rest, if there is any.
/// What changes meanwhile is told by itself, before or after: each room is told under its own lock.
pub(super) fn tell_some(
    rooms: &Rooms,
    log: &LogReader,
    telling: Telling,
    outbox: &Outbox,
) -> Option<Telling> {
    let Telling { account, is_admin, scope, after } = &telling;
    let is_told = |room: &Room| scope.as_ref().is_none_or(|scope| scope.has(room.name()));
    let lobby = rooms.lobby();
    if after.is_none() && is_told(lobby) {
        lobby.tell_role(account, *is_admin, read_state(log, lobby, account), outbox);
    }
    let page = rooms.next_of(account, after.as_ref(), ROOMS_TOLD);
    let mut counted = 0;
    for (place, room) in page.iter().enumerate() {
        if is_told(room) {
            let state = read_state(log, room, account);
            room.tell_role(account, false, state, outbox);
            counted += state.unread.map_or(0, |unread| unread.messages);
        }
        if counted >= UNREAD_MAX || place + 1 == ROOMS_TOLD {
            return Some(Telling { after: Some(room.name().clone()), ..telling });
        }
    }
    outbox.push(&ServerMessage::AllRooms {});
    None
}

/// How far an account is in a room, as of its present head.
fn read_state(log: &LogReader, room: &Room, account: &Username) -> ReadState {
    let head = room.head();
    let read = log.marker(room.id(), account).unwrap_or_else(|error| unreadable(&error));
    let unread = count(log, room, account, read.unwrap_or(head), head);
    ReadState { head, read, unread: Some(unread) }
}

/// What is said to one person alone names that person.
fn count(log: &LogReader, room: &Room, account: &Username, after: u64, head: u64) -> Unread {
    if after >= head {
        return Unread::default();
    }
    let unread = log.unread(room.id(), account, after, head).unwrap_or_else(|error| unreadable(&error));
    let mentions = if room.name().is_direct() { unread.messages } else { unread.mentions };
    Unread { mentions, ..unread }
}

/// Without its log the server goes on; what is unread is told another time.
fn unreadable<T: Default>(error: &LogError) -> T {
    error!(%error, "the log can't be read; what is unread is not told");
    T::default()
}
