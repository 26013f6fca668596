//! Names of people in any language, made comparable: the profile `UsernameCaseMapped` of RFC 8265, on the framework of
//! RFC 8264. Apart from [`Username`](super::Username), which adds this program's own bounds, so that it can be read
//! beside the RFCs.
//!
//! Where the RFCs leave a choice, the strict one is taken: the joiners U+200C and U+200D, which they allow between some
//! letters, are refused, since nobody sees them.

use unicode_bidi::BidiClass;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};

/// Why a text is no user name in the sense of RFC 8265.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrecisError {
    /// A character that no name has, or not there.
    Character,
    /// It would read differently from the left and from the right (RFC 5893, section 2).
    Direction,
}

/// The text as it is compared (RFC 8265, section 3.3.3): width mapping, the characters of names, lower case, NFC, and the
/// Bidi rule. What comes out comes out of a second pass unchanged. It may be longer than `text`; bound that first.
pub(super) fn enforce(text: &str) -> Result<String, PrecisError> {
    let narrow = text.chars().flat_map(map_width).collect::<String>();
    if !is_of_identifier_class(&narrow) {
        return Err(PrecisError::Character);
    }
    let name = narrow.to_lowercase().nfc().collect::<String>();
    // With a mark that strikes it out, `=` becomes one character which is in no name.
    if !is_of_identifier_class(&name) {
        return Err(PrecisError::Character);
    }
    if satisfies_bidi_rule(&name) { Ok(name) } else { Err(PrecisError::Direction) }
}

/// Whether it is a letter, or a decimal digit.
pub(super) fn is_letter_or_digit(c: char) -> bool {
    use GeneralCategory::{DecimalNumber, LowercaseLetter, ModifierLetter, OtherLetter, UppercaseLetter};
    matches!(
        c.general_category(),
        LowercaseLetter | UppercaseLetter | OtherLetter | ModifierLetter | DecimalNumber
    )
}

/// Whether it is drawn on the letter before it.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c.general_category(), GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark)
}

/// Which digits a decimal digit belongs to, for the scripts in general use (UTS 39, section 3.1): there the ten of a system
/// stand together, and never across a multiple of 16.
pub(super) fn digit_system(c: char) -> Option<u32> {
    (c.general_category() == GeneralCategory::DecimalNumber).then_some(u32::from(c) / 16)
}

/// RFC 8265, section 3.3.1: what is there in two widths gets its usual one. All such characters stand in one block, and
/// are made of nothing else than another width where the result is allowed in a name.
fn map_width(c: char) -> impl Iterator<Item = char> {
    let is_of_another_width = matches!(c, '\u{3000}' | '\u{ff01}'..='\u{ffee}');
    let mapped = is_of_another_width.then(|| std::iter::once(c).nfkc());
    let same = (!is_of_another_width).then_some(c);
    mapped.into_iter().flatten().chain(same)
}

/// RFC 8264, section 4.2. Characters that depend on their neighbours are looked at with them.
fn is_of_identifier_class(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    characters.iter().enumerate().all(|(place, &c)| {
        let before = place.checked_sub(1).and_then(|place| characters.get(place));
        let after = characters.get(place + 1);
        is_allowed_in_context(c, before, after, &characters).unwrap_or_else(|| is_allowed(c))
    })
}

/// The contextual rules of RFC 5892, appendix A.3 to A.9; `None` for what has none.
fn is_allowed_in_context(c: char, before: Option<&char>, after: Option<&char>, all: &[char]) -> Option<bool> {
    let is_of = |c: Option<&char>, script| c.is_some_and(|c| c.script() == script);
    let is_japanese = |c: &char| matches!(c.script(), Script::Hiragana | Script::Katakana | Script::Han);
    Some(match c {
        '·' => before == Some(&'l') && after == Some(&'l'),
        '\u{375}' => is_of(after, Script::Greek),
        '\u{5f3}' | '\u{5f4}' => is_of(before, Script::Hebrew),
        '・' => all.iter().any(is_japanese),
        '\u{660}'..='\u{669}' => !all.iter().any(|c| matches!(c, '\u{6f0}'..='\u{6f9}')),
        '\u{6f0}'..='\u{6f9}' => !all.iter().any(|c| matches!(c, '\u{660}'..='\u{669}')),
        _ => return None,
    })
}

/// RFC 8264, section 8, for what depends on no neighbours.
fn is_allowed(c: char) -> bool {
    match c {
        // ASCII (section 9.11), and the exceptions (section 9.6) that are not what their properties say.
        '!'..='~' | 'ß' | 'ς' | '\u{6fd}' | '\u{6fe}' | '\u{f0b}' | '〇' => true,
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}' => false,
        _ if is_part_of_hangul(c) || is_invisible(c) || has_compatible_form(c) => false,
        _ => is_letter_or_digit(c) || is_mark(c),
    }
}

/// RFC 8264, section 9.9: letters of Korean, which spell what has a character of its own.
fn is_part_of_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97c}' | '\u{d7b0}'..='\u{d7fb}')
}

/// RFC 8264, section 9.13: those among the letters and marks.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{34f}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// RFC 8264, section 9.17: another character says the same, such as `k` for the kelvin sign.
fn has_compatible_form(c: char) -> bool {
    !std::iter::once(c).nfkc().eq([c])
}

/// RFC 5893, section 2, for names with a letter that is written from right to left.
fn satisfies_bidi_rule(name: &str) -> bool {
    use BidiClass::{AL, AN, BN, CS, EN, ES, ET, L, NSM, ON, R};
    let classes: Vec<BidiClass> = name.chars().map(unicode_bidi::bidi_class).collect();
    let has = |wanted| classes.contains(&wanted);
    if !(has(R) || has(AL) || has(AN)) {
        return true;
    }
    let last = classes.iter().rfind(|&&class| class != NSM);
    // A name that begins from the left has, by the fifth condition, nothing from the right in it.
    matches!(classes.first(), Some(R | AL))
        && classes.iter().all(|class| matches!(class, R | AL | AN | EN | ES | CS | ET | ON | BN | NSM))
        && matches!(last, Some(R | AL | EN | AN))
        && !(has(EN) && has(AN))
        && !has(L)
}

#[cfg(test)]
mod tests {
    use super::*;
    use precis_profiles::UsernameCaseMapped;
    use precis_profiles::precis_core::profile::PrecisFastInvocation;
    use precis_profiles::precis_core::{CodepointInfo, DerivedPropertyValue, Error};
    use proptest::prelude::*;
    use unicode_security::{GeneralSecurityProfile, skeleton};

    #[test]
    fn the_examples_of_the_rfc_come_out_as_it_says() {
        // RFC 8265, section 3.5 (without its spaces and its `@`, which are not the profile's business here).
        let good = [
            ("juliet", "juliet"),
            ("fussball", "fussball"),
            ("fu\u{df}ball", "fußball"),
            ("\u{3c0}", "π"),
            ("\u{3a3}", "σ"),
            ("\u{3c3}", "σ"),
            ("\u{3c2}", "ς"),
        ];
        for (text, name) in good {
            assert_eq!(enforce(text).as_deref(), Ok(name), "{text:?}");
        }
        for text in ["foo bar", "henry\u{2163}", "\u{265a}"] {
            assert_eq!(enforce(text), Err(PrecisError::Character), "{text:?}");
        }
    }

    #[test]
    fn what_is_put_together_is_looked_at_again() {
        for text in ["c=\u{338}", "a<\u{338}b", "a>\u{338}b"] {
            assert_eq!(enforce(text), Err(PrecisError::Character), "{text:?}");
        }
    }

    #[test]
    fn what_depends_on_neighbours_is_looked_at_with_them() {
        let cases = [
            ("gal·la", true),
            ("gal·a", false),
            ("·", false),
            ("ג׳ורג׳", true),
            ("׳ג", false),
            ("\u{375}α", true),
            ("α\u{375}", false),
            ("ジョン・スミス", true),
            ("a・b", false),
            ("سارة٢", true),
            ("سارة۲", true),
            ("سارة۲٢", false),
            ("می\u{200c}خواهم", false),
        ];
        for (text, allowed) in cases {
            assert_eq!(enforce(text).is_ok(), allowed, "{text:?}");
        }
    }

    #[test]
    fn a_name_that_changes_with_the_direction_of_its_line_is_refused() {
        for name in ["שלום", "שלום1", "שָׁלוֹם", "سارة", "سارة٢", "דנה.כהן"] {
            assert!(enforce(name).is_ok(), "{name}");
        }
        for name in ["1שלום", "שלוםa", "aשלום", "שלום-", "سا1رة٢", "٢", "דנה-"] {
            assert_eq!(enforce(name), Err(PrecisError::Direction), "{name}");
        }
    }

    #[test]
    fn no_character_is_allowed_that_is_invisible() {
        for c in (char::MIN..=char::MAX).filter(|&c| is_allowed(c)) {
            assert_ne!(skeleton(&c.to_string()).count(), 0, "U+{:04X} has no glyph", u32::from(c));
        }
    }

    #[test]
    fn the_digits_of_a_system_stand_between_two_multiples_of_16() {
        let digits = |c: &char| digit_system(*c).is_some() && c.identifier_allowed();
        let all: Vec<u32> = (char::MIN..=char::MAX).filter(digits).map(u32::from).collect();
        assert!(all.len() >= 100, "only {}", all.len());
        for system in all.chunks(10) {
            assert_eq!(system[9] - system[0], 9, "{system:x?}");
            assert_eq!(system[0] / 16, system[9] / 16, "{system:x?}");
        }
    }

    /// What precis-profiles makes of it. `None` where it can't be compared: its tables are of 2013; it maps Σ to σ also at
    /// the end of a word; it allows joiners; and it takes marks between Hebrew or Arabic letters for an error (RFC 5893
    /// allows them, and pointed names have them).
    fn other(text: &str) -> Option<Result<String, Error>> {
        let theirs = UsernameCaseMapped::enforce(text).map(String::from);
        let unassigned = DerivedPropertyValue::Unassigned;
        // One at a time: with neighbours, another error may come first.
        let is_too_new = text.chars().chain(text.nfkc()).any(|c| {
            let theirs = UsernameCaseMapped::enforce(c.to_string());
            matches!(theirs, Err(Error::BadCodepoint(CodepointInfo { property, .. })) if property == unassigned)
        });
        let has = |wanted: &[BidiClass]| text.nfkc().any(|c| wanted.contains(&unicode_bidi::bidi_class(c)));
        let is_pointed = has(&[BidiClass::R, BidiClass::AL, BidiClass::AN]) && has(&[BidiClass::NSM]);
        let is_another_choice = text.contains(['Σ', '\u{200c}', '\u{200d}']);
        (!is_too_new && !is_pointed && !is_another_choice && !text.is_empty()).then_some(theirs)
    }

    #[test]
    fn every_character_comes_out_as_another_implementation_has_it() {
        for c in char::MIN..=char::MAX {
            for text in [format!("{c}"), format!("{c}a"), format!("א{c}ב")] {
                if let Some(theirs) = other(&text) {
                    assert_eq!(enforce(&text).ok(), theirs.ok(), "U+{:04X} in {text:?}", u32::from(c));
                }
            }
        }
    }

    /// Letters, digits and marks of many scripts, and what is often confused with them.
    fn text() -> impl Strategy<Value = String> {
        let some: Vec<char> =
            "aAzIİıſKßςΣσάΆéÉe\u{301}\u{307}\u{327}ЖжёאבשׁةسيA１ｶﾞﾊﾟ・·l١۱12._-가각\u{1100}\u{1161}漢あ"
                .chars()
                .collect();
        let piece = prop_oneof![4 => prop::sample::select(some), 1 => any::<char>()];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_second_pass_changes_nothing(text in text()) {
            if let Ok(name) = enforce(&text) {
                prop_assert_eq!(enforce(&name), Ok(name));
            }
        }

        #[test]
        fn every_text_comes_out_as_another_implementation_has_it(text in text()) {
            if let Some(theirs) = other(&text) {
                prop_assert_eq!(enforce(&text).ok(), theirs.ok());
            }
        }
    }
}
