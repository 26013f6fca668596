//! Since when someone wants to hear what was said, as they write it.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::names::TimeSpan;

/// A time in the past, or the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Everything that there is.
    Beginning,
    /// Milliseconds since 1970-01-01 00:00 UTC.
    Time(u64),
}

/// A text is no such time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write how long ago (10m, 12h, 7d), a day (2026-11-20), a time here (2026-11-20T10:34) or elsewhere \
     (2026-11-20T10:34:00Z), or 'all'"
)]
pub struct SinceError;

impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        if text.eq_ignore_ascii_case("all") {
            return Ok(Self::Beginning);
        }
        let time = match (text.parse::<TimeSpan>(), text.parse::<Timestamp>()) {
            (Ok(span), _) => Timestamp::now() - span.duration(),
            (_, Ok(time)) => time,
            _ => here(text).ok_or(SinceError)?,
        };
        Ok(Self::Time(u64::try_from(time.as_millisecond()).unwrap_or(0)))
    }
}

/// A day, which begins at midnight, or a time where this computer is.
fn here(text: &str) -> Option<Timestamp> {
    Some(text.parse::<DateTime>().ok()?.to_zoned(TimeZone::system()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> u64 {
        match text.parse() {
            Ok(Since::Time(time)) => time,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_span_a_day_and_a_time_are_understood() {
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap();
        assert!((now - 600_000..=now - 590_000).contains(&time("10m")));
        assert_eq!(time("2026-11-20T10:34:00Z"), 1_795_170_840_000);
        assert_eq!(time("2026-11-20T12:34:00.5+02:00"), 1_795_170_840_500);
        assert_eq!(time("2026-11-20T10:34"), time("2026-11-20") + (10 * 60 + 34) * 60_000);
        assert_eq!("ALL".parse(), Ok(Since::Beginning));
    }

    #[test]
    fn nonsense_is_refused_with_how_it_looks() {
        for text in ["", "7", "yesterday", "2026-13-01", "2026-11-20T25:00", "-7d", "10x", "2026-11-20 x"] {
            assert_eq!(text.parse::<Since>(), Err(SinceError), "{text}");
        }
    }
}
