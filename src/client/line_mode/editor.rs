//! The line that is being typed: its text, the cursor, what was typed before. It is pure: keys go in, and what to do
//! comes out; [`screen`](super::screen) paints it.
//!
//! The cursor moves by grapheme clusters (UAX #29), that is by what a person takes for one letter.

use std::collections::VecDeque;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::cycle::Cycle;
use crate::client::commands::{self, Completion};
use crate::terminal_text;

/// The longest text that can be typed, in bytes: more than can be sent, so that whoever pastes too much is told how
/// much it is.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// The most lines that Up brings back.
const HISTORY_MAX: usize = 500;

/// What a key came to.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::client) enum Pressed {
    /// The line, or the room for it, may look different now.
    Edited,
    /// Several lines were pasted, which are now part of the line.
    Pasted { lines: usize },
    /// The line is finished and empty again; this was it.
    Line(String),
    /// Ctrl-C; the line is empty now.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-L.
    Redraw,
    /// Tab, or Shift-Tab if backwards, on a word that was not completed yet: see [`Editor::complete`].
    Complete { is_back: bool },
}

/// A line that is being typed.
#[derive(Default)]
pub(in crate::client) struct Editor {
    text: String,
    /// A byte of `text` at which a grapheme cluster begins, or its end.
    cursor: usize,
    /// What was cut last, for Ctrl-Y.
    cut: String,
    /// The newest last.
    history: VecDeque<String>,
    /// How far Up has gone back: 0 is the line that is being typed, kept in `draft` meanwhile.
    back: usize,
    draft: String,
    /// The word that Tab completes.
    cycle: Option<Cycle>,
}

impl Editor {
    /// Takes what happened at the keyboard.
    pub(in crate::client) fn take(&mut self, event: Event) -> Pressed {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => return self.press(key),
            Event::Paste(text) => {
                self.cycle = None;
                return self.paste(&text);
            }
            _ => {}
        }
        Pressed::Edited
    }

    fn press(&mut self, key: KeyEvent) -> Pressed {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        if let KeyCode::Tab | KeyCode::BackTab = key.code {
            return self.turn(key.code == KeyCode::BackTab);
        }
        self.cycle = None;
        match key.code {
            KeyCode::Char(letter) if control => return self.press_control(letter),
            KeyCode::Char('b') if alt => self.cursor = self.word_left(),
            KeyCode::Char('f') if alt => self.cursor = self.word_right(),
            KeyCode::Char('d') if alt => self.cut_between(self.cursor, self.word_right()),
            KeyCode::Char(letter) if !alt => self.insert(letter.encode_utf8(&mut [0; 4])),
            KeyCode::Enter if alt => self.insert("\n"),
            KeyCode::Enter => return self.finish(),
            KeyCode::Backspace if alt => self.cut_between(self.word_left(), self.cursor),
            KeyCode::Backspace => self.remove_between(self.left(), self.cursor),
            KeyCode::Delete => self.remove_between(self.cursor, self.right()),
            KeyCode::Left if control || alt => self.cursor = self.word_left(),
            KeyCode::Right if control || alt => self.cursor = self.word_right(),
            KeyCode::Left => self.cursor = self.left(),
            KeyCode::Right => self.cursor = self.right(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            KeyCode::Up => self.recall(self.back + 1),
            KeyCode::Down => self.recall(self.back.saturating_sub(1)),
            _ => {}
        }
        Pressed::Edited
    }

    /// Takes what was pasted. Lines in it stay lines of one message, which is not sent before Enter.
    fn paste(&mut self, text: &str) -> Pressed {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.trim_end_matches('\n');
        let before = self.text.len();
        self.insert(text);
        match text.lines().count() {
            lines @ 2.. if self.text.len() > before => Pressed::Pasted { lines },
            _ => Pressed::Edited,
        }
    }

    /// What stands left of the cursor.
    pub(super) fn before_cursor(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// Puts the first of some words, or the last, in the place of the one that is being typed. Tab goes on to the others.
    pub(super) fn complete(&mut self, Completion { start, words }: Completion, is_back: bool) {
        let Some(typed) = self.before_cursor().get(start..).map(str::to_owned) else { return };
        let is_clear = words.len() == 1;
        if !words.is_empty() {
            self.cycle = Some(Cycle::new(start, typed, words));
            self.turn(is_back && !is_clear);
        }
        if is_clear {
            self.cycle = None; // Tab begins with the next word
        }
    }

    fn turn(&mut self, is_back: bool) -> Pressed {
        let Some(cycle) = &mut self.cycle else { return Pressed::Complete { is_back } };
        let (start, length, word) = cycle.turn(is_back);
        self.text.replace_range(start..start + length, word);
        self.cursor = start + word.len();
        self.settle_cursor();
        Pressed::Edited
    }

    /// What fits into `columns`, left and right of the cursor, and the columns of the left part. The cursor is always
    /// in it.
    pub(super) fn window(&self, columns: usize) -> (String, String, usize) {
        let (before, after) = self.text.split_at(self.cursor);
        let (before, after) = (printable(before), printable(after));
        let kept_for_after = after.width().min(columns / 3);
        let left: Vec<&str> = fitting(before.graphemes(true).rev(), columns - kept_for_after);
        let left: String = left.into_iter().rev().collect();
        let width = left.width();
        let right = fitting(after.graphemes(true), columns - width).concat();
        (left, right, width)
    }

    fn press_control(&mut self, letter: char) -> Pressed {
        match letter {
            'a' => self.cursor = 0,
            'b' => self.cursor = self.left(),
            'c' => {
                self.clear();
                return Pressed::Interrupt;
            }
            'd' if self.text.is_empty() => return Pressed::End,
            'd' => self.remove_between(self.cursor, self.right()),
            'e' => self.cursor = self.text.len(),
            'f' => self.cursor = self.right(),
            'h' => self.remove_between(self.left(), self.cursor),
            'j' | 'm' => return self.finish(),
            'k' => self.cut_between(self.cursor, self.text.len()),
            'l' => return Pressed::Redraw,
            'n' => self.recall(self.back.saturating_sub(1)),
            'p' => self.recall(self.back + 1),
            'r' => self.recall_alike(),
            'u' => self.cut_between(0, self.cursor),
            'w' => self.cut_between(self.word_left(), self.cursor),
            'y' => self.insert(&self.cut.clone()),
            'z' => return Pressed::Suspend,
            _ => {}
        }
        Pressed::Edited
    }

    fn finish(&mut self) -> Pressed {
        let line = std::mem::take(&mut self.text);
        self.clear();
        let is_kept = !line.trim().is_empty() && !commands::is_secret(&line);
        if is_kept && self.history.back() != Some(&line) {
            self.history.push_back(line.clone());
            if self.history.len() > HISTORY_MAX {
                self.history.pop_front();
            }
        }
        Pressed::Line(line)
    }

    fn clear(&mut self) {
        self.text.clear();
        self.cursor = 0;
        self.back = 0;
    }

    fn insert(&mut self, text: &str) {
        if self.text.len() + text.len() <= TEXT_BYTES_MAX {
            self.text.insert_str(self.cursor, text);
            self.cursor += text.len();
            self.settle_cursor();
        }
    }

    /// What is inserted may melt into one grapheme cluster with what follows it.
    fn settle_cursor(&mut self) {
        let at = self.cursor;
        let mut starts = self.text.grapheme_indices(true).map(|(start, _)| start);
        self.cursor = starts.find(|start| *start >= at).unwrap_or(self.text.len());
    }

    fn remove_between(&mut self, from: usize, to: usize) {
        self.text.drain(from..to);
        self.cursor = from;
        self.settle_cursor();
    }

    fn cut_between(&mut self, from: usize, to: usize) {
        if from < to {
            self.cut = self.text.get(from..to).unwrap_or_default().to_owned();
            self.remove_between(from, to);
        }
    }

    fn recall(&mut self, back: usize) {
        let recalled = match back {
            _ if back == self.back || back > self.history.len() => return,
            0 => std::mem::take(&mut self.draft),
            _ => self.history.iter().nth_back(back - 1).cloned().unwrap_or_default(),
        };
        if self.back == 0 {
            self.draft = std::mem::take(&mut self.text);
        }
        self.back = back;
        self.text = recalled;
        self.cursor = self.text.len();
    }

    /// Goes further back to what has in it what was typed.
    fn recall_alike(&mut self) {
        let sought = if self.back == 0 { &self.text } else { &self.draft };
        let mut older = self.history.iter().rev().enumerate().skip(self.back);
        if let Some((place, _)) = older.find(|(_, line)| line.contains(sought.as_str())) {
            self.recall(place + 1);
        }
    }

    fn left(&self) -> usize {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        before.grapheme_indices(true).next_back().map_or(0, |(start, _)| start)
    }

    fn right(&self) -> usize {
        let after = self.text.get(self.cursor..).unwrap_or_default();
        self.cursor + after.graphemes(true).next().map_or(0, str::len)
    }

    /// Where the word begins that is left of the cursor; a word is what stands between white space.
    fn word_left(&self) -> usize {
        let before = self.text.get(..self.cursor).unwrap_or_default().trim_end();
        before.rfind(char::is_whitespace).map_or(0, |space| {
            space + before.get(space..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
        })
    }

    /// Where the word ends that is right of the cursor.
    fn word_right(&self) -> usize {
        let after = self.text.get(self.cursor..).unwrap_or_default();
        let spaces = after.len() - after.trim_start().len();
        let word = after.trim_start().find(char::is_whitespace).unwrap_or(after.trim_start().len());
        self.cursor + spaces + word
    }
}

/// Typed or pasted text as it is shown in one row.
fn printable(text: &str) -> String {
    terminal_text::one_line(text.replace('\n', "⏎"))
}

/// As many of the graphemes as fit into `columns`.
fn fitting<'t>(graphemes: impl Iterator<Item = &'t str>, columns: usize) -> Vec<&'t str> {
    let mut left = columns;
    graphemes
        .take_while(|grapheme| {
            let fits = grapheme.width() <= left;
            left = left.saturating_sub(grapheme.width());
            fits
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    /// `^x` is Ctrl-X, `<` and `>` are Left and Right, `↑` and `↓` Up and Down, `⏎` Enter, `⌫` Backspace, `⇥` and `⇤` Tab
    /// and Shift-Tab, `§` a word to the left; everything else is typed.
    fn press(editor: &mut Editor, keys: &str) -> Vec<Pressed> {
        let mut letters = keys.chars();
        let mut pressed = Vec::new();
        while let Some(letter) = letters.next() {
            let none = KeyModifiers::NONE;
            let event = match letter {
                '^' => key(KeyCode::Char(letters.next().unwrap()), KeyModifiers::CONTROL),
                '<' => key(KeyCode::Left, none),
                '>' => key(KeyCode::Right, none),
                '↑' => key(KeyCode::Up, none),
                '↓' => key(KeyCode::Down, none),
                '⏎' => key(KeyCode::Enter, none),
                '⌫' => key(KeyCode::Backspace, none),
                '⇥' => key(KeyCode::Tab, none),
                '⇤' => key(KeyCode::BackTab, KeyModifiers::SHIFT),
                '§' => key(KeyCode::Left, KeyModifiers::CONTROL),
                letter => key(KeyCode::Char(letter), none),
            };
            pressed.push(editor.press(event));
        }
        pressed
    }

    fn typed(keys: &str) -> String {
        let mut editor = Editor::default();
        press(&mut editor, keys);
        format!("{}|{}", &editor.text[..editor.cursor], &editor.text[editor.cursor..])
    }

    #[test]
    fn keys_do_what_hands_know() {
        let cases = [
            ("hello", "hello|"),
            ("hello<<X", "helX|lo"),
            ("hello⌫⌫p", "help|"),
            ("hello^aX", "X|hello"),
            ("hello^a^eX", "helloX|"),
            ("hello^a^d>", "e|llo"),
            ("one two§^k", "one |"),
            ("one two^w", "one |"),
            ("one two^w^yX^y", "one twoXtwo|"),
            ("one two^u", "|"),
            ("one two§§<<", "|one two"),
            ("e\u{301}te\u{301}⌫", "e\u{301}t|"),
            ("👩\u{200d}🚀<X", "X|👩\u{200d}🚀"),
            ("never said^c", "|"),
        ];
        for (keys, expected) in cases {
            assert_eq!(typed(keys), expected, "{keys}");
        }
    }

    #[test]
    fn up_and_down_walk_through_what_was_typed_and_back_to_the_draft() {
        let mut editor = Editor::default();
        press(&mut editor, "one⏎two⏎two⏎ ⏎draft");
        for (keys, expected) in
            [("↑", "two"), ("↑", "one"), ("↑", "one"), ("↓", "two"), ("↓", "draft"), ("↓", "draft")]
        {
            press(&mut editor, keys);
            assert_eq!(editor.text, expected);
        }
    }

    #[test]
    fn enter_interrupt_and_end_are_told() {
        let mut editor = Editor::default();
        assert_eq!(press(&mut editor, "hi⏎").pop(), Some(Pressed::Line("hi".into())));
        assert_eq!(press(&mut editor, "^d"), [Pressed::End]);
        assert_eq!(press(&mut editor, "x^c").pop(), Some(Pressed::Interrupt));
        assert_eq!(press(&mut editor, "^z^l"), [Pressed::Suspend, Pressed::Redraw]);
    }

    #[test]
    fn ctrl_r_goes_back_to_lines_like_the_one_that_is_typed() {
        let mut editor = Editor::default();
        press(&mut editor, "tea?⏎more tea⏎coffee⏎te");
        for expected in ["more tea", "tea?", "tea?"] {
            press(&mut editor, "^r");
            assert_eq!(editor.text, expected);
        }
        press(&mut editor, "↓↓↓");
        assert_eq!(editor.text, "te");
    }

    #[test]
    fn a_line_that_may_hold_a_password_is_not_brought_back() {
        let mut editor = Editor::default();
        press(&mut editor, "hello⏎/PASSWD hunter2⏎↑");
        assert_eq!(editor.text, "hello");
    }

    #[test]
    fn tab_goes_through_what_can_be_meant_and_back_to_what_was_typed() {
        let mut editor = Editor::default();
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        press(&mut editor, "ask a now<<<<");
        assert_eq!(press(&mut editor, "⇥"), [Pressed::Complete { is_back: false }]);
        editor.complete(Completion { start: 4, words: words(&["alice ", "al "]) }, false);
        for (keys, expected) in
            [("", "ask alice | now"), ("⇥", "ask al | now"), ("⇥", "ask a| now"), ("⇤⇤", "ask alice | now")]
        {
            press(&mut editor, keys);
            let (before, after) = editor.text.split_at(editor.cursor);
            assert_eq!(format!("{before}|{after}"), expected);
        }
        press(&mut editor, "x");
        assert_eq!(press(&mut editor, "⇤"), [Pressed::Complete { is_back: true }]);
        editor.complete(Completion { start: 10, words: words(&["xenia "]) }, true);
        assert_eq!(editor.text, "ask alice xenia  now");
        assert_eq!(press(&mut editor, "⇥").pop(), Some(Pressed::Complete { is_back: false }), "it was clear");
        editor.complete(Completion { start: 16, words: Vec::new() }, false);
        assert_eq!(editor.text, "ask alice xenia  now");
    }

    #[test]
    fn a_paste_of_several_lines_waits_for_enter_and_is_one_message() {
        let mut editor = Editor::default();
        assert_eq!(editor.take(Event::Paste("one\r\ntwo\rthree\n\n".into())), Pressed::Pasted { lines: 3 });
        assert_eq!(editor.window(40).0, "one⏎two⏎three");
        assert_eq!(press(&mut editor, "⏎"), [Pressed::Line("one\ntwo\nthree".into())]);
    }

    #[test]
    fn a_paste_that_is_far_too_long_is_not_taken() {
        let mut editor = Editor::default();
        editor.paste(&"x".repeat(TEXT_BYTES_MAX + 1));
        assert_eq!(editor.text, "");
    }

    #[test]
    fn a_long_line_is_seen_around_the_cursor() {
        let mut editor = Editor::default();
        press(&mut editor, "0123456789");
        assert_eq!(editor.window(6), ("456789".into(), String::new(), 6));
        press(&mut editor, "<<<");
        assert_eq!(editor.window(6), ("3456".into(), "78".into(), 4));
        press(&mut editor, "^a");
        assert_eq!(editor.window(6), (String::new(), "012345".into(), 0));
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_breaks_the_line(keys in "([<>↑↓⏎⌫§⇥⇤]|\\^[abdefhkpnruwy]|[a-c ]|é|\u{301}|世|👩|\u{200d}|🇩|\\PC){0,60}", columns in 0_usize..30) {
            let mut editor = Editor::default();
            press(&mut editor, keys.trim_end_matches('^'));
            prop_assert!(editor.text.is_char_boundary(editor.cursor));
            let (left, right, width) = editor.window(columns);
            prop_assert_eq!(left.width(), width);
            prop_assert!(width + right.width() <= columns);
        }
    }
}
