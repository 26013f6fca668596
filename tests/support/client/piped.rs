//! The client behind pipes, as scripts run it.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::thread;

use super::{Watched, assert_presentable, signal};
use crate::support::eventually;

/// A running client.
pub struct Piped {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Arc<Watched<Collected>>,
    stderr: Arc<Watched<Collected>>,
}

/// What a client wrote to one of its outputs.
#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    is_complete: bool,
}

/// A client that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Piped {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        Self { stdin: child.stdin.take(), child, stdout, stderr }
    }

    /// Starts it, lets it read `input` to its end, and waits for its own.
    pub fn run(command: Command, input: impl AsRef<[u8]>) -> Ended {
        let mut client = Self::start(command);
        client.write(input);
        client.finish()
    }

    /// Writes to its standard input. It may have ended before it read everything.
    pub fn write(&mut self, input: impl AsRef<[u8]>) {
        let _ = self.stdin.as_mut().unwrap().write_all(input.as_ref());
    }

    /// Writes from another thread, and ends the input.
    pub fn feed(&mut self, input: Vec<u8>) {
        let mut stdin = self.stdin.take().unwrap();
        thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
    }

    /// Ends its standard input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Ends its standard input, and waits for its end.
    pub fn finish(mut self) -> Ended {
        self.end_input();
        self.wait()
    }

    /// Waits for its end. Nothing it wrote shows its inside.
    pub fn wait(mut self) -> Ended {
        let status = eventually("the client ends", || self.child.try_wait().unwrap());
        let whole = |output: &Watched<Collected>| {
            output.wait("the output ends", |seen| seen.is_complete.then(|| seen.text()), Collected::text)
        };
        let ended = Ended { code: status.code(), stdout: whole(&self.stdout), stderr: whole(&self.stderr) };
        assert_presentable(&ended.stdout);
        assert_presentable(&ended.stderr);
        ended
    }

    /// Waits for a line of standard output that ends with this, and gives the whole line.
    pub fn wait_for_line(&self, end: &str) -> String {
        let find = |seen: &Collected| {
            let text = seen.text();
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            whole.lines().find(|line| line.ends_with(end)).map(str::to_owned)
        };
        self.stdout.wait(&format!("a line ends with {end:?}"), find, Collected::text)
    }

    /// Waits for a line of standard output for which `find` gives something.
    pub fn wait_for<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let among = |seen: &Collected| {
            let text = seen.text();
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            whole.lines().find_map(&find)
        };
        self.stdout.wait(what, among, Collected::text)
    }

    /// Waits until standard error holds this.
    pub fn wait_for_error(&self, words: &str) {
        let find = |seen: &Collected| seen.text().contains(words).then_some(());
        self.stderr.wait(&format!("standard error has {words:?}"), find, Collected::text);
    }

    /// Waits for the greeting: the client is in the room.
    pub fn wait_until_in(&self) {
        self.wait_for_line("/help shows the commands");
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it has written so far.
    pub fn stdout(&self) -> String {
        self.stdout.look(Collected::text)
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.look(Collected::text)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, by its name without SIG.
    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Collected {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Ended {
    /// It ended well, and said nothing on standard error.
    #[track_caller]
    pub fn went_well(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self
    }

    /// It ended with this code and these words on standard error.
    #[track_caller]
    pub fn says(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in: {}", self.stderr);
        }
        if code != 2 {
            assert!(self.stderr.lines().all(|line| line.starts_with("chat: ")), "{}", self.stderr);
        }
    }

    /// The lines of standard output without their times.
    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().map(|line| line.get(6..).unwrap_or_default()).collect()
    }

    /// What was said, in order: `<name> text`.
    pub fn said(&self) -> Vec<&str> {
        self.lines()
            .into_iter()
            .filter_map(|line| line.strip_prefix("#lobby "))
            .filter(|line| line.starts_with('<'))
            .collect()
    }

    /// What concerned only this person, in order.
    pub fn notes(&self) -> Vec<&str> {
        self.lines().into_iter().filter_map(|line| line.strip_prefix("! ")).collect()
    }
}

fn collect(mut source: impl Read + Send + 'static) -> Arc<Watched<Collected>> {
    let collected = Arc::new(Watched::<Collected>::default());
    let filled = Arc::clone(&collected);
    thread::spawn(move || {
        let mut chunk = [0; 16 * 1024];
        while let Ok(count @ 1..) = source.read(&mut chunk) {
            filled.change(|collected| collected.bytes.extend_from_slice(&chunk[..count]));
        }
        filled.change(|collected| collected.is_complete = true);
    });
    collected
}
