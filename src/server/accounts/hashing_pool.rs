//! The threads that hash passwords. Apart, because they bound what logins can take of the host, however many
//! come at once: so many hashes at a time, so many waiting, one working buffer for each thread.

use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{io, mem};

use argon2::Block;
use zeroize::{Zeroize, Zeroizing};

use super::password_hash::{Cost, StoredHash};
use crate::server::lock::lock;

/// The most threads that hash at once. More are slower: on two cores eight made 30 hashes a second (19 MiB),
/// and one or two made 63.
const WORKERS_MAX: usize = 2;
/// The most hashes that wait for a thread; some three seconds of work for two threads at the standard cost.
const WAITING_MAX: usize = 64;
/// After so long without work a thread gives its buffer back to the system.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// A few threads that hash passwords, one at a time each. Dropping it ends them.
pub(crate) struct HashingPool {
    queue: Arc<Queue>,
    workers: Vec<JoinHandle<()>>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HashingError {
    /// As many hashes are waiting as may wait.
    #[error("too many people are logging in at once; try again in {} s", .retry_after.as_secs())]
    Busy {
        /// How long the hashes that wait now will take, rounded up to whole seconds.
        retry_after: Duration,
    },
    /// The pool was closed, or its thread panicked, before there was an answer.
    #[error("the server could not finish that; connect again in a moment")]
    Interrupted,
    /// No memory or no random numbers.
    #[error("the server could not hash the password ({0}); tell the person who runs it")]
    Failed(argon2::password_hash::Error),
}

impl HashingPool {
    /// Starts a thread for each core, up to two.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self::with(cores.min(WORKERS_MAX), WAITING_MAX, IDLE_MAX)
    }

    /// Hashes a new password with a fresh salt; blocks until it is done. The job's copy of it is wiped.
    pub(crate) fn hash(&self, password: &str, cost: Cost) -> Result<StoredHash, HashingError> {
        let password = Zeroizing::new(password.to_owned());
        self.run(move |memory| StoredHash::compute(&password, cost, memory))?.map_err(HashingError::Failed)
    }

    /// Whether `stored` is this password's hash; blocks until it is known. The job's copy of the password is
    /// wiped.
    pub(crate) fn verify(&self, password: &str, stored: &StoredHash) -> Result<bool, HashingError> {
        let (password, stored) = (Zeroizing::new(password.to_owned()), stored.clone());
        self.run(move |memory| stored.matches(&password, memory))?.map_err(HashingError::Failed)
    }

    /// Takes no more jobs and forgets those that wait, so that whoever waits for one is told at once.
    pub(crate) fn close(&self) {
        let forgotten = {
            let mut state = lock(&self.queue.state);
            state.closed = true;
            mem::take(&mut state.jobs)
        };
        drop(forgotten);
        self.queue.changed.notify_all();
    }

    fn with(workers: usize, waiting_max: usize, idle_max: Duration) -> io::Result<Self> {
        let queue = Queue { waiting_max, workers, state: Mutex::default(), changed: Condvar::new() };
        let mut pool = Self { queue: Arc::new(queue), workers: Vec::new() };
        for _ in 0..workers {
            let queue = Arc::clone(&pool.queue);
            let worker =
                thread::Builder::new().name("argon2".to_owned()).spawn(move || work(&queue, idle_max))?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

    fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        self.submit(job)?.recv().map_err(|_| HashingError::Interrupted)
    }

    /// The answer comes out of the receiver, or its end does when there won't be one.
    fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<Receiver<T>, HashingError> {
        let (answer, receiver) = mpsc::sync_channel(1);
        self.queue.push(Box::new(move |memory| drop(answer.send(job(memory)))))?;
        Ok(receiver)
    }
}

impl Drop for HashingPool {
    fn drop(&mut self) {
        self.close();
        for worker in self.workers.drain(..) {
            drop(worker.join()); // jobs that panic don't end a worker
        }
    }
}

/// It is lent the worker's buffer: all zeros, of any length.
type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// What the threads and their callers share.
struct Queue {
    waiting_max: usize,
    workers: usize,
    state: Mutex<State>,
    /// Signalled when a job comes and when the queue closes.
    changed: Condvar,
}

/// Written by callers, who add jobs, and by workers, who take them; never locked while a job runs.
#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
    /// How many jobs were taken up, and how long those that ended took together.
    taken: u32,
    worked: Duration,
}

/// What a worker does next.
enum Next {
    Run(Job),
    Rest,
    End,
}

impl Queue {
    fn push(&self, job: Job) -> Result<(), HashingError> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(HashingError::Interrupted);
        }
        if state.jobs.len() >= self.waiting_max {
            return Err(HashingError::Busy { retry_after: self.retry_after(&state) });
        }
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// The mean time of a job, for all that wait, shared among the workers; at least one second.
    fn retry_after(&self, state: &State) -> Duration {
        let mean = state.worked / state.taken.max(1);
        let rounds = state.jobs.len() / self.workers.max(1) + 1;
        let wait = mean.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
        Duration::from_secs(wait.as_secs().saturating_add(1))
    }

    /// Waits for a job, at most `idle_max`.
    fn next(&self, idle_max: Duration) -> Next {
        let waited = self
            .changed
            .wait_timeout_while(lock(&self.state), idle_max, |state| state.jobs.is_empty() && !state.closed);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Next::End;
        }
        let Some(job) = state.jobs.pop_front() else { return Next::Rest };
        state.taken = state.taken.saturating_add(1);
        Next::Run(job)
    }
}

/// The life of one thread.
fn work(queue: &Queue, idle_max: Duration) {
    let mut memory = Vec::new();
    loop {
        match queue.next(idle_max) {
            Next::Run(job) => {
                tracing::debug!("hashing a password");
                let begun = Instant::now();
                // Whatever state a panic leaves the buffer in, it is wiped before anyone else sees it.
                if catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
                    tracing::error!("hashing a password panicked; that login failed, others go on");
                }
                memory.iter_mut().zeroize();
                lock(&queue.state).worked += begun.elapsed();
            }
            Next::Rest => memory = Vec::new(),
            Next::End => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use super::*;

    /// What tests of logins look at.
    impl HashingPool {
        /// How many jobs the threads have taken up so far.
        pub(crate) fn jobs_taken(&self) -> u32 {
            lock(&self.queue.state).taken
        }

        /// How many jobs no thread has taken up yet.
        pub(crate) fn jobs_waiting(&self) -> usize {
            lock(&self.queue.state).jobs.len()
        }

        /// Keeps all threads busy until what it returns is dropped; every later job waits.
        pub(crate) fn hold(&self) -> Vec<Sender<()>> {
            let hold_one = |_: &JoinHandle<()>| {
                let (open, gate) = mpsc::channel::<()>();
                self.submit(move |_| gate.recv()).unwrap();
                open
            };
            let held = self.workers.iter().map(hold_one).collect();
            while self.jobs_waiting() != 0 {
                thread::yield_now();
            }
            held
        }
    }

    fn one_worker(idle_max: Duration) -> HashingPool {
        HashingPool::with(1, WAITING_MAX, idle_max).unwrap()
    }

    #[test]
    fn what_was_hashed_is_verified_and_nothing_else_is() {
        let pool = HashingPool::start().unwrap();
        let stored = pool.hash("Correct horse 1", Cost::SMALL_HOST).unwrap();
        assert_eq!(pool.verify("Correct horse 1", &stored), Ok(true));
        assert_eq!(pool.verify("Correct horse 2", &stored), Ok(false));
        assert_eq!(pool.jobs_taken(), 3);
    }

    #[test]
    fn a_full_queue_answers_busy_at_once_and_says_when_to_come_back() {
        let pool = HashingPool::with(0, 2, IDLE_MAX).unwrap(); // nobody takes the jobs away
        let _waiting = [pool.submit(|_| ()).unwrap(), pool.submit(|_| ()).unwrap()];
        lock(&pool.queue.state).worked = Duration::from_millis(2500);
        let error = pool.hash("Correct horse 1", Cost::SMALL_HOST).err().unwrap();
        // Two that wait and the one that asks, and up to the next second.
        assert_eq!(error, HashingError::Busy { retry_after: Duration::from_secs(8) });
        assert!(error.to_string().ends_with("try again in 8 s"));
    }

    #[test]
    fn whoever_waits_is_told_at_once_when_the_pool_closes() {
        let pool = HashingPool::with(0, 2, IDLE_MAX).unwrap();
        let waiting = pool.submit(|_| ()).unwrap();
        pool.close();
        assert!(waiting.recv().is_err());
        assert_eq!(pool.run(|_| ()), Err(HashingError::Interrupted));
    }

    #[test]
    fn a_job_that_panics_fails_alone() {
        let pool = one_worker(IDLE_MAX);
        assert_eq!(pool.run(|_| panic!("a job's own fault")), Err::<(), _>(HashingError::Interrupted));
        assert_eq!(pool.run(|_| 42), Ok(42));
    }

    #[test]
    fn the_buffer_is_kept_for_the_next_job_but_not_what_was_in_it() {
        let pool = one_worker(IDLE_MAX);
        pool.run(|memory| {
            memory.resize(8, Block::new());
            memory[7].as_mut().fill(u64::MAX);
        })
        .unwrap();
        let seen =
            pool.run(|memory| (memory.len(), memory.iter().flat_map(AsRef::as_ref).all(|&word| word == 0)));
        assert_eq!(seen, Ok((8, true)));
    }

    #[test]
    fn an_idle_worker_gives_its_buffer_back() {
        let pool = one_worker(Duration::ZERO);
        let capacity_before = |memory: &mut Vec<_>| mem::replace(memory, vec![Block::new(); 8]).capacity();
        pool.run(capacity_before).unwrap();
        // The next job may be there before the worker rests; one of many won't be.
        assert!((0..100_000).any(|_| pool.run(capacity_before) == Ok(0)));
    }

    #[test]
    fn dropping_the_pool_joins_its_threads() {
        let pool = HashingPool::with(2, WAITING_MAX, IDLE_MAX).unwrap();
        let queue = Arc::downgrade(&pool.queue);
        drop(pool);
        assert!(queue.upgrade().is_none());
    }
}
