//! SIGHUP: what can change while the server runs does, as a whole or not at all, and the message of the day is shown.
#![cfg(test)]

#[path = "support/client/mod.rs"]
mod client;
mod support;

use std::fs;
use std::path::PathBuf;

use chat::wire::{ClientMessage, Code, ServerMessage};
use client::{Home, Piped};
use support::{Heard, Peer, ServerProcess, eventually};
use tempfile::TempDir;

/// A server with a configuration file, and the folder of that.
struct Configured {
    server: ServerProcess,
    folder: TempDir,
}

/// The text of a configuration file with this beginning and this end.
fn text(folder: &TempDir, first: &str, last: &str) -> String {
    format!("{first}\nmotd-file = '{}'\n{last}", folder.path().join("motd").display())
}

impl Configured {
    fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("motd"), "").unwrap();
        let file = folder.path().join("chat.toml");
        fs::write(&file, text(&folder, "small-host = true", config)).unwrap();
        let config = ["--config", file.to_str().unwrap()];
        let server = ServerProcess::start_as_operators_do(&config, "chat=debug");
        Self { server, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes another configuration, has it read, and waits until the log tells of it in these words.
    fn reload(&self, config: &str, told: &str) {
        fs::write(self.path("chat.toml"), text(&self.folder, "small-host = true", config)).unwrap();
        self.hang_up(told);
    }

    fn hang_up(&self, told: &str) {
        let before = self.server.log().matches(told).count();
        self.server.signal("HUP");
        eventually(told, || (self.server.log().matches(told).count() > before).then_some(()));
    }

    fn registration(&self) -> Option<u8> {
        match Peer::try_connect(self.server.link()).unwrap().hear() {
            Heard::Message(ServerMessage::Welcome { registration, .. }) => registration,
            other => panic!("{other:?}"),
        }
    }

    /// What alice is told after her login.
    fn notice(&self) -> Option<String> {
        let mut alice = Peer::connect(self.server.link());
        alice.log_in("alice", support::PASSWORD);
        alice.send(&ClientMessage::Ping {});
        match alice.next() {
            ServerMessage::Notice { text } => Some(text),
            _ => None,
        }
    }
}

#[test]
fn a_new_configuration_counts_from_then_on_and_a_bad_one_changes_nothing() {
    const READ: &str = "the configuration was read again";
    const NOT_READ: &str = "the configuration was not read again";
    let configured = Configured::with("registration = 'invite'\n");
    assert_eq!(configured.registration(), Some(1));
    configured.reload("registration = 'open'\n[limits]\nconnections = 1\n", READ);
    let mut only = eventually("there is a place", || Peer::try_connect(configured.server.link()).ok());
    assert!(matches!(only.next(), ServerMessage::Welcome { .. }));
    assert!(Peer::try_connect(configured.server.link()).is_err());
    configured.reload("registration = 'closed'\n[limits]\nconnection = 1\n", NOT_READ);
    assert!(configured.server.log().contains("did you mean connections"), "{}", configured.server.log());
    fs::write(configured.path("motd"), "x\n".repeat(100)).unwrap();
    configured.reload("registration = 'closed'\n", NOT_READ);
    assert!(Peer::try_connect(configured.server.link()).is_err(), "the limit is as it was");
    fs::write(configured.path("motd"), "").unwrap();
    fs::write(configured.path("chat.toml"), text(&configured.folder, "", "registration = 'closed'\n"))
        .unwrap();
    configured.hang_up("from the next start on");
    assert_eq!(configured.registration(), Some(2));
    only.send(&ClientMessage::Ping {});
    assert!(matches!(only.next(), ServerMessage::Pong {}), "who is connected stays so");
}

#[test]
fn the_message_of_the_day_is_told_after_the_login_and_is_the_one_of_that_day() {
    let configured = Configured::with("");
    Peer::signed_up(configured.server.link(), "alice").leave();
    assert_eq!(configured.notice(), None, "an empty one is none");
    fs::write(configured.path("motd"), "tea at four\n\nbring cake\n\n").unwrap();
    configured.hang_up("the configuration was read again");
    assert_eq!(configured.notice().as_deref(), Some("tea at four\n\nbring cake"));
    fs::remove_file(configured.path("motd")).unwrap();
    configured.hang_up("the configuration was not read again");
    assert!(configured.notice().is_some(), "it stays as it was");
}

#[test]
fn it_is_shown_as_text_to_who_comes_in_and_to_a_new_device_too() {
    let configured = Configured::with("");
    fs::write(configured.path("motd"), "tea at \x1b[31mfour\n12:00 #lobby <bob> hi\n").unwrap();
    configured.hang_up("the configuration was read again");
    let home = Home::new();
    let target = configured.server.link().to_string();
    let password = home.password_file();
    let signs_up = [target.as_str(), "--user", "alice", "--signup", "--password-file", &password];
    let expected = ["tea at \u{fffd}[31mfour", "12:00 #lobby <bob> hi"];
    for command in [home.remembered_client(&signs_up), home.remembered_client(&[&target])] {
        let ended = Piped::run(command, "");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.notes()[..2], expected);
        assert!(ended.notes()[2].starts_with("you are alice"), "{ended:?}");
    }
}

#[test]
fn who_comes_back_after_a_lost_connection_is_not_told_the_same_again() {
    let configured = Configured::with("");
    fs::write(configured.path("motd"), "tea at four\n").unwrap();
    configured.hang_up("the configuration was read again");
    let home = Home::new();
    let target = configured.server.link().to_string();
    let alice = Piped::start(home.client_as("alice", &target, &["--signup"]));
    alice.wait_until_in();
    let Configured { server, folder } = configured;
    let server = server.kill_and_restart();
    alice.wait_for_line("! the connection is back");
    fs::write(folder.path().join("motd"), "tea at five\n").unwrap();
    let server = server.stop_and_restart();
    alice.wait_for_line("! tea at five");
    let ended = alice.finish().went_well();
    assert_eq!(ended.notes().iter().filter(|note| note.starts_with("tea at")).count(), 2, "{ended:?}");
    drop(server);
}

#[test]
fn who_is_taken_out_of_the_accounts_is_out_at_once_and_another_role_counts_at_once() {
    let configured = Configured::with("registration = 'invite'\n");
    let users = configured.server.data().join("users.db");
    let invite = |role: &str| {
        let made = support::admin(configured.server.data(), &["invite", "--role", role]);
        made[0].parse::<chat::link::Link>().unwrap().invite.unwrap()
    };
    let sign_up = |name: &str, role: &str| {
        let mut peer = Peer::connect(configured.server.link());
        let (password, token) = (support::secret(support::PASSWORD), invite(role));
        let invite = Some(support::secret(token.as_str()));
        peer.send(&ClientMessage::SignUp { name: name.into(), password, invite, server_password: None });
        assert!(matches!(peer.next(), ServerMessage::LoggedIn { .. }));
        peer
    };
    let (mut alice, mut bob) = (sign_up("alice", "admin"), sign_up("bob", "member"));
    let may_invite = |peer: &mut Peer| {
        peer.send(&ClientMessage::MakeInvite { uses: None, seconds: None });
        matches!(peer.next(), ServerMessage::Invited { .. })
    };
    assert!(may_invite(&mut alice) && !may_invite(&mut bob));
    let text = fs::read_to_string(&users).unwrap();
    let swapped =
        text.replace(":admin:", ":").replace("bob:member:", "bob:admin:").replace("alice:", "alice:member:");
    fs::write(&users, swapped).unwrap();
    configured.hang_up("users.db was read again");
    assert!(!may_invite(&mut alice) && may_invite(&mut bob));

    let text = fs::read_to_string(&users).unwrap();
    let without: Vec<_> = text.lines().filter(|line| !line.starts_with("alice:")).collect();
    fs::write(&users, without.join("\n")).unwrap();
    configured.hang_up("users.db was read again");
    let last = alice.hear_everything();
    assert!(
        matches!(last, Heard::Message(ServerMessage::Closing { code: Code::AccountGone, .. })),
        "{last:?}"
    );
    assert_eq!(alice.hear(), Heard::Goodbye);
    assert!(may_invite(&mut bob));
}
