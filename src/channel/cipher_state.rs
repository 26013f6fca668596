//! `CipherState` of Noise section 5.1: a key and the number of the next message.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use zeroize::Zeroizing;

use super::error::ChannelError;

/// The bytes that sealing adds: the tag of AES-GCM.
pub(super) const TAG_BYTES: usize = 16;

/// Kept for `Rekey()`, so that it is never the nonce of a message (Noise section 5.1).
const REKEY_NONCE: u64 = u64::MAX;

/// An AES-256-GCM key (expanded, wiped when dropped) and a counter that only goes up. `nonce` is the number of the
/// next message; a (key, nonce) pair seals once.
pub(super) struct CipherState {
    cipher: Aes256Gcm,
    nonce: u64,
}

secret!(CipherState);

impl CipherState {
    /// `InitializeKey()`.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self { cipher: Aes256Gcm::new(key.into()), nonce: 0 }
    }

    /// A key that has sealed or opened `nonce` messages before.
    #[cfg(test)]
    pub(super) fn used(key: &[u8; 32], nonce: u64) -> Self {
        Self { nonce, ..Self::new(key) }
    }

    /// `EncryptWithAd()` on `out[from..]`, in place, with the tag appended.
    pub(super) fn encrypt(&mut self, ad: &[u8], out: &mut Vec<u8>, from: usize) -> Result<(), ChannelError> {
        let nonce = self.usable_nonce()?;
        let plaintext = out.get_mut(from..).ok_or(ChannelError::BadLength)?;
        let tag = self
            .cipher
            .encrypt_inout_detached(&nonce_bytes(nonce).into(), ad, plaintext.into())
            .map_err(|_| ChannelError::BadLength)?;
        out.extend_from_slice(&tag);
        self.nonce += 1;
        Ok(())
    }

    /// `DecryptWithAd()` of a ciphertext and its tag, in place; gives the plaintext, [`TAG_BYTES`] shorter. When it
    /// fails, the counter stays where it was.
    pub(super) fn decrypt<'a>(
        &mut self,
        ad: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], ChannelError> {
        let nonce = self.usable_nonce()?;
        let length = sealed.len().checked_sub(TAG_BYTES).ok_or(ChannelError::BadLength)?;
        let (text, tag) = sealed.split_at_mut(length);
        let tag: [u8; TAG_BYTES] = (&*tag).try_into().map_err(|_| ChannelError::BadLength)?;
        self.cipher
            .decrypt_inout_detached(&nonce_bytes(nonce).into(), ad, (&mut *text).into(), &tag.into())
            .map_err(|_| ChannelError::NotAuthentic)?;
        self.nonce += 1;
        Ok(text)
    }

    /// `Rekey()`: the next key is what the present one makes of 32 zeros (Noise section 4.2). The counter goes on.
    pub(super) fn rekey(&mut self) -> Result<(), ChannelError> {
        let mut key = Zeroizing::new([0_u8; 32]);
        self.cipher
            .encrypt_inout_detached(&nonce_bytes(REKEY_NONCE).into(), &[], key.as_mut_slice().into())
            .map_err(|_| ChannelError::BadLength)?;
        self.cipher = Aes256Gcm::new((&*key).into());
        Ok(())
    }

    /// The one place that knows when a key is used up.
    fn usable_nonce(&self) -> Result<u64, ChannelError> {
        if self.nonce == REKEY_NONCE { Err(ChannelError::KeyUsedUp) } else { Ok(self.nonce) }
    }
}

/// Noise section 12.3: 32 zero bits, then the counter, big-endian.
fn nonce_bytes(nonce: u64) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes.iter_mut().skip(4).zip(nonce.to_be_bytes()).for_each(|(to, from)| *to = from);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_nonce_is_never_used_for_a_message() {
        let mut state = CipherState::used(&[1; 32], u64::MAX - 1);
        let mut out = b"last".to_vec();
        state.encrypt(&[], &mut out, 0).unwrap();
        for _ in 0..2 {
            let before = out.clone();
            assert!(matches!(state.encrypt(&[], &mut out, 0), Err(ChannelError::KeyUsedUp)));
            assert!(matches!(state.decrypt(&[], &mut out), Err(ChannelError::KeyUsedUp)));
            assert_eq!(out, before);
            state.rekey().unwrap(); // the counter goes on, so the next key is used up too
        }
    }

    #[test]
    fn a_refused_message_leaves_the_state_as_it_was() {
        let (mut ours, mut theirs) = (CipherState::new(&[1; 32]), CipherState::new(&[1; 32]));
        let mut sealed = b"hello".to_vec();
        ours.encrypt(b"ad", &mut sealed, 0).unwrap();
        let mut changed = sealed.clone();
        changed[0] ^= 1;
        assert!(theirs.decrypt(b"ad", &mut changed).is_err());
        assert!(theirs.decrypt(b"other", &mut sealed.clone()).is_err());
        assert_eq!(theirs.decrypt(b"ad", &mut sealed).unwrap(), b"hello");
    }

    #[test]
    fn both_ends_have_the_same_key_after_rekey_and_no_longer_the_old_one() {
        let (mut ours, mut theirs) = (CipherState::new(&[1; 32]), CipherState::new(&[1; 32]));
        ours.rekey().unwrap();
        let mut sealed = b"hello".to_vec();
        ours.encrypt(&[], &mut sealed, 0).unwrap();
        assert!(theirs.decrypt(&[], &mut sealed.clone()).is_err());
        theirs.rekey().unwrap();
        assert_eq!(theirs.decrypt(&[], &mut sealed).unwrap(), b"hello");
    }
}
