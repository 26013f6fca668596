//! What one asks about people, and what one lets them know of oneself.

use super::arguments::{Argument, Kind};
use super::{Command, Entry, Meaning};
use crate::names::{AWAY_REASON_BYTES_MAX, AwayReason, Username};

/// What can be asked for about people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum PeopleCommand {
    /// Who is in the current room.
    Who,
    WhoIs(Username),
    /// One is away, or back.
    SetAway(Option<AwayReason>),
    /// Whether others are told when one was last seen.
    HideLastSeen(bool),
}

const REASON: Kind = Kind::Text { name: "REASON", most: AWAY_REASON_BYTES_MAX };

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "/who",
        help: "shows who is here, and who of them is away",
        meaning: Meaning::Fixed(Command::People(PeopleCommand::Who)),
    },
    Entry {
        name: "/whois",
        help: "tells whether someone is here; in which rooms, and when they were last",
        meaning: Meaning::Arguments(&[Argument::One(Kind::Person)], |text| {
            Some(Command::People(PeopleCommand::WhoIs(text.trim().parse().ok()?)))
        }),
    },
    Entry {
        name: "/away",
        help: "says that you are away, and perhaps why; on all your devices, until you say something",
        meaning: Meaning::Arguments(&[Argument::Perhaps(&[REASON])], |text| {
            Some(Command::People(PeopleCommand::SetAway(Some(text.parse().ok()?))))
        }),
    },
    Entry {
        name: "/back",
        help: "says that you are back; so does saying anything",
        meaning: Meaning::Fixed(Command::People(PeopleCommand::SetAway(None))),
    },
    Entry {
        name: "/lastseen",
        help: "lets others know when you were here last; or, with off, not",
        meaning: Meaning::Arguments(&[Argument::One(Kind::Word(&["on", "off"]))], |text| {
            let hide = match text.trim().to_ascii_lowercase().as_str() {
                "on" => false,
                "off" => true,
                _ => return None,
            };
            Some(Command::People(PeopleCommand::HideLastSeen(hide)))
        }),
    },
];
