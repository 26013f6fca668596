//! The command line, and what it means: typed configurations for the server and the client.

mod admin;

use std::env;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use self::admin::AdminArgs;
use crate::client;
use crate::limit::Limit;
use crate::link::Link;
use crate::names::Username;
use crate::secret_source::{PASSWORD_VARIABLE, SERVER_PASSWORD_VARIABLE, SecretSource};
use crate::server::{self, Registration};

/// A private group chat in one program.
#[derive(Parser)]
#[command(version, arg_required_else_help = true, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Log more: once for what happens, twice for each step (or say it with `RUST_LOG`).
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

const AFTER_HELP: &str = "\
Begin with 'chat server' on one host. It prints a link; 'chat client LINK' in other terminals, here or elsewhere, signs
up and talks.

Exit codes: 0 fine, 1 failed, 2 usage, 3 cannot connect, 4 login refused, 5 the server's key changed.";

#[derive(Subcommand)]
enum Command {
    /// Runs a server until it is told to stop (Ctrl-C or SIGTERM).
    Server(ServerArgs),
    /// Connects to a server: sign up or log in, then type.
    Client(ClientArgs),
    /// Asks the server on this host for something, or does it on its files when it does not run.
    #[command(arg_required_else_help = true)]
    Admin(AdminArgs),
}

#[derive(Args)]
struct ServerArgs {
    /// Where to listen, several times if need be; port 0 picks a free one [default: port 5555 on all addresses].
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<String>,
    /// The folder with the server's key, accounts and messages [default: ~/.local/share/chat/server].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Who may sign up: open (anyone), invite (who has an invite), or closed (who has an invite of yours, made with 'chat
    /// admin invite').
    #[arg(long, value_name = "POLICY", default_value = "open")]
    registration: Registration,
    /// Lets members make invites with --registration invite; without it, only admins may.
    #[arg(long)]
    members_invite: bool,
    /// Lets only those sign up without an invite who know the word on the first line of a file.
    #[arg(long, value_name = "FILE", conflicts_with = "server_password_command")]
    server_password_file: Option<PathBuf>,
    /// The same with the first line that a command prints; or put the word in the variable `CHAT_SERVER_PASSWORD`.
    #[arg(long, value_name = "COMMAND")]
    server_password_command: Option<String>,
    /// Hash passwords with 19 MiB of memory instead of 64 MiB.
    #[arg(long)]
    small_host: bool,
    /// Sets a bound, for example connections=200; an unknown name lists them all.
    #[arg(long, value_name = "NAME=VALUE")]
    limit: Vec<Limit<server::Limits>>,
}

#[derive(Args)]
struct ClientArgs {
    /// A chat:// link, a host, or host:port.
    #[arg(default_value = "localhost")]
    target: Link,
    /// The name to log in with, or to sign up.
    #[arg(long, value_name = "NAME")]
    user: Option<Username>,
    /// Makes a new account.
    #[arg(long)]
    signup: bool,
    /// Reads the password from the first line of a file.
    #[arg(long, value_name = "FILE", conflicts_with = "password_command")]
    password_file: Option<PathBuf>,
    /// Reads the password from the first line that a command prints.
    #[arg(long, value_name = "COMMAND")]
    password_command: Option<String>,
    /// Reads the server's password, if it wants one of who signs up, from the first line of a file.
    #[arg(long, value_name = "FILE", conflicts_with = "server_password_command")]
    server_password_file: Option<PathBuf>,
    /// The same from the first line that a command prints.
    #[arg(long, value_name = "COMMAND")]
    server_password_command: Option<String>,
    /// One line per event, without line editing: for pipes and screen readers.
    #[arg(long)]
    plain: bool,
    /// Neither uses nor makes a key by which the server remembers this device.
    #[arg(long)]
    no_remember: bool,
    /// Keeps what this client knows of servers apart from the other profiles.
    #[arg(long, value_name = "NAME")]
    profile: Option<Username>,
    /// Sets a bound, for example session-seconds=3600; an unknown name lists them all.
    #[arg(long, value_name = "NAME=VALUE")]
    limit: Vec<Limit<client::Limits>>,
}

/// What the command line asks for.
pub enum Job {
    /// `chat server`.
    Server(server::Config),
    /// `chat client`.
    Client(client::Config),
    /// `chat admin`.
    Admin(server::AdminConfig),
}

/// There is no place for files: the environment names no home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "neither XDG_DATA_HOME nor HOME is set, so there is no place for files; set one of them, or give --data to a server"
)]
pub struct NoHome;

impl Cli {
    /// Fills in what was not said.
    pub fn into_job(self) -> Result<Job, NoHome> {
        match self.command {
            Command::Server(args) => args.into_config().map(Job::Server),
            Command::Client(args) => args.into_config().map(Job::Client),
            Command::Admin(args) => args.into_config().map(Job::Admin),
        }
    }
}

impl ServerArgs {
    fn into_config(self) -> Result<server::Config, NoHome> {
        let data = server_data(self.data)?;
        let limits = Limit::collect(self.limit);
        let server_password =
            source(self.server_password_file, self.server_password_command, SERVER_PASSWORD_VARIABLE);
        let Self { listen, registration, members_invite, small_host, .. } = self;
        Ok(server::Config { listen, data, small_host, registration, members_invite, server_password, limits })
    }
}

impl ClientArgs {
    fn into_config(self) -> Result<client::Config, NoHome> {
        let mut data_dir = data_home()?;
        if let Some(profile) = self.profile {
            data_dir = data_dir.join("profiles").join(profile.as_str());
        }
        let password = source(self.password_file, self.password_command, PASSWORD_VARIABLE);
        let server_password =
            source(self.server_password_file, self.server_password_command, SERVER_PASSWORD_VARIABLE);
        let user = self.user.or_else(|| self.target.user.clone());
        let (link, sign_up, plain, remember) = (self.target, self.signup, self.plain, !self.no_remember);
        let limits = Limit::collect(self.limit);
        Ok(client::Config {
            link,
            user,
            sign_up,
            password,
            server_password,
            plain,
            remember,
            data_dir,
            limits,
        })
    }
}

/// Where a password comes from; the variable is looked at if nothing else was said.
fn source(file: Option<PathBuf>, command: Option<String>, variable: &'static str) -> SecretSource {
    let file = file.map(SecretSource::File);
    file.or_else(|| command.map(SecretSource::Command)).unwrap_or(SecretSource::Variable(variable))
}

/// The folder of a server, where it was not given.
fn server_data(given: Option<PathBuf>) -> Result<PathBuf, NoHome> {
    given.map_or_else(|| data_home().map(|home| home.join("server")), Ok)
}

/// `$XDG_DATA_HOME/chat`, or `~/.local/share/chat` (XDG Base Directory Specification; a relative path there is void).
fn data_home() -> Result<PathBuf, NoHome> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    home.map(|home| home.join("chat")).ok_or(NoHome)
}
