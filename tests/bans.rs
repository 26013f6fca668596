//! Bans over the wire: by account, by device and by address, at once and for as long as they last.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chat::channel::{ChannelError, StaticKey};
use chat::wire::{ClientMessage, Code, ServerMessage};
use client::{Home, Piped};
use support::{
    Heard, PASSWORD, Peer, ServerProcess, admin, admin_ended, connect_from, eventually, loopback_address,
};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn key(number: u8) -> StaticKey {
    StaticKey::from_bytes(&[number; 32])
}

fn fingerprint(key: &StaticKey) -> String {
    key.public().fingerprint().to_string()
}

/// Someone with a device that is remembered.
fn enrolled(server: &ServerProcess, name: &str, key: &StaticKey) -> Peer {
    let mut peer = Peer::with_key(server.link(), key);
    assert!(matches!(peer.sign_up(name, PASSWORD), ServerMessage::LoggedIn { .. }));
    peer.send(&ClientMessage::Remember { label: "laptop".into() });
    assert_eq!(peer.next(), ServerMessage::Remembered {});
    peer
}

/// What a device hears when it wants to come in.
fn comes_in(server: &ServerProcess, key: &StaticKey) -> (Peer, Heard) {
    let mut peer = Peer::with_key(server.link(), key);
    peer.send(&ClientMessage::LogInByDevice { name: None });
    let heard = peer.hear();
    (peer, heard)
}

fn is_in(heard: &Heard) -> bool {
    matches!(heard, Heard::Message(ServerMessage::LoggedIn { .. }))
}

/// The text with which someone is told that they are banned, and nothing else is.
fn banned(heard: Heard) -> String {
    match heard {
        Heard::Message(ServerMessage::Closing { code: Code::Banned, text }) => text,
        other => panic!("not banned: {other:?}"),
    }
}

/// The same, as the end of a session.
fn ended_by_ban(peer: &mut Peer) -> String {
    let (mut last, end) = peer.hear_out();
    assert_eq!(end, Heard::Goodbye, "{last:?}");
    banned(Heard::Message(last.pop().unwrap()))
}

fn is_refused_at_the_door(tried: Result<Peer, ChannelError>) -> bool {
    matches!(tried, Err(ChannelError::Banned))
}

#[test]
fn a_banned_account_is_out_at_once_everywhere_until_the_ban_is_lifted() {
    let server = ServerProcess::start();
    let mut sessions = [enrolled(&server, "alice", &key(1)), Peer::logged_in(server.link(), "alice")];
    sessions[0].join(None);
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let lines = admin(server.data(), &["ban", "Alice", "--for", "7d", "--reason", "spam"]);
    assert!(lines[0].starts_with("the account alice is banned until ") && lines[1] == "2 connected, ended");
    for session in &mut sessions {
        assert_eq!(ended_by_ban(session), "you are banned here for another 7 d: spam");
    }
    bob.wait_for(|message| matches!(message, ServerMessage::Left { name, .. } if name == "alice"));

    let server = server.kill_and_restart();
    assert!(banned(comes_in(&server, &key(1)).1).ends_with(": spam"));
    // Only who knows the password is told that there is a ban.
    let mut peer = Peer::connect(server.link());
    let refused = peer.log_in("alice", "Wrong-Horse-7");
    assert!(matches!(refused, ServerMessage::Refused { code: Code::WrongNameOrPassword, .. }));
    assert!(banned(peer.try_log_in("alice", PASSWORD)).ends_with(": spam"));
    assert!(is_in(&Peer::connect(server.link()).try_log_in("bob", PASSWORD)));

    assert_eq!(admin(server.data(), &["unban", "alice"]), ["the account alice is not banned any more"]);
    assert!(is_in(&comes_in(&server, &key(1)).1));
    assert!(is_in(&Peer::connect(server.link()).try_log_in("alice", PASSWORD)));
}

#[test]
fn a_banned_device_is_out_whoever_it_wants_to_be_and_its_owner_is_not() {
    let server = ServerProcess::start();
    let mut laptop = enrolled(&server, "alice", &key(1));
    let mut phone = Peer::logged_in(server.link(), "alice");
    Peer::signed_up(server.link(), "bob").leave();
    let lines = admin(server.data(), &["ban", &fingerprint(&key(1))]);
    assert_eq!(lines[1], "1 connected, ended");
    assert_eq!(ended_by_ban(&mut laptop), "you are banned here");
    phone.send(&ClientMessage::Ping {});
    assert_eq!(phone.next(), ServerMessage::Pong {});
    banned(comes_in(&server, &key(1)).1);
    for name in ["alice", "bob"] {
        banned(Peer::with_key(server.link(), &key(1)).try_log_in(name, PASSWORD));
    }
    let mut newcomer = Peer::with_key(server.link(), &key(1));
    newcomer.send(&ClientMessage::SignUp {
        name: "carol".into(),
        password: support::secret(PASSWORD),
        invite: None,
        server_password: None,
    });
    banned(newcomer.hear());
    let users = std::fs::read_to_string(server.data().join("users.db")).unwrap();
    assert!(!users.contains("carol"));
}

#[test]
fn a_banned_address_is_out_before_anything_is_said() {
    let server = ServerProcess::start();
    let there = loopback_address(7);
    let mut member = Peer::from_host(there, server.link());
    assert!(matches!(member.sign_up("mallory", PASSWORD), ServerMessage::LoggedIn { .. }));
    let mut stranger = Peer::from_host(there, server.link());
    let silent = connect_from(there, server.address());
    eventually("all are there", || (server.sessions() == 3).then_some(()));
    let mut elsewhere = Peer::signed_up(server.link(), "alice");
    let lines = admin(server.data(), &["ban", &format!("{there}/28"), "--reason", "a flood"]);
    assert_eq!(lines, ["whoever comes from 127.1.0.0/28 is banned for ever", "3 connected, ended"]);
    for peer in [&mut member, &mut stranger] {
        assert_eq!(ended_by_ban(peer), "you are banned here: a flood");
    }
    eventually("they are gone", || (server.sessions() == 1).then_some(()));
    drop(silent);
    let server = {
        elsewhere.send(&ClientMessage::Ping {});
        assert_eq!(elsewhere.next(), ServerMessage::Pong {});
        server.kill_and_restart()
    };
    for number in [0, 7, 15] {
        assert!(is_refused_at_the_door(Peer::try_from_host(loopback_address(number), server.link())));
    }
    assert!(Peer::try_from_host(loopback_address(16), server.link()).is_ok());
    let threads = server.threads();
    assert!((0..200).all(|_| Peer::try_from_host(there, server.link()).is_err()));
    assert!(server.threads() <= threads + 1);
    admin(server.data(), &["unban", "127.1.0.7/28"]);
    assert!(Peer::try_from_host(there, server.link()).is_ok());
}

#[test]
fn an_ipv4_address_is_banned_on_a_socket_for_both_families_too() {
    let server = ServerProcess::start_on("[::]:0", &[]);
    admin(server.data(), &["ban", "127.1.0.7"]);
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, server.address().port()));
    let from = |host| Peer::over(connect_from(host, here), server.link());
    assert!(is_refused_at_the_door(from(loopback_address(7))));
    assert!(from(loopback_address(8)).is_ok());
}

#[test]
fn who_bans_the_own_address_can_lift_it_on_the_host() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    admin(server.data(), &["ban", "127.0.0.1"]);
    ended_by_ban(&mut alice);
    assert!(is_refused_at_the_door(Peer::try_connect(server.link())));
    admin(server.data(), &["unban", "127.0.0.1"]);
    assert!(Peer::try_from_host(LOCALHOST, server.link()).is_ok());
}

#[test]
fn a_ban_ends_by_itself_also_while_no_server_runs() {
    let mut server = ServerProcess::start();
    enrolled(&server, "alice", &key(1)).leave();
    admin(server.data(), &["ban", "alice", "--for", "2s"]);
    banned(comes_in(&server, &key(1)).1);
    server.signal("TERM");
    assert!(server.wait().success());
    admin(server.data(), &["ban", "127.1.0.7", "--for", "2s"]);
    let server = server.kill_and_restart();
    eventually("both have ended", || {
        let is_free = Peer::try_from_host(loopback_address(7), server.link()).is_ok();
        (is_free && is_in(&comes_in(&server, &key(1)).1)).then_some(())
    });
    assert_eq!(admin(server.data(), &["bans"]), ["nobody is banned"]);
}

#[test]
fn an_operator_reads_who_is_banned_and_is_told_what_can_not_be() {
    let mut server = ServerProcess::start();
    for name in ["alice", "192.0.2.1"] {
        Peer::signed_up(server.link(), name).leave();
    }
    let ban = |whom: &str, more: &[&str]| admin_ended(server.data(), &[&["ban", whom], more].concat());
    ban("nobody", &[]).says(1, &["no account 'nobody'"]);
    ban("192.0.2.1", &[]).says(1, &["account:192.0.2.1 or address:192.0.2.1"]);
    ban("0.0.0.0/0", &[]).says(1, &["good part of the Internet"]);
    ban("192.0.2.1/40", &[]).says(1, &["32 bits"]);
    ban("no name", &[]).says(1, &["can't be banned"]);
    ban("device:12", &[]).says(1, &["32 hexadecimal digits"]);
    ban("alice", &["--for", "soon"]).says(2, &["whole number and a unit"]);
    ban("alice", &["--for", "0d"]).says(2, &["at least one second"]);
    ban("alice", &["--reason", "two\nlines"]).says(2, &["one line"]);
    ban("alice", &["--reason", &"x".repeat(201)]).says(2, &["200 bytes"]);
    admin_ended(server.data(), &["unban", "alice"]).says(1, &["'alice' is not banned", "chat admin bans"]);
    assert_eq!(admin(server.data(), &["bans"]), ["nobody is banned"]);

    admin(server.data(), &["ban", "account:192.0.2.1", "--reason", "\u{202e}evil"]);
    admin(server.data(), &["ban", "2001:db8::1", "--for", "1h"]);
    server.signal("TERM");
    assert!(server.wait().success());
    let lines = admin(server.data(), &["ban", "address:192.0.2.1"]);
    assert_eq!(lines, ["whoever comes from 192.0.2.1 is banned for ever"]);
    let bans = admin(server.data(), &["bans"]);
    assert!(
        bans[0].starts_with("account:192.0.2.1  for ever, by the operator on ") && bans[0].ends_with("evil")
    );
    assert!(!bans[0].contains('\u{202e}'), "{bans:?}");
    assert!(bans[1].starts_with("address:2001:db8::/64  until ") && bans.len() == 3, "{bans:?}");
    for ban in &bans {
        admin(server.data(), &["unban", ban.split("  ").next().unwrap()]);
    }
    assert_eq!(admin(server.data(), &["bans"]), ["nobody is banned"]);
}

#[test]
fn no_login_slips_through_a_ban_in_the_same_moment() {
    let server = ServerProcess::start();
    enrolled(&server, "alice", &key(1)).leave();
    let there = loopback_address(7);
    let subjects = ["alice".to_owned(), fingerprint(&key(1)), there.to_string()];
    for subject in subjects.iter().cycle().take(6) {
        let came_in = AtomicUsize::new(0);
        let inside: Vec<Peer> = thread::scope(|scope| {
            let come_in_until_banned = || {
                let mut inside = Vec::new();
                loop {
                    let Ok(mut peer) = Peer::try_from_host_with_key(there, server.link(), &key(1)) else {
                        return inside;
                    };
                    if !matches!(peer.hear(), Heard::Message(ServerMessage::Welcome { .. })) {
                        return inside;
                    }
                    let _ = peer.try_send(&ClientMessage::LogInByDevice { name: None });
                    match peer.hear() {
                        heard if is_in(&heard) => inside.push(peer),
                        heard => {
                            banned(heard);
                            return inside;
                        }
                    }
                    came_in.fetch_add(1, Ordering::Relaxed);
                }
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(come_in_until_banned)).collect();
            eventually("they come and come", || (came_in.load(Ordering::Relaxed) > 20).then_some(()));
            admin(server.data(), &["ban", subject]);
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        for mut peer in inside {
            ended_by_ban(&mut peer);
        }
        admin(server.data(), &["unban", subject]);
    }
}

#[test]
fn a_client_that_is_banned_says_so_and_does_not_come_back() {
    let server = ServerProcess::start();
    let home = Home::new();
    let link = server.link().to_string();
    let alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_until_in();
    admin(server.data(), &["ban", "alice", "--reason", "spam\u{202e}"]);
    let ended = alice.wait();
    ended.says(4, &["ended this session: you are banned here: spam"]);
    assert!(!ended.stderr.contains('\u{202e}'));
    let again = Piped::run(home.client_as("alice", &link, &[]), "hello\n");
    again.says(4, &["the server refused the login: you are banned here: spam"]);
    admin(server.data(), &["ban", "127.0.0.1"]);
    let again = Piped::run(home.client_as("alice", &link, &[]), "hello\n");
    again.says(4, &["takes no connections from where you are", "ask its operator"]);
}
