//! The secret by which a bot comes in.

use std::str::FromStr;

use zeroize::Zeroizing;

use super::token::{TOKEN_CHARS, TokenBytes};

/// 144 random bits. Whoever has them comes in as the bot, so they are wiped from memory when dropped, and can't be printed
/// or copied.
#[derive(PartialEq, Eq)]
pub struct BotToken(TokenBytes);

secret!(BotToken);

/// A text is no token. It does not say which: that may be almost a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a bot's token is {TOKEN_CHARS} characters of A-Z, a-z, 0-9, '-' and '_', as 'chat admin add-bot' has shown it; copy \
     the whole of it again"
)]
pub struct BotTokenError;

impl BotToken {
    /// A new one; none if the operating system gives no random bytes.
    pub fn random() -> Option<Self> {
        TokenBytes::random().map(Self)
    }

    /// Its SHA-256, by which a server knows it without having it.
    pub fn digest(&self) -> [u8; 32] {
        self.0.digest()
    }

    /// Its text, for whoever made it and for sending.
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.text())
    }
}

impl FromStr for BotToken {
    type Err = BotTokenError;

    fn from_str(text: &str) -> Result<Self, BotTokenError> {
        TokenBytes::of(text).map(Self).ok_or(BotTokenError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_and_a_wrong_one_is_refused_without_being_repeated() {
        let token = BotToken::random().unwrap();
        assert!(token.text().parse::<BotToken>().is_ok_and(|read| read == token));
        for text in ["", "a", &"a".repeat(23), &"a".repeat(25), &"+".repeat(24)] {
            let error = text.parse::<BotToken>().err().unwrap();
            assert!(text.len() < 2 || !error.to_string().contains(text));
        }
    }
}
