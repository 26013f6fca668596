//! Who is online, and who of them is away: of each account, all its sessions together. It is forgotten with the last
//! session; a client that comes back says again that its person is away.
//!
//! The account's own sessions are told of each change; others at once, but no more often than every few seconds of one
//! account: what it changes meanwhile is told together by housekeeping. So nobody can flood others by changing their mind.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::lock::lock;
use super::outbox::Encoded;
use super::shared::Shared;
use crate::names::{AwayReason, Username};
use crate::wire::{self, AWAY_MAX, AwayPerson, ServerMessage};

/// Others are told of one account no more often than this.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Everyone who is online.
#[derive(Default)]
pub(super) struct Presence {
    /// Written by session threads, and by housekeeping as it tells. Locked for a few look-ups; a room may be locked by who
    /// locks it, but never the other way round.
    online: Mutex<HashMap<Username, Online>>,
    /// Held by whoever tells others, so that what is told last is what is so.
    telling: Mutex<()>,
}

/// Someone who is online.
#[derive(Default)]
struct Online {
    /// How many sessions there are; never 0.
    sessions: usize,
    away: Option<AwayReason>,
    /// When others were told last.
    told: Option<Instant>,
    /// It has changed since.
    is_due: bool,
}

impl Presence {
    /// A session has begun.
    pub(super) fn came(&self, name: &Username) {
        lock(&self.online).entry(name.clone()).or_default().sessions += 1;
    }

    /// A session has ended.
    pub(super) fn went(&self, name: &Username) {
        if let Entry::Occupied(mut online) = lock(&self.online).entry(name.clone()) {
            online.get_mut().sessions -= 1;
            if online.get().sessions == 0 {
                online.remove();
            }
        }
    }

    /// Whether someone is online.
    pub(super) fn is_online(&self, name: &Username) -> bool {
        lock(&self.online).contains_key(name)
    }

    /// Why someone is away, if they are.
    pub(super) fn away(&self, name: &Username) -> Option<AwayReason> {
        lock(&self.online).get(name)?.away.clone()
    }

    /// Those of `people` who are away, no more than are told together.
    pub(super) fn away_of<'p>(&self, people: impl Iterator<Item = &'p Username>) -> Vec<AwayPerson> {
        let online = lock(&self.online);
        let away = |name: &Username| {
            let away = online.get(name)?.away.as_ref()?.to_string();
            Some(AwayPerson { name: name.to_string(), away })
        };
        people.filter_map(away).take(AWAY_MAX).collect()
    }

    /// Someone is away or back. True when others are to be told now, and not later with what may change until then.
    fn set_away(&self, name: &Username, away: Option<AwayReason>, now: Instant) -> bool {
        let mut all = lock(&self.online);
        let Some(online) = all.get_mut(name).filter(|online| online.away != away) else { return false };
        online.away = away;
        online.is_due = true;
        online.take_due(now)
    }

    /// Those of whom others are to be told now.
    fn take_due(&self, now: Instant) -> Vec<Username> {
        let mut all = lock(&self.online);
        all.iter_mut().filter_map(|(name, online)| online.take_due(now).then(|| name.clone())).collect()
    }

    /// Someone who may be away has come to where others don't know it.
    pub(super) fn entered(&self, name: &Username) {
        if let Some(online) = lock(&self.online).get_mut(name).filter(|online| online.away.is_some()) {
            online.is_due = true;
        }
    }
}

impl Online {
    fn take_due(&mut self, now: Instant) -> bool {
        let rested = self.told.is_none_or(|told| now.saturating_duration_since(told) >= TOLD_EVERY);
        let is_due = self.is_due && rested;
        if is_due {
            (self.is_due, self.told) = (false, Some(now));
        }
        is_due
    }
}

/// Someone is away, or back: so it is from now on, and those who share a room with them hear of it.
pub(super) fn set_away(shared: &Shared, name: &Username, away: Option<AwayReason>) {
    let is_for_all = shared.presence.set_away(name, away, Instant::now());
    tell(shared, name, is_for_all);
}

/// Tells what has changed and was not told yet.
pub(super) fn tell_due(shared: &Shared) {
    for name in shared.presence.take_due(Instant::now()) {
        tell(shared, &name, true);
    }
}

/// Tells someone's own sessions, or every session that follows a room in which they are, once.
fn tell(shared: &Shared, name: &Username, is_for_all: bool) {
    let turn = lock(&shared.presence.telling);
    let bytes = Encoded::from(wire::encode(&message(shared, name)));
    let mut touched =
        if is_for_all { shared.rooms.audience_of(name) } else { shared.rooms.listeners_of(name) };
    touched.retain(|outbox| outbox.push_encoded(Encoded::clone(&bytes)));
    drop(turn);
    shared.flusher.hand_over(&mut touched);
}

/// What is told of someone.
pub(super) fn message(shared: &Shared, name: &Username) -> ServerMessage {
    let away = shared.presence.away(name).map(|away| away.to_string());
    ServerMessage::Presence { name: name.to_string(), away }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Username {
        text.parse().unwrap()
    }

    fn lunch() -> AwayReason {
        "lunch".parse().unwrap()
    }

    #[test]
    fn someone_is_online_and_perhaps_away_until_the_last_session_ends() {
        let (presence, alice) = (Presence::default(), name("alice"));
        presence.went(&alice);
        presence.came(&alice);
        presence.came(&alice);
        assert!(presence.set_away(&alice, Some(lunch()), Instant::now()));
        presence.went(&alice);
        assert!(presence.is_online(&alice) && presence.away(&alice) == Some(lunch()));
        presence.went(&alice);
        assert!(!presence.is_online(&alice) && presence.away(&alice).is_none());
        presence.came(&alice);
        assert_eq!(presence.away(&alice), None);
        assert!(!presence.set_away(&name("nobody"), Some(lunch()), Instant::now()));
    }

    #[test]
    fn who_changes_their_mind_often_is_told_of_once_now_and_once_later() {
        let (presence, alice, now) = (Presence::default(), name("alice"), Instant::now());
        presence.came(&alice);
        let told: Vec<_> =
            (0..100).map(|number| presence.set_away(&alice, (number % 2 == 0).then(lunch), now)).collect();
        assert_eq!(told.iter().filter(|told| **told).count(), 1);
        assert!(told[0] && presence.take_due(now).is_empty());
        assert_eq!(presence.take_due(now + TOLD_EVERY), std::slice::from_ref(&alice));
        assert!(presence.take_due(now + TOLD_EVERY * 2).is_empty(), "nothing has changed since");
        assert!(!presence.set_away(&alice, None, now + TOLD_EVERY * 3), "it is so already");
    }

    #[test]
    fn no_more_are_told_together_than_fit_in_a_record() {
        let presence = Presence::default();
        let people: Vec<_> = (0..=AWAY_MAX).map(|number| name(&format!("{number:0>32}"))).collect();
        let long = Some("x".repeat(200).parse::<AwayReason>().unwrap());
        for person in &people {
            presence.came(person);
            presence.set_away(person, long.clone(), Instant::now());
        }
        let away = presence.away_of(people.iter());
        assert_eq!(away.len(), AWAY_MAX);
        let room = "#lobby".to_owned();
        let longest_names = 4 * 32 * AWAY_MAX;
        let size = wire::encode(&ServerMessage::Away { room, people: away }).len() + longest_names;
        assert!(size < crate::channel::RECORD_BYTES_MAX);
    }
}
