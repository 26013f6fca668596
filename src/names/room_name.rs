//! The name of a room.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::username::Username;

/// The longest room name, in characters after the `#`, without the tag of a private room.
pub const ROOM_NAME_CHARS_MAX: usize = 32;

/// The length of a private room's tag, in characters.
pub const ROOM_TAG_CHARS: usize = 4;

/// What tags are made of: 32 characters that are not mistaken for each other.
pub const ROOM_TAG_ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// `#` and 1 to 32 characters: ASCII letters in lower case, digits, `_` and `-`. Capitals are folded when it is parsed.
///
/// The name of a private room ends in a tag that the server gives it, `.` and 4 characters, as in `#plans.k7q2`. So
/// nobody learns by making a room which private ones there are, and a room can't be taken for another one.
///
/// A direct conversation of two people is a room that has its name by theirs: `@`, the two in the order of their bytes,
/// and `+` between them, as in `@alice+bob`. So there is one for each two, and whoever is one of them knows where it is.
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
    /// What stands after the `.` is no tag.
    #[error("after a '.' a room's name has the four characters that the server has given it")]
    BadTag,
    /// What stands after the `@` is not two names in their order.
    #[error(
        "a direct conversation is called by two different people's names in their order, as in @alice+bob"
    )]
    BadPair,
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

    /// Whether it is the room that everyone is in.
    pub fn is_lobby(&self) -> bool {
        &*self.0 == "#lobby"
    }

    /// The direct conversation of two people; `None` if they are one.
    pub fn direct(one: &Username, other: &Username) -> Option<Self> {
        (one != other).then(|| Self(format!("@{}+{}", one.min(other), one.max(other)).into()))
    }

    /// Whether it is a direct conversation.
    pub fn is_direct(&self) -> bool {
        self.0.starts_with('@')
    }

    /// The other one in a direct conversation of `me`.
    pub fn partner(&self, me: &str) -> Option<&str> {
        match self.0.strip_prefix('@')?.split_once('+')? {
            (first, second) if first == me => Some(second),
            (first, second) if second == me => Some(first),
            _ => None,
        }
    }

    /// Whether only those who are in it may know of it: its name has a tag, or it is a direct conversation.
    pub fn is_private(&self) -> bool {
        self.is_direct() || self.0.contains('.')
    }

    /// The name without its tag.
    pub fn base(&self) -> &str {
        let has_tag = self.0.starts_with('#');
        self.0.split_once('.').filter(|_| has_tag).map_or(&*self.0, |(base, _)| base)
    }

    /// The name of a private room that was wished for by this one. `random` are drawn bytes.
    #[must_use]
    pub fn with_tag(&self, random: [u8; ROOM_TAG_CHARS]) -> Self {
        let letters = ROOM_TAG_ALPHABET.iter().cycle();
        let letter = |byte: u8| letters.clone().nth((byte % 32).into()).copied().map_or('a', char::from);
        let tag: String = random.into_iter().map(letter).collect();
        Self(format!("{}.{tag}", self.base()).into())
    }
}

impl FromStr for RoomName {
    type Err = RoomNameError;

    fn from_str(text: &str) -> Result<Self, RoomNameError> {
        if let Some(pair) = text.strip_prefix('@') {
            return direct_of(pair).ok_or(RoomNameError::BadPair);
        }
        let name = text.strip_prefix('#').ok_or(RoomNameError::NoHash)?;
        let (base, tag) = name.split_once('.').map_or((name, None), |(base, tag)| (base, Some(tag)));
        if base.is_empty() || base.len() > ROOM_NAME_CHARS_MAX {
            return Err(RoomNameError::BadLength);
        }
        if !base.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            return Err(RoomNameError::BadCharacter);
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(RoomNameError::BadTag);
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

fn direct_of(pair: &str) -> Option<RoomName> {
    let (first, second) = pair.split_once('+')?;
    let (first, second): (Username, Username) = (first.parse().ok()?, second.parse().ok()?);
    if first < second { RoomName::direct(&first, &second) } else { None }
}

fn is_tag(text: &str) -> bool {
    text.len() == ROOM_TAG_CHARS
        && text.bytes().all(|byte| ROOM_TAG_ALPHABET.contains(&byte.to_ascii_lowercase()))
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
        assert!(RoomName::lobby().is_lobby() && !RoomName::lobby().is_private());
    }

    #[test]
    fn what_is_no_room_name_is_refused_with_its_reason() {
        let long = format!("#{}", "x".repeat(33));
        let cases = [
            ("lobby", RoomNameError::NoHash),
            ("#", RoomNameError::BadLength),
            ("#.k7q2", RoomNameError::BadLength),
            (long.as_str(), RoomNameError::BadLength),
            ("#a b", RoomNameError::BadCharacter),
            ("#\u{202e}", RoomNameError::BadCharacter),
            ("#a.", RoomNameError::BadTag),
            ("#a.k7q", RoomNameError::BadTag),
            ("#a.k7q22", RoomNameError::BadTag),
            ("#a.k7ql", RoomNameError::BadTag),
            ("#a.b.c", RoomNameError::BadTag),
            ("#a.k7é", RoomNameError::BadTag),
            ("@", RoomNameError::BadPair),
            ("@bob", RoomNameError::BadPair),
            ("@bob+alice", RoomNameError::BadPair),
            ("@bob+Bob", RoomNameError::BadPair),
            ("@alice+", RoomNameError::BadPair),
            ("@alice+bob+carol", RoomNameError::BadPair),
            ("@alice+server", RoomNameError::BadPair),
            ("@alice+\u{202e}", RoomNameError::BadPair),
        ];
        for (text, reason) in cases {
            assert_eq!(text.parse::<RoomName>(), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn a_private_rooms_name_has_a_tag_whatever_is_drawn() {
        let wished: RoomName = "#Plans".parse().unwrap();
        for byte in 0..=255 {
            let name = wished.with_tag([byte, 7, 200, 255]);
            assert!(name.is_private() && name.base() == "#plans", "{name}");
            assert_eq!(name.as_str().parse(), Ok(name));
        }
        assert_eq!("#plans.K7Q2".parse::<RoomName>().unwrap().as_str(), "#plans.k7q2");
    }

    #[test]
    fn two_people_have_one_direct_conversation_however_they_are_written() {
        let name = |text: &str| text.parse::<Username>().unwrap();
        for (one, other, room) in [
            ("alice", "Bob", "@alice+bob"),
            ("bob", "alice", "@alice+bob"),
            ("a.b-c", "a", "@a+a.b-c"),
            ("王伟", "zoe\u{308}", "@zo\u{eb}+王伟"),
        ] {
            let direct = RoomName::direct(&name(one), &name(other)).unwrap();
            assert_eq!(direct.as_str(), room);
            assert!(direct.is_direct() && direct.is_private() && direct.base() == room);
            assert_eq!(direct.partner(name(one).as_str()), Some(name(other).as_str()));
            assert_eq!(direct.partner("mallory"), None);
            assert_eq!(room.parse(), Ok(direct));
        }
        assert_eq!("@ALICE+bob".parse::<RoomName>().unwrap().as_str(), "@alice+bob");
        assert_eq!(RoomName::direct(&name("bob"), &name("BOB")), None);
        assert_eq!("#alice".parse::<RoomName>().unwrap().partner("alice"), None);
    }
}
