//! Keeping order by the client's commands, and what those see of it whom it is about.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use chat::wire::{BODY_TEXT, ClientMessage, MessageId};
use client::{Home, Piped};
use support::{Peer, ServerProcess, admin};

/// A server, and the words with which one gets there.
fn server() -> (ServerProcess, String) {
    let server = ServerProcess::start();
    let link = server.link().to_string();
    (server, link)
}

#[test]
fn an_operator_keeps_order_and_everyone_sees_it_and_operators_read_it_later() {
    let (_server, link) = server();
    let (alices, bobs) = (Home::new(), Home::new());
    let mut alice = Piped::start(alices.client_as("alice", &link, &["--signup"]));
    alice.write("/create #tea\n");
    alice.wait_for_line("#tea * alice made this room; anyone can enter");
    let mut bob = Piped::start(bobs.client_as("bob", &link, &["--signup"]));
    bob.write("/join tea\n");
    alice.wait_for_line("#tea * bob is a member now");
    alice.write("/mute bob 10m be quiet\n");
    bob.wait_for_line("#tea * alice muted bob for 10m: be quiet");
    bob.write("no\n");
    bob.wait_for_line("not delivered: \"no\" (you are muted in this room for another 10 min)");
    // Nothing comes of what can't be understood, and a reason that turns the direction does not.
    alice.write("/ban bob 7\n/unmute bob\n/ban bob 7d \u{202e}maps\n/banned\n/modlog\n");
    alice.wait_for_line("REASON is at most 200 bytes; /help ban tells more");
    bob.wait_for_line("you are in #tea no more (alice banned you for 1w: \u{fffd}maps)");
    bob.write("/join #tea\n");
    bob.wait_for_line("you can't enter #tea: you are banned from this room for another 7 d");
    let ended = alice.finish();
    let notes = ended.notes();
    let of = |words: &str| notes.iter().filter(|note| note.contains(words)).count();
    assert_eq!((of("#tea: bob is banned until 20"), of(", by alice on 20")), (1, 1), "{notes:?}");
    for done in
        ["* alice muted bob for 10m: be quiet", "* alice muted bob no more", "* alice banned bob for 1w: "]
    {
        assert_eq!(of(done), 1, "{done}: {notes:?}");
    }
    bob.finish();
}

#[test]
fn an_admin_sends_someone_away_who_may_come_back_and_then_keeps_them_out() {
    let (server, link) = server();
    let invite = admin(server.data(), &["invite", "--role", "admin"]).remove(0);
    let (roots, bobs) = (Home::new(), Home::new());
    let mut root = Piped::start(roots.client_as("root1", &invite, &["--signup"]));
    root.wait_until_in();
    let bob = Piped::start(bobs.client_as("bob", &link, &["--signup"]));
    bob.wait_until_in();
    root.write("/kick bob calm down\n");
    bob.wait().says(4, &["the server ended this session: root1 removed you: calm down; you may come back"]);
    let bob = Piped::start(bobs.client_as("bob", &link, &[]));
    bob.wait_for_line("#lobby * root1 removed bob: calm down");
    bob.wait_until_in();
    root.write("/ban bob\n");
    bob.wait().says(4, &["you are banned here"]);
    root.wait_for_line("#lobby * root1 banned bob");
    root.write("/ban root1\n");
    root.wait_for_line("not done: /ban (that is you; choose someone else)");
    root.finish();
}

#[test]
fn a_file_that_is_piped_in_faster_than_allowed_is_said_whole_and_one_is_told() {
    let server = ServerProcess::with_limits(&["messages-per-second=100", "message-burst=50"]);
    let home = Home::new();
    let typed: String = (0..200).map(|number| format!("number {number}\n")).collect::<Vec<_>>().concat();
    let link = server.link().to_string();
    let ended = Piped::run(home.client_as("alice", &link, &["--signup"]), typed).went_well();
    let expected: Vec<_> = (0..200).map(|number| format!("<alice> number {number}")).collect();
    assert_eq!(ended.said(), expected);
    let told = |note: &&&str| note.starts_with("you are sending faster than this server allows");
    assert_eq!(ended.notes().iter().filter(told).count(), 1);
}

#[test]
fn who_is_ignored_is_not_seen_on_any_device_nor_in_what_was_said_before() {
    let (server, link) = server();
    let home = Home::new();
    let mut bob = Peer::signed_up(server.link(), "bob");
    let mut carol = Peer::signed_up(server.link(), "carol");
    let say = |peer: &mut Peer, text: &str| {
        let id = peer.say(text);
        peer.wait_until_accepted(id);
    };
    say(&mut bob, "buy tea");
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.wait_for_line("<bob> buy tea");
    alice.write("/ignore Bob\n");
    alice.wait_for_line("you don't see any more what bob says; /unignore bob ends that");
    say(&mut bob, "buy more tea");
    say(&mut carol, "quiet here");
    alice.wait_for_line("<carol> quiet here");
    alice.write("/ignore\n/ignore alice\n/unignore carol\n");
    alice.wait_for_line("you ignore bob");
    let ended = alice.finish();
    assert_eq!(ended.said(), ["<bob> buy tea", "<carol> quiet here"]);
    ended.says(1, &["2 messages were not delivered"]);
    // Another device knows it from the beginning.
    let mut alice = Piped::start(home.client_as("alice", &link, &[]));
    alice.write("/history 10\n/search buy\n/ignore\n");
    alice.wait_for_line("2 more were said by people whom you ignore");
    alice.write("/unignore bob\n");
    let ended = alice.finish().went_well();
    assert_eq!(ended.said(), ["<carol> quiet here"]);
    assert!(!ended.stdout.contains("tea"), "{}", ended.stdout);
    for told in ["you ignore bob", "you see again what bob says"] {
        assert!(ended.notes().contains(&told), "{told}: {}", ended.stdout);
    }
}

#[test]
fn an_operator_takes_away_what_a_spammer_has_said() {
    let (server, link) = server();
    let home = Home::new();
    let mut alice = Piped::start(home.client_as("alice", &link, &["--signup"]));
    alice.write("/create #tea\n");
    alice.wait_for_line("#tea * alice made this room; anyone can enter");
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.send(&ClientMessage::Join { room: "#tea".into(), after: None });
    let (id, body) = (MessageId::random().unwrap(), b"buy coffee".to_vec().into());
    bob.send(&ClientMessage::Say { room: "#tea".into(), id, kind: BODY_TEXT, body, of: None });
    alice.wait_for_line("#tea <bob> buy coffee");
    alice.write("/purge bob 1h\n/purge alice\n");
    alice.wait_for_line("#tea * alice took away what bob had said here in the last 1h");
    alice.wait_for_line("not done: /purge (that is you; choose someone else)");
    alice.finish();
}
