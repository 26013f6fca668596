//! Something that one thread changes and a test waits for. It is woken by each change, so it never sleeps.

use std::sync::{Condvar, Mutex};
use std::time::Instant;

use crate::support::PATIENCE;

/// A value, and who waits for it to change.
#[derive(Default)]
pub struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    /// This value.
    pub fn new(value: T) -> Self {
        Self { value: Mutex::new(value), changed: Condvar::new() }
    }

    /// Changes it, and wakes whoever waits.
    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.value.lock().unwrap());
        self.changed.notify_all();
        result
    }

    /// Looks at it once.
    pub fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.value.lock().unwrap())
    }

    /// Looks at it after every change until there is something to see. A test that waits too long fails, and tells
    /// what it waited for and what was there.
    pub fn wait<R>(
        &self,
        what: &str,
        mut look: impl FnMut(&T) -> Option<R>,
        describe: impl FnOnce(&T) -> String,
    ) -> R {
        let until = Instant::now() + PATIENCE;
        let mut value = self.value.lock().unwrap();
        loop {
            if let Some(seen) = look(&value) {
                return seen;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let there = describe(&value);
                drop(value);
                panic!("within {PATIENCE:?} it did not happen that {what}; this is there:\n{there}");
            }
            value = self.changed.wait_timeout(value, left).unwrap().0;
        }
    }
}
