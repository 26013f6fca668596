//! How much one key of one direction has been used, and how much it may be: past the soft limit its sender takes the
//! next one, past the hard limit its receiver refuses.

use std::time::{Duration, Instant};

/// How much may be sealed with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLimits {
    /// Frames.
    pub frames: u64,
    /// Bytes of Noise messages: what frames hold, tags included.
    pub bytes: u64,
    /// From the key's first moment.
    pub age: Duration,
}

impl KeyLimits {
    /// Where a sender takes the next key: 2^16 frames, 256 MiB or 10 minutes, whichever is first. AES-GCM allows far
    /// more (RFC 8446, section 5.5: 2^24.5 records); this bounds what a stolen key opens.
    pub const SOFT: Self = Self { frames: 1 << 16, bytes: 256 << 20, age: Duration::from_secs(600) };

    /// Where a receiver refuses a peer who never takes the next key: four times [`Self::SOFT`].
    pub const HARD: Self = Self { frames: 4 << 16, bytes: 1 << 30, age: Duration::from_secs(2400) };
}

/// What has gone through a key so far.
pub(super) struct KeyUse {
    limits: KeyLimits,
    frames: u64,
    bytes: u64,
    since: Instant,
}

impl KeyUse {
    /// A new key.
    pub(super) fn new(limits: KeyLimits) -> Self {
        Self { limits, frames: 0, bytes: 0, since: Instant::now() }
    }

    /// The same limits for the next key.
    pub(super) fn next_key(&mut self) {
        *self = Self::new(self.limits);
    }

    /// Other limits for the same key.
    pub(super) fn limit(&mut self, limits: KeyLimits) {
        self.limits = limits;
    }

    /// Counts a frame that holds so many bytes.
    pub(super) fn count(&mut self, bytes: usize) {
        self.frames += 1;
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// Whether the key has been used as much as it may be.
    pub(super) fn is_used_up(&self) -> bool {
        self.frames >= self.limits.frames
            || self.bytes >= self.limits.bytes
            || self.since.elapsed() >= self.limits.age
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: KeyLimits = KeyLimits { frames: u64::MAX, bytes: u64::MAX, age: Duration::MAX };

    #[test]
    fn each_limit_is_one_by_itself_and_the_next_key_begins_anew() {
        for limits in [KeyLimits { frames: 2, ..NEVER }, KeyLimits { bytes: 200, ..NEVER }] {
            let mut used = KeyUse::new(limits);
            used.count(100);
            assert!(!used.is_used_up());
            used.count(100);
            assert!(used.is_used_up());
            used.next_key();
            assert!(!used.is_used_up());
        }
        assert!(KeyUse::new(KeyLimits { age: Duration::ZERO, ..NEVER }).is_used_up());
        assert!(!KeyUse::new(NEVER).is_used_up());
    }

    #[test]
    fn the_limits_of_the_protocol_are_held_to_the_last_frame_byte_and_moment() {
        for (limits, frames, mebibytes, minutes) in
            [(KeyLimits::SOFT, 65_536, 256, 10), (KeyLimits::HARD, 262_144, 1024, 40)]
        {
            let mut used = KeyUse::new(limits);
            (1..frames).for_each(|_| used.count(17));
            assert!(!used.is_used_up());
            used.count(17);
            assert!(used.is_used_up());

            let mut used = KeyUse::new(limits);
            used.count(mebibytes * 1024 * 1024 - 1);
            assert!(!used.is_used_up());
            used.count(1);
            assert!(used.is_used_up());

            let mut used = KeyUse::new(limits);
            used.since -= Duration::from_secs(minutes * 60 - 10);
            assert!(!used.is_used_up());
            used.since -= Duration::from_secs(10);
            assert!(used.is_used_up());
        }
    }
}
