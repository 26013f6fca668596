//! What those who keep order do to others. Apart from the bans themselves, so that whoever makes one, an operator on the
//! host or one in a room, does the same to those who are inside.

use tracing::info;

use super::bans::{Ban, BanError, Subject};
use super::clock;
use super::hub::{Client, Ending};
use super::shared::Shared;
use super::stores::Stores;
use crate::wire::Code;

/// Makes a ban, and ends the sessions of those whom it keeps out, if a server runs. Gives how many those were.
pub(super) fn ban(stores: &Stores, live: Option<&Shared>, ban: Ban) -> Result<usize, BanError> {
    let mut ended = 0;
    stores.bans.ban(ban, |ban| {
        let ending = ending(ban, clock::now());
        ended = live.map_or(0, |live| live.hub.end_connections(&ending, |client| is_about(ban, client)));
        info!(subject = %ban.subject, ended, "banned");
    })?;
    Ok(ended)
}

/// What is told on the sessions that a ban ends or does not let begin.
pub(super) fn ending(ban: &Ban, now: u64) -> Ending {
    Ending { code: Code::Banned, text: ban.told(now).into() }
}

/// A stranger is known by the address only; the device is looked at when they log in.
fn is_about(ban: &Ban, client: &Client) -> bool {
    match &ban.subject {
        Subject::Account(name) => client.member().is_some_and(|member| member.name == *name),
        Subject::Device(fingerprint) => {
            client.member().is_some_and(|member| member.key.fingerprint() == *fingerprint)
        }
        Subject::Addresses(network) => network.contains(client.address.ip()),
    }
}
