//! The secret by which an invite is known, and its text, which people hand on.

use std::fmt;
use std::str::FromStr;

use super::token::{TOKEN_CHARS, TokenBytes};

/// The length of a token's text.
pub const INVITE_TOKEN_CHARS: usize = TOKEN_CHARS;

/// 144 random bits. Whoever has them may sign up, so they are wiped from memory when dropped, and can't be printed or
/// copied.
#[derive(PartialEq, Eq)]
pub struct InviteToken(TokenBytes);

secret!(InviteToken);

/// The text of a token: 24 characters of base64url (RFC 4648, section 5). It stands in links, which are shown, copied and
/// sent about, so it is not wiped; but no log has it, for its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteText(String);

/// A text is no invite. It does not say which: that may be almost a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an invite is {INVITE_TOKEN_CHARS} characters of A-Z, a-z, 0-9, '-' and '_'; copy the whole of it again"
)]
pub struct InviteTokenError;

impl InviteToken {
    /// A new one; none if the operating system gives no random bytes.
    pub fn random() -> Option<Self> {
        TokenBytes::random().map(Self)
    }

    /// Its SHA-256, by which a server knows it without having it.
    pub fn digest(&self) -> [u8; 32] {
        self.0.digest()
    }

    /// Its text, for whoever asked for the invite.
    pub fn text(&self) -> InviteText {
        InviteText(self.0.text())
    }
}

impl InviteText {
    /// The text itself, for a link and for sending only.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for InviteText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteText(..)")
    }
}

impl FromStr for InviteText {
    type Err = InviteTokenError;

    fn from_str(text: &str) -> Result<Self, InviteTokenError> {
        text.parse::<InviteToken>().map(|_| Self(text.to_owned()))
    }
}

impl FromStr for InviteToken {
    type Err = InviteTokenError;

    fn from_str(text: &str) -> Result<Self, InviteTokenError> {
        TokenBytes::of(text).map(Self).ok_or(InviteTokenError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_and_no_two_are_the_same() {
        let tokens = [InviteToken::random().unwrap(), InviteToken::random().unwrap()];
        assert!(tokens[0] != tokens[1] && tokens[0].digest() != tokens[1].digest());
        for token in &tokens {
            let text = token.text();
            assert_eq!(text.as_str().len(), INVITE_TOKEN_CHARS);
            assert!(text.as_str().parse::<InviteToken>().is_ok_and(|read| read == *token));
            assert_eq!(text.as_str().parse().as_ref(), Ok(&text));
            assert!(!format!("{text:?}").contains(text.as_str()));
        }
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_repeated() {
        let (short, long, other) = ("a".repeat(23), "a".repeat(25), format!("{}+", "a".repeat(23)));
        for text in ["", "a", &short, &long, &other, "aaaaaaaaaaaaaaaaaaaaaaa\u{e9}"] {
            let error = text.parse::<InviteToken>().err().unwrap();
            assert_eq!(text.parse::<InviteText>(), Err(error));
            assert!(text.len() < 2 || !error.to_string().contains(text));
        }
    }
}
