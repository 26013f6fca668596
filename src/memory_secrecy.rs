//! Keeps what is in this process's memory (keys, passwords, messages) from the disk and from other processes of the same
//! user. It stands apart because it must be done before anything secret is there, by server and client alike.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Lets no crash write the memory to a file and, on Linux, lets no other process of the user attach to this one
/// (prctl(2), `PR_SET_DUMPABLE`). What the system refuses is no reason not to run.
pub fn keep_memory_secret() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
