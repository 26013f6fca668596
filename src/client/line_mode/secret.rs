//! A line that is being typed and must not be seen: no echo, no history, wiped when dropped.

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use zeroize::Zeroizing;

use crate::names::PASSWORD_BYTES_MAX;

/// What has been typed so far.
pub(in crate::client) struct SecretLine {
    text: Zeroizing<String>,
}

/// What a key came to. It has no `Debug`.
pub(in crate::client) enum SecretKey {
    /// The line may go on.
    More,
    /// This was it.
    Line(Zeroizing<String>),
    /// Ctrl-C, or Ctrl-D on an empty line.
    Stop,
}

secret!(SecretLine, SecretKey);

impl Default for SecretLine {
    fn default() -> Self {
        // As large as it can become, so that no copy is left behind when it grows.
        Self { text: Zeroizing::new(String::with_capacity(PASSWORD_BYTES_MAX)) }
    }
}

impl SecretLine {
    /// Takes what happened at the keyboard.
    pub(in crate::client) fn take(&mut self, event: Event) -> SecretKey {
        let key = match event {
            Event::Paste(text) => {
                let text = Zeroizing::new(text);
                text.lines().next().unwrap_or_default().chars().for_each(|letter| self.push(letter));
                return SecretKey::More;
            }
            Event::Key(key) if key.kind != KeyEventKind::Release => key,
            _ => return SecretKey::More,
        };
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return self.finish(),
            KeyCode::Char('j' | 'm') if control => return self.finish(),
            KeyCode::Char('c') if control => return SecretKey::Stop,
            KeyCode::Char('d') if control && self.text.is_empty() => return SecretKey::Stop,
            KeyCode::Char('u' | 'w') if control => self.text.clear(),
            KeyCode::Char('h') if control => _ = self.text.pop(),
            KeyCode::Backspace => _ = self.text.pop(),
            KeyCode::Char(letter) if !control => self.push(letter),
            _ => {}
        }
        SecretKey::More
    }

    /// Longer than a password can be it does not become.
    fn push(&mut self, letter: char) {
        if self.text.len() + letter.len_utf8() <= PASSWORD_BYTES_MAX {
            self.text.push(letter);
        }
    }

    fn finish(&mut self) -> SecretKey {
        SecretKey::Line(std::mem::take(self).text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyEvent;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(code, modifiers))
    }

    fn typed(line: &mut SecretLine, keys: &str) {
        for letter in keys.chars() {
            line.take(key(KeyCode::Char(letter), KeyModifiers::NONE));
        }
    }

    fn finished(line: &mut SecretLine) -> String {
        match line.take(key(KeyCode::Enter, KeyModifiers::NONE)) {
            SecretKey::Line(text) => text.to_string(),
            SecretKey::More | SecretKey::Stop => panic!("it is finished"),
        }
    }

    #[test]
    fn what_is_typed_pasted_and_taken_back_is_the_line() {
        let mut line = SecretLine::default();
        typed(&mut line, "wrong");
        line.take(key(KeyCode::Char('u'), KeyModifiers::CONTROL));
        typed(&mut line, "Pässx");
        line.take(key(KeyCode::Backspace, KeyModifiers::NONE));
        line.take(Event::Paste("word 1\nmore".into()));
        assert_eq!(finished(&mut line), "Pässword 1");
        assert_eq!(finished(&mut line), "", "nothing is left for the next one");
    }

    #[test]
    fn it_is_stopped_like_any_question_and_never_longer_than_a_password() {
        let mut line = SecretLine::default();
        let control = |letter| key(KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert!(matches!(line.take(control('d')), SecretKey::Stop));
        line.take(Event::Paste("x".repeat(PASSWORD_BYTES_MAX + 1)));
        assert!(matches!(line.take(control('d')), SecretKey::More));
        assert!(matches!(line.take(control('c')), SecretKey::Stop));
        assert_eq!(finished(&mut line).len(), PASSWORD_BYTES_MAX);
    }
}
