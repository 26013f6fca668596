//! What one asks about one's own account.

use super::arguments::{Argument, Kind};
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
        help: "lists the devices that come in as you; or ends one, or all others",
        meaning: Meaning::Arguments(&[Argument::Perhaps(&[Kind::Word(&["revoke"]), Kind::Device])], |text| {
            devices(text).map(Command::Account)
        }),
    },
    Entry {
        name: "/invite",
        help: "makes a link to sign up with; for one within seven days if you don't say otherwise",
        meaning: Meaning::Arguments(
            &[
                Argument::Perhaps(&[Kind::Number { name: "USES", most: 1000 }]),
                Argument::Perhaps(&[Kind::Time]),
            ],
            |text| invite(text).map(Command::Account),
        ),
    },
    Entry {
        name: "/passwd",
        help: "changes your password; it asks for the old and the new one where nobody sees them",
        meaning: Meaning::Secret(Command::Account(AccountCommand::ChangePassword)),
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
