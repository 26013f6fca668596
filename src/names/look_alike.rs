//! Names that look like other names (Unicode Technical Standard 39). Apart from what a name is, because this holds for
//! new names only: what looks alike, and what goes together, changes with the tables of each Unicode version, and
//! whoever has a name keeps it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_security::{RestrictionLevel, RestrictionLevelDetection, skeleton};

use super::precis::digit_system;

/// The most marks on one letter (UTS 39, section 5.4).
const MARKS_MAX: usize = 4;

/// What the `i` has already.
const DOT_ABOVE: char = '\u{307}';

/// What a name looks like: two names with one skeleton can be taken for each other. It is for comparing only.
///
/// It is that of UTS 39, section 4, with three things more, because names are shown in lower case. A capital in it
/// stands for the small letter, so that `b0b` looks like `bob` (a zero looks like a capital O); the two small sigmas are
/// one; and a dot above `i`, `j` or `l` is left out, since nobody sees it there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Skeleton(Box<str>);

impl Skeleton {
    /// The skeleton of a name, or of any other text.
    pub(super) fn of(name: &str) -> Self {
        let folded = skeleton(&name.replace('ς', "σ")).collect::<String>().to_lowercase();
        let mut base = None;
        let is_seen = |c: &char| {
            if canonical_combining_class(*c) == 0 {
                base = Some(*c);
            }
            *c != DOT_ABOVE || !matches!(base, Some('i' | 'j' | 'l'))
        };
        Self(folded.nfd().filter(is_seen).collect())
    }
}

/// Whether the characters of a name go together: of one script, or of those that Chinese, Japanese and Korean are
/// written in, Latin besides (UTS 39, section 5.2, "highly restrictive"); none that is rare enough to be unknown (section
/// 3.1); digits of one system (section 5.3); and marks that can be told apart (section 5.4).
pub(super) fn goes_together(name: &str) -> bool {
    let mut systems = name.chars().filter_map(digit_system);
    let first = systems.next();
    name.check_restriction_level(RestrictionLevel::HighlyRestrictive)
        && systems.all(|system| Some(system) == first)
        && has_marks_that_are_seen(name)
}

fn has_marks_that_are_seen(name: &str) -> bool {
    let (mut before, mut marks) = (None, 0);
    name.nfd().all(|c| {
        let is_mark = c.general_category() == GeneralCategory::NonspacingMark;
        marks = if is_mark { marks + 1 } else { 0 };
        let is_twice = before.replace(c) == Some(c) && is_mark;
        marks <= MARKS_MAX && !is_twice
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_has_one_skeleton() {
        let pairs = [
            ("alice", "аlice", "a Cyrillic а"),
            ("alice", "a1ice", "one for l"),
            ("mike", "rnike", "r and n for m"),
            ("admin", "adrnin", "likewise"),
            ("bob", "b0b", "zero for o"),
            ("сор", "cop", "all in Cyrillic"),
            ("scope", "ѕсоре", "likewise"),
            ("jose", "jοse", "a Greek o"),
            ("οδυσσευς", "οδυσσευσ", "a sigma at the end"),
            ("alice", "ali\u{307}ce", "a dot on a dot"),
            ("alice", "al\u{307}ice", "a dot on a stroke"),
            ("ali\u{323}ce", "ali\u{323}\u{307}ce", "likewise, with another one below"),
            ("ñandu", "n\u{303}andu", "composed or not"),
        ];
        for (one, other, why) in pairs {
            assert_eq!(Skeleton::of(one), Skeleton::of(other), "{one} and {other}: {why}");
        }
    }

    #[test]
    fn what_does_not_look_alike_has_two_skeletons() {
        for (one, other) in [
            ("alice", "alicia"),
            ("jose", "josé"),
            ("a-b", "a_b"),
            ("user1", "user2"),
            ("e\u{307}", "e"),
            ("анна", "anna"),
            ("王伟", "王偉"),
        ] {
            assert_ne!(Skeleton::of(one), Skeleton::of(other), "{one} and {other}");
        }
    }

    #[test]
    fn what_goes_together_may_stand_together() {
        let good = [
            "alice",
            "a.b-c_d9",
            "josé",
            "ngọc",
            "алиса",
            "ελένη",
            "שלום",
            "سارة",
            "سارة٢",
            "अमित",
            "অমিত",
            "สมชาย",
            "王伟",
            "田中さくら",
            "ジョン・スミス",
            "t田中",
            "김민수",
            "kim김",
            "გიორგი",
            "արամ",
            "አበበ",
            "gal·la",
            "ג׳ורג׳",
        ];
        for name in good {
            assert!(goes_together(name), "{name}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_kept_apart() {
        let bad = [
            ("аlice", "Cyrillic and Latin"),
            ("aλice", "Greek and Latin"),
            ("かfа", "Japanese, Latin and Cyrillic"),
            ("서울さくら", "Korean and Japanese"),
            ("שלוםسارة", "Hebrew and Arabic"),
            ("aअमित", "Latin and Devanagari"),
            ("अमित1२", "digits of two systems"),
            ("ꮞꮅꭷ", "a script that few can read"),
            ("ꜰʀᴇᴅ", "letters of phonetics"),
            ("z\u{335}oe", "a mark through a letter"),
            ("e\u{301}\u{301}", "one mark twice"),
            ("x\u{301}\u{302}\u{303}\u{304}\u{306}", "a heap of marks"),
        ];
        for (name, why) in bad {
            assert!(!goes_together(name), "{name}: {why}");
        }
    }
}
