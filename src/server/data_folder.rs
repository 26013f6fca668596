//! The folder in which a server keeps what must survive it: its key, its accounts, their devices, its bans, its log. One server at a time.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// A `chat admin` that works on the files of a stopped server holds the folder for a moment; a server that is started
/// just then waits for it.
const HELD_AT_MOST: Duration = Duration::from_secs(1);

/// How often it is looked whether the folder is free.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The folder, held by this server until it is dropped.
pub(super) struct DataFolder {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

/// Why the folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// It can't be made or written.
    #[error("{path} can't be used: {source}; give a folder that you can write to with --data")]
    Unusable {
        /// The folder, or the file in it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another server runs on it.
    #[error("another chat server uses {0}; stop it, or give this one its own folder with --data")]
    InUse(PathBuf),
}

impl DataFolder {
    /// The file that every server makes first and none is without.
    pub(super) const SERVER_KEY: &str = "server.key";

    /// Who may come in.
    pub(super) const USERS: &str = "users.db";

    /// Which devices come in without a password.
    pub(super) const DEVICES: &str = "devices.db";

    /// What was said.
    pub(super) const LOG: &str = "chat.db";

    /// What can be searched for, all of it gathered from the log.
    pub(super) const SEARCH_INDEX: &str = "search.db";

    /// Makes the folder (0700) if it is not there, and takes it.
    pub(super) fn take(path: &Path) -> Result<Self, DataFolderError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| DataFolderError::Unusable { path: path.to_owned(), source })?;
        let until = Instant::now() + HELD_AT_MOST;
        loop {
            match Self::take_existing(path) {
                Err(DataFolderError::InUse(_)) if Instant::now() < until => thread::sleep(LOOK_EVERY),
                taken => return taken,
            }
        }
    }

    /// Takes a folder that is there, at once or not at all.
    pub(super) fn take_existing(path: &Path) -> Result<Self, DataFolderError> {
        let unusable = |path: &Path, source| DataFolderError::Unusable { path: path.to_owned(), source };
        let lock_path = path.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|source| unusable(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(unusable(&lock_path, source)),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Who the server is.
    pub(super) fn server_key(&self) -> PathBuf {
        self.path.join(Self::SERVER_KEY)
    }

    /// Which key handed over to which.
    pub(super) fn statements(&self) -> PathBuf {
        self.path.join("server.statements")
    }

    /// Who may come in.
    pub(super) fn users(&self) -> PathBuf {
        self.path.join(Self::USERS)
    }

    /// Which devices come in without a password.
    pub(super) fn devices(&self) -> PathBuf {
        self.path.join(Self::DEVICES)
    }

    /// Who may not come in.
    pub(super) fn bans(&self) -> PathBuf {
        self.path.join("bans.db")
    }

    /// What lets people sign up.
    pub(super) fn invites(&self) -> PathBuf {
        self.path.join("invites.db")
    }

    /// What lets bots in.
    pub(super) fn bots(&self) -> PathBuf {
        self.path.join("bots.db")
    }

    /// When people were here.
    pub(super) fn people(&self) -> PathBuf {
        self.path.join("people.db")
    }

    /// What was said.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join(Self::LOG)
    }

    /// In what was said, where each word is. It is made anew when it is gone.
    pub(super) fn search_index(&self) -> PathBuf {
        self.path.join(Self::SEARCH_INDEX)
    }
}
