//! `invites.db`: invites and claims on the disk. Each change is one commit.

use std::ops::RangeInclusive;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::names::{InviteToken, TimeSpan, Username};
use crate::server::accounts::Role;
use crate::server::database::{DatabaseError, Schema, open_to_write};

/// A claim goes with its invite, and a number is never given twice: who revokes an invite by its number means that one.
const SCHEMA: Schema = Schema {
    steps: &["
         CREATE TABLE invites (
             id INTEGER PRIMARY KEY AUTOINCREMENT,
             digest BLOB NOT NULL UNIQUE,
             role TEXT NOT NULL,
             uses_left INTEGER NOT NULL,
             made INTEGER NOT NULL,
             until INTEGER NOT NULL,
             maker TEXT
         ) STRICT;
         CREATE TABLE claims (
             id INTEGER PRIMARY KEY AUTOINCREMENT,
             invite INTEGER NOT NULL,
             name TEXT NOT NULL
         ) STRICT;"],
};

const COLUMNS: &str = "id, role, uses_left, until, maker";

/// Why invites can't be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvitesError {
    /// The file can't be opened.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// A statement failed.
    #[error("invites.db: {0}; check that it can be written and that the disk is not full")]
    Store(#[from] rusqlite::Error),
    /// Something in it is not what this program writes.
    #[error(
        "invites.db has an invite that can't be read; put your copy of it back, or move it away to revoke all"
    )]
    BadRow,
}

/// An invite that can be used. Times are milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invite {
    /// By which it is revoked.
    pub(crate) id: i64,
    /// Of those who sign up with it.
    pub(crate) role: Role,
    /// How many still can.
    pub(crate) uses_left: u32,
    /// When it ends.
    pub(crate) until: u64,
    /// Who made it; none for the operator.
    pub(crate) maker: Option<Username>,
}

/// An invite that is to be made.
pub(crate) struct NewInvite {
    /// Of those who sign up with it.
    pub(crate) role: Role,
    /// How many can.
    pub(crate) uses: u32,
    /// From now on.
    pub(crate) lasts: TimeSpan,
    /// Who makes it; none for the operator.
    pub(crate) maker: Option<Username>,
}

impl NewInvite {
    /// How long one lasts if nobody says otherwise: a week.
    pub(crate) const LASTS: TimeSpan = TimeSpan::WEEK;

    /// How many uses one may have.
    pub(crate) const USES: RangeInclusive<u32> = 1..=1000;
}

/// A use of an invite that is taken and not yet settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClaimId(i64);

/// The open file.
pub(super) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the file, or makes a new one.
    pub(super) fn open(path: &Path) -> Result<Self, InvitesError> {
        Ok(Self { connection: open_to_write(path, &SCHEMA)? })
    }

    /// Writes a new invite, and clears away what can never be used again. Gives its number.
    pub(super) fn add(
        &mut self,
        invite: &NewInvite,
        digest: [u8; 32],
        now: u64,
    ) -> Result<i64, InvitesError> {
        let NewInvite { role, uses, lasts, maker } = invite;
        let until = now.saturating_add(lasts.milliseconds());
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "DELETE FROM invites WHERE uses_left = 0 AND id NOT IN (SELECT invite FROM claims)",
            [],
        )?;
        transaction.execute(
            "INSERT INTO invites (digest, role, uses_left, made, until, maker) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![digest, role.to_string(), uses, now, until, maker.as_ref().map(Username::as_str)],
        )?;
        let id = transaction.last_insert_rowid();
        transaction.commit()?;
        Ok(id)
    }

    /// The invite of a token, if it can be used.
    pub(super) fn find(&self, token: &InviteToken, now: u64) -> Result<Option<Invite>, InvitesError> {
        let sql = format!("SELECT {COLUMNS} FROM invites WHERE digest = ?1 AND uses_left > 0 AND until > ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_row(params![token.digest(), now], |row| Ok(invite(row)));
        found.optional()?.transpose()
    }

    /// All that can be used, in the order in which they were made.
    pub(super) fn usable(&self, now: u64) -> Result<Vec<Invite>, InvitesError> {
        let sql = format!("SELECT {COLUMNS} FROM invites WHERE uses_left > 0 AND until > ?1 ORDER BY id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([now], |row| Ok(invite(row)))?;
        rows.map(|row| row?).collect()
    }

    /// How many that can be used someone has made.
    pub(super) fn count_of(&self, maker: &Username, now: u64) -> Result<u32, InvitesError> {
        let sql = "SELECT count(*) FROM invites WHERE maker = ?1 AND uses_left > 0 AND until > ?2";
        Ok(self.connection.query_row(sql, params![maker.as_str(), now], |row| row.get(0))?)
    }

    /// Whether a number was ever given (the table is `SQLite`'s own).
    pub(super) fn were_ever_made(&self) -> Result<bool, InvitesError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'invites')";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Removes an invite. False if there is none with this number that can be used.
    pub(super) fn remove(&self, id: i64, now: u64) -> Result<bool, InvitesError> {
        let sql = "DELETE FROM invites WHERE id = ?1 AND uses_left > 0 AND until > ?2";
        Ok(self.connection.execute(sql, params![id, now])? > 0)
    }

    /// Takes a use of an invite for a name, if it can be used; settles all older claims on the way.
    pub(super) fn claim(
        &mut self,
        id: i64,
        name: &Username,
        now: u64,
        has_account: impl Fn(&Username) -> bool,
    ) -> Result<Option<ClaimId>, InvitesError> {
        let transaction = self.connection.transaction()?;
        settle_all(&transaction, has_account)?;
        let sql =
            "UPDATE invites SET uses_left = uses_left - 1 WHERE id = ?1 AND uses_left > 0 AND until > ?2";
        if transaction.execute(sql, params![id, now])? == 0 {
            transaction.commit()?;
            return Ok(None);
        }
        transaction
            .execute("INSERT INTO claims (invite, name) VALUES (?1, ?2)", params![id, name.as_str()])?;
        let claim = ClaimId(transaction.last_insert_rowid());
        transaction.commit()?;
        Ok(Some(claim))
    }

    /// Ends a claim. Nothing happens if it was settled before.
    pub(super) fn settle(&mut self, claim: ClaimId, is_used: bool) -> Result<(), InvitesError> {
        let transaction = self.connection.transaction()?;
        settle_one(&transaction, claim.0, is_used)?;
        Ok(transaction.commit()?)
    }

    /// Ends all claims.
    pub(super) fn settle_all(&mut self, has_account: impl Fn(&Username) -> bool) -> Result<(), InvitesError> {
        let transaction = self.connection.transaction()?;
        settle_all(&transaction, has_account)?;
        Ok(transaction.commit()?)
    }
}

fn settle_all(
    transaction: &Transaction<'_>,
    has_account: impl Fn(&Username) -> bool,
) -> Result<(), InvitesError> {
    let mut statement = transaction.prepare("SELECT id, name FROM claims")?;
    let claims = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let claims: Vec<(i64, String)> = claims.collect::<rusqlite::Result<_>>()?;
    for (claim, name) in claims {
        let name: Username = name.parse().map_err(|_| InvitesError::BadRow)?;
        settle_one(transaction, claim, has_account(&name))?;
    }
    Ok(())
}

fn settle_one(transaction: &Transaction<'_>, claim: i64, is_used: bool) -> Result<(), InvitesError> {
    if !is_used {
        transaction.execute(
            "UPDATE invites SET uses_left = uses_left + 1 WHERE id = (SELECT invite FROM claims WHERE id = ?1)",
            [claim],
        )?;
    }
    transaction.execute("DELETE FROM claims WHERE id = ?1", [claim])?;
    Ok(())
}

fn invite(row: &Row<'_>) -> Result<Invite, InvitesError> {
    let (role, maker): (String, Option<String>) = (row.get(1)?, row.get(4)?);
    Ok(Invite {
        id: row.get(0)?,
        role: role.parse().map_err(|_| InvitesError::BadRow)?,
        uses_left: row.get(2)?,
        until: row.get(3)?,
        maker: maker.map(|maker| maker.parse().map_err(|_| InvitesError::BadRow)).transpose()?,
    })
}
