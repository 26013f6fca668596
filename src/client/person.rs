//! Questions to the person before the conversation, on the terminal. They are behind a trait because mostly there is
//! nobody to ask (a pipe, a script), and in tests a person who always says the same.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow::{self, Break, Continue};

use crossterm::event::{self, Event};
use unicode_width::UnicodeWidthStr;
use zeroize::Zeroizing;

use crate::terminal_text;

use super::ClientError;
use super::line_mode::{Editor, Pressed, RawMode, SecretKey, SecretLine, columns, row};

/// The room for an answer beside its question.
const ANSWER_COLUMNS: usize = 12;

/// Who answers.
pub(super) trait Person {
    /// Whether there is anyone; otherwise there is no answer to any question.
    fn is_there(&self) -> bool;

    /// Tells something on a line of its own.
    fn tell(&mut self, line: &str);

    /// Asks for a line.
    fn ask(&mut self, question: &str) -> Result<String, Unanswered>;

    /// Asks for something that must not be seen on the screen.
    fn ask_secretly(&mut self, question: &str) -> Result<Zeroizing<String>, Unanswered>;
}

/// There is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The person wants to stop, or nobody is there.
    Stopped,
    /// The terminal failed.
    Failed(io::Error),
}

/// Whoever sits at the terminal of standard input and standard error, if they are one.
pub(super) fn at_the_terminal() -> Box<dyn Person> {
    if io::stdin().is_terminal() && io::stderr().is_terminal() { Box::new(Typist) } else { Box::new(Nobody) }
}

/// Nobody is to be asked, whoever may sit there.
pub(super) fn nobody() -> impl Person {
    Nobody
}

/// Nobody is there. What is told goes to standard error for whoever reads it later.
struct Nobody;

impl Person for Nobody {
    fn is_there(&self) -> bool {
        false
    }

    fn tell(&mut self, line: &str) {
        // Nothing can be done for who does not read.
        let _ = writeln!(io::stderr(), "{}", terminal_text::one_line(line));
    }

    fn ask(&mut self, _: &str) -> Result<String, Unanswered> {
        Err(Unanswered::Stopped)
    }

    fn ask_secretly(&mut self, _: &str) -> Result<Zeroizing<String>, Unanswered> {
        Err(Unanswered::Stopped)
    }
}

/// Someone who types. Keys are read one by one, as in the conversation later, so that nothing typed ahead is lost and
/// Ctrl-C never leaves a terminal behind that does not show what is typed.
struct Typist;

impl Person for Typist {
    fn is_there(&self) -> bool {
        true
    }

    fn tell(&mut self, line: &str) {
        Nobody.tell(line);
    }

    fn ask(&mut self, question: &str) -> Result<String, Unanswered> {
        let question = self.ask_in_one_row(question);
        let mut answer = Editor::default();
        with_keys(|event| {
            match event.map_or(Pressed::Edited, |event| answer.take(event)) {
                Pressed::Line(line) => {
                    write!(io::stderr(), "\r\x1b[J{question}{}", terminal_text::one_line(&line))?;
                    return Ok(Break(Ok(line.trim().to_owned())));
                }
                Pressed::Interrupt | Pressed::End => return Ok(Break(Err(Unanswered::Stopped))),
                Pressed::Edited
                | Pressed::Pasted { .. }
                | Pressed::Suspend
                | Pressed::Redraw
                | Pressed::Complete { .. } => {}
            }
            write!(io::stderr(), "{}", row(question, &answer))?;
            Ok(Continue(()))
        })
    }

    fn ask_secretly(&mut self, question: &str) -> Result<Zeroizing<String>, Unanswered> {
        let question = self.ask_in_one_row(question);
        let mut secret = SecretLine::default();
        with_keys(|event| {
            write!(io::stderr(), "\r\x1b[K{question}")?;
            Ok(match event.map_or(SecretKey::More, |event| secret.take(event)) {
                SecretKey::More => Continue(()),
                SecretKey::Line(line) => Break(Ok(line)),
                SecretKey::Stop => Break(Err(Unanswered::Stopped)),
            })
        })
    }
}

impl Typist {
    /// Tells as much of the question as leaves room for an answer in the row of its rest. A row that goes on in the
    /// next one could not be painted again.
    fn ask_in_one_row<'q>(&mut self, question: &'q str) -> &'q str {
        let mut rest = question;
        while rest.width() + ANSWER_COLUMNS > columns() {
            let room = columns().saturating_sub(ANSWER_COLUMNS);
            let fits = |space: &usize| rest.get(..*space).is_some_and(|part| part.width() <= room);
            let mut spaces = rest.trim_end().match_indices(' ').map(|(space, _)| space);
            let Some((part, after)) = spaces.rfind(fits).and_then(|space| rest.split_at_checked(space))
            else {
                break;
            };
            self.tell(part);
            rest = after.trim_start();
        }
        rest
    }
}

/// Gives every key to `take` until it breaks off; first nothing, so that it can show the question.
fn with_keys<T>(
    mut take: impl FnMut(Option<Event>) -> io::Result<ControlFlow<Result<T, Unanswered>>>,
) -> Result<T, Unanswered> {
    let _raw = RawMode::enter()?;
    let mut event = None;
    loop {
        let flow = take(event)?;
        io::stderr().flush()?;
        if let Break(end) = flow {
            io::stderr().write_all(b"\r\n")?;
            return end;
        }
        event = Some(event::read()?);
    }
}

impl From<io::Error> for Unanswered {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Unanswered> for ClientError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Stopped => Self::Stopped,
            Unanswered::Failed(error) => Self::Output(error),
        }
    }
}
