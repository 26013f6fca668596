//! What all threads of the server share. Each part guards itself.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::flusher::Flusher;
use super::hub::Hub;
use super::inquiries::Inquiries;
use super::lock::lock;
use super::log_writer::LogQueue;
use super::pace::Allowances;
use super::presence::Presence;
use super::rooms::Rooms;
use super::settings::Settings;
use super::stores::Stores;
use super::throttle::Throttles;

/// The server as its sessions see it.
pub(super) struct Shared {
    /// Where it listens.
    pub(super) addresses: Vec<SocketAddr>,
    /// Replaced on SIGHUP; locked for no longer than that takes.
    pub(super) settings: Mutex<Arc<Settings>>,
    pub(super) stores: Stores,
    pub(super) throttles: Throttles,
    pub(super) allowances: Allowances,
    pub(super) rooms: Arc<Rooms>,
    pub(super) presence: Arc<Presence>,
    pub(super) log: LogQueue,
    pub(super) inquiries: Inquiries,
    pub(super) hub: Hub,
    pub(super) flusher: Arc<Flusher>,
}

secret!(Shared);

impl Shared {
    /// What counts now.
    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&lock(&self.settings))
    }

    /// From now on these count.
    pub(super) fn replace_settings(&self, settings: Settings) {
        *lock(&self.settings) = Arc::new(settings);
    }
}
