//! How a new key takes the place of the old one, as types that consume themselves, so that no step comes before the one
//! that it needs: first the statement is on the disk, then the key is swapped by one rename, then the old one is wiped.
//! Wherever the server is killed, it starts again with the old key (and perhaps a statement of no use, which is passed
//! over), or with the new key and its statement.

use std::path::PathBuf;
use std::time::Duration;

use rand::rngs::SysRng;

use super::key_file::{self, IdentityError, Remains};
use super::{Present, statements_file};
use crate::channel::handover::{STATEMENTS_MAX, Statement};
use crate::channel::{PublicKey, StaticKey};

/// Where the identity is kept.
pub(super) struct Files {
    pub(super) key: PathBuf,
    pub(super) statements: PathBuf,
}

/// A new key that nobody knows yet.
pub(super) struct Rotation<'f> {
    files: &'f Files,
    key: StaticKey,
    /// Those before, as far as they are of use, and that for the key.
    statements: Vec<Statement>,
    statement: Statement,
}

/// A new key whose statement is on the disk.
pub(super) struct Vouched<'f>(Rotation<'f>);

/// A new key that is on the disk, where the old one may still lie as well.
pub(super) struct Swapped<'f> {
    rotation: Rotation<'f>,
    remains: Remains,
}

secret!(Rotation<'static>, Vouched<'static>, Swapped<'static>);

/// What has become of the identity.
pub(in crate::server) struct Rotated {
    /// The key from now on.
    pub(in crate::server) key: PublicKey,
    /// Until when clients follow from the key before, in seconds since 1970.
    pub(in crate::server) expires: u64,
}

impl<'f> Rotation<'f> {
    /// Makes a key, and has the present one vouch for it.
    pub(super) fn begin(
        files: &'f Files,
        present: &Present,
        valid_for: Duration,
        now: u64,
    ) -> Result<Self, IdentityError> {
        let key = StaticKey::generate(&mut SysRng)?;
        let statement = Statement::sign(&present.key, key.public(), now, valid_for);
        let before = present.unexpired(now);
        let kept = before.iter().skip((before.len() + 1).saturating_sub(STATEMENTS_MAX));
        let statements = kept.copied().chain([statement]).collect();
        Ok(Self { files, key, statements, statement })
    }

    /// Writes the statements.
    pub(super) fn vouch(self) -> Result<Vouched<'f>, IdentityError> {
        statements_file::write(&self.files.statements, &self.statements)?;
        Ok(Vouched(self))
    }
}

impl<'f> Vouched<'f> {
    /// Writes the key over the old one.
    pub(super) fn swap(self) -> Result<Swapped<'f>, IdentityError> {
        let remains = key_file::replace(&self.0.files.key, &self.0.key)?;
        Ok(Swapped { rotation: self.0, remains })
    }
}

impl Swapped<'_> {
    /// Wipes what is left of the old key. Gives the new identity.
    pub(super) fn finish(self) -> (Rotated, Present) {
        self.remains.wipe();
        let Rotation { key, statements, statement, .. } = self.rotation;
        (Rotated { key: key.public(), expires: statement.expires() }, Present { key, statements })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::Identity;
    use super::*;
    use crate::channel::handover::{self, HandoverError};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const NOW: u64 = 1_800_000_000;

    fn open(folder: &Path) -> Identity {
        Identity::open(folder.join("server.key"), folder.join("server.statements")).unwrap()
    }

    /// The key that someone who knows `known` follows to.
    fn followed(identity: &Identity, known: PublicKey, now: u64) -> Result<PublicKey, HandoverError> {
        let present = identity.present();
        let proved = present.key.public();
        if proved == known {
            return Ok(proved);
        }
        handover::follow(&present.payload(now), known, proved, now).map(|_| proved)
    }

    /// Whether any file of the folder holds the secret of a key.
    fn is_on_the_disk(folder: &Path, key: &StaticKey) -> bool {
        let secret = key_file::line_of(key);
        let files =
            fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        files.into_iter().any(|text| text.contains(secret.trim()))
    }

    #[test]
    fn who_knows_an_old_key_follows_over_as_many_as_are_brought() {
        let folder = tempfile::tempdir().unwrap();
        let identity = open(folder.path());
        let mut keys = vec![identity.present()];
        for round in 1..=STATEMENTS_MAX + 2 {
            let rotated = identity.rotate(90 * DAY, NOW).unwrap();
            assert_eq!((rotated.key, rotated.expires), (identity.present().key.public(), NOW + 90 * 86_400));
            keys.push(identity.present());
            for server in [&identity, &open(folder.path())] {
                for (number, known) in keys.iter().enumerate() {
                    let is_near = round - number <= STATEMENTS_MAX;
                    let followed = followed(server, known.key.public(), NOW + 1);
                    assert_eq!(followed.is_ok(), is_near, "{number} of {round}: {followed:?}");
                }
            }
        }
        for old in &keys[..keys.len() - 1] {
            assert!(!is_on_the_disk(folder.path(), &old.key));
        }
        assert!(is_on_the_disk(folder.path(), &keys[keys.len() - 1].key));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn statements_that_have_expired_are_not_brought_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let identity = open(folder.path());
        let first = identity.present().key.public();
        identity.rotate(DAY, NOW).unwrap();
        let second = identity.present().key.public();
        identity.rotate(90 * DAY, NOW).unwrap();
        let later = NOW + DAY.as_secs();
        assert!(followed(&identity, first, later - 1).is_ok());
        assert_eq!(followed(&identity, first, later), Err(HandoverError::OtherKeys));
        assert!(followed(&identity, second, later).is_ok());
        assert!(identity.present().payload(later + 90 * 86_400).is_empty());
        identity.rotate(DAY, later).unwrap();
        assert_eq!(statements_file::read(&folder.path().join("server.statements")).unwrap().len(), 2);
    }

    #[test]
    fn killed_after_any_step_the_server_has_the_old_key_or_the_new_one_with_its_statement() {
        for step in 0..4 {
            let folder = tempfile::tempdir().unwrap();
            // What a kill while the first key was made has left.
            let before = {
                let identity = open(folder.path());
                identity.rotate(DAY, NOW).unwrap();
                fs::copy(
                    folder.path().join("server.key"),
                    folder.path().join(".server.key.00112233445566ff.tmp"),
                )
                .unwrap();
                identity.present()
            };
            let known = before.key.public();
            let identity = open(folder.path());
            let rotation = Rotation::begin(&identity.files, &before, DAY, NOW).unwrap();
            let next = rotation.key.public();
            if step >= 1 {
                let vouched = rotation.vouch().unwrap();
                if step >= 2 {
                    let swapped = vouched.swap().unwrap();
                    if step >= 3 {
                        swapped.finish();
                    }
                }
            }
            let again = open(folder.path());
            let expected = if step >= 2 { next } else { known };
            assert_eq!(again.present().key.public(), expected, "after step {step}");
            assert_eq!(followed(&again, known, NOW + 1), Ok(expected), "after step {step}");
            // And it can be rotated again, whatever was left.
            again.rotate(DAY, NOW + 1).unwrap();
            assert!(followed(&open(folder.path()), known, NOW + 2).is_ok(), "after step {step}");
            assert!(!is_on_the_disk(folder.path(), &before.key), "after step {step}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        }
    }

    #[test]
    fn a_disk_that_takes_no_statement_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let identity = open(folder.path());
        let before = fs::read(folder.path().join("server.key")).unwrap();
        fs::create_dir(folder.path().join("server.statements")).unwrap(); // a file can't be renamed over a folder
        assert!(identity.rotate(DAY, NOW).is_err());
        assert_eq!(fs::read(folder.path().join("server.key")).unwrap(), before);
        assert!(identity.present().payload(NOW).is_empty());
    }

    #[test]
    fn a_line_that_is_no_statement_is_named_with_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let identity = open(folder.path());
        identity.rotate(DAY, NOW).unwrap();
        let path = folder.path().join("server.statements");
        let good = fs::read_to_string(&path).unwrap();
        for bad in [good.replace(' ', "\n"), good.trim_end().to_owned() + "A\n", "# \n\nx".to_owned()] {
            fs::write(&path, &bad).unwrap();
            let error = Identity::open(folder.path().join("server.key"), path.clone()).err().unwrap();
            assert!(matches!(error, IdentityError::NoStatement { line: 2 | 3, .. }), "{error}");
        }
    }
}
