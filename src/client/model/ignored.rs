//! Whom this person does not want to hear: nothing that they say is shown, or counted as unread.

use std::collections::BTreeSet;

use super::super::happening::Happening;
use super::super::place::NAME_BYTES_MAX;
use super::Model;
use crate::wire::IGNORED_MAX;

impl Model {
    /// Whom this person ignores, in the order of the alphabet.
    pub(in crate::client) fn ignored(&self) -> impl Iterator<Item = &str> {
        self.ignored.iter().flatten().map(String::as_str)
    }

    /// Whether this person ignores someone.
    pub(in crate::client) fn ignores(&self, name: &str) -> bool {
        self.ignored.as_ref().is_some_and(|ignored| ignored.contains(name))
    }

    /// All whom this person ignores. What is told first is no news.
    pub(super) fn ignoring(&mut self, names: Vec<String>) -> Vec<Happening> {
        let names: BTreeSet<_> =
            names.into_iter().filter(|name| name.len() <= NAME_BYTES_MAX).take(IGNORED_MAX).collect();
        let before = self.ignored.replace(names.clone()).unwrap_or_else(|| names.clone());
        let (more, less) = (names.difference(&before), before.difference(&names));
        vec![Happening::Ignoring { more: more.cloned().collect(), less: less.cloned().collect() }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::recent::Subject;
    use crate::names::RoomName;
    use crate::wire::{MessageId, ServerMessage};

    fn ignoring(names: &[&str]) -> ServerMessage {
        ServerMessage::Ignoring { names: names.iter().map(|&name| name.to_owned()).collect() }
    }

    fn said(sequence: u64, author: &str) -> ServerMessage {
        said_of(sequence, author, None)
    }

    fn said_of(sequence: u64, author: &str, of: Option<u64>) -> ServerMessage {
        ServerMessage::Said {
            room: "#lobby".into(),
            sequence,
            at: 1,
            author: author.into(),
            id: MessageId::from_bytes([9; 16]),
            kind: 0,
            body: b"hello".to_vec().into(),
            of,
            edited: None,
        }
    }

    fn model() -> Model {
        let mut model = Model::new("alice".into(), RoomName::lobby());
        model.take_unsent();
        model.apply(ServerMessage::Joined { room: "#lobby".into(), after: 0, head: 0 });
        model
    }

    #[test]
    fn what_changes_is_news_and_what_is_told_first_is_none() {
        let mut model = model();
        let news = |more: &[&str], less: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            [Happening::Ignoring { more: owned(more), less: owned(less) }]
        };
        assert_eq!(model.apply(ignoring(&["bob", "carol"])), news(&[], &[]));
        assert_eq!(model.apply(ignoring(&["carol", "dave"])), news(&["dave"], &["bob"]));
        assert_eq!(model.ignored().collect::<Vec<_>>(), ["carol", "dave"]);
    }

    #[test]
    fn what_someone_says_who_is_ignored_is_passed_over_and_missed_by_nobody() {
        let mut model = model();
        assert_eq!(model.apply(said(1, "bob")).len(), 1);
        model.apply(ignoring(&["bob"]));
        assert_eq!(model.apply(said(2, "bob")), []);
        let next = model.apply(said(3, "carol"));
        assert!(matches!(&next[..], [Happening::Said { .. }]), "{next:?}");
        model.apply(ignoring(&[]));
        assert_eq!(model.apply(said(4, "bob")).len(), 1);
    }

    #[test]
    fn it_is_neither_counted_nor_listed_nor_quoted() {
        let mut model = model();
        model.apply(ignoring(&["bob"]));
        model.apply(said(1, "bob"));
        assert_eq!((model.unread().count(), model.recent().count(), model.others_last()), (0, 0, None));
        let answer = model.apply(said_of(2, "carol", Some(1)));
        assert!(matches!(&answer[..], [Happening::Said { subject: Subject::Earlier, .. }]), "{answer:?}");
        assert_eq!((model.unread().count(), model.recent().count()), (1, 1));
    }

    #[test]
    fn a_server_can_not_make_us_keep_many_or_long_names() {
        let mut model = model();
        let many: Vec<String> = (0..IGNORED_MAX + 9).map(|number| format!("p{number}")).collect();
        model.apply(ServerMessage::Ignoring { names: many });
        assert_eq!(model.ignored().count(), IGNORED_MAX);
        model.apply(ignoring(&[&"x".repeat(NAME_BYTES_MAX + 1)]));
        assert_eq!(model.ignored().count(), 0);
    }
}
