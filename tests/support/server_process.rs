//! The real server, in a folder of its own, ended with the test.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use chat::link::Link;
use tempfile::TempDir;

use super::{PATIENCE, eventually_within};

/// The program that is tested.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_chat");

/// What tests want to see of the server's log.
const LOG_FILTER: &str = "chat=debug";

/// Tests send faster than people do.
const UNHURRIED: [&str; 5] = [
    "messages-per-second=1000000",
    "message-burst=1000000",
    "message-bytes-per-second=4000000000",
    "questions-per-second=1000000",
    "question-burst=1000000",
];

/// The arguments of a server for tests, and more.
fn with_more(arguments: &[&str]) -> Vec<String> {
    let unhurried = UNHURRIED.iter().flat_map(|limit| ["--limit", limit]);
    ["--small-host"]
        .into_iter()
        .chain(unhurried)
        .chain(arguments.iter().copied())
        .map(str::to_owned)
        .collect()
}

/// A running server.
pub struct ServerProcess {
    child: Child,
    /// Removed with the server, if it has one of its own.
    folder: Option<TempDir>,
    data: PathBuf,
    arguments: Vec<String>,
    log_filter: String,
    link: Link,
    log: Arc<Mutex<String>>,
    stdout: BufReader<ChildStdout>,
}

impl ServerProcess {
    /// Starts one in a new folder, on a free port of the loopback address.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with more arguments.
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_on("127.0.0.1:0", arguments)
    }

    /// The same, on another address.
    pub fn start_on(listen: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("server");
        Self::start_in(data, Some(folder), listen, arguments)
    }

    /// A server with these limits (`NAME=VALUE`).
    pub fn with_limits(limits: &[&str]) -> Self {
        let arguments: Vec<_> = limits.iter().flat_map(|limit| ["--limit", limit]).collect();
        Self::start_with(&arguments)
    }

    /// Starts one in a data folder of one's own; `folder` is removed with the server.
    pub fn start_in(data: PathBuf, folder: Option<TempDir>, listen: &str, arguments: &[&str]) -> Self {
        Self::spawn(Command::new(PROGRAM), data, folder, listen, with_more(arguments), LOG_FILTER)
    }

    /// Starts one with these arguments only, whose log is filtered like this.
    pub fn start_as_operators_do(arguments: &[&str], log_filter: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("server");
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self::spawn(Command::new(PROGRAM), data, Some(folder), "127.0.0.1:0", arguments, log_filter)
    }

    /// The same as [`Self::start_by`], with more arguments.
    pub fn start_by_with(command: Command, data: PathBuf, folder: TempDir, arguments: &[&str]) -> Self {
        Self::spawn(command, data, Some(folder), "127.0.0.1:0", with_more(arguments), LOG_FILTER)
    }

    /// Starts one by a command that ends in the program, such as `unshare … chat`.
    pub fn start_by(command: Command, data: PathBuf, folder: TempDir) -> Self {
        Self::spawn(command, data, Some(folder), "127.0.0.1:0", with_more(&[]), LOG_FILTER)
    }

    fn spawn(
        mut command: Command,
        data: PathBuf,
        folder: Option<TempDir>,
        listen: &str,
        arguments: Vec<String>,
        log_filter: &str,
    ) -> Self {
        let mut child = command
            .args(["server", "--listen", listen, "--data"])
            .arg(&data)
            .args(&arguments)
            .env("RUST_LOG", log_filter)
            .env("XDG_CONFIG_HOME", &data) // none of whoever runs the tests
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        collect(child.stderr.take().unwrap(), Arc::clone(&log));
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        let link = first.trim().parse().unwrap_or_else(|error| {
            let _ = child.wait();
            panic!("{first:?} is no link ({error}); the server's log:\n{}", log.lock().unwrap())
        });
        let log_filter = log_filter.to_owned();
        Self { child, folder, data, arguments, log_filter, link, log, stdout }
    }

    /// Where it is, with its key.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Where it is, for a bare socket.
    pub fn address(&self) -> SocketAddr {
        self.link.address().parse().unwrap()
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The memory that it has in use, in KiB.
    pub fn resident_kib(&self) -> u64 {
        self.status_field("VmRSS:")
    }

    /// The most memory that it ever had in use, in KiB.
    pub fn peak_kib(&self) -> u64 {
        self.status_field("VmHWM:")
    }

    /// The number of its threads.
    pub fn threads(&self) -> u64 {
        self.status_field("Threads:")
    }

    /// The number of its threads that serve a connection.
    pub fn sessions(&self) -> usize {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
        // A thread that ends meanwhile has no name any more.
        tasks
            .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .filter(|name| name.starts_with("session-"))
            .count()
    }

    fn status_field(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The CPU time that it has used, in clock ticks (mostly 10 ms).
    pub fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        let after_name: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        after_name[11].parse::<u64>().unwrap() + after_name[12].parse::<u64>().unwrap()
    }

    /// SIGKILL, and the same server again: same folder, same port.
    pub fn kill_and_restart(self) -> Self {
        self.restart_after(|child| {
            child.kill().unwrap();
            child.wait().unwrap();
        })
    }

    /// SIGTERM, and the same server again.
    pub fn stop_and_restart(self) -> Self {
        self.restart_after(|child| {
            signal(child.id(), "TERM");
            assert!(child.wait().unwrap().success());
        })
    }

    /// The same server again, after it has ended by itself.
    pub fn restart(self) -> Self {
        self.restart_after(|child| {
            child.wait().unwrap();
        })
    }

    /// The next line that it writes to standard output.
    pub fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// What it has written to standard output and nobody has read, when it has ended.
    pub fn rest_of_stdout(&mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        rest
    }

    fn restart_after(mut self, end: impl FnOnce(&mut Child)) -> Self {
        end(&mut self.child);
        let (folder, data, arguments) = (self.folder.take(), self.data.clone(), self.arguments.clone());
        let (listen, log_filter) = (self.link.address(), self.log_filter.clone());
        drop(self);
        Self::spawn(Command::new(PROGRAM), data, folder, &listen, arguments, &log_filter)
    }

    /// Sends a signal by its name without SIG.
    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// Waits for its end, as long as a test's patience.
    pub fn wait(&mut self) -> ExitStatus {
        self.wait_within(PATIENCE)
    }

    /// Waits for its end, and fails when it takes longer.
    pub fn wait_within(&mut self, time: Duration) -> ExitStatus {
        eventually_within(time, "the server ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap();
    assert!(sent.success());
}

fn collect(mut stderr: ChildStderr, log: Arc<Mutex<String>>) {
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut chunk) {
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
    });
}
