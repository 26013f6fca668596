//! A server that must not start: what it says, how it ends, and what is on the disk afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{PROGRAM, eventually};

/// How a command ended.
#[derive(Debug)]
pub struct Refused {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Refused {
    /// Runs `chat` with these arguments until it ends by itself.
    pub fn run(arguments: &[&str]) -> Self {
        Self::run_command(Command::new(PROGRAM).args(arguments))
    }

    /// Runs a server on a data folder and a free port of the loopback address, with more arguments.
    pub fn server(data: &Path, arguments: &[&str]) -> Self {
        let listens = arguments.contains(&"--listen");
        let mut command = Command::new(PROGRAM);
        command.args(["server", "--small-host", "--data"]).arg(data).args(arguments);
        command.env("XDG_CONFIG_HOME", data); // none of whoever runs the tests
        command.args(if listens { [].as_slice() } else { &["--listen", "127.0.0.1:0"] });
        Self::run_command(&mut command)
    }

    /// Runs any command that ends by itself.
    pub fn run_command(command: &mut Command) -> Self {
        let command = command.env_remove("RUST_LOG").env("RUST_BACKTRACE", "1");
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // What it says is short: it fits in the pipes.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually("a server that must not start ends", || child.try_wait().unwrap())
        }));
        let _ = child.kill();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let ended = ended.unwrap_or_else(|_| panic!("it runs: {stdout}{stderr}"));
        Self { code: ended.code(), stdout, stderr }
    }

    /// It ended with this code, said one sentence with all of these words on standard error, nothing on standard
    /// output, and shows nothing of its inside.
    pub fn says(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in: {}", self.stderr);
        }
        for inside in ["panicked", "RUST_BACKTRACE", "stack backtrace", "Error {", "src/", "Some(", "kind:"] {
            assert!(!self.stderr.contains(inside), "{inside:?} is in: {}", self.stderr);
        }
        if code == 1 {
            assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
            assert!(self.stderr.starts_with("chat: "), "{}", self.stderr);
        }
    }
}

/// Every file of a folder: its name, permissions and contents.
pub fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
            (entry.file_name().into(), (mode, fs::read(entry.path()).unwrap_or_default()))
        })
        .collect()
}

/// Whether these permissions are the owner's alone.
pub fn is_private(mode: u32) -> bool {
    let others = 0o077;
    mode & others == 0
}
