//! What Tab offers: the words that can stand where one is being typed. It is pure.

use super::arguments::{self, Kind};
use super::{Entry, entries, entry};
use crate::names::{RoomName, Username};

/// The most words that are offered.
const OFFERED_MAX: usize = 100;

/// What can be meant by what is being typed.
pub(in crate::client) struct Known<'k> {
    pub(in crate::client) me: &'k str,
    /// The people of the current room and others, as the server told them.
    pub(in crate::client) people: Vec<&'k str>,
    /// The rooms that one is in.
    pub(in crate::client) rooms: Vec<&'k RoomName>,
}

/// Words that can stand in the place of the one that is being typed, which begins at this byte of the line.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::client) struct Completion {
    pub(in crate::client) start: usize,
    pub(in crate::client) words: Vec<String>,
}

/// What can stand in the place of the last word of what is `typed` before the cursor.
pub(in crate::client) fn complete(typed: &str, known: &Known<'_>) -> Completion {
    let start = typed.rfind(char::is_whitespace).map_or(0, |space| {
        space + typed.get(space..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    });
    let (before, word) = typed.split_at(start);
    let is_command = typed.starts_with('/') && !typed.starts_with("//");
    let mut words = match before.split_whitespace().next() {
        None if is_command => commands(word),
        None if !word.is_empty() => known.named_at_the_beginning(word),
        Some(name) if is_command => arguments_of(name, before.split_whitespace().count() - 1, word, known),
        _ => known.named(word),
    };
    words.truncate(OFFERED_MAX);
    Completion { start, words }
}

/// The commands that begin like this. A space follows those that take something.
fn commands(word: &str) -> Vec<String> {
    let shown = |entry: &Entry| {
        if entry.meaning.takes().is_empty() { entry.name.to_owned() } else { format!("{} ", entry.name) }
    };
    let mut words: Vec<String> = entries().filter(|entry| begins(entry.name, word)).map(shown).collect();
    words.sort();
    words
}

/// What can be the argument of a command in this place, counted from 0. One that may be left out can be in any.
fn arguments_of(command: &str, place: usize, word: &str, known: &Known<'_>) -> Vec<String> {
    let Some(entry) = entry(command) else { return known.named(word) };
    let kinds = arguments::kinds(entry.meaning.takes());
    let last = place.min(kinds.len().saturating_sub(1));
    if let Some(Kind::Text { .. } | Kind::Words { .. }) = kinds.get(last) {
        return known.named(word);
    }
    let alone = entry.meaning.takes().iter().filter_map(|argument| match argument {
        arguments::Argument::Perhaps([kind]) => Some(*kind),
        _ => None,
    });
    let mut here: Vec<Kind> = kinds.get(place).copied().into_iter().collect();
    here.extend(alone.filter(|kind| kinds.get(place) != Some(kind)));
    here.into_iter().flat_map(|kind| known.of_kind(kind, word)).collect()
}

impl Known<'_> {
    fn of_kind(&self, kind: Kind, word: &str) -> Vec<String> {
        match kind {
            Kind::Person => {
                self.people(word.trim_start_matches('@')).map(|name| format!("{name} ")).collect()
            }
            Kind::Room => self.rooms(word),
            Kind::Command => commands(&format!("/{}", word.trim_start_matches('/'))),
            Kind::Device => matching(&["others"], word),
            Kind::Word(words) => matching(words, word),
            Kind::Message | Kind::Time | Kind::Number { .. } | Kind::Words { .. } | Kind::Text { .. } => {
                Vec::new()
            }
        }
    }

    /// A room or a person in what one says.
    fn named(&self, word: &str) -> Vec<String> {
        match word.chars().next() {
            None => Vec::new(),
            Some('#' | '@') => self.rooms(word),
            Some(_) => self.people(word).map(|name| format!("{name} ")).collect(),
        }
    }

    /// The same at its beginning, where a person is whom one speaks to.
    fn named_at_the_beginning(&self, word: &str) -> Vec<String> {
        if word.starts_with(['#', '@']) {
            return self.named(word);
        }
        self.people(word).map(|name| format!("{name}: ")).collect()
    }

    /// Others whose names begin like this, however it is written.
    fn people(&self, word: &str) -> impl Iterator<Item = &str> {
        let prepared = word.parse::<Username>().map_or_else(|_| word.to_lowercase(), |name| name.to_string());
        let others = self.people.iter().copied().filter(|name| *name != self.me);
        // What a server tells may be anything.
        others.filter(move |name| name.starts_with(&prepared) && name.parse::<Username>().is_ok())
    }

    /// One's rooms whose names begin like this, with or without a `#`, or with a `@` people.
    fn rooms(&self, word: &str) -> Vec<String> {
        if let Some(name) = word.strip_prefix('@') {
            return self.people(name).map(|name| format!("@{name} ")).collect();
        }
        let bare = word.trim_start_matches('#');
        let rooms = self.rooms.iter().filter(|room| !room.is_direct());
        let named = rooms.filter(|room| begins(room.as_str().trim_start_matches('#'), bare));
        named.map(|room| format!("{room} ")).collect()
    }
}

fn matching(words: &[&str], word: &str) -> Vec<String> {
    words.iter().filter(|whole| begins(whole, word)).map(|whole| format!("{whole} ")).collect()
}

/// Whether a name of ASCII letters begins like this, in capitals or not.
fn begins(name: &str, word: &str) -> bool {
    name.get(..word.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(typed: &str) -> Vec<String> {
        let rooms: Vec<RoomName> =
            ["#lobby", "#tea", "#team.k7q2", "@al+alice"].map(|room| room.parse().unwrap()).into();
        let people = vec!["alice", "al", "bob", "émile", "evil\u{1b}[2J", "no name"];
        let known = Known { me: "al", people, rooms: rooms.iter().collect() };
        let Completion { start, words } = complete(typed, &known);
        words.into_iter().map(|word| format!("{}{word}", &typed[..start])).collect()
    }

    #[test]
    fn commands_and_their_arguments_are_offered_by_their_kind() {
        assert_eq!(offered("/who"), ["/who", "/whois "]);
        assert_eq!(offered("/WHOI"), ["/whois "]);
        assert_eq!(offered("/whois A"), ["/whois alice "]);
        assert_eq!(offered("/whois @b"), ["/whois bob "]);
        assert_eq!(offered("/join te"), ["/join #tea ", "/join #team.k7q2 "]);
        assert_eq!(offered("/join #TEAM"), ["/join #team.k7q2 "]);
        assert_eq!(offered("/room @a"), ["/room @alice "]);
        assert_eq!(offered("/part a"), Vec::<String>::new(), "a conversation by the one with whom it is");
        assert_eq!(offered("/msg a"), ["/msg alice "]);
        assert_eq!(offered("/msg alice ask b"), ["/msg alice ask bob "]);
        assert_eq!(offered("/history 100 #t"), ["/history 100 #tea ", "/history 100 #team.k7q2 "]);
        assert_eq!(offered("/create #tea "), ["/create #tea private "]);
        assert_eq!(offered("/devices "), ["/devices revoke "]);
        assert_eq!(offered("/devices revoke o"), ["/devices revoke others "]);
        assert_eq!(offered("/lastseen "), ["/lastseen on ", "/lastseen off "]);
        assert_eq!(offered("/help wh"), ["/help /who", "/help /whois "]);
        assert!(offered("/passwd ").is_empty() && offered("/history 10").is_empty());
    }

    #[test]
    fn people_and_rooms_are_offered_in_what_one_says() {
        assert_eq!(offered("b"), ["bob: "]);
        assert_eq!(offered("ask b"), ["ask bob "]);
        assert_eq!(offered("@A"), ["@alice "]);
        assert_eq!(offered("É"), ["émile: "]);
        assert_eq!(offered("e\u{301}"), ["émile: "], "however it is written");
        assert_eq!(offered("Ａ"), ["alice: "]);
        assert_eq!(offered("see #te"), ["see #tea ", "see #team.k7q2 "]);
        assert_eq!(offered("/topic ask bo"), ["/topic ask bob "]);
        assert_eq!(offered("//wh"), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_offered_for_nothing_nor_what_can_be_no_name() {
        for typed in ["", " ", "hello ", "ev", "no", "/nonsense x", "\u{1b}"] {
            assert!(offered(typed).is_empty(), "{typed:?}");
        }
    }
}
