//! When someone who wants to leave may: as soon as nothing is under way, or when nothing comes of waiting.

use std::time::{Duration, Instant};

/// Who wants to leave waits for what is under way as long as something comes of it within this time.
const PROGRESS_WITHIN: Duration = Duration::from_secs(10);

/// What the server still owes.
#[derive(PartialEq, Eq)]
pub(super) struct UnderWay {
    pub(super) unsettled: usize,
    pub(super) undelivered: usize,
    pub(super) is_greeted: bool,
}

/// Leaving as soon as nothing is under way, or no later than `until`.
pub(super) struct Leaving {
    until: Instant,
    under_way: UnderWay,
}

impl Leaving {
    /// Someone wants to leave now.
    pub(super) fn begin(under_way: UnderWay) -> Self {
        Self { until: Instant::now() + PROGRESS_WITHIN, under_way }
    }

    /// Whether they may, now that so much is under way.
    pub(super) fn may_leave(&mut self, under_way: UnderWay) -> bool {
        let is_settled = under_way.unsettled == 0 && under_way.is_greeted;
        if under_way != self.under_way {
            *self = Self::begin(under_way);
        }
        is_settled || Instant::now() >= self.until
    }

    /// When they will not wait any longer.
    pub(super) fn until(&self) -> Instant {
        self.until
    }
}
