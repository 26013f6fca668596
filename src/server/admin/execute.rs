//! Does what an operator asks. The durable parts are there in any case; the live ones only when a server runs.

use std::time::Duration;

use tracing::info;

use super::bans;
use super::bots;
use super::invites;
use super::request::{AdminRequest, Answer};
use super::{rooms, users};
use crate::channel::handover::VALIDITY_MAX;
use crate::link::Link;
use crate::names::Username;
use crate::server::accounts::Role;
use crate::server::shared::Shared;
use crate::server::stores::Stores;
use crate::server::{clock, identity};

/// Does it, on the stores of a server, which are those of `live` if it runs. Returns when it is on the disk.
pub(super) fn execute(request: AdminRequest, stores: &Stores, live: Option<&Shared>) -> Answer {
    match request {
        AdminRequest::Sessions {} => sessions(live),
        AdminRequest::Devices { account } => devices(stores, &account),
        AdminRequest::RotateKey { valid_days } => rotate_key(stores, live, valid_days),
        AdminRequest::Ban { whom, seconds, reason } => {
            bans::ban(stores, live, &whom, seconds, reason.as_deref())
        }
        AdminRequest::Unban { whom } => bans::unban(stores, &whom),
        AdminRequest::Bans {} => Ok(bans::list(stores)),
        AdminRequest::Invite { uses, seconds, is_for_admin, at } => {
            let role = if is_for_admin { Role::Admin } else { Role::Member };
            invites::make(stores, live, invites::Wanted { uses, seconds, role, at })
        }
        AdminRequest::Invites {} => invites::list(stores),
        AdminRequest::RevokeInvite { id } => invites::revoke(stores, id),
        AdminRequest::Users {} => Ok(users::list(stores, live)),
        AdminRequest::AddUser { name, is_admin, password } => {
            users::add(stores, live, &name, is_admin, password)
        }
        AdminRequest::ResetPassword { name, password, forgets_devices } => {
            users::reset_password(stores, live, &name, password, forgets_devices)
        }
        AdminRequest::SetRole { name, is_admin } => users::set_role(stores, &name, is_admin),
        AdminRequest::DeleteUser { name, with_messages } => users::delete(stores, live, &name, with_messages),
        AdminRequest::AddBot { name, rooms, reads, writes, seconds } => {
            bots::add(stores, live, bots::Wanted { name, rooms, reads, writes, seconds })
        }
        AdminRequest::Bots {} => bots::list(stores),
        AdminRequest::RevokeToken { id } => bots::revoke(stores, live, id),
        AdminRequest::Rooms {} => rooms::list(stores, live.is_some()),
    }
}

fn sessions(live: Option<&Shared>) -> Answer {
    let live =
        live.ok_or("no server runs on this folder, so nobody is connected; start it with 'chat server'")?;
    let (members, count) = (live.hub.members(), live.hub.connections());
    let shown = members.iter().filter_map(|client| {
        let member = client.member()?;
        let (address, device) = (client.address, member.key.fingerprint());
        let quiet = client.silence().as_secs();
        Some(format!("{} from {address}, device {device}, quiet for {quiet} s", member.name))
    });
    let mut lines: Vec<String> = shown.collect();
    lines.sort();
    lines.insert(0, format!("{count} connected, {} of them logged in", lines.len()));
    Ok(lines)
}

fn devices(stores: &Stores, account: &str) -> Answer {
    let account = account_named(stores, account)?;
    let lines = stores.devices.of(&account).into_iter().map(|device| {
        let (fingerprint, seen) = (device.key.fingerprint(), clock::shown(device.last_seen));
        format!("{fingerprint}  last seen {seen}  {}", device.label)
    });
    let lines: Vec<String> = lines.collect();
    Ok(if lines.is_empty() { vec![format!("{account} has no devices")] } else { lines })
}

fn rotate_key(stores: &Stores, live: Option<&Shared>, valid_days: u32) -> Answer {
    let valid_for = Duration::from_secs(u64::from(valid_days) * 24 * 60 * 60);
    if valid_for.is_zero() || valid_for > VALIDITY_MAX {
        return Err("a key can vouch for the next one for 1 to 365 days; write --valid-days 90".into());
    }
    let rotated = stores
        .identity
        .rotate(valid_for, clock::seconds())
        .map_err(|error| format!("nothing is changed: {error}"))?;
    let (fingerprint, until) =
        (rotated.key.fingerprint(), clock::shown(rotated.expires.saturating_mul(1000)));
    info!(%fingerprint, %until, "this server has a new key");
    let mut lines = vec![
        format!("the server's key is now {fingerprint}"),
        format!(
            "clients that know the key before it follow by themselves until {until}; give others a new link"
        ),
    ];
    let found = live.map(|shared| identity::links(rotated.key, &shared.addresses)).transpose();
    match found.map_err(|error| format!("it is done, but this host's addresses can't be listed: {error}"))? {
        Some(all) => lines.extend(all.iter().map(Link::to_string)),
        None => lines.push(format!("links to it end in #{}; 'chat server' prints them", rotated.key)),
    }
    Ok(lines)
}

/// The account of this name, if there is one.
pub(super) fn account_named(stores: &Stores, name: &str) -> Result<Username, String> {
    let parsed: Option<Username> = name.parse().ok();
    let account = parsed.and_then(|name| stores.accounts.account(&name));
    account.map(|account| account.name).ok_or_else(|| format!("there is no account '{name}'; check the name"))
}
