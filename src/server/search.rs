//! Searching in what was said, for those who are in the rooms where it was.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::error;

use super::history::past;
use super::log::{Finds, RoomId, Search, Spot, Stored};
use super::room_requests::{Guest, NOT_MEMBER, Stopping};
use super::rooms::Room;
use super::tidings::{NO_SUCH_ROOM, room_refused};
use crate::names::{SearchWords, SearchWordsError};
use crate::wire::{Code, Hit, Place, SEARCH_PAGE_MAX, ServerMessage};

/// How many messages are found at once when the client does not say.
const COUNT: u16 = 20;

/// What they come to at most, in bytes, without the names of their rooms. With those they go into one record.
const PAGE_BYTES: usize = 40 * 1024;

/// What a client searches for.
pub(super) struct Wanted {
    pub(super) room: Option<String>,
    pub(super) words: String,
    pub(super) from: Option<Place>,
    pub(super) count: Option<u16>,
}

/// Rooms in which something is searched for.
type Searched = HashMap<RoomId, Arc<Room>>;

/// Why something is not searched for.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    Words(#[from] SearchWordsError),
    #[error("{NO_SUCH_ROOM}")]
    NoSuchRoom,
    #[error("{NOT_MEMBER}")]
    NotMember,
    #[error("the message where the search was to go on is not there (any more); search from the beginning")]
    Stale,
}

impl Guest<'_> {
    /// Searches in a room, or in all that the account is in. Whether it is in them is looked at again when all is found.
    pub(super) fn search(&self, wanted: Wanted) -> Result<(), Stopping> {
        let about = wanted.room.clone().unwrap_or_default();
        let refuse = |refusal: Refusal| room_refused(&about, refusal.code(), refusal);
        let answer = match self.prepare(wanted) {
            Err(refusal) => refuse(refusal),
            Ok((search, rooms)) => match self.ask(move |log| log.search(&search))? {
                Ok(Some(finds)) => self.found(finds, &rooms),
                Ok(None) => refuse(Refusal::Stale),
                Err(error) => {
                    error!(%error, "the log can't be searched");
                    room_refused(&about, Code::Busy, "the server can't search now; try again later")
                }
            },
        };
        self.outbox.push(&answer);
        self.flush();
        Ok(())
    }

    /// What is to be searched for, and the rooms in which it is.
    fn prepare(&self, wanted: Wanted) -> Result<(Search, Searched), Refusal> {
        let words: SearchWords = wanted.words.parse()?;
        let rooms = match &wanted.room {
            Some(room) => vec![self.own_room(room)?],
            None => self.own_rooms(),
        };
        let from = wanted.from.map(|place| self.spot(&place)).transpose()?;
        let count = wanted.count.unwrap_or(COUNT).clamp(1, SEARCH_PAGE_MAX).into();
        let ids = rooms.iter().map(|room| room.id()).collect();
        let search = Search { words, rooms: ids, from, count, bytes: PAGE_BYTES };
        Ok((search, rooms.into_iter().map(|room| (room.id(), room)).collect()))
    }

    fn own_room(&self, name: &str) -> Result<Arc<Room>, Refusal> {
        let room = self.room(name).ok_or(Refusal::NoSuchRoom)?;
        if room.has_member(self.name) { Ok(room) } else { Err(Refusal::NotMember) }
    }

    fn own_rooms(&self) -> Vec<Arc<Room>> {
        let rooms = self.shared.rooms.of(self.name).into_iter();
        rooms.filter(|room| self.has_in_scope(room.name())).collect()
    }

    fn spot(&self, place: &Place) -> Result<Spot, Refusal> {
        let room = self.own_room(&place.room).map_err(|_| Refusal::Stale)?;
        Ok((room.id(), place.sequence))
    }

    fn found(&self, finds: Finds, rooms: &Searched) -> ServerMessage {
        let name = |id: RoomId| {
            let room = rooms.get(&id).filter(|room| room.has_member(self.name));
            room.map(|room| room.name().to_string())
        };
        let hit = |(room, hit): (RoomId, Stored)| Some(Hit { room: name(room)?, message: past(hit) });
        let next = |(room, sequence): Spot| Some(Place { room: name(room)?, sequence });
        ServerMessage::Found {
            hits: finds.hits.into_iter().filter_map(hit).collect(),
            next: finds.next.and_then(next),
            is_behind: finds.is_behind,
        }
    }
}

impl Refusal {
    fn code(&self) -> Code {
        match self {
            Self::Words(_) => Code::BadSearch,
            Self::NoSuchRoom => Code::NoSuchRoom,
            Self::NotMember => Code::NotMember,
            Self::Stale => Code::StalePlace,
        }
    }
}
