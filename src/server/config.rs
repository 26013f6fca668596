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
    /// The message of the day, a text file.
    pub motd_file: Option<PathBuf>,
    /// How much anyone may take.
    pub limits: Limits,
}

/// Reads the configuration anew, from wherever it came; or says what is wrong with it.
pub type Reread<'r> = &'r dyn Fn() -> Result<Config, String>;

impl Config {
    /// Whether the two differ in what counts for a whole run, and not in what can change meanwhile.
    pub(super) fn is_of_another_run(&self, other: &Self) -> bool {
        (&self.listen, &self.data, self.small_host) != (&other.listen, &other.data, other.small_host)
    }
}
