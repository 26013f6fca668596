//! A server under attack, and whether it is as it was when the attackers are gone.

use std::thread;
use std::time::Duration;

use super::{Peer, ServerProcess, eventually};

/// What the process may keep, in KiB: the allocator's arenas, the hashing threads' buffers (19 MiB each), the
/// database's cache. An attacker who makes it keep what it was sent would send more.
const KEPT_KIB: u64 = 64 * 1024;

/// For how long an idle server is watched. It may use a clock tick in it, for its housekeeping.
const WATCHED: Duration = Duration::from_millis(300);
const IDLE_TICKS: u64 = 1;

/// An attack.
pub struct Siege;

impl Siege {
    /// Runs an attack on a server with these limits, on which someone named `witness` has an account; a client that is
    /// inside all the while, named `resident`, must not notice anything.
    pub fn of(limits: &[&str], attack: impl FnOnce(&ServerProcess)) {
        let server = ServerProcess::with_limits(limits);
        Peer::signed_up(server.link(), "witness").leave();
        let mut resident = Peer::signed_up(server.link(), "resident");
        // Another room than the attackers' is not there yet: the resident says nothing and is in none.
        let one = 1;
        let threads = eventually("only the resident is here", || {
            let threads = server.threads();
            (server.sessions() == one).then_some(threads)
        });
        let memory = server.resident_kib();

        attack(&server);

        eventually("the attackers' threads are gone", || (server.threads() == threads).then_some(()));
        let kept = server.resident_kib().saturating_sub(memory);
        assert!(kept < KEPT_KIB, "{kept} KiB are kept");
        eventually("no CPU is used any more", || {
            let before = server.cpu_ticks();
            thread::sleep(WATCHED);
            (server.cpu_ticks() <= before + IDLE_TICKS).then_some(())
        });
        assert!(!server.log().contains("panicked"), "{}", server.log());
        resident.send(&chat::wire::ClientMessage::Ping {});
        assert_eq!(resident.next(), chat::wire::ServerMessage::Pong {});
        let mut newcomer = Peer::signed_up(server.link(), "newcomer");
        newcomer.join(None);
        let id = newcomer.say("hello");
        newcomer.wait_until_accepted(id);
    }
}
