//! Between two questions the terminal would show what is typed ahead, and that may be a password. So it shows nothing
//! from the first question to the last answer; the questions paint the answers that may be seen themselves.

use std::io;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// How the terminal of standard input was before it was silenced.
#[derive(Clone)]
pub(super) struct Silence {
    before: Termios,
}

impl Silence {
    /// Silences the terminal, if there is one. Ctrl-C and Ctrl-Z work as before.
    pub(super) fn begin() -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent).ok()?;
        Some(Self { before })
    }

    /// Makes the terminal as it was.
    pub(super) fn end(&self) {
        // Fails only when the terminal is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
