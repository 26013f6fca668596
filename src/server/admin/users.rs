//! Accounts as an operator lists, makes, changes and deletes them.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use tracing::info;

use super::execute::account_named;
use super::request::Answer;
use crate::names::{NewPassword, NewUsername, Password, Username};
use crate::server::accounts::Role;
use crate::server::clock;
use crate::server::departure;
use crate::server::hub::Ending;
use crate::server::origin::Origin;
use crate::server::shared::Shared;
use crate::server::stores::Stores;
use crate::wire::{Code, SecretText};

/// What is told on the sessions of an account whose password an operator has reset.
const RESET: Ending = Ending {
    code: Code::DeviceRevoked,
    text: Cow::Borrowed("your password was reset by the server's operator; log in with the new one"),
};

/// All accounts, and the names that are gone.
pub(super) fn list(stores: &Stores, live: Option<&Shared>) -> Vec<String> {
    let members = live.map_or_else(Vec::new, |shared| shared.hub.members());
    let accounts = stores.accounts.all().into_iter().map(|account| {
        let is_hers = |name: &Username| *name == account.name;
        let sessions =
            members.iter().filter_map(|client| client.member()).filter(|member| is_hers(&member.name));
        let online = match (live, sessions.count()) {
            (None, _) => String::new(),
            (Some(_), 0) => ", not connected".to_owned(),
            (Some(_), 1) => ", connected".to_owned(),
            (Some(_), count) => format!(", connected {count} times"),
        };
        let devices = stores.devices.of(&account.name).len();
        let devices = if devices == 1 { "1 device".to_owned() } else { format!("{devices} devices") };
        format!("{}  {}, {devices}{online}", account.name, account.role)
    });
    let gone =
        stores.accounts.gone().into_iter().map(|name| format!("{name}  deleted; nobody can take the name"));
    let lines: Vec<String> = accounts.chain(gone).collect();
    if lines.is_empty() { vec!["there are no accounts".to_owned()] } else { lines }
}

/// Makes an account.
pub(super) fn add(
    stores: &Stores,
    live: Option<&Shared>,
    name: &str,
    is_admin: bool,
    password: SecretText,
) -> Answer {
    let name: Username = name.parse().map_err(|error| format!("'{name}' is no name: {error}"))?;
    let new = NewUsername::parse(name.clone()).map_err(|error| format!("'{name}' can't be had: {error}"))?;
    if stores.bans.of_account(&name, clock::now()).is_some() {
        return Err(format!("'{name}' is banned; lift the ban first: chat admin unban account:{name}"));
    }
    if stores.accounts.is_gone(&name) {
        return Err(format!(
            "'{name}' was someone's whose messages are still there; choose another name, or run first: chat admin \
             delete-user {name} --with-messages"
        ));
    }
    let (role, password) = (role(is_admin), new_password(password)?);
    let signed_up = stores
        .accounts
        .sign_up(&new, &password, operator(), role, |_| departure::forget(stores, live, &name));
    signed_up.map_err(|error| error.to_string())?;
    info!(%name, %role, "an account was made by the operator");
    Ok(vec![format!("{name} is there, as {role}")])
}

/// Gives an account another password, ends its sessions, and forgets its devices if that is wanted.
pub(super) fn reset_password(
    stores: &Stores,
    live: Option<&Shared>,
    name: &str,
    password: SecretText,
    forgets_devices: bool,
) -> Answer {
    let name = person_named(stores, name)?;
    let password = new_password(password)?;
    stores.accounts.reset_password(&name, &password, operator()).map_err(|error| error.to_string())?;
    let end_sessions = || {
        if let Some(shared) = live {
            shared.hub.end_sessions(&name, &RESET, |_, _| true);
        }
    };
    let devices = stores.devices.of(&name).len();
    if forgets_devices {
        let revoked = stores.devices.revoke(&name, |_, _| true, |_| end_sessions());
        revoked.map_err(|error| {
            format!("the password is another one, but the devices are still there: {error}")
        })?;
    } else {
        end_sessions();
    }
    info!(%name, forgets_devices, "a password was reset by the operator");
    let rest = match (devices, forgets_devices) {
        (0, _) => "its sessions are ended".to_owned(),
        (_, true) => "its sessions are ended and its devices forgotten".to_owned(),
        (count, false) => format!(
            "its sessions are ended; {count} of its devices still come in without a password (--forget-devices \
             prevents that)"
        ),
    };
    Ok(vec![format!("{name} has another password; {rest}")])
}

/// Gives an account another role.
pub(super) fn set_role(stores: &Stores, name: &str, is_admin: bool) -> Answer {
    let name = person_named(stores, name)?;
    let role = role(is_admin);
    stores.accounts.set_role(&name, role).map_err(|error| error.to_string())?;
    info!(%name, %role, "a role was given by the operator");
    Ok(vec![format!("{name} is {role} from now on")])
}

/// Deletes an account, and what it has said if that is wanted. One whose deletion was cut short, or of which only the messages
/// are left, is deleted to the end.
pub(super) fn delete(stores: &Stores, live: Option<&Shared>, name: &str, with_messages: bool) -> Answer {
    let name: Username = name.parse().map_err(|error| format!("'{name}' is no name: {error}"))?;
    if !stores.accounts.is_gone(&name) {
        account_named(stores, name.as_str())?;
        stores.accounts.remove(&name).map_err(|error| error.to_string())?;
    }
    let again = || format!("'{name}' can't log in any more, but not all is done (see the log); do it again");
    let are_over = live.is_none_or(|shared| departure::end_sessions(shared, &name));
    if !are_over || !departure::forget(stores, live, &name) {
        return Err(again());
    }
    if with_messages {
        let removed =
            departure::remove_said(stores, live, &name).map_err(|error| format!("{}: {error}", again()))?;
        if !removed {
            return Err(again());
        }
        stores.accounts.set_free(&name).map_err(|error| error.to_string())?;
    }
    info!(%name, with_messages, "an account was deleted by the operator");
    let rest = if with_messages {
        "what was said is removed, and the name is free"
    } else {
        "what was said stays, and nobody else can take the name (--with-messages removes both)"
    };
    Ok(vec![format!("{name} is deleted, with all devices and out of all rooms; {rest}")])
}

/// The account of this name, if it is a person's.
fn person_named(stores: &Stores, name: &str) -> Result<Username, String> {
    let name = account_named(stores, name)?;
    if stores.accounts.account(&name).is_some_and(|account| account.role == Role::Bot) {
        return Err(format!(
            "'{name}' is a bot, which has a token and neither password nor another role; 'chat admin bots' lists its \
             tokens"
        ));
    }
    Ok(name)
}

fn role(is_admin: bool) -> Role {
    if is_admin { Role::Admin } else { Role::Member }
}

/// Where the operator's passwords come from: this host.
fn operator() -> Origin {
    Origin::from(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

fn new_password(text: SecretText) -> Result<NewPassword, String> {
    Password::parse(text.0).and_then(NewPassword::parse).map_err(|error| error.to_string())
}
