//! Whom each person does not want to hear, so that all their devices agree on it. That they don't is their clients'
//! business: the log has what everyone says.

use rusqlite::params;

use super::batch::Batch;
use super::changes::{Done, Refusal};
use super::schema::LogError;
use super::store::LogReader;
use crate::names::Username;
use crate::wire::IGNORED_MAX;

/// A wish about whom someone ignores.
pub(crate) struct Ignoring {
    pub(crate) account: Username,
    /// Who is to be ignored, or no more; nothing if that is only asked for.
    pub(crate) change: Option<(Username, bool)>,
}

impl Batch<'_> {
    /// Changes it, and gives all whom the person ignores then, in the order of their names.
    pub(super) fn ignore(&self, ignoring: &Ignoring) -> Result<Result<Vec<String>, Refusal>, LogError> {
        let Ignoring { account, change } = ignoring;
        let done = match change {
            Some((name, true)) => self.begin_to_ignore(account, name)?,
            Some((name, false)) => self.end_to_ignore(account, name)?,
            None => Ok(()),
        };
        match done {
            Ok(()) => self.ignored_by(account).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Forgets whom someone ignores.
    pub(super) fn forget_ignored(&self, account: &Username) -> Result<(), LogError> {
        let mut delete = self.transaction.prepare_cached("DELETE FROM ignored WHERE account = ?1")?;
        delete.execute([account.as_str()])?;
        Ok(())
    }

    fn begin_to_ignore(&self, account: &Username, name: &Username) -> Result<Done, LogError> {
        if account == name {
            return Ok(Err(Refusal::Oneself));
        }
        if self.ignored_by(account)?.len() >= IGNORED_MAX {
            return Ok(Err(Refusal::TooManyIgnored));
        }
        let mut put = self.transaction.prepare_cached(
            "INSERT INTO ignored (account, name) VALUES (?1, ?2) ON CONFLICT (account, name) DO NOTHING",
        )?;
        let is_new = put.execute(params![account.as_str(), name.as_str()])? == 1;
        Ok(if is_new { Ok(()) } else { Err(Refusal::AlreadySo) })
    }

    fn end_to_ignore(&self, account: &Username, name: &Username) -> Result<Done, LogError> {
        let mut delete =
            self.transaction.prepare_cached("DELETE FROM ignored WHERE account = ?1 AND name = ?2")?;
        let was_so = delete.execute(params![account.as_str(), name.as_str()])? == 1;
        Ok(if was_so { Ok(()) } else { Err(Refusal::AlreadySo) })
    }

    fn ignored_by(&self, account: &Username) -> Result<Vec<String>, LogError> {
        let mut find =
            self.transaction.prepare_cached("SELECT name FROM ignored WHERE account = ?1 ORDER BY name")?;
        let names = find.query_map([account.as_str()], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }
}

impl LogReader {
    /// Whether someone ignores anyone.
    pub(crate) fn ignores_anyone(&self, account: &Username) -> Result<bool, LogError> {
        let mut find = self.connection.prepare_cached("SELECT 1 FROM ignored WHERE account = ?1")?;
        Ok(find.exists([account.as_str()])?)
    }
}
