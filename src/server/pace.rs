//! How fast an account may send, on all its sessions together. What is sent is paid for out of buckets that fill up again
//! with time: one for messages, one for their bytes, and a wider one for everything else. Who sends more is read on later,
//! so that the rest waits on their side and costs nobody anything; nothing is lost by it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::limits::Limits;
use super::lock::lock;
use crate::names::Username;

/// The bytes of messages that may come at once are those of so many seconds.
const BYTES_BURST_SECONDS: u32 = 10;

/// Who has not had to wait for so long sends at their own pace again.
const CALM_AFTER: Duration = Duration::from_secs(10);

/// How much all accounts may send just now. Housekeeping takes out those that may send as much as ever.
#[derive(Default)]
pub(super) struct Allowances(Mutex<HashMap<Username, Arc<Allowance>>>);

/// How much one account may send just now; shared by its sessions, which write it.
#[derive(Default)]
pub(super) struct Allowance(Mutex<Buckets>);

#[derive(Default)]
struct Buckets {
    messages: Bucket,
    bytes: Bucket,
    questions: Bucket,
}

/// What is in a bucket, as the time when it will be full: the "virtual scheduling" of the generic cell rate algorithm
/// (ITU-T I.371, annex A). More can be taken out than is in it; whoever does so waits until it would have been.
#[derive(Default)]
struct Bucket {
    full_at: Option<Instant>,
}

/// How much a bucket holds, and how much comes in each second.
#[derive(Clone, Copy)]
struct Rate {
    burst: u32,
    per_second: u32,
}

/// What something costs that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// A message for a room, with so many bytes.
    Message(usize),
    /// Anything else.
    Question,
}

/// How one session keeps to what its account may send.
pub(super) struct Pace {
    allowance: Arc<Allowance>,
    /// Since when it has had to wait again and again, and when it did so last.
    slowed: Option<(Instant, Instant)>,
}

/// That a session has to wait before it goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rest {
    /// For how long.
    pub(super) time: Duration,
    /// For how long it has had to wait again and again by now; nothing when it begins.
    pub(super) slowed_for: Option<Duration>,
}

impl Allowances {
    /// That of an account.
    pub(super) fn of(&self, name: &Username) -> Arc<Allowance> {
        Arc::clone(lock(&self.0).entry(name.clone()).or_default())
    }

    /// Forgets the accounts that have no session and have had the time to be given as much as ever.
    pub(super) fn tidy(&self, now: Instant) {
        lock(&self.0).retain(|_, allowance| Arc::strong_count(allowance) > 1 || !allowance.is_full(now));
    }
}

impl Allowance {
    /// Pays for something. Gives how long to wait before it is done.
    fn pay(&self, cost: Cost, limits: &Limits, now: Instant) -> Duration {
        let mut buckets = lock(&self.0);
        match cost {
            Cost::Message(bytes) => {
                let rate = Rate { burst: limits.message_burst, per_second: limits.messages_per_second };
                let per_second = limits.message_bytes_per_second;
                let bytes_rate = Rate { burst: per_second.saturating_mul(BYTES_BURST_SECONDS), per_second };
                let wait = buckets.messages.take(1, rate, now);
                wait.max(buckets.bytes.take(u64::try_from(bytes).unwrap_or(u64::MAX), bytes_rate, now))
            }
            Cost::Question => {
                let rate = Rate { burst: limits.question_burst, per_second: limits.questions_per_second };
                buckets.questions.take(1, rate, now)
            }
        }
    }

    fn is_full(&self, now: Instant) -> bool {
        let buckets = lock(&self.0);
        [&buckets.messages, &buckets.bytes, &buckets.questions].iter().all(|bucket| bucket.is_full(now))
    }
}

impl Bucket {
    /// Takes something out. Gives how long to wait until that much would have been in it.
    fn take(&mut self, amount: u64, rate: Rate, now: Instant) -> Duration {
        let full_at = self.full_at.map_or(now, |full_at| full_at.max(now)) + rate.time_of(amount);
        self.full_at = Some(full_at);
        (full_at - now).saturating_sub(rate.time_of(rate.burst.into()))
    }

    fn is_full(&self, now: Instant) -> bool {
        self.full_at.is_none_or(|full_at| full_at <= now)
    }
}

impl Rate {
    /// In what time so much comes in.
    fn time_of(self, amount: u64) -> Duration {
        const NANOSECONDS: u64 = 1_000_000_000;
        Duration::from_nanos(amount.saturating_mul(NANOSECONDS) / u64::from(self.per_second.max(1)))
    }
}

impl Pace {
    /// That of a session that begins.
    pub(super) fn new(allowance: Arc<Allowance>) -> Self {
        Self { allowance, slowed: None }
    }

    /// Pays for something. Gives whether to wait before it is done.
    pub(super) fn pay(&mut self, cost: Cost, limits: &Limits, now: Instant) -> Option<Rest> {
        let time = self.allowance.pay(cost, limits, now);
        if time.is_zero() {
            return None;
        }
        let slowed = self.slowed.filter(|(_, last)| now.duration_since(*last) < CALM_AFTER);
        let since = slowed.map_or(now, |(since, _)| since);
        self.slowed = Some((since, now + time));
        Some(Rest { time, slowed_for: slowed.map(|_| now.duration_since(since)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> Limits {
        Limits {
            messages_per_second: 10,
            message_burst: 50,
            message_bytes_per_second: 16_384,
            questions_per_second: 100,
            question_burst: 200,
            ..Limits::default()
        }
    }

    fn pace() -> (Pace, Instant) {
        (Pace::new(Arc::default()), Instant::now())
    }

    fn times(pace: &mut Pace, cost: Cost, count: usize, now: Instant) -> Vec<Duration> {
        (0..count).filter_map(|_| pace.pay(cost, &limits(), now)).map(|rest| rest.time).collect()
    }

    #[test]
    fn a_burst_goes_through_and_what_is_more_comes_at_the_rate() {
        let (mut pace, now) = pace();
        assert_eq!(times(&mut pace, Cost::Message(80), 50, now), []);
        let waits = times(&mut pace, Cost::Message(80), 3, now);
        assert_eq!(waits, [SECOND / 10, SECOND / 5, SECOND * 3 / 10]);
        assert_eq!(times(&mut pace, Cost::Message(80), 1, now + SECOND / 2), []);
        assert_eq!(times(&mut pace, Cost::Message(80), 50, now + SECOND * 60), [], "as at the beginning");
    }

    #[test]
    fn long_messages_are_fewer_and_questions_are_counted_apart() {
        let (mut pace, now) = pace();
        assert_eq!(times(&mut pace, Cost::Message(16_384), 12, now), [SECOND, SECOND * 2]);
        assert_eq!(times(&mut pace, Cost::Question, 202, now), [SECOND / 100, SECOND / 50]);
    }

    #[test]
    fn all_sessions_of_an_account_share_what_it_may_send_and_others_do_not() {
        let allowances = Allowances::default();
        let session = |name: &str| Pace::new(allowances.of(&name.parse().unwrap()));
        let (mut desk, mut phone, mut other) = (session("alice"), session("alice"), session("bob"));
        let now = Instant::now();
        assert_eq!(times(&mut desk, Cost::Message(1), 50, now), []);
        assert_eq!(times(&mut phone, Cost::Message(1), 1, now), [SECOND / 10]);
        assert_eq!(times(&mut other, Cost::Message(1), 50, now), []);
    }

    #[test]
    fn who_comes_back_at_once_has_no_new_burst_and_who_stays_away_is_forgotten() {
        let allowances = Allowances::default();
        let alice: Username = "alice".parse().unwrap();
        let now = Instant::now();
        times(&mut Pace::new(allowances.of(&alice)), Cost::Message(1), 50, now);
        allowances.tidy(now + SECOND);
        let again = times(&mut Pace::new(allowances.of(&alice)), Cost::Message(1), 11, now + SECOND);
        assert_eq!(again, [SECOND / 10]);
        let here = allowances.of(&alice);
        allowances.tidy(now + SECOND * 60);
        assert_eq!(lock(&allowances.0).len(), 1, "it is here");
        drop(here);
        allowances.tidy(now + SECOND * 60);
        assert!(lock(&allowances.0).is_empty());
    }

    #[test]
    fn a_stretch_of_waiting_ends_when_there_was_none_for_a_while() {
        let (mut pace, now) = pace();
        times(&mut pace, Cost::Message(1), 50, now);
        let mut slowed_for = |at| pace.pay(Cost::Message(1), &limits(), now + at).map(|rest| rest.slowed_for);
        assert_eq!(slowed_for(Duration::ZERO), Some(None));
        assert_eq!(slowed_for(SECOND / 10), Some(Some(SECOND / 10)));
        assert_eq!(slowed_for(SECOND), None);
        let mut later = |at| times(&mut pace, Cost::Message(1), 100, now + at).len();
        assert!(later(SECOND * 2) > 0);
        let rest = pace.pay(Cost::Message(1), &limits(), now + SECOND * 3).unwrap();
        assert_eq!(rest.slowed_for, Some(SECOND * 3));
        times(&mut pace, Cost::Message(1), 50, now + SECOND * 100);
        assert_eq!(pace.pay(Cost::Message(1), &limits(), now + SECOND * 100).unwrap().slowed_for, None);
    }

    #[test]
    fn no_limit_and_no_cost_is_too_large_to_be_counted() {
        let most = Limits {
            messages_per_second: u32::MAX,
            message_burst: u32::MAX,
            message_bytes_per_second: u32::MAX,
            ..Limits::default()
        };
        let (mut pace, now) = pace();
        assert_eq!(pace.pay(Cost::Message(16_384), &most, now), None);
        let least = Limits { messages_per_second: 1, message_burst: 1, ..most };
        assert_eq!(pace.pay(Cost::Message(1), &least, now), None);
        assert_eq!(
            pace.pay(Cost::Message(usize::MAX), &least, now).map(|rest| rest.time >= SECOND),
            Some(true)
        );
    }
}
