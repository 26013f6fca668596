//! What is searched for, as the full-text index (`SQLite` FTS5) is asked for it. Whatever people type reaches it between
//! quotation marks only, where nothing but such a mark means anything.

use super::rows::RoomId;
use crate::names::SearchWords;

/// The shortest last word that also stands for the words that it is the beginning of, in characters.
const BEGINNING_CHARS_MIN: usize = 2;

/// Anything that is in one of these rooms.
pub(super) fn in_rooms(rooms: &[RoomId]) -> String {
    let rooms: Vec<_> = rooms.iter().map(|room| room_term(*room)).collect();
    format!("room : ({})", rooms.join(" OR "))
}

/// All of the words, in one of these rooms. The last one may be the beginning of a word.
pub(super) fn words_in_rooms(words: &SearchWords, rooms: &[RoomId]) -> String {
    let mut terms: Vec<String> = words.iter().map(quoted).collect();
    let is_long = words.iter().next_back().is_some_and(|word| word.chars().count() >= BEGINNING_CHARS_MIN);
    if let Some(last) = terms.last_mut().filter(|_| is_long) {
        last.push_str(" *");
    }
    format!("{} AND body : ({})", in_rooms(rooms), terms.join(" AND "))
}

/// How the index knows a room.
pub(super) fn room_term(room: RoomId) -> String {
    format!("r{}", room.row())
}

fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_stands_between_quotation_marks() {
        let rooms = [1, 7].map(RoomId::for_tests);
        let expression = |text: &str| words_in_rooms(&text.parse().unwrap(), &rooms);
        assert_eq!(expression("green tea"), r#"room : (r1 OR r7) AND body : ("green" AND "tea" *)"#);
        assert_eq!(expression("NEAR(a b)"), r#"room : (r1 OR r7) AND body : ("NEAR(a" AND "b)" *)"#);
        assert_eq!(expression("\"x\" t"), r#"room : (r1 OR r7) AND body : ("""x""" AND "t")"#);
    }
}
