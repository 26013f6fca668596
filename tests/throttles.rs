//! What guessing at passwords costs the guesser, and what it does not cost anyone else.
#![cfg(test)]

mod support;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chat::channel::StaticKey;
use chat::wire::{ClientMessage, Code, ServerMessage};
use support::{Heard, PASSWORD, Peer, ServerProcess, Siege, eventually, is_said, loopback_address, secret};

/// What the server logs for each run of Argon2.
const HASHING: &str = "hashing a password";

const WRONG: &str = "Wrong-Horse-7";

fn code(answer: &ServerMessage) -> Option<Code> {
    match answer {
        ServerMessage::Refused { code, .. } => Some(*code),
        ServerMessage::LoggedIn { .. } => None,
        other => panic!("no answer: {other:?}"),
    }
}

/// Guesses on one connection after the other until the server puts it off, and gives that answer and how many were
/// looked at.
fn guess_until_put_off(server: &ServerProcess, from: IpAddr, name: &str) -> (ServerMessage, usize) {
    let mut looked_at = 0;
    loop {
        let mut peer = Peer::from_host(from, server.link());
        for _ in 0..4 {
            let answer = peer.log_in(name, WRONG);
            match code(&answer) {
                Some(Code::WrongNameOrPassword) => looked_at += 1,
                Some(Code::Throttled) => return (answer, looked_at),
                other => panic!("{other:?}"),
            }
        }
        peer.leave();
    }
}

fn hashes(server: &ServerProcess) -> usize {
    server.log().matches(HASHING).count()
}

#[test]
fn who_guesses_is_put_off_without_a_hash_and_learns_nothing_from_it() {
    let server = ServerProcess::start();
    Peer::signed_up(server.link(), "alice").leave();
    let [here, there] = [loopback_address(1), loopback_address(2)];
    let (of_alice, looked_at) = guess_until_put_off(&server, here, "alice");
    assert_eq!(looked_at, 6);
    let (of_nobody, looked_at) = guess_until_put_off(&server, there, "nobody");
    assert_eq!(looked_at, 6);
    assert_eq!(of_alice, of_nobody, "whether there is such an account can't be told");
    assert!(matches!(&of_alice, ServerMessage::Refused { retry_after: Some(2), text, .. }
        if text.contains("try again in 2 s")));

    let hashed = hashes(&server);
    let mut peer = Peer::from_host(here, server.link());
    for password in [WRONG, PASSWORD, "", PASSWORD] {
        let answer = peer.log_in("ALICE", password);
        if code(&answer) != Some(Code::Throttled) {
            return; // two seconds have passed: this computer has other things to do
        }
        let told = |text: &str| text.starts_with("too many wrong passwords were tried for this name or from");
        assert!(matches!(&answer, ServerMessage::Refused { text, id: None, .. } if told(text)));
    }
    assert_eq!(hashes(&server), hashed);
    // Elsewhere, and here for someone else, nothing has happened.
    assert_eq!(code(&Peer::connect(server.link()).log_in("alice", PASSWORD)), None);
    assert_eq!(code(&Peer::from_host(here, server.link()).sign_up("bob", PASSWORD)), None);
}

#[test]
fn who_waits_as_long_as_told_may_try_again_on_the_same_connection() {
    let server = ServerProcess::start();
    Peer::signed_up(server.link(), "alice").leave();
    guess_until_put_off(&server, loopback_address(1), "alice");
    let mut peer = Peer::from_host(loopback_address(1), server.link());
    let answer = eventually("the wait is over", || {
        let answer = peer.log_in("alice", PASSWORD);
        (code(&answer) != Some(Code::Throttled)).then_some(answer)
    });
    assert_eq!(code(&answer), None);
}

#[test]
fn the_old_password_can_not_be_guessed_any_faster_from_inside() {
    let server = ServerProcess::start();
    let guess = |peer: &mut Peer| {
        peer.send(&ClientMessage::ChangePassword { old: secret(WRONG), new: secret(PASSWORD) });
        code(&peer.next())
    };
    let mut first = Peer::signed_up(server.link(), "alice");
    let mut second = Peer::logged_in(server.link(), "alice");
    for _ in 0..4 {
        assert_eq!(guess(&mut first), Some(Code::WrongNameOrPassword));
    }
    assert_eq!(guess(&mut second), Some(Code::WrongNameOrPassword));
    assert_eq!(guess(&mut second), Some(Code::WrongNameOrPassword));
    for _ in 0..10 {
        assert_eq!(guess(&mut second), Some(Code::Throttled));
    }
    second.send(&ClientMessage::Ping {});
    assert_eq!(second.next(), ServerMessage::Pong {});
}

#[test]
fn an_address_makes_so_many_accounts_and_is_then_put_off_without_a_hash() {
    let server = ServerProcess::with_limits(&["sign-ups-per-address=3"]);
    let sign_up = |n: u8, from: u16| {
        let mut peer = Peer::from_host(loopback_address(from), server.link());
        code(&peer.sign_up(&format!("user{n}"), PASSWORD))
    };
    for n in 0..4 {
        assert_eq!(sign_up(n, 1), None);
    }
    let hashed = hashes(&server);
    for n in 4..9 {
        assert_eq!(sign_up(n, 1), Some(Code::Throttled));
    }
    assert_eq!(hashes(&server), hashed);
    assert_eq!(sign_up(9, 2), None);
    // Who has an account gets in, of course.
    let mut peer = Peer::from_host(loopback_address(1), server.link());
    assert_eq!(code(&peer.log_in("user0", PASSWORD)), None);
}

/// Ends the flood, also when the test fails.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Wrong passwords for names from many addresses, on as many connections, until it is over. Gives how many were looked
/// at.
fn flood(server: &ServerProcess, hosts: u16, is_over: &AtomicBool, begun: &AtomicUsize) -> usize {
    thread::scope(|scope| {
        let attack = |number: u16| {
            let mut looked_at = 0;
            while !is_over.load(Ordering::Acquire) {
                let Ok(mut peer) = Peer::try_from_host(loopback_address(number % hosts), server.link())
                else {
                    continue;
                };
                if !matches!(peer.hear(), Heard::Message(ServerMessage::Welcome { .. })) {
                    continue;
                }
                for n in 0.. {
                    let name = if n % 2 == 0 { "alice".to_owned() } else { format!("user{number}") };
                    let Heard::Message(answer) = peer.try_log_in(&name, WRONG) else { break };
                    begun.fetch_add(1, Ordering::Release);
                    looked_at += usize::from(matches!(
                        answer,
                        ServerMessage::Refused { code: Code::WrongNameOrPassword, .. }
                    ));
                    if is_over.load(Ordering::Acquire) || matches!(answer, ServerMessage::Closing { .. }) {
                        break;
                    }
                    thread::sleep(Duration::from_millis(5)); // patient enough to leave this computer some time
                }
            }
            looked_at
        };
        let threads: Vec<_> = (0..hosts * 2).map(|number| scope.spawn(move || attack(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

#[test]
fn login_flood() {
    const HOSTS: u16 = 20;
    Siege::of(&[], |server| {
        let key = StaticKey::from_bytes(&[7; 32]);
        let mut alice = Peer::with_key(server.link(), &key);
        assert_eq!(code(&alice.sign_up("alice", PASSWORD)), None);
        alice.send(&ClientMessage::Remember { label: "laptop".into() });
        assert_eq!(alice.next(), ServerMessage::Remembered {});
        let mut bob = Peer::signed_up(server.link(), "bob");
        alice.join(None);
        bob.join(None);
        let hashed_before = hashes(server);

        let (is_over, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (slowest, looked_at) = thread::scope(|scope| {
            let ending = Ending(&is_over);
            let attackers = scope.spawn(|| flood(server, HOSTS, &is_over, &begun));
            eventually("the flood is there", || (begun.load(Ordering::Acquire) > 100).then_some(()));
            // Where she has never been before, the owner is put off, as anyone would be.
            let mut abroad = Peer::from_host(loopback_address(999), server.link());
            let mut abroad_answer = abroad.log_in("alice", PASSWORD);

            // What is said is heard.
            let mut slowest = Duration::ZERO;
            for n in 0..50 {
                let said_at = Instant::now();
                bob.say(&format!("as if nothing were {n}"));
                alice.wait_for(is_said);
                slowest = slowest.max(said_at.elapsed());
            }
            // The owner is in at once by device, and by password from where the account was made...
            let mut by_device = Peer::with_key(server.link(), &key);
            by_device.send(&ClientMessage::LogInByDevice { name: Some("alice".into()) });
            assert_eq!(code(&by_device.next()), None);
            let mut at_home = Peer::connect(server.link());
            let answer = eventually("her turn comes", || {
                let answer = at_home.log_in("alice", PASSWORD);
                (code(&answer) != Some(Code::Busy)).then_some(answer)
            });
            assert_eq!(code(&answer), None);
            // ... and when she has waited where she was put off.
            let answer = eventually("the wait is over", || {
                if matches!(code(&abroad_answer), Some(Code::Throttled | Code::Busy)) {
                    abroad_answer = abroad.log_in("alice", PASSWORD);
                    return None;
                }
                Some(code(&abroad_answer))
            });
            assert_eq!(answer, None);
            drop(ending);
            (slowest, attackers.join().unwrap())
        });
        let hashed = hashes(server) - hashed_before;
        println!("{looked_at} looked at, {hashed} hashes, slowest message {slowest:?}");
        // Each of the pairs of address and name has its free tries, and some that it has waited for.
        assert!(looked_at <= 3 * usize::from(HOSTS) * 12, "{looked_at}");
        assert!(hashed <= looked_at + 2 + 3 * usize::from(HOSTS), "{hashed} {looked_at}");
        assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    });
}

#[test]
fn a_thousand_tries_at_once_from_one_address_are_no_more_than_six_for_a_name() {
    let server = ServerProcess::start();
    let answers = Mutex::new(HashMap::new());
    thread::scope(|scope| {
        for _ in 0..50 {
            let (server, answers) = (&server, &answers);
            scope.spawn(move || {
                let mut peer = Peer::connect(server.link());
                for _ in 0..20 {
                    peer.send(&ClientMessage::LogIn { name: "alice".into(), password: secret(WRONG) });
                }
                for _ in 0..20 {
                    let Heard::Message(answer) = peer.hear() else { break };
                    if let ServerMessage::Refused { code, .. } = answer {
                        *answers.lock().unwrap().entry(code.number()).or_insert(0) += 1;
                    }
                }
            });
        }
    });
    let answers = answers.into_inner().unwrap();
    let of = |code: Code| answers.get(&code.number()).copied().unwrap_or(0);
    // One more may have come when two seconds had passed.
    assert!((6..=8).contains(&of(Code::WrongNameOrPassword)), "{answers:?}");
    assert!(of(Code::Throttled) > 900, "{answers:?}");
}
