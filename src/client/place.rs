//! Where this client is in one room: how far it has shown what was said there, and who is there.

use std::collections::BTreeSet;
use std::mem;

use super::recent::Recent;
use super::unread::Unread;

/// The longest name that is kept, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 256;

/// One room that this person is in, or wants to be in.
#[derive(Default)]
pub(super) struct Place {
    /// The person has asked for it, and was not let in yet.
    pub(super) is_wanted: bool,
    stage: Stage,
    /// The server has told that the account is in it, since it was last asked for all rooms.
    pub(super) is_told: bool,
    /// The number of the last message that was shown, or after which it shall be; `None` if the server decides.
    pub(super) seen: Option<u64>,
    /// The number of the first message that was shown, or will be: from there on all were.
    shown_from: Option<u64>,
    /// The number up to which what is unread was shown, when asked for.
    unread_shown: Option<u64>,
    /// The number up to which the server was told that it is read.
    marked: Option<u64>,
    pub(super) unread: Unread,
    pub(super) recent: Recent,
    people: BTreeSet<String>,
    /// The whole list of people has come once.
    is_listed: bool,
    /// A list of people of which parts are still to come.
    gathering: BTreeSet<String>,
}

/// Who is in a room and was not before, and the other way round.
pub(super) struct Change {
    pub(super) came: Vec<String>,
    pub(super) went: Vec<String>,
}

/// How far it is with a room on the present connection.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Outside,
    /// The server was asked for it.
    Asked,
    Inside,
}

impl Place {
    /// A room that the account is in, and in which this much was said before this person came.
    pub(super) fn told(head: u64) -> Self {
        Self { is_told: true, seen: Some(head), ..Self::default() }
    }

    /// The same, when what was said after this number is going to be shown.
    pub(super) fn told_to_show(after: u64) -> Self {
        Self { shown_from: Some(after.saturating_add(1)), ..Self::told(after) }
    }

    /// Someone was let in.
    pub(super) fn enter(&mut self, after: u64) {
        (self.is_wanted, self.is_told, self.stage) = (false, true, Stage::Inside);
        self.seen = Some(after);
        self.recent.forget_after(after);
        self.show_from(after.saturating_add(1));
        self.gathering.clear();
    }

    /// The number before which nothing was shown; none if it was never entered.
    pub(super) fn shown_from(&self) -> Option<u64> {
        self.shown_from
    }

    /// Notes that messages from this number on are being shown, up to those that were.
    pub(super) fn show_from(&mut self, first: u64) {
        self.shown_from = Some(self.shown_from.map_or(first, |shown| shown.min(first)));
    }

    /// The connection is gone.
    pub(super) fn lose(&mut self) {
        (self.is_told, self.stage, self.marked) = (false, Stage::Outside, None);
    }

    /// Whether it was entered on the present connection.
    pub(super) fn is_in(&self) -> bool {
        self.stage == Stage::Inside
    }

    /// Whether it was asked for on the present connection, and there is no answer yet.
    pub(super) fn is_asked(&self) -> bool {
        self.stage == Stage::Asked
    }

    /// Whether it is to be asked for now; true once on each connection. Who is in the lobby is so everywhere.
    pub(super) fn ask(&mut self, is_lobby: bool) -> bool {
        let is_due = self.stage == Stage::Outside && (self.is_wanted || self.is_told || is_lobby);
        if is_due {
            self.stage = Stage::Asked;
        }
        is_due
    }

    /// The present connection is one that has not entered it.
    pub(super) fn step_out(&mut self) {
        self.stage = Stage::Outside;
    }

    /// Notes that this message is being shown. Gives the number of the one before it that was; none if it was shown
    /// before, or was not to be.
    pub(super) fn show(&mut self, sequence: u64) -> Option<u64> {
        let seen = self.seen.filter(|seen| self.is_in() && sequence > *seen)?;
        self.seen = Some(sequence);
        Some(seen)
    }

    /// The number after which what is unread was not shown yet; none if all of it was.
    pub(super) fn unread_from(&self) -> Option<u64> {
        let from = self.unread.read()?.max(self.unread_shown.unwrap_or(0));
        let is_shown = self.shown_from.is_some_and(|shown| shown <= from.saturating_add(1));
        (!is_shown && self.unread.counts().messages > 0).then_some(from)
    }

    /// Notes that what is unread is being shown up to this number.
    pub(super) fn show_unread_to(&mut self, last: u64) {
        self.unread_shown = self.unread_shown.max(Some(last));
        if let Some(read) = self.unread.read()
            && self.shown_from.is_some_and(|shown| shown <= last.saturating_add(1))
        {
            self.show_from(read.saturating_add(1));
        }
    }

    /// How far this person has read and the server does not know it. Who looks at the room has read what was shown as it
    /// came, unless something before it was not.
    pub(super) fn read_up_to(&self, is_looked_at: bool) -> Option<u64> {
        if !self.unread.is_counted() || !self.is_in() {
            return None;
        }
        let known = self.unread.read().max(self.marked);
        let looked_at = self.seen.filter(|_| is_looked_at && self.unread_from().is_none());
        looked_at.max(self.unread_shown).filter(|read| *read > 0 && Some(*read) > known)
    }

    /// The server was told that it is read up to this number.
    pub(super) fn marked(&mut self, sequence: u64) {
        self.marked = self.marked.max(Some(sequence));
    }

    /// Who is there, in the order of the alphabet.
    pub(super) fn people(&self) -> impl ExactSizeIterator<Item = &str> {
        self.people.iter().map(String::as_str)
    }

    /// How many names are kept.
    pub(super) fn names(&self) -> usize {
        self.people.len().max(self.gathering.len())
    }

    /// Takes a part of a list of people. No more than `most` names are kept. With its last part it counts; then gives what
    /// has changed since the list came before, if it did.
    pub(super) fn gather(
        &mut self,
        names: Vec<String>,
        first: bool,
        last: bool,
        most: usize,
    ) -> Option<Change> {
        if first {
            self.gathering.clear();
        }
        for name in names {
            keep(&mut self.gathering, name, most);
        }
        if !last {
            return None;
        }
        let before = mem::replace(&mut self.people, mem::take(&mut self.gathering));
        let came = self.people.difference(&before).cloned().collect();
        let went = before.difference(&self.people).cloned().collect();
        mem::replace(&mut self.is_listed, true).then_some(Change { came, went })
    }

    /// Whether someone is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.people.contains(name)
    }

    /// Someone came.
    pub(super) fn arrived(&mut self, name: String, most: usize) {
        keep(&mut self.people, name, most);
    }

    /// Someone went.
    pub(super) fn left(&mut self, name: &str) {
        self.people.remove(name);
    }
}

fn keep(people: &mut BTreeSet<String>, name: String, most: usize) {
    if people.len() < most && name.len() <= NAME_BYTES_MAX {
        people.insert(name);
    }
}
