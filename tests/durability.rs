//! The server is killed in the middle, and its disk is full: what was accepted is there, once, in its place.
#![cfg(test)]

mod support;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use chat::link::Link;
use chat::wire::{ClientMessage, Code, MessageId, ServerMessage};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use support::{Heard, PASSWORD, PROGRAM, Peer, ServerProcess, body, sequence};

const KILLS: usize = 10;
const TALKERS: usize = 5;
/// How many messages are accepted before the server is killed again.
const BETWEEN_KILLS: usize = 150;
/// Messages that a talker has on the way at once.
const WINDOW: usize = 16;
const THE_END: &str = "the end";

/// What the talkers share with the one who kills.
struct Stage {
    link: Link,
    /// How often the server was started, and whether the talkers may stop.
    state: Mutex<(usize, bool)>,
    restarted: Condvar,
    /// The place of every message that was accepted.
    accepted: Mutex<HashMap<MessageId, u64>>,
}

impl Stage {
    /// A session with whichever server runs now. `seen` is the start that the last session was with, or 0.
    fn session(&self, name: &str, seen: &mut usize) -> Peer {
        loop {
            let state = self.state.lock().unwrap();
            let (state, _) = self
                .restarted
                .wait_timeout_while(state, support::PATIENCE, |(starts, _)| starts == seen)
                .unwrap();
            assert_ne!(state.0, *seen, "the server was not started again");
            *seen = state.0;
            drop(state);
            let Ok(mut peer) = Peer::try_connect(&self.link) else { continue };
            // Killed while we come in: the next start will do.
            let Heard::Message(ServerMessage::Welcome { .. }) = peer.hear() else { continue };
            let password = support::secret(PASSWORD);
            let login = ClientMessage::LogIn { name: name.into(), password };
            if peer.try_send(&login).is_ok()
                && let Heard::Message(ServerMessage::LoggedIn { .. }) = peer.hear()
            {
                return peer;
            }
        }
    }

    fn may_stop(&self) -> bool {
        self.state.lock().unwrap().1
    }
}

/// Says as much as it can, resends what was not accepted when the connection is lost, and gives what it has said.
fn talk(stage: &Stage, name: &str, on_accepted: &Sender<()>) -> HashSet<MessageId> {
    let (mut said, mut waiting, mut seen) = (HashSet::new(), Vec::<(MessageId, String)>::new(), 0);
    'sessions: loop {
        let mut peer = stage.session(name, &mut seen);
        for (id, text) in &waiting {
            if peer.try_say_as(*id, text).is_err() {
                continue 'sessions;
            }
        }
        loop {
            while waiting.len() < WINDOW && !stage.may_stop() {
                let (id, text) = (MessageId::random().unwrap(), format!("{name} {}", said.len()));
                said.insert(id);
                waiting.push((id, text.clone()));
                if peer.try_say_as(id, &text).is_err() {
                    continue 'sessions;
                }
            }
            if waiting.is_empty() {
                return said;
            }
            match peer.hear() {
                Heard::Message(ServerMessage::Accepted { id, sequence, .. }) => {
                    waiting.retain(|(other, _)| *other != id);
                    let before = stage.accepted.lock().unwrap().insert(id, sequence);
                    assert!(before.is_none_or(|before| before == sequence), "a message has one place");
                    let _ = on_accepted.send(());
                }
                Heard::Message(other) => panic!("not expected: {other:?}"),
                Heard::Goodbye | Heard::Lost => continue 'sessions,
            }
        }
    }
}

/// Stays in the room through all of it, and gives what it has heard.
fn listen(stage: &Stage) -> Vec<ServerMessage> {
    let (mut heard, mut seen) = (Vec::new(), 0);
    loop {
        let mut peer = stage.session("listener", &mut seen);
        let join = ClientMessage::Join { room: "#lobby".into(), after: Some(heard.len() as u64) };
        if peer.try_send(&join).is_err() {
            continue;
        }
        loop {
            match peer.hear() {
                Heard::Message(message @ ServerMessage::Said { .. }) => {
                    assert_eq!(sequence(&message), heard.len() as u64 + 1, "in order, without a gap, once");
                    heard.push(message);
                    if heard.last().is_some_and(|last| body(last) == THE_END) {
                        return heard;
                    }
                }
                Heard::Message(_) => {}
                Heard::Goodbye | Heard::Lost => break,
            }
        }
    }
}

/// The whole log, as someone gets it who has nothing.
fn read_log(link: &Link) -> Vec<ServerMessage> {
    let mut reader = Peer::logged_in(link, "reader");
    let log = reader.join(Some(0));
    for (said, place) in log.iter().zip(1..) {
        assert_eq!(sequence(said), place);
    }
    log
}

fn ids(log: &[ServerMessage]) -> Vec<MessageId> {
    let id = |said: &ServerMessage| match said {
        ServerMessage::Said { id, .. } => *id,
        other => panic!("not said: {other:?}"),
    };
    log.iter().map(id).collect()
}

#[test]
fn what_was_accepted_is_there_once_however_often_the_server_is_killed() {
    let mut server = ServerProcess::start();
    let names: Vec<_> = (0..TALKERS).map(|n| format!("talker{n}")).collect();
    for name in names.iter().map(String::as_str).chain(["listener", "reader"]) {
        Peer::signed_up(server.link(), name).leave();
    }
    let stage = Arc::new(Stage {
        link: server.link().clone(),
        state: Mutex::new((1, false)),
        restarted: Condvar::new(),
        accepted: Mutex::default(),
    });
    let (sender, accepted) = mpsc::channel();
    let talking: Vec<_> = names
        .into_iter()
        .map(|name| {
            let (stage, sender) = (Arc::clone(&stage), sender.clone());
            thread::spawn(move || talk(&stage, &name, &sender))
        })
        .collect();
    let for_listener = Arc::clone(&stage);
    let listening = thread::spawn(move || listen(&for_listener));

    let mut before: Vec<MessageId> = Vec::new();
    for kill in 1..=KILLS {
        for _ in 0..BETWEEN_KILLS {
            accepted.recv_timeout(support::PATIENCE).expect("the talkers get on");
        }
        server = server.kill_and_restart();
        let promised = stage.accepted.lock().unwrap().clone();
        *stage.state.lock().unwrap() = (kill + 1, kill == KILLS);
        stage.restarted.notify_all();
        let log = ids(&read_log(server.link()));
        assert!(log.starts_with(&before), "what was said once stays as it is");
        for (id, place) in promised {
            assert_eq!(log[usize::try_from(place).unwrap() - 1], id, "what was accepted is in its place");
        }
        before = log;
    }

    let said: HashSet<_> = talking.into_iter().flat_map(|talker| talker.join().unwrap()).collect();
    let mut closer = Peer::logged_in(server.link(), "reader");
    let last = closer.say(THE_END);
    closer.wait_until_accepted(last);
    let log = read_log(server.link());
    let unique: HashSet<_> = ids(&log).into_iter().filter(|id| *id != last).collect();
    assert_eq!(unique.len() + 1, log.len(), "nothing is there twice");
    assert_eq!(
        unique, said,
        "everything is there in the end, since all of it was sent until it was accepted"
    );
    assert_eq!(listening.join().unwrap(), log);
}

/// Says things until one is refused, and gives how many were accepted before.
fn say_until_refused(peer: &mut Peer) -> usize {
    for accepted in 0..10_000 {
        let id = peer.say(&"x".repeat(4000));
        match peer.next() {
            ServerMessage::Accepted { .. } => {}
            ServerMessage::Refused { code, id: refused, .. } => {
                assert_eq!((code, refused), (Code::NotStored, Some(id)));
                return accepted;
            }
            other => panic!("not expected: {other:?}"),
        }
    }
    panic!("the disk is never full")
}

/// With a disk that takes nothing any more, until `make_room`. Gives the number of messages in the log at the end.
fn refuses_while_it_is_full_and_goes_on(
    server: &ServerProcess,
    fill: impl FnOnce(),
    make_room: impl FnOnce(),
) -> u64 {
    let mut alice = Peer::signed_up(server.link(), "alice");
    let mut bob = Peer::signed_up(server.link(), "bob");
    for text in ["one", "two", "three"] {
        let id = alice.say(text);
        alice.wait_until_accepted(id);
    }
    fill();
    let accepted = 3 + say_until_refused(&mut alice);
    assert_eq!(say_until_refused(&mut alice), 0);
    assert_eq!(bob.join(Some(0)).len(), accepted, "who reads is served");
    let mut carol = Peer::connect(server.link());
    let refused = carol.sign_up("carol", PASSWORD);
    assert!(matches!(refused, ServerMessage::Refused { code: Code::NotStored, .. }), "{refused:?}");
    assert!(matches!(Peer::connect(server.link()).log_in("bob", PASSWORD), ServerMessage::LoggedIn { .. }));

    make_room();
    let id = alice.say("there is room again");
    let place = alice.wait_until_accepted(id);
    assert_eq!(place, accepted as u64 + 1, "what was refused has no place");
    let heard = bob.wait_for(support::is_said);
    assert_eq!((sequence(&heard), body(&heard).as_str()), (place, "there is room again"));
    assert!(matches!(carol.sign_up("carol", PASSWORD), ServerMessage::LoggedIn { .. }));
    place
}

#[test]
fn a_server_that_may_not_make_its_files_longer_refuses_and_goes_on_when_it_may_again() {
    let server = ServerProcess::start();
    let process = Pid::from_raw(server.id().try_into().unwrap());
    let may_write_up_to = |bytes| {
        let limit = Rlimit { current: bytes, maximum: getrlimit(Resource::Fsize).maximum };
        prlimit(process, Resource::Fsize, limit).unwrap();
    };
    let fill = || may_write_up_to(Some(fs::metadata(server.data().join("users.db")).unwrap().len()));
    let last = refuses_while_it_is_full_and_goes_on(&server, fill, || may_write_up_to(None));
    let server = server.kill_and_restart();
    let log = Peer::logged_in(server.link(), "bob").join(Some(0));
    assert_eq!(log.iter().map(sequence).collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
}

#[test]
fn a_server_whose_disk_is_full_refuses_and_goes_on_when_there_is_room() {
    const NEW_DISK: &str = "mount -t tmpfs -o size=4m none \"$0\" && exec \"$@\"";
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let on_new_disk = |program: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", NEW_DISK]).arg(&disk).arg(program);
        command
    };
    if !on_new_disk("true").output().is_ok_and(|tried| tried.status.success()) {
        eprintln!(
            "SKIPPED: this system lets us mount no small disk (unshare --map-root-user, mount -t tmpfs)"
        );
        return;
    }
    let server = ServerProcess::start_by(on_new_disk(PROGRAM), disk.join("server"), folder);
    // Only the server itself sees what is mounted for it.
    let inside = Path::new("/proc").join(server.id().to_string()).join("root");
    let ballast = inside.join(disk.strip_prefix("/").unwrap()).join("ballast");
    let fill = || assert!(fs::write(&ballast, vec![0; 8 * 1024 * 1024]).is_err(), "4 MiB hold less than 8");
    refuses_while_it_is_full_and_goes_on(&server, fill, || fs::remove_file(&ballast).unwrap());
}
