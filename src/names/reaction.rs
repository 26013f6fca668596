//! What a person answers a message with in a sign or a word.

use std::fmt;
use std::str::FromStr;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The longest reaction, in bytes: a family with its skin tones fits.
pub const REACTION_BYTES_MAX: usize = 32;

/// The longest one in grapheme clusters (UAX #29).
pub const REACTION_GRAPHEMES_MAX: usize = 8;

/// `👍`, `+1`, `thanks`: 1 to 32 bytes and at most 8 grapheme clusters, of which something can be seen, without spaces and
/// controls. What joins emoji and makes flags of them may be in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction(Box<str>);

/// Why a text is no [`Reaction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a reaction is one word of at most {REACTION_GRAPHEMES_MAX} letters or signs, such as +1 or 👍; choose a shorter one"
)]
pub struct ReactionError;

impl Reaction {
    /// The text as it is shown, stored and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reaction {
    type Err = ReactionError;

    fn from_str(text: &str) -> Result<Self, ReactionError> {
        let is_short = text.len() <= REACTION_BYTES_MAX
            && text.graphemes(true).take(REACTION_GRAPHEMES_MAX + 1).count() <= REACTION_GRAPHEMES_MAX;
        if is_short && text.width() > 0 && text.chars().all(is_allowed) {
            Ok(Self(text.into()))
        } else {
            Err(ReactionError)
        }
    }
}

impl fmt::Display for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Neither white space nor what has no glyph, but for the joiner and the tags (UTS #51) of which emoji are made.
fn is_allowed(c: char) -> bool {
    use GeneralCategoryGroup::{Other, Separator};
    let is_of_emoji = matches!(c, '\u{200d}' | '\u{e0020}'..='\u{e007f}');
    is_of_emoji || !matches!(c.general_category_group(), Other | Separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_words_are_reactions_and_stay_as_they_are() {
        let flag = "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        for text in
            ["+1", "-1", "👍", "👍🏽", "❤\u{fe0f}", "🇨🇭", flag, family, "thanks!", "спасибо", "ok👍", "各位"]
        {
            assert_eq!(text.parse::<Reaction>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_long_or_unseen_or_commands_a_terminal_is_none() {
        let long = "👍".repeat(REACTION_GRAPHEMES_MAX + 1);
        let many_marks = format!("a{}", "\u{301}".repeat(REACTION_BYTES_MAX));
        let hostile = [
            "",
            " ",
            "a b",
            "a\n",
            "\u{1b}[2J",
            "\u{202e}evil",
            "\u{200d}",
            "\u{3164}",
            "\u{a0}",
            "\u{feff}",
        ];
        for text in hostile.into_iter().chain([long.as_str(), &many_marks, "\u{e000}", "\u{200e}+1"]) {
            assert_eq!(text.parse::<Reaction>(), Err(ReactionError), "{text:?}");
        }
    }
}
