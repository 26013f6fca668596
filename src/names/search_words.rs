//! The words of a search.

use std::str::FromStr;

/// The longest text in which words are looked for, in bytes.
pub const SEARCH_BYTES_MAX: usize = 512;

/// The most words of one search.
pub const SEARCH_WORDS_MAX: usize = 16;

/// One to 16 words, each with a letter or a digit in it, and no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchWords(Vec<String>);

/// Why a text has no words to search for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchWordsError {
    /// Nothing in it is a word.
    #[error("there is no word to search for; a word has a letter or a digit")]
    None,
    /// More than is looked for at once.
    #[error("a search has at most {SEARCH_WORDS_MAX} words and {SEARCH_BYTES_MAX} bytes; leave some out")]
    TooMany,
}

impl SearchWords {
    /// The words, in the order in which they were typed.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for SearchWords {
    type Err = SearchWordsError;

    fn from_str(text: &str) -> Result<Self, SearchWordsError> {
        if text.len() > SEARCH_BYTES_MAX {
            return Err(SearchWordsError::TooMany);
        }
        let words = text.split(|c: char| c.is_whitespace() || c.is_control());
        let words: Vec<_> =
            words.filter(|word| word.chars().any(char::is_alphanumeric)).map(str::to_owned).collect();
        match words.len() {
            0 => Err(SearchWordsError::None),
            1..=SEARCH_WORDS_MAX => Ok(Self(words)),
            _ => Err(SearchWordsError::TooMany),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Vec<String>, SearchWordsError> {
        text.parse::<SearchWords>().map(|words| words.iter().map(str::to_owned).collect())
    }

    #[test]
    fn words_stand_between_spaces_and_have_something_to_look_for() {
        assert_eq!(words(" green  tea\t").unwrap(), ["green", "tea"]);
        assert_eq!(words("a\0b \" * -tea \u{7}").unwrap(), ["a", "b", "-tea"]);
        assert_eq!(words("чай 茶").unwrap(), ["чай", "茶"]);
        for nothing in ["", " \n", "\" * ( ) - ^ : +", "\0"] {
            assert_eq!(words(nothing), Err(SearchWordsError::None), "{nothing:?}");
        }
    }

    #[test]
    fn more_than_is_looked_for_at_once_is_refused() {
        assert_eq!(words(&"a ".repeat(16)).unwrap().len(), 16);
        assert_eq!(words(&"a ".repeat(17)), Err(SearchWordsError::TooMany));
        assert_eq!(words(&"a".repeat(513)), Err(SearchWordsError::TooMany));
    }
}
