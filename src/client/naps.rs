//! Whether this computer slept, or this program was stopped. The clock by which waits are measured stands still while a
//! computer sleeps (`CLOCK_MONOTONIC` on Linux, and likewise elsewhere), so that a connection which the server has long given
//! up would still be waited on. The clock on the wall goes on.

use std::time::{Duration, SystemTime};

/// How often it must be looked.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(10);

/// After this time nobody was awake who should have looked. It is more than clocks are set by when they are nearly right;
/// when one is set by more, a server is asked in vain whether it is there.
const NAP: Duration = Duration::from_secs(25);

/// When it was last looked.
pub(super) struct Naps(SystemTime);

impl Naps {
    /// It is looked for the first time.
    pub(super) fn new(now: SystemTime) -> Self {
        Self(now)
    }

    /// Whether there was one since it was last looked.
    pub(super) fn was_one(&mut self, now: SystemTime) -> bool {
        let since = now.duration_since(self.0).unwrap_or_default(); // none when the clock was set back
        self.0 = now;
        since >= NAP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nap_is_when_nobody_has_looked_for_long() {
        let mut now = SystemTime::now();
        let mut naps = Naps::new(now);
        let mut after = |time: Duration| {
            now += time;
            naps.was_one(now)
        };
        assert!(!after(LOOK_EVERY) && !after(LOOK_EVERY * 2), "an evening without an event");
        assert!(after(Duration::from_secs(3600)), "an hour of sleep");
        assert!(!after(LOOK_EVERY), "it is told once");
        assert!(!naps.was_one(SystemTime::UNIX_EPOCH), "the clock was set back");
    }
}
