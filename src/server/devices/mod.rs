//! Which keys log in by themselves. A client's static key, which every handshake proves, is *remembered* for an account
//! after a login by password; from then on it is that account's *device*. Apart from accounts, so that a login by device
//! touches neither a hash nor the disk, and ten thousand devices can come back at once.
//!
//! A key is only ever taken from the handshake of the session that asks for it to be remembered. That handshake's hash
//! covers the key, so nothing signed elsewhere, and no message of another session, can enrol a key.

mod registry;
mod store;

pub(super) use registry::{Devices, EnrolError};
pub(super) use store::{Device, DevicesError, devices_in};
