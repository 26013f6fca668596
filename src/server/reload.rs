//! What SIGHUP does: the configuration and `users.db` count as they are now. Each of the two as a whole or not at all, so
//! that a mistake in a file changes nothing.

use std::borrow::Cow;

use tracing::{error, info, warn};

use super::config::{Config, Reread};
use super::hub::Ending;
use super::settings::Settings;
use super::shared::Shared;
use crate::wire::Code;

/// What is told on the sessions of an account that is no more.
pub(super) const GONE: Ending = Ending {
    code: Code::AccountGone,
    text: Cow::Borrowed("this account was removed by the server's operator"),
};

/// Reads everything anew that can change while a server runs which was started with `first`.
pub(super) fn reload(shared: &Shared, first: &Config, reread: Reread<'_>) {
    let read = reread().and_then(|now| {
        let settings = Settings::read(&now).map_err(|error| error.to_string())?;
        Ok((now, settings))
    });
    match read {
        Ok((now, settings)) => {
            shared.replace_settings(settings);
            info!("the configuration was read again");
            if now.is_of_another_run(first) {
                warn!(
                    "where the server listens, its data folder and small-host are other ones from the next start on"
                );
            }
        }
        Err(error) => error!(%error, "the configuration was not read again; it stays as it was"),
    }
    match shared.stores.accounts.reload() {
        Ok(()) => {
            let ended = end_sessions_of_the_gone(shared);
            info!(ended, "users.db was read again");
        }
        Err(error) => error!(%error, "users.db was not read again; the accounts stay as they were"),
    }
}

/// Ends the sessions whose accounts are no more. Roles are looked up whenever they matter. Gives how many those were.
fn end_sessions_of_the_gone(shared: &Shared) -> usize {
    let accounts = &shared.stores.accounts;
    shared.hub.end_connections(&GONE, |client| {
        client.member().is_some_and(|member| accounts.account(&member.name).is_none())
    })
}
