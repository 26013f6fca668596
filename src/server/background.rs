//! Threads that work while nobody waits for them.

/// How far they stand back behind all others of this process (setpriority(2)): as far as they can.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;

/// Lets this thread run when the others leave something over. Only Linux has priorities of single threads; elsewhere it
/// competes like everyone.
pub(super) fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "a thread in the background works at the same priority as everything else");
    }
}
