//! Another password for an account, for who knows the present one. What people wrote into `users.db` stays.

use super::errors::PasswordChangeError;
use super::{Accounts, lock};
use crate::names::{NewPassword, Password, Username};
use crate::server::origin::Origin;

impl Accounts {
    /// Replaces the password `old` of `name`, who asks from `origin`, by `new`. Blocks for as long as two hashes take, and
    /// until the new one is safe on the disk. Logins under way with the old password fail from then on, or find it
    /// changed when they are done. `is_welcome` is
    /// asked when the hashes are there, just before it is written: whoever asked for it may have been thrown out meanwhile.
    pub(crate) fn change_password(
        &self,
        name: &Username,
        old: &Password,
        new: &NewPassword,
        origin: Origin,
        is_welcome: impl FnOnce() -> bool,
    ) -> Result<(), PasswordChangeError> {
        let present = self.record(name).and_then(|record| record.hash);
        let present = present.ok_or(PasswordChangeError::WrongPassword)?;
        if !self.pool.verify(origin, old.expose(), &present)? {
            return Err(PasswordChangeError::WrongPassword);
        }
        let hash = self.pool.hash(origin, new.expose(), self.cost)?;

        let users_db = lock(&self.users_db);
        let file = self.read(&users_db)?; // as it is now: somebody may have edited it
        if !is_welcome() {
            return Err(PasswordChangeError::Ended);
        }
        let changed = file.with_hash(name, &present, &hash);
        users_db.replace(changed.ok_or(PasswordChangeError::ChangedMeanwhile)?)?;
        lock(&self.records).set_hash(name, hash);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;
    use zeroize::Zeroizing;

    use super::super::hashing_pool::somewhere;
    use super::super::{Account, Cost, LogInError, Role};
    use super::*;
    use crate::names::NewUsername;

    const OLD: &str = "Correct horse 1";
    const NEW: &str = "Better horse 2";

    fn password(text: &str) -> Password {
        Password::parse(Zeroizing::new(text.to_owned())).unwrap()
    }

    fn new_password(text: &str) -> NewPassword {
        NewPassword::parse(password(text)).unwrap()
    }

    fn log_in(accounts: &Accounts, text: &str) -> Result<Account, LogInError> {
        let logged_in =
            accounts.log_in("bob".parse().ok().as_ref(), &password(text), somewhere(), |account| account);
        logged_in.map(|(account, _)| account)
    }

    /// Bob, between two comments.
    fn with_bob() -> (TempDir, Accounts, Username) {
        let folder = tempfile::tempdir().unwrap();
        let (path, bob): (_, Username) = (folder.path().join("users.db"), "bob".parse().unwrap());
        fs::write(&path, "# first\n").unwrap();
        let accounts = Accounts::open(&path, Cost::SMALL_HOST).unwrap();
        let new = NewUsername::parse(Username::clone(&bob)).unwrap();
        accounts.sign_up(&new, &new_password(OLD), somewhere(), Role::Member, |_| true).unwrap();
        fs::write(&path, format!("{}# last\n", fs::read_to_string(&path).unwrap())).unwrap();
        (folder, accounts, bob)
    }

    #[test]
    fn the_new_password_counts_at_once_and_after_a_restart_and_comments_stay() {
        let (folder, accounts, bob) = with_bob();
        accounts.change_password(&bob, &password(OLD), &new_password(NEW), somewhere(), || true).unwrap();
        let path = folder.path().join("users.db");
        for accounts in [accounts, Accounts::open(&path, Cost::SMALL_HOST).unwrap()] {
            assert_eq!(log_in(&accounts, OLD), Err(LogInError::WrongNameOrPassword));
            assert!(log_in(&accounts, NEW).is_ok());
        }
        let file = fs::read_to_string(&path).unwrap();
        assert!(file.starts_with("# first\nbob:member:$argon2id$") && file.ends_with("\n# last\n"), "{file}");
    }

    #[test]
    fn who_does_not_know_the_present_password_changes_nothing() {
        let (folder, accounts, _) = with_bob();
        let before = fs::read(folder.path().join("users.db")).unwrap();
        for (name, old) in [("bob", NEW), ("nobody", OLD)] {
            let refused = accounts.change_password(
                &name.parse().unwrap(),
                &password(old),
                &new_password(NEW),
                somewhere(),
                || true,
            );
            assert!(matches!(refused, Err(PasswordChangeError::WrongPassword)), "{name}");
        }
        assert_eq!(fs::read(folder.path().join("users.db")).unwrap(), before);
        assert!(log_in(&accounts, OLD).is_ok());
    }

    #[test]
    fn who_is_thrown_out_while_the_hashes_are_made_changes_nothing() {
        let (folder, accounts, bob) = with_bob();
        let before = fs::read(folder.path().join("users.db")).unwrap();
        let change =
            accounts.change_password(&bob, &password(OLD), &new_password(NEW), somewhere(), || false);
        assert!(matches!(change, Err(PasswordChangeError::Ended)));
        assert_eq!(fs::read(folder.path().join("users.db")).unwrap(), before);
        assert!(log_in(&accounts, OLD).is_ok());
    }

    #[test]
    fn an_edit_by_hand_counts_and_a_change_that_can_not_be_written_is_none() {
        let (folder, accounts, bob) = with_bob();
        let path = folder.path().join("users.db");
        let change =
            || accounts.change_password(&bob, &password(OLD), &new_password(NEW), somewhere(), || true);
        fs::write(&path, include_str!("../../../users.db.example")).unwrap();
        assert!(matches!(change(), Err(PasswordChangeError::ChangedMeanwhile)));
        fs::remove_file(&path).unwrap();
        assert!(matches!(change(), Err(PasswordChangeError::NotSaved(_))));
        assert!(log_in(&accounts, OLD).is_ok());
    }
}
