//! What a login costs the server's processors, by password and by the key of a device: connection, handshake, login and
//! goodbye, of a real server with the usual cost of a hash.

use std::time::Duration;

use chat::channel::StaticKey;
use chat::wire::{ClientMessage, ServerMessage};
use rand::rngs::SysRng;

use super::support::{Heard, PASSWORD, Peer, ServerProcess, secret};
use super::{Finding, Reach};

const BY_PASSWORD: u32 = 40;
const BY_DEVICE: u32 = 2_000;

/// The unit of the system's accounts: `USER_HZ`, 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);

pub(super) fn measure() -> Vec<Finding> {
    let server = ServerProcess::start_as_operators_do(&[], "chat=warn");
    let key = StaticKey::generate(&mut SysRng).unwrap();
    let mut first = Peer::with_key(server.link(), &key);
    assert!(matches!(first.sign_up("alice", PASSWORD), ServerMessage::LoggedIn { .. }));
    first.send(&ClientMessage::Remember { label: "bench".into() });
    assert_eq!(first.next(), ServerMessage::Remembered {});
    first.leave();

    let password = cost(&server, BY_PASSWORD, |peer| {
        peer.send(&ClientMessage::LogIn { name: "alice".into(), password: secret(PASSWORD) });
    });
    let device = cost_with(&server, BY_DEVICE, &key, |peer| {
        peer.send(&ClientMessage::LogInByDevice { name: None });
    });
    println!("  by password {password:.1?} of the server's CPU, by device {device:.0?}");
    let ratio = password.as_secs_f64() / device.as_secs_f64();
    let what = "a login by password by one by device, in the server's CPU".into();
    vec![Finding { what, ratio, reach: Reach::AtLeast(50.0) }]
}

fn cost(server: &ServerProcess, times: u32, log_in: impl Fn(&mut Peer)) -> Duration {
    cost_with(server, times, &StaticKey::generate(&mut SysRng).unwrap(), log_in)
}

fn cost_with(server: &ServerProcess, times: u32, key: &StaticKey, log_in: impl Fn(&mut Peer)) -> Duration {
    let before = server.cpu_ticks();
    for _ in 0..times {
        let mut peer = Peer::with_key(server.link(), key);
        log_in(&mut peer);
        assert!(matches!(peer.hear(), Heard::Message(ServerMessage::LoggedIn { .. })));
        peer.leave();
    }
    let ticks = u32::try_from(server.cpu_ticks() - before).unwrap();
    TICK * ticks / times
}
