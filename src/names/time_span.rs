//! How long something lasts, as people write it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The longest span, in seconds: ten years of 365 days. What is to last longer is to last for ever.
pub const TIME_SPAN_SECONDS_MAX: u64 = 10 * 365 * 24 * 60 * 60;

/// The units, largest first, with their seconds.
const UNITS: [(&str, u64); 5] =
    [("w", 7 * 24 * 60 * 60), ("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];

/// A time from one second to ten years: a whole number and its unit, such as `10m`, `12h` or `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan {
    seconds: u64,
}

/// Why a text is no [`TimeSpan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeSpanError {
    /// Something else than a whole number and a unit.
    #[error("a time is a whole number and a unit (s, m, h, d or w), for example 10m, 12h or 7d")]
    Form,
    /// Nothing would last for so long.
    #[error("a time is at least one second; write for example 10m, 12h or 7d")]
    Zero,
    /// More than [`TIME_SPAN_SECONDS_MAX`].
    #[error("a time is at most ten years; write for example 10m, 12h or 7d")]
    TooLong,
}

impl TimeSpan {
    /// Seven days of 24 hours.
    pub const WEEK: Self = Self { seconds: 7 * 24 * 60 * 60 };

    /// So many days of 24 hours, if that is a span.
    pub const fn days(days: u32) -> Option<Self> {
        let seconds = days as u64 * 24 * 60 * 60;
        if seconds == 0 || seconds > TIME_SPAN_SECONDS_MAX { None } else { Some(Self { seconds }) }
    }

    /// So many whole seconds, if that is a span.
    pub const fn seconds(seconds: u64) -> Option<Self> {
        if seconds == 0 || seconds > TIME_SPAN_SECONDS_MAX { None } else { Some(Self { seconds }) }
    }

    /// How long it is.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// The same in milliseconds, as times are written down.
    pub const fn milliseconds(self) -> u64 {
        self.seconds * 1000
    }
}

impl FromStr for TimeSpan {
    type Err = TimeSpanError;

    fn from_str(text: &str) -> Result<Self, TimeSpanError> {
        let (number, unit) = text
            .char_indices()
            .find(|(_, letter)| !letter.is_ascii_digit())
            .and_then(|(place, _)| text.split_at_checked(place))
            .ok_or(TimeSpanError::Form)?;
        let unit = UNITS.iter().find(|(name, _)| unit.eq_ignore_ascii_case(name));
        let (_, seconds) = unit.filter(|_| !number.is_empty()).ok_or(TimeSpanError::Form)?;
        // Nothing but digits: what does not fit is too long.
        let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*seconds));
        match seconds {
            Some(0) => Err(TimeSpanError::Zero),
            Some(seconds) if seconds <= TIME_SPAN_SECONDS_MAX => Ok(Self { seconds }),
            _ => Err(TimeSpanError::TooLong),
        }
    }
}

/// The largest unit of which it is a whole number.
impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, unit)| self.seconds.is_multiple_of(*unit));
        whole.map_or(Ok(()), |(name, unit)| write!(f, "{}{name}", self.seconds / unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit_and_is_written_in_its_largest_one() {
        let cases = [
            ("1s", 1, "1s"),
            ("90s", 90, "90s"),
            ("10m", 600, "10m"),
            ("60m", 3600, "1h"),
            ("12H", 43_200, "12h"),
            ("7d", 604_800, "1w"),
            ("30d", 2_592_000, "30d"),
            ("007d", 604_800, "1w"),
            ("3650d", TIME_SPAN_SECONDS_MAX, "3650d"),
        ];
        for (text, seconds, written) in cases {
            let span: TimeSpan = text.parse().unwrap();
            assert_eq!((span.duration(), span.to_string().as_str()), (Duration::from_secs(seconds), written));
            assert_eq!(written.parse(), Ok(span));
            assert_eq!(span.milliseconds(), seconds * 1000);
        }
        assert_eq!(TimeSpan::days(7), "7d".parse().ok());
        assert_eq!((TimeSpan::days(0), TimeSpan::seconds(0), TimeSpan::days(4000)), (None, None, None));
    }

    #[test]
    fn nonsense_is_refused_with_an_example() {
        let form =
            ["", "7", "d", "7 d", "-7d", "+7d", "7.5d", "7days", "1h30m", "7\u{e9}", "\u{661}d", "7d "];
        for text in form {
            assert_eq!(text.parse::<TimeSpan>(), Err(TimeSpanError::Form), "{text:?}");
        }
        assert_eq!("0d".parse::<TimeSpan>(), Err(TimeSpanError::Zero));
        for text in ["3651d", "99999999999999999999d", "18446744073709551615w"] {
            assert_eq!(text.parse::<TimeSpan>(), Err(TimeSpanError::TooLong), "{text:?}");
        }
        for error in [TimeSpanError::Form, TimeSpanError::Zero, TimeSpanError::TooLong] {
            assert!(error.to_string().ends_with("for example 10m, 12h or 7d"), "{error}");
        }
    }
}
