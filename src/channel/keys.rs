//! X25519 key pairs, and what people compare of them.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use hkdf::Hkdf;
use rand::TryCryptoRng;
use sha2::{Digest, Sha256};
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use super::error::ChannelError;
use super::labels;

/// The secret and public half of an X25519 key (RFC 7748), 32 bytes each. The secret is wiped when dropped; there is
/// no `Debug` and no `Clone`.
pub struct StaticKey {
    secret: StaticSecret,
    public: PublicKey,
}

secret!(StaticKey);

impl StaticKey {
    /// A new key from the given source of randomness.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, ChannelError> {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(bytes.as_mut()).map_err(|_| ChannelError::NoEntropy)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// The key with these 32 secret bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let secret = StaticSecret::from(*bytes);
        let public = PublicKey(x25519_dalek::PublicKey::from(&secret).to_bytes());
        Self { secret, public }
    }

    /// The 32 secret bytes, for the file that keeps them.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes())
    }

    /// The half that others may know.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// 32 secret bytes that whoever has this key can make again, for another use of it (RFC 5869). Nothing that is known of
    /// them tells of the key, or of those for another use.
    pub fn derive(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        let derived =
            Hkdf::<Sha256>::new(None, self.secret.as_bytes()).expand(purpose.label(), bytes.as_mut());
        debug_assert!(derived.is_ok(), "32 bytes are far below the 8,160 that HKDF-SHA256 gives");
        bytes
    }

    /// DH of Noise section 4.1. Refuses a public key of low order.
    pub(super) fn diffie_hellman(
        &self,
        theirs: &PublicKey,
    ) -> Result<x25519_dalek::SharedSecret, ChannelError> {
        let shared = self.secret.diffie_hellman(&x25519_dalek::PublicKey::from(theirs.0));
        if shared.was_contributory() { Ok(shared) } else { Err(ChannelError::LowOrderPoint) }
    }
}

/// What [`StaticKey::derive`] makes bytes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What logins cost for names that nobody has.
    LoginCosts,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::LoginCosts => labels::LOGIN_COSTS,
        }
    }
}

/// The public half of a key: 32 bytes. Its text is 43 characters of unpadded base64url (RFC 4648, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// A text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a server key is 43 characters of A-Z, a-z, 0-9, '-' and '_'")]
pub struct KeyTextError;

impl PublicKey {
    /// The key with these bytes; any 32 bytes are one.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes as they go over the wire.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What two people compare by eye or by voice.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Base64UrlUnpadded::encode_string(&self.0))
    }
}

impl FromStr for PublicKey {
    type Err = KeyTextError;

    fn from_str(text: &str) -> Result<Self, KeyTextError> {
        let mut bytes = [0; 32];
        let decoded = Base64UrlUnpadded::decode(text, &mut bytes).map_err(|_| KeyTextError)?;
        if decoded.len() == 32 { Ok(Self(bytes)) } else { Err(KeyTextError) }
    }
}

/// The first 128 bits of the SHA-256 of a key or of a handshake hash, shown as eight groups of four hexadecimal
/// digits. To find a key with the fingerprint of another one takes 2^128 tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let mut first = [0; 16];
        first.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(first)
    }

    /// The one with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let gap = if place > 0 && place % 2 == 0 { " " } else { "" };
            write!(f, "{gap}{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_key_of_rfc_7748_section_6_1() {
        let alice = StaticKey::from_bytes(&[
            0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
            0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a,
        ]);
        assert_eq!(alice.public().as_bytes()[..4], [0x85, 0x20, 0xf0, 0x09]);
    }

    #[test]
    fn what_is_derived_from_a_key_is_the_same_each_time_and_neither_the_key_nor_anothers() {
        let derived = |number| *StaticKey::from_bytes(&[number; 32]).derive(Purpose::LoginCosts);
        assert_eq!(derived(1), derived(1));
        assert_ne!(derived(1), derived(2));
        assert_ne!(derived(1), *StaticKey::from_bytes(&[1; 32]).to_bytes());
    }

    #[test]
    fn a_key_survives_its_text_and_other_texts_are_no_keys() {
        let key = PublicKey::from_bytes([7; 32]);
        assert_eq!(key.to_string().len(), 43);
        assert_eq!(key.to_string().parse(), Ok(key));
        for text in ["", "AAAA", &"A".repeat(44), &"=".repeat(43), &"é".repeat(43)] {
            assert_eq!(text.parse::<PublicKey>(), Err(KeyTextError), "{text:?}");
        }
    }

    #[test]
    fn a_low_order_point_is_no_key() {
        let ours = StaticKey::from_bytes(&[1; 32]);
        for point in [[0; 32], std::array::from_fn(|i| u8::from(i == 0))] {
            let shared = ours.diffie_hellman(&PublicKey::from_bytes(point));
            assert!(matches!(shared, Err(ChannelError::LowOrderPoint)));
        }
    }

    #[test]
    fn secrets_are_wiped_when_dropped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        wiped::<StaticSecret>();
        assert!(std::mem::needs_drop::<StaticKey>());
    }
}
