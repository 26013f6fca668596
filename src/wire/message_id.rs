//! The name that a client gives to a message before it sends it.

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use rand::TryRng;
use rand::rngs::SysRng;

/// 16 random bytes, chosen by the client. The server keeps one message for each (account, id), so a message that is
/// sent again after a lost connection is recognised and not said twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct MessageId(#[n(0)] ByteArray<16>);

impl MessageId {
    /// A new one; `None` when the operating system gives no random bytes.
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 16];
        SysRng.try_fill_bytes(&mut bytes).ok()?;
        Some(Self::from_bytes(bytes))
    }

    /// The one with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes.into())
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}
