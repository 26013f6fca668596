//! The format of `users.db`: text in, text out, no disk. Apart, because people edit this file by hand: what
//! they wrote is kept to the byte, and what can't be right is refused with its line before anything is done
//! with it.

mod edits;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::password_hash::{StoredHash, StoredHashError};
use crate::names::{Username, UsernameError};

/// The largest file that is read or written, in bytes: 16 MiB, some 140,000 accounts.
pub(crate) const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The longest line, comments included, in bytes without its end: 1 KiB.
pub(crate) const LINE_BYTES_MAX: usize = 1024;

/// A `users.db` that holds to its format: one account a line, `name:role:hash`, no name twice; `name:bot:` for a
/// bot, which has no password; `name:gone:` for a name that nobody has any more and nobody is to take; blank lines, and lines that begin with `#`, are for people. Lines may
/// end as on Unix or as on Windows.
#[derive(Default)]
pub(crate) struct UsersFile {
    /// The whole file.
    text: String,
    /// One for each account, in the order of the text.
    lines: Vec<AccountLine>,
    /// One for each name that is gone, likewise.
    gone: Vec<GoneLine>,
}

/// An account as it stands in the file.
pub(crate) struct AccountLine {
    /// Unique in the file.
    pub(crate) name: Username,
    /// What its owner may do.
    pub(crate) role: Role,
    /// Of its owner's password; a bot has none.
    pub(crate) hash: Option<StoredHash>,
    /// Where the role is in the text.
    role_at: Range<usize>,
    /// Where the hash is in the text.
    hash_at: Range<usize>,
}

/// A name that was someone's.
struct GoneLine {
    name: Username,
    /// Where the line is in the text, with its end.
    at: Range<usize>,
}

/// A line that is not for people alone.
enum Line {
    Account(AccountLine),
    Gone(GoneLine),
}

/// The role of a name that is gone.
const GONE: &str = "gone";

/// What the owner of an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything, such as inviting and banning.
    Admin,
    /// Talk.
    Member,
    /// Do what a token is for. It has an operator, and no password.
    Bot,
}

/// Why a text is no `users.db`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsersFileError {
    /// Larger than [`FILE_BYTES_MAX`].
    #[error("more than {FILE_BYTES_MAX} bytes are too many; remove accounts or comments")]
    TooLarge,
    /// One line is bad.
    #[error("line {number}: {reason}")]
    BadLine {
        /// Counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: LineError,
    },
}

/// Why a line is neither an account nor a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineError {
    /// Longer than [`LINE_BYTES_MAX`].
    #[error("it is longer than {LINE_BYTES_MAX} bytes; break it up")]
    TooLong,
    /// Bytes that are no UTF-8.
    #[error("it is not UTF-8; save the file as UTF-8")]
    NotUtf8,
    /// Fewer than three parts.
    #[error("it is not `name:role:hash`; put `#` in front if it is a comment")]
    NotAnAccount,
    /// The first part is no name.
    #[error("{0}")]
    Name(#[from] UsernameError),
    /// The second part is no role.
    #[error("the role is neither `admin` nor `member` nor `bot`; write one of them")]
    Role,
    /// The third part is there, and should not be.
    #[error("a bot has no password; leave out what stands after the second ':'")]
    BotHash,
    /// The third part is no hash, or one that is not accepted.
    #[error("{0}")]
    Hash(#[from] StoredHashError),
    /// The name has been seen.
    #[error("this name is on line {first} already; remove one of the two")]
    Duplicate {
        /// The line that has it, counted from 1.
        first: usize,
    },
}

impl UsersFile {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// On the first line that is wrong, with its number.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, UsersFileError> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(UsersFileError::TooLarge);
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            let number = valid.filter(|&&byte| byte == b'\n').count() + 1;
            UsersFileError::BadLine { number, reason: LineError::NotUtf8 }
        })?;
        let (mut lines, mut gone) = (Vec::new(), Vec::new());
        let mut seen = HashMap::new();
        let mut start = 0;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let bad = |reason| UsersFileError::BadLine { number, reason };
            let parsed = parse_line(line, start).map_err(bad)?;
            if let Some(name) = parsed.as_ref().map(Line::name) {
                match seen.entry(name.clone()) {
                    Entry::Occupied(first) => return Err(bad(LineError::Duplicate { first: *first.get() })),
                    Entry::Vacant(place) => place.insert(number),
                };
            }
            match parsed {
                Some(Line::Account(account)) => lines.push(account),
                Some(Line::Gone(name)) => gone.push(name),
                None => {}
            }
            start += line.len();
        }
        Ok(Self { text, lines, gone })
    }

    /// The file's contents. What was parsed comes out to the byte.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// All accounts, in the order of the file.
    pub(crate) fn accounts(&self) -> &[AccountLine] {
        &self.lines
    }

    /// The account of that name.
    pub(crate) fn account(&self, name: &Username) -> Option<&AccountLine> {
        self.lines.iter().find(|line| line.name == *name)
    }

    /// All names that are gone.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &Username> {
        self.gone.iter().map(|line| &line.name)
    }

    /// All names that can't be had, in the order of the file; those that are gone come last.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Username> {
        self.lines.iter().map(|line| &line.name).chain(self.gone())
    }
}

/// `whole` has its end still; `start` is where it begins in the text. `None` for a line that is for people.
fn parse_line(whole: &str, start: usize) -> Result<Option<Line>, LineError> {
    if whole.trim_end_matches(['\r', '\n']).len() > LINE_BYTES_MAX {
        return Err(LineError::TooLong);
    }
    let line = whole.trim_ascii_end(); // nobody sees a space there
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, rest) = line.split_once(':').ok_or(LineError::NotAnAccount)?;
    let (role, hash) = rest.split_once(':').ok_or(LineError::NotAnAccount)?;
    let name = name.parse()?;
    if role == GONE && hash.is_empty() {
        return Ok(Some(Line::Gone(GoneLine { name, at: start..start + whole.len() })));
    }
    let end = start + line.len();
    let hash_at = end - hash.len()..end;
    let role_at = hash_at.start - 1 - role.len()..hash_at.start - 1;
    let role = role.parse()?;
    let hash = match role {
        Role::Bot if hash.is_empty() => None,
        Role::Bot => return Err(LineError::BotHash),
        Role::Admin | Role::Member => Some(hash.parse()?),
    };
    Ok(Some(Line::Account(AccountLine { name, role, hash, role_at, hash_at })))
}

impl Line {
    fn name(&self) -> &Username {
        match self {
            Self::Account(line) => &line.name,
            Self::Gone(line) => &line.name,
        }
    }
}

impl FromStr for Role {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        match text {
            "admin" => Ok(Self::Admin),
            "member" => Ok(Self::Member),
            "bot" => Ok(Self::Bot),
            _ => Err(LineError::Role),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Bot => "bot",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn parse(text: &str) -> Result<UsersFile, UsersFileError> {
        UsersFile::parse(text.into())
    }

    fn name(text: &str) -> Username {
        text.parse().unwrap()
    }

    #[test]
    fn what_was_read_is_written_to_the_byte() {
        let account = format!("alice:admin:{HASH}");
        for text in [
            "",
            "\n",
            "# only a comment",
            &format!("# é\n\n  \n{account}  \n#end\n"),
            &format!("#a\r\n{account}\r\n\r\nbob:member:{HASH}\r\n"),
            &account,
            &format!("bob:gone:\n{account}\ncarol:gone: \r\n"),
            &format!("deploy:bot:\n{account}\n"),
        ] {
            assert_eq!(parse(text).ok().unwrap().as_str(), text);
        }
    }

    #[test]
    fn accounts_are_found_between_comments_and_capitals_in_names_are_folded() {
        let text = format!("# people\nAlice:admin:{HASH}\n\nbob:member:{HASH}\t\n#carol:member:x\n");
        let file = parse(&text).ok().unwrap();
        let found: Vec<_> = file.accounts().iter().map(|line| (line.name.as_str(), line.role)).collect();
        assert_eq!(found, [("alice", Role::Admin), ("bob", Role::Member)]);
        assert!(
            file.account(&name("bob"))
                .is_some_and(|bob| bob.hash.as_ref().is_some_and(|hash| hash.to_string() == HASH))
        );
        assert!(file.account(&name("carol")).is_none());
    }

    #[test]
    fn a_bad_line_is_refused_with_its_number_and_its_reason() {
        let long_comment = format!("#{}", "x".repeat(LINE_BYTES_MAX));
        let costly = HASH.replace("m=19456", "m=4194304");
        for (line, reason) in [
            ("alice", LineError::NotAnAccount),
            (" # indented", LineError::NotAnAccount),
            ("alice:admin", LineError::NotAnAccount),
            (&format!(":admin:{HASH}"), LineError::Name(UsernameError::Empty)),
            (&format!("a b:admin:{HASH}"), LineError::Name(UsernameError::BadCharacter)),
            (&format!("\u{feff}alice:admin:{HASH}"), LineError::Name(UsernameError::BadCharacter)),
            (&format!("server:admin:{HASH}"), LineError::Name(UsernameError::Reserved)),
            (&format!("alice:Admin:{HASH}"), LineError::Role),
            (&format!("alice:gone:{HASH}"), LineError::Role),
            (&format!("alice:bot:{HASH}"), LineError::BotHash),
            ("BOB:gone:", LineError::Duplicate { first: 2 }),
            (&format!("alice::{HASH}"), LineError::Role),
            (&format!("alice:admin:{costly}"), LineError::Hash(StoredHashError::CostOutOfBounds)),
            (&format!("BOB:member:{HASH}"), LineError::Duplicate { first: 2 }),
            (&long_comment, LineError::TooLong),
        ] {
            let text = format!("# first\nbob:member:{HASH}\n{line}\nalice:admin:{HASH}\n");
            assert_eq!(parse(&text).err(), Some(UsersFileError::BadLine { number: 3, reason }), "{line}");
        }
        for hash in
            ["", "password", "$1$abc$def", &format!("{HASH}:"), &format!("{HASH}$"), &format!(" {HASH}")]
        {
            let error = parse(&format!("alice:admin:{hash}")).err().unwrap();
            let UsersFileError::BadLine { number: 1, reason: LineError::Hash(_) } = error else {
                panic!("{hash:?} gave {error}");
            };
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_line() {
        let error = UsersFile::parse(b"# one\n# two\n# \xff\n".into()).err();
        assert_eq!(error, Some(UsersFileError::BadLine { number: 3, reason: LineError::NotUtf8 }));
    }

    #[test]
    fn the_largest_line_and_file_are_accepted_and_a_byte_more_is_not() {
        let line = format!("#{}\r\n", "x".repeat(LINE_BYTES_MAX - 1));
        assert!(parse(&line).is_ok());
        let mut bytes = vec![b'\n'; FILE_BYTES_MAX];
        assert!(UsersFile::parse(bytes.clone()).is_ok());
        bytes.push(b'\n');
        assert_eq!(UsersFile::parse(bytes).err(), Some(UsersFileError::TooLarge));
    }

    #[test]
    fn an_error_is_told_with_its_line_and_what_to_do() {
        let error = parse(&format!("alice:admin:{HASH}\n\nalice:member:{HASH}\n")).err().unwrap();
        assert_eq!(error.to_string(), "line 3: this name is on line 1 already; remove one of the two");
    }
}
