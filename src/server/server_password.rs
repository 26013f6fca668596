//! The word at the door: one password that everyone knows who may sign up without an invite. It keeps strangers out of a
//! server that has no invites; it does not tell who anyone is, so it is never asked of who has an account, which has a
//! password of its own. Only its SHA-256 stays in memory; no Argon2 stands before it, as it is on no disk of ours.

use std::hint::black_box;

use sha2::{Digest, Sha256};

use crate::secret_source::{SecretSource, SecretSourceError};

/// What is known of the word, if there is one.
pub(super) struct ServerPassword {
    digest: Option<[u8; 32]>,
}

impl ServerPassword {
    /// Reads it.
    pub(super) fn read(source: &SecretSource) -> Result<Self, SecretSourceError> {
        Ok(Self { digest: source.read()?.map(|word| Sha256::digest(word.expose()).into()) })
    }

    /// Whether there is one.
    pub(super) fn is_set(&self) -> bool {
        self.digest.is_some()
    }

    /// Whether this is the word, or there is none. It takes as long for every word.
    pub(super) fn lets_in(&self, word: Option<&str>) -> bool {
        let Some(expected) = self.digest else { return true };
        let found: [u8; 32] = Sha256::digest(word.unwrap_or_default()).into();
        let difference =
            expected.iter().zip(found).fold(0, |all, (left, right)| black_box(all | (left ^ right)));
        difference == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_lets_in() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("word");
        std::fs::write(&file, "open sesame\n").unwrap();
        let word = ServerPassword::read(&SecretSource::File(file)).unwrap();
        assert!(word.is_set() && word.lets_in(Some("open sesame")));
        for wrong in [None, Some(""), Some("open"), Some("open sesame "), Some("Open sesame")] {
            assert!(!word.lets_in(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn without_a_word_everyone_is_let_in() {
        let none = ServerPassword::read(&SecretSource::Variable("CHAT_A_VARIABLE_THAT_IS_NOT_SET")).unwrap();
        assert!(!none.is_set() && none.lets_in(None) && none.lets_in(Some("anything")));
    }
}
