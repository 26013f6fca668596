//! The format of `users.db`: text in, text out, no disk. Apart, because people edit this file by hand: what
//! they wrote is kept to the byte, and what can't be right is refused with its line before anything is done
//! with it.

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

/// A `users.db` that holds to its format: one account a line, `name:role:hash`, no name twice; blank lines,
/// and lines that begin with `#`, are for people. Lines may end as on Unix or as on Windows.
#[derive(Default)]
pub(crate) struct UsersFile {
    /// The whole file.
    text: String,
    /// One for each account, in the order of the text.
    lines: Vec<AccountLine>,
}

/// An account as it stands in the file.
pub(crate) struct AccountLine {
    /// Unique in the file.
    pub(crate) name: Username,
    /// What its owner may do.
    pub(crate) role: Role,
    /// Of its owner's password.
    pub(crate) hash: StoredHash,
    /// Where the hash is in the text.
    hash_at: Range<usize>,
}

/// What the owner of an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything, such as inviting and banning.
    Admin,
    /// Talk.
    Member,
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
    #[error("the role is neither `admin` nor `member`; write one of them")]
    Role,
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
        let mut lines = Vec::new();
        let mut seen = HashMap::new();
        let mut start = 0;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let bad = |reason| UsersFileError::BadLine { number, reason };
            if let Some(account) = parse_line(line, start).map_err(bad)? {
                match seen.entry(account.name.clone()) {
                    Entry::Occupied(first) => return Err(bad(LineError::Duplicate { first: *first.get() })),
                    Entry::Vacant(place) => place.insert(number),
                };
                lines.push(account);
            }
            start += line.len();
        }
        Ok(Self { text, lines })
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

    /// The same file with one more account at its end; everything before stays as it is.
    ///
    /// # Errors
    /// When the name is in it already, or the file would be too large.
    pub(crate) fn with_account(
        &self,
        name: &Username,
        role: Role,
        hash: &StoredHash,
    ) -> Result<Self, UsersFileError> {
        let line_end = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let missing_end = if self.text.is_empty() || self.text.ends_with('\n') { "" } else { line_end };
        Self::parse(format!("{}{missing_end}{name}:{role}:{hash}{line_end}", self.text).into_bytes())
    }

    /// The same file with another hash for one account; everything else stays as it is. `None` if that
    /// account is not in it with the hash `old`.
    ///
    /// # Errors
    /// When the file would be too large, or the line too long: spaces at its end count.
    pub(crate) fn with_hash(
        &self,
        name: &Username,
        old: &StoredHash,
        new: &StoredHash,
    ) -> Option<Result<Self, UsersFileError>> {
        let line = self.account(name).filter(|line| line.hash == *old)?;
        let mut text = self.text.clone();
        text.replace_range(line.hash_at.clone(), &new.to_string());
        Some(Self::parse(text.into_bytes()))
    }
}

/// `line` has its end still; `start` is where it begins in the text. `None` for a line that is for people.
fn parse_line(line: &str, start: usize) -> Result<Option<AccountLine>, LineError> {
    if line.trim_end_matches(['\r', '\n']).len() > LINE_BYTES_MAX {
        return Err(LineError::TooLong);
    }
    let line = line.trim_ascii_end(); // nobody sees a space there
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, rest) = line.split_once(':').ok_or(LineError::NotAnAccount)?;
    let (role, hash) = rest.split_once(':').ok_or(LineError::NotAnAccount)?;
    let end = start + line.len();
    Ok(Some(AccountLine {
        name: name.parse()?,
        role: role.parse()?,
        hash: hash.parse()?,
        hash_at: end - hash.len()..end,
    }))
}

impl FromStr for Role {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        match text {
            "admin" => Ok(Self::Admin),
            "member" => Ok(Self::Member),
            _ => Err(LineError::Role),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admin => "admin",
            Self::Member => "member",
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

    fn other_hash() -> StoredHash {
        HASH.replace("$AAAA", "$BBBB").parse().unwrap()
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
        assert!(file.account(&name("bob")).is_some_and(|bob| bob.hash.to_string() == HASH));
        assert!(file.account(&name("carol")).is_none());
    }

    #[test]
    fn a_new_account_goes_to_the_end_in_a_line_of_its_own() {
        for (before, after) in [
            (String::new(), format!("bob:member:{HASH}\n")),
            ("# a\n\n".to_owned(), format!("# a\n\nbob:member:{HASH}\n")),
            ("# no end".to_owned(), format!("# no end\nbob:member:{HASH}\n")),
            ("# a\r\n# no end".to_owned(), format!("# a\r\n# no end\r\nbob:member:{HASH}\r\n")),
        ] {
            let file = parse(&before).ok().unwrap();
            let grown = file.with_account(&name("bob"), Role::Member, &HASH.parse().unwrap());
            assert_eq!(grown.ok().unwrap().as_str(), after);
        }
    }

    #[test]
    fn a_name_is_not_added_twice() {
        let file = parse(&format!("\nbob:admin:{HASH}\n")).ok().unwrap();
        let error = file.with_account(&name("bob"), Role::Member, &HASH.parse().unwrap()).err();
        let reason = LineError::Duplicate { first: 2 };
        assert_eq!(error, Some(UsersFileError::BadLine { number: 3, reason }));
    }

    #[test]
    fn another_hash_replaces_only_the_old_one_in_its_line() {
        let text = format!("# a\r\nBob:admin:{HASH} \r\ncarol:member:{HASH}");
        let file = parse(&text).ok().unwrap();
        let (old, new) = (HASH.parse().unwrap(), other_hash());
        let changed = file.with_hash(&name("bob"), &old, &new).unwrap().ok().unwrap();
        assert_eq!(changed.as_str(), format!("# a\r\nBob:admin:{new} \r\ncarol:member:{HASH}"));
        assert!(changed.with_hash(&name("bob"), &old, &new).is_none(), "edited meanwhile");
        assert!(file.with_hash(&name("dave"), &old, &new).is_none(), "not there");
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
