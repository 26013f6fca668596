//! What was said somewhere, found by its words: shown as notes, as everything that was said before.

use std::io;

use super::Session;
use crate::names::RoomName;
use crate::wire::{ClientMessage, Hit, Place};

/// What was searched for last, and where it goes on.
pub(super) struct LastSearch {
    room: Option<RoomName>,
    words: String,
    next: Option<Place>,
}

impl LastSearch {
    fn message(&self) -> ClientMessage {
        ClientMessage::Search {
            room: self.room.as_ref().map(RoomName::to_string),
            words: self.words.clone(),
            from: self.next.clone(),
            count: None,
        }
    }
}

impl Session {
    /// The question where words were said.
    pub(super) fn search_for(&mut self, room: Option<&RoomName>, words: &str) -> ClientMessage {
        let room = room.map(|room| self.model.meant(room).clone());
        self.searched.insert(LastSearch { room, words: words.to_owned(), next: None }).message()
    }

    /// The question for more of what was searched for last; none if there can't be more.
    pub(super) fn search_on(&mut self) -> io::Result<Option<ClientMessage>> {
        match &self.searched {
            Some(search) if search.next.is_some() => return Ok(Some(search.message())),
            Some(_) => self.note("there is nothing further back")?,
            None => self.not_sent("nothing was searched for; type /search and the words")?,
        }
        Ok(None)
    }

    /// What was found, newest first; it is shown with the newest last, as it was said. `hidden` tells how much more is not
    /// shown because its authors are ignored.
    pub(super) fn show_found(
        &mut self,
        hits: &[Hit],
        next: Option<Place>,
        is_behind: bool,
        hidden: usize,
    ) -> io::Result<()> {
        let Some(search) = &mut self.searched else { return Ok(()) };
        search.next = next;
        let (words, has_more) = (&search.words, search.next.is_some());
        let mut lines = vec![self.transcript.note(&match (hits.len(), has_more) {
            (0, false) => format!("nobody has said \"{words}\""),
            (0, true) => format!("nobody has said \"{words}\" lately"),
            (1, _) => format!("\"{words}\" was said here:"),
            (count, _) => format!("\"{words}\" was said here ({count} messages):"),
        })];
        for hit in hits.iter().rev() {
            let Ok(room) = hit.room.parse::<RoomName>() else { continue };
            let called = self.model.called(&room);
            lines.extend(self.transcript.past(&called, std::slice::from_ref(&hit.message)));
        }
        if hidden > 0 {
            lines.push(self.transcript.note(&format!("{hidden} more were said by people whom you ignore")));
        }
        if has_more {
            lines.push(self.transcript.note("/search looks further back"));
        }
        if is_behind {
            lines.push(self.transcript.note("not all that was said can be found yet; search again later"));
        }
        self.print(&lines)
    }
}
