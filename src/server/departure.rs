//! What goes with someone who goes for good: sessions, devices, places in rooms, and what they have said if that is wanted.
//! The same for a name that somebody takes again, who is to find nothing of whoever had it before.

use std::time::{Duration, Instant};

use tracing::error;

use super::deputy::Deputy;
use super::log::{LogError, LogReader, Wish};
use super::reload::GONE;
use super::room_requests::{forget_member, hand_in_for};
use super::shared::Shared;
use super::stores::Stores;
use crate::names::Username;

/// How long it may take until the last session of an account has ended, which closes its connection in peace.
const SESSIONS_END_WITHIN: Duration = Duration::from_secs(5);

/// How many messages are removed with one commit: others' wait for it, and each takes some 10 µs.
const REMOVED_AT_ONCE: usize = 1000;

/// Ends all sessions of an account that has been removed, and sees that what was on its way from them is written: nothing
/// comes from it any more. False when that can't be made sure of.
pub(super) fn end_sessions(shared: &Shared, name: &Username) -> bool {
    shared.hub.end_sessions(name, &GONE, |_, _| true);
    let are_over = shared.hub.wait_until_gone(name, Instant::now() + SESSIONS_END_WITHIN);
    are_over && hand_in_for(shared, name, Wish::LeaveAll)
}

/// Forgets the devices of whoever had this name and when they were here, and takes them out of all rooms. False when it
/// could not be written.
pub(super) fn forget(stores: &Stores, live: Option<&Shared>, name: &Username) -> bool {
    if let Err(error) = stores.devices.revoke(name, |_, _| true, |_| ()) {
        error!(%error, "old devices could not be forgotten");
        return false;
    }
    if let Err(error) = stores.people.forget(name) {
        error!(%error, "when someone of this name was here could not be forgotten");
        return false;
    }
    if let Err(error) = stores.bots.revoke_all_of(name) {
        error!(%error, "the tokens of a bot that is gone could not be revoked");
        return false;
    }
    let left = match live {
        Some(shared) => Ok(forget_member(shared, name)),
        None => Deputy::to(stores, None).and_then(|mut deputy| deputy.change(name, Wish::LeaveAll)),
    };
    left.inspect_err(|error| error!(%error, "the rooms of someone who is gone could not be left"))
        .unwrap_or(false)
}

/// Takes everything away that someone has said; the places stay. When this returns it is on the disk, and soon afterwards
/// nowhere in the files any more. False when it could not be written.
pub(super) fn remove_said(stores: &Stores, live: Option<&Shared>, name: &Username) -> Result<bool, LogError> {
    let mut deputy = Deputy::to(stores, live)?;
    while LogReader::open(&stores.folder.log())?.has_texts_of(name)? {
        if !deputy.change(name, Wish::RemoveSaid { count: REMOVED_AT_ONCE })? {
            return Ok(false);
        }
    }
    deputy.finish(stores)?;
    Ok(true)
}
