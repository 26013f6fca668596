//! Who may not come in: accounts, devices and addresses, for a time or for ever. Apart from accounts and devices, so that
//! a ban outlives what it is about, and lifting it gives everything back.
//!
//! A ban is on the disk, and then in the index that every login asks, before the sessions that it ends are looked for. A
//! session that comes in at that moment is there for the ban to see, or sees the ban: it asks once more when it is there.

mod network;
mod registry;
mod store;
mod subject;

pub(super) use registry::{BanError, Bans};
pub(super) use store::{Ban, BansError};
pub(super) use subject::{Subject, Whom};
