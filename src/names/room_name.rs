//! The name of a room.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest room name, in characters after the `#`.
pub const ROOM_NAME_CHARS_MAX: usize = 32;

/// `#` and 1 to 32 characters: ASCII letters in lower case, digits, `_` and `-`. Capitals are folded when it is parsed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(Arc<str>);

/// Why a text is no [`RoomName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomNameError {
    /// Does not begin with `#`.
    #[error("a room's name begins with '#'")]
    NoHash,
    /// Not 1 to 32 characters.
    #[error("a room's name has 1 to 32 characters after the '#'")]
    BadLength,
    /// Has something else than letters, digits, `_` and `-` in it.
    #[error("a room's name is made of the letters a to z, digits, '_' and '-'")]
    BadCharacter,
}

impl RoomName {
    /// The room that everyone is in.
    pub fn lobby() -> Self {
        Self("#lobby".into())
    }

    /// The name with its `#`, as it is shown, stored and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomName {
    type Err = RoomNameError;

    fn from_str(text: &str) -> Result<Self, RoomNameError> {
        let name = text.strip_prefix('#').ok_or(RoomNameError::NoHash)?;
        if name.is_empty() || name.len() > ROOM_NAME_CHARS_MAX {
            return Err(RoomNameError::BadLength);
        }
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            return Err(RoomNameError::BadCharacter);
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lobby_has_a_valid_name() {
        assert_eq!("#Lobby".parse::<RoomName>().unwrap(), RoomName::lobby());
    }

    #[test]
    fn what_is_no_room_name_is_refused_with_its_reason() {
        let long = format!("#{}", "x".repeat(33));
        let cases = [
            ("lobby", RoomNameError::NoHash),
            ("#", RoomNameError::BadLength),
            (long.as_str(), RoomNameError::BadLength),
            ("#a b", RoomNameError::BadCharacter),
            ("#\u{202e}", RoomNameError::BadCharacter),
        ];
        for (text, reason) in cases {
            assert_eq!(text.parse::<RoomName>(), Err(reason), "{text:?}");
        }
    }
}
