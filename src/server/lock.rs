//! The one way to lock a mutex, and so the one policy for poisoned ones.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`. A panic in another session does not spread: every critical section of the server either finishes
/// its change or makes none before it can panic, so what a poisoned mutex guards is still whole.
///
/// Who holds more than one takes them in this order: `users.db`, the devices' store, the invites' store, the bans' store,
/// client map, directory of rooms, room, wire of an outbox, queue of an outbox. The accounts' records, the known devices
/// and the known bans come last: nothing is locked under them.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
