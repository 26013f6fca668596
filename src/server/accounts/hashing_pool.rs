//! The threads that hash passwords. Apart, because they bound what logins can take of the host, however many come at once:
//! so many hashes at a time, so many waiting (see [`Queue`]), one working buffer for each thread. The system gives them
//! what others leave over, so that no flood of passwords slows down those who are inside.

use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use argon2::Block;
use zeroize::{Zeroize, Zeroizing};

use super::hashing_queue::{Next, Queue, Turn};
use super::password_hash::{Cost, StoredHash};
use crate::server::background;
use crate::server::origin::Origin;

/// The most threads that hash at once. More are slower: on two cores eight made 30 hashes a second (19 MiB),
/// and one or two made 63.
const WORKERS_MAX: usize = 2;

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
    /// As many hashes are waiting as may wait, in all or from one address.
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
        Self::with(cores.min(WORKERS_MAX), IDLE_MAX)
    }

    /// Hashes a new password, which has come from `origin`, with a fresh salt; blocks until it is done. The job's copy
    /// of it is wiped.
    pub(crate) fn hash(
        &self,
        origin: Origin,
        password: &str,
        cost: Cost,
    ) -> Result<StoredHash, HashingError> {
        let password = Zeroizing::new(password.to_owned());
        let hashed = self.run(origin, move |memory| StoredHash::compute(&password, cost, memory))?;
        hashed.map_err(HashingError::Failed)
    }

    /// Whether `stored` is the hash of this password, which has come from `origin`; blocks until it is known. The job's
    /// copy of the password is wiped.
    pub(crate) fn verify(
        &self,
        origin: Origin,
        password: &str,
        stored: &StoredHash,
    ) -> Result<bool, HashingError> {
        let (password, stored) = (Zeroizing::new(password.to_owned()), stored.clone());
        self.run(origin, move |memory| stored.matches(&password, memory))?.map_err(HashingError::Failed)
    }

    /// Takes no more jobs and forgets those that wait, so that whoever waits for one is told at once.
    pub(crate) fn close(&self) {
        self.queue.close();
    }

    fn with(workers: usize, idle_max: Duration) -> io::Result<Self> {
        let mut pool = Self { queue: Arc::new(Queue::for_workers(workers)), workers: Vec::new() };
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
        origin: Origin,
        job: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        self.submit(origin, job)?.recv().unwrap_or(Err(HashingError::Interrupted))
    }

    /// The answer comes out of the receiver, or its end does when there won't be one.
    fn submit<T: Send + 'static>(
        &self,
        origin: Origin,
        job: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<Receiver<Result<T, HashingError>>, HashingError> {
        let (answer, receiver) = mpsc::sync_channel(1);
        let job = move |turn: Turn<'_>| {
            drop(answer.send(match turn {
                Turn::Run(memory) => Ok(job(memory)),
                Turn::GiveWay { retry_after } => Err(HashingError::Busy { retry_after }),
            }));
        };
        self.queue.push(origin, Box::new(job)).map_err(|refused| {
            refused.map_or(HashingError::Interrupted, |retry_after| HashingError::Busy { retry_after })
        })?;
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

/// The life of one thread.
fn work(queue: &Queue, idle_max: Duration) {
    background::stand_back();
    let mut memory = Vec::new();
    loop {
        match queue.next(idle_max) {
            Next::Run(job) => {
                tracing::debug!("hashing a password");
                let begun = Instant::now();
                // Whatever state a panic leaves the buffer in, it is wiped before anyone else sees it.
                if catch_unwind(AssertUnwindSafe(|| job(Turn::Run(&mut memory)))).is_err() {
                    tracing::error!("hashing a password panicked; that login failed, others go on");
                }
                memory.iter_mut().zeroize();
                queue.worked(begun.elapsed());
            }
            Next::Rest => memory = Vec::new(),
            Next::End => return,
        }
    }
}

/// Where all passwords of a test come from.
#[cfg(test)]
pub(super) fn somewhere() -> Origin {
    std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST).into()
}

#[cfg(test)]
mod tests {
    use std::mem;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::mpsc::Sender;

    use super::*;

    /// What tests of logins look at.
    impl HashingPool {
        /// How many jobs the threads have taken up so far.
        pub(crate) fn jobs_taken(&self) -> u32 {
            self.queue.taken()
        }

        /// How many jobs no thread has taken up yet.
        pub(crate) fn jobs_waiting(&self) -> usize {
            self.queue.waiting()
        }

        /// Keeps all threads busy until what it returns is dropped; every later job waits.
        pub(crate) fn hold(&self) -> Vec<Sender<()>> {
            let hold_one = |_: &JoinHandle<()>| {
                let (open, gate) = mpsc::channel::<()>();
                self.submit(somewhere(), move |_| gate.recv()).unwrap();
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
        HashingPool::with(1, idle_max).unwrap()
    }

    #[test]
    fn what_was_hashed_is_verified_and_nothing_else_is() {
        let pool = HashingPool::start().unwrap();
        let stored = pool.hash(somewhere(), "Correct horse 1", Cost::SMALL_HOST).unwrap();
        assert_eq!(pool.verify(somewhere(), "Correct horse 1", &stored), Ok(true));
        assert_eq!(pool.verify(somewhere(), "Correct horse 2", &stored), Ok(false));
        assert_eq!(pool.jobs_taken(), 3);
    }

    #[test]
    fn whoever_has_to_give_way_or_finds_no_place_is_told_when_to_come_back() {
        let pool = HashingPool::with(0, IDLE_MAX).unwrap(); // nobody takes the jobs away
        let other = |number| Origin::from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)));
        let submit = |origin| pool.submit(origin, |_| ());
        let mut waiting: Vec<_> = (0..64).map(|number| submit(other(number / 32)).unwrap()).collect();
        let busy = submit(other(0)).err().unwrap();
        assert!(matches!(busy, HashingError::Busy { .. }));
        assert!(busy.to_string().contains("try again in "), "{busy}");
        let _newcomer = submit(other(9)).unwrap();
        let told = waiting.iter_mut().filter_map(|one| one.try_recv().ok()).collect::<Vec<_>>();
        assert!(matches!(told.as_slice(), [Err(HashingError::Busy { .. })]), "{told:?}");
    }

    #[test]
    fn whoever_waits_is_told_at_once_when_the_pool_closes() {
        let pool = HashingPool::with(0, IDLE_MAX).unwrap();
        let waiting = pool.submit(somewhere(), |_| ()).unwrap();
        pool.close();
        assert!(waiting.recv().is_err());
        assert_eq!(pool.run(somewhere(), |_| ()), Err(HashingError::Interrupted));
    }

    #[test]
    fn a_job_that_panics_fails_alone() {
        let pool = one_worker(IDLE_MAX);
        assert_eq!(
            pool.run(somewhere(), |_| panic!("a job's own fault")),
            Err::<(), _>(HashingError::Interrupted)
        );
        assert_eq!(pool.run(somewhere(), |_| 42), Ok(42));
    }

    #[test]
    fn the_buffer_is_kept_for_the_next_job_but_not_what_was_in_it() {
        let pool = one_worker(IDLE_MAX);
        pool.run(somewhere(), |memory| {
            memory.resize(8, Block::new());
            memory[7].as_mut().fill(u64::MAX);
        })
        .unwrap();
        let seen = pool.run(somewhere(), |memory| {
            (memory.len(), memory.iter().flat_map(AsRef::as_ref).all(|&word| word == 0))
        });
        assert_eq!(seen, Ok((8, true)));
    }

    #[test]
    fn an_idle_worker_gives_its_buffer_back() {
        let pool = one_worker(Duration::ZERO);
        let capacity_before = |memory: &mut Vec<_>| mem::replace(memory, vec![Block::new(); 8]).capacity();
        pool.run(somewhere(), capacity_before).unwrap();
        // The next job may be there before the worker rests; one of many won't be.
        assert!((0..100_000).any(|_| pool.run(somewhere(), capacity_before) == Ok(0)));
    }

    #[test]
    fn dropping_the_pool_joins_its_threads() {
        let pool = HashingPool::with(2, IDLE_MAX).unwrap();
        let queue = Arc::downgrade(&pool.queue);
        drop(pool);
        assert!(queue.upgrade().is_none());
    }
}
