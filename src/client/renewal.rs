//! A session that gets old is replaced by a new one before it ends. The new connection logs in and enters the room
//! beside the old one, takes over from there, and only when it has caught up the old one is let go: so at every moment
//! there is a connection that is in the room, and nobody there sees anyone come or go.

use std::time::{Duration, Instant};

use crate::channel::Suite;
use crate::wire::ServerMessage;

use super::backoff::Backoff;
use super::courier::Courier;

/// Tells the connections of one run apart.
pub(super) type LineId = u64;

/// A connection that is logged in, with its threads.
pub(super) struct Line {
    pub(super) id: LineId,
    pub(super) courier: Courier,
    /// What protects it.
    pub(super) suite: Suite,
    pub(super) since: Instant,
}

/// How far it is with the replacement of the present line.
pub(super) enum Renewal {
    /// Nothing is done until then.
    Rests { due: Instant },
    /// A thread connects and logs in.
    Calls,
    /// The next line has asked for the room, after the message with this number.
    Enters { next: Line, asked: Option<u64> },
    /// The next line is the present one, and catches up. What was under way on the one before still comes from there.
    HandsOver { before: Line },
}

secret!(Line, Renewal);

/// When renewals are due.
pub(super) struct Schedule {
    age: Duration,
    backoff: Backoff,
}

impl Schedule {
    /// Lines become this old.
    pub(super) fn new(age: Duration) -> Self {
        Self { age, backoff: Backoff::for_renewals() }
    }

    /// For a line that begins now. Those who began together don't come back together: `jitter`, a random number from 0 to
    /// 1, takes up to a tenth off.
    pub(super) fn begins(&mut self, jitter: f64) -> Renewal {
        self.backoff = Backoff::for_renewals();
        Renewal::Rests { due: Instant::now() + self.age.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 10.0) }
    }

    /// It did not go well. Waits as [`Backoff::wait`] does.
    pub(super) fn put_off(&mut self, jitter: f64) -> Renewal {
        Renewal::Rests { due: Instant::now() + self.backoff.wait(jitter) }
    }
}

/// Whether what comes on the line before still counts while the next one catches up: messages, which have numbers, and
/// answers to what was said there; but no list of people, and nothing about the line itself.
pub(super) fn counts_beside(message: &ServerMessage) -> bool {
    matches!(
        message,
        ServerMessage::Said { .. }
            | ServerMessage::Accepted { .. }
            | ServerMessage::Refused { id: Some(_), .. }
            | ServerMessage::Arrived { .. }
            | ServerMessage::Left { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(renewal: &Renewal) -> Duration {
        let Renewal::Rests { due } = renewal else { panic!("it does not rest") };
        due.saturating_duration_since(Instant::now())
    }

    #[test]
    fn a_thousand_who_began_together_come_back_over_two_hours() {
        let day = Duration::from_secs(24 * 60 * 60);
        let mut schedule = Schedule::new(day);
        let (latest, earliest) = (due(&schedule.begins(0.0)), due(&schedule.begins(1.0)));
        assert!(latest <= day && latest > earliest + Duration::from_secs(2 * 60 * 60));
    }

    #[test]
    fn what_fails_is_tried_again_after_longer_and_longer_and_begins_anew_with_a_new_line() {
        let mut schedule = Schedule::new(Duration::from_secs(60));
        let waits: Vec<_> = (0..20).map(|_| due(&schedule.put_off(1.0))).collect();
        let rises = waits.windows(2).all(|pair| pair[1] + Duration::from_millis(100) > pair[0]);
        assert!(rises && waits[0] <= Duration::from_secs(1), "{waits:?}");
        assert!(waits[19] > Duration::from_secs(59 * 60), "{waits:?}");
        schedule.begins(0.5);
        assert!(due(&schedule.put_off(1.0)) <= Duration::from_secs(1));
    }
}
