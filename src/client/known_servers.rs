//! The keys of the servers that this person has met, in a file that can be read and edited by hand: one server a line,
//! `host:port key`, with `#` for comments. What to do about a key that is not the expected one is decided elsewhere.
//!
//! Clients that run at once take turns by a lock on the folder, and each reads the file again before it adds its line,
//! so none loses what another one wrote.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::channel::PublicKey;
use crate::private_file;

const FILE_NAME: &str = "known_servers";

const HEADER: &str =
    "# The servers that chat knows: host:port, then the server's key. Remove a line to forget one.\n";

/// A server that has a line in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) key: PublicKey,
    /// The number of its line, from 1.
    pub(super) line: usize,
}

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

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// It has one part, or more than two.
    #[error("it is not 'host:port key'")]
    NotTwoParts,
    /// No key.
    #[error("the second part is no key: {0}")]
    NoKey(#[from] crate::channel::KeyTextError),
    /// A server that has a line already; holds its number.
    #[error("it speaks of the same server as line {0}")]
    Repeated(usize),
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
    pub(super) fn remember(&self, address: &str, key: PublicKey) -> Result<Known, KnownServersError> {
        let failed = |path: &Path, done| {
            let path = path.to_owned();
            move |error| KnownServersError::Io { path, done, error }
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.folder).map_err(failed(&self.folder, "made"))?;
        let folder = File::open(&self.folder).map_err(failed(&self.folder, "opened"))?;
        folder.lock().map_err(failed(&self.folder, "locked"))?;
        let mut text = self.read()?;
        if let Some(known) = find(&self.parse(&text)?, address) {
            return Ok(known);
        }
        if text.is_empty() {
            text.push_str(HEADER);
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.extend([address, " ", &key.to_string(), "\n"]);
        private_file::replace(&self.path(), text.as_bytes()).map_err(failed(&self.path(), "written"))?;
        Ok(Known { key, line: text.lines().count() })
    }

    fn read(&self) -> Result<String, KnownServersError> {
        match fs::read_to_string(self.path()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            read => read.map_err(|error| KnownServersError::Io { path: self.path(), done: "read", error }),
        }
    }

    fn parse<'t>(&self, text: &'t str) -> Result<Vec<Entry<'t>>, KnownServersError> {
        let mut entries: Vec<Entry<'t>> = Vec::new();
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let entry = parse_line(line, content, &entries);
            entries.push(entry.map_err(|reason| KnownServersError::BadLine {
                path: self.path(),
                line,
                reason,
            })?);
        }
        Ok(entries)
    }
}

struct Entry<'t> {
    address: &'t str,
    key: PublicKey,
    line: usize,
}

fn parse_line<'t>(line: usize, content: &'t str, before: &[Entry<'t>]) -> Result<Entry<'t>, BadLine> {
    let mut parts = content.split_whitespace();
    let (Some(address), Some(key), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(BadLine::NotTwoParts);
    };
    if let Some(same) = before.iter().find(|entry| entry.address.eq_ignore_ascii_case(address)) {
        return Err(BadLine::Repeated(same.line));
    }
    Ok(Entry { address, key: key.parse()?, line })
}

fn find(entries: &[Entry<'_>], address: &str) -> Option<Known> {
    let entry = entries.iter().find(|entry| entry.address.eq_ignore_ascii_case(address));
    entry.map(|entry| Known { key: entry.key, line: entry.line })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

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
        let remembered = known.remember("localhost:5555", key()).unwrap();
        assert_eq!(known.lookup("LOCALHOST:5555").unwrap(), Some(remembered));
        assert_eq!(remembered, Known { key: key(), line: 2 });
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(&known.path())), (0o700, 0o600));
    }

    #[test]
    fn what_is_in_the_file_stays_as_it_is() {
        let before = "# mine\n\n  host:1   AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA  ";
        let (_folder, known) = written(before);
        known.remember("host:2", key()).unwrap();
        assert_eq!(fs::read_to_string(known.path()).unwrap(), format!("{before}\nhost:2 {}\n", key()));
        let other = PublicKey::from_bytes([0; 32]);
        assert_eq!(known.remember("host:1", key()).unwrap(), Known { key: other, line: 3 });
    }

    #[test]
    fn a_bad_line_is_refused_with_its_number_and_nothing_is_changed() {
        let key = key();
        let cases = [
            ("host:1".to_owned(), 1, BadLine::NotTwoParts),
            (format!("# fine\nhost:1 {key} more"), 2, BadLine::NotTwoParts),
            ("host:1 short".to_owned(), 1, BadLine::NoKey(crate::channel::KeyTextError)),
            (format!("host:1 {key}\nHOST:1 {key}"), 2, BadLine::Repeated(1)),
        ];
        for (text, expected_line, expected) in cases {
            let (_folder, known) = written(&text);
            for error in [known.lookup("x:1").unwrap_err(), known.remember("x:1", key).unwrap_err()] {
                let KnownServersError::BadLine { line, reason, .. } = error else { panic!("{error}") };
                assert_eq!((line, reason), (expected_line, expected), "{text:?}");
            }
            assert_eq!(fs::read_to_string(known.path()).unwrap(), text);
        }
    }

    #[test]
    fn clients_that_write_at_once_lose_nobodys_line() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for port in 0..16 {
                let known = KnownServers::within(folder.path());
                scope.spawn(move || known.remember(&format!("host:{port}"), key()).unwrap());
            }
        });
        let known = KnownServers::within(folder.path());
        for port in 0..16 {
            assert!(known.lookup(&format!("host:{port}")).unwrap().is_some());
        }
    }
}
