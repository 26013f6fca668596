//! `users.db` on the disk: read whole, within its bound, and replaced whole. Apart from its format, which
//! knows no disk, and from the accounts, which only ask for the file as it is now.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::errors::AccountsError;
use super::users_file::{FILE_BYTES_MAX, UsersFile, UsersFileError};
use crate::private_file;

/// Where the accounts are kept. Nothing is cached: each call goes to the disk, so make none under a lock that
/// logins wait for.
pub(crate) struct UsersDb {
    path: PathBuf,
}

impl UsersDb {
    /// Touches nothing yet.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file as it is now, or `None` if there is none. At most [`FILE_BYTES_MAX`] bytes and one are read.
    pub(crate) fn read(&self) -> Result<Option<UsersFile>, AccountsError> {
        let mut bytes = Vec::new();
        let limit = FILE_BYTES_MAX as u64 + 1;
        match File::open(&self.path).and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
            Ok(_) => UsersFile::parse(bytes).map(Some).map_err(|reason| self.bad(reason)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(reason) => Err(AccountsError::Read { path: self.path.clone(), reason }),
        }
    }

    /// Puts an edited file in its place, unless the edit has failed. Returns when it is safe on the disk.
    /// Gives it.
    pub(crate) fn replace(
        &self,
        edited: Result<UsersFile, UsersFileError>,
    ) -> Result<UsersFile, AccountsError> {
        let file = edited.map_err(|reason| self.bad(reason))?;
        private_file::replace(&self.path, file.as_str().as_bytes())
            .map_err(|reason| AccountsError::Write { path: self.path.clone(), reason })?;
        Ok(file)
    }

    fn bad(&self, reason: UsersFileError) -> AccountsError {
        AccountsError::Format { path: self.path.clone(), reason }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_replaced_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let users_db = UsersDb::at(&folder.path().join("users.db"));
        assert!(users_db.read().is_ok_and(|file| file.is_none()));
        users_db.replace(UsersFile::parse(b"# empty".into())).unwrap();
        assert_eq!(users_db.read().ok().flatten().unwrap().as_str(), "# empty");
    }

    #[test]
    fn an_edit_that_failed_leaves_the_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let users_db = UsersDb::at(&folder.path().join("users.db"));
        let error = users_db.replace(Err(UsersFileError::TooLarge)).err().unwrap();
        assert!(matches!(error, AccountsError::Format { .. }) && !users_db.path().exists());
    }

    #[test]
    fn a_file_without_end_and_a_folder_are_refused() {
        let endless = UsersDb::at(Path::new("/dev/zero")).read().err().unwrap();
        assert!(matches!(endless, AccountsError::Format { reason: UsersFileError::TooLarge, .. }));
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("users.db")).unwrap();
        let error = UsersDb::at(&folder.path().join("users.db")).read().err().unwrap();
        assert!(matches!(error, AccountsError::Read { .. }));
    }
}
