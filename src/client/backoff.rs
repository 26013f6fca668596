//! How long to wait before the next try to come back: longer after each, and never the same for two clients, so that a
//! server that comes up again is not run over by all of them at once.

use std::time::Duration;

/// The longest first wait.
const FIRST: Duration = Duration::from_millis(500);

/// The longest wait of who has no connection.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest wait of who has one, and would like a new one.
const LONGEST_FOR_RENEWAL: Duration = Duration::from_secs(60 * 60);

/// The waits of one series of tries.
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST, longest: LONGEST }
    }
}

impl Backoff {
    /// For someone who is not in a hurry.
    pub(super) fn for_renewals() -> Self {
        Self { longest: LONGEST_FOR_RENEWAL, ..Self::default() }
    }

    /// The next wait; `jitter` is a random number from 0 to 1. It is at least half of the longest that it can be.
    pub(super) fn wait(&mut self, jitter: f64) -> Duration {
        let wait = self.next.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        self.next = (self.next * 2).min(self.longest);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_differ_by_half() {
        let (mut longest, mut shortest) = (Backoff::default(), Backoff::default());
        let expected = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0];
        for seconds in expected {
            assert_eq!(longest.wait(1.0), Duration::from_secs_f64(seconds));
            assert_eq!(shortest.wait(0.0), Duration::from_secs_f64(seconds / 2.0));
        }
    }
}
