//! Why someone is banned, as they are told.

use std::fmt;
use std::str::FromStr;

/// The longest reason, in bytes.
pub const BAN_REASON_BYTES_MAX: usize = 200;

/// A reason of 1 to 200 bytes without control characters: one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BanReason(String);

/// Why a text is no [`BanReason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BanReasonError {
    /// Nothing was given.
    #[error("a reason needs at least one character; leave it out if there is none")]
    Empty,
    /// More than 200 bytes.
    #[error("a reason has at most {BAN_REASON_BYTES_MAX} bytes; shorten it")]
    TooLong,
    /// It has a line end or another control character in it.
    #[error("a reason has no control characters and is one line; leave them out")]
    BadCharacter,
}

impl BanReason {
    /// The reason as it is stored and sent. It may hold anything that is no control character, so whoever shows it
    /// cleans it first.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BanReason {
    type Err = BanReasonError;

    fn from_str(text: &str) -> Result<Self, BanReasonError> {
        match text.len() {
            _ if text.trim().is_empty() => Err(BanReasonError::Empty),
            0..=BAN_REASON_BYTES_MAX if text.chars().any(char::is_control) => {
                Err(BanReasonError::BadCharacter)
            }
            0..=BAN_REASON_BYTES_MAX => Ok(Self(text.to_owned())),
            _ => Err(BanReasonError::TooLong),
        }
    }
}

impl fmt::Display for BanReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        let longest = "x".repeat(BAN_REASON_BYTES_MAX);
        for text in ["spam", "l'été", &longest] {
            assert_eq!(text.parse::<BanReason>().unwrap().as_str(), text);
        }
        let cases = [
            ("", BanReasonError::Empty),
            ("  ", BanReasonError::Empty),
            (&format!("{longest}x"), BanReasonError::TooLong),
            ("two\nlines", BanReasonError::BadCharacter),
            ("\u{1b}[2J", BanReasonError::BadCharacter),
        ];
        for (text, reason) in cases {
            assert_eq!(text.parse::<BanReason>(), Err(reason), "{text:?}");
        }
    }
}
