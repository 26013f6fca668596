//! What a room is about.

use std::fmt;
use std::str::FromStr;

/// The longest topic, in bytes.
pub const TOPIC_BYTES_MAX: usize = 400;

/// A line of at most 400 bytes without control characters; an empty one is none. White space around it is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic(String);

/// Why a text is no [`Topic`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Longer than [`TOPIC_BYTES_MAX`]; holds its size in bytes.
    #[error("the topic has {0} bytes and may have {TOPIC_BYTES_MAX}; shorten it")]
    TooLong(usize),
    /// It has a line end or another control character in it.
    #[error("a topic is one line without control characters; leave them out")]
    BadCharacter,
}

impl Topic {
    /// The text as it is shown, stored and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        let text = text.trim();
        match text.len() {
            0..=TOPIC_BYTES_MAX if text.chars().any(char::is_control) => Err(TopicError::BadCharacter),
            0..=TOPIC_BYTES_MAX => Ok(Self(text.to_owned())),
            size => Err(TopicError::TooLong(size)),
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_a_line_of_bounded_size_or_nothing() {
        let longest = "é".repeat(TOPIC_BYTES_MAX / 2);
        assert_eq!(longest.parse::<Topic>().unwrap().as_str(), longest);
        assert_eq!(format!("{longest}x").parse::<Topic>(), Err(TopicError::TooLong(TOPIC_BYTES_MAX + 1)));
        assert_eq!("  ".parse::<Topic>(), Ok(Topic::default()));
        for text in ["a\nb", "\u{1b}[2J", "a\u{9b}b"] {
            assert_eq!(text.parse::<Topic>(), Err(TopicError::BadCharacter), "{text:?}");
        }
    }
}
