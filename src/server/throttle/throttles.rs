//! All counts together, and who has to wait.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::expiring::Expiring;
use super::score::{Score, Terms};
use crate::names::Username;
use crate::server::clock::in_words;
use crate::server::lock::lock;
use crate::server::origin::Origin;

/// One name from one address. As many are free as one connection allows.
const PAIR: Terms = Terms {
    free: 5,
    first: Duration::from_secs(2),
    longest: Duration::from_secs(15 * 60),
    forgiven_after: Duration::from_secs(30 * 60),
};

/// All names from one address: more are free than it may have tries under way.
const ADDRESS: Terms = Terms { free: 64, ..PAIR };

/// One name from everywhere.
const NAME: Terms = Terms {
    free: 10,
    first: Duration::from_secs(2),
    longest: Duration::from_secs(60),
    forgiven_after: Duration::from_secs(10 * 60),
};

/// After its free sign-ups, which are a limit, an address has one a minute.
const SIGN_UPS: Terms = Terms {
    free: 0,
    first: Duration::from_secs(60),
    longest: Duration::from_secs(60),
    forgiven_after: Duration::from_secs(60),
};

/// The most entries of each table; some 250 bytes each.
const ENTRIES_MAX: usize = 16 * 1024;

/// The most accounts of which it is known where they come from, and the most addresses of each.
const FAMILIAR_ACCOUNTS_MAX: usize = 64 * 1024;
const FAMILIAR_MAX: usize = 8;
/// An address is forgotten when the account has not been logged in to from anywhere for so long.
const FAMILIAR_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// All counts of a server. Nothing is hashed, written or waited for under its lock.
pub(in crate::server) struct Throttles {
    counts: Mutex<Counts>,
}

struct Counts {
    pairs: Expiring<(Option<Username>, Origin), Score>,
    addresses: Expiring<Origin, Score>,
    names: Expiring<Username, Score>,
    /// Who is put off because of the count of a name, and until when.
    put_off: Expiring<(Username, Origin), Instant>,
    /// Where the owners of accounts come from, the latest last.
    familiar: Expiring<Username, Vec<Origin>>,
    sign_ups: Expiring<Origin, Score>,
}

/// A try that may be made, and is counted as a failure until it is told to be none.
#[must_use = "a try that was right must be told"]
pub(in crate::server) struct Try {
    /// `None` for a text that is no name: all of those are one.
    name: Option<Username>,
    origin: Origin,
    is_familiar: bool,
}

/// Not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::server) enum Throttled {
    /// Because of wrong passwords. Which of the counts it was is not told.
    #[error(
        "too many wrong passwords were tried for this name or from your address; try again in {}",
        in_words(*.0)
    )]
    Passwords(Duration),
    /// Because of new accounts.
    #[error("too many accounts were made from your address; try again in {}", in_words(*.0))]
    SignUps(Duration),
}

impl Throttled {
    /// How long to wait.
    pub(in crate::server) fn wait(self) -> Duration {
        match self {
            Self::Passwords(wait) | Self::SignUps(wait) => wait,
        }
    }
}

impl Throttles {
    /// Nobody has tried anything.
    pub(in crate::server) fn new() -> Self {
        let counts = Counts {
            pairs: Expiring::of_at_most(ENTRIES_MAX),
            addresses: Expiring::of_at_most(ENTRIES_MAX),
            names: Expiring::of_at_most(ENTRIES_MAX),
            put_off: Expiring::of_at_most(ENTRIES_MAX),
            familiar: Expiring::of_at_most(FAMILIAR_ACCOUNTS_MAX),
            sign_ups: Expiring::of_at_most(ENTRIES_MAX),
        };
        Self { counts: Mutex::new(counts) }
    }

    /// Whether a password may be tried for `name` from `origin`.
    pub(in crate::server) fn admit(
        &self,
        name: Option<Username>,
        origin: Origin,
        now: Instant,
    ) -> Result<Try, Throttled> {
        lock(&self.counts).admit(name, origin, now)
    }

    /// The password was right.
    pub(in crate::server) fn was_right(&self, tried: Try, now: Instant) {
        let Try { name, origin, .. } = &tried;
        let mut counts = lock(&self.counts);
        counts.take_back(&tried, now);
        counts.pairs.remove(&(name.clone(), *origin));
        if let Some(name) = name {
            counts.make_familiar(name.clone(), *origin, now);
        }
    }

    /// It came to no try: nothing was hashed.
    pub(in crate::server) fn was_none(&self, tried: Try, now: Instant) {
        lock(&self.counts).take_back(&tried, now);
    }

    /// Counts a sign-up from `origin`, if there may be one; so many are `free`.
    pub(in crate::server) fn admit_sign_up(
        &self,
        origin: Origin,
        free: u32,
        now: Instant,
    ) -> Result<(), Throttled> {
        let terms = Terms { free, ..SIGN_UPS };
        let mut counts = lock(&self.counts);
        let before = counts.sign_ups.get(&origin);
        let wait = before.map_or(Duration::ZERO, |score| score.wait(&terms, now));
        if !wait.is_zero() {
            return Err(Throttled::SignUps(wait));
        }
        let score = Score::with_failure(before, &terms, now);
        counts.sign_ups.put(origin, score, score.until(&terms), now);
        drop(counts);
        Ok(())
    }

    /// The sign-up came to nothing because the server had no time for it.
    pub(in crate::server) fn sign_up_was_none(&self, origin: Origin, free: u32, now: Instant) {
        take_back(&mut lock(&self.counts).sign_ups, origin, &Terms { free, ..SIGN_UPS }, now);
    }

    /// Someone has signed up from `origin`.
    pub(in crate::server) fn signed_up(&self, name: &Username, origin: Origin, now: Instant) {
        lock(&self.counts).make_familiar(name.clone(), origin, now);
    }
}

impl Counts {
    fn admit(&mut self, name: Option<Username>, origin: Origin, now: Instant) -> Result<Try, Throttled> {
        let pair = (name.clone(), origin);
        let mut wait = self.pairs.get(&pair).map_or(Duration::ZERO, |score| score.wait(&PAIR, now));
        let is_familiar = name.as_ref().is_some_and(|name| self.is_familiar(name, origin));
        if !is_familiar {
            let of_address = self.addresses.get(&origin).map(|score| score.wait(&ADDRESS, now));
            wait = wait.max(of_address.unwrap_or_default());
        }
        if let Some(name) = name.as_ref().filter(|_| !is_familiar && wait.is_zero()) {
            wait = self.put_off(name, origin, now);
        }
        if !wait.is_zero() {
            return Err(Throttled::Passwords(wait));
        }
        charge(&mut self.pairs, pair, &PAIR, now);
        if !is_familiar {
            charge(&mut self.addresses, origin, &ADDRESS, now);
            if let Some(name) = &name {
                charge(&mut self.names, name.clone(), &NAME, now);
            }
        }
        Ok(Try { name, origin, is_familiar })
    }

    /// How long someone must still wait because of the count of a name: as long as they were told when they first asked.
    fn put_off(&mut self, name: &Username, origin: Origin, now: Instant) -> Duration {
        let key = (name.clone(), origin);
        if let Some(until) = self.put_off.get(&key).copied() {
            if until <= now {
                self.put_off.remove(&key);
            }
            return until.saturating_duration_since(now);
        }
        let demand = self.names.get(name).map_or(Duration::ZERO, |score| score.demand(&NAME, now));
        if !demand.is_zero() {
            self.put_off.put(key, now + demand, now + demand + NAME.forgiven_after, now);
        }
        demand
    }

    fn take_back(&mut self, tried: &Try, now: Instant) {
        take_back(&mut self.pairs, (tried.name.clone(), tried.origin), &PAIR, now);
        if !tried.is_familiar {
            take_back(&mut self.addresses, tried.origin, &ADDRESS, now);
            if let Some(name) = &tried.name {
                take_back(&mut self.names, name.clone(), &NAME, now);
            }
        }
    }

    fn is_familiar(&self, name: &Username, origin: Origin) -> bool {
        self.familiar.get(name).is_some_and(|origins| origins.contains(&origin))
    }

    fn make_familiar(&mut self, name: Username, origin: Origin, now: Instant) {
        let mut origins = self.familiar.remove(&name).unwrap_or_default();
        origins.retain(|known| *known != origin);
        origins.push(origin);
        let surplus = origins.len().saturating_sub(FAMILIAR_MAX);
        origins.drain(..surplus);
        self.familiar.put(name, origins, now + FAMILIAR_FOR, now);
    }
}

fn charge<K: Clone + Eq + std::hash::Hash>(
    table: &mut Expiring<K, Score>,
    key: K,
    terms: &Terms,
    now: Instant,
) {
    let score = Score::with_failure(table.get(&key), terms, now);
    table.put(key, score, score.until(terms), now);
}

fn take_back<K: Clone + Eq + std::hash::Hash>(
    table: &mut Expiring<K, Score>,
    key: K,
    terms: &Terms,
    now: Instant,
) {
    if let Some(score) = table.remove(&key).map(Score::without_failure)
        && score.until(terms) > now
    {
        table.put(key, score, score.until(terms), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    const MINUTE: Duration = Duration::from_secs(60);

    fn host(number: u16) -> Origin {
        let [high, low] = number.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(198, 51, high, low)).into()
    }

    /// Throttles and a time of their own.
    struct Bench {
        throttles: Throttles,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self { throttles: Throttles::new(), now: Instant::now() }
        }

        fn admit(&self, who: &str, from: u16) -> Result<Try, Throttled> {
            self.throttles.admit(who.parse().ok(), host(from), self.now)
        }

        /// Tries a wrong password, or gives the wait.
        fn guess(&self, who: &str, from: u16) -> Result<(), Duration> {
            self.admit(who, from).map(drop).map_err(Throttled::wait)
        }

        /// Tries a wrong password, or does not get to it.
        fn attack(&self, who: &str, from: u16) {
            let _ = self.guess(who, from);
        }

        fn come_in(&self, who: &str, from: u16) -> Result<(), Duration> {
            let tried = self.admit(who, from).map_err(Throttled::wait)?;
            self.throttles.was_right(tried, self.now);
            Ok(())
        }

        /// Guesses as often as that is possible within this time, and gives how often that was.
        fn guesses_within(&mut self, who: &str, from: u16, time: Duration) -> u32 {
            let (until, mut guesses) = (self.now + time, 0);
            while self.now < until {
                match self.guess(who, from) {
                    Ok(()) => guesses += 1,
                    Err(wait) => self.now += wait,
                }
            }
            guesses
        }

        /// Many hosts, which guess as often as they may.
        fn under_attack(who: &str) -> Self {
            let mut bench = Self::new();
            for _ in 0..20 {
                (1000..1100).for_each(|from| bench.attack(who, from));
                bench.now += MINUTE;
            }
            bench
        }
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn who_guesses_waits_ever_longer_and_who_stops_is_forgiven() {
        let mut bench = Bench::new();
        let mut waits = Vec::new();
        for _ in 0..5 {
            while bench.guess("alice", 1).is_ok() {}
            let wait = bench.guess("alice", 1).unwrap_err();
            waits.push(wait.as_secs_f64().round());
            bench.now += wait;
        }
        assert_eq!(waits, [2.0, 4.0, 8.0, 16.0, 32.0]);
        bench.now += seconds(24 * 3600);
        assert!((0..5).all(|_| bench.guess("alice", 1).is_ok()));
    }

    #[test]
    fn in_a_day_one_address_guesses_some_hundred_times_however_many_names_it_tries() {
        let mut bench = Bench::new();
        let day = seconds(24 * 3600);
        assert!(bench.guesses_within("alice", 1, day) < 115);
        let mut guesses = 0;
        let until = bench.now + day;
        for number in 0.. {
            match bench.guess(&format!("name{number}"), 2) {
                Ok(()) => guesses += 1,
                Err(wait) => bench.now += wait,
            }
            if bench.now > until {
                break;
            }
        }
        assert!(guesses < 64 + 115, "{guesses}");
    }

    #[test]
    fn a_thousand_at_once_are_no_better_than_one_after_the_other() {
        let bench = Bench::new();
        let under_way: Vec<_> = (0..1000).filter_map(|_| bench.admit("alice", 1).ok()).collect();
        assert_eq!(under_way.len(), 6);
    }

    #[test]
    fn who_was_right_begins_anew_and_never_paid_for_it() {
        let bench = Bench::new();
        for _ in 0..1000 {
            for _ in 0..5 {
                bench.guess("alice", 1).unwrap();
            }
            bench.come_in("alice", 1).unwrap();
        }
        for _ in 0..1000 {
            let tried = bench.admit("bob", 2).unwrap();
            bench.throttles.was_none(tried, bench.now);
        }
    }

    #[test]
    fn someone_with_an_account_of_their_own_does_not_wipe_their_slate_with_it() {
        let bench = Bench::new();
        let mut guesses = 0;
        for number in 0..500 {
            bench.come_in("mallory", 1).unwrap();
            guesses += u32::from(bench.guess(&format!("name{number}"), 1).is_ok());
        }
        assert_eq!(guesses, 65);
        let bench = Bench::new();
        for _ in 0..20 {
            bench.come_in("mallory", 1).unwrap();
            bench.attack("alice", 1);
        }
        assert!(bench.guess("alice", 1).is_err());
    }

    #[test]
    fn the_owner_is_let_in_from_where_they_always_come_whatever_others_do_elsewhere_or_there() {
        let bench = Bench::new();
        bench.come_in("alice", 1).unwrap();
        (1000..1100).for_each(|from| bench.attack("alice", from));
        bench.come_in("alice", 1).unwrap();
        (0..100).for_each(|number| bench.attack(&format!("name{number}"), 1));
        assert!(bench.guess("newcomer", 1).is_err());
        bench.come_in("alice", 1).unwrap();
    }

    #[test]
    fn the_owner_waits_a_minute_at_most_where_nobody_knows_them_though_the_attack_goes_on() {
        let mut bench = Bench::under_attack("alice");
        let mut waited = Duration::ZERO;
        for from in 2000.. {
            match bench.come_in("alice", 1) {
                Ok(()) => break,
                Err(wait) => assert!(wait <= MINUTE),
            }
            bench.now += seconds(1);
            waited += seconds(1);
            (0..10).for_each(|n| bench.attack("alice", from * 10 + n));
        }
        assert!(waited <= MINUTE, "{waited:?}");
        bench.come_in("alice", 1).unwrap();
    }

    #[test]
    fn under_attack_from_many_addresses_a_newcomer_among_them_has_one_guess_a_minute() {
        let mut bench = Bench::under_attack("alice");
        let guesses = bench.guesses_within("alice", 1, MINUTE * 5);
        assert!(guesses <= 6, "{guesses}");
        assert!(Bench::new().guesses_within("alice", 1, MINUTE * 5) > 6, "without the others");
    }

    #[test]
    fn texts_that_are_no_names_count_as_one_and_are_refused_in_the_same_words() {
        let bench = Bench::new();
        let guess = || bench.throttles.admit(None, host(1), bench.now);
        assert!((0..6).all(|_| guess().is_ok()));
        let refused = guess().err().unwrap();
        (0..6).for_each(|_| bench.guess("alice", 2).unwrap());
        assert_eq!(refused.to_string(), bench.admit("alice", 2).err().unwrap().to_string());
    }

    #[test]
    fn an_address_signs_up_so_many_at_once_and_then_one_a_minute() {
        let mut bench = Bench::new();
        let sign_up = |bench: &Bench| bench.throttles.admit_sign_up(host(1), 3, bench.now);
        assert_eq!((0..10).filter(|_| sign_up(&bench).is_ok()).count(), 4);
        bench.throttles.sign_up_was_none(host(1), 3, bench.now);
        assert!(sign_up(&bench).is_ok() && sign_up(&bench).is_err());
        bench.throttles.admit_sign_up(host(2), 3, bench.now).unwrap();
        let mut in_an_hour = 0;
        for _ in 0..3600 {
            bench.now += seconds(1);
            in_an_hour += u32::from(sign_up(&bench).is_ok());
        }
        assert!((59..=61).contains(&in_an_hour), "{in_an_hour}");
    }

    #[test]
    fn to_fill_the_tables_wipes_nobodys_slate_who_has_guessed_more_than_once() {
        let bench = Bench::new();
        while bench.guess("alice", 1).is_ok() {}
        let wait = bench.guess("alice", 1).unwrap_err();
        for number in 0..60_000_u32 {
            let from = u16::try_from(2 + number % 60_000).unwrap();
            bench.attack(&format!("name{number}"), from);
        }
        assert_eq!(bench.guess("alice", 1), Err(wait));
    }
}
