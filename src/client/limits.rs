//! How long things last at a client, in one table: names as they are written, defaults, units.

use std::time::Duration;

use crate::channel::KeyLimits;
use crate::limit::{Bounds, Named, seconds};

/// After a day a session has fresh secrets by a new handshake. It can be less.
const SESSION_SECONDS: u32 = 24 * 60 * 60;

/// The server pings after 30 s, and again every 10 s: who hears nothing for this long has lost it.
const SILENCE_SECONDS: u32 = 75;

/// The bounds of a client. Set from the command line with `--limit NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The age at which a session is replaced by a new one, at most a day. `session-seconds`.
    pub session: Duration,
    /// A server from which nothing has come for so long is taken as gone, at most 75 seconds. `silence-seconds`.
    pub silence: Duration,
    /// When what is sent is sealed with the next key. `rekey-frames`, `rekey-bytes`, `rekey-seconds`.
    pub rekey: KeyLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self { session: seconds(SESSION_SECONDS), silence: seconds(SILENCE_SECONDS), rekey: KeyLimits::SOFT }
    }
}

impl Bounds for Limits {
    const NAMED: &'static [Named<Self>] = &[
        Named {
            name: "session-seconds",
            range: 1..=SESSION_SECONDS,
            set: |limits, value| limits.session = seconds(value),
        },
        Named {
            name: "silence-seconds",
            range: 1..=SILENCE_SECONDS,
            set: |limits, value| limits.silence = seconds(value),
        },
    ];

    fn rekey(&mut self) -> &mut KeyLimits {
        &mut self.rekey
    }
}
