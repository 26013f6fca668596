//! What operators ask to be done about people. A word that begins like a time and is none is refused: taken for the
//! beginning of a reason, it would make a ban for ever of one that was meant for an hour.

use super::arguments::{Argument, Kind};
use super::{Command, Entry, Meaning};
use crate::names::{BAN_REASON_BYTES_MAX, BanReason, BanReasonError, TimeSpan, Username};

/// What operators can ask for in the current room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum ModerationCommand {
    /// Make someone leave.
    Kick(Username, Option<BanReason>),
    /// Keep someone out, for a time or for ever.
    Ban(Username, Option<TimeSpan>, Option<BanReason>),
    Unban(Username),
    /// Let someone say nothing, for a time or for ever.
    Mute(Username, Option<TimeSpan>, Option<BanReason>),
    Unmute(Username),
    /// Take away what someone has said, all of it or that of the last time.
    Purge(Username, Option<TimeSpan>),
    /// Not to see what someone says, or whom that is so with.
    Ignore(Option<Username>),
    Unignore(Username),
    /// Who is banned or muted.
    List,
    /// What operators have done: the latest of it, or what was before that which was shown.
    Log {
        is_more: bool,
    },
}

const REASON: Kind = Kind::Text { name: "REASON", most: BAN_REASON_BYTES_MAX };

/// What stands after a sanction.
const SANCTION: &[Argument] =
    &[Argument::One(Kind::Person), Argument::Perhaps(&[Kind::Time]), Argument::Perhaps(&[REASON])];

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "/kick",
        help: "makes someone leave this room; who may, comes in again",
        meaning: Meaning::Arguments(&[Argument::One(Kind::Person), Argument::Perhaps(&[REASON])], |text| {
            let (name, rest) = name_and_rest(text)?;
            Some(Command::Moderation(ModerationCommand::Kick(name, reason(rest).ok()?)))
        }),
    },
    Entry {
        name: "/ban",
        help: "keeps someone out of this room; in #lobby off the server. A reason does not begin with a number",
        meaning: Meaning::Arguments(SANCTION, |text| sanction(text, ModerationCommand::Ban)),
    },
    Entry {
        name: "/unban",
        help: "lets someone come in again",
        meaning: Meaning::Arguments(&[Argument::One(Kind::Person)], |text| {
            one_name(text, ModerationCommand::Unban)
        }),
    },
    Entry {
        name: "/mute",
        help: "lets someone say nothing in this room; only hear. A reason does not begin with a number",
        meaning: Meaning::Arguments(SANCTION, |text| sanction(text, ModerationCommand::Mute)),
    },
    Entry {
        name: "/unmute",
        help: "lets someone say something again",
        meaning: Meaning::Arguments(&[Argument::One(Kind::Person)], |text| {
            one_name(text, ModerationCommand::Unmute)
        }),
    },
    Entry {
        name: "/purge",
        help: "takes away for good what someone said here; all of it, or that of the last TIME",
        meaning: Meaning::Arguments(
            &[Argument::One(Kind::Person), Argument::Perhaps(&[Kind::Time])],
            |text| {
                let (name, rest) = name_and_rest(text)?;
                let within = if rest.is_empty() { None } else { Some(rest.parse().ok()?) };
                Some(Command::Moderation(ModerationCommand::Purge(name, within)))
            },
        ),
    },
    Entry {
        name: "/ignore",
        help: "hides from you what someone says; on all your devices. Alone, it lists whom",
        meaning: Meaning::Arguments(&[Argument::Perhaps(&[Kind::Person])], |text| {
            let name = if text.trim().is_empty() { None } else { Some(text.trim().parse().ok()?) };
            Some(Command::Moderation(ModerationCommand::Ignore(name)))
        }),
    },
    Entry {
        name: "/unignore",
        help: "shows you again what someone says",
        meaning: Meaning::Arguments(&[Argument::One(Kind::Person)], |text| {
            one_name(text, ModerationCommand::Unignore)
        }),
    },
    Entry {
        name: "/banned",
        help: "lists who is banned or muted in this room",
        meaning: Meaning::Fixed(Command::Moderation(ModerationCommand::List)),
    },
    Entry {
        name: "/modlog",
        help: "shows what operators have done here; with more, what was before that",
        meaning: Meaning::Arguments(&[Argument::Perhaps(&[Kind::Word(&["more"])])], |text| {
            let is_more = match text.trim() {
                "" => false,
                word if word.eq_ignore_ascii_case("more") => true,
                _ => return None,
            };
            Some(Command::Moderation(ModerationCommand::Log { is_more }))
        }),
    },
];

fn sanction(
    text: &str,
    command: fn(Username, Option<TimeSpan>, Option<BanReason>) -> ModerationCommand,
) -> Option<Command> {
    let (name, rest) = name_and_rest(text)?;
    let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (lasts, rest) =
        if begins_like_a_time(word) { (Some(word.parse().ok()?), after) } else { (None, rest) };
    Some(Command::Moderation(command(name, lasts, reason(rest).ok()?)))
}

fn begins_like_a_time(word: &str) -> bool {
    word.trim_start_matches(['+', '-']).starts_with(char::is_numeric)
}

fn one_name(text: &str, command: fn(Username) -> ModerationCommand) -> Option<Command> {
    Some(Command::Moderation(command(text.trim().parse().ok()?)))
}

fn name_and_rest(text: &str) -> Option<(Username, &str)> {
    let text = text.trim();
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    Some((name.parse().ok()?, rest.trim_start()))
}

/// A reason, if there is one.
fn reason(text: &str) -> Result<Option<BanReason>, BanReasonError> {
    let text = text.trim();
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::super::{Typed, TypedError, parse};
    use super::*;

    fn read(line: &str) -> ModerationCommand {
        match parse(line) {
            Ok(Typed::Do(Command::Moderation(command))) => command,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_time_and_a_reason_are_each_left_out_or_taken() {
        let bob = || "bob".parse().unwrap();
        let (week, spam) = ("7d".parse().ok(), "spam, 3 times".parse().ok());
        assert_eq!(read("/ban Bob"), ModerationCommand::Ban(bob(), None, None));
        assert_eq!(read("/BAN bob 7D"), ModerationCommand::Ban(bob(), week, None));
        assert_eq!(read("/ban  bob  7d  spam, 3 times "), ModerationCommand::Ban(bob(), week, spam.clone()));
        assert_eq!(read("/mute bob spam, 3 times"), ModerationCommand::Mute(bob(), None, spam.clone()));
        assert_eq!(read("/kick bob spam, 3 times"), ModerationCommand::Kick(bob(), spam));
        assert_eq!(read("/kick bob 3x"), ModerationCommand::Kick(bob(), "3x".parse().ok()), "it has no time");
        assert_eq!(read("/unban bob"), ModerationCommand::Unban(bob()));
        assert_eq!(read("/purge bob"), ModerationCommand::Purge(bob(), None));
        assert_eq!(read("/purge bob 7d "), ModerationCommand::Purge(bob(), week));
        assert_eq!(read("/ignore"), ModerationCommand::Ignore(None));
        assert_eq!(read("/ignore Bob"), ModerationCommand::Ignore(Some(bob())));
        assert_eq!(read("/modlog"), ModerationCommand::Log { is_more: false });
        assert_eq!(read("/modlog MORE"), ModerationCommand::Log { is_more: true });
    }

    #[test]
    fn nonsense_is_refused_and_never_taken_for_a_reason() {
        let long = format!("/kick bob {}", "x".repeat(201));
        let lines = [
            "/ban",
            "/ban bob 7",
            "/ban bob 10x spam",
            "/ban bob 0m",
            "/ban bob 4000d",
            "/ban bob -5m",
            "/ban bob +7d",
            "/ban bob 7 days",
            "/ban bob ٣d",
            "/mute bob 1h30m",
            "/mute b+c",
            "/unban bob spam",
            "/unmute",
            "/kick",
            "/purge",
            "/purge bob spam",
            "/purge bob 7",
            "/purge bob 7d spam",
            "/ignore b+c",
            "/unignore",
            "/kick bob a\u{7}b",
            "/modlog 7",
            &long,
        ];
        for line in lines {
            assert!(matches!(parse(line), Err(TypedError::Arguments { .. })), "{line}");
        }
        assert!(matches!(parse("/banned bob"), Err(TypedError::NoArguments { .. })));
    }
}
