//! The keys of the servers that this person has met, in a file that can be read and edited by hand: one server a line,
//! `host:port key`, with `#` for comments. A third part, `hybrid`, tells of the strongest suite that the server was
//! seen to have, and a client wants no weaker one from it. A line `host:port key replaced date` tells of a key that a
//! server had before and that handed over to the next one. What to do about a key or a suite that is not the expected
//! one is decided elsewhere.
//!
//! Clients that run at once take turns by a lock on the folder, and each reads the file again before it writes its line,
//! so none loses what another one wrote.

mod lines;

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::channel::handover::Statement;
use crate::channel::{PublicKey, Suite};
use crate::private_file;
use lines::{Entry, Says, append, find, followed, line_of, with_line};

pub use lines::BadLine;
pub(super) use lines::{Known, day_of};

const FILE_NAME: &str = "known_servers";

/// The file can't be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum KnownServersError {
    /// The system does not let us.
    #[error("{path} can't be {done}: {error}; see who owns it and its folder, and what they may do with it", path = path.display())]
    Io {
        /// The file or its folder.
        path: PathBuf,
        /// What was to be done with it, as a participle.
        done: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// A line means nothing.
    #[error("{path}, line {line}: {reason}; mend or remove that line", path = path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: BadLine,
    },
}

/// The file in a client's data folder. Neither needs to exist.
pub(super) struct KnownServers {
    folder: PathBuf,
}

impl KnownServers {
    /// The file in this folder.
    pub(super) fn within(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The folder in which it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(FILE_NAME)
    }

    /// What it says of the server at `address`, which is `host:port`.
    pub(super) fn lookup(&self, address: &str) -> Result<Option<Known>, KnownServersError> {
        Ok(find(&self.parse(&self.read()?)?, address))
    }

    /// Adds a line for a server that has none, and says what the file then holds: another client may have been
    /// quicker. It is on the disk afterwards.
    pub(super) fn remember(
        &self,
        address: &str,
        key: PublicKey,
        suite: Option<Suite>,
    ) -> Result<Known, KnownServersError> {
        let _folder = self.locked_folder()?;
        let mut text = self.read()?;
        if let Some(known) = find(&self.parse(&text)?, address) {
            return Ok(known);
        }
        append(&mut text, &line_of(address, key, suite));
        self.write(&text)?;
        Ok(Known { key, suite, line: text.lines().count() })
    }

    /// When this key, of whatever server, was replaced, if it was.
    pub(super) fn replaced_on(&self, key: PublicKey) -> Result<Option<Date>, KnownServersError> {
        let text = self.read()?;
        let mut replaced = self.parse(&text)?.into_iter().filter_map(|entry| match entry.says {
            Says::Replaced { key: old, on } => (old == key).then_some(on),
            Says::Known(_) => None,
        });
        Ok(replaced.next())
    }

    /// The server at `address` has handed over to the last key of the chain, and with it every server of the file that
    /// is known by one of the chain's keys: they are one. Their lines get the new key, each followed by the keys that it
    /// replaced. Gives what the file then says of the server. It is on the disk afterwards.
    pub(super) fn follow(
        &self,
        address: &str,
        chain: &[Statement],
        suite: Suite,
    ) -> Result<Option<Known>, KnownServersError> {
        let Some((first, last)) = chain.first().zip(chain.last()) else {
            return self.lookup(address);
        };
        let _folder = self.locked_folder()?;
        let mut text = self.read()?;
        if find(&self.parse(&text)?, address).is_none() {
            append(&mut text, &line_of(address, first.old_key(), Some(suite)));
        }
        let followed = followed(&text, &self.parse(&text)?, chain, last.new_key());
        self.write(&followed)?;
        Ok(find(&self.parse(&followed)?, address))
    }

    /// Notes in the line of the server with this key that it has this suite, unless a stronger one is noted already.
    /// It is on the disk afterwards. A line that is not there, or has another key by now, stays as it is.
    pub(super) fn note_suite(
        &self,
        address: &str,
        key: PublicKey,
        suite: Suite,
    ) -> Result<(), KnownServersError> {
        let _folder = self.locked_folder()?;
        let text = self.read()?;
        let known = find(&self.parse(&text)?, address).filter(|known| known.key == key);
        match known {
            Some(known) if known.suite.is_none_or(|noted| suite.is_stronger_than(noted)) => {
                self.write(&with_line(&text, known.line, &line_of(address, key, Some(suite))))
            }
            _ => Ok(()),
        }
    }

    /// Makes the folder if need be. No other client writes the file until what this gives is dropped.
    fn locked_folder(&self) -> Result<File, KnownServersError> {
        let failed = |done| {
            let path = self.folder.clone();
            move |error| KnownServersError::Io { path, done, error }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed("made"))?;
        let folder = File::open(&self.folder).map_err(failed("opened"))?;
        folder.lock().map_err(failed("locked"))?;
        Ok(folder)
    }

    fn write(&self, text: &str) -> Result<(), KnownServersError> {
        let failed = |error| KnownServersError::Io { path: self.path(), done: "written", error };
        private_file::replace(&self.path(), text.as_bytes()).map_err(failed)
    }

    fn read(&self) -> Result<String, KnownServersError> {
        match fs::read_to_string(self.path()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            read => read.map_err(|error| KnownServersError::Io { path: self.path(), done: "read", error }),
        }
    }

    fn parse<'t>(&self, text: &'t str) -> Result<Vec<Entry<'t>>, KnownServersError> {
        lines::parse(text).map_err(|(line, reason)| KnownServersError::BadLine {
            path: self.path(),
            line,
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::lines::REPLACED_MAX;
    use super::*;
    use crate::channel::StaticKey;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    fn key() -> PublicKey {
        PublicKey::from_bytes([7; 32])
    }

    fn written(text: &str) -> (tempfile::TempDir, KnownServers) {
        let folder = tempfile::tempdir().unwrap();
        let known = KnownServers::within(folder.path());
        fs::write(known.path(), text).unwrap();
        (folder, known)
    }

    #[test]
    fn a_server_that_was_remembered_is_known_and_the_file_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("share/chat");
        let known = KnownServers::within(&data);
        assert_eq!(known.lookup("localhost:5555").unwrap(), None);
        let remembered = known.remember("localhost:5555", key(), None).unwrap();
        assert_eq!(known.lookup("LOCALHOST:5555").unwrap(), Some(remembered));
        assert_eq!(remembered, Known { key: key(), suite: None, line: 2 });
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(&known.path())), (0o700, 0o600));
    }

    #[test]
    fn what_is_in_the_file_stays_as_it_is() {
        let before = "# mine\n\n  host:1   AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA  ";
        let (_folder, known) = written(before);
        known.remember("host:2", key(), Some(Suite::Hybrid)).unwrap();
        assert_eq!(fs::read_to_string(known.path()).unwrap(), format!("{before}\nhost:2 {} hybrid\n", key()));
        let other = Known { key: PublicKey::from_bytes([0; 32]), suite: None, line: 3 };
        assert_eq!(known.remember("host:1", key(), Some(Suite::Hybrid)).unwrap(), other);
    }

    #[test]
    fn a_stronger_suite_is_noted_in_the_line_of_its_server_and_nothing_else_changes() {
        let (one, two) = (PublicKey::from_bytes([0; 32]), key());
        let noted = |first: &str| format!("# mine\n\n{first}\n  other:2   {two}");
        let (_folder, known) = written(&noted(&format!("  host:1  {one} ")));
        let text = || fs::read_to_string(known.path()).unwrap();
        known.note_suite("HOST:1", one, Suite::Classical).unwrap();
        assert_eq!(text(), noted(&format!("HOST:1 {one} classical")));
        known.note_suite("host:1", one, Suite::Hybrid).unwrap();
        assert_eq!(text(), noted(&format!("host:1 {one} hybrid")));
        assert_eq!(known.lookup("host:1").unwrap().unwrap().suite, Some(Suite::Hybrid));
        // A weaker suite, the same once more, another key, a server without a line.
        known.note_suite("host:1", one, Suite::Classical).unwrap();
        known.note_suite("host:1", one, Suite::Hybrid).unwrap();
        known.note_suite("host:1", two, Suite::Hybrid).unwrap();
        known.note_suite("host:3", one, Suite::Hybrid).unwrap();
        assert_eq!(text(), noted(&format!("host:1 {one} hybrid")));
        known.note_suite("other:2", two, Suite::Hybrid).unwrap();
        assert!(text().ends_with(&format!("\nother:2 {two} hybrid")));
    }

    #[test]
    fn a_bad_line_is_refused_with_its_number_and_nothing_is_changed() {
        let key = key();
        let cases = [
            ("host:1".to_owned(), 1, BadLine::Parts),
            (format!("# fine\nhost:1 {key} hybrid more"), 2, BadLine::Parts),
            (format!("# fine\nhost:1 {key} more"), 2, BadLine::NoSuite),
            (format!("host:1 {key} Hybrid"), 1, BadLine::NoSuite),
            (format!("host:1 {key} replaced"), 1, BadLine::NoSuite),
            (format!("host:1 {key} replaced yesterday"), 1, BadLine::NoDate),
            ("host:1 short replaced 2026-01-31".to_owned(), 1, BadLine::NoKey(crate::channel::KeyTextError)),
            ("host:1 short".to_owned(), 1, BadLine::NoKey(crate::channel::KeyTextError)),
            (format!("host:1 {key}\nHOST:1 {key}"), 2, BadLine::Repeated(1)),
        ];
        for (text, expected_line, expected) in cases {
            let (_folder, known) = written(&text);
            for error in [
                known.lookup("x:1").unwrap_err(),
                known.remember("x:1", key, None).unwrap_err(),
                known.note_suite("host:1", key, Suite::Hybrid).unwrap_err(),
            ] {
                let KnownServersError::BadLine { line, reason, .. } = error else { panic!("{error}") };
                assert_eq!((line, reason), (expected_line, expected), "{text:?}");
            }
            assert_eq!(fs::read_to_string(known.path()).unwrap(), text);
        }
    }

    fn chain(numbers: &[u8]) -> Vec<Statement> {
        let (day, secret) = (Duration::from_secs(86_400), |number: u8| StaticKey::from_bytes(&[number; 32]));
        let steps = numbers.windows(2).zip(0..);
        steps
            .map(|(pair, at)| Statement::sign(&secret(pair[0]), secret(pair[1]).public(), at * 86_400, day))
            .collect()
    }

    #[test]
    fn all_lines_of_a_server_follow_to_its_new_key_and_tell_of_the_old_ones() {
        let [one, two, three, eight, nine] =
            [1, 2, 3, 8, 9].map(|number| StaticKey::from_bytes(&[number; 32]).public());
        let (_folder, known) = written(&format!(
            "# mine\nhost:1 {one} hybrid\nother:1 {nine}\nHOST:2 {eight} replaced 1969-07-20\nHost:2 {two}"
        ));
        let followed = known.follow("host:1", &chain(&[1, 2, 3]), Suite::Classical).unwrap();
        assert_eq!(followed, Some(Known { key: three, suite: Some(Suite::Hybrid), line: 2 }));
        let expected = format!(
            "# mine\nhost:1 {three} hybrid\nhost:1 {two} replaced 1970-01-02\nhost:1 {one} replaced 1970-01-01\n\
             other:1 {nine}\nHOST:2 {eight} replaced 1969-07-20\nHost:2 {three}\nHost:2 {two} replaced 1970-01-02\n"
        );
        assert_eq!(fs::read_to_string(known.path()).unwrap(), expected);
        let day = |text: &str| Some(text.parse::<Date>().unwrap());
        assert_eq!(known.replaced_on(one).unwrap(), day("1970-01-01"));
        assert_eq!(known.replaced_on(eight).unwrap(), day("1969-07-20"));
        assert_eq!(known.replaced_on(three).unwrap(), None);
        // As often as it is interrupted.
        known.follow("host:1", &chain(&[1, 2, 3]), Suite::Classical).unwrap();
        assert_eq!(fs::read_to_string(known.path()).unwrap(), expected);
    }

    #[test]
    fn a_server_without_a_line_gets_one_and_no_more_old_keys_are_kept_than_the_bound() {
        let folder = tempfile::tempdir().unwrap();
        let known = KnownServers::within(folder.path());
        for number in 1..=20 {
            let followed = known.follow("host:1", &chain(&[number, number + 1]), Suite::Hybrid).unwrap();
            assert_eq!(followed.map(|known| (known.line, known.suite)), Some((2, Some(Suite::Hybrid))));
        }
        assert_eq!(fs::read_to_string(known.path()).unwrap().lines().count(), 2 + REPLACED_MAX);
        let replaced = |number: u8| known.replaced_on(StaticKey::from_bytes(&[number; 32]).public()).unwrap();
        assert!(replaced(20).is_some() && replaced(13).is_some() && replaced(12).is_none());
    }

    #[test]
    fn clients_that_write_at_once_lose_nobodys_line() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for port in 0..16 {
                let known = KnownServers::within(folder.path());
                scope.spawn(move || {
                    let address = format!("host:{port}");
                    known.remember(&address, key(), None).unwrap();
                    known.note_suite(&address, key(), Suite::Hybrid).unwrap();
                });
            }
        });
        let known = KnownServers::within(folder.path());
        for port in 0..16 {
            let known = known.lookup(&format!("host:{port}")).unwrap();
            assert_eq!(known.and_then(|known| known.suite), Some(Suite::Hybrid));
        }
    }
}
