//! Changed files: each is the text with one thing in another way, and everything else as people wrote it.

use std::ops::Range;

use super::{GONE, Role, StoredHash, UsersFile, UsersFileError};
use crate::names::Username;

impl UsersFile {
    /// The same file with one more account at its end; everything before stays as it is.
    ///
    /// # Errors
    /// When the name is in it already, or the file would be too large.
    pub(crate) fn with_account(
        &self,
        name: &Username,
        role: Role,
        hash: Option<&StoredHash>,
    ) -> Result<Self, UsersFileError> {
        let hash = hash.map_or_else(String::new, ToString::to_string);
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
        let line = self.account(name).filter(|line| line.hash.as_ref() == Some(old))?;
        let mut text = self.text.clone();
        text.replace_range(line.hash_at.clone(), &new.to_string());
        Some(Self::parse(text.into_bytes()))
    }

    /// The same file with another role for one account. `None` if there is no such account.
    ///
    /// # Errors
    /// When the file would be too large, or the line too long.
    pub(crate) fn with_role(&self, name: &Username, role: Role) -> Option<Result<Self, UsersFileError>> {
        let place = self.account(name)?.role_at.clone();
        Some(self.with(place, &role.to_string()))
    }

    /// The same file without this account, whose name is gone. `None` if there is no such account.
    pub(crate) fn with_gone(&self, name: &Username) -> Option<Result<Self, UsersFileError>> {
        let line = self.account(name)?;
        Some(self.with(line.role_at.start..line.hash_at.end, &format!("{GONE}:")))
    }

    /// The same file, in which a name is free that is gone. `None` if it is not.
    pub(crate) fn with_free(&self, name: &Username) -> Option<Result<Self, UsersFileError>> {
        let line = self.gone.iter().find(|line| line.name == *name)?;
        Some(self.with(line.at.clone(), ""))
    }

    fn with(&self, place: Range<usize>, text: &str) -> Result<Self, UsersFileError> {
        let mut changed = self.text.clone();
        changed.replace_range(place, text);
        Self::parse(changed.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::super::LineError;
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
    fn a_new_account_goes_to_the_end_in_a_line_of_its_own() {
        for (before, after) in [
            (String::new(), format!("bob:member:{HASH}\n")),
            ("# a\n\n".to_owned(), format!("# a\n\nbob:member:{HASH}\n")),
            ("# no end".to_owned(), format!("# no end\nbob:member:{HASH}\n")),
            ("# a\r\n# no end".to_owned(), format!("# a\r\n# no end\r\nbob:member:{HASH}\r\n")),
        ] {
            let file = parse(&before).ok().unwrap();
            let grown = file.with_account(&name("bob"), Role::Member, HASH.parse().as_ref().ok());
            assert_eq!(grown.ok().unwrap().as_str(), after);
        }
    }

    #[test]
    fn a_name_is_not_added_twice() {
        let file = parse(&format!("\nbob:admin:{HASH}\n")).ok().unwrap();
        let error = file.with_account(&name("bob"), Role::Member, HASH.parse().as_ref().ok()).err();
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
    fn a_role_is_replaced_in_its_place() {
        let text = format!("# a\r\nBob:admin:{HASH} \r\ncarol:member:{HASH}");
        let changed = parse(&text).ok().unwrap().with_role(&name("bob"), Role::Member).unwrap();
        assert_eq!(
            changed.ok().unwrap().as_str(),
            format!("# a\r\nBob:member:{HASH} \r\ncarol:member:{HASH}")
        );
        assert!(parse(&text).ok().unwrap().with_role(&name("dave"), Role::Admin).is_none());
    }

    #[test]
    fn a_name_that_is_gone_has_no_account_and_can_be_set_free() {
        let text = format!("# a\r\nBob:admin:{HASH} \r\ncarol:member:{HASH}");
        let gone = parse(&text).ok().unwrap().with_gone(&name("bob")).unwrap().ok().unwrap();
        assert_eq!(gone.as_str(), format!("# a\r\nBob:gone: \r\ncarol:member:{HASH}"));
        assert!(gone.account(&name("bob")).is_none() && gone.gone().eq([&name("bob")]));
        assert!(gone.with_gone(&name("bob")).is_none() && gone.with_free(&name("carol")).is_none());
        let free = gone.with_free(&name("bob")).unwrap().ok().unwrap();
        assert_eq!(free.as_str(), format!("# a\r\ncarol:member:{HASH}"));
        assert!(gone.with_account(&name("bob"), Role::Member, HASH.parse().as_ref().ok()).is_err());
    }
}
