//! Writing a small private file so that neither a crash nor a full disk can leave half of it. Apart, because accounts,
//! keys and known servers, on both sides, are written in this one way.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The digits in the names of temporary files: `.NAME.0123456789abcdef.tmp`.
const RANDOM_DIGITS: usize = 16;

/// Makes the file at `path`, readable and writable by its owner only (0600), with these contents. One that is there
/// stays: [`ErrorKind::AlreadyExists`].
///
/// # Errors
/// As those of [`replace`].
pub fn create(path: &Path, contents: &[u8]) -> io::Result<()> {
    create_by(path, |file| file.write_all(contents))
}

/// The same with what `contents` writes, for what is too large to be held.
///
/// # Errors
/// As those of [`replace`], and those of `contents`.
pub fn create_by(path: &Path, contents: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    write(path, contents, |temporary, path| {
        fs::hard_link(temporary, path)?;
        fs::remove_file(temporary)
    })
}

/// Puts `contents` in the place of the file at `path`, or makes the file, readable and writable by its owner
/// only (0600): temporary file in the same folder, fsync, rename, fsync of the folder. A symbolic link is
/// followed.
///
/// # Errors
/// Whatever the system says. The file at `path` is then as it was, and no temporary file is left. Only if the
/// very last step fails, the fsync of the folder, the new contents are in place though not yet sure to
/// survive a power cut.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            write(path, |file| file.write_all(contents), |from, to| fs::rename(from, to))
        }
        known => write(&known?, |file| file.write_all(contents), |from, to| fs::rename(from, to)),
    }
}

/// Removes the temporary files that are left of writing the file at `path` when that was killed. Nobody may be writing it.
///
/// # Errors
/// Whatever the system says; some may be removed then, and others not.
pub fn remove_leftovers(path: &Path) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    let start = [b".", name.as_encoded_bytes(), b"."].concat();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.file_name();
        let random = found.as_encoded_bytes().strip_prefix(start.as_slice());
        if random
            .and_then(|rest| rest.strip_suffix(b".tmp"))
            .is_some_and(|random| random.len() == RANDOM_DIGITS)
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes a temporary file beside `path`, and lets `put` give it that name.
fn write(
    path: &Path,
    contents: impl FnOnce(&mut File) -> io::Result<()>,
    put: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or(ErrorKind::InvalidFilename)?);
    name.push(format!(".{:0RANDOM_DIGITS$x}.tmp", rand::random::<u64>()));
    let temporary = folder.join(name);

    let folder = File::open(folder)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    contents(&mut file)
        .and_then(|()| file.sync_all())
        .and_then(|()| put(&temporary, path))
        .inspect_err(|_| drop(fs::remove_file(&temporary)))?;
    match folder.sync_all() {
        // Some network file systems can't fsync a folder, and say so in this way.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    fn names_in(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into()).collect()
    }

    #[test]
    fn the_new_contents_are_private_and_alone_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.db");
        replace(&path, b"first").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names_in(folder.path()), [PathBuf::from("users.db")]);
    }

    #[test]
    fn a_file_that_is_there_is_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        create(&path, b"first").unwrap();
        assert_eq!(create(&path, b"second").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names_in(folder.path()), [PathBuf::from("server.key")]);
    }

    #[test]
    fn a_symbolic_link_stays_one_and_its_target_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "old").unwrap();
        symlink(&target, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn a_failure_after_the_temporary_file_was_written_leaves_no_trace_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.db");
        fs::create_dir(&path).unwrap(); // a file can't be renamed over a folder
        replace(&path, b"new").unwrap_err();
        assert_eq!(names_in(folder.path()), [PathBuf::from("users.db")]);
        assert!(path.is_dir());
    }

    #[test]
    fn what_a_kill_has_left_can_be_removed_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        let left = [".server.key.0123456789abcdef.tmp", ".server.key.00000000000000ff.tmp"];
        let others =
            [".server.key.0123.tmp", "server.key.0123456789abcdef.tmp", ".users.db.0123456789abcdef.tmp"];
        for name in left.iter().chain(&others) {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        create(&path, b"kept").unwrap();
        remove_leftovers(&path).unwrap();
        let mut names = names_in(folder.path());
        names.sort();
        let mut expected: Vec<_> = others.iter().map(PathBuf::from).chain(["server.key".into()]).collect();
        expected.sort();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_folder_that_is_gone_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone").join("users.db");
        assert_eq!(replace(&gone, b"new").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(replace(Path::new("/"), b"new").unwrap_err().kind(), ErrorKind::InvalidFilename);
    }
}
