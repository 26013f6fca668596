//! What must happen now and then: pinging who is silent, closing the connections of who stays silent and of bots whose
//! tokens have ended, telling who is
//! away, and writing when devices and people were last seen. One thread for all, so that no session needs a timer of its own.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::bots::ENDED;
use super::limits::Limits;
use super::presence;
use super::shared::Shared;
use crate::wire::ServerMessage;

/// How often it is written when devices and people were last seen, all of each with one fsync. A server that is killed
/// forgets no more than that.
const WRITTEN_EVERY: Duration = Duration::from_secs(60);

/// How often everyone is looked after, whatever the limits are; they may become other ones meanwhile.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Looks after everyone a few times within the shortest time that matters, until `stop` is dropped.
pub(super) fn run(shared: &Shared, stop: &Receiver<()>) {
    let mut writing_due = Instant::now() + WRITTEN_EVERY;
    while stop.recv_timeout(pause(&shared.settings().limits)) == Err(RecvTimeoutError::Timeout) {
        look_after_everyone(shared, &shared.settings().limits);
        shared.allowances.tidy(Instant::now());
        presence::tell_due(shared);
        if Instant::now() >= writing_due {
            writing_due = Instant::now() + WRITTEN_EVERY;
            write_when_seen(shared);
        }
    }
}

/// Writes when devices and people were last seen. What can't be written now is tried again the next time.
pub(super) fn write_when_seen(shared: &Shared) {
    if let Err(error) = shared.stores.devices.write_last_seen() {
        warn!(%error, "when devices were last seen was not written");
    }
    if let Err(error) = shared.stores.people.write_unwritten() {
        warn!(%error, "when people were last seen was not written");
    }
}

fn pause(limits: &Limits) -> Duration {
    (limits.ping_after.min(limits.silence) / 3).clamp(PAUSE_MIN, PAUSE_MAX)
}

fn look_after_everyone(shared: &Shared, limits: &Limits) {
    let (mut touched, bots) = (Vec::new(), &shared.stores.bots);
    for client in shared.hub.members() {
        let Some(member) = client.member() else { continue };
        if member.token.as_ref().and_then(|token| token.until).is_some_and(|until| bots.is_over(until)) {
            client.end(ENDED);
        }
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
