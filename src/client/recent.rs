//! The last messages of a room, so that it can be told which of them others are about.

use std::collections::VecDeque;

use crate::names::USERNAME_CHARS_MAX;
use crate::wire::{
    BODY_EDIT, BODY_OF_SERVER_MIN, BODY_REMOVE, BODY_REMOVED, BODY_ROOM_EVENT, BODY_TEXT, PastMessage,
    RoomEvent,
};

/// How many messages of a room are remembered.
pub(super) const RECENT_MAX: u16 = 100;

/// How much of each, in characters.
const WORDS_CHARS_MAX: usize = 40;

/// At most [`RECENT_MAX`], in the order of their numbers.
#[derive(Default)]
pub(super) struct Recent(VecDeque<Remembered>);

/// What is remembered of a message that someone has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) sequence: u64,
    /// In milliseconds since 1970.
    pub(super) at: u64,
    pub(super) author: String,
    /// How it begins, as it is now; nothing of what is no text.
    pub(super) words: String,
    /// Whether it is one, and was not removed.
    pub(super) is_text: bool,
    pub(super) is_removed: bool,
    /// When it had got its text when it was heard, if that was not its first one.
    edited: Option<u64>,
}

/// Which message another one is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// It is about none.
    None,
    /// About one that is not remembered.
    Earlier,
    /// About this one, as it was before.
    Known(Remembered),
    /// All that it tells is known: whoever hears of a message late hears it as it is now, and then of the changes that made
    /// it so.
    Done,
}

impl Recent {
    /// Takes the next message. Gives which one it is about.
    pub(super) fn hear(&mut self, message: &PastMessage) -> Subject {
        let PastMessage { of, at, kind, body, .. } = message;
        let known = of.and_then(|of| self.0.iter_mut().find(|known| known.sequence == of));
        let subject = match (of, known.as_deref()) {
            (None, _) => Subject::None,
            (Some(_), None) => Subject::Earlier,
            (Some(_), Some(known)) => Subject::Known(known.clone()),
        };
        match (*kind, known) {
            (BODY_EDIT, _) if body.is_empty() => return Subject::Done, // it was removed
            (BODY_EDIT, Some(known)) => {
                let before = std::mem::replace(&mut known.words, first_words(body));
                if known.edited.is_some_and(|edited| edited >= *at) && known.words == before {
                    return Subject::Done;
                }
            }
            (BODY_REMOVE, Some(known)) => {
                if known.is_removed {
                    return Subject::Done;
                }
                known.remove();
            }
            (BODY_ROOM_EVENT, _) => {
                if let Some(RoomEvent::Purged { name, since, .. }) = RoomEvent::parse(body) {
                    self.forget_all_of(&name, since.unwrap_or(0));
                }
            }
            (kind, _) if kind < BODY_OF_SERVER_MIN || kind == BODY_REMOVED => self.remember(message),
            _ => {}
        }
        subject
    }

    /// What someone has said since a time is taken away.
    fn forget_all_of(&mut self, name: &str, since: u64) {
        for known in self.0.iter_mut().filter(|known| known.author == name && known.at >= since) {
            known.remove();
        }
    }

    /// Forgets what comes after this number: it will be heard again, or something else in its place.
    pub(super) fn forget_after(&mut self, sequence: u64) {
        self.0.retain(|known| known.sequence <= sequence);
    }

    /// The messages that were not removed, the last one first.
    pub(super) fn last_first(&self) -> impl Iterator<Item = &Remembered> {
        self.0.iter().rev().filter(|known| !known.is_removed)
    }

    fn remember(&mut self, message: &PastMessage) {
        let is_text = message.kind == BODY_TEXT;
        if self.0.len() >= RECENT_MAX.into() {
            self.0.pop_front();
        }
        self.0.push_back(Remembered {
            sequence: message.sequence,
            at: message.at,
            // A server can send any; nobody has a longer one.
            author: message.author.chars().take(USERNAME_CHARS_MAX).collect(),
            words: if is_text { first_words(&message.body) } else { String::new() },
            is_text,
            is_removed: message.kind == BODY_REMOVED,
            edited: message.edited,
        });
    }
}

impl Remembered {
    fn remove(&mut self) {
        (self.is_removed, self.is_text) = (true, false);
        self.words.clear();
    }
}

/// How a text begins.
pub(super) fn first_words(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut letters = text.trim().chars();
    let words: String = letters.by_ref().take(WORDS_CHARS_MAX).collect();
    if letters.next().is_none() { words } else { format!("{}…", words.trim_end()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::MessageId;

    fn message(sequence: u64, kind: u16, body: &str, of: Option<u64>) -> PastMessage {
        PastMessage {
            sequence,
            at: sequence,
            author: "bob".into(),
            id: MessageId::from_bytes([1; 16]),
            kind,
            body: body.as_bytes().to_vec().into(),
            of,
            edited: None,
        }
    }

    fn words(recent: &Recent) -> Vec<&str> {
        recent.last_first().map(|known| known.words.as_str()).collect()
    }

    #[test]
    fn what_is_said_about_a_message_tells_how_that_was_before() {
        let mut recent = Recent::default();
        assert_eq!(recent.hear(&message(1, BODY_TEXT, "teh tea", None)), Subject::None);
        let edited = recent.hear(&message(2, BODY_EDIT, "the tea", Some(1)));
        assert!(matches!(edited, Subject::Known(known) if known.words == "teh tea" && known.at == 1));
        assert_eq!(words(&recent), ["the tea"]);
        assert_eq!(recent.hear(&message(3, BODY_TEXT, "which?", Some(99))), Subject::Earlier);
        let removed = recent.hear(&message(4, BODY_REMOVE, "x", Some(1)));
        assert!(matches!(removed, Subject::Known(known) if known.words == "the tea"));
        assert_eq!(words(&recent), ["which?"]);
    }

    #[test]
    fn what_was_taken_away_is_remembered_no_more() {
        let mut recent = Recent::default();
        for sequence in 1..=3 {
            recent.hear(&message(sequence, BODY_TEXT, &format!("number {sequence}"), None));
        }
        let carols = message(4, BODY_TEXT, "carol's", None);
        recent.hear(&PastMessage { author: "carol".into(), ..carols });
        let purged = RoomEvent::Purged { name: "bob".into(), since: Some(2), seconds: Some(1) };
        let body = crate::wire::encode(&purged).into();
        let event = PastMessage { body, ..message(5, BODY_ROOM_EVENT, "", None) };
        recent.hear(&PastMessage { author: "alice".into(), ..event });
        assert_eq!(words(&recent), ["carol's", "number 1"]);
        let answer = recent.hear(&message(6, BODY_TEXT, "what was that?", Some(3)));
        assert!(matches!(answer, Subject::Known(known) if known.words.is_empty()));
    }

    #[test]
    fn who_hears_late_is_not_told_of_changes_that_they_see_done() {
        let mut recent = Recent::default();
        recent.hear(&PastMessage { edited: Some(5), ..message(1, BODY_TEXT, "the tea", None) });
        recent.hear(&message(2, BODY_REMOVED, "bob", None));
        for change in [
            message(3, BODY_EDIT, "the tea", Some(1)),
            message(4, BODY_REMOVE, "x", Some(2)),
            message(5, BODY_EDIT, "the tea", Some(1)),
            message(6, BODY_EDIT, "", Some(2)),
        ] {
            assert_eq!(recent.hear(&change), Subject::Done, "{change:?}");
        }
        assert_ne!(recent.hear(&message(7, BODY_EDIT, "the tea", Some(1))), Subject::Done, "this one is new");
        assert_ne!(recent.hear(&message(8, BODY_REMOVE, "x", Some(1))), Subject::Done);
    }

    #[test]
    fn no_more_is_kept_than_the_bound_however_much_a_server_sends() {
        let mut recent = Recent::default();
        for sequence in 1..500 {
            let author = "x".repeat(60_000);
            recent.hear(&PastMessage { author, ..message(sequence, BODY_TEXT, &"é".repeat(8_000), None) });
        }
        assert_eq!(recent.last_first().count(), usize::from(RECENT_MAX));
        let longest = recent.last_first().map(|known| known.words.len() + known.author.len()).max();
        assert!(longest < Some(200), "{longest:?}");
        recent.forget_after(450);
        assert_eq!(recent.last_first().next().map(|known| known.sequence), Some(450));
    }

    #[test]
    fn the_first_words_are_marked_when_there_are_more() {
        assert_eq!(first_words(b" short "), "short");
        let long = first_words("word ".repeat(20).as_bytes());
        assert!(long.ends_with("word…") && long.chars().count() <= WORDS_CHARS_MAX + 1, "{long}");
    }
}
