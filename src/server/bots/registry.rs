//! The tokens of one server's bots, shared by all its threads.

use std::path::Path;
use std::sync::Mutex;

use tracing::warn;

use super::store::{BotsError, NewToken, Store, Token};
use crate::names::{BotToken, Username};
use crate::server::clock::Steady;
use crate::server::lock::lock;

/// How precisely it is noted when a token was last used, in milliseconds: a bot that comes often costs one commit for
/// this long.
const USED_EVERY: u64 = 60 * 1000;

/// All tokens. They are few, so nothing is kept in memory.
pub(crate) struct Bots {
    /// Locked for one transaction at a time.
    store: Mutex<Store>,
    clock: Steady,
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    /// No random bytes for it.
    #[error("the operating system gives no random bytes; restart the server's host")]
    NoEntropy,
    /// It could not be written.
    #[error(transparent)]
    NotStored(#[from] BotsError),
}

impl Bots {
    /// Opens the tokens at `path`, and makes a new file where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, BotsError> {
        Ok(Self { store: Mutex::new(Store::open(path)?), clock: Steady::begin() })
    }

    /// Makes a token. It is on the disk when this returns; its text is nowhere but in the answer.
    pub(crate) fn make(&self, new: NewToken) -> Result<(Token, BotToken), MakeError> {
        let (secret, now) = (BotToken::random().ok_or(MakeError::NoEntropy)?, self.clock.now());
        let until = new.lasts.map(|lasts| now.saturating_add(lasts.milliseconds()));
        let id = lock(&self.store).add(&new, secret.digest(), until, now)?;
        let NewToken { account, scope, .. } = new;
        Ok((Token { id, account, scope, until, last_used: None }, secret))
    }

    /// The token that this is, if it has not ended. It costs a look-up, and notes that it was used.
    pub(crate) fn find(&self, secret: &BotToken) -> Result<Option<Token>, BotsError> {
        let now = self.clock.now();
        let store = lock(&self.store);
        let found = store.find(secret.digest(), now)?;
        if let Some(token) = &found
            && token.last_used.is_none_or(|last| now >= last.saturating_add(USED_EVERY))
            && let Err(error) = store.was_used(token.id, now)
        {
            warn!(%error, "when a bot's token was used is not noted");
        }
        Ok(found)
    }

    /// Whether a token has not ended.
    pub(crate) fn has(&self, id: i64) -> Result<bool, BotsError> {
        let now = self.clock.now();
        lock(&self.store).has(id, now)
    }

    /// Whether a time has come.
    pub(crate) fn is_over(&self, until: u64) -> bool {
        until <= self.clock.now()
    }

    /// All tokens that have not ended, in the order of their bots.
    pub(crate) fn all(&self) -> Result<Vec<Token>, BotsError> {
        let now = self.clock.now();
        lock(&self.store).all(now)
    }

    /// Ends a token, and gives whose it was; none if there is none with this number.
    pub(crate) fn revoke(&self, id: i64) -> Result<Option<Username>, BotsError> {
        lock(&self.store).remove(id)
    }

    /// Ends all tokens of an account.
    pub(crate) fn revoke_all_of(&self, account: &Username) -> Result<(), BotsError> {
        lock(&self.store).remove_all_of(account)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Scope;
    use super::*;
    use crate::names::TimeSpan;

    fn opened(folder: &tempfile::TempDir) -> Bots {
        Bots::open(&folder.path().join("bots.db")).unwrap()
    }

    fn new(lasts: Option<TimeSpan>) -> NewToken {
        let rooms = ["#ops".parse().unwrap(), "#plans.k7q2".parse().unwrap()].into();
        NewToken { account: "deploy".parse().unwrap(), scope: Scope::new(rooms, false, true), lasts }
    }

    #[test]
    fn a_token_is_found_after_a_restart_and_is_not_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let bots = opened(&folder);
        let (made, secret) = bots.make(new(None)).unwrap();
        drop(bots);
        let bots = opened(&folder);
        assert_eq!(bots.find(&secret).unwrap(), Some(made.clone()));
        assert!(bots.find(&BotToken::random().unwrap()).unwrap().is_none());
        let used = bots.all().unwrap();
        assert!(used[0].last_used.is_some() && used[0].scope == made.scope);
        drop(bots);
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let text = secret.text();
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()));
        }
    }

    #[test]
    fn a_token_ends_with_its_time_or_when_it_is_revoked_and_its_number_is_not_given_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut bots = opened(&folder);
        let (hour, secret) = bots.make(new(TimeSpan::seconds(3600))).unwrap();
        let (ever, other) = bots.make(new(None)).unwrap();
        bots.clock.at += 3_600_000;
        assert!(bots.is_over(hour.until.unwrap()) && !bots.has(hour.id).unwrap());
        assert_eq!(bots.find(&secret).unwrap(), None);
        assert!(bots.has(ever.id).unwrap());
        assert_eq!(bots.revoke(ever.id).unwrap(), Some(ever.account.clone()));
        assert_eq!((bots.revoke(ever.id).unwrap(), bots.find(&other).unwrap()), (None, None));
        let (next, _) = bots.make(new(None)).unwrap();
        assert!(next.id > ever.id);
        bots.revoke_all_of(&next.account).unwrap();
        assert!(bots.all().unwrap().is_empty());
    }

    #[test]
    fn a_token_without_rooms_is_for_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let bots = opened(&folder);
        let everything = NewToken { scope: Scope::new(BTreeSet::new(), true, true), ..new(None) };
        let (_, secret) = bots.make(everything).unwrap();
        let found = bots.find(&secret).unwrap().unwrap();
        assert!(found.scope.has(&"#any".parse().unwrap()));
    }
}
