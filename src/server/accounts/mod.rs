//! Who may log in: the accounts in `users.db`, their passwords, and what a login may cost. Apart from
//! sessions, so that no session can touch a hash, and no hash or disk is waited for under a lock that other
//! logins need.

mod administration;
mod errors;
mod hashing_pool;
mod hashing_queue;
mod password_change;
mod password_hash;
mod pretence;
mod records;
mod users_db;
mod users_file;

use std::error::Error;
use std::mem;
use std::path::Path;
use std::sync::Mutex;

use zeroize::Zeroizing;

use self::hashing_pool::HashingPool;
use self::password_hash::StoredHash;
use self::pretence::Pretence;
use self::records::{Record, Records, Taken};
use self::users_db::UsersDb;
use self::users_file::UsersFile;
use super::lock::lock;
use super::origin::Origin;
use crate::names::{NewPassword, NewUsername, Password, Skeleton, Username};

pub(crate) use self::administration::role_in;
pub(crate) use self::errors::{AccountsError, LogInError, PasswordChangeError, SignUpError};
pub(crate) use self::hashing_pool::HashingError;
pub(crate) use self::password_hash::Cost;
pub(crate) use self::users_file::Role;

/// Two accounts whose passwords everyone knows.
const EXAMPLE: &str = include_str!("../../../users.db.example");

/// The accounts of one server, shared by all its threads.
pub(crate) struct Accounts {
    /// Of new hashes.
    cost: Cost,
    pool: HashingPool,
    pretence: Pretence,
    /// What `users.db` said when it was last read, with what was added since. Logins read it; it is written
    /// under the lock of `users_db` only, and locked for no longer than a look-up.
    records: Mutex<Records>,
    /// Locked by whoever rewrites or reloads the file, from reading it until `records` agrees with it. Logins
    /// don't wait for it.
    users_db: Mutex<UsersDb>,
}

secret!(Accounts);

/// An account, to everyone but this module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// Who it is.
    pub(crate) name: Username,
    /// What that person may do.
    pub(crate) role: Role,
}

/// Whether a password is still right after its owner was let in with it.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StillRight(pub(crate) bool);

impl Accounts {
    /// Reads `users.db` at `path` and starts the threads that hash. A missing file means no accounts; the
    /// first sign-up makes it. New hashes will have the cost `cost`.
    pub(crate) fn open(path: &Path, cost: Cost) -> Result<Self, AccountsError> {
        let accounts = Self {
            cost,
            pool: HashingPool::start().map_err(AccountsError::Threads)?,
            pretence: Pretence::with_key(Zeroizing::default()),
            records: Mutex::default(),
            users_db: Mutex::new(UsersDb::at(path)),
        };
        accounts.reload()?;
        Ok(accounts)
    }

    /// Lets `secret` decide what logins cost for names that nobody has. It should be the same for the same file: who
    /// knows it can tell such a name.
    pub(crate) fn pretend_by(&mut self, secret: Zeroizing<[u8; 32]>) {
        self.pretence = Pretence::with_key(secret);
    }

    /// Takes the accounts from `users.db` as it is now. If that is bad, the accounts stay as they were.
    pub(crate) fn reload(&self) -> Result<(), AccountsError> {
        let users_db = lock(&self.users_db);
        let file = self.read(&users_db)?;
        let records = Records::of(&file);
        let _old = mem::replace(&mut *lock(&self.records), records); // dropped after the lock
        Ok(())
    }

    /// The account of this name.
    pub(crate) fn account(&self, name: &Username) -> Option<Account> {
        lock(&self.records).get(name).map(|record| Account { name: name.clone(), role: record.role })
    }

    /// Whether there is no account.
    pub(crate) fn are_none(&self) -> bool {
        lock(&self.records).is_empty()
    }

    /// Whether anyone is an admin.
    pub(crate) fn has_admin(&self) -> bool {
        lock(&self.records).values().any(|record| record.role == Role::Admin)
    }

    /// Whether `users.db` has an account of this name at this moment; none if it can't be read.
    pub(crate) fn is_in_the_file(&self, name: &Username) -> Option<bool> {
        let users_db = lock(&self.users_db);
        self.read(&users_db).ok().map(|file| file.account(name).is_some())
    }

    /// Makes an account, for someone who comes from `origin`, unless somebody has the name or one that looks like it.
    /// Blocks for as long as a hash takes, and until the account is safe on the disk. Just before it is written, when it
    /// is sure that nobody has the name, `make_ready` sees to what must be done first, and may ask who has an account; if
    /// it gives false, there will be none.
    pub(crate) fn sign_up(
        &self,
        name: &NewUsername,
        password: &NewPassword,
        origin: Origin,
        role: Role,
        make_ready: impl FnOnce(&dyn Fn(&Username) -> bool) -> bool,
    ) -> Result<Account, SignUpError> {
        let skeleton = name.skeleton();
        lock(&self.records).refuse_if_taken(name, &skeleton)?; // and no hash was spent on it
        let hash = self.pool.hash(origin, password.expose(), self.cost)?;
        self.enter(name, skeleton, Record { role, hash: Some(hash) }, make_ready)
    }

    /// Makes an account for a bot, as [`Self::sign_up`] does for a person.
    pub(crate) fn add_bot(
        &self,
        name: &NewUsername,
        make_ready: impl FnOnce(&dyn Fn(&Username) -> bool) -> bool,
    ) -> Result<Account, SignUpError> {
        self.enter(name, name.skeleton(), Record { role: Role::Bot, hash: None }, make_ready)
    }

    /// Writes an account down, if nobody has the name or one that looks like it by now.
    fn enter(
        &self,
        name: &NewUsername,
        skeleton: Skeleton,
        record: Record,
        make_ready: impl FnOnce(&dyn Fn(&Username) -> bool) -> bool,
    ) -> Result<Account, SignUpError> {
        let users_db = lock(&self.users_db);
        let file = self.read(&users_db)?; // as it is now: somebody may have edited it
        lock(&self.records).refuse_if_taken(name, &skeleton)?; // somebody may have been faster
        if let Some(taken) = self.taken_by_hand(&file, name, &skeleton) {
            return Err(taken.into());
        }
        if !make_ready(&|name| file.account(name).is_some()) {
            return Err(SignUpError::NotReady);
        }
        users_db.replace(file.with_account(name, record.role, record.hash.as_ref()))?;
        let account = Account { name: (**name).clone(), role: record.role };
        lock(&self.records).insert(account.name.clone(), skeleton, record);
        Ok(account)
    }

    /// Checks a password that comes from `origin`, and has its owner let in. Without a name the text was none. Blocks for as
    /// long as a hash takes, whether there is such an account or not. An account with a weaker hash than new ones have
    /// gets a new one on the way, if that is possible.
    ///
    /// Gives what `let_in` gives, and whether the password is still right when that is done. So a password that is
    /// changed at this moment either finds the session let in, for who changes it to end, or the session finds it changed.
    pub(crate) fn log_in<R>(
        &self,
        name: Option<&Username>,
        password: &Password,
        origin: Origin,
        let_in: impl FnOnce(Account) -> R,
    ) -> Result<(R, StillRight), LogInError> {
        loop {
            let known = name.and_then(|name| {
                let record = self.record(name)?;
                let hash = record.hash.clone()?; // a bot has none, and so is nobody here
                Some((name, record, hash))
            });
            let Some((name, record, mut hash)) = known else {
                let hash = self.hash_of_nobody(name.map_or("", Username::as_str))?;
                self.pool.verify(origin, password.expose(), &hash)?; // so that it takes as long as for a known name
                return Err(LogInError::WrongNameOrPassword);
            };
            if !self.pool.verify(origin, password.expose(), &hash)? {
                return Err(LogInError::WrongNameOrPassword);
            }
            if self.record(name).as_ref() != Some(&record) {
                continue; // it was changed or removed meanwhile, so the answer is out of date
            }
            if hash.cost().is_weaker_than(self.cost) {
                match self.rehash(name, &hash, password, origin) {
                    Ok(better) => hash = better.unwrap_or(hash),
                    Err(error) => {
                        tracing::warn!(%name, %error, "the account keeps its weaker hash until the next login");
                    }
                }
            }
            let inside = let_in(Account { name: name.clone(), role: record.role });
            return Ok((inside, StillRight(self.is_still_right(name, password, &hash, origin))));
        }
    }

    /// Whether `password`, which was right for `hash`, is so for what the account has now. A hash changes without its
    /// password when it is brought up to the cost.
    fn is_still_right(
        &self,
        name: &Username,
        password: &Password,
        hash: &StoredHash,
        origin: Origin,
    ) -> bool {
        let Some(now) = self.record(name).and_then(|record| record.hash) else { return false };
        now == *hash || self.pool.verify(origin, password.expose(), &now).unwrap_or(false)
    }

    /// Whether anyone can log in with a password from `users.db.example`.
    pub(crate) fn uses_example_accounts(&self) -> bool {
        let examples: Vec<StoredHash> =
            EXAMPLE.lines().filter_map(|line| line.rsplit(':').next()?.parse().ok()).collect();
        lock(&self.records)
            .values()
            .filter_map(|record| record.hash.as_ref())
            .any(|hash| examples.contains(hash))
    }

    /// Ends every wait for a hash at once, for a server that shuts down. Logins and sign-ups fail from then
    /// on.
    pub(crate) fn close(&self) {
        self.pool.close();
    }

    /// Gives the new hash, if it has come into the file.
    fn rehash(
        &self,
        name: &Username,
        old: &StoredHash,
        password: &Password,
        origin: Origin,
    ) -> Result<Option<StoredHash>, Box<dyn Error>> {
        let new = self.pool.hash(origin, password.expose(), self.cost)?;
        let users_db = lock(&self.users_db);
        let Some(changed) = self.read(&users_db)?.with_hash(name, old, &new) else {
            return Ok(None); // edited by hand meanwhile: that counts
        };
        users_db.replace(changed)?;
        lock(&self.records).set_hash(name, new.clone());
        Ok(Some(new))
    }

    /// What the password of someone who has no account is checked against.
    fn hash_of_nobody(&self, name: &str) -> Result<StoredHash, HashingError> {
        let cost = self.pretence.cost(name, lock(&self.records).costs()).unwrap_or(self.cost);
        StoredHash::of_nobody(cost).map_err(HashingError::Failed)
    }

    /// Whether an account that somebody has written into the file since it was read has this name, or looks like it.
    fn taken_by_hand(&self, file: &UsersFile, name: &Username, skeleton: &Skeleton) -> Option<Taken> {
        let mut unknown = file.names().filter(|name| !lock(&self.records).has_name(name));
        unknown.find_map(|other| match other {
            other if other == name => Some(Taken::Name),
            other if other.skeleton() == *skeleton => Some(Taken::Look),
            _ => None,
        })
    }

    fn record(&self, name: &Username) -> Option<Record> {
        lock(&self.records).get(name).cloned()
    }

    /// The file as it is on the disk. That there is none is fine as long as there are no accounts; after that
    /// it is refused, since an editor may be about to put it back.
    fn read(&self, users_db: &UsersDb) -> Result<UsersFile, AccountsError> {
        match users_db.read()? {
            Some(file) => Ok(file),
            None if lock(&self.records).is_empty() => Ok(UsersFile::default()),
            None => Err(AccountsError::Gone { path: users_db.path().to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests;
