//! The index and what is found in it, against a log that changes in every way.

use super::super::rows::{Entry, RoomId};
use super::super::search::{Search, Spot};
use super::super::store::{LogStore, Write};
use super::*;
use crate::wire::MessageId;

struct Library {
    folder: tempfile::TempDir,
    store: LogStore,
    lobby: RoomId,
    index: SearchIndex,
}

impl Library {
    fn of(folder: tempfile::TempDir) -> Self {
        let (store, (lobby, _)) = LogStore::open(&folder.path().join("chat.db"), 5).unwrap();
        let index = SearchIndex::open(&folder.path().join("search.db"), store.reader().unwrap()).unwrap();
        store.forget_altered(index.altered()).unwrap();
        Self { folder, store, lobby: lobby.id, index }
    }

    fn new() -> Self {
        Self::of(tempfile::tempdir().unwrap())
    }

    fn restarted(self) -> Self {
        Self::of(self.folder)
    }

    fn say<T: AsRef<str>>(&mut self, texts: impl IntoIterator<Item = T>) {
        let entry = |text: T| Entry {
            room: self.lobby,
            author: "alice".parse().unwrap(),
            id: MessageId::random().unwrap(),
            kind: BODY_TEXT,
            body: text.as_ref().into(),
            about: None,
        };
        let entries: Vec<_> = texts.into_iter().map(entry).collect();
        self.store.write(entries.iter().map(Write::Say), 5).unwrap();
    }

    fn gather(&mut self) {
        while self.index.step().unwrap() {}
    }

    /// Changes the log by hand, as whoever edits or removes does.
    fn alter(&self, statement: &str) {
        self.store.connection.execute_batch(statement).unwrap();
    }

    fn search(&self, words: &str, from: Option<Spot>, count: usize) -> (Vec<u64>, Option<Spot>) {
        let log = self.store.reader().unwrap().with_index(&self.folder.path().join("search.db")).unwrap();
        let (words, rooms) = (words.parse().unwrap(), vec![self.lobby]);
        let finds = log.search(&Search { words, rooms, from, count, bytes: 1_000_000 }).unwrap().unwrap();
        (finds.hits.iter().map(|(_, hit)| hit.sequence).collect(), finds.next)
    }

    fn found(&self, words: &str) -> Vec<u64> {
        self.search(words, None, 100).0
    }

    /// Whether a word is anywhere in the files of the index.
    fn is_on_the_disk(&self, word: &str) -> bool {
        ["search.db", "search.db-wal"].iter().any(|name| {
            let bytes = fs::read(self.folder.path().join(name)).unwrap_or_default();
            bytes.windows(word.len()).any(|window| window == word.as_bytes())
        })
    }
}

#[test]
fn words_are_found_in_any_case_without_accents_and_by_the_beginning_of_the_last_one() {
    let mut library = Library::new();
    library.say(["Green tea, please", "a café in Zürich", "greenish", "tea is GREEN", "зелёный чай"]);
    library.gather();
    let cases: [(&str, &[u64]); 10] = [
        ("green tea", &[4, 1]),
        ("tea green", &[4, 1]),
        ("gree", &[4, 3, 1]),
        ("g", &[]),
        ("cafe zurich", &[2]),
        ("CAFÉ", &[2]),
        ("ЗЕЛЁНЫЙ", &[5]),
        ("gree tea", &[]),
        ("please green", &[1]),
        ("nothing", &[]),
    ];
    for (words, expected) in cases {
        assert_eq!(library.found(words), expected, "{words}");
    }
}

#[test]
fn no_syntax_of_the_index_reaches_it() {
    let mut library = Library::new();
    library.say(["near the sea", "a OR b", "room : r1", "col:on", "x AND NOT y", "quo\"te"]);
    library.gather();
    let typed = [
        "\"",
        "near(the",
        "NEAR(near sea)",
        "a* OR b*",
        "-near",
        "^near",
        "room : r1",
        "{room body} : near",
        "near + sea",
        "quo\"te",
        "near AND sea",
        "near NOT sea",
        "near) OR (sea",
        "\"near\" \"",
        "''; DROP TABLE texts; --",
        "?1 near",
        "near\0sea",
        "* near",
        "r1",
    ];
    for words in typed {
        if let Ok(words) = words.parse::<crate::names::SearchWords>() {
            let words: Vec<_> = words.iter().collect();
            library.found(&words.join(" "));
        }
    }
    assert_eq!(library.found("near NOT sea"), [] as [u64; 0], "NOT is a word");
    assert_eq!(library.found("x AND NOT y"), [5]);
    assert_eq!(library.found("quo\"te"), [6]);
    assert_eq!(library.found("r1"), [3], "a room's term is not among the words");
}

#[test]
fn what_is_changed_or_gone_is_found_as_it_is_now_and_leaves_no_word_on_the_disk() {
    let mut library = Library::new();
    library.say(["xylophone one", "xylophone two", "xylophone three"]);
    library.gather();
    assert_eq!(library.found("xylophone"), [3, 2, 1]);
    library.alter("UPDATE messages SET body = CAST('harp' AS BLOB) WHERE sequence = 1");
    library.alter("UPDATE messages SET kind = 32772, body = x'61' WHERE sequence = 2");
    library.alter("DELETE FROM messages WHERE sequence = 3");
    assert_eq!(
        library.found("two"),
        [] as [u64; 0],
        "what is gone is not shown, even before the index knows"
    );
    library.gather();
    library.index.wipe().unwrap();
    assert!(!library.index.has_remains());
    assert_eq!((library.found("xylophone"), library.found("harp")), (vec![], vec![1]));
    assert!(library.is_on_the_disk("harp") && !library.is_on_the_disk("xylophone"));
}

#[test]
fn an_index_goes_on_where_it_was_and_another_logs_is_made_anew() {
    let mut library = Library::new();
    library.say((0..1200).map(|number| format!("number {number}")));
    assert!(library.index.step().unwrap());
    let mut library = library.restarted();
    assert_eq!(library.index.progress.message, 500, "it did not begin anew");
    library.gather();
    assert_eq!(library.found("number").len(), 100);
    library.say(["the last one"]);
    library.alter("UPDATE messages SET body = CAST('the very first' AS BLOB) WHERE sequence = 1");
    let mut library = library.restarted();
    library.gather();
    assert_eq!((library.found("last"), library.found("very")), (vec![1201], vec![1]));
    // A log of another origin in the same place, such as an older copy that was put back.
    library.alter("UPDATE messages SET client_id = zeroblob(16) WHERE sequence = 1201");
    let mut library = library.restarted();
    assert_eq!(library.index.progress.message, 0);
    library.gather();
    assert_eq!(library.found("last"), [1201]);
}

#[test]
fn a_broken_or_missing_index_is_made_anew() {
    let mut library = Library::new();
    library.say(["hello"]);
    library.gather();
    let Library { folder, store, index, .. } = library;
    drop((store, index));
    fs::write(
        folder.path().join("search.db"),
        "not a database, but long enough to be taken for one".repeat(99),
    )
    .unwrap();
    let mut library = Library::of(folder);
    library.gather();
    assert_eq!(library.found("hello"), [1]);
    let Library { folder, store, index, .. } = library;
    drop((store, index));
    fs::remove_file(folder.path().join("search.db")).unwrap();
    let mut library = Library::of(folder);
    library.gather();
    assert_eq!(library.found("hello"), [1]);
}

#[test]
fn one_page_follows_the_other_without_a_gap_or_a_repeat() {
    let mut library = Library::new();
    library.say((1..=100).map(|number| if number % 3 == 0 { "fizz" } else { "other" }));
    library.gather();
    let (mut all, mut from) = (Vec::new(), None);
    loop {
        let (page, next) = library.search("fizz", from, 7);
        assert!(page.len() <= 7);
        all.extend(page);
        from = next;
        if from.is_none() {
            break;
        }
    }
    let expected: Vec<u64> = (1..=100).rev().filter(|number| number % 3 == 0).collect();
    assert_eq!(all, expected);
}
