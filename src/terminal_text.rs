//! Text that is safe to print. Whatever comes from the network or a file may hold commands to the terminal,
//! reorder the line it stands in, or hide what it says. Which characters reach the screen is decided here
//! alone, so that the rest of the program need not know.
//!
//! - What a terminal would obey, what reorders a line (UAX #9, sections 2.1 to 2.5), and what has no known
//!   glyph and width (unassigned, noncharacters, private use) is shown as U+FFFD: the reader sees that
//!   something was there. Private use includes the icons of patched fonts, which other readers may not have.
//! - What is invisible is left out, direction marks included: only the place of a full stop depends on them.
//! - Joiners, variation selectors and tags are invisible too, and kept where scripts and emoji need them.
//! - Everything else, in any language, is printed as it is.
//!
//! The terminal is taken to read UTF-8. Columns, wrapping and colours are the caller's.

use std::ops::RangeInclusive;

use unicode_properties::{GeneralCategory, UnicodeEmoji, UnicodeGeneralCategory};

/// What stands for a line break within one line.
const LINE_BREAK: &str = "⏎";

/// What stands for a tab: where the next stop is depends on where the caller prints.
const TAB: &str = "    ";

/// What a mark is put on when there is nothing before it: it would land on what the caller printed last.
const DOTTED_CIRCLE: char = '◌';

/// The most marks on one base. Burmese and Tibetan need up to eight; a heap of them runs over other lines.
const MARKS_MAX: usize = 8;

const ZERO_WIDTH_JOINER: char = '\u{200d}';
const EMOJI_SELECTOR: char = '\u{fe0f}';

/// What makes a [`BLACK_FLAG`] the flag of England, Scotland or Wales, the only tag sequences in general use
/// (UTS #51, annex C). Any other could carry a message that nobody sees.
const FLAG_TAGS: [&str; 3] = [
    "\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];
const BLACK_FLAG: char = '🏴';

/// `Prepended_Concatenation_Mark` (UAX #44, section 5.1): format characters with a glyph, such as the Arabic
/// number sign.
const VISIBLE_FORMATS: &str =
    "\u{600}\u{601}\u{602}\u{603}\u{604}\u{605}\u{6dd}\u{70f}\u{890}\u{891}\u{8e2}\u{110bd}\u{110cd}";

/// Where the scripts are whose letters change shape when they meet, so that joiners have work to do.
const JOINING_BLOCKS: [RangeInclusive<char>; 11] = [
    '\u{600}'..='\u{dff}',     // Arabic to Sinhala
    '\u{1000}'..='\u{109f}',   // Myanmar
    '\u{1700}'..='\u{18af}',   // Tagalog to Mongolian
    '\u{1900}'..='\u{1cff}',   // Limbu to Vedic
    '\u{a800}'..='\u{a95f}',   // Syloti Nagri to Rejang
    '\u{a980}'..='\u{aaff}',   // Javanese to Meetei Mayek
    '\u{abc0}'..='\u{abff}',   // Meetei Mayek
    '\u{fb50}'..='\u{fdff}',   // Arabic presentation forms
    '\u{fe70}'..='\u{fefc}',   // Arabic presentation forms
    '\u{10a00}'..='\u{11fff}', // Kharoshthi to Tamil
    '\u{1e900}'..='\u{1e95f}', // Adlam
];

/// The text in one line, for names and events: its [`lines`] with a visible `⏎` between them. It has at most
/// four times the bytes of `text`, and making it safe again changes nothing.
pub fn one_line(text: impl AsRef<[u8]>) -> String {
    lines(text).join(LINE_BREAK)
}

/// The text line by line, for the bodies of messages. Lines end at every mandatory break (UAX #14, rules LB4
/// and LB5); a break at the end begins no further line. Tabs become four spaces, and invalid UTF-8 U+FFFD.
pub fn lines(text: impl AsRef<[u8]>) -> Vec<String> {
    String::from_utf8_lossy(text.as_ref())
        .replace("\r\n", "\n")
        .replace('\t', TAB)
        .split_terminator(|c| matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}'))
        .map(safe_line)
        .collect()
}

/// What must stand after a name so that what follows it in its line stays behind it: a left-to-right mark (UAX #9, section
/// 2.6) if the name has letters that are written from right to left, otherwise nothing.
///
/// Terminals that reorder a line would else take `<א> <ב hello` for `<ב> <א hello`: between two such letters brackets
/// belong to neither. Terminals that don't reorder show nothing for the mark. It is a mark and not an isolate around the
/// name, because some that reorder know no isolates (they are ten years younger), and some that don't show boxes.
pub fn boundary_after(name: &str) -> &'static str {
    use unicode_bidi::BidiClass::{AL, AN, R};
    let is_from_the_right = name.chars().any(|c| matches!(unicode_bidi::bidi_class(c), R | AL | AN));
    if is_from_the_right { "\u{200e}" } else { "" }
}

/// Decides by what is already in `safe`, not by what was in `line`, so that a second pass decides the same.
fn safe_line(line: &str) -> String {
    let mut safe = String::with_capacity(line.len());
    let mut marks = 0;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        let before = safe.chars().next_back();
        match Kind::of(c) {
            Kind::Base => {
                safe.push(c);
                marks = 0;
                if c == BLACK_FLAG
                    && let Some(tags) = FLAG_TAGS.iter().find(|tags| rest.as_str().starts_with(**tags))
                {
                    safe.extend(rest.by_ref().take(tags.chars().count()));
                }
            }
            Kind::Unprintable => {
                safe.push(char::REPLACEMENT_CHARACTER);
                marks = 0;
            }
            Kind::Mark if marks < MARKS_MAX => {
                if before.is_none() {
                    safe.push(DOTTED_CIRCLE);
                }
                safe.push(c);
                marks += 1;
            }
            Kind::Joiner if joins(before, c, rest.clone().next()) => safe.push(c),
            Kind::Selector if selects(before, c) => safe.push(c),
            Kind::Mark | Kind::Joiner | Kind::Selector | Kind::Invisible => {}
        }
    }
    safe
}

/// What a character does on the screen.
enum Kind {
    /// Takes cells of its own.
    Base,
    /// Is drawn on the base before it.
    Mark,
    /// Joins its neighbours or keeps them apart.
    Joiner,
    /// Chooses among the glyphs of the base before it.
    Selector,
    /// Has no glyph.
    Invisible,
    /// Must not be printed, or nobody knows how it would look.
    Unprintable,
}

impl Kind {
    fn of(c: char) -> Self {
        match c {
            '\u{200c}' | ZERO_WIDTH_JOINER => Self::Joiner,
            '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
                Self::Selector
            }
            // The letters and marks among Default_Ignorable_Code_Point (UAX #44, section 5.1).
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}' => {
                Self::Invisible
            }
            // Embeddings, overrides and isolates, with their ends.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Self::Unprintable,
            // Hangul vowels and finals: letters that share the cells of the consonant before them.
            '\u{1161}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7c6}' | '\u{d7cb}'..='\u{d7fb}' => Self::Mark,
            _ => match c.general_category() {
                GeneralCategory::NonspacingMark
                | GeneralCategory::SpacingMark
                | GeneralCategory::EnclosingMark => Self::Mark,
                GeneralCategory::Format if !VISIBLE_FORMATS.contains(c) => Self::Invisible,
                GeneralCategory::Control
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
                | GeneralCategory::Surrogate
                | GeneralCategory::PrivateUse
                | GeneralCategory::Unassigned => Self::Unprintable,
                _ => Self::Base,
            },
        }
    }
}

/// Whether a joiner has work to do: between two emoji, or in a joining script, where it may also end a word.
fn joins(before: Option<char>, joiner: char, after: Option<char>) -> bool {
    let between_emoji = joiner == ZERO_WIDTH_JOINER
        && before.is_some_and(|c| c == EMOJI_SELECTOR || is_pictograph(c))
        && after.is_some_and(is_pictograph);
    between_emoji || before.is_some_and(|c| JOINING_BLOCKS.iter().any(|block| block.contains(&c)))
}

/// Digits are emoji too, because of the keycaps.
fn is_pictograph(c: char) -> bool {
    c.is_emoji_char() && !c.is_ascii()
}

/// Whether a variation selector has a base to choose a glyph for: an emoji, a Mongolian letter or an
/// ideograph. The variants of other characters differ in style only.
fn selects(base: Option<char>, selector: char) -> bool {
    base.is_some_and(|base| match selector {
        '\u{fe0e}' | EMOJI_SELECTOR => base.is_emoji_char(),
        '\u{180b}'..='\u{180f}' => matches!(base, '\u{1820}'..='\u{18aa}'),
        _ => matches!(base, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_would_obey_or_a_reader_would_not_see_is_made_harmless() {
        let cases = [
            ("colour", "\x1b[31mred\x1b[0m", "�[31mred�[0m"),
            ("window title", "\x1b]0;owned\x07", "�]0;owned�"),
            ("clipboard, ended by ST", "\x1b]52;c;cm0gLXJm\x1b\\", "�]52;c;cm0gLXJm�\\"),
            ("device control string", "\x1bP$q\"p\x1b\\", "�P$q\"p�\\"),
            ("8-bit CSI", "\u{9b}2J", "�2J"),
            ("8-bit OSC and ST", "\u{9d}0;owned\u{9c}", "�0;owned�"),
            ("backspaces over a name", "eve\x08\x08\x08bob", "eve���bob"),
            ("NUL, bell, shift out, delete", "\0\x07\x0e\x7f", "����"),
            ("override", "gpj.\u{202e}exe", "gpj.�exe"),
            ("isolate and its end", "\u{2067}a\u{2069}", "�a�"),
            ("direction marks", "a\u{200e}b\u{200f}c\u{61c}", "abc"),
            ("zero-width space, word joiner, byte order mark", "pa\u{200b}y\u{2060}p\u{feff}al", "paypal"),
            ("soft hyphen, invisible times", "co\u{ad}op\u{2062}", "coop"),
            ("fillers", "a\u{115f}\u{1160}\u{3164}\u{ffa0}\u{180e}\u{34f}b", "ab"),
            ("annotation", "\u{fff9}a\u{fffa}b\u{fffb}", "ab"),
            ("message in tags", "hi\u{e0001}\u{e0068}\u{e0069}", "hi"),
            ("message in the tags of a flag", "🏴\u{e0068}\u{e0069}\u{e007f}", "🏴"),
            ("message in selectors", "🙂\u{fe0f}\u{fe00}\u{e0101}\u{e0102}", "🙂\u{fe0f}"),
            ("selector without base", "a\u{fe0f}", "a"),
            ("joiners between Latin letters", "pay\u{200d}p\u{200c}al", "paypal"),
            ("joiners in a row", "👩\u{200d}\u{200d}👧\u{200d}", "👩\u{200d}👧"),
            ("private use, unassigned, noncharacters", "\u{e0b0}\u{378}\u{fdd0}\u{10ffff}", "����"),
            ("mark without base", "\u{301}a", "◌\u{301}a"),
        ];
        for (name, input, expected) in cases {
            assert_eq!(one_line(input), expected, "{name}");
        }
    }

    #[test]
    fn ordinary_text_passes_unchanged() {
        let cases = [
            ("Vietnamese, decomposed", "Tie\u{302}\u{301}ng Vie\u{323}\u{302}t"),
            ("Hebrew with points and accents", "בְּרֵאשִׁ֖ית בָּרָ֣א"),
            ("Persian", "می\u{200c}خواهم"),
            ("Arabic with its number sign", "\u{600}١٢ السَّلَامُ"),
            ("Hindi", "क्\u{200d}ष नमस्ते"),
            ("Bengali", "র\u{200d}্যাব"),
            ("Malayalam, ending in a joiner", "അവന്\u{200d}"),
            ("Sinhala", "ශ්\u{200d}රී ලංකා"),
            ("Thai", "น้ำใจที่ดี"),
            ("Tibetan", "ཧྐྵྨླྺྼྻྂ"),
            ("Burmese", "မြွှော့် ကျွန်ုပ်"),
            ("Mongolian", "ᠮᠣᠩᠭᠣᠯ\u{180b}"),
            ("Korean, decomposed", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            ("Japanese with a variant of a name", "葛\u{e0100}城　ガギ"),
            ("skin tone", "👍🏽"),
            ("family", "👩\u{200d}👩\u{200d}👧\u{200d}👦"),
            ("profession with skin tone", "👩🏽\u{200d}🚀"),
            ("selector before a joiner", "❤\u{fe0f}\u{200d}🔥 🏳\u{fe0f}\u{200d}🌈"),
            ("keycap", "1\u{fe0f}\u{20e3}"),
            ("flags", "🇩🇪 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}"),
            ("text style", "☎\u{fe0e}"),
            ("drawing and typography", "┌─┐ ≤ ± « 20 % » “a” …"),
        ];
        for (name, text) in cases {
            assert_eq!(one_line(text), text, "{name}");
        }
    }

    #[test]
    fn breaks_end_lines_and_show_within_one_line() {
        let cases: [(&str, &[u8], &[&str]); 8] = [
            ("nothing", b"", &[]),
            ("unix", b"a\nb\n", &["a", "b"]),
            ("windows", b"a\r\n\r\nb", &["a", "", "b"]),
            ("carriage return", b"bob: yes\reve", &["bob: yes", "eve"]),
            ("tab, vertical tab, form feed", b"\ta\x0bb\x0cc", &["    a", "b", "c"]),
            ("NEL and the separators", "a\u{85}b\u{2028}c\u{2029}".as_bytes(), &["a", "b", "c"]),
            ("mark after a break", "a\n\u{301}".as_bytes(), &["a", "◌\u{301}"]),
            ("bytes that are no UTF-8", b"\x9b31m\xff\xc3", &["�31m��"]),
        ];
        for (name, input, expected) in cases {
            assert_eq!(lines(input), expected, "{name}");
            assert_eq!(one_line(input), expected.join("⏎"), "{name}");
        }
    }

    #[test]
    fn what_follows_a_name_from_the_right_stays_behind_it() {
        for name in ["alice", "9", "алиса", "王伟", ""] {
            assert_eq!(boundary_after(name), "", "{name}");
        }
        for name in ["א", "שלום1", "سارة"] {
            let line = format!("12:34 #lobby <{name}>{} <בוב hello", boundary_after(name));
            let info = unicode_bidi::BidiInfo::new(&line, None);
            let shown = info.reorder_line(&info.paragraphs[0], 0..line.len());
            assert!(shown.starts_with("12:34 #lobby <") && shown.contains("\u{200e} <"), "{shown}");
            let first = shown.chars().nth(14).unwrap();
            assert!(name.contains(first), "the line begins with another's name: {shown}");
        }
    }

    #[test]
    fn marks_beyond_the_bound_are_dropped() {
        let heaped = |marks| format!("Z{}A", "\u{336}".repeat(marks));
        assert_eq!(one_line(heaped(MARKS_MAX)), heaped(MARKS_MAX));
        assert_eq!(one_line(heaped(1000)), heaped(MARKS_MAX));
    }

    /// Arbitrary characters, with those that have rules of their own often and side by side.
    fn text() -> impl Strategy<Value = String> {
        let special: Vec<char> =
            "\t\n\r\x1b\x7f\u{9b}\u{2028}\u{202e}\u{2066}\u{200b}\u{200c}\u{200d}\u{200e}\u{301}\
            \u{20e3}\u{fe00}\u{fe0f}\u{e0067}\u{e0100}\u{e007f}\u{180b}\u{1161}\u{e000}1aک្ष葛ᠮ👩🏽❤🇩🏴◌⏎�"
                .chars()
                .collect();
        let flag = FLAG_TAGS[0].to_owned();
        let piece = prop_oneof![
            8 => prop::sample::select(special).prop_map(String::from),
            4 => any::<char>().prop_map(String::from),
            1 => Just(flag),
        ];
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    fn is_obeyed(c: char) -> bool {
        let direction = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(c, '\u{2066}'..='\u{2069}');
        direction || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
    }

    proptest! {
        #[test]
        fn no_control_and_no_direction_reaches_the_screen(text in text()) {
            prop_assert!(!one_line(text).contains(is_obeyed));
        }

        #[test]
        fn a_second_pass_changes_nothing(text in text()) {
            let line = one_line(&text);
            prop_assert_eq!(one_line(&line), line);
            for line in lines(&text) {
                prop_assert_eq!(one_line(&line), line);
            }
        }

        #[test]
        fn any_bytes_give_at_most_four_times_as_many(bytes: Vec<u8>, text in text()) {
            prop_assert!(one_line(&bytes).len() <= 4 * bytes.len());
            prop_assert!(one_line(&text).len() <= 4 * text.len());
        }

        #[test]
        fn printable_ascii_passes_unchanged(text in "[ -~]*") {
            prop_assert_eq!(one_line(&text), text);
        }
    }
}
