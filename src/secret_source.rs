//! Where a password, or a token in its place, comes from when nobody types it: the environment, a file, or what a command prints. Never from the
//! command line, which everyone on the host can see. Of a file and of a command's output the first line counts, and no more
//! is read than the longest password can have. It is apart because server and client both need it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use crate::names::{PASSWORD_BYTES_MAX, Password};

/// The variable that may hold the password of an account.
pub const PASSWORD_VARIABLE: &str = "CHAT_PASSWORD";

/// The variable that may hold the word at a server's door.
pub const SERVER_PASSWORD_VARIABLE: &str = "CHAT_SERVER_PASSWORD";

/// The variable that may hold the token of a bot.
pub const TOKEN_VARIABLE: &str = "CHAT_TOKEN";

/// Where a password is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// From a variable of the environment, if it is set.
    Variable(&'static str),
    /// From the first line of a file.
    File(PathBuf),
    /// From the first line that a shell command prints.
    Command(String),
}

/// There is none where it should be.
#[derive(Debug, thiserror::Error)]
pub enum SecretSourceError {
    /// The file is of no use.
    #[error("no password from {path}: {reason}; it must hold the password on its first line", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The command is of no use.
    #[error("no password from the command: {0}; it must print the password on its first line and end with 0")]
    Command(String),
    /// The variable is of no use.
    #[error("no password from the variable {name}: {reason}; set it to the password, or unset it")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl SecretSource {
    /// The password, or `None` when the variable is not set.
    pub fn read(&self) -> Result<Option<Password>, SecretSourceError> {
        match self {
            Self::Variable(name) => {
                variable(name).map_err(|reason| SecretSourceError::Variable { name, reason })
            }
            Self::File(path) => {
                let failed = |reason| SecretSourceError::File { path: path.clone(), reason };
                let file = File::open(path).map_err(|error| failed(error.to_string()))?;
                first_line(file).map(Some).map_err(failed)
            }
            Self::Command(command) => from_command(command).map(Some).map_err(SecretSourceError::Command),
        }
    }
}

fn variable(name: &str) -> Result<Option<Password>, String> {
    let Some(value) = std::env::var_os(name) else {
        return Ok(None);
    };
    let text = value.into_string().map_err(|_| "it is not UTF-8".to_owned())?;
    Password::parse(Zeroizing::new(text)).map(Some).map_err(|error| error.to_string())
}

/// Standard input is the conversation's, so the command has none; and it is not to see other passwords than its own.
fn from_command(command: &str) -> Result<Password, String> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::piped());
    for variable in [PASSWORD_VARIABLE, SERVER_PASSWORD_VARIABLE, TOKEN_VARIABLE] {
        shell.env_remove(variable);
    }
    let mut child = shell.spawn().map_err(|error| format!("'sh' can't be started ({error})"))?;
    let printed = child.stdout.take().ok_or_else(|| "it has no output".to_owned()).and_then(first_line);
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() { printed } else { Err(format!("it failed ({status})")) }
}

fn first_line(source: impl Read) -> Result<Password, String> {
    // One byte more than a password and a line end can have, so that a longer one is seen to be longer.
    let limit = PASSWORD_BYTES_MAX + 3;
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit));
    let source = source.take(limit.try_into().unwrap_or(u64::MAX));
    read_line(source, &mut bytes).map_err(|error| error.to_string())?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    Password::parse(Zeroizing::new(text.to_owned())).map_err(|error| error.to_string())
}

/// The reader's own buffer is as small as can be: it is not wiped.
fn read_line(source: impl Read, line: &mut Vec<u8>) -> io::Result<usize> {
    BufReader::with_capacity(1, source).read_until(b'\n', line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, String> {
        first_line(bytes).map(|password| password.expose().to_owned())
    }

    #[test]
    fn the_first_line_counts_whatever_ends_it() {
        for bytes in ["Secret 1", "Secret 1\n", "Secret 1\r\n", "Secret 1\nmore\n"] {
            assert_eq!(read(bytes.as_bytes()).as_deref(), Ok("Secret 1"), "{bytes:?}");
        }
    }

    #[test]
    fn what_holds_no_password_is_refused_with_the_reason() {
        let long = vec![b'x'; 1 << 20];
        let cases: [(&[u8], &str); 4] = [
            (b"", "the password is empty"),
            (b"\nsecond", "the password is empty"),
            (b"\xff\xfe", "it is not UTF-8"),
            (&long, "the password is longer than 1024 bytes"),
        ];
        for (bytes, reason) in cases {
            assert_eq!(read(bytes).unwrap_err(), reason);
        }
        let missing = SecretSource::File("/nowhere/to/be/found".into()).read().err().unwrap();
        assert!(matches!(missing, SecretSourceError::File { .. }));
    }

    #[test]
    fn a_command_prints_it_and_must_succeed() {
        let read = |command: &str| from_command(command).map(|password| password.expose().to_owned());
        assert_eq!(read("printf 'Secret 1\\nmore'").as_deref(), Ok("Secret 1"));
        assert!(read("echo Secret; exit 3").unwrap_err().contains("failed"));
        assert_eq!(read("true").unwrap_err(), "the password is empty");
    }
}
