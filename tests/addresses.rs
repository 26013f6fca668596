//! Limits by address: one host that holds the door keeps nobody else out, many hosts together do so for a moment only,
//! and a group behind one router gets in.
#![cfg(test)]

mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use chat::channel::{ChannelError, StaticKey};
use chat::wire::{ClientMessage, ServerMessage};
use support::{Heard, PASSWORD, Peer, ServerProcess, Siege, connect_from, eventually, loopback_address};

const ATTACKER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 6, 6, 6));

/// So many connections that never say anything.
fn hold(server: &ServerProcess, host: IpAddr, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| connect_from(host, server.address())).collect()
}

fn is_full(tried: Result<Peer, ChannelError>) -> bool {
    matches!(tried, Err(ChannelError::Full))
}

fn assert_lost(peer: &mut Peer) {
    assert_eq!(peer.hear(), Heard::Lost);
}

#[test]
fn one_host_holds_the_door() {
    Siege::of(&["strangers=30", "strangers-per-address=10"], |server| {
        let held = hold(server, ATTACKER, 200);
        assert!(is_full(Peer::try_from_host(ATTACKER, server.link())));
        for n in 0..20 {
            let mut guest = Peer::connect(server.link());
            assert!(matches!(guest.sign_up(&format!("guest{n}"), PASSWORD), ServerMessage::LoggedIn { .. }));
        }
        drop(held);
    });
}

#[test]
fn a_few_hosts_hold_the_door_and_each_newcomer_gets_the_place_of_one_of_theirs() {
    Siege::of(&["strangers=30", "strangers-per-address=10"], |server| {
        let held: Vec<_> = (0..3).map(loopback_address).map(|host| hold(server, host, 10)).collect();
        eventually("all are there", || (server.sessions() == 31).then_some(()));
        let mut guests: Vec<_> = (0..7).map(|_| Peer::connect(server.link())).collect();
        // The four of them have about as many now, so that nobody has to give way any more who has just come.
        assert!(is_full(Peer::try_connect(server.link())));
        for (n, guest) in guests.iter_mut().enumerate() {
            let answer = guest.sign_up(&format!("guest{n}"), PASSWORD);
            assert!(matches!(answer, ServerMessage::LoggedIn { .. }), "{answer:?}");
        }
        drop(held);
    });
}

#[test]
fn as_many_hosts_as_there_are_places_hold_the_door_for_the_time_of_a_handshake_only() {
    Siege::of(&["strangers=20", "handshake-seconds=2"], |server| {
        // Handshakes are done, so nothing ends them but the time for a login.
        let mut held: Vec<_> =
            (0..20).map(loopback_address).map(|host| Peer::from_host(host, server.link())).collect();
        assert!(is_full(Peer::try_connect(server.link())));
        let mut guest = eventually("the oldest has had its time", || {
            let mut guest = Peer::try_connect(server.link()).ok()?;
            guest.next();
            Some(guest)
        });
        assert!(matches!(guest.sign_up("guest", PASSWORD), ServerMessage::LoggedIn { .. }));
        assert_lost(&mut held[0]);
    });
}

#[test]
fn who_is_inside_is_no_stranger_and_never_gives_way() {
    let server = ServerProcess::with_limits(&["strangers-per-address=2", "handshake-seconds=1"]);
    let mut inside: Vec<_> = (0..5).map(|n| Peer::signed_up(server.link(), &format!("user{n}"))).collect();
    let mut strangers = [Peer::connect(server.link()), Peer::connect(server.link())];
    let third = eventually("the first has had its time", || Peer::try_connect(server.link()).ok());
    assert_lost(&mut strangers[0]);
    for peer in &mut inside {
        peer.send(&ClientMessage::Ping {});
        assert_eq!(peer.next(), ServerMessage::Pong {});
    }
    drop(third);
}

#[test]
fn an_operator_may_bound_the_connections_of_an_address() {
    let server = ServerProcess::with_limits(&["connections-per-address=3"]);
    let inside: Vec<_> = (0..3).map(|n| Peer::signed_up(server.link(), &format!("user{n}"))).collect();
    assert!(is_full(Peer::try_connect(server.link())));
    let mut elsewhere = Peer::from_host(ATTACKER, server.link());
    assert!(matches!(elsewhere.log_in("user0", PASSWORD), ServerMessage::LoggedIn { .. }));
    drop(inside);
    let again = eventually("there is room again", || Peer::try_connect(server.link()).ok());
    drop(again);
}

#[test]
fn an_ipv4_address_is_one_address_on_a_socket_for_both_families() {
    let limits = ["--limit", "strangers-per-address=1"];
    let both = ServerProcess::start_on("[::]:0", &limits);
    let port = both.address().port();
    let over = |stream: TcpStream| Peer::over(stream, both.link());
    let ipv4 = |host: IpAddr| over(connect_from(host, SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
    let first = ipv4(ATTACKER).unwrap();
    assert!(is_full(ipv4(ATTACKER)));
    let second = ipv4(Ipv4Addr::LOCALHOST.into()).unwrap();
    let third = over(TcpStream::connect(format!("[::1]:{port}")).unwrap()).unwrap();
    drop((first, second, third));
}

#[test]
fn devices_that_all_come_back_at_once_from_one_address_are_in_within_seconds_and_nothing_is_hashed() {
    const DEVICES: u8 = 250;
    // Fewer places than there would be, so that most of them have to try again.
    let server = ServerProcess::with_limits(&["strangers-per-address=64"]);
    Peer::signed_up(server.link(), "alice").leave();
    eventually("alice has left", || (server.sessions() == 0).then_some(()));
    let key = |number: u8| StaticKey::from_bytes(&[number; 32]);
    let devices = rusqlite::Connection::open(server.data().join("devices.db")).unwrap();
    for number in 1..=DEVICES {
        let insert = "INSERT INTO devices VALUES (?1, 'alice', 'laptop', 1, 1)";
        devices.execute(insert, [key(number).public().as_bytes()]).unwrap();
    }
    drop(devices);
    let server = server.stop_and_restart();

    let together = Barrier::new(usize::from(DEVICES) + 1);
    let all_in = thread::scope(|scope| {
        for number in 1..=DEVICES {
            let (together, link) = (&together, server.link());
            scope.spawn(move || {
                let key = key(number);
                together.wait();
                let inside = come_back(|| {
                    let mut peer = Peer::try_with_key(link, &key).ok()?;
                    peer.try_send(&ClientMessage::LogInByDevice { name: None }).ok()?;
                    (0..2).map(|_| peer.hear()).any(is_logged_in).then_some(peer)
                });
                together.wait();
                drop(inside);
            });
        }
        together.wait();
        let begun = Instant::now();
        together.wait();
        begun.elapsed()
    });
    println!("{DEVICES} devices are in after {all_in:?}");
    assert!(all_in < Duration::from_secs(30), "{all_in:?}");
    assert!(!server.log().contains("hashing a password"));
}

fn is_logged_in(heard: Heard) -> bool {
    matches!(heard, Heard::Message(ServerMessage::LoggedIn { .. }))
}

/// Tries until it works, with the waits of `chat client`: half a second at most, then twice as long, with jitter.
fn come_back<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let mut longest = Duration::from_millis(500);
    loop {
        if let Some(inside) = attempt() {
            return inside;
        }
        thread::sleep(longest.mul_f64(0.5 + rand::random::<f64>() / 2.0));
        longest = (longest * 2).min(Duration::from_secs(60));
    }
}
