//! How failures add up to a wait, and how time makes up for them.

use std::time::{Duration, Instant};

/// What a throttle demands. The failures that are `free` cost nothing; the next one costs `first`, and each one after it
/// twice as long, up to `longest`. In `forgiven_after` one failure is made up for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) free: u32,
    pub(super) first: Duration,
    pub(super) longest: Duration,
    pub(super) forgiven_after: Duration,
}

/// The failures of someone, as of the last one. Instants, so that nobody's clock matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    failures: f64,
    at: Instant,
}

impl Terms {
    /// The wait after so many failures.
    fn wait(&self, failures: f64) -> Duration {
        let paid = failures - f64::from(self.free);
        if paid <= 0.0 {
            return Duration::ZERO;
        }
        let seconds = self.first.as_secs_f64() * (paid - 1.0).exp2();
        Duration::from_secs_f64(seconds.min(self.longest.as_secs_f64()))
    }

    /// More failures than this are not counted: they could not make the wait any longer, only making up for it.
    fn failures_max(&self) -> f64 {
        let doublings = (self.longest.as_secs_f64() / self.first.as_secs_f64()).log2().ceil();
        f64::from(self.free) + 1.0 + doublings
    }
}

impl Score {
    /// One failure more than `before`, at `now`.
    pub(super) fn with_failure(before: Option<&Self>, terms: &Terms, now: Instant) -> Self {
        let failures = before.map_or(0.0, |score| score.failures_at(terms, now));
        Self { failures: (failures + 1.0).min(terms.failures_max()), at: now }
    }

    /// One failure less: the last one was none.
    pub(super) fn without_failure(self) -> Self {
        Self { failures: (self.failures - 1.0).max(0.0), ..self }
    }

    /// How long it is still to wait before the next try.
    pub(super) fn wait(&self, terms: &Terms, now: Instant) -> Duration {
        (self.at + terms.wait(self.failures)).saturating_duration_since(now)
    }

    /// The whole wait that as many failures demand as are left at `now`.
    pub(super) fn demand(&self, terms: &Terms, now: Instant) -> Duration {
        terms.wait(self.failures_at(terms, now))
    }

    /// When all is made up for.
    pub(super) fn until(&self, terms: &Terms) -> Instant {
        self.at + terms.forgiven_after.mul_f64(self.failures)
    }

    fn failures_at(&self, terms: &Terms, now: Instant) -> f64 {
        let past = now.saturating_duration_since(self.at).as_secs_f64();
        (self.failures - past / terms.forgiven_after.as_secs_f64()).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms {
        free: 2,
        first: Duration::from_secs(1),
        longest: Duration::from_secs(10),
        forgiven_after: Duration::from_secs(60),
    };

    fn after(failures: u32, now: Instant) -> Score {
        (1..failures).fold(Score::with_failure(None, &TERMS, now), |score, _| {
            Score::with_failure(Some(&score), &TERMS, now)
        })
    }

    #[test]
    fn waits_double_from_the_first_failure_that_is_not_free_up_to_the_longest() {
        let now = Instant::now();
        let waits = (1..=9).map(|failures| after(failures, now).wait(&TERMS, now).as_secs());
        assert_eq!(waits.collect::<Vec<_>>(), [0, 0, 1, 2, 4, 8, 10, 10, 10]);
    }

    #[test]
    fn time_makes_up_for_one_failure_after_the_other() {
        let now = Instant::now();
        let score = after(5, now);
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(score.wait(&TERMS, at(3)), Duration::from_secs(1));
        assert_eq!(score.wait(&TERMS, at(4)), Duration::ZERO);
        let next = Score::with_failure(Some(&score), &TERMS, at(120));
        assert_eq!(next.wait(&TERMS, at(120)), Duration::from_secs(2), "two were made up for");
        assert_eq!(score.until(&TERMS), at(300));
        assert_eq!(score.demand(&TERMS, at(120)), Duration::from_secs(1));
    }

    #[test]
    fn a_failure_that_was_none_is_taken_back() {
        let now = Instant::now();
        assert_eq!(after(3, now).without_failure().wait(&TERMS, now), Duration::ZERO);
    }

    #[test]
    fn who_goes_on_for_a_day_is_not_punished_for_a_week() {
        let now = Instant::now();
        assert!(after(100_000, now).until(&TERMS) <= now + Duration::from_secs(60 * 8));
    }

    #[test]
    fn a_time_before_the_last_failure_is_no_trouble() {
        let now = Instant::now() + Duration::from_secs(100);
        let earlier = now.checked_sub(Duration::from_secs(50)).unwrap();
        let score = after(3, now);
        assert_eq!(score.wait(&TERMS, earlier), Duration::from_secs(51));
        assert!(Score::with_failure(Some(&score), &TERMS, earlier).failures <= 4.0);
    }
}
