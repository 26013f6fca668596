//! The time as it is written down and sent.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Milliseconds since 1970-01-01 00:00 UTC; 0 on a host whose clock is before that.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The time since a moment, by two clocks: a host's clock that is set back while the server runs makes nothing last
/// longer.
pub(super) struct Steady {
    /// When it began, in milliseconds since 1970.
    pub(super) at: u64,
    since: Instant,
}

impl Steady {
    /// From now on.
    pub(super) fn begin() -> Self {
        Self { at: now(), since: Instant::now() }
    }

    /// Milliseconds since 1970-01-01 00:00 UTC; never less than before.
    pub(super) fn now(&self) -> u64 {
        let elapsed = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        now().max(self.at.saturating_add(elapsed))
    }
}

/// Seconds since then.
pub(super) fn seconds() -> u64 {
    now() / 1000
}

/// Such a time, in milliseconds, as an operator reads it, by the clock of the host's place.
pub(super) fn shown(at: u64) -> String {
    let at = i64::try_from(at).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    let at = at.unwrap_or(Timestamp::MAX).to_zoned(TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A time span for people, in whole units and never too short: `5 s`, `10 min`, `25 h`, `7 d`.
pub(super) fn in_words(span: Duration) -> String {
    let seconds = span.as_secs() + u64::from(span.subsec_nanos() > 0);
    let (unit, name) = match seconds {
        0..100 => (1, "s"),
        100..6_000 => (60, "min"),
        6_000..180_000 => (3_600, "h"),
        _ => (86_400, "d"),
    };
    format!("{} {name}", seconds.div_ceil(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_words_that_never_promise_too_early_a_time() {
        let cases = [
            (0, "0 s"),
            (1, "1 s"),
            (1001, "2 s"),
            (99_000, "99 s"),
            (99_001, "2 min"),
            (900_000, "15 min"),
            (900_001, "16 min"),
            (86_400_000, "24 h"),
            (86_400_001, "25 h"),
            (604_800_000, "7 d"),
            (604_800_001, "8 d"),
        ];
        for (milliseconds, words) in cases {
            assert_eq!(in_words(Duration::from_millis(milliseconds)), words);
        }
    }
}
