//! What of one room this person has not read, on whatever device: what the server has counted, and what has come since.

use std::collections::VecDeque;

/// As many messages that came since are kept apart; more are only known to be many.
const LIVE_MAX: usize = 1000;

/// How many messages are unread, and how many of them name this person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) messages: u32,
    pub(super) mentions: u32,
}

#[derive(Default)]
pub(super) struct Unread {
    /// The last message that was read, if the server has told.
    read: Option<u64>,
    /// The server counts, and wants to know what is read.
    is_counted: bool,
    /// What the server has counted, up to the message `counted_to`.
    counted: Counts,
    counted_to: u64,
    /// What came after that: its number, and whether it names this person.
    live: VecDeque<(u64, bool)>,
}

impl Unread {
    /// The server has counted up to `head` what is unread after `read`.
    pub(super) fn told(&mut self, read: Option<u64>, head: u64, counted: Counts) {
        (self.is_counted, self.counted, self.counted_to) = (true, counted, head);
        self.read = self.read.max(read);
        let known = head.max(self.read.unwrap_or(0));
        self.live.retain(|(sequence, _)| *sequence > known);
    }

    /// Someone else has said something.
    pub(super) fn said(&mut self, sequence: u64, names_me: bool) {
        if sequence > self.counted_to && self.live.len() < LIVE_MAX {
            self.live.push_back((sequence, names_me));
        }
    }

    /// The last message that was read, if the server counts and has told.
    pub(super) fn read(&self) -> Option<u64> {
        self.read
    }

    /// Whether the server counts.
    pub(super) fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// How much it is, at least.
    pub(super) fn counts(&self) -> Counts {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mentions = self.live.iter().filter(|(_, names_me)| *names_me).count();
        Counts {
            messages: self.counted.messages.saturating_add(count(self.live.len())),
            mentions: self.counted.mentions.saturating_add(count(mentions)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(messages: u32, mentions: u32) -> Counts {
        Counts { messages, mentions }
    }

    #[test]
    fn what_came_after_the_server_has_counted_is_counted_once() {
        let mut unread = Unread::default();
        unread.told(Some(5), 9, counts(3, 1));
        unread.said(9, true); // it was counted
        unread.said(10, true);
        unread.said(12, false);
        assert_eq!(unread.counts(), counts(5, 2));
        unread.told(Some(10), 11, counts(0, 0));
        assert_eq!(unread.counts(), counts(1, 0), "12 has come since");
        unread.told(Some(12), 12, counts(0, 0));
        assert_eq!((unread.counts(), unread.read()), (counts(0, 0), Some(12)));
    }

    #[test]
    fn a_marker_never_goes_back_and_numbers_that_can_not_be_do_no_harm() {
        let mut unread = Unread::default();
        unread.told(Some(10), 10, counts(0, 0));
        unread.told(Some(3), 10, counts(7, 0));
        assert_eq!(unread.read(), Some(10));
        unread.told(Some(u64::MAX), u64::MAX, counts(u32::MAX, u32::MAX));
        unread.said(u64::MAX, true);
        (0..5000).for_each(|sequence| unread.said(sequence, true));
        assert_eq!(unread.counts(), counts(u32::MAX, u32::MAX));
        assert!(unread.live.len() <= LIVE_MAX);
    }
}
