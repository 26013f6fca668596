//! Passwords, kept in memory no longer than they are needed.

use zeroize::Zeroizing;

/// The longest password that is looked at, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// The rule for a new password, as it is told to people.
pub const PASSWORD_RULE: &str =
    "at least 8 characters with a digit and an upper-case letter, or at least 16 characters of anything";

/// A password as someone typed it: 1 to 1,024 bytes, wiped from memory when dropped. It can't be printed or copied.
pub struct Password(Zeroizing<String>);

/// A [`Password`] that satisfies [`PASSWORD_RULE`], fit for a new account.
pub struct NewPassword(Password);

secret!(Password, NewPassword);

/// Why a text is no password, or not one for a new account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Nothing was given.
    #[error("the password is empty")]
    Empty,
    /// Longer than [`PASSWORD_BYTES_MAX`].
    #[error("the password is longer than {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// Too easy to guess.
    #[error("the password is too weak: it needs {PASSWORD_RULE}")]
    TooWeak,
}

impl Password {
    /// Takes what was typed, or what came over the channel.
    pub fn parse(text: Zeroizing<String>) -> Result<Self, PasswordError> {
        match text.len() {
            0 => Err(PasswordError::Empty),
            1..=PASSWORD_BYTES_MAX => Ok(Self(text)),
            _ => Err(PasswordError::TooLong),
        }
    }

    /// The password itself, for hashing and sending only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl NewPassword {
    /// Holds a password against [`PASSWORD_RULE`].
    pub fn parse(password: Password) -> Result<Self, PasswordError> {
        let text = password.expose();
        let length = text.chars().count();
        let mixed = text.chars().any(char::is_numeric) && text.chars().any(char::is_uppercase);
        if length >= 16 || (length >= 8 && mixed) { Ok(Self(password)) } else { Err(PasswordError::TooWeak) }
    }

    /// The password itself, for hashing and sending only.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The same password, to log in with.
    pub fn into_password(self) -> Password {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weak(text: &str) -> bool {
        let password = Password::parse(Zeroizing::new(text.to_owned())).unwrap();
        NewPassword::parse(password).is_err()
    }

    #[test]
    fn the_rule_is_eight_with_a_digit_and_a_capital_or_sixteen_of_anything() {
        for text in ["short1A", "nodigitsA", "nocapital1", "fifteen letters"] {
            assert!(weak(text), "{text:?} is too weak");
        }
        for text in ["Eight8ch", "sixteen  letters", "Пароль-42"] {
            assert!(!weak(text), "{text:?} is good enough");
        }
    }

    #[test]
    fn a_password_that_would_cost_too_much_is_refused() {
        let over = Zeroizing::new("x".repeat(PASSWORD_BYTES_MAX + 1));
        assert_eq!(Password::parse(over).err(), Some(PasswordError::TooLong));
        assert_eq!(Password::parse(Zeroizing::default()).err(), Some(PasswordError::Empty));
    }
}
