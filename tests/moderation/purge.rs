//! All that someone has said in a room is taken away, and nothing else.

use super::*;
use chat::wire::BODY_REMOVED;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use support::eventually;

const SPAM: &str = "buy-the-best-of-all-teas";

/// The files of a folder in which the spam is, of those whose names begin so.
fn files_with_spam(folder: &Path, start: &str) -> Vec<String> {
    let is_meant = |entry: &fs::DirEntry| entry.file_name().to_str().unwrap().starts_with(start);
    let entries =
        fs::read_dir(folder).unwrap().map(Result::unwrap).filter(is_meant).map(|entry| entry.path());
    let holds = |path: &std::path::PathBuf| {
        let content = fs::read(path).unwrap_or_default();
        content.windows(SPAM.len()).any(|window| window == SPAM.as_bytes())
    };
    entries.filter(|path| path.is_file() && holds(path)).map(|path| path.display().to_string()).collect()
}

/// The index of what can be searched for follows by itself; of many messages not at once.
fn wait_until_gone_from_log(server: &ServerProcess) {
    let is_gone = || files_with_spam(server.data(), "chat.db").is_empty();
    eventually("the spam is not in the log", || is_gone().then_some(()));
}

/// A room of alice's in which bob has said so much. Nobody follows it: nobody lags behind.
fn spammed(server: &ServerProcess, count: usize) -> (Peer, Peer) {
    const AT_ONCE: usize = 500;
    let (mut alice, mut bob) = (listening(server, "alice"), listening(server, "bob"));
    change(&mut alice, "#tea", &RoomEvent::Made { is_private: false }).unwrap();
    change(&mut bob, "#tea", &RoomEvent::Joined {}).unwrap();
    for _ in 0..count / AT_ONCE {
        let spam = |number| say_in(&mut bob, "#tea", BODY_TEXT, format!("{SPAM} {number}"));
        let last = (0..AT_ONCE).map(spam).last().unwrap();
        outcome(&mut bob, last).unwrap();
    }
    (alice, bob)
}

/// How much was said by someone, and how much of what they had said was removed by alice.
fn of(said: &[ServerMessage], name: &str) -> (usize, usize) {
    let (mut texts, mut removed) = (0, 0);
    for message in said {
        match message {
            ServerMessage::Said { author, kind: BODY_TEXT, .. } if author == name => texts += 1,
            ServerMessage::Said { author, kind: BODY_REMOVED, body, .. } if author == name => {
                assert_eq!(body.as_slice(), b"alice");
                removed += 1;
            }
            _ => {}
        }
    }
    (texts, removed)
}

#[test]
fn ten_thousand_messages_go_while_others_talk_and_notice_nothing() {
    const MESSAGES: usize = 10_000;
    let server = ServerProcess::start();
    let (mut alice, mut bob) = spammed(&server, MESSAGES);
    let mut carol = listening(&server, "carol");
    change(&mut carol, "#tea", &RoomEvent::Joined {}).unwrap();
    say(&mut bob, "#lobby", "elsewhere").unwrap();
    assert!(!files_with_spam(server.data(), "chat.db").is_empty(), "the test sees it when it is there");
    change(&mut alice, "#tea", &purged("bob", None)).unwrap();
    assert_eq!(change(&mut alice, "#tea", &purged("bob", None)), Err(Code::NotNow), "it goes on already");
    let mut worst = Duration::ZERO;
    for number in 0..20 {
        let asked = Instant::now();
        say(&mut carol, "#tea", &format!("meanwhile {number}")).unwrap();
        worst = worst.max(asked.elapsed());
    }
    assert!(worst < Duration::from_secs(2), "{worst:?}");
    say(&mut bob, "#tea", "afterwards").unwrap();
    wait_until_gone_from_log(&server);
    let mut late = listening(&server, "late");
    let said = join(&mut late, "#tea").unwrap();
    assert_eq!(of(&said, "bob"), (1, MESSAGES), "what came afterwards stays");
    assert_eq!(of(&said, "carol"), (20, 0));
    assert_eq!(of(&join(&mut late, "#lobby").unwrap(), "bob"), (1, 0), "other rooms are not alice's");
    let done = moderation_log(&mut alice, "#tea").unwrap();
    assert_eq!(done, ["alice Purged { name: \"bob\", since: None, seconds: None }"]);
}

#[test]
fn a_server_that_is_killed_meanwhile_goes_on_afterwards() {
    let server = ServerProcess::start();
    let (mut alice, _bob) = spammed(&server, 5_000);
    change(&mut alice, "#tea", &purged("bob", None)).unwrap();
    let server = server.kill_and_restart();
    wait_until_gone_from_log(&server);
    let mut alice = again(&server, "alice");
    assert_eq!(of(&join(&mut alice, "#tea").unwrap(), "bob"), (0, 5_000));
}

#[test]
fn nothing_of_it_can_be_read_again_or_brought_back() {
    let server = ServerProcess::start();
    let (mut alice, mut bob) = (listening(&server, "alice"), listening(&server, "bob"));
    tea(&mut [&mut alice, &mut bob]);
    let id = say_in(&mut bob, "#tea", BODY_TEXT, SPAM);
    let place = outcome(&mut bob, id).unwrap();
    change(&mut alice, "#tea", &purged("bob", Some(3600))).unwrap();
    let is_gone = || files_with_spam(server.data(), "").is_empty();
    eventually("the spam is nowhere", || is_gone().then_some(()));
    // What is sent again after a lost connection is known again, and not said again.
    say_as(&mut bob, id, "#tea", BODY_TEXT, SPAM);
    assert_eq!(outcome(&mut bob, id), Ok(place));
    let edit = MessageChange::Edit(SPAM.as_bytes());
    let id = MessageId::random().unwrap();
    let (kind, body) = (edit.kind(), edit.body().into());
    bob.send(&ClientMessage::Say { room: "#tea".into(), id, kind, body, of: Some(place) });
    assert_eq!(outcome(&mut bob, id), Err(Code::MessageRemoved));
    alice.send(&ClientMessage::History { room: "#tea".into(), before: None, after: None, count: None });
    let page = alice.wait_for(|message| matches!(message, ServerMessage::History { .. }));
    let ServerMessage::History { messages, .. } = page else { unreachable!() };
    assert!(messages.iter().all(|message| message.body.as_slice() != SPAM.as_bytes()));
    assert!(is_gone());
}
