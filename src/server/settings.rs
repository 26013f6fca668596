//! What an operator can change while the server runs. It is read as a whole, at the start and for SIGHUP, so that one bad
//! part of it changes nothing.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

use super::config::Config;
use super::door::Door;
use super::error::ServerError;
use super::limits::Limits;
use super::server_password::ServerPassword;
use crate::names::{NOTICE_BYTES_MAX, Notice, NoticeError};

/// Descriptors for everything but connections: the log, the accounts, the sockets to listen on, the polls.
const OWN_DESCRIPTORS: u64 = 64;

/// What is read of the file with the message of the day, in bytes: more than there may be.
const FILE_BYTES_MAX: u64 = 2 * NOTICE_BYTES_MAX as u64;

/// What counts from now on. A session keeps those that it began with where it can't change them.
pub(super) struct Settings {
    /// How much anyone may take.
    pub(super) limits: Limits,
    /// Who may sign up.
    pub(super) door: Door,
    /// What everyone is told who comes in.
    pub(super) notice: Notice,
}

/// The message of the day can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the message of the day in {path} can't be used: {reason}", path = .path.display())]
pub struct MotdError {
    path: PathBuf,
    reason: String,
}

impl Settings {
    /// Reads the files that a configuration names.
    pub(super) fn read(config: &Config) -> Result<Self, ServerError> {
        let door = Door {
            registration: config.registration,
            members_invite: config.members_invite,
            server_password: ServerPassword::read(&config.server_password)?,
        };
        let notice = config.motd_file.as_deref().map(read_notice).transpose()?.unwrap_or_default();
        Ok(Self { limits: fitted_to_descriptors(config.limits.clone()), door, notice })
    }
}

fn read_notice(path: &Path) -> Result<Notice, MotdError> {
    let failed = |reason: String| MotdError { path: path.to_owned(), reason };
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
    read.map_err(|error| failed(format!("{error}; see that it is a file which the server may read")))?;
    let text = String::from_utf8_lossy(&bytes); // what is no text is shown as such
    text.parse().map_err(|error: NoticeError| failed(error.to_string()))
}

/// Each connection takes a descriptor: asks for as many as the system lets this process have, and lets in no more
/// connections than that, so that newcomers are told that it is full and the rest of the server can open its files.
fn fitted_to_descriptors(mut limits: Limits) -> Limits {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
    {
        warn!(%error, "the limit of open files can't be raised");
    }
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let fit = usize::try_from(descriptors.saturating_sub(OWN_DESCRIPTORS)).unwrap_or(usize::MAX).max(1);
    if fit < limits.connections {
        warn!("only {descriptors} files may be open (ulimit -n), so only {fit} connections are let in");
        limits.connections = fit;
    }
    limits
}
