//! What one asks about messages: those of others, and one's own. A message is meant by its number, or else it is the last
//! one that can be meant.

use super::arguments::{Argument, Kind};
use super::{Command, Entry, Meaning};
use crate::client::own::Deed;
use crate::client::recent::RECENT_MAX;
use crate::names::{MESSAGE_BYTES_MAX, MessageText, MessageTextError, REACTION_BYTES_MAX, Reaction};

/// What can be asked for about messages of the current room, by their numbers, or the last one that can be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) enum MessageCommand {
    /// Something is to be done to a message.
    Do(Option<u64>, Deed),
    /// So many of the last messages, with their numbers.
    Recent(u16),
    /// What is not delivered.
    Pending,
    /// What was not delivered is to be said again.
    Resend,
}

/// How many messages are listed if nobody says.
const LISTED: u16 = 10;

const NUMBER: Argument = Argument::Perhaps(&[Kind::Message]);
const TEXT: Argument = Argument::One(Kind::Text { name: "TEXT", most: MESSAGE_BYTES_MAX });
const REACTION: Argument = Argument::One(Kind::Text { name: "REACTION", most: REACTION_BYTES_MAX });

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "/answer",
        help: "answers a message; without a number, what someone else said last",
        meaning: Meaning::Text(&[NUMBER, TEXT], |text| with_text(text, Deed::Answer)),
    },
    Entry {
        name: "/edit",
        help: "gives a message of yours another text; without a number, your last one",
        meaning: Meaning::Text(&[NUMBER, TEXT], |text| with_text(text, Deed::Edit)),
    },
    Entry {
        name: "/delete",
        help: "removes a message; without a number, your last one. Operators can remove what others said",
        meaning: Meaning::Arguments(&[NUMBER], |text| match numbered(text) {
            (number, "") => Some(Command::Message(MessageCommand::Do(number, Deed::Remove))),
            _ => None,
        }),
    },
    Entry {
        name: "/react",
        help: "shows a message a reaction such as +1; without a number, what someone else said last",
        meaning: Meaning::Arguments(&[NUMBER, REACTION], |text| with_reaction(text, Deed::React)),
    },
    Entry {
        name: "/unreact",
        help: "takes a reaction back",
        meaning: Meaning::Arguments(&[NUMBER, REACTION], |text| with_reaction(text, Deed::TakeBack)),
    },
    Entry {
        name: "/recent",
        help: "lists the last messages with numbers",
        meaning: Meaning::Arguments(&[Argument::Perhaps(&[COUNT])], |text| {
            let count = if text.trim().is_empty() { LISTED } else { text.trim().parse().ok()? };
            (1..=RECENT_MAX).contains(&count).then_some(Command::Message(MessageCommand::Recent(count)))
        }),
    },
    Entry {
        name: "/pending",
        help: "shows what you said that is not delivered; and why",
        meaning: Meaning::Fixed(Command::Message(MessageCommand::Pending)),
    },
    Entry {
        name: "/resend",
        help: "says again what was not delivered",
        meaning: Meaning::Fixed(Command::Message(MessageCommand::Resend)),
    },
];

const COUNT: Kind = Kind::Number { name: "COUNT", most: RECENT_MAX as u32 };

/// What is to be done with a text.
fn with_text(text: &str, deed: fn(MessageText) -> Deed) -> Option<Result<Command, MessageTextError>> {
    let (number, text) = numbered(text);
    if text.is_empty() {
        return None;
    }
    Some(text.parse().map(|text| Command::Message(MessageCommand::Do(number, deed(text)))))
}

fn with_reaction(text: &str, deed: fn(Reaction) -> Deed) -> Option<Command> {
    let (number, reaction) = numbered(text);
    Some(Command::Message(MessageCommand::Do(number, deed(reaction.parse().ok()?))))
}

/// The number of a message if the text begins with one, and what follows it.
fn numbered(text: &str) -> (Option<u64>, &str) {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match first.strip_prefix('#').map(str::parse) {
        Some(Ok(number)) => (Some(number), rest.trim()),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Typed, TypedError, parse};
    use super::*;

    #[test]
    fn a_message_is_meant_by_its_number_or_is_the_last_one() {
        let text = |text: &str| text.parse().unwrap();
        let react = |text: &str| Deed::React(text.parse().unwrap());
        let cases = [
            ("/answer yes", None, Deed::Answer(text("yes"))),
            ("/answer #41  yes, two\nlines", Some(41), Deed::Answer(text("yes, two\nlines"))),
            ("/edit #tea is a room", None, Deed::Edit(text("#tea is a room"))),
            ("/EDIT #7 new", Some(7), Deed::Edit(text("new"))),
            ("/delete", None, Deed::Remove),
            ("/delete #3 ", Some(3), Deed::Remove),
            ("/react +1", None, react("+1")),
            ("/react #2 👍", Some(2), react("👍")),
            ("/unreact #2 👍", Some(2), Deed::TakeBack("👍".parse().unwrap())),
        ];
        for (line, number, deed) in cases {
            let command = Command::Message(MessageCommand::Do(number, deed));
            assert_eq!(parse(line), Ok(Typed::Do(command)), "{line}");
        }
        let recent = |count| Ok(Typed::Do(Command::Message(MessageCommand::Recent(count))));
        assert_eq!((parse("/recent"), parse("/recent 100")), (recent(LISTED), recent(100)));
    }

    #[test]
    fn what_means_nothing_is_refused_with_how_it_looks_and_what_is_too_long_with_its_size() {
        for line in [
            "/answer",
            "/answer #4",
            "/edit",
            "/edit #4 ",
            "/delete that",
            "/delete #4 #5",
            "/delete 4",
            "/react",
            "/react #4",
            "/react two words",
            "/unreact",
            "/recent 0",
            "/recent 101",
            "/recent all",
        ] {
            assert!(matches!(parse(line), Err(TypedError::Arguments { .. })), "{line}");
        }
        for command in ["/answer", "/edit", "/answer #4"] {
            let told = parse(&format!("{command} {}", "x".repeat(16_385))).unwrap_err().to_string();
            assert!(told.contains("has 16385 bytes and at most 16384"), "{told}");
        }
    }
}
