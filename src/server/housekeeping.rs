//! What must happen now and then: pinging who is silent, closing the connections of who stays silent, and writing when
//! devices were last seen. One thread for all, so that no session needs a timer of its own.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::limits::Limits;
use super::shared::Shared;
use crate::wire::ServerMessage;

/// How often it is written when devices were last seen, all of them with one fsync. A server that is killed forgets no
/// more than that.
const DEVICES_EVERY: Duration = Duration::from_secs(60);

/// How often everyone is looked after, whatever the limits are; they may become other ones meanwhile.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Looks after everyone a few times within the shortest time that matters, until `stop` is dropped.
pub(super) fn run(shared: &Shared, stop: &Receiver<()>) {
    let mut devices_due = Instant::now() + DEVICES_EVERY;
    while stop.recv_timeout(pause(&shared.settings().limits)) == Err(RecvTimeoutError::Timeout) {
        look_after_everyone(shared, &shared.settings().limits);
        if Instant::now() >= devices_due {
            devices_due = Instant::now() + DEVICES_EVERY;
            if let Err(error) = shared.stores.devices.write_last_seen() {
                warn!(%error, "when devices were last seen could not be written; it is tried again");
            }
        }
    }
}

fn pause(limits: &Limits) -> Duration {
    (limits.ping_after.min(limits.silence) / 3).clamp(PAUSE_MIN, PAUSE_MAX)
}

fn look_after_everyone(shared: &Shared, limits: &Limits) {
    let mut touched = Vec::new();
    for client in shared.hub.members() {
        let Some(member) = client.member() else { continue };
        if member.outbox.has_read() {
            // A slow line: the ping that it would answer waits behind all that it still has to read.
            client.was_heard();
        }
        let silence = client.silence();
        if silence >= limits.silence {
            info!(session = client.id, name = %member.name, "nothing heard for {} s; disconnected", silence.as_secs());
            member.outbox.close();
        } else if silence >= limits.ping_after && member.outbox.push(&ServerMessage::Ping {}) {
            touched.push(std::sync::Arc::clone(&member.outbox));
        }
    }
    shared.flusher.hand_over(&mut touched);
}
