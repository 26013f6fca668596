//! The invites of one server, shared by all its threads.

use std::path::Path;
use std::sync::Mutex;

use super::store::{ClaimId, Invite, InvitesError, NewInvite, Store};
use crate::names::{InviteToken, Username};
use crate::server::clock::Steady;
use crate::server::lock::lock;

/// The most invites of one account that can be used at a time. The operator may make any number.
pub(crate) const INVITES_OF_ONE_MAX: u32 = 100;

/// All invites. They are few and are asked for seldom, so nothing is kept in memory.
pub(crate) struct Invites {
    /// Locked for one transaction at a time.
    store: Mutex<Store>,
    clock: Steady,
}

/// Why no invite was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    /// Its maker has as many as there may be.
    #[error("{INVITES_OF_ONE_MAX} of your invites are open already; wait until some are used or end")]
    TooMany,
    /// No random bytes for a token.
    #[error("the operating system gives no random bytes; restart the server's host")]
    NoEntropy,
    /// It could not be written.
    #[error("the server could not write it down, so there is no invite; tell the person who runs it")]
    NotStored(#[from] InvitesError),
}

impl Invites {
    /// Opens the invites at `path`, and makes a new file where there is none. `has_account` settles what the last server
    /// has left unsettled.
    pub(crate) fn open(path: &Path, has_account: impl Fn(&Username) -> bool) -> Result<Self, InvitesError> {
        let mut store = Store::open(path)?;
        store.settle_all(has_account)?;
        Ok(Self { store: Mutex::new(store), clock: Steady::begin() })
    }

    /// Makes an invite. It is on the disk when this returns; its token is nowhere but in the answer.
    pub(crate) fn make(&self, invite: &NewInvite) -> Result<(Invite, InviteToken), MakeError> {
        let token = InviteToken::random().ok_or(MakeError::NoEntropy)?;
        let now = self.now();
        let mut store = lock(&self.store);
        if let Some(maker) = &invite.maker
            && store.count_of(maker, now)? >= INVITES_OF_ONE_MAX
        {
            return Err(MakeError::TooMany);
        }
        let id = store.add(invite, token.digest(), now)?;
        drop(store);
        let until = now.saturating_add(invite.lasts.milliseconds());
        let (role, uses_left, maker) = (invite.role, invite.uses, invite.maker.clone());
        Ok((Invite { id, role, uses_left, until, maker }, token))
    }

    /// The invite of a token, if it can be used now. It costs a look-up.
    pub(crate) fn find(&self, token: &InviteToken) -> Result<Option<Invite>, InvitesError> {
        let now = self.now();
        lock(&self.store).find(token, now)
    }

    /// All that can be used now, in the order in which they were made.
    pub(crate) fn usable(&self) -> Result<Vec<Invite>, InvitesError> {
        let now = self.now();
        lock(&self.store).usable(now)
    }

    /// Whether there ever was one, usable or not.
    pub(crate) fn were_ever_made(&self) -> Result<bool, InvitesError> {
        lock(&self.store).were_ever_made()
    }

    /// Ends an invite. False if there is none with this number that can be used.
    pub(crate) fn revoke(&self, id: i64) -> Result<bool, InvitesError> {
        let now = self.now();
        lock(&self.store).remove(id, now)
    }

    /// Takes a use for a name that has no account, if there still is one. To be called under the lock of `users.db`,
    /// which `has_account` reads; see the module.
    pub(crate) fn claim(
        &self,
        id: i64,
        name: &Username,
        has_account: impl Fn(&Username) -> bool,
    ) -> Result<Option<ClaimId>, InvitesError> {
        let now = self.now();
        lock(&self.store).claim(id, name, now, has_account)
    }

    /// Ends a claim: the use is gone, or given back. If that can't be written, it is done before the next claim or at
    /// the next start.
    pub(crate) fn settle(&self, claim: ClaimId, is_used: bool) -> Result<(), InvitesError> {
        lock(&self.store).settle(claim, is_used)
    }

    fn now(&self) -> u64 {
        self.clock.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::TimeSpan;
    use crate::server::accounts::Role;
    use tempfile::TempDir;

    struct House {
        folder: TempDir,
        invites: Invites,
    }

    fn nobody(_: &Username) -> bool {
        false
    }

    impl House {
        fn of(folder: TempDir, has_account: impl Fn(&Username) -> bool) -> Self {
            let invites = Invites::open(&folder.path().join("invites.db"), has_account).unwrap();
            Self { folder, invites }
        }

        fn empty() -> Self {
            Self::of(tempfile::tempdir().unwrap(), nobody)
        }

        fn restarted(self, has_account: impl Fn(&Username) -> bool) -> Self {
            let Self { folder, invites } = self;
            drop(invites);
            Self::of(folder, has_account)
        }

        fn make(&self, uses: u32) -> (Invite, InviteToken) {
            self.invites.make(&invite(uses, None)).unwrap()
        }

        fn claim(&self, id: i64) -> Option<ClaimId> {
            self.invites.claim(id, &name("bob"), nobody).unwrap()
        }

        fn uses_left(&self, token: &InviteToken) -> u32 {
            self.invites.find(token).unwrap().map_or(0, |invite| invite.uses_left)
        }

        /// Makes as if so many milliseconds had passed.
        fn later(&mut self, milliseconds: u64) {
            self.invites.clock.at += milliseconds;
        }
    }

    fn name(text: &str) -> Username {
        text.parse().unwrap()
    }

    fn invite(uses: u32, maker: Option<&str>) -> NewInvite {
        let lasts = TimeSpan::days(7).unwrap();
        NewInvite { role: Role::Admin, uses, lasts, maker: maker.map(name) }
    }

    #[test]
    fn an_invite_is_found_by_its_token_after_a_restart_and_the_token_is_not_on_the_disk() {
        let house = House::empty();
        let (made, token) = house.make(2);
        let house = house.restarted(nobody);
        assert_eq!(house.invites.find(&token).unwrap(), Some(made.clone()));
        assert_eq!(house.invites.usable().unwrap(), [made]);
        assert_eq!(house.invites.find(&InviteToken::random().unwrap()).unwrap(), None);
        drop(house.invites);
        for entry in std::fs::read_dir(house.folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let text = token.text();
            let text = text.as_str();
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()));
        }
    }

    #[test]
    fn each_use_is_claimed_once_and_given_back_if_no_account_came_of_it() {
        let house = House::empty();
        let (made, token) = house.make(1);
        let claim = house.claim(made.id).unwrap();
        assert_eq!((house.uses_left(&token), house.invites.find(&token).unwrap()), (0, None));
        house.invites.settle(claim, false).unwrap();
        house.invites.settle(claim, false).unwrap();
        assert_eq!(house.uses_left(&token), 1, "once is enough");
        let claim = house.claim(made.id).unwrap();
        house.invites.settle(claim, true).unwrap();
        assert_eq!(house.claim(made.id), None);
    }

    #[test]
    fn a_claim_that_a_crash_left_is_settled_by_whether_there_is_the_account() {
        for has_account in [true, false] {
            let house = House::empty();
            let (made, token) = house.make(1);
            house.claim(made.id).unwrap();
            let house = house.restarted(|_| has_account).restarted(nobody);
            assert_eq!(house.uses_left(&token), u32::from(!has_account));
        }
    }

    #[test]
    fn a_claim_that_could_not_be_settled_is_before_the_next_one() {
        let house = House::empty();
        let (made, _) = house.make(1);
        house.claim(made.id).unwrap();
        let lost = house.claim(made.id).unwrap();
        assert_eq!(house.invites.claim(made.id, &name("carol"), |_| true).unwrap(), None);
        house.invites.settle(lost, false).unwrap();
        assert_eq!(house.claim(made.id), None, "it was settled as used");
    }

    #[test]
    fn an_invite_ends_with_its_time_even_between_the_look_and_the_use() {
        let mut house = House::empty();
        let (made, token) = house.make(5);
        let hour = 60 * 60 * 1000;
        house.later(TimeSpan::days(7).unwrap().milliseconds() - hour);
        assert!(house.invites.find(&token).unwrap().is_some());
        house.later(hour);
        assert_eq!((house.invites.find(&token).unwrap(), house.claim(made.id)), (None, None));
        assert!(house.invites.usable().unwrap().is_empty() && !house.invites.revoke(made.id).unwrap());
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_invite_last_longer() {
        let mut house = House::empty();
        let (_, token) = house.make(1);
        // The host's clock says the same as before, and the other one that eight days have passed.
        house.later(TimeSpan::days(8).unwrap().milliseconds());
        assert_eq!(house.invites.find(&token).unwrap(), None);
    }

    #[test]
    fn a_revoked_invite_is_gone_and_its_number_is_not_given_again() {
        let house = House::empty();
        let (made, token) = house.make(3);
        assert!(house.invites.revoke(made.id).unwrap() && !house.invites.revoke(made.id).unwrap());
        assert_eq!((house.invites.find(&token).unwrap(), house.claim(made.id)), (None, None));
        assert!(house.restarted(nobody).make(1).0.id > made.id);
    }

    #[test]
    fn one_account_makes_so_many_and_the_operator_any_number() {
        let house = House::empty();
        for _ in 0..INVITES_OF_ONE_MAX {
            house.invites.make(&invite(1, Some("alice"))).unwrap();
        }
        assert!(matches!(house.invites.make(&invite(1, Some("alice"))), Err(MakeError::TooMany)));
        house.invites.make(&invite(1, Some("bob"))).unwrap();
        house.make(1);
        assert!(house.invites.revoke(1).unwrap());
        house.invites.make(&invite(1, Some("alice"))).unwrap();
        assert_eq!(house.invites.usable().unwrap().len(), INVITES_OF_ONE_MAX as usize + 2);
    }

    #[test]
    fn what_can_not_be_written_is_not_made_claimed_or_lost() {
        let house = House::empty();
        let (made, token) = house.make(1);
        let path = house.folder.path().join("invites.db");
        rusqlite::Connection::open(path).unwrap().execute_batch("DROP TABLE claims").unwrap();
        assert!(house.invites.claim(made.id, &name("bob"), nobody).is_err());
        assert!(matches!(house.invites.make(&invite(1, None)), Err(MakeError::NotStored(_))));
        assert_eq!(house.uses_left(&token), 1);
    }
}
