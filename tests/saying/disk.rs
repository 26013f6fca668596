//! What was removed or edited away is nowhere on the server's disk.

use super::*;
use std::fs;
use std::path::Path;

use chat::names::MESSAGE_BYTES_MAX;
use support::eventually;

/// The files of a folder that hold this.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let holds = |path: &std::path::PathBuf| {
        let content = fs::read(path).unwrap_or_default();
        content.windows(text.len()).any(|window| window == text.as_bytes())
    };
    entries.filter(|path| path.is_file() && holds(path)).map(|path| path.display().to_string()).collect()
}

#[test]
fn a_text_that_was_removed_or_edited_away_is_in_no_file_of_the_server() {
    let server = ServerProcess::start();
    let mut alice = talking(&server, "alice");
    let first = "correct-horse-of-the-first-text";
    let long = "battery-staple-in-a-long-text-".repeat(400);
    let second = "the-text-of-the-second-edit";
    let number = say(&mut alice, first);
    assert!(!files_with(server.data(), first).is_empty(), "the test sees it when it is there");
    change(&mut alice, number, &edit(&long)).unwrap();
    let gone =
        |text: &str| eventually("it is gone", || files_with(server.data(), text).is_empty().then_some(()));
    gone(first);
    change(&mut alice, number, &edit(second)).unwrap();
    gone("battery-staple-in-a-long-text");
    change(&mut alice, number, &MessageChange::Remove).unwrap();
    gone(second);
    for text in [first, "battery-staple", second] {
        assert_eq!(files_with(server.data(), text), [""; 0]);
    }
    let kept = say(&mut alice, "what others say stays");
    assert_eq!(kept, 5);
    assert!(!files_with(server.data(), "what others say stays").is_empty());
}

#[test]
fn it_is_gone_also_when_others_read_at_that_moment() {
    let server = ServerProcess::start();
    let mut alice = talking(&server, "alice");
    let filler = "x".repeat(MESSAGE_BYTES_MAX);
    for _ in 0..300 {
        say(&mut alice, &filler);
    }
    let number = say(&mut alice, "correct-horse-battery-staple");
    // They catch up without end while it is removed.
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let mut reader = Peer::logged_in(server.link(), "alice");
            std::thread::spawn(move || reader.join(Some(0)).len())
        })
        .collect();
    change(&mut alice, number, &MessageChange::Remove).unwrap();
    let gone = || files_with(server.data(), "correct-horse-battery-staple").is_empty().then_some(());
    eventually("it is gone", gone);
    for reader in readers {
        assert!(reader.join().unwrap() >= 301);
    }
}
