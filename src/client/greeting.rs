//! Who is here, in words.

use crate::names::RoomName;

use super::model::Model;
use super::person_words::is_away;
use super::unread::Counts;
use crate::wire::UNREAD_MAX;

/// The most people who are named when someone enters.
const NAMED_MAX: usize = 8;

/// What someone is told who has just entered.
pub(super) fn greeting(model: &Model) -> String {
    let others: Vec<&str> = model.people().filter(|name| *name != model.me()).collect();
    let company = match others.len() {
        0 => "nobody else is here".to_owned(),
        1..=NAMED_MAX => format!("with you: {}", others.join(", ")),
        count => format!("with you are {count} others (/who names them)"),
    };
    format!("you are {} in {}; {company}; /help shows the commands", model.me(), model.room())
}

/// The other rooms that someone is in who has just entered; none if there are none. Direct conversations are not among
/// them: what was said there is shown.
pub(super) fn other_rooms(model: &Model) -> Option<String> {
    let is_other = |room: &&RoomName| *room != model.room() && !room.is_direct();
    let others: Vec<&str> = model.rooms().filter(is_other).map(RoomName::as_str).collect();
    let named = others.get(..NAMED_MAX).map_or_else(
        || others.join(", "),
        |named| format!("{} and {} more", named.join(", "), others.len() - NAMED_MAX),
    );
    (!others.is_empty()).then(|| format!("you are also in {named}; /join talks there"))
}

/// What someone is told who has just entered of what is unread and was not shown; none if there is nothing.
pub(super) fn unread(model: &Model) -> Option<String> {
    let hidden: Vec<_> = model.unread().filter(|(room, _)| model.unread_from(room).is_some()).collect();
    let (first, _) = hidden.first()?;
    let named: Vec<String> =
        hidden.iter().take(NAMED_MAX).map(|(room, counts)| counted(model, room, *counts)).collect();
    let more = hidden.len() - named.len();
    let more = if more == 0 { String::new() } else { format!("; some in {more} more rooms") };
    Some(format!("{}{more}; /unread {} shows them", named.join("; "), model.called(first)))
}

/// Each room in which something is unread.
pub(super) fn unread_rooms(model: &Model) -> Vec<String> {
    let told: Vec<String> = model.unread().map(|(room, counts)| counted(model, room, counts)).collect();
    if told.is_empty() { vec!["nothing is unread".to_owned()] } else { told }
}

/// How much is unread in a room.
fn counted(model: &Model, room: &RoomName, Counts { messages, mentions }: Counts) -> String {
    let or_more = if messages >= UNREAD_MAX { " or more" } else { "" };
    let unread = format!("{}{or_more} unread in {}", messages.min(UNREAD_MAX), model.called(room));
    match mentions {
        _ if room.is_direct() => unread,
        0 => unread,
        1 => format!("{unread}, 1 names you"),
        count => format!("{unread}, {count} name you"),
    }
}

/// Everyone who is here, and who of them is away.
pub(super) fn who(model: &Model) -> String {
    let shown = |name: &str| match model.away(name) {
        Some(reason) => format!("{name} ({})", is_away(reason)),
        None => name.to_owned(),
    };
    let room = model.called(model.room());
    let people: Vec<String> = model.people().map(shown).collect();
    match people.len() {
        1 => format!("1 person is in {room}: {}", people.concat()),
        count => format!("{count} people are in {room}: {}", people.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ServerMessage;

    fn room_with(names: &[&str]) -> Model {
        let mut model = Model::new("alice".into(), RoomName::lobby());
        let names = names.iter().map(|&name| name.to_owned()).collect();
        model.apply(ServerMessage::People { room: "#lobby".into(), names, first: true, last: true });
        model
    }

    #[test]
    fn one_is_told_who_is_here() {
        let alone = room_with(&["alice"]);
        assert_eq!(
            greeting(&alone),
            "you are alice in #lobby; nobody else is here; /help shows the commands"
        );
        assert_eq!(who(&alone), "1 person is in #lobby: alice");
        let few = room_with(&["alice", "carol", "bob"]);
        assert!(greeting(&few).contains("with you: bob, carol;"));
        assert_eq!(who(&few), "3 people are in #lobby: alice, bob, carol");
        let mut few = few;
        few.apply(ServerMessage::Presence { name: "bob".into(), away: Some("at lunch".into()) });
        few.apply(ServerMessage::Presence { name: "carol".into(), away: Some(String::new()) });
        assert_eq!(who(&few), "3 people are in #lobby: alice, bob (away: at lunch), carol (away)");
        let many: Vec<String> = (0..20).map(|number| format!("p{number}")).collect();
        let many = room_with(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(greeting(&many).contains("with you are 20 others (/who names them)"));
    }
}
