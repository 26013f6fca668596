//! What all threads of the server share. Each part guards itself.

use std::net::SocketAddr;
use std::sync::Arc;

use super::door::Door;
use super::flusher::Flusher;
use super::hub::Hub;
use super::inquiries::Inquiries;
use super::limits::Limits;
use super::log_writer::LogQueue;
use super::rooms::Rooms;
use super::stores::Stores;
use super::throttle::Throttles;

/// The server as its sessions see it.
pub(super) struct Shared {
    /// Where it listens.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) limits: Limits,
    pub(super) door: Door,
    pub(super) stores: Stores,
    pub(super) throttles: Throttles,
    pub(super) rooms: Arc<Rooms>,
    pub(super) log: LogQueue,
    pub(super) inquiries: Inquiries,
    pub(super) hub: Hub,
    pub(super) flusher: Arc<Flusher>,
}

secret!(Shared);
