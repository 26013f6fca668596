//! The door: what a stranger may ask, and the answers.

use tracing::error;

use super::accounts::{Account, Accounts, HashingError, LogInError, SignUpError};
use super::devices::Devices;
use crate::channel::PublicKey;
use crate::names::{NewPassword, NewUsername, Password, Username};
use crate::wire::{Code, SecretText, ServerMessage};

/// Failed tries on one connection before it is closed.
pub(super) const TRIES_MAX: u32 = 5;

/// Makes an account, or says why not. A name that was someone else's once begins without that person's devices.
pub(super) fn sign_up(
    accounts: &Accounts,
    devices: &Devices,
    name: &str,
    password: SecretText,
) -> Result<Account, ServerMessage> {
    let name = name.parse().and_then(NewUsername::parse).map_err(|error| refused(Code::BadName, error))?;
    let password = Password::parse(password.0)
        .and_then(NewPassword::parse)
        .map_err(|error| refused(Code::BadPassword, error))?;
    let forget_devices = || {
        let forgotten = devices.revoke(&name, |_, _| true, |_| ());
        forgotten.inspect_err(|error| error!(%error, "old devices could not be forgotten")).is_ok()
    };
    accounts.sign_up(&name, &password, forget_devices).map_err(|error| match error {
        SignUpError::NameTaken | SignUpError::NameLooksTaken => refused(Code::NameTaken, error),
        SignUpError::NameNotCleared => refused(Code::NotStored, error),
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

/// Lets in whoever's device has the key that the handshake proved. It costs two look-ups: no hash, no disk. Whether the
/// key is unknown, or is another account's than `name`, or its account is gone, is not told apart.
pub(super) fn log_in_by_device(
    accounts: &Accounts,
    devices: &Devices,
    key: &PublicKey,
    name: Option<&str>,
) -> Result<Account, ServerMessage> {
    let wanted = |account: &Username| name.is_none_or(|name| name.parse().as_ref() == Ok(account));
    let account = devices.account_of(key).filter(wanted).and_then(|account| accounts.account(&account));
    account.ok_or_else(|| {
        refused(Code::NoSuchDevice, "this device is not remembered (any more); log in with your password")
    })
}

/// A refusal of something that is no Say.
pub(super) fn refused(code: Code, text: impl ToString) -> ServerMessage {
    ServerMessage::Refused { code, text: text.to_string(), id: None, retry_after: None }
}

/// The answer when a password could not be hashed.
pub(super) fn not_hashed(error: HashingError) -> ServerMessage {
    let HashingError::Busy { retry_after } = error else {
        error!(%error, "a password could not be hashed");
        return refused(Code::Busy, error);
    };
    let seconds = u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX);
    ServerMessage::Refused { code: Code::Busy, text: error.to_string(), id: None, retry_after: Some(seconds) }
}
