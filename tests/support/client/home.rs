//! A person's own folder: what their client keeps, and their password in a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::{PASSWORD, PROGRAM};

/// What a client must not learn from whoever runs the tests.
pub const OF_OTHERS: [&str; 8] = [
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "CHAT_PASSWORD",
    "CHAT_SERVER_PASSWORD",
    "CHAT_TOKEN",
    "RUST_LOG",
    "NO_COLOR",
    "TERM",
];

/// A folder that is removed with the test.
pub struct Home(TempDir);

impl Home {
    /// An empty one, except for the file with the [`PASSWORD`].
    pub fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write("password", format!("{PASSWORD}\n"));
        home
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Makes a file in it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The file with the [`PASSWORD`].
    pub fn password_file(&self) -> String {
        self.path().join("password").to_str().unwrap().to_owned()
    }

    /// Where the client keeps the keys of servers.
    pub fn known_servers(&self) -> PathBuf {
        self.path().join(".local/share/chat/known_servers")
    }

    /// `chat client` with these arguments, for the person who lives here.
    pub fn client(&self, arguments: &[&str]) -> Command {
        let mut command = self.remembered_client(arguments);
        command.arg("--no-remember");
        command
    }

    /// The same, on a device that the server remembers.
    pub fn remembered_client(&self, arguments: &[&str]) -> Command {
        self.chat(&[&["client"], arguments].concat())
    }

    /// `chat` with these arguments, for the person who lives here.
    pub fn chat(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments);
        for name in OF_OTHERS {
            command.env_remove(name);
        }
        command.env("HOME", self.path()).env("TZ", "UTC").env("RUST_BACKTRACE", "1");
        command
    }

    /// The same, signing up or logging in with the [`PASSWORD`].
    pub fn client_as(&self, name: &str, target: &str, arguments: &[&str]) -> Command {
        let file = self.password_file();
        let mut command = self.client(&[target, "--user", name, "--password-file", &file]);
        command.args(arguments);
        command
    }
}
