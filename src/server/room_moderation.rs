//! What operators do about people in rooms, and what they ask about it. In the lobby everyone is, so what admins do there
//! the server does: who is removed there has their sessions ended once, and who is banned there is banned from the server.
//! It is written into the log of the lobby first, so that other admins read of it whatever happens then.

use std::sync::mpsc::sync_channel;

use tracing::{error, info};

use super::accounts::Role;
use super::bans::{Ban, Subject};
use super::clock;
use super::history::past;
use super::hub::Ending;
use super::log::{Measure, Moderation, OnServer, Outcome, Placed, SanctionKind, Wish, end_of};
use super::log_writer::{Asker, Task};
use super::moderation;
use super::room_requests::{Guest, Stopping};
use super::rooms::Room;
use super::tidings::{NO_SUCH_ROOM, NOT_STORED, answer, refused, room_refused};
use crate::names::{BanReason, TimeSpan, Username};
use crate::wire::{Code, MessageId, ROOM_PAGE_MAX, RoomEvent, SANCTION_BAN, Sanction, ServerMessage};

/// The most changes in a page of what operators have done.
const LOG_PAGE_MAX: usize = 50;

/// Why something can't be asked for, for programs and for people.
type No = (Code, String);

impl Guest<'_> {
    /// What a change of a room asks for about someone; else why not.
    pub(super) fn moderation(&self, room: &Room, event: RoomEvent) -> Result<Moderation, No> {
        let (name, measure) = measure(event)?;
        let about = match measure {
            // Perhaps of someone whose account is gone.
            Measure::Lift(_) | Measure::Purge { .. } => {
                name.parse().map_err(|error| (Code::NoSuchPerson, text(error)))?
            }
            _ => self.person(&name)?,
        };
        let is_lobby = room.name().is_lobby();
        let is_servers = is_lobby
            && !matches!(
                measure,
                Measure::Impose { kind: SanctionKind::Mute, .. }
                    | Measure::Lift(SanctionKind::Mute)
                    | Measure::Purge { .. }
            );
        Ok(Moderation {
            room: room.id(),
            by_admin: self.is_admin() && !room.name().is_private(),
            of_admin: is_lobby && self.is_of_admin(&about),
            on_server: is_servers.then(|| self.on_server(&about)),
            about,
            measure,
        })
    }

    /// Does to someone what the server does, once it is written. It is written once; what is asked for again after a lost
    /// connection is done again if it was not.
    pub(super) fn moderate_on_server(&self, id: MessageId, moderation: Moderation) -> Result<(), Stopping> {
        let change = self.change(id, Wish::Moderate(moderation.clone()));
        let (written, outcome) = sync_channel(1);
        self.hand_in(Task::Change { change, asker: Asker::Moderator(written) })?;
        let Some(outcome) = outcome.recv().map_err(|_| Stopping)? else {
            self.outbox.push(&refused(Code::NotStored, NOT_STORED, id));
            return Ok(());
        };
        let done = match &outcome {
            Outcome::Changed(Some(placed), _) => self.act(&moderation, *placed),
            _ => Ok(()),
        };
        let answer = match done {
            Ok(()) => answer(&self.shared.rooms, id, &outcome),
            Err(error) => {
                error!(%error, about = %moderation.about, "what an admin has done is written and not in force");
                Some(refused(Code::NotStored, error, id))
            }
        };
        if let Some(answer) = answer {
            self.outbox.push(&answer);
        }
        Ok(())
    }

    /// A page of those who are banned or muted in a room.
    pub(super) fn sanctions(&self, wanted: &str, after: Option<&str>) -> Result<ServerMessage, Stopping> {
        let room = match self.kept_in_order(wanted) {
            Ok(room) => room,
            Err(refused) => return Ok(refused),
        };
        let (now, after, id) = (clock::now(), after.unwrap_or_default().to_owned(), room.id());
        let mut sanctions = Vec::new();
        if room.name().is_lobby() {
            let bans = self.shared.stores.bans.accounts_after(&after, now, ROOM_PAGE_MAX + 1);
            sanctions.extend(bans.into_iter().filter_map(server_ban));
        }
        match self.ask(move |log| log.sanctions(id, &after, now, ROOM_PAGE_MAX + 1))? {
            Ok(found) => sanctions.extend(found),
            Err(error) => return Ok(not_read(wanted, &error)),
        }
        sanctions.sort_by(|one, other| (&one.name, one.kind).cmp(&(&other.name, other.kind)));
        let more = cut(&mut sanctions);
        Ok(ServerMessage::Sanctions { room: room.name().to_string(), sanctions, more })
    }

    /// A page of what operators have done in a room.
    pub(super) fn moderation_log(
        &self,
        wanted: &str,
        before: Option<u64>,
    ) -> Result<ServerMessage, Stopping> {
        let room = match self.kept_in_order(wanted) {
            Ok(room) => room,
            Err(refused) => return Ok(refused),
        };
        let (id, before) = (room.id(), before.unwrap_or(u64::MAX).min(room.head() + 1));
        match self.ask(move |log| log.moderations(id, before, LOG_PAGE_MAX + 1))? {
            Ok(mut changes) => {
                let more = changes.len() > LOG_PAGE_MAX;
                changes.truncate(LOG_PAGE_MAX);
                let changes = changes.into_iter().map(past).collect();
                Ok(ServerMessage::ModerationLog { room: room.name().to_string(), changes, more })
            }
            Err(error) => Ok(not_read(wanted, &error)),
        }
    }

    /// A room in which this person keeps order; else the answer.
    fn kept_in_order(&self, wanted: &str) -> Result<std::sync::Arc<Room>, ServerMessage> {
        let Some(room) = self.room(wanted) else {
            return Err(room_refused(wanted, Code::NoSuchRoom, NO_SUCH_ROOM));
        };
        if room.has_operator(self.name) || (self.is_admin() && !room.name().is_private()) {
            return Ok(room);
        }
        Err(room_refused(wanted, Code::NotOperator, "only an operator of the room can see that"))
    }

    /// Does what is written at a place.
    fn act(&self, moderation: &Moderation, placed: Placed) -> Result<(), String> {
        let Moderation { about, measure, .. } = moderation;
        let bans = &self.shared.stores.bans;
        let present = bans.of_account(about, clock::now());
        match measure {
            Measure::Remove { .. } if placed.is_new => {
                let told = format!("{}; you may come back", measure.told(self.name).unwrap_or_default());
                let ending = Ending { code: Code::Removed, text: told.into() };
                self.shared.hub.end_sessions(about, &ending, |_, _| true);
                info!(%about, by = %self.name, "removed");
                Ok(())
            }
            Measure::Impose { lasts, reason, .. } if placed.is_new || present.is_none() => {
                let ban = Ban {
                    subject: Subject::Account(about.clone()),
                    reason: reason.clone(),
                    by: Some(self.name.clone()),
                    at: placed.at,
                    until: lasts.map(|lasts| end_of(lasts, placed.at)),
                };
                moderation::ban(&self.shared.stores, Some(self.shared), ban).map(drop).map_err(text)
            }
            Measure::Lift(_) if present.is_some_and(|ban| ban.at <= placed.at) => {
                bans.lift(&Subject::Account(about.clone()), clock::now()).map(drop).map_err(text)
            }
            _ => Ok(()),
        }
    }

    fn on_server(&self, name: &Username) -> OnServer {
        let is_banned = self.shared.stores.bans.of_account(name, clock::now()).is_some();
        OnServer { is_connected: self.shared.hub.is_connected(name), is_banned }
    }

    fn is_of_admin(&self, name: &Username) -> bool {
        self.shared.stores.accounts.account(name).is_some_and(|account| account.role == Role::Admin)
    }
}

/// What a change of a room asks for, and about whom.
fn measure(event: RoomEvent) -> Result<(String, Measure), No> {
    Ok(match event {
        RoomEvent::Removed { name, reason } => (name, Measure::Remove { reason: parsed(reason)? }),
        RoomEvent::Banned { name, until, reason, seconds } => {
            (name, imposed(SanctionKind::Ban, until, reason, seconds)?)
        }
        RoomEvent::Muted { name, until, reason, seconds } => {
            (name, imposed(SanctionKind::Mute, until, reason, seconds)?)
        }
        RoomEvent::Unbanned { name } => (name, Measure::Lift(SanctionKind::Ban)),
        RoomEvent::Unmuted { name } => (name, Measure::Lift(SanctionKind::Mute)),
        RoomEvent::Purged { name, since, seconds } => {
            (name, Measure::Purge { within: span(since, seconds)? })
        }
        _ => return Err((Code::BadBody, "that is not done to anyone".to_owned())),
    })
}

fn imposed(
    kind: SanctionKind,
    until: Option<u64>,
    reason: Option<String>,
    seconds: Option<u64>,
) -> Result<Measure, No> {
    Ok(Measure::Impose { kind, lasts: span(until, seconds)?, reason: parsed(reason)? })
}

/// A time that is asked for; only the server tells what time that is.
fn span(time: Option<u64>, seconds: Option<u64>) -> Result<Option<TimeSpan>, No> {
    if time.is_some() {
        return Err((Code::BadBody, "say how many seconds; the server tells the time".to_owned()));
    }
    let span = seconds.map(|seconds| TimeSpan::seconds(seconds).ok_or(seconds)).transpose();
    span.map_err(|_| (Code::BadBody, "a time is from one second to ten years".to_owned()))
}

fn parsed(reason: Option<String>) -> Result<Option<BanReason>, No> {
    let reason = reason.map(|reason| reason.parse::<BanReason>()).transpose();
    reason.map_err(|error| (Code::BadBody, text(error)))
}

/// A ban from the server, as it stands among the sanctions of the lobby.
fn server_ban(ban: Ban) -> Option<Sanction> {
    let Subject::Account(name) = ban.subject else { return None };
    Some(Sanction {
        name: name.to_string(),
        kind: SANCTION_BAN,
        at: ban.at,
        by: ban.by.map_or_else(String::new, |by| by.to_string()),
        until: ban.until,
        reason: ban.reason.map(|reason| reason.to_string()),
    })
}

/// Cuts off what is too much for a page, if anything is, so that nobody stands on two of them.
fn cut(sanctions: &mut Vec<Sanction>) -> bool {
    let Some(next) = sanctions.get(ROOM_PAGE_MAX).map(|sanction| sanction.name.clone()) else {
        return false;
    };
    sanctions.truncate(ROOM_PAGE_MAX);
    sanctions.retain(|sanction| sanction.name != next);
    true
}

fn not_read(wanted: &str, error: &impl std::fmt::Display) -> ServerMessage {
    error!(%error, "the log can't be read");
    room_refused(wanted, Code::Busy, "the server can't read its log now; ask again later")
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_stands_on_two_pages() {
        let sanction = |number: usize| Sanction {
            name: format!("p{:04}", number / 2),
            kind: (number % 2).try_into().unwrap(),
            at: 1,
            by: String::new(),
            until: None,
            reason: None,
        };
        for (count, left, more) in [(100, 100, false), (101, 100, true), (202, 100, true)] {
            let mut page: Vec<_> = (0..count).map(sanction).collect();
            assert_eq!((cut(&mut page), page.len()), (more, left), "{count}");
        }
        let mut page: Vec<_> = (1..102).map(sanction).collect();
        assert_eq!((cut(&mut page), page.len()), (true, 99), "p0050 is on the next one");
    }

    #[test]
    fn nonsense_is_asked_for_in_vain() {
        let name = || "bob".to_owned();
        let hostile = [
            RoomEvent::Removed { name: name(), reason: Some("a\nb".into()) },
            RoomEvent::Removed { name: name(), reason: Some("x".repeat(201)) },
            RoomEvent::Removed { name: name(), reason: Some(" ".into()) },
            RoomEvent::Banned { name: name(), until: None, reason: None, seconds: Some(0) },
            RoomEvent::Banned { name: name(), until: None, reason: None, seconds: Some(u64::MAX) },
            RoomEvent::Muted { name: name(), until: Some(1), reason: None, seconds: None },
            RoomEvent::Left {},
        ];
        for event in hostile {
            assert!(matches!(measure(event.clone()), Err((Code::BadBody, _))), "{event:?}");
        }
    }
}
