//! The one place that writes the conversation out. On a terminal the last row is the line that is being typed: it is
//! taken away before a line is printed and painted again below it.

use std::io::{self, IsTerminal, Stdout, Write};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste, Event};
use crossterm::{execute, terminal};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;
use zeroize::Zeroizing;

use super::editor::{Editor, Pressed};
use super::secret::{SecretKey, SecretLine};
use crate::client::commands::Completion;

/// What stands before the line that is being typed, at first.
const PROMPT: &str = "> ";

/// As wide as the time that each line begins with.
const INDENT: &str = "      ";

/// Assumed when the terminal does not tell.
const COLUMNS: u16 = 80;

/// Takes the cursor to the first column of a row that is empty then, and of what a narrower window made of it.
const CLEAR_ROW: &str = "\r\x1b[J";

/// Standard output, perhaps with a line below it that is being typed.
pub(in crate::client) struct Screen {
    out: Stdout,
    prompt: String,
    editing: Option<(Editor, RawMode)>,
    /// A question that has the last row meanwhile, and the answer to it that is not shown.
    secret: Option<(&'static str, SecretLine)>,
}

/// What happened at the keyboard came to this.
pub(in crate::client) enum Struck {
    /// To the line that is being typed.
    Line(Pressed),
    /// The answer to [`Screen::ask_secretly`].
    Secret(Zeroizing<String>),
    /// There won't be one.
    NoSecret,
}

secret!(Screen, Struck);

/// Whether standard input and output are a terminal on which a line can be edited.
pub(in crate::client) fn is_for_editing() -> bool {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb
}

impl Screen {
    /// Lines and nothing else.
    pub(in crate::client) fn plain() -> Self {
        Self { out: io::stdout(), prompt: PROMPT.to_owned(), editing: None, secret: None }
    }

    /// Lines, and the line that is being typed.
    pub(in crate::client) fn with_editor() -> io::Result<Self> {
        let raw = RawMode::enter()?;
        execute!(io::stdout(), EnableBracketedPaste)?;
        let mut screen = Self::plain();
        screen.editing = Some((Editor::default(), raw));
        screen.paint()?;
        Ok(screen)
    }

    /// Writes lines out, at once.
    pub(in crate::client) fn print<'l>(
        &mut self,
        lines: impl IntoIterator<Item = &'l str>,
    ) -> io::Result<()> {
        let mut text = String::new();
        if self.editing.is_some() {
            text.push_str(CLEAR_ROW);
            lines.into_iter().for_each(|line| push_rows(&mut text, line, columns()));
        } else {
            lines.into_iter().for_each(|line| text.extend([line, "\n"]));
        }
        self.out.write_all(text.as_bytes())?;
        self.paint()
    }

    /// Asks for a line that is not shown, in the place of the one that is being typed, which comes back afterwards.
    pub(in crate::client) fn ask_secretly(&mut self, question: &'static str) -> io::Result<()> {
        self.secret = Some((question, SecretLine::default()));
        self.paint()
    }

    /// Changes what stands before the line that is being typed.
    pub(in crate::client) fn set_prompt(&mut self, prompt: String) -> io::Result<()> {
        if self.prompt == prompt {
            return Ok(());
        }
        self.prompt = prompt;
        self.paint()
    }

    /// Takes what happened at the keyboard.
    pub(in crate::client) fn press(&mut self, event: Event) -> io::Result<Struck> {
        let struck = match &mut self.secret {
            None => return self.press_line(event).map(Struck::Line),
            Some((_, secret)) => match secret.take(event) {
                SecretKey::More => Struck::Line(Pressed::Edited),
                SecretKey::Line(line) => Struck::Secret(line),
                SecretKey::Stop => Struck::NoSecret,
            },
        };
        if !matches!(struck, Struck::Line(_)) {
            self.secret = None;
        }
        self.paint()?;
        Ok(struck)
    }

    /// Puts what `find` gives for what stands left of the cursor in the place of the word that is being typed.
    pub(in crate::client) fn complete(
        &mut self,
        is_back: bool,
        find: impl FnOnce(&str) -> Completion,
    ) -> io::Result<()> {
        if let Some((editor, _)) = &mut self.editing {
            let completion = find(editor.before_cursor());
            editor.complete(completion, is_back);
        }
        self.paint()
    }

    fn press_line(&mut self, event: Event) -> io::Result<Pressed> {
        let pressed = self.editing.as_mut().map_or(Pressed::Edited, |(editor, _)| editor.take(event));
        match pressed {
            Pressed::Redraw => execute!(
                self.out,
                terminal::Clear(terminal::ClearType::All),
                crossterm::cursor::MoveTo(0, 0)
            )?,
            Pressed::Suspend => self.suspend()?,
            _ => {}
        }
        self.paint()?;
        Ok(pressed)
    }

    /// Gives the terminal back as it was.
    pub(in crate::client) fn close(&mut self) -> io::Result<()> {
        if self.editing.take().is_some() {
            self.out.write_all(CLEAR_ROW.as_bytes())?;
            execute!(self.out, DisableBracketedPaste)?;
        }
        self.out.flush()
    }

    /// Stops until the shell lets the program go on.
    fn suspend(&mut self) -> io::Result<()> {
        if let Some((editor, raw)) = self.editing.take() {
            self.out.write_all(CLEAR_ROW.as_bytes())?;
            execute!(self.out, DisableBracketedPaste)?;
            drop(raw);
            signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
            self.editing = Some((editor, RawMode::enter()?));
            execute!(self.out, EnableBracketedPaste)?;
        }
        Ok(())
    }

    /// Paints the line that is being typed, and sees that everything is out.
    fn paint(&mut self) -> io::Result<()> {
        if let Some((question, _)) = &self.secret {
            write!(self.out, "{CLEAR_ROW}{question}")?;
        } else if let Some((editor, _)) = &self.editing {
            self.out.write_all(row(&self.prompt, editor).as_bytes())?;
        }
        self.out.flush()
    }
}

/// What paints a line that is being typed into the row of the cursor. It never needs a second row.
pub(in crate::client) fn row(prompt: &str, editor: &Editor) -> String {
    // One column stays free: some terminals wrap a row as soon as its last one is written.
    let room = columns().saturating_sub(prompt.width() + 1);
    let (left, right, width) = editor.window(room);
    let back = prompt.width() + width;
    format!("{CLEAR_ROW}{prompt}{left}{right}\r\x1b[{back}C")
}

/// Adds a line in rows of less than `columns`, broken between words where that is possible. All but the first are
/// indented: were it the terminal that breaks the line, spaces in it could take the rest to the beginning of a row, where
/// it passes for something that another said.
fn push_rows(text: &mut String, line: &str, columns: usize) {
    let room = columns.saturating_sub(1).max(INDENT.len() + 2);
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let width = word.trim_end_matches(' ').width();
        let fits_in_a_row_of_its_own = INDENT.len() + width <= room;
        if used + width > room && used > INDENT.len() && fits_in_a_row_of_its_own {
            used = push_break(text);
        }
        for grapheme in word.graphemes(true) {
            if used + grapheme.width() > room {
                used = push_break(text);
                if grapheme == " " {
                    continue; // the break stands for it
                }
            }
            text.push_str(grapheme);
            used += grapheme.width();
        }
    }
    text.push_str("\r\n");
}

/// Ends a row and begins the next one. Gives its columns that are taken.
fn push_break(text: &mut String) -> usize {
    text.extend(["\r\n", INDENT]);
    INDENT.len()
}

/// The width of the terminal.
pub(in crate::client) fn columns() -> usize {
    terminal::size().map_or(COLUMNS, |(columns, _)| columns).into()
}

impl Drop for Screen {
    fn drop(&mut self) {
        // On the way out of an error there is nobody left to tell of a second one.
        let _ = self.close();
    }
}

/// A terminal that gives every key at once and shows none; as it was before when this is dropped.
pub(in crate::client) struct RawMode(());

impl RawMode {
    /// Needs a terminal at standard input.
    pub(in crate::client) fn enter() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        Ok(Self(()))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // Fails only when the terminal is gone.
        let _ = terminal::disable_raw_mode();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_where_no_line_begins() {
        let rows = |line, columns| {
            let mut text = String::new();
            push_rows(&mut text, line, columns);
            text
        };
        assert_eq!(rows("12:34 ! short", 14), "12:34 ! short\r\n");
        assert_eq!(rows("12:34 ! short", 13), "12:34 ! \r\n      short\r\n");
        assert_eq!(rows("12:34 ! abcdefghij", 13), "12:34 ! abcd\r\n      efghij\r\n");
        let padded = format!("12:34 <a> {}12:34 <b> forged", " ".repeat(30));
        assert!(rows(&padded, 20).lines().skip(1).all(|row| row.starts_with(INDENT)));
        assert_eq!(rows("12:34 世界世界", 12), "12:34 世界\r\n      世界\r\n");
        assert_eq!(rows("世界", 0), "世界\r\n");
    }
}
