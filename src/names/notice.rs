//! What the operator has to say to everyone who comes in.

use std::fmt;
use std::str::FromStr;

/// The longest notice, in bytes.
pub const NOTICE_BYTES_MAX: usize = 4096;

/// The most lines of one.
pub const NOTICE_LINES_MAX: usize = 20;

/// A message of the day: at most 4096 bytes in at most 20 lines; an empty one is none. White space at its end is left
/// out, and whoever shows it makes it safe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice(String);

/// Why a text is no [`Notice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Longer than [`NOTICE_BYTES_MAX`].
    #[error("it has more than {NOTICE_BYTES_MAX} bytes; shorten it")]
    TooLong,
    /// More than [`NOTICE_LINES_MAX`] lines; holds how many.
    #[error("it has {0} lines and may have {NOTICE_LINES_MAX}; shorten it")]
    TooManyLines(usize),
}

impl Notice {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Notice {
    type Err = NoticeError;

    fn from_str(text: &str) -> Result<Self, NoticeError> {
        let text = text.trim_end();
        match (text.len(), text.lines().count()) {
            (0..=NOTICE_BYTES_MAX, 0..=NOTICE_LINES_MAX) => Ok(Self(text.to_owned())),
            (0..=NOTICE_BYTES_MAX, lines) => Err(NoticeError::TooManyLines(lines)),
            _ => Err(NoticeError::TooLong),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_is_taken_and_more_is_not() {
        let longest = "x".repeat(NOTICE_BYTES_MAX);
        assert_eq!(format!("{longest}\n\n").parse::<Notice>().unwrap().to_string(), longest);
        assert_eq!(format!("{longest}x").parse::<Notice>(), Err(NoticeError::TooLong));
        let most = vec!["line"; NOTICE_LINES_MAX].join("\n");
        assert!(format!("{most}\n").parse::<Notice>().is_ok());
        assert_eq!(format!("{most}\nx").parse::<Notice>(), Err(NoticeError::TooManyLines(21)));
        assert!(" \n".parse::<Notice>().unwrap().is_empty());
    }
}
