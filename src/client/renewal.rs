//! A session that gets old is replaced by a new one before it ends. The new connection logs in and enters the rooms
//! beside the old one, takes over from there, and only when it has caught up the old one is let go: so at every moment
//! there is a connection that is in the rooms, and nobody there sees anyone come or go.

use std::time::{Duration, Instant};

use crate::channel::Suite;
use crate::names::RoomName;
use crate::wire::ServerMessage;

use super::backoff::Backoff;
use super::courier::Courier;
use super::model::Entered;

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
    /// The next line has asked for the rooms, after the messages with these numbers, and was let into some of them.
    Enters { next: Line, asked: Vec<(RoomName, Option<u64>)>, entered: Vec<Entered> },
    /// The next line is the present one, and has yet to catch up in rooms that are `behind`. What was under way on the
    /// one before, which is in these `rooms`, still comes from there.
    HandsOver { before: Line, rooms: Vec<RoomName>, behind: Vec<RoomName> },
}

/// Notes that the next line was let into a room. Gives all rooms when it was the last one that was asked for.
pub(super) fn entered_last(
    asked: &[(RoomName, Option<u64>)],
    entered: &mut Vec<Entered>,
    room: &str,
    after: u64,
    head: u64,
) -> Option<Vec<Entered>> {
    let (room, asked_after) = asked.iter().find(|(asked, _)| asked.as_str() == room)?;
    if entered.iter().all(|other| other.room != *room) {
        entered.push(Entered { room: room.clone(), asked: *asked_after, after, head });
    }
    (entered.len() == asked.len()).then(|| entered.clone())
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
