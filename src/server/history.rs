//! What was said before, a page at a time, for those who are in the room.

use minicbor::bytes::ByteVec;
use tracing::error;

use super::log::{Stored, Stretch};
use super::room_requests::{Guest, NOT_MEMBER, Stopping};
use super::tidings::{NO_SUCH_ROOM, room_refused};
use crate::wire::{Code, HISTORY_PAGE_MAX, PastMessage, ServerMessage};

/// How many messages a page has when the client does not say.
const COUNT: u16 = 50;

/// What the messages of a page come to at most, in bytes. It goes into one record, and into the smallest outbox together
/// with the longest message.
const PAGE_BYTES: usize = 40 * 1024;

/// What a client wants of a room's history.
pub(super) struct Wanted {
    pub(super) room: String,
    pub(super) before: Option<u64>,
    pub(super) after: Option<u64>,
    pub(super) count: Option<u16>,
}

impl Guest<'_> {
    /// A page of what was said in a room. Whether the asker is in the room is looked at when the page is served.
    pub(super) fn history(&self, wanted: Wanted) -> Result<(), Stopping> {
        let refuse = |code, text| {
            self.outbox.push(&room_refused(&wanted.room, code, text));
            Ok(())
        };
        let Some(room) = self.room(&wanted.room) else {
            return refuse(Code::NoSuchRoom, NO_SUCH_ROOM);
        };
        if !room.has_member(self.name) {
            return refuse(Code::NotMember, NOT_MEMBER);
        }
        let stretch = Stretch {
            after: wanted.after,
            // What is on the disk and not yet delivered comes as it is said.
            before: wanted.before.unwrap_or(u64::MAX).min(room.head() + 1),
            count: wanted.count.unwrap_or(COUNT).clamp(1, HISTORY_PAGE_MAX).into(),
        };
        let id = room.id();
        let page = self.ask(move |log| log.stretch(id, stretch, PAGE_BYTES))?;
        let (messages, more) = match page {
            Ok((page, more)) => (page.into_iter().map(past).collect(), more),
            Err(error) => {
                error!(%error, "the log can't be read");
                return refuse(Code::Busy, "the server can't read its log now; ask again later");
            }
        };
        let page = ServerMessage::History { room: room.name().to_string(), messages, more };
        if !room.tell_member(self.name, self.outbox, &page) {
            return refuse(Code::NotMember, NOT_MEMBER);
        }
        self.flush();
        Ok(())
    }
}

/// Something from the log as it stands in a page.
pub(super) fn past(Stored { sequence, at, author, id, kind, body, of, edited }: Stored) -> PastMessage {
    PastMessage { sequence, at, author, id, kind, body: ByteVec::from(body), of, edited }
}
