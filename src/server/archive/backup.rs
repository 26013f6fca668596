//! `chat admin backup`: a snapshot in a folder of its own, which gets its name when it is complete, on the disk, and was read
//! back.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use super::manifest::Manifest;
use super::snapshot::Snapshot;
use super::{ArchiveError, folder_of, io_error, sync_folder, unfinished};

/// Makes a backup of the data folder at `to`, where nothing may be. Gives lines for the operator.
pub(in crate::server) fn back_up(data: &Path, to: &Path) -> Result<Vec<String>, ArchiveError> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(ArchiveError::Exists(to.to_owned()));
    }
    let unfinished = unfinished(to)?;
    DirBuilder::new().mode(0o700).create(&unfinished).map_err(io_error(&unfinished))?;
    let written = write(data, &unfinished).and_then(|files| {
        fs::rename(&unfinished, to).map_err(io_error(to))?;
        sync_folder(folder_of(to))?;
        Ok(files)
    });
    let files = written.inspect_err(|_| drop(fs::remove_dir_all(&unfinished)))?;
    Ok(vec![
        format!("{files} files are in {}, complete and read back", to.display()),
        "who has them is this server for its clients, and can read what was said: keep them as safe as the server's own"
            .to_owned(),
    ])
}

/// Gives how many files there are.
fn write(data: &Path, to: &Path) -> Result<usize, ArchiveError> {
    let names = Snapshot::of(data)?.write(to)?;
    let files = names.len();
    Manifest::write(to, names)?;
    sync_folder(to)?;
    Ok(files)
}
