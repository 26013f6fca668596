//! The door: what a stranger may ask, and the answers.

use tracing::error;

use super::accounts::{Account, Accounts, HashingError, LogInError, SignUpError};
use crate::names::{NewPassword, Password, Username};
use crate::wire::{Code, SecretText, ServerMessage};

/// Failed tries on one connection before it is closed.
pub(super) const TRIES_MAX: u32 = 5;

/// Makes an account, or says why not.
pub(super) fn sign_up(
    accounts: &Accounts,
    name: &str,
    password: SecretText,
) -> Result<Account, ServerMessage> {
    let name: Username = name.parse().map_err(|error| refused(Code::BadName, error))?;
    let password = Password::parse(password.0)
        .and_then(NewPassword::parse)
        .map_err(|error| refused(Code::BadPassword, error))?;
    accounts.sign_up(&name, &password).map_err(|error| match error {
        SignUpError::NameTaken => refused(Code::NameTaken, error),
        SignUpError::Hashing(error) => not_hashed(error),
        SignUpError::NotSaved(ref reason) => {
            error!(%reason, "a sign-up could not be saved");
            refused(Code::NotStored, error)
        }
    })
}

/// Lets someone in, or says no: in the same words, and at the same cost, whether the name or the password is wrong.
pub(super) fn log_in(
    accounts: &Accounts,
    name: &str,
    password: SecretText,
) -> Result<Account, ServerMessage> {
    let Ok(password) = Password::parse(password.0) else {
        return Err(refused(Code::WrongNameOrPassword, LogInError::WrongNameOrPassword));
    };
    accounts.log_in(name, &password).map_err(|error| match error {
        LogInError::WrongNameOrPassword => refused(Code::WrongNameOrPassword, error),
        LogInError::Hashing(error) => not_hashed(error),
    })
}

fn refused(code: Code, text: impl ToString) -> ServerMessage {
    ServerMessage::Refused { code, text: text.to_string(), id: None, retry_after: None }
}

fn not_hashed(error: HashingError) -> ServerMessage {
    let HashingError::Busy { retry_after } = error else {
        error!(%error, "a password could not be hashed");
        return refused(Code::Busy, error);
    };
    let seconds = u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX);
    ServerMessage::Refused { code: Code::Busy, text: error.to_string(), id: None, retry_after: Some(seconds) }
}
