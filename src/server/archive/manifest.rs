//! `MANIFEST`: which files belong to a backup, how long each is, and the SHA-256 of what is in it. It is written last, so
//! that a backup without one was never finished.
//!
//! ```text
//! chat backup 1
//! 4096 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 devices.db
//! end
//! ```

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::snapshot::is_kept;
use super::{ArchiveError, io_error};
use crate::private_file;

/// The name of the file.
const NAME: &str = "MANIFEST";

/// Its first line. The number grows with what a program before it could not read.
const FIRST_LINE: &str = "chat backup 1";

/// Its last line, by which it is seen to be whole.
const LAST_LINE: &str = "end\n";

/// The longest manifest that is read, in bytes; a server has some ten files.
const BYTES_MAX: u64 = 64 * 1024;

/// What a backup consists of.
pub(super) struct Manifest(Vec<Entry>);

/// One file.
struct Entry {
    name: String,
    bytes: u64,
    digest: String,
}

impl Manifest {
    /// Reads these files of a folder back, and writes down what is in them.
    pub(super) fn write(folder: &Path, names: Vec<String>) -> Result<(), ArchiveError> {
        let mut text = format!("{FIRST_LINE}\n");
        for name in names {
            let path = folder.join(&name);
            let (bytes, digest) = File::open(&path)
                .and_then(|file| copy_and_digest(file, io::sink()))
                .map_err(io_error(&path))?;
            let _ = writeln!(text, "{bytes} {digest} {name}"); // a String takes everything
        }
        text.push_str(LAST_LINE);
        let path = folder.join(NAME);
        private_file::create(&path, text.as_bytes()).map_err(io_error(&path))
    }

    /// Reads that of a folder. One that says nonsense, or names what is no file of a server, is none.
    pub(super) fn read(folder: &Path) -> Result<Self, ArchiveError> {
        let path = folder.join(NAME);
        let mut text = String::new();
        match File::open(&path).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text)) {
            Ok(_) => parse(&text).ok_or_else(|| ArchiveError::NoBackup(folder.to_owned())),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Err(ArchiveError::NoBackup(folder.to_owned()))
            }
            Err(error) => Err(io_error(&path)(error)),
        }
    }

    /// Copies its files from one folder to another, for their owner only, and sees that each is what it was.
    pub(super) fn copy(&self, from: &Path, to: &Path) -> Result<(), ArchiveError> {
        for Entry { name, bytes, digest } in &self.0 {
            let (from, to) = (from.join(name), to.join(name));
            private_file::create(&to, &[]).map_err(io_error(&to))?;
            let target = fs::OpenOptions::new().write(true).open(&to).map_err(io_error(&to))?;
            let source = File::open(&from).map_err(io_error(&from))?;
            let copied = copy_and_digest(source, &target).map_err(io_error(&to))?;
            if copied != (*bytes, digest.clone()) {
                return Err(ArchiveError::Damaged(from));
            }
            target.sync_all().map_err(io_error(&to))?;
        }
        Ok(())
    }
}

fn parse(text: &str) -> Option<Manifest> {
    let mut lines = text.strip_suffix(LAST_LINE)?.lines();
    let entries = match lines.next()? {
        FIRST_LINE => lines.map(parse_line).collect::<Option<Vec<Entry>>>()?,
        _ => return None,
    };
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    (names.len() == entries.len()).then_some(Manifest(entries))
}

fn parse_line(line: &str) -> Option<Entry> {
    let [bytes, digest, name] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
    is_kept(name).then_some(())?;
    Some(Entry { name: name.to_owned(), bytes: bytes.parse().ok()?, digest: digest.to_owned() })
}

/// Copies to the end. Gives how many bytes those were, and their SHA-256 in hexadecimal.
fn copy_and_digest(mut from: impl Read, mut to: impl Write) -> io::Result<(u64, String)> {
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = match from.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        let Some(part) = chunk.get(..count).filter(|part| !part.is_empty()) else { break };
        digest.update(part);
        to.write_all(part)?;
        bytes += part.len() as u64;
    }
    let digest = digest.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    Ok((bytes, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_copied_if_it_is_as_it_was() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(from.path().join("server.key"), "secret").unwrap();
        Manifest::write(from.path(), vec!["server.key".into()]).unwrap();
        let manifest = Manifest::read(from.path()).unwrap();
        manifest.copy(from.path(), to.path()).unwrap();
        assert_eq!(fs::read(to.path().join("server.key")).unwrap(), b"secret");
        fs::remove_file(to.path().join("server.key")).unwrap();
        fs::write(from.path().join("server.key"), "secreT").unwrap();
        assert!(matches!(manifest.copy(from.path(), to.path()), Err(ArchiveError::Damaged(_))));
    }

    #[test]
    fn what_is_no_manifest_or_leads_out_of_its_folder_is_none() {
        assert!(parse("chat backup 1\n6 ab server.key\nend\n").is_some());
        for text in [
            "",
            "chat backup 1\n6 ab server.key\n",
            "chat backup 1\n6 ab server.key\nend",
            "chat backup 2\nend\n",
            "chat backup 1\n6 ab ../server.key\nend\n",
            "chat backup 1\n6 ab /etc/passwd\nend\n",
            "chat backup 1\n6 ab lock\nend\n",
            "chat backup 1\n-6 ab users.db\nend\n",
            "chat backup 1\n6 users.db\nend\n",
            "chat backup 1\n6 ab users.db\n6 ab users.db\nend\n",
        ] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }
}
