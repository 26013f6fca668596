//! Copies of what a server keeps: backups, restored ones, and what one account has said. All of it is read by connections of
//! its own, from a process of its own: the server that is running meanwhile writes on and waits for nothing.
//!
//! | file | what it owns |
//! |---|---|
//! | `snapshot` | all files of a server as they were at one moment |
//! | `manifest` | what belongs to a backup, with the digest of each file |
//! | `backup` | a snapshot in a folder of its own |
//! | `restore` | a data folder from a backup |
//! | `export` | what one account has said, its rooms and its devices |

mod backup;
mod export;
mod manifest;
mod restore;
mod snapshot;

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

pub(super) use backup::back_up;
pub(super) use export::export;
pub(super) use restore::restore;

use super::data_folder::DataFolderError;

/// Why there is no copy. What was there before is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Something would be overwritten.
    #[error("{0} is there already; choose another name, or move it away")]
    Exists(PathBuf),
    /// A file or folder can't be read or written.
    #[error("{path}: {source}; check the name, who may use it, and whether the disk is full")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A database can't be read or written.
    #[error("{path}: {source}; check that it is whole, and whether the disk is full")]
    Database {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rusqlite::Error,
    },
    /// A copy is not what it should be.
    #[error("{0} is damaged; use another disk, or another backup")]
    Damaged(PathBuf),
    /// There is no moment at which nothing changes.
    #[error("accounts come and go too fast for a copy at one moment; try again in a while")]
    Restless,
    /// The folder is no backup, or not a whole one.
    #[error(
        "{0} is no backup of a chat server, or was not finished; give the folder that 'chat admin backup' has made"
    )]
    NoBackup(PathBuf),
    /// What was backed up can't be used by this program.
    #[error("the backup can't be used: {0}")]
    Unusable(String),
    /// The data folder is in use, or can't be.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The server's files can't be read.
    #[error("{0}")]
    Files(String),
    /// Something is in the data folder.
    #[error(
        "{0} is not empty; add --replace to put the backup in its place and keep what is there beside it"
    )]
    NotEmpty(PathBuf),
    /// Nobody has, or had, this name.
    #[error("there is no account '{0}', and nothing that it has said; check the name")]
    Nobody(String),
}

/// An error of the system about a path.
fn io_error(path: &Path) -> impl Fn(io::Error) -> ArchiveError + '_ {
    move |source| ArchiveError::Io { path: path.to_owned(), source }
}

/// An error of a database.
fn database_error(path: &Path) -> impl Fn(rusqlite::Error) -> ArchiveError + '_ {
    move |source| ArchiveError::Database { path: path.to_owned(), source }
}

/// Has the names in a folder on the disk.
fn sync_folder(path: &Path) -> Result<(), ArchiveError> {
    match File::open(path).and_then(|folder| folder.sync_all()) {
        // Some network file systems can't fsync a folder, and say so in this way.
        Err(error) if error.kind() != ErrorKind::InvalidInput => Err(io_error(path)(error)),
        _ => Ok(()),
    }
}

/// A name for something unfinished, beside the finished thing: `.NAME.0123456789abcdef.unfinished`.
fn unfinished(path: &Path) -> Result<PathBuf, ArchiveError> {
    let name = path.file_name().ok_or_else(|| io_error(path)(ErrorKind::InvalidFilename.into()))?;
    let name = format!(".{}.{:016x}.unfinished", name.to_string_lossy(), rand::random::<u64>());
    Ok(folder_of(path).join(name))
}

/// The folder in which something is.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
