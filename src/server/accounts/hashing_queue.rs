//! Who waits for a thread that hashes, and whose turn it is. Apart from the threads, because it is where one address is
//! kept from taking them all.
//!
//! The addresses take turns: whoever is the only one from an address waits for one hash of each other address, however
//! many those have waiting. An address has so many places only; and when all places are taken, the newest from the
//! address with the most gives way to who comes from one that has fewer.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use argon2::Block;

use crate::server::lock::lock;
use crate::server::origin::Origin;

/// The most hashes that wait for a thread; some three seconds of work for two threads at the standard cost.
const WAITING_MAX: usize = 64;
/// The most of them from one address.
const WAITING_OF_ONE_MAX: usize = WAITING_MAX / 2;

/// It is told once what becomes of it, or dropped when the queue closes.
pub(super) type Job = Box<dyn FnOnce(Turn<'_>) + Send>;

/// What becomes of a job.
pub(super) enum Turn<'a> {
    /// It runs, and is lent the worker's buffer: all zeros, of any length.
    Run(&'a mut Vec<Block>),
    /// It does not: others need its place more.
    GiveWay {
        /// How long the hashes that wait now will take, rounded up to whole seconds.
        retry_after: Duration,
    },
}

/// What the threads and their callers share.
pub(super) struct Queue {
    workers: usize,
    state: Mutex<State>,
    /// Signalled when a job comes and when the queue closes.
    changed: Condvar,
}

/// Written by callers, who add jobs, and by workers, who take them; never locked while a job runs.
#[derive(Default)]
struct State {
    /// What waits, by address. Nobody's list is empty.
    jobs: HashMap<Origin, VecDeque<Job>>,
    /// The same addresses, the one first whose turn is next.
    turns: VecDeque<Origin>,
    waiting: usize,
    closed: bool,
    /// How many jobs were taken up, and how long those that ended took together.
    taken: u32,
    worked: Duration,
}

/// What a worker does next.
pub(super) enum Next {
    Run(Job),
    Rest,
    End,
}

impl Queue {
    /// An empty one. The number of workers tells how long the wait is.
    pub(super) fn for_workers(workers: usize) -> Self {
        Self { workers, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Adds a job. If it may not wait, gives when to try again; `None` when that would never help.
    pub(super) fn push(&self, origin: Origin, job: Job) -> Result<(), Option<Duration>> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(None);
        }
        let retry_after = self.retry_after(&state);
        let own = state.jobs.get(&origin).map_or(0, VecDeque::len);
        if own >= WAITING_OF_ONE_MAX {
            return Err(Some(retry_after));
        }
        let mut giving_way = None;
        if state.waiting >= WAITING_MAX {
            giving_way = state.newest_of_who_has_more_than(own + 1);
            if giving_way.is_none() {
                return Err(Some(retry_after));
            }
        }
        state.push(origin, job);
        drop(state);
        self.changed.notify_one();
        if let Some(job) = giving_way {
            job(Turn::GiveWay { retry_after });
        }
        Ok(())
    }

    /// Waits for a job, at most `idle_max`.
    pub(super) fn next(&self, idle_max: Duration) -> Next {
        let waited = self
            .changed
            .wait_timeout_while(lock(&self.state), idle_max, |state| state.waiting == 0 && !state.closed);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Next::End;
        }
        let Some(job) = state.pop() else { return Next::Rest };
        state.taken = state.taken.saturating_add(1);
        Next::Run(job)
    }

    /// Notes how long a job took.
    pub(super) fn worked(&self, time: Duration) {
        lock(&self.state).worked += time;
    }

    /// Takes no more jobs, and drops those that wait.
    pub(super) fn close(&self) {
        let forgotten = {
            let mut state = lock(&self.state);
            state.closed = true;
            state.waiting = 0;
            state.turns.clear();
            mem::take(&mut state.jobs)
        };
        drop(forgotten);
        self.changed.notify_all();
    }

    /// The mean time of a job, for all that wait, shared among the workers; at least one second.
    fn retry_after(&self, state: &State) -> Duration {
        let mean = state.worked / state.taken.max(1);
        let rounds = state.waiting / self.workers.max(1) + 1;
        let wait = mean.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
        Duration::from_secs(wait.as_secs().saturating_add(1))
    }
}

impl State {
    fn push(&mut self, origin: Origin, job: Job) {
        let jobs = self.jobs.entry(origin).or_default();
        if jobs.is_empty() {
            self.turns.push_back(origin);
        }
        jobs.push_back(job);
        self.waiting += 1;
    }

    fn pop(&mut self) -> Option<Job> {
        let origin = self.turns.pop_front()?;
        let jobs = self.jobs.get_mut(&origin)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.jobs.remove(&origin);
        } else {
            self.turns.push_back(origin);
        }
        self.waiting -= usize::from(job.is_some());
        job
    }

    /// Takes away the newest job of the address that has the most, if those are more than `count`.
    fn newest_of_who_has_more_than(&mut self, count: usize) -> Option<Job> {
        let (_, jobs) = self.jobs.iter_mut().max_by_key(|(_, jobs)| jobs.len())?;
        // More than one, so this is not the last.
        let job = if jobs.len() > count { jobs.pop_back() } else { None };
        self.waiting -= usize::from(job.is_some());
        job
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::{Arc, mpsc};

    use super::*;

    impl Queue {
        /// How many jobs were taken up so far.
        pub(in super::super) fn taken(&self) -> u32 {
            lock(&self.state).taken
        }

        /// How many jobs were not taken up yet.
        pub(in super::super) fn waiting(&self) -> usize {
            lock(&self.state).waiting
        }
    }

    fn host(number: u8) -> Origin {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)).into()
    }

    /// A queue without workers, and what its jobs tell: whose they are, and whether they ran.
    struct Bench {
        queue: Queue,
        tell: mpsc::Sender<(u8, bool)>,
        told: mpsc::Receiver<(u8, bool)>,
    }

    impl Bench {
        fn new() -> Self {
            let (tell, told) = mpsc::channel();
            Self { queue: Queue::for_workers(1), tell, told }
        }

        fn push(&self, from: u8) -> Result<(), Option<Duration>> {
            let tell = self.tell.clone();
            let job = move |turn: Turn<'_>| tell.send((from, matches!(turn, Turn::Run(_)))).unwrap();
            self.queue.push(host(from), Box::new(job))
        }

        /// Whose jobs run next.
        fn run(&self, count: usize) -> Vec<u8> {
            for _ in 0..count {
                let Next::Run(job) = self.queue.next(Duration::ZERO) else { panic!("no job") };
                job(Turn::Run(&mut Vec::new()));
            }
            self.told.try_iter().map(|(from, ran)| ran.then_some(from).unwrap()).collect()
        }
    }

    #[test]
    fn addresses_take_turns_however_many_each_has_waiting() {
        let bench = Bench::new();
        for from in [1, 1, 1, 1, 2, 3, 3] {
            bench.push(from).unwrap();
        }
        assert_eq!(bench.run(5), [1, 2, 3, 1, 3]);
        bench.push(2).unwrap();
        assert_eq!(bench.run(3), [1, 2, 1]);
        assert!(matches!(bench.queue.next(Duration::ZERO), Next::Rest));
    }

    #[test]
    fn one_address_can_not_fill_the_queue() {
        let bench = Bench::new();
        assert_eq!((0..1000).filter(|_| bench.push(1).is_ok()).count(), WAITING_OF_ONE_MAX);
        bench.push(2).unwrap();
    }

    #[test]
    fn when_it_is_full_the_newest_of_who_has_the_most_gives_way_and_is_told_when_to_come_back() {
        let bench = Bench::new();
        for number in 0..64 {
            bench.push(1 + number / 32).unwrap();
        }
        bench.push(3).unwrap();
        let (from, ran) = bench.told.try_recv().unwrap();
        assert!((from == 1 || from == 2) && !ran);
        // From as many addresses as there are places, each has one and keeps it.
        let full = Bench::new();
        (0..64).for_each(|from| full.push(from).unwrap());
        assert!(full.push(99).is_err() && full.push(5).is_err());
        assert_eq!(full.queue.waiting(), WAITING_MAX);
    }

    #[test]
    fn the_wait_is_the_time_of_those_who_wait_and_of_who_asks_up_to_the_next_second() {
        let bench = Bench::new();
        (0..32).for_each(|_| bench.push(1).unwrap());
        lock(&bench.queue.state).worked = Duration::from_millis(250);
        assert_eq!(bench.push(1), Err(Some(Duration::from_secs(9)))); // 33 times 0.25 s
    }

    #[test]
    fn a_closed_queue_drops_what_waits_and_takes_nothing() {
        let bench = Bench::new();
        let held = Arc::new(());
        let in_job = Arc::clone(&held);
        bench.queue.push(host(1), Box::new(move |_| drop(in_job))).unwrap();
        bench.queue.close();
        assert_eq!(Arc::strong_count(&held), 1);
        assert_eq!(bench.push(1), Err(None));
        assert!(matches!(bench.queue.next(Duration::ZERO), Next::End));
    }
}
