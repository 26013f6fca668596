//! The commands that come to a server as someone.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{NoHome, data_home, source};
use crate::client::{Begin, Config, Dispatch, Following, Limits, Since, Task, View, Words, manual};
use crate::limit::Limit;
use crate::link::Link;
use crate::names::{RoomName, Username};
use crate::secret_source::{PASSWORD_VARIABLE, SERVER_PASSWORD_VARIABLE, TOKEN_VARIABLE};

/// As whom one comes, and what this client keeps.
#[derive(Args)]
struct LoginArgs {
    /// The name to log in with, or to sign up.
    #[arg(long, value_name = "NAME")]
    user: Option<Username>,
    /// Reads the password from the first line of a file.
    #[arg(long, value_name = "FILE", conflicts_with = "password_command")]
    password_file: Option<PathBuf>,
    /// Reads the password from the first line that a command prints.
    #[arg(long, value_name = "COMMAND")]
    password_command: Option<String>,
    /// Comes in as a bot, by the token on the first line of a file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token_command", "password_file", "password_command"])]
    token_file: Option<PathBuf>,
    /// The same with the first line that a command prints; or put the token in the variable `CHAT_TOKEN`.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["password_file", "password_command"])]
    token_command: Option<String>,
    /// Neither uses nor makes a key by which the server remembers this device.
    #[arg(long)]
    no_remember: bool,
    /// Keeps what this client knows of servers apart from the other profiles.
    #[arg(long, value_name = "NAME")]
    profile: Option<Username>,
    /// Sets a bound, for example session-seconds=3600; an unknown name lists them all.
    #[arg(long, value_name = "NAME=VALUE")]
    limit: Vec<Limit<Limits>>,
}

#[derive(Args)]
#[command(after_long_help = format!("What can be typed:\n{}", manual()))]
pub(super) struct ClientArgs {
    /// A chat:// link, a host, or host:port.
    #[arg(default_value = "localhost")]
    target: Link,
    #[command(flatten)]
    login: LoginArgs,
    /// Makes a new account.
    #[arg(long)]
    signup: bool,
    /// Reads the server's password, if it wants one of who signs up, from the first line of a file.
    #[arg(long, value_name = "FILE", conflicts_with = "server_password_command")]
    server_password_file: Option<PathBuf>,
    /// The same from the first line that a command prints.
    #[arg(long, value_name = "COMMAND")]
    server_password_command: Option<String>,
    /// One line per event, without line editing: for pipes and screen readers.
    #[arg(long)]
    plain: bool,
    /// One JSON object per line, each way: for programs.
    #[arg(long, conflicts_with = "plain")]
    json: bool,
    /// A file with these options, one a line: NAME = VALUE [default: ~/.config/chat/client.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct SendArgs {
    /// A chat:// link, a host, or host:port.
    target: Link,
    /// Where to say it: a room such as '#lobby', in quotes.
    room: RoomName,
    /// What to say; with '-', or without it in a pipe, all of standard input, as one message.
    text: Option<String>,
    #[command(flatten)]
    login: LoginArgs,
    /// For how long to try again when the connection is lost before the server has answered.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    timeout: u32,
}

#[derive(Args)]
pub(super) struct TailArgs {
    /// A chat:// link, a host, or host:port.
    target: Link,
    /// The room to follow, such as '#lobby', in quotes.
    room: RoomName,
    /// Begins with what was said since then: 10m ago, on 2026-11-20, at 2026-11-20T10:34, or all.
    #[arg(long, value_name = "WHEN", conflicts_with = "lines")]
    since: Option<Since>,
    /// Begins so many messages before the next one.
    #[arg(long, value_name = "N")]
    lines: Option<u64>,
    /// One JSON object per line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    login: LoginArgs,
}

impl LoginArgs {
    fn into_config(self, link: Link, task: Task) -> Result<Config, NoHome> {
        let mut data_dir = data_home()?;
        if let Some(profile) = self.profile {
            data_dir = data_dir.join("profiles").join(profile.as_str());
        }
        let has_password = self.password_file.is_some() || self.password_command.is_some();
        let token = source(self.token_file, self.token_command, TOKEN_VARIABLE);
        Ok(Config {
            token: Some(token).filter(|_| !has_password),
            user: self.user.or_else(|| link.user.clone()),
            link,
            sign_up: false,
            password: source(self.password_file, self.password_command, PASSWORD_VARIABLE),
            server_password: source(None, None, SERVER_PASSWORD_VARIABLE),
            task,
            remember: !self.no_remember,
            data_dir,
            limits: Limit::collect(self.limit),
        })
    }
}

impl ClientArgs {
    pub(super) fn into_config(self) -> Result<Config, NoHome> {
        let view = match (self.json, self.plain) {
            (true, _) => View::Json,
            (false, true) => View::Lines,
            (false, false) => View::Screen,
        };
        let server_password =
            source(self.server_password_file, self.server_password_command, SERVER_PASSWORD_VARIABLE);
        let config = self.login.into_config(self.target, Task::Converse(view))?;
        Ok(Config { sign_up: self.signup, server_password, ..config })
    }
}

impl SendArgs {
    pub(super) fn into_config(self) -> Result<Config, NoHome> {
        let words = self.text.filter(|text| text != "-").map_or(Words::OfStandardInput, Words::Given);
        let within = Duration::from_secs(self.timeout.into());
        self.login.into_config(self.target, Task::Send(Dispatch { room: self.room, words, within }))
    }
}

impl TailArgs {
    pub(super) fn into_config(self) -> Result<Config, NoHome> {
        let begin = match (self.since, self.lines) {
            (Some(since), _) => Begin::Since(since),
            (None, Some(count)) => Begin::Last(count),
            (None, None) => Begin::Now,
        };
        let following = Following { room: self.room, begin, json: self.json };
        self.login.into_config(self.target, Task::Tail(following))
    }
}
