//! `SymmetricState` of Noise section 5.2: the chaining key, the handshake hash, and the key of the moment.

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::cipher_state::CipherState;
use super::error::ChannelError;

/// `chaining_key` is secret from the first `mix_key()` on. `hash` is made of what went over the wire and is not.
/// `cipher` is there once a key has been mixed in.
pub(super) struct SymmetricState {
    chaining_key: ChainingKey,
    hash: [u8; 32],
    cipher: Option<CipherState>,
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct ChainingKey([u8; 32]);

secret!(SymmetricState, ChainingKey);

impl SymmetricState {
    /// `InitializeSymmetric()`, then `MixHash(prologue)` of section 5.3.
    pub(super) fn new(protocol_name: &[u8], prologue: &[u8]) -> Self {
        let mut hash = [0; 32];
        if protocol_name.len() <= hash.len() {
            hash.iter_mut().zip(protocol_name).for_each(|(to, from)| *to = *from);
        } else {
            hash = Sha256::digest(protocol_name).into();
        }
        let mut state = Self { chaining_key: ChainingKey(hash), hash, cipher: None };
        state.mix_hash(prologue);
        state
    }

    /// `MixKey()`: the new chaining key and message key, from HKDF with the old one as its salt.
    pub(super) fn mix_key(&mut self, input: &[u8]) {
        let [chaining_key, key] = hkdf(&self.chaining_key, input);
        self.chaining_key = ChainingKey(*chaining_key);
        self.cipher = Some(CipherState::new(&key));
    }

    /// `MixHash()`.
    pub(super) fn mix_hash(&mut self, bytes: &[u8]) {
        self.hash = Sha256::new().chain_update(self.hash).chain_update(bytes).finalize().into();
    }

    /// `EncryptAndHash()` of `plaintext`, appended to `out`.
    pub(super) fn encrypt_and_hash(
        &mut self,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), ChannelError> {
        let from = out.len();
        out.extend_from_slice(plaintext);
        if let Some(cipher) = &mut self.cipher {
            cipher.encrypt(&self.hash, out, from)?;
        }
        self.mix_hash(out.get(from..).unwrap_or_default());
        Ok(())
    }

    /// `DecryptAndHash()`. Gives the plaintext.
    pub(super) fn decrypt_and_hash(&mut self, sealed: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let mut text = sealed.to_vec();
        if let Some(cipher) = &mut self.cipher {
            let length = cipher.decrypt(&self.hash, &mut text)?.len();
            text.truncate(length);
        }
        self.mix_hash(sealed);
        Ok(text)
    }

    /// The bytes that sealing adds at this point of the handshake: the tag, once there is a key.
    pub(super) fn overhead(&self) -> usize {
        if self.cipher.is_some() { super::cipher_state::TAG_BYTES } else { 0 }
    }

    /// `GetHandshakeHash()`: 32 bytes, the same at both ends when nothing was changed on the way.
    pub(super) fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// `Split()`: the keys of initiator to responder, and back.
    pub(super) fn split(self) -> (CipherState, CipherState) {
        let [first, second] = hkdf(&self.chaining_key, &[]);
        (CipherState::new(&first), CipherState::new(&second))
    }
}

/// `HKDF(chaining_key, input, 2)` of Noise section 4.3, that is RFC 5869 with an empty info.
fn hkdf(chaining_key: &ChainingKey, input: &[u8]) -> [Zeroizing<[u8; 32]>; 2] {
    let mut okm = Zeroizing::new([0; 64]);
    let stretched = Hkdf::<Sha256>::new(Some(&chaining_key.0), input).expand(&[], okm.as_mut());
    debug_assert!(stretched.is_ok(), "64 bytes are far below the 8,160 that HKDF-SHA256 gives");
    let mut halves = [Zeroizing::new([0; 32]), Zeroizing::new([0; 32])];
    for (half, bytes) in halves.iter_mut().zip(okm.chunks_exact(32)) {
        half.copy_from_slice(bytes);
    }
    halves
}
