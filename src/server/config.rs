//! What an operator decides.

use std::path::PathBuf;

use super::door::Registration;
use super::limits::Limits;
use crate::secret_source::SecretSource;

/// A server's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// `ADDRESS:PORT` of each socket to listen on; none means port 5555 on every address of the host.
    pub listen: Vec<String>,
    /// The folder with the key, the accounts and the log.
    pub data: PathBuf,
    /// Hash passwords with 19 MiB instead of 64 MiB.
    pub small_host: bool,
    /// Who may sign up.
    pub registration: Registration,
    /// Whether members may make invites where one signs up with an invite only.
    pub members_invite: bool,
    /// Where the word at the door comes from, if there is to be one.
    pub server_password: SecretSource,
    /// How much anyone may take.
    pub limits: Limits,
}
