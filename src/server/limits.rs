//! How much the server lets anyone take, in one table: names as an operator writes them, defaults, units.

use std::str::FromStr;
use std::time::Duration;

/// An outbox must hold the longest answer and the longest message, or nobody could ever be live.
const OUTBOX_BYTES_MIN: u32 = 64 * 1024;

/// The bounds of a server. Set from the command line with `--limit NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first byte to the end of the handshake. `handshake-seconds`.
    pub handshake: Duration,
    /// From the end of the handshake to a login. Long enough to think of a password. `login-seconds`.
    pub login: Duration,
    /// A client that was silent for this long is pinged. `ping-seconds`.
    pub ping_after: Duration,
    /// A client that was silent for this long is taken as gone. `silence-seconds`.
    pub silence: Duration,
    /// Connections in all. `connections`.
    pub connections: usize,
    /// Connections from one address (of IPv6, from one network of 64 bits); without it, as many as in all, for a group
    /// may share one address. `connections-per-address`.
    pub connections_per_address: Option<usize>,
    /// Connections that have not logged in. `strangers`.
    pub strangers: usize,
    /// Of those, from one address: enough for a class behind one router to sign up together.
    /// `strangers-per-address`.
    pub strangers_per_address: usize,
    /// What may wait in memory for one client before it has to catch up from the log, at least
    /// 64 KiB. `outbox-bytes`.
    pub outbox_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            login: Duration::from_secs(120),
            ping_after: Duration::from_secs(30),
            silence: Duration::from_secs(75),
            connections: 10_000,
            connections_per_address: None,
            strangers: 1000,
            strangers_per_address: 256,
            outbox_bytes: 512 * 1024,
        }
    }
}

/// One `NAME=VALUE` of the command line.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    set: fn(&mut Limits, u32),
    value: u32,
}

/// A text is no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// There is no `=` in it, or what follows is no number from 1 up.
    #[error("write NAME=VALUE with a whole number from 1 up")]
    Form,
    /// The server could not work with so little.
    #[error("{0} must be at least {1}")]
    TooLittle(&'static str, u32),
    /// There is no limit of this name.
    #[error("there is no limit '{0}'; there are {names}", names = NAMES)]
    Name(String),
}

const NAMES: &str = "handshake-seconds, login-seconds, ping-seconds, silence-seconds, \
    connections, connections-per-address, strangers, strangers-per-address and outbox-bytes";

impl Limit {
    /// Puts the value in its place.
    pub fn apply(self, limits: &mut Limits) {
        (self.set)(limits, self.value);
    }
}

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let (name, value) = text.split_once('=').ok_or(LimitError::Form)?;
        let value: u32 = value.parse().ok().filter(|value| *value > 0).ok_or(LimitError::Form)?;
        let set: fn(&mut Limits, u32) = match name {
            "handshake-seconds" => |limits, value| limits.handshake = seconds(value),
            "login-seconds" => |limits, value| limits.login = seconds(value),
            "ping-seconds" => |limits, value| limits.ping_after = seconds(value),
            "silence-seconds" => |limits, value| limits.silence = seconds(value),
            "connections" => |limits, value| limits.connections = value as usize,
            "connections-per-address" => {
                |limits, value| limits.connections_per_address = Some(value as usize)
            }
            "strangers" => |limits, value| limits.strangers = value as usize,
            "strangers-per-address" => |limits, value| limits.strangers_per_address = value as usize,
            "outbox-bytes" if value < OUTBOX_BYTES_MIN => {
                return Err(LimitError::TooLittle("outbox-bytes", OUTBOX_BYTES_MIN));
            }
            "outbox-bytes" => |limits, value| limits.outbox_bytes = value as usize,
            _ => return Err(LimitError::Name(name.to_owned())),
        };
        Ok(Self { set, value })
    }
}

fn seconds(value: u32) -> Duration {
    Duration::from_secs(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_the_error_lists_sets_something() {
        for name in NAMES.split([',', ' ']).filter(|word| word.contains('-') || word.ends_with('s')) {
            let mut limits = Limits::default();
            format!("{name}=77777").parse::<Limit>().unwrap().apply(&mut limits);
            assert_ne!(limits, Limits::default(), "{name}");
        }
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for text in ["connections", "connections=", "connections=0", "connections=-1", "connections=many"] {
            assert_eq!(text.parse::<Limit>().err(), Some(LimitError::Form), "{text}");
        }
        assert!(matches!("outbox-bytes=65535".parse::<Limit>(), Err(LimitError::TooLittle(..))));
        assert_eq!("conections=5".parse::<Limit>().err(), Some(LimitError::Name("conections".into())));
    }
}
