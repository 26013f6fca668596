//! The folder in which a server keeps what must survive it: its key, its accounts, their devices, its log. One server at a time.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

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
    /// Makes the folder (0700) if it is not there, and takes it.
    pub(super) fn take(path: &Path) -> Result<Self, DataFolderError> {
        let unusable = |path: &Path, source| DataFolderError::Unusable { path: path.to_owned(), source };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| unusable(path, source))?;
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

    /// Who the server is.
    pub(super) fn server_key(&self) -> PathBuf {
        self.path.join("server.key")
    }

    /// Who may come in.
    pub(super) fn users(&self) -> PathBuf {
        self.path.join("users.db")
    }

    /// Which devices come in without a password.
    pub(super) fn devices(&self) -> PathBuf {
        self.path.join("devices.db")
    }

    /// What was said.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("chat.db")
    }
}
