//! The door: what a stranger may ask, and the answers.

use std::time::Instant;

use tracing::{debug, error, info};

use super::accounts::{Account, HashingError, LogInError, SignUpError};
use super::clock;
use super::origin::Origin;
use super::shared::Shared;
use super::throttle::{Throttled, Try};
use crate::channel::PublicKey;
use crate::names::{NewPassword, NewUsername, Password, Username};
use crate::wire::{Code, SecretText, ServerMessage};

/// Failed tries on one connection before it is closed.
pub(super) const TRIES_MAX: u32 = 5;

/// Makes an account, or says why not. A name that was someone else's once begins without that person's devices.
pub(super) fn sign_up(
    shared: &Shared,
    origin: Origin,
    name: &str,
    password: SecretText,
) -> Result<Account, ServerMessage> {
    let name = name.parse().and_then(NewUsername::parse).map_err(|error| refused(Code::BadName, error))?;
    let password = Password::parse(password.0)
        .and_then(NewPassword::parse)
        .map_err(|error| refused(Code::BadPassword, error))?;
    if shared.stores.bans.of_account(&name, clock::now()).is_some() {
        return Err(refused(Code::NameTaken, SignUpError::NameTaken)); // it was someone's who is banned, and is gone
    }
    shared.throttles.admit_sign_up(origin, Instant::now()).map_err(|error| throttled(error, origin))?;
    let forget_devices = || {
        let forgotten = shared.stores.devices.revoke(&name, |_, _| true, |_| ());
        forgotten.inspect_err(|error| error!(%error, "old devices could not be forgotten")).is_ok()
    };
    let signed_up = shared.stores.accounts.sign_up(&name, &password, origin, forget_devices);
    match &signed_up {
        Ok(account) => shared.throttles.signed_up(&account.name, origin, Instant::now()),
        Err(SignUpError::Hashing(_)) => shared.throttles.sign_up_was_none(origin, Instant::now()),
        Err(_) => {}
    }
    signed_up.map_err(|error| match error {
        SignUpError::NameTaken | SignUpError::NameLooksTaken => refused(Code::NameTaken, error),
        SignUpError::NameNotCleared => refused(Code::NotStored, error),
        SignUpError::Hashing(error) => not_hashed(error),
        SignUpError::NotSaved(ref reason) => {
            error!(%reason, "a sign-up could not be saved");
            refused(Code::NotStored, error)
        }
    })
}

/// Lets someone in, or says no: in the same words, and at the same cost, whether the name or the password is wrong; and
/// without looking at either when too many have been.
pub(super) fn log_in(
    shared: &Shared,
    origin: Origin,
    name: &str,
    password: SecretText,
) -> Result<Account, ServerMessage> {
    let name: Option<Username> = name.parse().ok();
    let tried = begin_try(shared, origin, name.clone())?;
    let Ok(password) = Password::parse(password.0) else {
        return Err(refused(Code::WrongNameOrPassword, LogInError::WrongNameOrPassword));
    };
    let logged_in = shared.stores.accounts.log_in(name.as_ref(), &password, origin);
    match &logged_in {
        Ok(_) => shared.throttles.was_right(tried, Instant::now()),
        Err(LogInError::Hashing(_)) => shared.throttles.was_none(tried, Instant::now()),
        // The name may be a password that was typed in the wrong place.
        Err(LogInError::WrongNameOrPassword) => info!(%origin, "wrong name or password"),
    }
    logged_in.map_err(|error| match error {
        LogInError::WrongNameOrPassword => refused(Code::WrongNameOrPassword, error),
        LogInError::Hashing(error) => not_hashed(error),
    })
}

/// Begins a try at the password of an account, or says when to try again.
pub(super) fn begin_try(
    shared: &Shared,
    origin: Origin,
    name: Option<Username>,
) -> Result<Try, ServerMessage> {
    shared.throttles.admit(name, origin, Instant::now()).map_err(|error| throttled(error, origin))
}

/// Lets in whoever's device has the key that the handshake proved. It costs two look-ups: no hash, no disk. Whether the
/// key is unknown, or is another account's than `name`, or its account is gone, is not told apart.
pub(super) fn log_in_by_device(
    shared: &Shared,
    key: &PublicKey,
    name: Option<&str>,
) -> Result<Account, ServerMessage> {
    let wanted = |account: &Username| name.is_none_or(|name| name.parse().as_ref() == Ok(account));
    let account = shared.stores.devices.account_of(key);
    let account = account.filter(wanted).and_then(|account| shared.stores.accounts.account(&account));
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

/// The answer to who has tried too often.
fn throttled(error: Throttled, origin: Origin) -> ServerMessage {
    debug!(%origin, %error, "it is put off");
    let wait = error.wait();
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    let (code, text) = (Code::Throttled, error.to_string());
    ServerMessage::Refused { code, text, id: None, retry_after: Some(seconds) }
}
