//! Who the server is: its key, the statements by which earlier keys handed over to it, and the links that tell others.
//!
//! | file | what it owns |
//! |---|---|
//! | `key_file` | `server.key`: made once, and replaced only when the key is |
//! | `statements_file` | `server.statements`: which key handed over to which |
//! | `rotation` | the order in which a new key takes the place of the old one |
//! | `links` | where a server can be found, with its key |

mod key_file;
mod links;
mod rotation;
mod statements_file;

pub(super) use key_file::IdentityError;
pub(super) use links::links;
pub(super) use rotation::Rotated;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use self::rotation::{Files, Rotation};
use super::lock::lock;
use crate::channel::handover::{self, STATEMENTS_MAX, Statement};
use crate::channel::{PublicKey, StaticKey};

/// The server's identity, which can change while it runs: sessions keep the one with which they began.
pub(super) struct Identity {
    files: Files,
    /// There was no key.
    is_new: bool,
    /// Written by whoever rotates the key; held for a moment by each new session.
    present: Mutex<Arc<Present>>,
    /// Held by whoever rotates the key, so that one does at a time.
    rotating: Mutex<()>,
}

/// An identity as a session has it.
pub(super) struct Present {
    pub(super) key: StaticKey,
    /// Those that lead to the key, oldest first, each to the next one.
    statements: Vec<Statement>,
}

secret!(Identity, Present);

impl Identity {
    /// Reads both files, or makes a new key where there is none.
    pub(super) fn open(key: PathBuf, statements: PathBuf) -> Result<Self, IdentityError> {
        let files = Files { key, statements };
        let (key, is_new) = key_file::load_or_make(&files.key)?;
        let statements = leading_to(key.public(), &statements_file::read(&files.statements)?);
        let present = Mutex::new(Arc::new(Present { key, statements }));
        Ok(Self { files, is_new, present, rotating: Mutex::default() })
    }

    /// Whether the server had no key before it was opened this time.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// The one for a new session.
    pub(super) fn present(&self) -> Arc<Present> {
        Arc::clone(&lock(&self.present))
    }

    /// Makes a new key, for which the old one vouches from `now` on, in seconds, for the time `valid_for`. When this
    /// returns it is on the disk, the old secret is not, and new sessions get the new key.
    pub(super) fn rotate(&self, valid_for: Duration, now: u64) -> Result<Rotated, IdentityError> {
        let _turn = lock(&self.rotating);
        let rotation = Rotation::begin(&self.files, &self.present(), valid_for, now)?;
        let vouched = rotation.vouch()?;
        let swapped = vouched.swap()?;
        let (rotated, next) = swapped.finish();
        *lock(&self.present) = Arc::new(next);
        Ok(rotated)
    }
}

impl Present {
    /// What the second message of a handshake brings at the time `now`, in seconds.
    pub(super) fn payload(&self, now: u64) -> Vec<u8> {
        handover::payload(self.unexpired(now))
    }

    /// Those that a client can follow: none before one that has expired.
    fn unexpired(&self, now: u64) -> &[Statement] {
        let expired = self.statements.iter().rposition(|statement| statement.expires() <= now);
        self.statements.get(expired.map_or(0, |place| place + 1)..).unwrap_or_default()
    }
}

/// The statements that lead to this key, oldest first, at most [`STATEMENTS_MAX`]. A server that was stopped while its
/// key was being rotated may have one that leads to a key which never was.
fn leading_to(key: PublicKey, all: &[Statement]) -> Vec<Statement> {
    let (mut key, mut chain) = (key, Vec::new());
    while let Some(before) = all.iter().rfind(|statement| statement.new_key() == key)
        && chain.len() < STATEMENTS_MAX
    {
        chain.insert(0, *before);
        key = before.old_key();
    }
    chain
}
