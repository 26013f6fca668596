//! A server from its start to its end: everything is checked and opened before the first connection is taken, and
//! everything that was accepted is written and told before the last one is closed.

use std::io::{self, IsTerminal, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tracing::{error, info, warn};

use super::accounts::{Cost, Role};
use super::admin::ControlSocket;
use super::catch_up::{CatchUp, CatchUpQueue};
use super::clock;
use super::config::{Config, Reread};
use super::data_folder::DataFolder;
use super::error::ServerError;
use super::flusher::{self, Flusher};
use super::housekeeping;
use super::hub::Hub;
use super::identity;
use super::indexer::{self, Bell};
use super::inquiries::{self, Inquiries};
use super::invites::NewInvite;
use super::listener::{self, Acceptor};
use super::log::{LogStore, SearchIndex};
use super::log_writer::{LogQueue, LogWriter};
use super::outbox::Outbox;
use super::pace::Allowances;
use super::presence::Presence;
use super::reload;
use super::rooms::Rooms;
use super::session;
use super::settings::Settings;
use super::shared::Shared;
use super::stores::Stores;
use super::throttle::Throttles;
use crate::channel::PublicKey;
use crate::link::Link;

/// How long sessions may take to finish what they have begun, when the server ends.
const SESSIONS_END_WITHIN: Duration = Duration::from_secs(2);

/// How long clients may take to read their goodbye.
const GOODBYES_WITHIN: Duration = Duration::from_millis(1500);

/// Looks whether a server could be started like this, as far as that can be told without its data folder and its sockets.
pub fn check(config: &Config) -> Result<(), ServerError> {
    listener::check(&config.listen)?;
    Settings::read(config).map(drop)
}

/// Runs a server until SIGTERM or SIGINT. For SIGHUP, `reread` tells what the configuration is by then.
pub fn run(config: &Config, reread: Reread<'_>) -> Result<(), ServerError> {
    let settings = Settings::read(config)?;
    let folder = DataFolder::take(&config.data)?;
    let cost = if config.small_host { Cost::SMALL_HOST } else { Cost::STANDARD };
    let stores = Stores::open(folder, cost)?;
    let (store, rooms) = LogStore::open(&stores.folder.log(), clock::now())?;
    let rooms = Arc::new(Rooms::new(rooms));
    let presence = Arc::new(Presence::default());
    let listeners = listener::bind(&config.listen)?;
    if stores.accounts.uses_example_accounts() && can_be_reached(&listeners)? {
        return Err(ServerError::ExampleAccounts);
    }
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, Signal::XFSZ.as_raw()])?;
    let control = ControlSocket::open(&stores.folder);
    let addresses = addresses_of(&listeners)?;
    let links = identity::links(stores.identity.present().key.public(), &addresses)?;
    announce(stores.identity.present().key.public(), &links)?;
    if needs_first_admin(&stores)? {
        announce_first_admin(&stores, &links)?;
    }

    let (behind, behind_end) = CatchUpQueue::new();
    let (flusher, poll) = Flusher::new(behind.clone())?;
    let flusher = Arc::new(flusher);
    let (log, tasks) = LogQueue::new();
    let (inquiries, questions) = Inquiries::new();
    let index_path = stores.folder.search_index();
    let index = SearchIndex::open(&index_path, store.reader()?)?;
    store.forget_altered(index.altered())?;
    let (reader, inquirer) = (store.reader()?, store.reader()?.with_index(&index_path)?);
    let shared = Arc::new(Shared {
        addresses,
        settings: Mutex::new(Arc::new(settings)),
        stores,
        throttles: Throttles::new(),
        allowances: Allowances::default(),
        rooms: Arc::clone(&rooms),
        presence: Arc::clone(&presence),
        log,
        inquiries,
        hub: Hub::default(),
        flusher: Arc::clone(&flusher),
    });
    let catch_up =
        CatchUp { rooms: Arc::clone(&rooms), presence, log: reader, flusher: Arc::clone(&flusher) };
    let (acceptor, waker) = Acceptor::new(listeners)?;
    let (stop_housekeeping, housekeeping_stops) = mpsc::channel();

    let mut threads = Threads::default();
    let for_thread = Arc::clone(&flusher);
    threads.start("flusher", move || for_thread.run(poll))?;
    threads.start("catch-up", move || catch_up.run(&behind_end))?;
    threads.start("inquiries", move || inquiries::answer_all(&inquirer, &questions))?;
    let (bell, rung) = Bell::new();
    threads.start("indexer", move || indexer::run(index, &rung))?;
    let writer = LogWriter { store, rooms, flusher: Arc::clone(&flusher), indexer: bell };
    let log_writer = start("log-writer", move || writer.run(tasks))?;
    let for_thread = Arc::clone(&shared);
    threads.start("housekeeping", move || housekeeping::run(&for_thread, &housekeeping_stops))?;
    let for_thread = Arc::clone(&shared);
    let listener = start("listener", move || acceptor.run(&for_thread))?;

    let control = control.map(|(socket, waker)| {
        let for_thread = Arc::clone(&shared);
        start("control", move || socket.run(&for_thread)).map(|thread| (thread, waker))
    });
    let control = control.transpose()?;

    wait_for_the_end(&mut signals, || reload::reload(&shared, config, reread));

    info!("stopping");
    waker.wake()?;
    join("listener", listener);
    if let Some((control, waker)) = control {
        waker.wake()?;
        join("control", control);
    }
    shared.stores.accounts.close();
    let dismissed = shared.hub.stop(Instant::now() + SESSIONS_END_WITHIN);
    shared.log.stop();
    join("log-writer", log_writer);
    drop(stop_housekeeping);
    behind.stop();
    shared.inquiries.stop();
    flusher.stop();
    threads.join();
    housekeeping::write_when_seen(&shared);
    // The last to close it must be one who can write, or what is beside the file is not brought into it.
    drop(LogStore::open(&shared.stores.folder.log(), clock::now()));
    say_goodbye(dismissed);
    info!("stopped");
    Ok(())
}

/// Waits for a signal that ends the server. SIGHUP has it reload, unless it tells that the terminal on which the server was
/// started has been closed.
fn wait_for_the_end(signals: &mut Signals, reload: impl Fn()) {
    let on_terminal = io::stderr().is_terminal();
    for signal in signals.forever() {
        match signal {
            // A file has reached the limit that was set for this process (setrlimit(2)). Left alone this would kill the
            // server; caught, it makes the write fail like on a full disk, and the messages are refused.
            signal if signal == Signal::XFSZ.as_raw() => {}
            SIGHUP if !on_terminal || io::stderr().is_terminal() => reload(),
            _ => return,
        }
    }
}

/// Standard output gets one line for each link and nothing else, so that a script can read it; a person is told what to
/// do with them.
fn announce(key: PublicKey, links: &[Link]) -> io::Result<()> {
    let fingerprint = key.fingerprint();
    if io::stderr().is_terminal() {
        writeln!(io::stderr(), "The fingerprint of this server's key is {fingerprint}.")?;
        writeln!(io::stderr(), "Give one of these links to those who may come in; Ctrl-C stops the server.")?;
    } else {
        info!(%fingerprint, "this server's key");
    }
    print(links)
}

/// Whether this is the first start that gets so far: nobody is an admin, no invite was ever made, and the server is new
/// or nobody has an account. (A start that failed, because the port was in use, has left a key.)
fn needs_first_admin(stores: &Stores) -> Result<bool, ServerError> {
    let is_begin = stores.identity.is_new() || stores.accounts.are_none();
    Ok(is_begin && !stores.accounts.has_admin() && !stores.invites.were_ever_made()?)
}

/// When a server begins, nobody is there who could invite an admin. So there is one more link, once, with an invite that
/// makes whoever uses it first an admin.
fn announce_first_admin(stores: &Stores, links: &[Link]) -> io::Result<()> {
    let wanted = NewInvite { role: Role::Admin, uses: 1, lasts: NewInvite::LASTS, maker: None };
    let token = match stores.invites.make(&wanted) {
        Ok((_, token)) => token,
        Err(error) => {
            warn!(%error, "there is no invite for an admin; make one with: chat admin invite --role admin");
            return Ok(());
        }
    };
    let told = "The last link is for you alone: whoever signs up with it becomes an admin. It works once, within 7 days, \
                and is not shown again.";
    if io::stderr().is_terminal() {
        writeln!(io::stderr(), "{told}")?;
    } else {
        info!("{told}");
    }
    let invite = Some(token.text());
    print(
        &links.iter().take(1).map(|link| Link { invite: invite.clone(), ..link.clone() }).collect::<Vec<_>>(),
    )
}

fn print(links: &[Link]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match links.iter().try_for_each(|link| writeln!(out, "{link}")).and_then(|()| out.flush()) {
        // A reader who has seen enough, as `head` has, does not end the server.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn say_goodbye(outboxes: Vec<Arc<Outbox>>) {
    let last = session::closing_for_shutdown();
    for outbox in &outboxes {
        outbox.end(&last);
    }
    flusher::drain(outboxes, Instant::now() + GOODBYES_WITHIN);
}

/// Whether any of the sockets takes connections from other hosts.
fn can_be_reached(listeners: &[TcpListener]) -> io::Result<bool> {
    Ok(addresses_of(listeners)?.iter().any(|address| !address.ip().is_loopback()))
}

fn addresses_of(listeners: &[TcpListener]) -> io::Result<Vec<SocketAddr>> {
    listeners.iter().map(TcpListener::local_addr).collect()
}

/// The threads that are stopped together.
#[derive(Default)]
struct Threads(Vec<(&'static str, JoinHandle<()>)>);

impl Threads {
    fn start(&mut self, name: &'static str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.0.push((name, start(name, run)?));
        Ok(())
    }

    fn join(self) {
        self.0.into_iter().for_each(|(name, thread)| join(name, thread));
    }
}

fn start(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(run)
}

fn join(name: &str, thread: JoinHandle<()>) {
    if thread.join().is_err() {
        error!(thread = name, "a thread has panicked");
    }
}
