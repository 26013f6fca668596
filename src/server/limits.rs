//! How much the server lets anyone take, in one table: names as an operator writes them, defaults, units.

use std::time::Duration;

use crate::channel::KeyLimits;
use crate::limit::{Bounds, Named, seconds};

/// An outbox must hold the longest answer and the longest message, or nobody could ever be live.
const OUTBOX_BYTES_MIN: u32 = 64 * 1024;

/// Each session of an account follows all of them.
const ROOMS_PER_ACCOUNT_MAX: u32 = 300;

/// The longest message must not take longer than a second.
const MESSAGE_BYTES_PER_SECOND_MIN: u32 = 16 * 1024;

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
    /// New accounts from one address before it has to wait a minute for each further one.
    /// `sign-ups-per-address`.
    pub sign_ups_per_address: u32,
    /// What may wait in memory for one client before it has to catch up from the log, at least
    /// 64 KiB. `outbox-bytes`.
    pub outbox_bytes: usize,
    /// The rooms that one account may be in, and may make, at most 300. `rooms-per-account`.
    pub rooms_per_account: usize,
    /// How many messages an account may say in a second. `messages-per-second`.
    pub messages_per_second: u32,
    /// How many it may say at once before that counts: more than anyone pastes. `message-burst`.
    pub message_burst: u32,
    /// How many bytes these may have in a second, at least 16 KiB, and ten times as many at once.
    /// `message-bytes-per-second`.
    pub message_bytes_per_second: u32,
    /// How much else an account may send in a second. `questions-per-second`.
    pub questions_per_second: u32,
    /// How much of that it may send at once before that counts: who comes back asks for each of their rooms.
    /// `question-burst`.
    pub question_burst: u32,
    /// Who sends more than that for so long, and reads nothing meanwhile, is disconnected. `flood-seconds`.
    pub flood: Duration,
    /// The direct conversations that one account may begin. `directs-per-account`.
    pub directs_per_account: usize,
    /// When what is sent is sealed with the next key. `rekey-frames`, `rekey-bytes`, `rekey-seconds`.
    pub rekey: KeyLimits,
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
            sign_ups_per_address: 256,
            outbox_bytes: 512 * 1024,
            rooms_per_account: 100,
            messages_per_second: 10,
            message_burst: 100,
            message_bytes_per_second: 64 * 1024,
            questions_per_second: 100,
            question_burst: 1000,
            flood: Duration::from_secs(30),
            directs_per_account: 500,
            rekey: KeyLimits::SOFT,
        }
    }
}

impl Limits {
    /// A client of which nothing has come for so long has been pinged and had time to answer: most likely it is gone.
    pub(super) fn ghost_after(&self) -> Duration {
        self.ping_after + self.ping_after / 2
    }
}

impl Bounds for Limits {
    const NAMED: &'static [Named<Self>] = &[
        Named::positive("handshake-seconds", |limits, value| limits.handshake = seconds(value)),
        Named::positive("login-seconds", |limits, value| limits.login = seconds(value)),
        Named::positive("ping-seconds", |limits, value| limits.ping_after = seconds(value)),
        Named::positive("silence-seconds", |limits, value| limits.silence = seconds(value)),
        Named::positive("connections", |limits, value| limits.connections = value as usize),
        Named::positive("connections-per-address", |limits, value| {
            limits.connections_per_address = Some(value as usize);
        }),
        Named::positive("strangers", |limits, value| limits.strangers = value as usize),
        Named::positive("strangers-per-address", |limits, value| {
            limits.strangers_per_address = value as usize;
        }),
        Named::positive("sign-ups-per-address", |limits, value| limits.sign_ups_per_address = value),
        Named {
            name: "outbox-bytes",
            range: OUTBOX_BYTES_MIN..=u32::MAX,
            set: |limits, value| limits.outbox_bytes = value as usize,
        },
        Named {
            name: "rooms-per-account",
            range: 1..=ROOMS_PER_ACCOUNT_MAX,
            set: |limits, value| limits.rooms_per_account = value as usize,
        },
        Named::positive("messages-per-second", |limits, value| limits.messages_per_second = value),
        Named::positive("message-burst", |limits, value| limits.message_burst = value),
        Named {
            name: "message-bytes-per-second",
            range: MESSAGE_BYTES_PER_SECOND_MIN..=u32::MAX,
            set: |limits, value| limits.message_bytes_per_second = value,
        },
        Named::positive("questions-per-second", |limits, value| limits.questions_per_second = value),
        Named::positive("question-burst", |limits, value| limits.question_burst = value),
        Named::positive("flood-seconds", |limits, value| limits.flood = seconds(value)),
        Named::positive("directs-per-account", |limits, value| limits.directs_per_account = value as usize),
    ];

    fn rekey(&mut self) -> &mut KeyLimits {
        &mut self.rekey
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Limit;

    #[test]
    fn every_name_sets_something_of_its_own() {
        let mut seen = vec![Limits::default()];
        for named in Limits::NAMED {
            let value = 77_777.min(*named.range.end());
            let limits = Limit::collect([format!("{}={value}", named.name).parse().unwrap()]);
            assert!(!seen.contains(&limits), "{}", named.name);
            seen.push(limits);
        }
    }

    #[test]
    fn an_outbox_that_holds_too_little_is_refused() {
        assert!("outbox-bytes=65535".parse::<Limit<Limits>>().is_err());
        assert!("outbox-bytes=65536".parse::<Limit<Limits>>().is_ok());
    }

    #[test]
    fn more_rooms_than_a_session_may_follow_are_refused() {
        assert!("rooms-per-account=301".parse::<Limit<Limits>>().is_err());
        assert!("rooms-per-account=300".parse::<Limit<Limits>>().is_ok());
    }
}
