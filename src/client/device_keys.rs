//! The keys by which servers know this device, one file for each server: `devices/<server's key>.key` in the client's
//! data folder, one line `name key`. Each server sees another key, so that two of them can't tell that they have the
//! same guest; and each profile has a folder of its own, so one person can be two.
//!
//! A file is written when a login was right and before the server is asked to remember its key, whole or not at all,
//! and never over another one. Only a key that its server has refused is removed, and a new one is made for the next
//! login by password, so a key that was revoked because someone may have copied it never comes to be remembered again.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use crate::channel::{PublicKey, StaticKey};
use crate::names::{USERNAME_BYTES_MAX, Username};
use crate::private_file;

/// The permissions that others than the owner may not have.
const OTHERS: u32 = 0o077;

/// No such file is longer, in bytes: a name, a space, a key of 43 characters, a line end.
const FILE_BYTES_MAX: usize = USERNAME_BYTES_MAX + 1 + 43 + 1;

/// A key that a server knows, and the account that it logs in to.
pub(super) struct DeviceKey {
    pub(super) account: Username,
    pub(super) key: StaticKey,
}

secret!(DeviceKey);

/// A key that can't be used or kept. It is told, and the login goes on with the password.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeviceKeyError {
    #[error(
        "{path} can't be {done} ({error}), so this device is not remembered; see who owns it and its folder"
    )]
    File { path: PathBuf, done: &'static str, error: io::Error },
    #[error("{0} is damaged, so this device is not remembered; remove it to be remembered anew")]
    Damaged(PathBuf),
    #[error(
        "{0} can be read by others on this computer, so it is not used; if they may have copied it, revoke it with \
         /devices and remove it, otherwise run: chmod 600 '{0}'"
    )]
    Exposed(PathBuf),
}

/// The folder with the keys. It need not exist.
pub(super) struct DeviceKeys {
    folder: PathBuf,
}

impl DeviceKeys {
    /// Those in a client's data folder.
    pub(super) fn within(data_dir: &Path) -> Self {
        Self { folder: data_dir.join("devices") }
    }

    /// The key for the server that holds the key `server`.
    pub(super) fn find(&self, server: PublicKey) -> Result<Option<DeviceKey>, DeviceKeyError> {
        let path = self.path(server);
        let failed = |error| DeviceKeyError::File { path: path.clone(), done: "read", error };
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        if file.metadata().map_err(failed)?.mode() & OTHERS != 0 {
            return Err(DeviceKeyError::Exposed(path));
        }
        // As large as it can become, so that no copy is left behind when it grows.
        let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX + 1));
        file.take(FILE_BYTES_MAX as u64).read_to_end(&mut bytes).map_err(failed)?;
        parse(&bytes).map(Some).ok_or(DeviceKeyError::Damaged(path))
    }

    /// Keeps a key for the next time. False when there is one for this server already, which stays. When this returns
    /// it is on the disk.
    pub(super) fn keep(
        &self,
        server: PublicKey,
        account: &Username,
        key: &StaticKey,
    ) -> Result<bool, DeviceKeyError> {
        let path = self.path(server);
        let failed = |error| DeviceKeyError::File { path: path.clone(), done: "written", error };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed)?;
        let secret = Zeroizing::new(Base64UrlUnpadded::encode_string(&*key.to_bytes()));
        let text = Zeroizing::new(format!("{account} {}\n", *secret));
        match private_file::create(&path, text.as_bytes()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            written => written.map(|()| true).map_err(failed),
        }
    }

    /// Removes the key for `server` if it is still this one.
    pub(super) fn forget(&self, server: PublicKey, key: PublicKey) -> Result<(), DeviceKeyError> {
        let path = self.path(server);
        match self.find(server)? {
            Some(found) if found.key.public() == key => {
                fs::remove_file(&path).map_err(|error| DeviceKeyError::File { path, done: "removed", error })
            }
            _ => Ok(()),
        }
    }

    /// The key for the server that holds `old` is from now on also there for the key `new`, unless there is one already.
    pub(super) fn copy(&self, old: PublicKey, new: PublicKey) -> Result<(), DeviceKeyError> {
        let path = self.path(new);
        match fs::hard_link(self.path(old), &path).and_then(|()| File::open(&self.folder)?.sync_all()) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => Ok(()),
            linked => linked.map_err(|error| DeviceKeyError::File { path, done: "written", error }),
        }
    }

    /// The key is not there for the server's key `old` any more, if it is there for `new`.
    pub(super) fn forget_copy(&self, old: PublicKey, new: PublicKey) -> Result<(), DeviceKeyError> {
        match self.find(new)? {
            Some(copy) => self.forget(old, copy.key.public()),
            None => Ok(()),
        }
    }

    fn path(&self, server: PublicKey) -> PathBuf {
        self.folder.join(format!("{server}.key"))
    }
}

fn parse(bytes: &[u8]) -> Option<DeviceKey> {
    let line = str::from_utf8(bytes).ok()?;
    let (account, text) = line.strip_suffix('\n')?.split_once(' ')?;
    let mut secret = Zeroizing::new([0; 32]);
    let decoded = Base64UrlUnpadded::decode(text, secret.as_mut()).ok()?;
    let is_whole = decoded.len() == 32;
    let account = account.parse().ok()?;
    is_whole.then(|| DeviceKey { account, key: StaticKey::from_bytes(&secret) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    const SERVER: PublicKey = PublicKey::from_bytes([1; 32]);

    fn key(number: u8) -> StaticKey {
        StaticKey::from_bytes(&[number; 32])
    }

    fn alice() -> Username {
        "alice".parse().unwrap()
    }

    fn folder() -> (tempfile::TempDir, DeviceKeys) {
        let folder = tempfile::tempdir().unwrap();
        let keys = DeviceKeys::within(&folder.path().join("chat"));
        (folder, keys)
    }

    #[test]
    fn a_key_is_kept_for_its_server_and_its_owner_only_and_nothing_lies_beside_it() {
        let (_folder, keys) = folder();
        assert!(keys.find(SERVER).unwrap().is_none());
        assert!(keys.keep(SERVER, &alice(), &key(5)).unwrap());
        let found = keys.find(SERVER).unwrap().unwrap();
        assert_eq!((found.account, found.key.public()), (alice(), key(5).public()));
        assert!(keys.find(PublicKey::from_bytes([2; 32])).unwrap().is_none());
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&keys.folder), mode(&keys.path(SERVER))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&keys.folder).unwrap().count(), 1);
    }

    #[test]
    fn the_longest_name_has_room_in_its_file() {
        let (_folder, keys) = folder();
        let longest: Username = "𠀀".repeat(32).parse().unwrap();
        assert!(keys.keep(SERVER, &longest, &key(5)).unwrap());
        assert_eq!(keys.find(SERVER).unwrap().unwrap().account, longest);
        assert_eq!(fs::metadata(keys.path(SERVER)).unwrap().len(), FILE_BYTES_MAX as u64);
    }

    #[test]
    fn a_key_is_never_written_over_another_one() {
        let (_folder, keys) = folder();
        assert!(keys.keep(SERVER, &alice(), &key(5)).unwrap());
        assert!(!keys.keep(SERVER, &alice(), &key(6)).unwrap());
        fs::write(keys.path(SERVER), "damaged").unwrap();
        assert!(!keys.keep(SERVER, &alice(), &key(6)).unwrap());
        assert_eq!(fs::read(keys.path(SERVER)).unwrap(), b"damaged");
        assert_eq!(fs::read_dir(&keys.folder).unwrap().count(), 1);
    }

    #[test]
    fn only_the_key_that_was_refused_is_forgotten() {
        let (_folder, keys) = folder();
        keys.forget(SERVER, key(5).public()).unwrap();
        keys.keep(SERVER, &alice(), &key(5)).unwrap();
        keys.forget(SERVER, key(6).public()).unwrap();
        assert!(keys.find(SERVER).unwrap().is_some());
        keys.forget(SERVER, key(5).public()).unwrap();
        assert!(keys.find(SERVER).unwrap().is_none());
    }

    #[test]
    fn a_key_follows_its_server_to_another_key_and_never_over_another_one() {
        let (_folder, keys) = folder();
        let (next, other) = (PublicKey::from_bytes([2; 32]), PublicKey::from_bytes([3; 32]));
        let public = |server| keys.find(server).unwrap().map(|device| device.key.public());
        keys.copy(SERVER, next).unwrap();
        keys.forget_copy(SERVER, next).unwrap();
        assert_eq!(public(next), None);
        keys.keep(SERVER, &alice(), &key(5)).unwrap();
        keys.copy(SERVER, next).unwrap();
        assert_eq!((public(SERVER), public(next)), (Some(key(5).public()), Some(key(5).public())));
        // As often as it is interrupted.
        keys.copy(SERVER, next).unwrap();
        keys.forget_copy(SERVER, next).unwrap();
        keys.forget_copy(SERVER, next).unwrap();
        assert_eq!((public(SERVER), public(next)), (None, Some(key(5).public())));
        keys.keep(other, &alice(), &key(6)).unwrap();
        keys.copy(other, next).unwrap();
        keys.forget_copy(other, next).unwrap();
        assert_eq!((public(other), public(next)), (Some(key(6).public()), Some(key(5).public())));
    }

    #[test]
    fn what_is_no_key_or_not_a_secret_any_more_is_not_used_and_stays_as_it_is() {
        let (_folder, keys) = folder();
        keys.keep(SERVER, &alice(), &key(5)).unwrap();
        let path = keys.path(SERVER);
        let good = fs::read_to_string(&path).unwrap();
        let long = "x".repeat(100_000);
        for text in
            ["", "\n", "alice\n", "alice AAAA\n", good.trim_end(), &good.replace("alice", "a b"), &long]
        {
            fs::write(&path, text).unwrap();
            assert!(matches!(keys.find(SERVER), Err(DeviceKeyError::Damaged(_))), "{text:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::write(&path, &good).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(keys.find(SERVER), Err(DeviceKeyError::Exposed(_))));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(keys.find(SERVER).is_err());
    }
}
