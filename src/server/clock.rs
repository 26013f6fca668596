//! The time as it is written down and sent.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Milliseconds since 1970-01-01 00:00 UTC; 0 on a host whose clock is before that.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
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
