//! What a person says.

use std::str::FromStr;

/// The longest message body, in bytes of UTF-8: 16 KiB.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// 1 to 16,384 bytes of UTF-8 that are not all white space. It may hold anything else, so it is for sending and
/// storing; `terminal_text` makes it fit to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageText(Box<str>);

/// Why a text can't be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageTextError {
    /// Nothing, or nothing but white space.
    #[error("there is nothing to say in it")]
    Empty,
    /// Longer than [`MESSAGE_BYTES_MAX`]; holds its size in bytes.
    #[error("the message has {0} bytes and at most {MESSAGE_BYTES_MAX} can be sent; send it in parts")]
    TooLong(usize),
}

impl MessageText {
    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageText {
    type Err = MessageTextError;

    fn from_str(text: &str) -> Result<Self, MessageTextError> {
        if text.len() > MESSAGE_BYTES_MAX {
            return Err(MessageTextError::TooLong(text.len()));
        }
        if text.trim().is_empty() {
            return Err(MessageTextError::Empty);
        }
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_in_bytes_and_nothing_is_cut() {
        let longest = "é".repeat(MESSAGE_BYTES_MAX / 2);
        assert_eq!(longest.parse::<MessageText>().unwrap().as_str(), longest);
        let over = format!("{longest}x");
        assert_eq!(over.parse::<MessageText>(), Err(MessageTextError::TooLong(MESSAGE_BYTES_MAX + 1)));
        assert_eq!(" \t\n".parse::<MessageText>(), Err(MessageTextError::Empty));
    }
}
