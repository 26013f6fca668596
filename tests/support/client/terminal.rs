//! The client on a real pseudo-terminal, and what is on its screen.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::thread;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use vt100::{Callbacks, Parser, Screen};

use super::home::{Home, OF_OTHERS};
use super::{Watched, assert_presentable, signal};
use crate::support::{PROGRAM, eventually};

/// How many rows above the screen are kept.
const SCROLLBACK: usize = 5000;

/// A terminal with a client in it.
pub struct Terminal {
    screen: Arc<Watched<Shown>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    /// Held open so that the terminal is still there to look at when the client has ended; then its output ends.
    slave: Option<Box<dyn SlavePty + Send>>,
    mode_before: String,
}

struct Shown {
    parser: Parser<Title>,
    bytes: Vec<u8>,
    /// Nothing more comes.
    is_over: bool,
}

/// What was asked of the terminal that the client never asks: a window title, the clipboard, a bell.
#[derive(Default)]
pub struct Title(pub usize);

impl Callbacks for Title {
    fn set_window_title(&mut self, _: &mut Screen, _: &[u8]) {
        self.0 += 1;
    }

    fn set_window_icon_name(&mut self, _: &mut Screen, _: &[u8]) {
        self.0 += 1;
    }

    fn copy_to_clipboard(&mut self, _: &mut Screen, _: &[u8], _: &[u8]) {
        self.0 += 1;
    }

    fn audible_bell(&mut self, _: &mut Screen) {
        self.0 += 1;
    }
}

impl Terminal {
    /// Runs `chat client` with these arguments on a terminal of so many columns and rows.
    pub fn start(home: &Home, size: (u16, u16), arguments: &[&str]) -> Self {
        Self::run(home, size, &[&["client", "--no-remember"], arguments].concat())
    }

    /// Runs `chat` with these arguments.
    pub fn run(home: &Home, (columns, rows): (u16, u16), arguments: &[&str]) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mode_before = mode_of(&*pair.master);
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(arguments);
        for name in OF_OTHERS {
            command.env_remove(name);
        }
        command.env("HOME", home.path());
        command.env("TZ", "UTC");
        command.env("TERM", "xterm-256color");
        command.cwd(home.path());
        let child = pair.slave.spawn_command(command).unwrap();
        let parser =
            Parser::new_with_callbacks(positive(rows), positive(columns), SCROLLBACK, Title::default());
        let screen = Arc::new(Watched::new(Shown { parser, bytes: Vec::new(), is_over: false }));
        show(pair.master.try_clone_reader().unwrap(), Arc::clone(&screen));
        let keys = pair.master.take_writer().unwrap();
        Self { screen, keys, child, master: pair.master, slave: Some(pair.slave), mode_before }
    }

    /// The same, logged in or signed up by the password file, when it has been greeted.
    pub fn start_in(home: &Home, size: (u16, u16), name: &str, target: &str, more: &[&str]) -> Self {
        let file = home.password_file();
        let arguments = [&[target, "--user", name, "--password-file", &file], more].concat();
        let terminal = Self::start(home, size, &arguments);
        terminal.wait_for("/help shows");
        terminal
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Types a line and Enter.
    pub fn enter(&mut self, line: &str) {
        self.press(&format!("{line}\r"));
    }

    /// Waits until this text is somewhere on the screen, however it is broken into rows.
    pub fn wait_for(&self, text: &str) {
        let solid = |text: &str| text.split_whitespace().collect::<String>();
        let wanted = solid(text);
        let is_there = |screen: &Screen| solid(&screen.contents()).contains(&wanted);
        self.wait_until(&format!("{text:?} is on the screen"), is_there);
    }

    /// Waits until the row of the cursor is this.
    pub fn wait_for_row(&self, row: &str) {
        self.wait_until(&format!("the cursor's row is {row:?}"), |screen| row_of_cursor(screen) == row);
    }

    /// Waits for anything on the screen.
    pub fn wait_until(&self, what: &str, mut is_so: impl FnMut(&Screen) -> bool) {
        let describe = |shown: &Shown| {
            let screen = shown.parser.screen();
            format!("{}\n[cursor at {:?}]", screen.contents(), screen.cursor_position())
        };
        self.screen.wait(what, |shown| is_so(shown.parser.screen()).then_some(()), describe);
    }

    /// What is on the screen.
    pub fn contents(&self) -> String {
        self.screen.look(|shown| shown.parser.screen().contents())
    }

    /// The rows of the screen that are not empty.
    pub fn rows(&self) -> Vec<String> {
        self.contents().lines().filter(|row| !row.is_empty()).map(str::to_owned).collect()
    }

    /// Everything that was ever written to the terminal.
    pub fn bytes(&self) -> Vec<u8> {
        self.screen.look(|shown| shown.bytes.clone())
    }

    /// How often a title, the clipboard or a bell was asked for.
    pub fn tricks(&self) -> usize {
        self.screen.look(|shown| shown.parser.callbacks().0)
    }

    /// A terminal that takes nothing meanwhile.
    pub fn stand_still<R>(&self, meanwhile: impl FnOnce() -> R) -> R {
        self.screen.look(|_| meanwhile())
    }

    /// Makes the window larger or smaller.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.screen.change(|shown| shown.parser.set_size(positive(rows), positive(columns)));
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// Sends the client a signal, by its name without SIG.
    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// The client's process id.
    pub fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits for the client's end, and gives its exit code. The terminal is as it was before.
    pub fn wait(&mut self) -> u32 {
        let status = eventually("the client ends", || self.child.try_wait().unwrap());
        assert_eq!(
            self.mode(),
            self.mode_before,
            "the terminal was not given back; on the screen:\n{}",
            self.contents()
        );
        self.slave = None;
        self.screen.wait("all output is there", |shown| shown.is_over.then_some(()), |_| String::new());
        assert_presentable(&self.contents());
        status.exit_code()
    }

    /// How the terminal treats what is typed (termios).
    pub fn mode(&self) -> String {
        mode_of(&*self.master)
    }

    /// Whether the terminal shows what is typed by itself.
    pub fn is_as_before(&self) -> bool {
        self.mode() == self.mode_before
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text of the row with the cursor.
pub fn row_of_cursor(screen: &Screen) -> String {
    let (row, _) = screen.cursor_position();
    screen.rows(0, screen.size().1.get()).nth(row.into()).unwrap_or_default().trim_end().to_owned()
}

fn mode_of(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

fn show(mut output: Box<dyn Read + Send>, screen: Arc<Watched<Shown>>) {
    thread::spawn(move || {
        let mut chunk = [0; 16 * 1024];
        while let Ok(count @ 1..) = output.read(&mut chunk) {
            screen.change(|shown| {
                shown.bytes.extend_from_slice(&chunk[..count]);
                shown.parser.process(&chunk[..count]);
            });
        }
        screen.change(|shown| shown.is_over = true);
    });
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, ..PtySize::default() }
}

fn positive(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}
