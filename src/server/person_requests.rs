//! What people ask about each other, and what they let others know of themselves.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use tracing::error;

use super::accounts::{Account, Role};
use super::log::Ignoring;
use super::log_writer::Task;
use super::presence;
use super::room_requests::{Guest, Stopping};
use crate::names::{AwayReason, Username};
use crate::wire::{Code, PersonCard, ROLE_ADMIN, ROLE_BOT, ROLE_MEMBER, ROOMS_OF_PERSON_MAX, ServerMessage};

impl Guest<'_> {
    /// This person is away, or back.
    pub(super) fn set_away(&self, away: Option<&str>) -> ServerMessage {
        match away.map(str::parse::<AwayReason>).transpose() {
            Ok(away) => {
                presence::set_away(self.shared, self.name, away);
                presence::message(self.shared, self.name)
            }
            Err(error) => refused(self.name.as_str(), Code::Malformed, error),
        }
    }

    /// What this person may know of someone.
    pub(super) fn who_is(&self, wanted: &str) -> ServerMessage {
        let account = wanted.parse().ok().and_then(|name| self.shared.stores.accounts.account(&name));
        match account {
            Some(account) => ServerMessage::Person { card: self.card_of(&account) },
            None => refused(wanted, Code::NoSuchPerson, "nobody here has that name"),
        }
    }

    /// Whether others are told when this person was last seen.
    pub(super) fn hide_last_seen(&self, hide: bool) -> ServerMessage {
        match self.shared.stores.people.hide_last(self.name, hide) {
            Ok(()) => self.who_is(self.name.as_str()),
            Err(reason) => {
                error!(%reason, "a wish could not be saved");
                let text =
                    "the server could not write it down, so nothing is changed; tell the person who runs it";
                refused(self.name.as_str(), Code::NotStored, text)
            }
        }
    }

    /// Ignores someone, or no more, or only tells whom this person ignores: before anything that is asked for later.
    pub(super) fn ignore(&self, name: Option<&str>, wanted: Option<bool>) -> Result<(), Stopping> {
        let change = match self.to_ignore(name, wanted) {
            Ok(change) => change,
            Err((code, text)) => {
                self.outbox.push(&refused(name.unwrap_or_default(), code, text));
                return Ok(());
            }
        };
        let ignoring = Ignoring { account: self.name.clone(), change };
        let (told, is_told) = sync_channel(1);
        self.hand_in(Task::Ignore { ignoring, outbox: Arc::clone(self.outbox), told })?;
        is_told.recv().map_err(|_| Stopping)
    }

    fn to_ignore(
        &self,
        name: Option<&str>,
        wanted: Option<bool>,
    ) -> Result<Option<(Username, bool)>, (Code, String)> {
        match (name, wanted) {
            (None, None) => Ok(None),
            (Some(name), Some(true)) => Ok(Some((self.person(name)?, true))),
            (Some(name), Some(false)) => {
                // Perhaps of someone whose account is gone.
                let name =
                    name.parse::<Username>().map_err(|error| (Code::NoSuchPerson, error.to_string()))?;
                Ok(Some((name, false)))
            }
            _ => Err((Code::Malformed, "say who, and whether to ignore them, or neither".to_owned())),
        }
    }

    fn card_of(&self, Account { name, role }: &Account) -> PersonCard {
        let shared = self.shared;
        let seen = shared.stores.people.seen(name);
        let is_online = shared.presence.is_online(name);
        let mut rooms = shared.rooms.shared_with(name, self.name);
        rooms.retain(|room| self.has_in_scope(room));
        let more = rooms.len() > ROOMS_OF_PERSON_MAX;
        rooms.truncate(ROOMS_OF_PERSON_MAX);
        PersonCard {
            name: name.to_string(),
            role: match role {
                Role::Member => ROLE_MEMBER,
                Role::Admin => ROLE_ADMIN,
                Role::Bot => ROLE_BOT,
            },
            is_online,
            away: shared.presence.away(name).map(|away| away.to_string()),
            last_seen: seen.filter(|seen| !is_online && !seen.hides_last).map(|seen| seen.last),
            since: seen.map(|seen| seen.first),
            rooms: rooms.iter().map(ToString::to_string).collect(),
            more,
            hides_last_seen: seen.filter(|_| name == self.name).map(|seen| seen.hides_last),
        }
    }
}

fn refused(name: &str, code: Code, text: impl ToString) -> ServerMessage {
    ServerMessage::PersonRefused { name: name.to_owned(), code, text: text.to_string() }
}
