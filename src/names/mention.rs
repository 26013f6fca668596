//! Whether a text names someone.

use unicode_normalization::UnicodeNormalization;

use super::Username;

impl Username {
    /// Whether a text has this name in it as a word of its own, in whatever spelling, with an `@` before it or without.
    pub fn is_named_in(&self, text: &str) -> bool {
        text.split(|c| !may_stand_in_name(c)).any(|word| self.is_word(word.trim_start_matches(is_sign)))
    }

    /// A sign may belong to the name or end the sentence.
    fn is_word(&self, word: &str) -> bool {
        self.is_spelt(word) || self.is_spelt(word.trim_end_matches(is_sign))
    }

    fn is_spelt(&self, word: &str) -> bool {
        if word.is_ascii() {
            return word.eq_ignore_ascii_case(self.as_str());
        }
        // Most words are told apart by their first letter: to prepare them as names costs far more.
        let begins_alike = word.chars().next().is_some_and(|first| {
            let mut first = first.nfkd().flat_map(char::to_lowercase);
            first.next() == self.as_str().chars().flat_map(|c| c.nfkd().flat_map(char::to_lowercase)).next()
        });
        begins_alike && word.parse().as_ref() == Ok(self)
    }
}

fn is_sign(c: char) -> bool {
    matches!(c, '_' | '-' | '.')
}

fn may_stand_in_name(c: char) -> bool {
    c.is_alphanumeric() || is_sign(c) || unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str, text: &str) -> bool {
        name.parse::<Username>().unwrap().is_named_in(text)
    }

    #[test]
    fn a_name_is_found_as_a_word_in_every_spelling() {
        for text in [
            "alice",
            "@Alice: hi",
            "hi ALICE.",
            "is it alice's?",
            "(alice)",
            "x -alice- y",
            "alice_",
            "ＡＬＩＣＥ!",
        ] {
            assert!(names("alice", text), "{text}");
        }
        assert!(names("rené", "salut Rene\u{301}!"));
        assert!(names("алиса", "Привет, @АЛИСА"));
        assert!(names("j.doe", "ask j.doe."));
        assert!(names("doe-", "ask @doe-"));
    }

    #[test]
    fn a_part_of_a_word_is_no_name() {
        for text in ["", "alicea", "malice", "alice-bob", "al ice", "@", "été"] {
            assert!(!names("alice", text), "{text}");
        }
        assert!(!names("rene", "René"));
    }
}
