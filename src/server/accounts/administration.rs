//! What an operator does to other people's accounts. Each is in the file, and counts, when the call returns.

use std::mem;
use std::path::Path;

use super::errors::{AccountsError, AdministrationError};
use super::records::Records;
use super::users_db::UsersDb;
use super::users_file::{Role, UsersFile, UsersFileError};
use super::{Account, Accounts, lock};
use crate::names::{NewPassword, Username};
use crate::server::origin::Origin;

impl Accounts {
    /// All accounts, in the order of their names.
    pub(crate) fn all(&self) -> Vec<Account> {
        let records = lock(&self.records);
        let mut accounts: Vec<Account> =
            records.iter().map(|(name, record)| Account { name: name.clone(), role: record.role }).collect();
        drop(records);
        accounts.sort_by(|one, other| one.name.cmp(&other.name));
        accounts
    }

    /// All names that nobody has any more and nobody can take, in their order.
    pub(crate) fn gone(&self) -> Vec<Username> {
        let mut gone: Vec<Username> = lock(&self.records).gone().cloned().collect();
        gone.sort();
        gone
    }

    /// Whether this is one of those names.
    pub(crate) fn is_gone(&self, name: &Username) -> bool {
        lock(&self.records).is_gone(name)
    }

    /// Gives an account another password. Blocks for as long as a hash takes.
    pub(crate) fn reset_password(
        &self,
        name: &Username,
        new: &NewPassword,
        origin: Origin,
    ) -> Result<(), AdministrationError> {
        let hash = self.pool.hash(origin, new.expose(), self.cost)?;
        self.edit(|file| file.with_hash(name, file.account(name)?.hash.as_ref()?, &hash))
    }

    /// Gives an account another role.
    pub(crate) fn set_role(&self, name: &Username, role: Role) -> Result<(), AdministrationError> {
        self.edit(|file| file.with_role(name, role))
    }

    /// Removes an account. Its name is gone: nobody else can take it, or one that looks like it.
    pub(crate) fn remove(&self, name: &Username) -> Result<(), AdministrationError> {
        self.edit(|file| file.with_gone(name))
    }

    /// Lets anyone take a name again that is gone.
    pub(crate) fn set_free(&self, name: &Username) -> Result<(), AdministrationError> {
        self.edit(|file| file.with_free(name))
    }

    /// Changes the file as it is now, and takes the accounts from that: also what was written into it by hand. Where there is
    /// nothing to change, there is no account.
    fn edit(
        &self,
        edit: impl FnOnce(&UsersFile) -> Option<Result<UsersFile, UsersFileError>>,
    ) -> Result<(), AdministrationError> {
        let users_db = lock(&self.users_db);
        let edited = edit(&self.read(&users_db)?).ok_or(AdministrationError::NoAccount)?;
        let records = Records::of(&users_db.replace(edited)?);
        let _old = mem::replace(&mut *lock(&self.records), records); // dropped after the lock
        Ok(())
    }
}

/// The role that the account of this name has in a file, whether a server runs on it or not.
pub(crate) fn role_in(users_db: &Path, name: &Username) -> Result<Option<Role>, AccountsError> {
    let file = UsersDb::at(users_db).read()?;
    Ok(file.and_then(|file| file.account(name).map(|line| line.role)))
}
