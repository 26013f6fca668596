//! The accounts in memory, and what their names look like. Apart, so that the two can't disagree.

use std::collections::{HashMap, HashSet};

use super::errors::SignUpError;
use super::password_hash::{Cost, StoredHash};
use super::pretence::Costs;
use super::users_file::{Role, UsersFile};
use crate::names::{Skeleton, Username};

/// All accounts, to be found by name. Two of them may look alike, if somebody has written them so into `users.db`.
#[derive(Default)]
pub(super) struct Records {
    by_name: HashMap<Username, Record>,
    /// Names that nobody has any more and nobody is to take.
    gone: HashSet<Username>,
    /// Of every name in `by_name` and `gone`; nothing else. Names go only with the whole.
    skeletons: HashSet<Skeleton>,
    /// Of every hash in `by_name`.
    costs: Costs,
}

/// What is known of an account, besides its name.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) role: Role,
    /// A bot has none.
    pub(super) hash: Option<StoredHash>,
}

/// Why a name can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Somebody has it.
    Name,
    /// Somebody has one that looks like it.
    Look,
}

impl Records {
    /// The accounts of a file.
    pub(super) fn of(file: &UsersFile) -> Self {
        let mut records = Self::default();
        for line in file.accounts() {
            let record = Record { role: line.role, hash: line.hash.clone() };
            records.insert(line.name.clone(), line.name.skeleton(), record);
        }
        for name in file.gone() {
            records.skeletons.insert(name.skeleton());
            records.gone.insert(name.clone());
        }
        records
    }

    /// Adds an account; `skeleton` is that of `name`.
    pub(super) fn insert(&mut self, name: Username, skeleton: Skeleton, record: Record) {
        self.skeletons.insert(skeleton);
        if let Some(hash) = &record.hash {
            *self.costs.entry(hash.cost()).or_default() += 1;
        }
        if let Some(old) = self.by_name.insert(name, record).and_then(|old| old.hash) {
            self.forget_cost(old.cost());
        }
    }

    /// The account of that name.
    pub(super) fn get(&self, name: &Username) -> Option<&Record> {
        self.by_name.get(name)
    }

    /// Gives the account of that name another hash, if it has one.
    pub(super) fn set_hash(&mut self, name: &Username, hash: StoredHash) {
        if let Some(present) = self.by_name.get_mut(name).and_then(|record| record.hash.as_mut()) {
            *self.costs.entry(hash.cost()).or_default() += 1;
            let old = std::mem::replace(present, hash);
            self.forget_cost(old.cost());
        }
    }

    /// How many accounts have a hash of each cost.
    pub(super) fn costs(&self) -> &Costs {
        &self.costs
    }

    /// All of them, in any order.
    pub(super) fn values(&self) -> impl Iterator<Item = &Record> {
        self.by_name.values()
    }

    /// All names with their accounts, in any order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Username, &Record)> {
        self.by_name.iter()
    }

    /// Whether a name is some account's, or gone.
    pub(super) fn has_name(&self, name: &Username) -> bool {
        self.by_name.contains_key(name) || self.gone.contains(name)
    }

    /// Whether a name is gone.
    pub(super) fn is_gone(&self, name: &Username) -> bool {
        self.gone.contains(name)
    }

    /// All names that are gone, in any order.
    pub(super) fn gone(&self) -> impl Iterator<Item = &Username> {
        self.gone.iter()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    fn forget_cost(&mut self, cost: Cost) {
        if let Some(count) = self.costs.get_mut(&cost) {
            *count = count.saturating_sub(1);
        }
    }

    /// Refuses a name that an account has or had, or looks like; `skeleton` is that of `name`. Two look-ups.
    pub(super) fn refuse_if_taken(&self, name: &Username, skeleton: &Skeleton) -> Result<(), Taken> {
        if self.has_name(name) {
            return Err(Taken::Name);
        }
        if self.skeletons.contains(skeleton) { Err(Taken::Look) } else { Ok(()) }
    }
}

impl From<Taken> for SignUpError {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Name => Self::NameTaken,
            Taken::Look => Self::NameLooksTaken,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use tempfile::TempDir;
    use zeroize::Zeroizing;

    use super::super::hashing_pool::somewhere;
    use super::super::{Account, Accounts, Role};
    use super::*;
    use crate::names::{NewPassword, NewUsername, Password};

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn lines(names: &[&str]) -> String {
        names.iter().map(|name| format!("{name}:member:{HASH}\n")).collect::<Vec<_>>().concat()
    }

    fn with(names: &[&str]) -> (TempDir, PathBuf, Accounts) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.db");
        fs::write(&path, lines(names)).unwrap();
        let accounts = Accounts::open(&path, Cost::SMALL_HOST).unwrap();
        (folder, path, accounts)
    }

    fn sign_up(accounts: &Accounts, name: &str) -> Result<Account, SignUpError> {
        let password = Password::parse(Zeroizing::new("Correct horse 1".to_owned())).unwrap();
        let name = NewUsername::parse(name.parse().unwrap()).unwrap();
        accounts.sign_up(&name, &NewPassword::parse(password).unwrap(), somewhere(), Role::Member, |_| true)
    }

    fn accounts_in(path: &Path) -> usize {
        fs::read_to_string(path).unwrap().lines().count()
    }

    #[test]
    fn the_costs_are_those_of_the_hashes_whatever_becomes_of_them() {
        let hash = |cost: &str| HASH.replace("m=19456,t=2,p=1", cost).parse::<StoredHash>().unwrap();
        let name: Username = "alice".parse().unwrap();
        let (weak, strong) = (hash("m=8192,t=1,p=1"), hash("m=65536,t=3,p=1"));
        let mut records = Records::default();
        let costs = |records: &Records, cost| records.costs().get(&cost).copied().unwrap_or_default();
        for _ in 0..2 {
            let record = Record { role: Role::Member, hash: Some(weak.clone()) };
            records.insert(name.clone(), name.skeleton(), record);
            assert_eq!((costs(&records, weak.cost()), costs(&records, strong.cost())), (1, 0));
        }
        records.set_hash(&name, strong.clone());
        records.set_hash(&"nobody".parse().unwrap(), weak.clone());
        assert_eq!((costs(&records, weak.cost()), costs(&records, strong.cost())), (0, 1));
    }

    #[test]
    fn a_name_that_looks_like_another_one_is_refused_before_and_after_a_reload() {
        let (_folder, path, accounts) = with(&["mike"]);
        for _ in 0..2 {
            assert!(matches!(sign_up(&accounts, "rnike"), Err(SignUpError::NameLooksTaken)));
            assert!(matches!(sign_up(&accounts, "Mike"), Err(SignUpError::NameTaken)));
            accounts.reload().unwrap();
        }
        assert_eq!(sign_up(&accounts, "БОБ").unwrap().name.as_str(), "боб");
        assert!(matches!(sign_up(&accounts, "бо6"), Err(SignUpError::NameLooksTaken)));
        assert_eq!(accounts_in(&path), 2);
    }

    #[test]
    fn a_name_that_was_written_into_the_file_just_now_is_not_given_to_who_looks_like_it() {
        let (_folder, path, accounts) = with(&[]);
        fs::write(&path, lines(&["alice"])).unwrap();
        assert!(matches!(sign_up(&accounts, "a1ice"), Err(SignUpError::NameLooksTaken)));
        assert!(matches!(sign_up(&accounts, "alice"), Err(SignUpError::NameTaken)));
        assert_eq!(accounts_in(&path), 1);
    }

    #[test]
    fn accounts_that_look_alike_already_stay_and_another_one_does_not_come() {
        let names = ["mike", "rnike", "аlice", "adrnin"];
        let (_folder, path, accounts) = with(&names);
        for name in names {
            assert_eq!(accounts.account(&name.parse().unwrap()).unwrap().name.as_str(), name);
        }
        assert!(matches!(sign_up(&accounts, "alice"), Err(SignUpError::NameLooksTaken)));
        fs::write(&path, lines(&["rnike"])).unwrap();
        accounts.reload().unwrap();
        assert!(
            matches!(sign_up(&accounts, "mike"), Err(SignUpError::NameLooksTaken)),
            "one of the two is left"
        );
        sign_up(&accounts, "alice").unwrap();
    }
}
