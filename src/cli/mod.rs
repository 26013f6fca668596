//! The command line, and what it means: typed configurations for the server and the client.

mod admin;
mod config_file;
mod guest;
mod in_force;

use std::env;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::admin::AdminArgs;
pub use self::config_file::ConfigFileError;
use self::guest::{ClientArgs, SendArgs, TailArgs};
use crate::client::{self, ClientError};
use crate::limit::Limit;
use crate::secret_source::{SERVER_PASSWORD_VARIABLE, SecretSource};
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
    /// For `--check-config`: all options as they are.
    #[arg(skip)]
    in_force: Vec<String>,
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
    /// Says one thing, for scripts: it ends with 0 when the server has it on its disk.
    Send(SendArgs),
    /// Shows what is said in a room, for scripts, until it is stopped.
    Tail(TailArgs),
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
    /// A text that everyone is shown who comes in: at most 4096 bytes and 20 lines.
    #[arg(long, value_name = "FILE")]
    motd_file: Option<PathBuf>,
    /// Sets a bound, for example connections=200; an unknown name lists them all.
    #[arg(long, value_name = "NAME=VALUE")]
    limit: Vec<Limit<server::Limits>>,
    /// A file with these options, one a line: NAME = VALUE [default: ~/.config/chat/server.toml, if it is there].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Shows the options that are in force, or what is wrong with them, and starts nothing.
    #[arg(long)]
    check_config: bool,
}

/// What the command line asks for.
pub enum Job {
    /// `chat server`.
    Server(server::Config),
    /// `chat server --check-config`; holds what to show if all is well.
    CheckConfig(server::Config, Vec<String>),
    /// `chat client` and the other commands that come to a server as someone.
    Client(client::Config),
    /// `chat admin`.
    Admin(server::AdminConfig),
}

/// What was asked for can't be done like this.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// There is no place for files.
    #[error(transparent)]
    NoHome(#[from] NoHome),
    /// There is no password.
    #[error(transparent)]
    NoPassword(#[from] ClientError),
}

impl JobError {
    /// What the program ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoHome(_) => 2,
            Self::NoPassword(error) => error.exit_code(),
        }
    }
}

/// There is no place for files: the environment names no home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "neither XDG_DATA_HOME nor HOME is set, so there is no place for files; set one of them, or give --data to a server"
)]
pub struct NoHome;

impl Cli {
    /// What was typed, and what the configuration file adds to it. Ends the process where what was typed means nothing or
    /// is answered at once, as `--help` is.
    pub fn read() -> Result<Self, ConfigFileError> {
        let command = Self::command();
        let completed = config_file::complete(&command, env::args_os().collect(), config_home().as_deref())?;
        let cli = Self::from_arg_matches(&completed.given).unwrap_or_else(|error| error.exit());
        Ok(Self { in_force: in_force::lines(&command, &completed), ..cli })
    }

    /// Fills in what was not said.
    pub fn into_job(self) -> Result<Job, JobError> {
        match self.command {
            Command::Server(args) if args.check_config => {
                Ok(Job::CheckConfig(args.into_config()?, self.in_force))
            }
            Command::Server(args) => Ok(Job::Server(args.into_config()?)),
            Command::Client(args) => Ok(Job::Client(args.into_config()?)),
            Command::Send(args) => Ok(Job::Client(args.into_config()?)),
            Command::Tail(args) => Ok(Job::Client(args.into_config()?)),
            Command::Admin(args) => args.into_config().map(Job::Admin),
        }
    }
}

/// The configuration of a server that was started by what was typed, with its file as it is now; or what is wrong.
pub fn reread_server() -> Result<server::Config, String> {
    let cli = Cli::read().map_err(|error| error.to_string())?;
    match cli.into_job() {
        Ok(Job::Server(config)) => Ok(config),
        Ok(_) => Err("no server was asked for".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl ServerArgs {
    fn into_config(self) -> Result<server::Config, NoHome> {
        let data = server_data(self.data)?;
        let limits = Limit::collect(self.limit);
        let server_password =
            source(self.server_password_file, self.server_password_command, SERVER_PASSWORD_VARIABLE);
        let Self { listen, registration, members_invite, small_host, motd_file, .. } = self;
        Ok(server::Config {
            listen,
            data,
            small_host,
            registration,
            members_invite,
            server_password,
            motd_file,
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

/// `$XDG_DATA_HOME/chat`, or `~/.local/share/chat`.
fn data_home() -> Result<PathBuf, NoHome> {
    our_folder("XDG_DATA_HOME", ".local/share").ok_or(NoHome)
}

/// `$XDG_CONFIG_HOME/chat`, or `~/.config/chat`, if there is a home.
fn config_home() -> Option<PathBuf> {
    our_folder("XDG_CONFIG_HOME", ".config")
}

/// Our folder where `variable` says, or `usual` in the home (XDG Base Directory Specification; a relative path is void).
fn our_folder(variable: &str, usual: &str) -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = absolute(variable).or_else(|| Some(absolute("HOME")?.join(usual)));
    home.map(|home| home.join("chat"))
}
