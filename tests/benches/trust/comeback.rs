//! A thousand devices that come back at once, as after a restart of the server: all of them get in, nobody's password
//! is hashed, and it costs what their logins cost one after the other.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use chat::channel::StaticKey;
use chat::wire::{ClientMessage, ServerMessage};
use rand::rngs::SysRng;

use super::support::{Heard, PASSWORD, Peer, ServerProcess};
use super::{Finding, Reach};

const PEOPLE: usize = 50;
const DEVICES_EACH: usize = 20;

/// What the server logs for each run of Argon2.
const HASHING: &str = "hashing a password";

/// How long a client waits that was turned away, as a client does at its first try.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) fn measure() -> Vec<Finding> {
    let server = ServerProcess::start_as_operators_do(&["--small-host"], "chat::server::accounts=debug");
    let keys: Vec<_> = (0..PEOPLE).flat_map(|number| enrolled(&server, number)).collect();
    let server = server.kill_and_restart();

    let one_after_the_other = {
        let before = server.cpu_ticks();
        for key in &keys {
            come_back(&server, key).leave();
        }
        server.cpu_ticks() - before
    };
    let server = server.kill_and_restart();

    let (before, start) = (server.cpu_ticks(), Instant::now());
    let tries: usize = all_at_once(&server, &keys);
    let (took, ticks) = (start.elapsed(), server.cpu_ticks() - before);
    let hashed = server.log().matches(HASHING).count();
    let count = keys.len();
    println!("  {count} devices are in after {took:.2?} and {tries} tries, {hashed} hashes");
    vec![
        Finding {
            what: format!("runs of Argon2 while {count} devices came back at once"),
            ratio: hashed as f64,
            reach: Reach::AtMost(0.0),
        },
        Finding {
            what: "server CPU of all at once by one after the other".into(),
            ratio: ticks as f64 / one_after_the_other as f64,
            reach: Reach::AtMost(1.5),
        },
    ]
}

/// Gives how often they had to try, all together.
fn all_at_once(server: &ServerProcess, keys: &[StaticKey]) -> usize {
    let together = Arc::new(Barrier::new(keys.len()));
    thread::scope(|scope| {
        let come = |key| {
            let together = Arc::clone(&together);
            let run = move || {
                together.wait();
                try_until_in(server, key)
            };
            thread::Builder::new().stack_size(256 * 1024).spawn_scoped(scope, run).unwrap()
        };
        let threads: Vec<_> = keys.iter().map(come).collect();
        let inside: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        inside.iter().map(|(_, tries)| tries).sum()
    })
}

fn try_until_in(server: &ServerProcess, key: &StaticKey) -> (Peer, usize) {
    for tries in 1.. {
        if let Ok(mut peer) = Peer::try_with_key(server.link(), key)
            && matches!(peer.hear(), Heard::Message(ServerMessage::Welcome { .. }))
        {
            log_in(&mut peer);
            return (peer, tries);
        }
        thread::sleep(PAUSE);
    }
    unreachable!("there is no last try")
}

fn come_back(server: &ServerProcess, key: &StaticKey) -> Peer {
    let mut peer = Peer::with_key(server.link(), key);
    log_in(&mut peer);
    peer
}

fn log_in(peer: &mut Peer) {
    peer.send(&ClientMessage::LogInByDevice { name: None });
    assert!(matches!(peer.next(), ServerMessage::LoggedIn { .. }));
}

/// The devices of a new account.
fn enrolled(server: &ServerProcess, number: usize) -> Vec<StaticKey> {
    let name = format!("member-{number}");
    let key = |device| {
        let key = StaticKey::generate(&mut SysRng).unwrap();
        let mut peer = Peer::with_key(server.link(), &key);
        let answer = if device == 0 { peer.sign_up(&name, PASSWORD) } else { peer.log_in(&name, PASSWORD) };
        assert!(matches!(answer, ServerMessage::LoggedIn { .. }), "{answer:?}");
        peer.send(&ClientMessage::Remember { label: format!("device {device}") });
        assert_eq!(peer.next(), ServerMessage::Remembered {});
        peer.leave();
        key
    };
    (0..DEVICES_EACH).map(key).collect()
}
