//! What one asks about one's own account.

use super::{Command, Entry, Meaning};
use crate::names::TimeSpan;

/// What can be asked for about one's own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum AccountCommand {
    Devices,
    RevokeDevice(Which),
    RevokeOtherDevices,
    ChangePassword,
    /// How many may use it, and how long; the server decides what is not said.
    Invite {
        uses: Option<u32>,
        lasts: Option<TimeSpan>,
    },
}

/// One of the devices that were listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum Which {
    /// By its number, from 1.
    Number(usize),
    /// By the beginning of its key's fingerprint, in small hexadecimal digits without gaps.
    Fingerprint(String),
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "/devices",
        help: "lists the devices that come in as you; /devices revoke N ends one",
        meaning: Meaning::Arguments(
            "nothing, or revoke with a device's number, its fingerprint (4 digits or more), or others",
            |text| devices(text).map(Command::Account),
        ),
    },
    Entry {
        name: "/invite",
        help: "makes a link with which someone can sign up; /invite 5 3d for five within three days",
        meaning: Meaning::Arguments(
            "nothing, or a number of uses, a time such as 12h or 7d, or both",
            |text| invite(text).map(Command::Account),
        ),
    },
    Entry {
        name: "/passwd",
        help: "changes your password",
        meaning: Meaning::Fixed(Command::Account(AccountCommand::ChangePassword)),
    },
];

fn devices(arguments: &str) -> Option<AccountCommand> {
    /// The shortest beginning of a fingerprint that is taken for one; what is shorter may be a number.
    const DIGITS: std::ops::RangeInclusive<usize> = 4..=32;
    let arguments = arguments.to_ascii_lowercase();
    let mut words = arguments.split_whitespace();
    match (words.next(), words.collect::<String>().as_str()) {
        (None, _) => Some(AccountCommand::Devices),
        (Some("revoke"), "others") => Some(AccountCommand::RevokeOtherDevices),
        (Some("revoke"), digits) if DIGITS.contains(&digits.len()) => {
            let is_fingerprint = digits.chars().all(|digit| digit.is_ascii_hexdigit());
            is_fingerprint.then(|| AccountCommand::RevokeDevice(Which::Fingerprint(digits.to_owned())))
        }
        (Some("revoke"), number) => Some(AccountCommand::RevokeDevice(Which::Number(number.parse().ok()?))),
        _ => None,
    }
}

fn invite(arguments: &str) -> Option<AccountCommand> {
    let (mut uses, mut lasts) = (None, None);
    for word in arguments.split_whitespace() {
        match (word.parse::<u32>(), word.parse::<TimeSpan>()) {
            (Ok(number), _) if number > 0 && uses.is_none() => uses = Some(number),
            (_, Ok(time)) if lasts.is_none() => lasts = Some(time),
            _ => return None,
        }
    }
    Some(AccountCommand::Invite { uses, lasts })
}
