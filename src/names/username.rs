//! The name of an account.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest name, in characters.
pub const USERNAME_CHARS_MAX: usize = 32;

/// Names that would let one person speak as the house.
const RESERVED: [&str; 5] = ["admin", "everyone", "root", "server", "system"];

/// A name of 1 to 32 characters: ASCII letters in lower case, digits, `_`, `-` and `.`, beginning with a letter or a
/// digit. Capitals are folded when it is parsed, so that `Alice` and `alice` are one person (RFC 8265, section 3.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(Arc<str>);

/// Why a text is no [`Username`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Nothing was given.
    #[error("a name needs at least one character")]
    Empty,
    /// More than 32 characters.
    #[error("a name has at most 32 characters")]
    TooLong,
    /// Begins with something else than a letter or a digit.
    #[error("a name begins with a letter or a digit")]
    BadStart,
    /// Has something else than letters, digits, `_`, `-` and `.` in it.
    #[error("a name is made of the letters a to z, digits, '_', '-' and '.'")]
    BadCharacter,
    /// Kept for the server itself.
    #[error("this name is kept for the server; choose another one")]
    Reserved,
}

impl Username {
    /// The name as it is shown, stored and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        if text.len() > USERNAME_CHARS_MAX {
            return Err(UsernameError::TooLong);
        }
        let first = text.chars().next().ok_or(UsernameError::Empty)?;
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')) {
            return Err(UsernameError::BadCharacter);
        }
        if !first.is_ascii_alphanumeric() {
            return Err(UsernameError::BadStart);
        }
        let folded = text.to_ascii_lowercase();
        if RESERVED.contains(&folded.as_str()) {
            return Err(UsernameError::Reserved);
        }
        Ok(Self(folded.into()))
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_folded_so_that_two_people_cannot_differ_by_case() {
        assert_eq!("Alice".parse::<Username>().unwrap(), "aLICE".parse().unwrap());
    }

    #[test]
    fn what_is_no_name_is_refused_with_its_reason() {
        let cases = [
            ("", UsernameError::Empty),
            ("abcdefghijklmnopqrstuvwxyz0123456", UsernameError::TooLong),
            ("-dash", UsernameError::BadStart),
            ("with space", UsernameError::BadCharacter),
            ("co:lon", UsernameError::BadCharacter),
            ("new\nline", UsernameError::BadCharacter),
            ("аlice", UsernameError::BadCharacter), // the first letter is Cyrillic
            ("Server", UsernameError::Reserved),
        ];
        for (text, reason) in cases {
            assert_eq!(text.parse::<Username>(), Err(reason), "{text:?}");
        }
        assert!("abcdefghijklmnopqrstuvwxyz012345".parse::<Username>().is_ok());
    }
}
