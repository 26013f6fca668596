//! `chat admin backup`, `restore` and `export`: copies of one moment, whole or not at all.
#![cfg(test)]

mod support;

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use chat::wire::{ClientMessage, MessageId, ServerMessage};
use serde_json::Value;
use support::{
    Peer, ServerProcess, admin, admin_command, admin_ended, body, eventually, is_private, sequence, snapshot,
};
use tempfile::TempDir;

const TALKERS: usize = 3;

/// How many messages are accepted before the backup begins.
const BEFORE: usize = 300;

/// A server with something of everything, and a folder for backups.
fn house() -> (ServerProcess, TempDir) {
    let server = ServerProcess::start();
    let mut alice = Peer::signed_up(server.link(), "alice");
    alice.send(&ClientMessage::Remember { label: "laptop".into() });
    assert!(matches!(alice.next(), ServerMessage::Remembered {}));
    for text in ["one", "two \"quoted\"\n", "three"] {
        let id = alice.say(text);
        alice.wait_until_accepted(id);
    }
    admin(server.data(), &["ban", "address:192.0.2.1", "--reason", "spam"]);
    admin(server.data(), &["invite", "--uses", "3"]);
    (server, tempfile::tempdir().unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What an operator sees of a server's files.
fn seen(data: &Path) -> Vec<Vec<String>> {
    let commands = [&["users"][..], &["devices", "alice"], &["bans"], &["invites"], &["rooms"]];
    commands.iter().map(|command| admin(data, command)).collect()
}

/// All that was said in the lobby, oldest first.
fn lobby(server: &ServerProcess, name: &str) -> Vec<ServerMessage> {
    Peer::logged_in(server.link(), name).join(Some(0))
}

fn stop(server: &mut ServerProcess) {
    server.signal("TERM");
    assert!(server.wait().success());
}

/// Kills the command after a while, unless it ends before. True if it ended by itself.
fn killed_after(mut command: std::process::Command, time: Duration) -> bool {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(time); // not for something to happen, but for something to be in the middle of happening
    let is_over = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    is_over
}

#[test]
fn a_backup_under_load_has_everything_that_was_acknowledged_before_it_once_and_in_order() {
    let server = ServerProcess::start();
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..TALKERS).map(|number| format!("talker{number}")).collect();
    for name in &names {
        Peer::signed_up(server.link(), name).leave();
    }
    let (accepted, is_over) = (Mutex::new(HashMap::<MessageId, u64>::new()), AtomicBool::new(false));
    let backup = folder.path().join("backup");
    let before = thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| {
                let mut peer = Peer::logged_in(server.link(), name);
                while !is_over.load(Ordering::Relaxed) {
                    let id = peer.say(name);
                    let place = peer.wait_until_accepted(id);
                    accepted.lock().unwrap().insert(id, place);
                }
            });
        }
        // New accounts come in the meantime, too, so that no moment is quiet.
        scope.spawn(|| {
            for number in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                Peer::signed_up(server.link(), &format!("newcomer{number}")).leave();
            }
        });
        eventually("enough is said", || (accepted.lock().unwrap().len() >= BEFORE).then_some(()));
        let before = accepted.lock().unwrap().clone();
        admin(server.data(), &["backup", text(&backup)]);
        is_over.store(true, Ordering::Relaxed);
        before
    });
    let data = folder.path().join("restored");
    admin(&data, &["restore", text(&backup)]);
    let restored = ServerProcess::start_in(data, None, "127.0.0.1:0", &[]);
    assert_eq!(restored.link().server_key, server.link().server_key);
    let said = lobby(&restored, &names[0]);
    assert!(said.iter().map(sequence).eq(1..=said.len() as u64), "in order, without a gap");
    let places: HashMap<MessageId, u64> = said
        .iter()
        .map(|message| match message {
            ServerMessage::Said { id, sequence, .. } => (*id, *sequence),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(places.len(), said.len(), "each once");
    assert!(before.iter().all(|(id, place)| places.get(id) == Some(place)));
    // And it goes on where it was.
    let mut peer = Peer::logged_in(restored.link(), &names[0]);
    let id = peer.say("after");
    assert_eq!(peer.wait_until_accepted(id), said.len() as u64 + 1);
}

#[test]
fn a_restored_server_is_the_one_that_it_was() {
    let (mut server, folder) = house();
    let backup = folder.path().join("backup");
    let told = admin(server.data(), &["backup", text(&backup)]);
    assert!(told[0].contains(text(&backup)), "{told:?}");
    for (name, (mode, _)) in snapshot(&backup) {
        assert!(is_private(mode) && name != *"search.db", "{name:?}");
    }
    assert!(is_private(fs::metadata(&backup).unwrap().permissions().mode()));
    // What comes after it is not in it.
    Peer::signed_up(server.link(), "bob").leave();
    stop(&mut server);
    let later = seen(server.data());
    let restored = folder.path().join("new/data");
    admin(&restored, &["restore", text(&backup)]);
    assert_eq!(later[0].len(), 2);
    assert_eq!(seen(&restored)[0], ["alice  member, 1 device"]);
    assert_eq!(seen(&restored)[1..], later[1..]);
    assert!(is_private(fs::metadata(&restored).unwrap().permissions().mode()));

    // In the place of what is there, which is kept.
    admin_ended(server.data(), &["restore", text(&backup)]).says(1, &["not empty", "--replace"]);
    let told = admin(server.data(), &["restore", text(&backup), "--replace"]);
    let kept = PathBuf::from(told[1].strip_prefix("what was there before is in ").unwrap());
    assert_eq!((seen(server.data()), seen(&kept)), (seen(&restored), later));
    let server = server.restart();
    assert_eq!(
        lobby(&server, "alice").iter().map(body).collect::<Vec<_>>(),
        ["one", "two \"quoted\"\n", "three"]
    );
}

#[test]
fn a_stopped_and_a_killed_server_are_backed_up_as_well() {
    let (mut server, folder) = house();
    server.signal("KILL");
    server.wait();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    admin(server.data(), &["backup", text(&first)]);
    let data = folder.path().join("data");
    admin(&data, &["restore", text(&first)]);
    admin(&data, &["backup", text(&second)]);
    admin(server.data(), &["restore", text(&second), "--replace"]);
    let server = server.restart();
    assert_eq!(lobby(&server, "alice").len(), 3);
}

#[test]
fn nothing_is_overwritten_and_what_is_no_server_or_no_backup_is_told() {
    let (server, folder) = house();
    let (backup, empty) = (folder.path().join("backup"), folder.path().join("empty"));
    fs::create_dir(&empty).unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    for taken in [&empty, &file] {
        admin_ended(server.data(), &["backup", text(taken)]).says(1, &[text(taken), "is there already"]);
    }
    admin_ended(server.data(), &["export", "alice", text(&file)]).says(1, &["is there already"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    admin_ended(&empty, &["backup", text(&backup)]).says(1, &["not the data folder"]);
    let nowhere = folder.path().join("nowhere/backup");
    admin_ended(server.data(), &["backup", text(&nowhere)]).says(1, &["nowhere"]);
    admin(server.data(), &["backup", text(&backup)]);
    for no_backup in [&empty, &file, &nowhere] {
        let data = folder.path().join("data");
        admin_ended(&data, &["restore", text(no_backup)]).says(1, &["no backup", text(no_backup)]);
        assert!(!data.exists());
    }
    // A server that runs keeps its folder.
    let before = seen(server.data());
    let command = ["restore", text(&backup), "--replace"];
    admin_ended(server.data(), &command).says(1, &["another chat server uses", "stop it"]);
    assert_eq!(seen(server.data()), before);
}

#[test]
fn a_damaged_backup_is_refused_before_anything_is_changed() {
    let (mut server, folder) = house();
    let backup = folder.path().join("backup");
    admin(server.data(), &["backup", text(&backup)]);
    stop(&mut server);
    let before = snapshot(server.data());
    let beside = fs::read_dir(server.data().parent().unwrap()).unwrap().count();
    for (name, (_, contents)) in snapshot(&backup) {
        let path = backup.join(name);
        let mut changed = contents.clone();
        *changed.last_mut().unwrap() ^= 1;
        let shorter = &contents[..contents.len() - 1];
        for damaged in [&changed[..], shorter] {
            fs::write(&path, damaged).unwrap();
            let refused = admin_ended(server.data(), &["restore", text(&backup), "--replace"]);
            assert_eq!(refused.code, Some(1), "{}: {refused:?}", path.display());
        }
        fs::write(&path, &contents).unwrap();
    }
    // Whole, and of a version that nobody knows yet.
    let (other, newer) = (folder.path().join("other"), folder.path().join("newer"));
    admin(&other, &["restore", text(&backup)]);
    let chat_db = rusqlite::Connection::open(other.join("chat.db")).unwrap();
    chat_db.pragma_update(None, "user_version", 1000).unwrap();
    drop(chat_db);
    admin(&other, &["backup", text(&newer)]);
    let refused = admin_ended(server.data(), &["restore", text(&newer), "--replace"]);
    refused.says(1, &["the backup can't be used", "newer version"]);
    assert_eq!(snapshot(server.data()), before);
    assert_eq!(fs::read_dir(server.data().parent().unwrap()).unwrap().count(), beside, "no trace is left");
}

#[test]
fn a_backup_that_is_killed_is_none() {
    let (server, folder) = house();
    for step in 0.. {
        let backup = folder.path().join(format!("backup{step}"));
        let command = admin_command(server.data(), &["backup", text(&backup)]);
        let is_over = killed_after(command, Duration::from_millis(2 * step));
        let data = folder.path().join(format!("data{step}"));
        if backup.exists() {
            admin(&data, &["restore", text(&backup)]);
            assert_eq!(seen(&data)[4], seen(server.data())[4]);
        }
        if is_over {
            assert!(backup.exists() && step > 0, "it was killed at least once");
            return;
        }
    }
}

#[test]
fn a_restore_that_is_killed_leaves_what_there_was_or_all_of_the_backup() {
    let (mut server, folder) = house();
    let backup = folder.path().join("backup");
    admin(server.data(), &["backup", text(&backup)]);
    Peer::signed_up(server.link(), "bob").leave();
    stop(&mut server);
    let data = server.data().to_owned();
    for step in 0.. {
        let command = admin_command(&data, &["restore", text(&backup), "--replace"]);
        let is_over = killed_after(command, Duration::from_millis(4 * step));
        let users = admin(&data, &["users"]).len();
        assert!(users == 2 || users == 1, "the one or the other");
        assert_eq!(seen(&data)[4], ["#lobby  everyone, 3 messages, 1 KiB"]);
        if is_over {
            assert_eq!(users, 1);
            return;
        }
    }
}

#[test]
fn what_an_account_has_is_exported_in_lines_of_json() {
    let (mut server, folder) = house();
    let mut bob = Peer::signed_up(server.link(), "bob");
    let id = bob.say("not hers");
    bob.wait_until_accepted(id);
    let running = folder.path().join("running.jsonl");
    let told = admin(server.data(), &["export", "Alice", text(&running)]);
    assert!(told[0].starts_with("3 messages, 0 rooms and 1 devices of alice"), "{told:?}");
    assert!(is_private(fs::metadata(&running).unwrap().permissions().mode()));
    let exported = fs::read_to_string(&running).unwrap();
    let lines: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["account", "device", "message", "message", "message"]);
    assert_eq!((lines[0]["name"].as_str(), lines[0]["role"].as_str()), (Some("alice"), Some("member")));
    assert_eq!(lines[1]["label"], "laptop");
    assert_eq!((&lines[3]["text"], &lines[3]["sequence"]), (&"two \"quoted\"\n".into(), &2.into()));
    assert!(!exported.contains("not hers") && !exported.contains("argon2"));
    // Of who is deleted it is what is still there; of a stopped server it is the same.
    admin(server.data(), &["delete-user", "alice"]);
    stop(&mut server);
    let stopped = folder.path().join("stopped.jsonl");
    assert!(
        admin(server.data(), &["export", "alice", text(&stopped)])[0]
            .starts_with("3 messages, 0 rooms and 0")
    );
    let nobody = ["export", "nobody", text(&folder.path().join("nobody"))].map(str::to_owned);
    admin_ended(server.data(), &nobody.each_ref().map(String::as_str)).says(1, &["no account 'nobody'"]);
}
