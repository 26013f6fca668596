//! A handshake beside the sum of the primitives that its specification asks for, on the crates that it stands on. Both
//! sides are measured apart, in memory, in turns; the best turn of each counts, since nothing makes code faster than
//! it is.

use std::hint::black_box;
use std::time::{Duration, Instant};

use chat::channel::{
    ClientHello, Initiator, InitiatorSentOne, Responder, ResponderSentTwo, ServerHello, StaticKey, Suite,
};
use ml_kem::kem::{Decapsulate, KeyExport, KeyInit, TryKeyInit};
use ml_kem::{DecapsulationKey768, EncapsulationKey768};
use rand::rngs::SysRng;
use x25519_dalek::StaticSecret;

use super::{Finding, Reach};

const TURNS: usize = 200;

/// In one turn, so that the clock's own time does not count.
const IN_A_TURN: u32 = 10;

/// What a side does, without hashing and sealing: the ephemeral key, three Diffie-Hellmans, and its part of the key
/// encapsulation.
#[derive(Clone, Copy)]
enum Side {
    Client,
    Server,
}

pub(super) fn measure() -> Vec<Finding> {
    let mut findings = Vec::new();
    for suite in Suite::ALL {
        let cost = best_of_turns(suite);
        for (name, whole, sum) in
            [("the server's", cost.server, cost.server_sum), ("the client's", cost.client, cost.client_sum)]
        {
            let per_second = 1.0 / whole.as_secs_f64();
            println!(
                "  {suite}: {name} half {whole:.0?}, its primitives {sum:.0?}; {per_second:.0} a second and core"
            );
            findings.push(Finding {
                what: format!("{suite}: {name} half of a handshake by the sum of its primitives"),
                ratio: whole.as_secs_f64() / sum.as_secs_f64(),
                reach: Reach::AtMost(1.3),
            });
        }
    }
    findings
}

struct Cost {
    client: Duration,
    client_sum: Duration,
    server: Duration,
    server_sum: Duration,
}

fn best_of_turns(suite: Suite) -> Cost {
    let most = Duration::MAX;
    let mut best = Cost { client: most, client_sum: most, server: most, server_sum: most };
    for _ in 0..TURNS {
        let (client, server) = handshakes(suite);
        best.client = best.client.min(client);
        best.server = best.server.min(server);
        best.client_sum = best.client_sum.min(primitives(suite, Side::Client));
        best.server_sum = best.server_sum.min(primitives(suite, Side::Server));
    }
    best
}

/// The time that each side needs for one handshake.
fn handshakes(suite: Suite) -> (Duration, Duration) {
    let (ours, theirs) = (key(), key());
    let client_hello = ClientHello::offering(&[suite]);
    let server_hello = ServerHello::answering(&client_hello, &[suite]);
    let (mut client_time, mut server_time) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..IN_A_TURN {
        let (one, client): (_, InitiatorSentOne) = timed(&mut client_time, || {
            let initiator = Initiator::new(&client_hello, server_hello, &ours).unwrap();
            initiator.write_one(&mut SysRng, &[]).unwrap()
        });
        let (two, server): (_, ResponderSentTwo) = timed(&mut server_time, || {
            let responder = Responder::new(&client_hello, server_hello, &theirs).unwrap();
            let (_, got_one) = responder.read_one(&one).unwrap();
            got_one.write_two(&mut SysRng, &[]).unwrap()
        });
        let (three, _transport) = timed(&mut client_time, || {
            let (_, verifies) = client.read_two(&two).unwrap();
            verifies.write_three(&[]).unwrap()
        });
        timed(&mut server_time, || black_box(server.read_three(&three).unwrap()));
    }
    (client_time / IN_A_TURN, server_time / IN_A_TURN)
}

/// The time that the primitives of one side of a handshake need.
fn primitives(suite: Suite, side: Side) -> Duration {
    let public = x25519_dalek::PublicKey::from(*key().public().as_bytes());
    let hybrid = suite == Suite::Hybrid;
    let their_kem = DecapsulationKey768::new((&[7; 64]).into());
    let their_kem_bytes = their_kem.encapsulation_key().to_bytes();
    let (ciphertext, _) = their_kem.encapsulation_key().encapsulate_deterministic((&[9; 32]).into());
    let mut time = Duration::ZERO;
    for _ in 0..IN_A_TURN {
        timed(&mut time, || {
            let ephemeral = StaticSecret::random();
            black_box(x25519_dalek::PublicKey::from(&ephemeral));
            for _ in 0..3 {
                black_box(ephemeral.diffie_hellman(black_box(&public)));
            }
            match side {
                Side::Client if hybrid => {
                    let kem_key = DecapsulationKey768::new(black_box(&[8; 64]).into());
                    black_box(kem_key.encapsulation_key().to_bytes());
                    black_box(kem_key.decapsulate_slice(black_box(&ciphertext)).unwrap());
                }
                Side::Server if hybrid => {
                    let kem_key = EncapsulationKey768::new_from_slice(black_box(&their_kem_bytes)).unwrap();
                    black_box(kem_key.encapsulate_deterministic(black_box(&[9; 32]).into()));
                }
                Side::Client | Side::Server => {}
            }
        });
    }
    time / IN_A_TURN
}

fn key() -> StaticKey {
    StaticKey::generate(&mut SysRng).unwrap()
}

fn timed<T>(total: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    *total += start.elapsed();
    done
}
