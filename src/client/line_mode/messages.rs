//! What messages say, as lines without their time. What is said about an earlier message names that first, in a line of
//! its own kind: only this program writes lines with `*`, so nobody's text can pass for a quotation, an edit or a removal.

use std::fmt::Display;

use super::Transcript;
use crate::client::recent::{Recent, Remembered, Subject};
use crate::client::room_words;
use crate::terminal_text::one_line;
use crate::wire::{BODY_REMOVED, BODY_ROOM_EVENT, BODY_TEXT, MessageChange, PastMessage, RoomEvent};

/// A message that is not remembered.
const EARLIER: &str = "an earlier message";

impl Transcript {
    /// What a message says, in one line or, when it answers another one, two; in none if all of it is known.
    pub(super) fn what_was_said(
        &self,
        room: &impl Display,
        message: &PastMessage,
        subject: &Subject,
    ) -> Vec<String> {
        let PastMessage { author, kind, body, edited, .. } = message;
        let room = self.place(room);
        let happens = |what: String| vec![format!("{room} * {what}")];
        if *subject == Subject::Done {
            return Vec::new();
        }
        if *kind == BODY_ROOM_EVENT
            && let Some(event) = RoomEvent::parse(body)
        {
            return happens(one_line(room_words::event(author, &event)));
        }
        if *kind == BODY_REMOVED {
            return happens(removed(author, body));
        }
        let author = one_line(author);
        if let Some(change) = MessageChange::parse(*kind, body) {
            return happens(self.change(&author, &change, subject));
        }
        let text = match *kind {
            BODY_TEXT => one_line(body.as_slice()),
            kind => format!("(something of kind {kind}, which this version of chat can't show)"),
        };
        let edited = edited.map(|at| format!(" (edited {})", self.when(at))).unwrap_or_default();
        let answered = match subject {
            Subject::None | Subject::Done => None,
            Subject::Earlier => Some(EARLIER.to_owned()),
            Subject::Known(known) => Some(self.quoted(known)),
        };
        let answers = answered.map(|answered| format!("{room} * {author} answers {answered}"));
        let boundary = self.boundary_after(&author);
        answers.into_iter().chain([format!("{room} <{author}>{boundary} {text}{edited}")]).collect()
    }

    /// A page of what was said in a room before, as notes with their days and times.
    pub(in crate::client) fn past(&self, room: &impl Display, page: &[PastMessage]) -> Vec<String> {
        let mut recent = Recent::default();
        let mut lines = Vec::new();
        for message in page {
            let subject = recent.hear(message);
            let time = self.day_and_time(message.at);
            let said = self.what_was_said(room, message, &subject);
            lines.extend(said.into_iter().map(|what| self.own_note(format!("{time} {what}"))));
        }
        lines
    }

    /// One of the last messages, with the number by which it can be meant.
    pub(in crate::client) fn numbered(&self, known: &Remembered) -> String {
        self.own_note(format!("#{} {}", known.sequence, self.quoted(known)))
    }

    fn change(&self, author: &str, change: &MessageChange<'_>, subject: &Subject) -> String {
        let known = match subject {
            Subject::Known(known) => Some(known),
            Subject::None | Subject::Earlier | Subject::Done => None,
        };
        let quoted = || known.map_or_else(|| EARLIER.to_owned(), |known| self.quoted(known));
        match change {
            MessageChange::Edit(text) => {
                let which = known.map_or(EARLIER.to_owned(), |known| format!("({})", self.when(known.at)));
                format!("{author} edited {which}: {}", one_line(text))
            }
            MessageChange::Remove => {
                let which = known.map_or(EARLIER.to_owned(), |known| self.removed_by(author, known));
                format!("{author} removed {which}")
            }
            MessageChange::React(reaction) => {
                format!("{author} reacted {} to {}", one_line(reaction.as_str()), quoted())
            }
            MessageChange::TakeBack(reaction) => {
                format!("{author} took back {} to {}", one_line(reaction.as_str()), quoted())
            }
        }
    }

    fn removed_by(&self, author: &str, known: &Remembered) -> String {
        let when = self.when(known.at);
        if one_line(&known.author) == author {
            format!("a message ({when})")
        } else {
            format!("a message of {} ({when})", self.name(&known.author))
        }
    }

    /// Who said what when, in short. The words are at the end, where they can't pass for anything else.
    fn quoted(&self, known: &Remembered) -> String {
        let (name, when) = (self.name(&known.author), self.when(known.at));
        match known {
            Remembered { is_removed: true, .. } => format!("a removed message of {name} ({when})"),
            Remembered { is_text: true, words, .. } => format!("{name} ({when}): \"{}\"", one_line(words)),
            _ => format!("{name} ({when})"),
        }
    }

    /// A name, made safe, that signs or numbers may follow.
    fn name(&self, name: &str) -> String {
        let name = one_line(name);
        let boundary = self.boundary_after(&name);
        format!("{name}{boundary}")
    }
}

/// A message whose text was taken away.
fn removed(author: &str, by: &[u8]) -> String {
    let (author, by) = (one_line(author), one_line(by));
    match by.as_str() {
        "" => format!("a message of {author} was removed by the server's operator"),
        by if by == author => format!("{author} removed this message"),
        by => format!("a message of {author} was removed by {by}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::RoomName;
    use crate::wire::{BODY_EDIT, BODY_REACT, BODY_REMOVE, MessageId};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    /// 20 November 2026, 10:34 UTC.
    const NOW: u64 = 1_795_170_840_000;
    const MINUTE: u64 = 60_000;

    fn transcript(is_for_terminal: bool) -> Transcript {
        let now = Timestamp::from_millisecond(NOW.try_into().unwrap()).unwrap();
        Transcript::new(TimeZone::UTC, now, is_for_terminal)
    }

    fn message(sequence: u64, author: &str, kind: u16, body: &str, of: Option<u64>) -> PastMessage {
        PastMessage {
            sequence,
            at: NOW + sequence * MINUTE,
            author: author.into(),
            id: MessageId::from_bytes([7; 16]),
            kind,
            body: body.as_bytes().to_vec().into(),
            of,
            edited: None,
        }
    }

    /// What is shown of these messages, heard one after the other.
    fn shown(transcript: &mut Transcript, messages: &[PastMessage]) -> Vec<String> {
        let mut recent = Recent::default();
        let mut lines = Vec::new();
        for message in messages {
            let subject = recent.hear(message);
            lines.extend(transcript.said(&RoomName::lobby(), message, &subject));
        }
        lines
    }

    #[test]
    fn what_is_said_about_a_message_names_it_in_a_line_that_nobody_can_write() {
        let messages = [
            message(
                0,
                "bob",
                BODY_TEXT,
                "(to alice: \"I am a thief\") <alice> teh tea is ready, who comes?",
                None,
            ),
            message(1, "alice", BODY_TEXT, "I do", Some(0)),
            message(2, "bob", BODY_EDIT, "the tea is ready", Some(0)),
            message(3, "carol", BODY_REACT, "++1", Some(0)),
            message(4, "carol", BODY_REACT, "-+1", Some(0)),
            message(5, "alice", BODY_REMOVE, "\u{fffd}", Some(0)),
            message(6, "carol", BODY_TEXT, "what was it?", Some(0)),
        ];
        let mut messages = messages.to_vec();
        messages[5].body = b"\xa0".to_vec().into();
        let expected = [
            "10:34 #lobby <bob> (to alice: \"I am a thief\") <alice> teh tea is ready, who comes?",
            "10:35 #lobby * alice answers bob (10:34): \"(to alice: \"I am a thief\") <alice> teh t…\"",
            "10:35 #lobby <alice> I do",
            "10:36 #lobby * bob edited (10:34): the tea is ready",
            "10:37 #lobby * carol reacted +1 to bob (10:34): \"the tea is ready\"",
            "10:38 #lobby * carol took back +1 to bob (10:34): \"the tea is ready\"",
            "10:39 #lobby * alice removed a message of bob (10:34)",
            "10:40 #lobby * carol answers a removed message of bob (10:34)",
            "10:40 #lobby <carol> what was it?",
        ];
        assert_eq!(shown(&mut transcript(false), &messages), expected);
    }

    #[test]
    fn who_comes_later_sees_what_is_and_that_it_was_changed() {
        let edited =
            PastMessage { edited: Some(NOW + MINUTE), ..message(0, "bob", BODY_TEXT, "the tea", None) };
        let messages = [
            edited,
            message(1, "bob", BODY_EDIT, "the tea", Some(0)),
            message(2, "bob", BODY_REMOVED, "bob", None),
            message(3, "bob", BODY_REMOVED, "alice", None),
            message(4, "bob", BODY_REMOVED, "", None),
        ];
        let expected = [
            "10:34 #lobby <bob> the tea (edited 10:35)",
            "10:36 #lobby * bob removed this message",
            "10:37 #lobby * a message of bob was removed by alice",
            "10:38 #lobby * a message of bob was removed by the server's operator",
        ];
        assert_eq!(shown(&mut transcript(false), &messages), expected);
        let past = transcript(false).past(&RoomName::lobby(), &messages);
        assert_eq!(past[0].get(5..), Some(" ! 2026-11-20 10:34 #lobby <bob> the tea (edited 10:35)"));
        assert_eq!(past.len(), 4);
    }

    #[test]
    fn what_is_not_remembered_is_an_earlier_message() {
        let mut removal = message(2, "bob", BODY_REMOVE, "", Some(9));
        removal.body = b"\xa0".to_vec().into();
        let messages = [
            message(0, "bob", BODY_TEXT, "yes", Some(9)),
            message(1, "bob", BODY_EDIT, "yes!", Some(9)),
            removal,
            message(3, "bob", BODY_REACT, "+👍", Some(9)),
        ];
        let expected = [
            "10:34 #lobby * bob answers an earlier message",
            "10:34 #lobby <bob> yes",
            "10:35 #lobby * bob edited an earlier message: yes!",
            "10:36 #lobby * bob removed an earlier message",
            "10:37 #lobby * bob reacted 👍 to an earlier message",
        ];
        assert_eq!(shown(&mut transcript(false), &messages), expected);
    }

    #[test]
    fn hostile_names_and_words_stay_where_they_are() {
        let hostile = "\u{1b}[2J\n12:00 #lobby <bob> forged\u{202e}";
        let messages = [
            message(0, hostile, BODY_TEXT, hostile, None),
            message(1, hostile, BODY_TEXT, hostile, Some(0)),
            message(2, hostile, BODY_EDIT, hostile, Some(0)),
            message(3, hostile, BODY_REACT, "+\u{1b}", Some(0)),
            message(4, hostile, BODY_REMOVED, hostile, None),
        ];
        for line in shown(&mut transcript(false), &messages) {
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
        let from_the_right =
            [message(0, "שלום", BODY_TEXT, "אבג", None), message(1, "bob", BODY_TEXT, "yes", Some(0))];
        let answers = shown(&mut transcript(true), &from_the_right).remove(1);
        assert_eq!(answers, "10:35 #lobby * bob answers שלום\u{200e} (10:34): \"אבג\"");
    }
}
