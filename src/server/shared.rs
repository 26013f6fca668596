//! What all threads of the server share. Each part guards itself.

use std::sync::Arc;

use super::flusher::Flusher;
use super::hub::Hub;
use super::limits::Limits;
use super::log_writer::LogQueue;
use super::rooms::Rooms;
use super::stores::Stores;
use super::throttle::Throttles;
use crate::channel::StaticKey;

/// The server as its sessions see it.
pub(super) struct Shared {
    pub(super) key: StaticKey,
    pub(super) limits: Limits,
    pub(super) stores: Stores,
    pub(super) throttles: Throttles,
    pub(super) rooms: Arc<Rooms>,
    pub(super) log: LogQueue,
    pub(super) hub: Hub,
    pub(super) flusher: Arc<Flusher>,
}
