//! The name of an account.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use super::look_alike::{Skeleton, goes_together};
use super::precis::{self, PrecisError};

/// The longest name, in characters (code points).
pub const USERNAME_CHARS_MAX: usize = 32;

/// The longest name, in bytes of UTF-8.
pub const USERNAME_BYTES_MAX: usize = 4 * USERNAME_CHARS_MAX;

/// The longest text that is looked at, in bytes: a name may become shorter when its accents are put on its letters.
const TYPED_BYTES_MAX: usize = 4 * USERNAME_BYTES_MAX;

/// Names that would let one person speak as the house.
const RESERVED: [&str; 5] = ["admin", "everyone", "root", "server", "system"];

/// A name of 1 to 32 characters: letters of any script in lower case with their marks, digits, `_`, `-` and `.`, beginning
/// with a letter or a digit. It is prepared as RFC 8265 says (section 3.3) when it is parsed, so that `Alice` and `alice`,
/// and `é` in one character or two, are one person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(Arc<str>);

/// A [`Username`] for a new account: nobody takes it for one of the server's, and its letters go together. Whoever has
/// another name keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUsername(Username);

/// Why a text is no [`Username`], or not one for a new account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Nothing was given.
    #[error("a name needs at least one character")]
    Empty,
    /// More than 32 characters.
    #[error("a name has at most {USERNAME_CHARS_MAX} characters")]
    TooLong,
    /// Begins with something else than a letter or a digit.
    #[error("a name begins with a letter or a digit")]
    BadStart,
    /// Has something else than letters with their marks, digits, `_`, `-` and `.` in it.
    #[error("a name is made of letters, digits, '_', '-' and '.'")]
    BadCharacter,
    /// Letters that are written from right to left, with others or at the wrong end of digits and signs.
    #[error(
        "a name with letters that are written from right to left begins with one of them, ends with one or a digit, and \
         has no others"
    )]
    BadDirection,
    /// Kept for the server itself.
    #[error("this name is kept for the server; choose another one")]
    Reserved,
    /// Looks like one that is kept for the server.
    #[error("this name looks like one that is kept for the server; choose another one")]
    LooksReserved,
    /// Letters of scripts that are not written together, rare ones, digits of two kinds, or marks that nobody sees.
    #[error("this name has letters that don't go together; choose one in letters of one script")]
    Mixed,
}

impl Username {
    /// The name as it is shown, stored and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it looks like. Two accounts should not share it.
    pub fn skeleton(&self) -> Skeleton {
        Skeleton::of(&self.0)
    }
}

impl NewUsername {
    /// Holds a name against what new ones must satisfy. Whether somebody has one like it is not known here.
    pub fn parse(name: Username) -> Result<Self, UsernameError> {
        static RESERVED_SKELETONS: LazyLock<Vec<Skeleton>> =
            LazyLock::new(|| RESERVED.iter().map(|name| Skeleton::of(name)).collect());
        if !goes_together(&name.0) {
            return Err(UsernameError::Mixed);
        }
        if RESERVED_SKELETONS.contains(&name.skeleton()) {
            return Err(UsernameError::LooksReserved);
        }
        Ok(Self(name))
    }

    /// The same name, to log in with.
    pub fn into_username(self) -> Username {
        self.0
    }
}

impl std::ops::Deref for NewUsername {
    type Target = Username;

    fn deref(&self) -> &Username {
        &self.0
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        if text.is_empty() {
            return Err(UsernameError::Empty);
        }
        if text.len() > TYPED_BYTES_MAX {
            return Err(UsernameError::TooLong);
        }
        let name = precis::enforce(text).map_err(|error| match error {
            PrecisError::Character => UsernameError::BadCharacter,
            PrecisError::Direction => UsernameError::BadDirection,
        })?;
        if name.chars().count() > USERNAME_CHARS_MAX {
            return Err(UsernameError::TooLong);
        }
        if !name.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || is_sign(c)) {
            return Err(UsernameError::BadCharacter);
        }
        if !name.chars().next().is_some_and(precis::is_letter_or_digit) {
            return Err(UsernameError::BadStart);
        }
        // What a mark is drawn on, it is drawn over: a sign would not be known again.
        let mut before = None;
        if name.chars().any(|c| before.replace(c).is_some_and(is_sign) && precis::is_mark(c)) {
            return Err(UsernameError::BadCharacter);
        }
        if RESERVED.contains(&name.as_str()) {
            return Err(UsernameError::Reserved);
        }
        Ok(Self(name.into()))
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_sign(c: char) -> bool {
    matches!(c, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Username, UsernameError> {
        text.parse()
    }

    fn parse_new(text: &str) -> Result<NewUsername, UsernameError> {
        parse(text).and_then(NewUsername::parse)
    }

    #[test]
    fn every_spelling_of_a_name_is_one_name() {
        let cases = [
            ("Alice", "alice"),
            ("ａｌｉｃｅ", "alice"),
            ("ZOE\u{308}", "zoë"),
            ("ÅSA", "a\u{30a}sa"),
            ("АЛИСА", "алиса"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("ﾀﾅｶ", "タナカ"),
            ("ﾊﾟｸ", "パク"),
            ("STRASSE", "strasse"),
        ];
        for (one, other) in cases {
            assert_eq!(parse_new(one).unwrap(), parse_new(other).unwrap(), "{one} and {other}");
        }
        assert_ne!(parse("straße").unwrap(), parse("strasse").unwrap());
    }

    #[test]
    fn what_is_no_name_is_refused_with_its_reason() {
        use UsernameError::{BadCharacter, BadDirection, BadStart, Empty, Reserved, TooLong};
        let cases = [
            ("nothing", "", Empty),
            ("too many letters", "abcdefghijklmnopqrstuvwxyz0123456", TooLong),
            ("too many letters of four bytes", &"𠀀".repeat(33), TooLong),
            ("more than is looked at", &"\u{301}".repeat(100_000), TooLong),
            ("a sign first", "-dash", BadStart),
            ("a mark first", "\u{301}a", BadStart),
            ("a mark on a sign", "a-\u{301}b", BadCharacter),
            ("a space", "with space", BadCharacter),
            ("a space of another width", "with\u{3000}space", BadCharacter),
            ("a space that is not broken", "with\u{a0}space", BadCharacter),
            ("a colon", "co:lon", BadCharacter),
            ("a colon of another width", "co：lon", BadCharacter),
            ("a comment", "#bob", BadCharacter),
            ("an at sign", "bob@home", BadCharacter),
            ("a percent sign", "bob%20", BadCharacter),
            ("a quote", "o'neill", BadCharacter),
            ("a line end", "new\nline", BadCharacter),
            ("another line end", "new\u{2028}line", BadCharacter),
            ("a command to the terminal", "\u{1b}[31mred", BadCharacter),
            ("one of 8 bits", "\u{9b}31mred", BadCharacter),
            ("NUL", "bob\0", BadCharacter),
            ("an override of the direction", "\u{202e}bob", BadCharacter),
            ("an isolate", "\u{2067}bob\u{2069}", BadCharacter),
            ("a mark of direction", "bob\u{200f}", BadCharacter),
            ("a joiner", "b\u{200d}ob", BadCharacter),
            ("a space of no width", "b\u{200b}ob", BadCharacter),
            ("a byte order mark", "\u{feff}bob", BadCharacter),
            ("a soft hyphen", "b\u{ad}ob", BadCharacter),
            ("a filler of Hangul", "b\u{3164}ob", BadCharacter),
            ("a filler of half the width", "b\u{ffa0}ob", BadCharacter),
            ("a grapheme joiner", "b\u{34f}ob", BadCharacter),
            ("a selector", "b\u{fe0f}ob", BadCharacter),
            ("a tag", "bob\u{e0062}", BadCharacter),
            ("an emoji", "bob🙂", BadCharacter),
            ("a letter of mathematics", "𝐛ob", BadCharacter),
            ("a letter in a circle", "ⓑob", BadCharacter),
            ("a ligature", "ﬁn", BadCharacter),
            ("the kelvin sign", "\u{212a}arl", BadCharacter),
            ("a number of letters", "henryⅣ", BadCharacter),
            ("a stretched letter", "سـارة", BadCharacter),
            ("private use", "\u{e000}", BadCharacter),
            ("unassigned", "\u{378}", BadCharacter),
            ("a noncharacter", "\u{fdd0}", BadCharacter),
            ("two directions", "שלוםbob", BadDirection),
            ("a digit before Hebrew", "1שלום", BadDirection),
            ("of the house", "Server", Reserved),
            ("of the house, in another width", "ｒｏｏｔ", Reserved),
        ];
        for (what, text, reason) in cases {
            assert_eq!(parse(text), Err(reason), "{what}: {text:?}");
        }
        for longest in ["abcdefghijklmnopqrstuvwxyz012345".to_owned(), "𠀀".repeat(32), "e\u{301}".repeat(32)]
        {
            assert!(parse(&longest).unwrap().as_str().len() <= USERNAME_BYTES_MAX);
        }
    }

    #[test]
    fn a_new_name_must_not_pass_for_the_house_nor_be_made_of_what_does_not_go_together() {
        use UsernameError::{LooksReserved, Mixed};
        let cases = [
            ("adrnin", LooksReserved),
            ("admi\u{307}n", LooksReserved),
            ("r00t", LooksReserved),
            ("systern", LooksReserved),
            ("аlice", Mixed),
            ("аdmin", Mixed),
            ("sеrver", Mixed),
            ("aλice", Mixed),
            ("x\u{301}\u{301}", Mixed),
            ("ꭺꮮꮖꮯꭼ", Mixed),
        ];
        for (text, reason) in cases {
            assert_eq!(parse_new(text), Err(reason), "{text}");
            assert!(parse(text).is_ok(), "{text}: who has it may keep it");
        }
    }

    proptest! {
        #[test]
        fn every_name_of_ascii_is_a_name_as_it_ever_was(text in "[a-zA-Z0-9][a-zA-Z0-9_.-]{0,31}") {
            let folded = text.to_ascii_lowercase();
            prop_assume!(!RESERVED.contains(&folded.as_str()));
            let name = parse(&text).unwrap();
            prop_assert_eq!(name.as_str(), folded.as_str());
            let looks_reserved = RESERVED.iter().any(|name| Skeleton::of(name) == Skeleton::of(&folded));
            prop_assert_eq!(NewUsername::parse(name).is_ok(), !looks_reserved);
        }

        #[test]
        fn no_other_name_of_ascii_is_one(text in "[ -~]{1,40}") {
            let is_name = text.len() <= USERNAME_CHARS_MAX
                && text.starts_with(|c: char| c.is_ascii_alphanumeric())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || is_sign(c))
                && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
            prop_assert_eq!(parse(&text).is_ok(), is_name);
        }

        #[test]
        fn any_text_is_a_name_that_stays_the_same_and_within_its_bounds_or_none(text in "(\\PC|[a-z]){0,40}") {
            if let Ok(name) = parse(&text) {
                prop_assert_eq!(parse(name.as_str()), Ok(name.clone()));
                prop_assert!((1..=USERNAME_CHARS_MAX).contains(&name.as_str().chars().count()));
                prop_assert!(name.as_str().len() <= USERNAME_BYTES_MAX);
                prop_assert!(!name.as_str().contains([':', '#', '@', '/', '%', ' ']));
            }
        }
    }
}
