//! `chat admin restore`: a data folder from a backup. It is put together beside the place where it is to be, opened there as a
//! server would open it, and takes that place at once.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use super::{ArchiveError, folder_of, io_error, sync_folder, unfinished};
use crate::server::accounts::Cost;
use crate::server::clock;
use crate::server::data_folder::DataFolder;
use crate::server::log::LogStore;
use crate::server::stores::Stores;

/// Makes the data folder what it was when the backup `from` was made. Whatever is in it is kept beside it if the operator
/// wants it to be replaced. Gives lines for the operator.
pub(in crate::server) fn restore(
    data: &Path,
    from: &Path,
    may_replace: bool,
) -> Result<Vec<String>, ArchiveError> {
    let manifest = Manifest::read(from)?;
    let is_empty = is_empty(data)?;
    if !is_empty && !may_replace {
        return Err(ArchiveError::NotEmpty(data.to_owned()));
    }
    // No server starts on it meanwhile, and none runs.
    let held = if is_empty { None } else { Some(DataFolder::take_existing(data)?) };
    if let Some(parent) = data.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(io_error(parent))?;
    }
    let unfinished = unfinished(data)?;
    DirBuilder::new().mode(0o700).create(&unfinished).map_err(io_error(&unfinished))?;
    let placed = manifest.copy(from, &unfinished).and_then(|()| try_out(&unfinished)).and_then(|()| {
        sync_folder(&unfinished)?;
        put_in_place(&unfinished, data, is_empty)
    });
    let kept = placed.inspect_err(|_| drop(fs::remove_dir_all(&unfinished)))?;
    sync_folder(folder_of(data))?;
    drop(held);
    let restored =
        format!("{} is as the backup has it; start the server with: chat server --data", data.display());
    let kept = kept.map(|kept| format!("what was there before is in {}", kept.display()));
    Ok([restored].into_iter().chain(kept).collect())
}

fn is_empty(data: &Path) -> Result<bool, ArchiveError> {
    match fs::read_dir(data) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(io_error(data)(error)),
    }
}

/// Opens everything as a server does that starts.
fn try_out(folder: &Path) -> Result<(), ArchiveError> {
    let unusable = |error: &dyn ToString| ArchiveError::Unusable(error.to_string());
    let key = folder.join(DataFolder::SERVER_KEY);
    fs::metadata(&key).map_err(|error| unusable(&format!("{}: {error}", key.display())))?;
    let stores = Stores::open(DataFolder::take_existing(folder)?, Cost::STANDARD);
    let stores = stores.map_err(|error| unusable(&error))?;
    LogStore::open(&stores.folder.log(), clock::now()).map(drop).map_err(|error| unusable(&error))
}

/// Gives where that is now which was there before.
fn put_in_place(unfinished: &Path, data: &Path, is_empty: bool) -> Result<Option<PathBuf>, ArchiveError> {
    if is_empty {
        fs::rename(unfinished, data).map_err(io_error(data))?; // an empty folder gives way
        return Ok(None);
    }
    let before = free_name(data)?;
    exchange(unfinished, data, &before).map_err(io_error(data))?;
    Ok(Some(before))
}

/// Puts `new` where `old` is, and the old one at `before`. At no moment is there nothing.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange(new: &Path, old: &Path, before: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE)?;
    fs::rename(new, before)
}

/// The same where a system can't do it at once.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange(new: &Path, old: &Path, before: &Path) -> io::Result<()> {
    fs::rename(old, before)?;
    fs::rename(new, old)
}

/// `DATA.before`, or `DATA.before-2` and so on.
fn free_name(data: &Path) -> Result<PathBuf, ArchiveError> {
    let name = data.file_name().ok_or_else(|| io_error(data)(ErrorKind::InvalidFilename.into()))?;
    let with_end = |end: &str| data.with_file_name(format!("{}.before{end}", name.to_string_lossy()));
    let mut names =
        [with_end("")].into_iter().chain((2..).map(|number: u32| with_end(&format!("-{number}"))));
    let free = names.find(|path| fs::symlink_metadata(path).is_err());
    free.ok_or_else(|| io_error(data)(ErrorKind::AlreadyExists.into()))
}
