//! People talk: everyone hears everything, once, in one order.
#![cfg(test)]

mod support;

use std::collections::HashSet;
use std::thread;

use chat::wire::{MessageId, ServerMessage};
use support::{Peer, ServerProcess};

fn body(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Said { body, .. } => String::from_utf8(body.to_vec()).unwrap(),
        other => panic!("not said: {other:?}"),
    }
}

fn is_said(message: &ServerMessage) -> bool {
    matches!(message, ServerMessage::Said { .. })
}

#[test]
fn what_one_says_the_other_hears_and_the_author_is_told_its_place() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    let mut bob = Peer::signed_up(server.link(), "bob");
    alice.join(None);
    bob.join(None);
    let id = alice.say("hello");
    let heard = bob.wait_for(is_said);
    let ServerMessage::Said { sequence: 1, author, id: heard_id, .. } = &heard else { panic!("{heard:?}") };
    assert_eq!((author.as_str(), *heard_id, body(&heard)), ("alice", id, "hello".into()));
    let accepted = alice.wait_for(|message| matches!(message, ServerMessage::Accepted { .. }));
    assert!(
        matches!(accepted, ServerMessage::Accepted { id: accepted_id, sequence: 1, .. } if accepted_id == id)
    );
    assert_eq!(body(&alice.wait_for(is_said)), "hello");
}

#[test]
fn fifty_who_talk_at_once_all_hear_everything_once_and_in_one_order() {
    const PEOPLE: usize = 50;
    const MESSAGES: usize = 20;
    let server = ServerProcess::start();
    let mut peers: Vec<_> = (0..PEOPLE).map(|n| Peer::signed_up(server.link(), &format!("p{n}"))).collect();
    for peer in &mut peers {
        peer.join(None);
    }
    let talking: Vec<_> = peers
        .into_iter()
        .enumerate()
        .map(|(n, mut peer)| {
            thread::spawn(move || {
                for m in 0..MESSAGES {
                    peer.say(&format!("{n}/{m}"));
                }
                (0..PEOPLE * MESSAGES).map(|_| body(&peer.wait_for(is_said))).collect::<Vec<_>>()
            })
        })
        .collect();
    let heard: Vec<_> = talking.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(heard.iter().all(|order| *order == heard[0]), "everyone heard the same order");
    assert_eq!(heard[0].iter().collect::<HashSet<_>>().len(), PEOPLE * MESSAGES);
    for n in 0..PEOPLE {
        let own: Vec<_> = heard[0].iter().filter(|text| text.starts_with(&format!("{n}/"))).collect();
        assert_eq!(
            own,
            (0..MESSAGES).map(|m| format!("{n}/{m}")).collect::<Vec<_>>().iter().collect::<Vec<_>>()
        );
    }
}

#[test]
fn who_joins_hears_the_last_fifty_and_who_comes_back_hears_what_was_missed() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    alice.join(None);
    for n in 1..=120 {
        alice.say(&n.to_string());
    }
    for _ in 0..120 {
        alice.wait_for(is_said);
    }
    let mut bob = Peer::signed_up(server.link(), "bob");
    let last = bob.join(None);
    assert_eq!(
        last.iter().map(body).collect::<Vec<_>>(),
        (71..=120).map(|n| n.to_string()).collect::<Vec<_>>()
    );
    bob.leave();
    let mut bob = Peer::logged_in(server.link(), "bob");
    let missed = bob.join(Some(100));
    assert_eq!(
        missed.iter().map(body).collect::<Vec<_>>(),
        (101..=120).map(|n| n.to_string()).collect::<Vec<_>>()
    );
    bob.leave();
    let mut bob = Peer::logged_in(server.link(), "bob");
    assert_eq!(bob.join(Some(9999)).len(), 50, "a place that is not there yet counts as none");
}

#[test]
fn a_message_that_is_sent_again_is_accepted_again_and_said_once() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    alice.join(None);
    let id = MessageId::random().unwrap();
    alice.say_as(id, "once");
    alice.say_as(id, "once");
    let last = alice.say("last");
    let (mut said, mut accepted) = (Vec::new(), Vec::new());
    while said.len() < 2 || accepted.len() < 3 {
        match alice.next() {
            message @ ServerMessage::Said { .. } => said.push(body(&message)),
            ServerMessage::Accepted { id, sequence, .. } => accepted.push((id, sequence)),
            _ => {}
        }
    }
    assert_eq!(said, ["once", "last"]);
    assert_eq!(accepted, [(id, 1), (id, 1), (last, 2)]);
}

#[test]
fn who_comes_and_goes_is_seen_once_for_each_person() {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    alice.join(None);
    let mut bob = Peer::signed_up(server.link(), "bob");
    bob.join(None);
    let mut again = Peer::logged_in(server.link(), "bob");
    again.join(None);
    bob.leave();
    again.leave();
    let mut carol = Peer::signed_up(server.link(), "carol");
    carol.join(None);
    let mut seen = Vec::new();
    while seen.len() < 3 {
        match alice.next() {
            ServerMessage::Arrived { name, .. } => seen.push(format!("+{name}")),
            ServerMessage::Left { name, .. } => seen.push(format!("-{name}")),
            _ => {}
        }
    }
    assert_eq!(seen, ["+bob", "-bob", "+carol"]);
}
