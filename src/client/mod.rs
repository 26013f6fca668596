//! `chat client`: one person, or a program, in the rooms of a server; and the commands that come there for one thing.
//!
//! | file | what it owns |
//! |---|---|
//! | `known_servers`, `server_identity` | which key the server must hold, and the first meeting |
//! | `device_keys`, `device_login` | the keys by which servers know this device, and coming in by them |
//! | `connection`, `courier` | an open channel, message by message; then its two threads |
//! | `person`, `silence`, `door`, `login_form`, `login`, `pass` | questions, secrets, what the server answers to them, and what lets one in again |
//! | `event`, `signals`, `session`, `leaving` | everything that can happen, in one order, and what is done about it |
//! | `own_account` | one's devices and password: what is asked of the server, and what it answers |
//! | `limits` | how old a session and a key become |
//! | `uplink`, `turn`, `renewal`, `backoff`, `naps` | the connection that comes and goes, what that means, its replacement before it is old, and a look at it when the computer has slept |
//! | `model`, `place`, `recent`, `unread`, `own`, `happening` | what is known, of each room, of its last messages, of what is unread in it, and of what one has said oneself; what comes of what the server says; pure |
//! | `commands`, `greeting`, `room_words`, `message_words`, `person_words`, `comings` | what a typed line means, who is here, comes and goes, and what happens in rooms, in words; pure |
//! | `line_mode` | the conversation as lines, and the line that is being typed |
//! | `json_mode` | the conversation as JSON |
//! | `send`, `tail` | one message, said from a script; one room, followed by it |
//! | `reader` | whoever reads what we write |

mod backoff;
mod comings;
mod commands;
mod connection;
mod courier;
mod device_keys;
mod device_login;
mod door;
mod error;
mod event;
#[cfg(test)]
mod fake;
mod greeting;
mod happening;
mod json_mode;
mod known_servers;
mod leaving;
mod limits;
mod line_mode;
mod login;
mod login_form;
mod message_words;
mod model;
mod naps;
mod own;
mod own_account;
mod pass;
mod person;
mod person_words;
mod place;
mod reader;
mod recent;
mod renewal;
mod room_words;
mod send;
mod server_identity;
mod session;
mod signals;
mod silence;
mod tail;
mod turn;
mod unread;
mod uplink;

use std::path::PathBuf;

pub use error::ClientError;
pub use known_servers::{BadLine, KnownServersError};
pub use limits::Limits;
pub use send::{Dispatch, Words};
pub use tail::{Begin, Following, Since, SinceError};

use crate::link::Link;
use crate::names::{Password, Username};
use crate::secret_source::SecretSource;

use known_servers::KnownServers;
use login::LoggedIn;
use person::Person;
use server_identity::Server;
use signals::Signals;
use silence::Silence;

/// What a client is to do.
pub struct Config {
    /// Where the server is, and perhaps which key it holds and which room to enter.
    pub link: Link,
    /// The account's name; asked for when missing. With a name and without `sign_up` it is not asked whether to log in.
    pub user: Option<Username>,
    /// Makes the account first.
    pub sign_up: bool,
    /// Where a bot's token comes from. Who has one comes in by it.
    pub token: Option<SecretSource>,
    /// Where the password comes from, if nobody is to be asked for it.
    pub password: SecretSource,
    /// The same for the word at the server's door, if it wants one.
    pub server_password: SecretSource,
    /// What to do there.
    pub task: Task,
    /// Use the key by which the server remembers this device, or have one remembered.
    pub remember: bool,
    /// The folder of `known_servers` and of the keys of this device. It is made if need be.
    pub data_dir: PathBuf,
    /// How long things last.
    pub limits: Limits,
}

/// A new password, from where it is to be had or else from whoever sits at the terminal.
pub fn new_password(source: &SecretSource) -> Result<Password, ClientError> {
    login_form::new_password_from(source, &mut *person::at_the_terminal())
}

/// What a client does when it is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Converses, until its person leaves.
    Converse(View),
    /// Says one thing.
    Send(Dispatch),
    /// Follows one room.
    Tail(Following),
}

/// How a conversation is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// In lines, above the one that is being typed if there is a terminal.
    Screen,
    /// In lines and nothing else, on a terminal too.
    Lines,
    /// For programs, as JSON.
    Json,
}

/// Runs a client until it has done its task.
pub fn run(config: Config) -> Result<(), ClientError> {
    match &config.task {
        Task::Converse(view) => converse(&config, *view),
        Task::Send(dispatch) => send::send(&config, dispatch),
        Task::Tail(following) => tail::follow(&config, following),
    }
}

fn converse(config: &Config, view: View) -> Result<(), ClientError> {
    let silence = Silence::begin();
    let signals = Signals::end_at_once(silence.clone())?;
    let came_in = come_in(config, &mut *person::at_the_terminal());
    silence.iter().for_each(Silence::end);
    let (server, logged_in) = came_in?;
    match view {
        View::Screen | View::Lines => session::converse(server, logged_in, config, signals),
        View::Json => json_mode::converse(server, logged_in, config, signals),
    }
}

/// What can be typed in a conversation: all commands, a line each, by subjects.
pub fn manual() -> String {
    commands::manual().join("\n")
}

/// Finds out which server it is, and logs in.
fn come_in(config: &Config, person: &mut dyn Person) -> Result<(Server, LoggedIn), ClientError> {
    let known_servers = KnownServers::within(&config.data_dir);
    let server = Server::identify(config.link.clone(), known_servers, person)?;
    let server = server.sealing_within(config.limits.rekey);
    let logged_in = login::log_in(&server, config, person)?;
    Ok((server, logged_in))
}
