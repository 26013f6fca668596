//! Why someone is away.

use std::fmt;
use std::str::FromStr;

/// The longest reason, in bytes.
pub const AWAY_REASON_BYTES_MAX: usize = 200;

/// A line of at most 200 bytes without control characters; an empty one is none. White space around it is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwayReason(String);

/// Why a text is no [`AwayReason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AwayReasonError {
    /// Longer than [`AWAY_REASON_BYTES_MAX`]; holds its size in bytes.
    #[error("the reason has {0} bytes and may have {AWAY_REASON_BYTES_MAX}; shorten it")]
    TooLong(usize),
    /// It has a line end or another control character in it.
    #[error("a reason is one line without control characters; leave them out")]
    BadCharacter,
}

impl AwayReason {
    /// The text as it is shown and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AwayReason {
    type Err = AwayReasonError;

    fn from_str(text: &str) -> Result<Self, AwayReasonError> {
        let text = text.trim();
        match text.len() {
            0..=AWAY_REASON_BYTES_MAX if text.chars().any(char::is_control) => {
                Err(AwayReasonError::BadCharacter)
            }
            0..=AWAY_REASON_BYTES_MAX => Ok(Self(text.to_owned())),
            size => Err(AwayReasonError::TooLong(size)),
        }
    }
}

impl fmt::Display for AwayReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_line_of_bounded_size_or_nothing() {
        let longest = "é".repeat(AWAY_REASON_BYTES_MAX / 2);
        assert_eq!(longest.parse::<AwayReason>().unwrap().as_str(), longest);
        let longer = format!("{longest}x");
        assert_eq!(longer.parse::<AwayReason>(), Err(AwayReasonError::TooLong(AWAY_REASON_BYTES_MAX + 1)));
        assert_eq!("  ".parse::<AwayReason>(), Ok(AwayReason::default()));
        for text in ["a\nb", "\u{1b}[2J", "a\u{9b}b"] {
            assert_eq!(text.parse::<AwayReason>(), Err(AwayReasonError::BadCharacter), "{text:?}");
        }
    }
}
