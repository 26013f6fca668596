//! `server.key`: made once, and replaced only by the key for which it has vouched.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use rand::rngs::SysRng;
use tracing::warn;
use zeroize::Zeroizing;

use crate::channel::{ChannelError, StaticKey};
use crate::private_file;

/// The permissions that others than the owner may not have.
const OTHERS: u32 = 0o077;

/// Why the server does not know who it is.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file can't be read or made.
    #[error("{path} can't be used: {source}; check who owns it and whether the disk is full")]
    File {
        /// `server.key`.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{0} is no server key (one line of 43 characters); put your copy of it back, or move it away to start with a \
         new key, which every client will refuse until its owner agrees"
    )]
    NoKey(PathBuf),
    /// Others on the host can read it.
    #[error(
        "{0} can be read by others on this host; if none of them may be the server, run: chmod 600 '{0}'"
    )]
    Exposed(PathBuf),
    /// A line of the statements is none.
    #[error(
        "{path}, line {line}: that is no statement of a key; remove the line (clients that know only the key before \
         will then refuse this server until their owner agrees)"
    )]
    NoStatement {
        /// `server.statements`.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
    },
    /// No key could be made.
    #[error("no key could be made: {0}")]
    Made(#[from] ChannelError),
}

/// Reads the key, or makes a new one where there is none. Tells whether it is new.
pub(super) fn load_or_make(path: &Path) -> Result<(StaticKey, bool), IdentityError> {
    let file_error = |source| IdentityError::File { path: path.to_owned(), source };
    match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => {
            let mode = fs::metadata(path).map_err(file_error)?.permissions().mode();
            if mode & OTHERS != 0 {
                return Err(IdentityError::Exposed(path.to_owned()));
            }
            let key = parse(&text).ok_or_else(|| IdentityError::NoKey(path.to_owned()))?;
            Ok((key, false))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = StaticKey::generate(&mut SysRng)?;
            private_file::create(path, line_of(&key).as_bytes()).map_err(file_error)?;
            Ok((key, true))
        }
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(IdentityError::NoKey(path.to_owned())),
        Err(error) => Err(file_error(error)),
    }
}

/// Puts another key in the place of that in the file, at once and durably. Gives what is left of the old one.
pub(super) fn replace(path: &Path, key: &StaticKey) -> Result<Remains, IdentityError> {
    let file_error = |source| IdentityError::File { path: path.to_owned(), source };
    // Opened now: afterwards the old file has no name any more.
    let old = File::options().write(true).open(path).map_err(file_error)?;
    if let Err(source) = private_file::replace(path, line_of(key).as_bytes()) {
        // When only the very last step failed, the new key is in place.
        let is_in_place = load_or_make(path).is_ok_and(|(present, _)| present.public() == key.public());
        if !is_in_place {
            return Err(file_error(source));
        }
        warn!(error = %source, "the new key is in place, and may not survive a power cut; then it is the old one again");
    }
    Ok(Remains { old, path: path.to_owned() })
}

/// What is left of a key that was replaced.
pub(super) struct Remains {
    /// The file without a name.
    old: File,
    /// Where the key is kept.
    path: PathBuf,
}

impl Remains {
    /// Overwrites the old file, and removes what writing an older one may have left beside it. A disk can keep what was
    /// overwritten, as flash does, and nothing that a program does can change that.
    pub(super) fn wipe(mut self) {
        let zeros = |length| vec![0; usize::try_from(length).unwrap_or_default()];
        let wiped = self.old.metadata().and_then(|metadata| {
            self.old.write_all(&zeros(metadata.len()))?;
            self.old.sync_all()
        });
        if let Err(error) = wiped.and_then(|()| private_file::remove_leftovers(&self.path)) {
            warn!(%error, "the old key could not be overwritten");
        }
    }
}

pub(super) fn line_of(key: &StaticKey) -> Zeroizing<String> {
    let text = Zeroizing::new(Base64UrlUnpadded::encode_string(&*key.to_bytes()));
    Zeroizing::new(format!("{}\n", *text))
}

fn parse(text: &str) -> Option<StaticKey> {
    let mut bytes = Zeroizing::new([0; 32]);
    let line = text.strip_suffix('\n').unwrap_or(text);
    let decoded = Base64UrlUnpadded::decode(line, bytes.as_mut()).ok()?;
    (decoded.len() == 32).then(|| StaticKey::from_bytes(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    #[test]
    fn a_key_is_made_once_for_its_owner_only_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        let (made, is_new) = load_or_make(&path).unwrap();
        assert!(is_new);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (read, is_new) = load_or_make(&path).unwrap();
        assert!(!is_new && read.public() == made.public());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        for content in ["", "not a key\n", "AAAA\n", "\u{fffd}"] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(load_or_make(&path), Err(IdentityError::NoKey(_))), "{content:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        load_or_make(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load_or_make(&path), Err(IdentityError::Exposed(_))));
    }
}
