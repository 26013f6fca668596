//! What a stranger may ask, and the answers.

use std::time::Instant;

use tracing::{debug, error, info};

use super::accounts::{Account, HashingError, LogInError, Role, SignUpError, StillRight};
use super::bots::Token;
use super::clock;
use super::departure;
use super::door;
use super::origin::Origin;
use super::shared::Shared;
use super::throttle::{Throttled, Try};
use crate::channel::PublicKey;
use crate::names::{BotToken, NewPassword, NewUsername, Password, Username};
use crate::wire::{Code, SecretText, ServerMessage};

/// Failed tries on one connection before it is closed.
pub(super) const TRIES_MAX: u32 = 5;

/// Who wants an account, and what they bring.
pub(super) struct Newcomer {
    pub(super) name: String,
    pub(super) password: SecretText,
    pub(super) invite: Option<SecretText>,
    pub(super) server_password: Option<SecretText>,
}

secret!(Newcomer);

/// Makes an account, or says why not. A name that was someone else's once begins without that person's devices,
/// rooms and times. A use of an invite is gone if and only if there is an account for it in the end.
pub(super) fn sign_up(shared: &Shared, origin: Origin, newcomer: Newcomer) -> Result<Account, ServerMessage> {
    let name = newcomer.name.parse().and_then(NewUsername::parse);
    let name = name.map_err(|error| refused(Code::BadName, error))?;
    let password = Password::parse(newcomer.password.0)
        .and_then(NewPassword::parse)
        .map_err(|error| refused(Code::BadPassword, error))?;
    if shared.stores.bans.of_account(&name, clock::now()).is_some() {
        return Err(refused(Code::NameTaken, SignUpError::NameTaken)); // it was someone's who is banned, and is gone
    }
    let settings = shared.settings();
    let free = settings.limits.sign_ups_per_address;
    shared.throttles.admit_sign_up(origin, free, Instant::now()).map_err(|error| throttled(error, origin))?;
    let stores = &shared.stores;
    let (invite, word) = (newcomer.invite.as_ref(), newcomer.server_password.as_ref());
    let entry = settings.door.look_at(stores, invite, word)?;

    let (mut claim, mut is_too_late) = (None, false);
    let make_ready = |has_account: &dyn Fn(&Username) -> bool| {
        if !departure::forget(stores, Some(shared), &name) {
            return false;
        }
        let Some(invite) = entry.invite else { return true };
        match stores.invites.claim(invite, &name, has_account) {
            Ok(claimed) => {
                claim = claimed;
                is_too_late = claim.is_none();
            }
            Err(error) => error!(%error, "an invite could not be used"),
        }
        claim.is_some()
    };
    let signed_up = stores.accounts.sign_up(&name, &password, origin, entry.role, make_ready);
    if let Some(claim) = claim {
        // An account that could not be written safely may be in the file all the same.
        let is_used = if signed_up.is_ok() { Some(true) } else { stores.accounts.is_in_the_file(&name) };
        let settled = is_used.map_or(Ok(()), |is_used| stores.invites.settle(claim, is_used));
        if let Err(error) = settled {
            error!(%error, "the use of an invite is settled later");
        }
    }
    match &signed_up {
        Ok(account) => shared.throttles.signed_up(&account.name, origin, Instant::now()),
        Err(SignUpError::Hashing(_)) => shared.throttles.sign_up_was_none(origin, free, Instant::now()),
        Err(_) => {}
    }
    signed_up.map_err(|error| match error {
        SignUpError::NameTaken | SignUpError::NameLooksTaken => refused(Code::NameTaken, error),
        SignUpError::NotReady if is_too_late => door::not_valid(),
        SignUpError::NotReady => refused(Code::NotStored, error),
        SignUpError::Hashing(error) => not_hashed(error),
        SignUpError::NotSaved(ref reason) => {
            error!(%reason, "a sign-up could not be saved");
            refused(Code::NotStored, error)
        }
    })
}

/// Has someone let in, or says no: in the same words, and at the same cost, whether the name or the password is wrong;
/// and without looking at either when too many have been. Gives what `let_in` gives, and whether the password is still
/// right when that is done.
pub(super) fn log_in<R>(
    shared: &Shared,
    origin: Origin,
    name: &str,
    password: SecretText,
    let_in: impl FnOnce(Account) -> R,
) -> Result<(R, StillRight), ServerMessage> {
    let name: Option<Username> = name.parse().ok();
    let tried = begin_try(shared, origin, name.clone())?;
    let Ok(password) = Password::parse(password.0) else {
        return Err(refused(Code::WrongNameOrPassword, LogInError::WrongNameOrPassword));
    };
    let logged_in = shared.stores.accounts.log_in(name.as_ref(), &password, origin, let_in);
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

/// Lets in the bot whose token this is. It costs a look-up: a token can't be guessed.
pub(super) fn log_in_by_token(shared: &Shared, token: SecretText) -> Result<(Account, Token), ServerMessage> {
    let found = token.0.parse::<BotToken>().map_or(Ok(None), |token| shared.stores.bots.find(&token));
    let found = found.map_err(|error| {
        error!(%error, "bots.db can't be read");
        refused(Code::Busy, "the server can't look at tokens now; try again later")
    })?;
    let account = |token: &Token| {
        let account = shared.stores.accounts.account(&token.account);
        account.filter(|account| account.role == Role::Bot)
    };
    found.and_then(|token| Some((account(&token)?, token))).ok_or_else(|| {
        refused(
            Code::TokenNotValid,
            "this token lets no bot in (any more); ask the server's operator for another one",
        )
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
