//! `server.statements`: which key of this server handed over to which, one a line, oldest first:
//! `old-key new-key issued expires signature`, times in seconds since 1970, with `#` for comments. Nothing in it is
//! secret. Without it the server runs, and clients that know only an older key refuse it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use base64ct::{Base64UrlUnpadded, Encoding};

use super::key_file::IdentityError;
use crate::channel::handover::{STATEMENT_BYTES, Statement};
use crate::private_file;

const HEADER: &str = "# By these statements each key of this server handed over to the next one: the old key, the new key, \
                      when it was issued, when it expires, and the old key's signature.\n";

/// The bytes of a statement before its signature.
const UNSIGNED_BYTES: usize = 80;

/// All statements in the file; none where there is no file.
pub(super) fn read(path: &Path) -> Result<Vec<Statement>, IdentityError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(|source| IdentityError::File { path: path.to_owned(), source })?,
    };
    let lines = (1..).zip(text.lines().map(str::trim));
    let lines = lines.filter(|(_, content)| !content.is_empty() && !content.starts_with('#'));
    lines
        .map(|(line, content)| {
            parse(content).ok_or_else(|| IdentityError::NoStatement { path: path.to_owned(), line })
        })
        .collect()
}

/// Puts these statements in the place of those in the file. They are on the disk afterwards.
pub(super) fn write(path: &Path, statements: &[Statement]) -> Result<(), IdentityError> {
    let lines: String = statements.iter().map(line_of).collect();
    private_file::replace(path, format!("{HEADER}{lines}").as_bytes())
        .map_err(|source| IdentityError::File { path: path.to_owned(), source })
}

fn line_of(statement: &Statement) -> String {
    let bytes = statement.to_bytes();
    let signature = Base64UrlUnpadded::encode_string(bytes.get(UNSIGNED_BYTES..).unwrap_or_default());
    let (old, new) = (statement.old_key(), statement.new_key());
    format!("{old} {new} {} {} {signature}\n", statement.issued(), statement.expires())
}

fn parse(line: &str) -> Option<Statement> {
    let parts: Vec<&str> = line.split_whitespace().collect();
    let [old, new, issued, expires, signature] = *parts else { return None };
    let (old, new): (crate::channel::PublicKey, crate::channel::PublicKey) =
        (old.parse().ok()?, new.parse().ok()?);
    let (issued, expires): (u64, u64) = (issued.parse().ok()?, expires.parse().ok()?);
    let signature = Base64UrlUnpadded::decode_vec(signature).ok()?;
    let mut bytes = Vec::with_capacity(STATEMENT_BYTES);
    bytes.extend_from_slice(old.as_bytes());
    bytes.extend_from_slice(new.as_bytes());
    bytes.extend(issued.to_be_bytes().into_iter().chain(expires.to_be_bytes()));
    bytes.extend(signature);
    Statement::from_bytes(&bytes.try_into().ok()?)
}
