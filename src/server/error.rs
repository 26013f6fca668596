//! Why a server can't start.

use std::io;

use super::accounts::AccountsError;
use super::bans::BansError;
use super::bots::BotsError;
use super::data_folder::DataFolderError;
use super::devices::DevicesError;
use super::identity::IdentityError;
use super::invites::InvitesError;
use super::listener::ListenError;
use super::log::LogError;
use super::people::PeopleError;
use super::settings::MotdError;
use crate::secret_source::SecretSourceError;

/// What ends `chat server` with an error. Each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The data folder.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// `server.key`.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// `users.db`.
    #[error("{0}")]
    Accounts(String),
    /// `devices.db`.
    #[error("{0}")]
    Devices(String),
    /// `bans.db`.
    #[error("{0}")]
    Bans(String),
    /// `invites.db`.
    #[error("{0}")]
    Invites(String),
    /// `bots.db`.
    #[error("{0}")]
    Bots(String),
    /// `people.db`.
    #[error("{0}")]
    People(String),
    /// The accounts whose passwords everyone can read in `users.db.example`.
    #[error(
        "users.db has the accounts of users.db.example, whose passwords everyone knows, and others can reach this \
         server; remove those lines, or listen on 127.0.0.1 only"
    )]
    ExampleAccounts,
    /// `chat.db`.
    #[error("{0}")]
    Log(String),
    /// The word at the door.
    #[error(transparent)]
    ServerPassword(#[from] SecretSourceError),
    /// The message of the day.
    #[error(transparent)]
    Motd(#[from] MotdError),
    /// The sockets.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A thread, a signal handler or the standard output.
    #[error("the server can't start: {0}")]
    System(#[from] io::Error),
}

impl From<AccountsError> for ServerError {
    fn from(error: AccountsError) -> Self {
        Self::Accounts(error.to_string())
    }
}

impl From<DevicesError> for ServerError {
    fn from(error: DevicesError) -> Self {
        Self::Devices(error.to_string())
    }
}

impl From<BansError> for ServerError {
    fn from(error: BansError) -> Self {
        Self::Bans(error.to_string())
    }
}

impl From<InvitesError> for ServerError {
    fn from(error: InvitesError) -> Self {
        Self::Invites(error.to_string())
    }
}

impl From<BotsError> for ServerError {
    fn from(error: BotsError) -> Self {
        Self::Bots(error.to_string())
    }
}

impl From<PeopleError> for ServerError {
    fn from(error: PeopleError) -> Self {
        Self::People(error.to_string())
    }
}

impl From<LogError> for ServerError {
    fn from(error: LogError) -> Self {
        Self::Log(error.to_string())
    }
}
