//! The random bytes that tokens are made of. Apart, because tokens of different kinds are made alike and must not be taken
//! for each other.

use base64ct::{Base64UrlUnpadded, Encoding};
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The length of a token's text, base64url (RFC 4648, section 5).
pub(super) const TOKEN_CHARS: usize = 24;

/// 144 random bits. They are wiped from memory when dropped, and can't be printed or copied.
#[derive(PartialEq, Eq)]
pub(super) struct TokenBytes(Zeroizing<[u8; 18]>);

secret!(TokenBytes);

impl TokenBytes {
    /// New ones; none if the operating system gives no random bytes.
    pub(super) fn random() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 18]);
        SysRng.try_fill_bytes(bytes.as_mut()).ok()?;
        Some(Self(bytes))
    }

    /// Those of a text; none if it is not one of [`TOKEN_CHARS`].
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 18]);
        let length = Base64UrlUnpadded::decode(text, bytes.as_mut()).ok()?.len();
        (length == bytes.len()).then_some(Self(bytes))
    }

    /// Their SHA-256.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(*self.0).into()
    }

    /// Their text.
    pub(super) fn text(&self) -> String {
        Base64UrlUnpadded::encode_string(&*self.0)
    }
}
