//! The words that Tab puts into a line, one after the other, and in the end again what was typed.

/// A word that is being completed.
pub(super) struct Cycle {
    /// Where it begins in the line, in bytes.
    start: usize,
    /// What can stand there; last what was typed.
    words: Vec<String>,
    /// Which of them stands there.
    place: usize,
}

impl Cycle {
    /// What was `typed` at `start` stands there, and these can.
    pub(super) fn new(start: usize, typed: String, mut words: Vec<String>) -> Self {
        words.push(typed);
        Self { start, place: words.len() - 1, words }
    }

    /// Goes on to the next word, or back. Gives where the present one stands, how long it is, and the next one.
    pub(super) fn turn(&mut self, is_back: bool) -> (usize, usize, &str) {
        let length = self.words.get(self.place).map_or(0, String::len);
        let step = if is_back { self.words.len() - 1 } else { 1 };
        self.place = (self.place + step) % self.words.len();
        (self.start, length, self.words.get(self.place).map_or("", String::as_str))
    }
}
