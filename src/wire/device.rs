//! A device as its owner sees it in a list.

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

/// One of an account's devices. Times are milliseconds since 1970-01-01 00:00 UTC by the server's clock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Device {
    /// What it called itself.
    #[n(0)]
    pub label: String,
    /// Of its key.
    #[n(1)]
    pub fingerprint: DeviceFingerprint,
    /// When it was remembered.
    #[n(2)]
    pub first_seen: u64,
    /// When it last came or went.
    #[n(3)]
    pub last_seen: u64,
    /// Whether this session's key is its key.
    #[n(4)]
    pub is_this: bool,
}

/// The fingerprint of a device's key, 16 bytes: the name by which it is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct DeviceFingerprint(#[n(0)] ByteArray<16>);

impl DeviceFingerprint {
    /// The one with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes.into())
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}
