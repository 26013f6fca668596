//! How a bound is written on the command line, `NAME=VALUE`, and what each name may be set to. Apart, because server and
//! client have bounds of their own, are told them in one way, and have those of the channel in common.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::channel::KeyLimits;
use crate::nearest::nearest;

/// Bounds that can be set by their names.
pub trait Bounds: Default + 'static {
    /// Those that only this side has.
    const NAMED: &'static [Named<Self>];

    /// When a sender takes its next key, which both sides can set.
    fn rekey(&mut self) -> &mut KeyLimits;
}

/// One name, the values that it takes, and where they go.
pub struct Named<B> {
    /// As it is written.
    pub name: &'static str,
    /// The least and the most that it can be.
    pub range: RangeInclusive<u32>,
    /// Puts a value in its place.
    pub set: fn(&mut B, u32),
}

impl<B> Named<B> {
    /// A bound that can be anything from 1 up.
    pub const fn positive(name: &'static str, set: fn(&mut B, u32)) -> Self {
        Self { name, range: 1..=u32::MAX, set }
    }
}

/// They can only be made tighter than the protocol has them; what a receiver takes does not change with them.
const REKEY: [Named<KeyLimits>; 3] = [
    Named { name: "rekey-frames", range: 1..=65_536, set: |limits, value| limits.frames = value.into() },
    Named { name: "rekey-bytes", range: 1..=268_435_456, set: |limits, value| limits.bytes = value.into() },
    Named { name: "rekey-seconds", range: 1..=600, set: |limits, value| limits.age = seconds(value) },
];

/// One `NAME=VALUE` of the command line, for these bounds.
#[derive(Clone, Copy, Debug)]
pub struct Limit<B> {
    place: Place<B>,
    value: u32,
}

#[derive(Clone, Copy, Debug)]
enum Place<B> {
    Own(fn(&mut B, u32)),
    Rekey(fn(&mut KeyLimits, u32)),
}

/// A text is no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// There is no `=` in it, or what follows is no number from 1 up.
    #[error("write NAME=VALUE with a whole number from 1 up")]
    Form,
    /// It can't be that.
    #[error("{name} must be from {least} to {most}")]
    Range {
        /// The name.
        name: &'static str,
        /// The least that it can be.
        least: u32,
        /// The most.
        most: u32,
    },
    /// There is no limit of this name.
    #[error("there is no limit '{name}'{meant}; there are {names}")]
    Name {
        /// As it was written.
        name: String,
        /// The one that was probably meant, in words.
        meant: String,
        /// All that there are.
        names: String,
    },
}

impl<B: Bounds> Limit<B> {
    /// Puts the value in its place.
    pub fn apply(self, bounds: &mut B) {
        match self.place {
            Place::Own(set) => set(bounds, self.value),
            Place::Rekey(set) => set(bounds.rekey(), self.value),
        }
    }

    /// The defaults, with these changes.
    pub fn collect(limits: impl IntoIterator<Item = Self>) -> B {
        let mut bounds = B::default();
        limits.into_iter().for_each(|limit| limit.apply(&mut bounds));
        bounds
    }

    /// All names.
    fn names() -> impl Iterator<Item = &'static str> {
        B::NAMED.iter().map(|named| named.name).chain(REKEY.iter().map(|named| named.name))
    }

    fn unknown(name: &str) -> LimitError {
        let meant =
            nearest(name, Self::names()).map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
        let names: Vec<&str> = Self::names().collect();
        let (last, others) = names.split_last().unwrap_or((&"", &[]));
        LimitError::Name { name: name.to_owned(), meant, names: format!("{} and {last}", others.join(", ")) }
    }
}

impl<B: Bounds> FromStr for Limit<B> {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let (name, value) = text.split_once('=').ok_or(LimitError::Form)?;
        let value: u32 = value.parse().ok().filter(|value| *value > 0).ok_or(LimitError::Form)?;
        if let Some(named) = find(B::NAMED, name) {
            return Ok(Self { place: Place::Own(named.set), value: named.check(value)? });
        }
        if let Some(named) = find(&REKEY, name) {
            return Ok(Self { place: Place::Rekey(named.set), value: named.check(value)? });
        }
        Err(Self::unknown(name))
    }
}

impl<B> Named<B> {
    fn check(&self, value: u32) -> Result<u32, LimitError> {
        let (least, most) = (*self.range.start(), *self.range.end());
        if self.range.contains(&value) {
            return Ok(value);
        }
        Err(LimitError::Range { name: self.name, least, most })
    }
}

impl<B> fmt::Debug for Named<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.range)
    }
}

/// What a value in seconds means.
pub fn seconds(value: u32) -> Duration {
    Duration::from_secs(value.into())
}

fn find<'n, B>(named: &'n [Named<B>], name: &str) -> Option<&'n Named<B>> {
    named.iter().find(|named| named.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Two {
        tables: u32,
        rekey: KeyLimits,
    }

    impl Default for Two {
        fn default() -> Self {
            Self { tables: 3, rekey: KeyLimits::SOFT }
        }
    }

    impl Bounds for Two {
        const NAMED: &'static [Named<Self>] =
            &[Named { name: "tables", range: 2..=9, set: |two, value| two.tables = value }];

        fn rekey(&mut self) -> &mut KeyLimits {
            &mut self.rekey
        }
    }

    fn with(texts: &[&str]) -> Two {
        Limit::collect(texts.iter().map(|text| text.parse().unwrap()))
    }

    #[test]
    fn each_value_goes_to_its_place_and_the_last_one_counts() {
        assert_eq!(with(&[]), Two::default());
        let rekey = KeyLimits { frames: 1, bytes: 2, age: Duration::from_secs(3) };
        let texts = ["rekey-frames=1", "tables=9", "rekey-bytes=2", "rekey-seconds=3", "tables=4"];
        assert_eq!(with(&texts), Two { tables: 4, rekey });
    }

    #[test]
    fn the_limits_of_the_protocol_can_be_said_and_not_be_passed() {
        assert_eq!(
            with(&["rekey-frames=65536", "rekey-bytes=268435456", "rekey-seconds=600"]),
            Two::default()
        );
        for text in
            ["rekey-frames=65537", "rekey-bytes=268435457", "rekey-seconds=601", "tables=1", "tables=10"]
        {
            assert!(matches!(text.parse::<Limit<Two>>(), Err(LimitError::Range { .. })), "{text}");
        }
    }

    #[test]
    fn what_is_no_limit_is_refused_with_all_that_there_are() {
        for text in ["tables", "tables=", "tables=0", "tables=-1", "tables=many", "tables=4294967296"] {
            assert_eq!(text.parse::<Limit<Two>>().err(), Some(LimitError::Form), "{text}");
        }
        let told = "chairs=5".parse::<Limit<Two>>().unwrap_err().to_string();
        assert_eq!(
            told,
            "there is no limit 'chairs'; there are tables, rekey-frames, rekey-bytes and rekey-seconds"
        );
        let told = "tabels=5".parse::<Limit<Two>>().unwrap_err().to_string();
        assert!(told.starts_with("there is no limit 'tabels' (did you mean tables?); there are "), "{told}");
    }
}
