//! What one asks about what was said before.

use super::arguments::{Argument, Kind};
use super::rooms::{Where, room};
use super::{Command, Entry, Meaning};
use crate::names::{SEARCH_WORDS_MAX, SearchWords};
use crate::wire::HISTORY_PAGE_MAX;

/// What can be asked for about what was said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum HistoryCommand {
    /// So many messages before those that were shown, of a room: the current one if none is named.
    Earlier { room: Option<Where>, count: Option<u16> },
    /// The rooms in which something is unread.
    CountUnread,
    /// What is unread in a room, from the first such message on.
    Unread(Where),
    /// Everything in a room counts as read: the current one if none is named.
    MarkRead(Option<Where>),
    /// Where these words were said: in a room, or anywhere.
    Search { room: Option<Where>, words: SearchWords },
    /// The same further back.
    SearchOn,
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "/history",
        help: "shows what was said before; further back each time, in this room or the one that you name",
        meaning: Meaning::Arguments(
            &[
                Argument::Perhaps(&[Kind::Room]),
                Argument::Perhaps(&[Kind::Number { name: "COUNT", most: HISTORY_PAGE_MAX as u32 }]),
            ],
            earlier,
        ),
    },
    Entry {
        name: "/unread",
        help: "tells where something is unread; or shows what is, in the room that you name",
        meaning: Meaning::Arguments(&[Argument::Perhaps(&[Kind::Room])], |text| {
            perhaps_room(text, |room| room.map_or(HistoryCommand::CountUnread, HistoryCommand::Unread))
        }),
    },
    Entry {
        name: "/read",
        help: "marks a room as read; this one if you name none",
        meaning: Meaning::Arguments(&[Argument::Perhaps(&[Kind::Room])], |text| {
            perhaps_room(text, HistoryCommand::MarkRead)
        }),
    },
    Entry {
        name: "/search",
        help: "finds where words were said; the last one may be the beginning of one. Without words it looks further back",
        meaning: Meaning::Arguments(
            &[
                Argument::Perhaps(&[Kind::Room]),
                Argument::Perhaps(&[Kind::Words { name: "WORDS", most: SEARCH_WORDS_MAX }]),
            ],
            search,
        ),
    },
];

fn search(text: &str) -> Option<Command> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Command::History(HistoryCommand::SearchOn));
    }
    let named = text.split_once(char::is_whitespace).filter(|_| text.starts_with(['#', '@']));
    let (wanted, words) = match named {
        Some((name, words)) => (Some(room(name)?), words),
        None => (None, text),
    };
    Some(Command::History(HistoryCommand::Search { room: wanted, words: words.parse().ok()? }))
}

/// A command about the room that is named, or about none.
fn perhaps_room(text: &str, command: fn(Option<Where>) -> HistoryCommand) -> Option<Command> {
    let room = if text.trim().is_empty() { None } else { Some(room(text)?) };
    Some(Command::History(command(room)))
}

fn earlier(text: &str) -> Option<Command> {
    let (mut wanted, mut count) = (None, None);
    for word in text.split_whitespace() {
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit()); // a room of that name is written with its #
        if is_number && count.is_none() {
            count = Some(word.parse().ok().filter(|number| (1..=HISTORY_PAGE_MAX).contains(number))?);
        } else if !is_number && wanted.is_none() {
            wanted = Some(room(word)?);
        } else {
            return None;
        }
    }
    Some(Command::History(HistoryCommand::Earlier { room: wanted, count }))
}
