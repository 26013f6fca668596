//! The client remembers its device: real processes, by pipes and on a terminal.
#![cfg(test)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use chat::channel::StaticKey;
use chat::wire::{ClientMessage, ServerMessage};
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use support::{PASSWORD, PROGRAM, Peer, ServerProcess, eventually, secret};
use tempfile::TempDir;

const HASHING: &str = "hashing a password";

/// Someone's computer.
struct Home {
    folder: TempDir,
}

/// How a client ended, and what it wrote.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// A client that runs, with what it writes to standard output and to standard error.
struct Open {
    child: Child,
    typing: ChildStdin,
    shown: Arc<Mutex<String>>,
    told: Arc<Mutex<String>>,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("password"), PASSWORD).unwrap();
        Self { folder }
    }

    /// Runs a client on these lines until it ends.
    fn run(&self, server: &ServerProcess, arguments: &[&str], lines: &str) -> Ended {
        let mut child = Command::new(PROGRAM)
            .args(["client", &server.link().to_string()])
            .args(arguments)
            .env("XDG_DATA_HOME", self.folder.path())
            .env_remove("CHAT_PASSWORD")
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A client that ends at its login does not read them.
        let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    fn with_password(&self, server: &ServerProcess, arguments: &[&str], lines: &str) -> Ended {
        let path = self.folder.path().join("password");
        let arguments = [arguments, &["--password-file", path.to_str().unwrap()]].concat();
        self.run(server, &arguments, lines)
    }

    /// A client that comes in by its device and stays.
    fn open(&self, server: &ServerProcess) -> Open {
        let mut child = Command::new(PROGRAM)
            .args(["client", &server.link().to_string()])
            .env("XDG_DATA_HOME", self.folder.path())
            .env_remove("CHAT_PASSWORD")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let typing = child.stdin.take().unwrap();
        let shown = collected(child.stdout.take().unwrap());
        let told = collected(child.stderr.take().unwrap());
        eventually("it is in", || shown.lock().unwrap().contains("you are alice").then_some(()));
        Open { child, typing, shown, told }
    }

    fn devices_folder(&self) -> PathBuf {
        self.folder.path().join("chat/devices")
    }

    fn key_file(&self, server: &ServerProcess) -> PathBuf {
        self.devices_folder().join(format!("{}.key", server.link().server_key.unwrap()))
    }

    /// The key that is in the file.
    fn key(&self, server: &ServerProcess) -> String {
        fs::read_to_string(self.key_file(server)).unwrap()
    }
}

impl Ended {
    fn is_fine(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    fn said(&self, text: &str) -> bool {
        self.stdout.lines().any(|line| line.ends_with(text))
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_login_needs_the_password_and_the_next_ones_nothing_at_all() {
    let (server, home) = (ServerProcess::start(), Home::new());
    let first = home.with_password(&server, &["--user", "alice", "--signup"], "one\n");
    assert!(first.is_fine().said("#lobby <alice> one"), "{first:?}");
    assert_eq!((mode(&home.devices_folder()), mode(&home.key_file(&server))), (0o700, 0o600));
    assert_eq!(fs::read_dir(home.devices_folder()).unwrap().count(), 1);
    let hashed = server.log().matches(HASHING).count();
    for arguments in [[].as_slice(), &["--user", "alice"]] {
        let next = home.run(&server, arguments, "two\n");
        assert!(next.is_fine().said("#lobby <alice> two") && next.stderr.is_empty(), "{next:?}");
    }
    assert_eq!(server.log().matches(HASHING).count(), hashed, "no password was checked");
    let server = server.kill_and_restart();
    home.run(&server, &[], "three\n").is_fine();
}

#[test]
fn nothing_is_remembered_with_no_remember() {
    let (server, home) = (ServerProcess::start(), Home::new());
    home.with_password(&server, &["--user", "alice", "--signup", "--no-remember"], "one\n").is_fine();
    assert!(!home.devices_folder().exists());
    let refused = home.run(&server, &["--user", "alice"], "two\n");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    home.with_password(&server, &["--user", "alice"], "three\n").is_fine();
    let unused = home.run(&server, &["--user", "alice", "--no-remember"], "four\n");
    assert_eq!(unused.code, Some(2), "a key that is there is not used: {unused:?}");
    assert!(home.key_file(&server).exists());
}

#[test]
fn a_key_file_that_can_not_be_used_is_told_in_one_line_and_the_password_serves() {
    let (server, home) = (ServerProcess::start(), Home::new());
    home.with_password(&server, &["--user", "alice", "--signup"], "").is_fine();
    let (path, good) = (home.key_file(&server), home.key(&server));
    fs::write(&path, "alice damaged\n").unwrap();
    let told = home.with_password(&server, &["--user", "alice"], "still here\n");
    assert!(told.is_fine().said("<alice> still here"), "{told:?}");
    assert!(told.stderr.lines().count() == 1 && told.stderr.contains("is damaged"), "{told:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "alice damaged\n", "it is left to its owner");
    fs::write(&path, &good).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let told = home.with_password(&server, &["--user", "alice"], "");
    assert!(told.is_fine().stderr.contains("chmod 600"), "{told:?}");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    home.run(&server, &[], "").is_fine();
}

#[test]
fn each_server_and_each_profile_has_a_key_of_its_own() {
    let (one, two, home) = (ServerProcess::start(), ServerProcess::start(), Home::new());
    home.with_password(&one, &["--user", "alice", "--signup"], "").is_fine();
    home.with_password(&two, &["--user", "alice", "--signup"], "").is_fine();
    assert_ne!(home.key(&one), home.key(&two));
    home.with_password(&one, &["--user", "bob", "--signup", "--profile", "work"], "").is_fine();
    let bob = home.run(&one, &["--profile", "work"], "it is me\n");
    assert!(bob.is_fine().said("<bob> it is me"), "{bob:?}");
    assert!(home.run(&one, &[], "and me\n").is_fine().said("<alice> and me"));
    let other = home.with_password(&one, &["--user", "bob"], "");
    assert!(other.is_fine().stderr.contains("--profile"), "{other:?}");
    assert!(home.key(&one).starts_with("alice "));
}

#[test]
fn a_revoked_device_is_told_ends_and_begins_anew_with_another_key() {
    let (server, home) = (ServerProcess::start(), Home::new());
    home.with_password(&server, &["--user", "alice", "--signup"], "").is_fine();
    let before = home.key(&server);
    let mut open = home.open(&server);
    let mut other = Peer::logged_in(server.link(), "alice");
    other.send(&ClientMessage::RevokeOtherDevices {});
    assert!(matches!(other.next(), ServerMessage::Devices { .. }));
    assert_eq!(open.child.wait().unwrap().code(), Some(4));
    eventually("it is told why", || {
        open.told.lock().unwrap().contains("this device was revoked; log in with your password").then_some(())
    });

    let refused = home.run(&server, &[], "");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("This device is not remembered"), "{refused:?}");
    assert!(!home.key_file(&server).exists());
    home.with_password(&server, &["--user", "alice"], "").is_fine();
    assert_ne!(home.key(&server), before, "the key that was revoked is never used again");
    home.run(&server, &[], "in again\n").is_fine();
}

#[test]
fn with_a_password_at_hand_a_refused_device_logs_in_by_it_at_once() {
    let (server, home) = (ServerProcess::start(), Home::new());
    home.with_password(&server, &["--user", "alice", "--signup"], "").is_fine();
    let mut peer = Peer::logged_in(server.link(), "alice");
    peer.send(&ClientMessage::RevokeOtherDevices {});
    assert!(matches!(peer.next(), ServerMessage::Devices { .. }));
    let before = home.key(&server);
    assert!(home.with_password(&server, &[], "back\n").is_fine().said("<alice> back"));
    assert_ne!(home.key(&server), before);
}

#[test]
fn commands_about_devices_are_answered_before_a_pipe_ends() {
    let (server, home) = (ServerProcess::start(), Home::new());
    let other_key = StaticKey::from_bytes(&[7; 32]);
    let mut other = Peer::with_key(server.link(), &other_key);
    other.sign_up("alice", PASSWORD);
    other.send(&ClientMessage::Remember { label: "phone\u{202e}".into() });
    assert_eq!(other.next(), ServerMessage::Remembered {});
    let listed = home.with_password(&server, &["--user", "alice"], "/devices\n");
    let fingerprint = other_key.public().fingerprint().to_string();
    assert!(listed.is_fine().stdout.contains(&fingerprint), "{listed:?}");
    assert!(!listed.stdout.contains('\u{202e}'), "{listed:?}");
    let ended = home.run(&server, &[], &format!("/devices\n/devices revoke {fingerprint}\n"));
    assert_eq!(ended.is_fine().stdout.matches(&fingerprint).count(), 1, "{ended:?}");
    let (last, _) = other.hear_out();
    assert!(matches!(last.last(), Some(ServerMessage::Closing { .. })), "{last:?}");
    let nothing = home.run(&server, &[], "/devices\n/devices revoke 9\n");
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    let passwd = home.run(&server, &[], "/passwd\n");
    assert!(passwd.code == Some(1) && passwd.stdout.contains("on a terminal"), "{passwd:?}");
}

#[test]
fn who_loses_the_connection_comes_back_by_device_though_the_password_is_another_one_now() {
    let (server, home) = (ServerProcess::start(), Home::new());
    home.with_password(&server, &["--user", "alice", "--signup"], "").is_fine();
    let mut open = home.open(&server);
    let mut other = Peer::logged_in(server.link(), "alice");
    other.send(&ClientMessage::ChangePassword { old: secret(PASSWORD), new: secret("Better-Horse-8") });
    assert_eq!(other.next(), ServerMessage::PasswordChanged {});
    let server = server.kill_and_restart();
    eventually("she is back", || open.shown.lock().unwrap().contains("the connection is back").then_some(()));
    assert!(!server.log().contains(HASHING), "{}", server.log());
    writeln!(open.typing, "exit").unwrap();
    assert!(open.child.wait().unwrap().success());
}

#[test]
fn a_password_is_changed_on_a_terminal_and_never_seen_or_kept() {
    const NEW: &str = "Better-Horse-8";
    let (server, home) = (ServerProcess::start(), Home::new());
    home.with_password(&server, &["--user", "alice", "--signup"], "").is_fine();
    let mut terminal = Terminal::open(&server, &home, &[]);
    terminal.changes_the_password(NEW);
    // Up brings back what was typed before, which no password is.
    terminal.answer("the password is changed", "\x1b[A\x15exit");
    assert!(terminal.child.wait().unwrap().success());
    let shown = terminal.shown.lock().unwrap().clone();
    assert!(!shown.contains(PASSWORD) && !shown.contains(NEW), "{shown}");
    assert!(matches!(Peer::connect(server.link()).log_in("alice", NEW), ServerMessage::LoggedIn { .. }));
    assert!(!server.log().contains(PASSWORD) && !server.log().contains(NEW));
    home.run(&server, &[], "the device stays\n").is_fine();
}

#[test]
fn who_is_not_remembered_and_changes_the_password_comes_back_by_the_new_one() {
    let (server, home) = (ServerProcess::start(), Home::new());
    Peer::signed_up(server.link(), "alice").leave();
    let file = home.folder.path().join("password");
    fs::write(&file, PASSWORD).unwrap();
    let file = file.to_str().unwrap();
    let arguments = ["--no-remember", "--user", "alice", "--password-file", file];
    let mut terminal = Terminal::open(&server, &home, &arguments);
    terminal.changes_the_password("Better-Horse-8");
    terminal.sees("the password is changed");
    let _server = server.kill_and_restart();
    terminal.answer("the connection is back", "exit");
    assert!(terminal.child.wait().unwrap().success());
}

/// A client on a terminal of its own.
struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    shown: Arc<Mutex<String>>,
    keys: Box<dyn Write + Send>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Alice's, who is in.
    fn open(server: &ServerProcess, home: &Home, arguments: &[&str]) -> Self {
        let pty = native_pty_system().openpty(PtySize { cols: 100, rows: 30, ..PtySize::default() }).unwrap();
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(["client", &server.link().to_string()]);
        command.args(arguments);
        command.env("XDG_DATA_HOME", home.folder.path());
        command.env("TERM", "xterm");
        let child = pty.slave.spawn_command(command).unwrap();
        let shown = collected(pty.master.try_clone_reader().unwrap());
        let keys = pty.master.take_writer().unwrap();
        let terminal = Self { child, shown, keys, _master: pty.master };
        terminal.sees("you are alice");
        terminal
    }

    fn sees(&self, text: &str) {
        eventually(text, || self.shown.lock().unwrap().contains(text).then_some(()));
    }

    fn answer(&mut self, question: &str, line: &str) {
        self.sees(question);
        self.keys.write_all(format!("{line}\r").as_bytes()).unwrap();
    }

    fn changes_the_password(&mut self, new: &str) {
        self.answer("> ", "/passwd");
        self.answer("Your password now: ", PASSWORD);
        self.answer("The new password: ", new);
        self.answer("The new one again: ", new);
    }
}

/// What comes out of a process, as it comes.
fn collected(mut source: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let shown = Arc::new(Mutex::new(String::new()));
    let collecting = Arc::clone(&shown);
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = source.read(&mut chunk) {
            collecting.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
    });
    shown
}
