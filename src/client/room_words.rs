//! What happens in rooms and what they are, in words.

use crate::names::{RoomName, TimeSpan};
use crate::wire::{ROOM_OPERATOR, RoomCard, RoomEvent, RoomLine, RoomMember};

/// A change of a room, which `author` has made.
pub(super) fn event(author: &str, event: &RoomEvent) -> String {
    match event {
        RoomEvent::Made { is_private: true } => {
            format!("{author} made this room; only those get in who are added")
        }
        RoomEvent::Made { is_private: false } => format!("{author} made this room; anyone can enter"),
        RoomEvent::Joined {} => format!("{author} is a member now"),
        RoomEvent::Left {} => format!("{author} is no member any more"),
        RoomEvent::Added { name } => format!("{author} added {name}"),
        RoomEvent::Role { name, role: ROOM_OPERATOR } => format!("{author} made {name} an operator"),
        RoomEvent::Role { name, .. } => format!("{author} made {name} an operator no more"),
        RoomEvent::Topic { topic } if topic.is_empty() => format!("{author} removed the topic"),
        RoomEvent::Topic { topic } => format!("{author} set the topic: {topic}"),
        RoomEvent::Removed { name, reason } => {
            format!("{author} removed {name}{}", because(reason.as_deref()))
        }
        RoomEvent::Banned { name, reason, seconds, .. } => {
            format!("{author} banned {name}{}{}", lasting(*seconds), because(reason.as_deref()))
        }
        RoomEvent::Unbanned { name } => format!("{author} lifted the ban of {name}"),
        RoomEvent::Muted { name, reason, seconds, .. } => {
            format!("{author} muted {name}{}{}", lasting(*seconds), because(reason.as_deref()))
        }
        RoomEvent::Unmuted { name } => format!("{author} muted {name} no more"),
        RoomEvent::Purged { name, seconds, .. } => match seconds.map(TimeSpan::seconds) {
            None => format!("{author} took away all that {name} had said here"),
            Some(Some(time)) => format!("{author} took away what {name} had said here in the last {time}"),
            Some(None) => format!("{author} took away some of what {name} had said here"),
        },
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

fn lasting(seconds: Option<u64>) -> String {
    match seconds.map(TimeSpan::seconds) {
        None => String::new(),
        Some(Some(time)) => format!(" for {time}"),
        Some(None) => " for a time".to_owned(), // that no server of ours writes
    }
}

/// Numbers of a room that the server passed over.
pub(super) fn missing(room: &str, first: u64, last: u64) -> String {
    format!("messages {first} to {last} of {room} did not come; tell the server's operator")
}

/// There are more rooms than are kept here.
pub(super) fn too_many(kept: usize) -> String {
    format!(
        "you are in more rooms than this client keeps ({kept}); what is said in the others does not come here"
    )
}

/// The public rooms, one a line; `more` is where the next ones begin.
pub(super) fn list(rooms: &[RoomLine]) -> Vec<String> {
    let line = |line: &RoomLine| {
        let members = line.members.map_or_else(|| "everyone".to_owned(), members);
        let topic = if line.topic.is_empty() { String::new() } else { format!(": {}", line.topic) };
        format!("{} ({members}){topic}", line.room)
    };
    rooms.iter().map(line).collect()
}

/// What a room is and who can read it. It is `called` so here, and was made on the day `made`.
pub(super) fn card(card: &RoomCard, called: &str, made: &str) -> Vec<String> {
    let name = card.room.parse::<RoomName>().ok();
    if name.as_ref().is_some_and(RoomName::is_direct) {
        return direct_card(card, called, made);
    }
    let (room, is_private) = (called, name.is_some_and(|name| name.is_private()));
    let who = match (card.members, is_private) {
        (None, _) => "everyone who has an account here is in it".to_owned(),
        (Some(count), true) => format!("private: {} and nobody else can enter or know of it", members(count)),
        (Some(count), false) => format!("public: {}, and everyone with an account can enter", members(count)),
    };
    let role = match card.role {
        None => "you are not in it",
        Some(ROOM_OPERATOR) => "you are an operator",
        Some(_) => "you are a member",
    };
    let by = if card.made_by.is_empty() { String::new() } else { format!(" by {}", card.made_by) };
    let topic = if card.topic.is_empty() { "no topic".to_owned() } else { format!("topic: {}", card.topic) };
    vec![
        format!("{room}: {topic}"),
        format!("{room}: {who}; {role}"),
        format!(
            "{room}: made {made}{by}; all that was said since ({} messages) is kept and members can read it",
            card.head
        ),
        protection(room),
    ]
}

fn direct_card(card: &RoomCard, called: &str, made: &str) -> Vec<String> {
    let (partner, by) = (called.trim_start_matches('@'), &card.made_by);
    vec![
        format!("{called}: direct: you and {partner}, and nobody else can enter or know of it"),
        format!(
            "{called}: begun {made} by {by}; all that was said since ({} messages) is kept and you both can read it",
            card.head
        ),
        protection(called),
    ]
}

fn protection(room: &str) -> String {
    format!(
        "{room}: protected between you and the server; whoever runs the server, or has its disk, can read it too"
    )
}

/// The topic of a room that is `called` so here.
pub(super) fn topic(card: &RoomCard, called: &str) -> String {
    if card.topic.is_empty() {
        format!("{called} has no topic")
    } else {
        format!("{called} is about: {}", card.topic)
    }
}

/// Who is in a room, and who of them is not there now, if that is known; `more` if others come after these.
pub(super) fn who_is_in(
    room: &str,
    members: &[RoomMember],
    more: bool,
    is_here: impl Fn(&str) -> Option<bool>,
) -> String {
    let name = |member: &RoomMember| {
        let is_gone = is_here(&member.name) == Some(false);
        let what = match (member.role == ROOM_OPERATOR, is_gone) {
            (true, true) => " (operator, not here)",
            (true, false) => " (operator)",
            (false, true) => " (not here)",
            (false, false) => "",
        };
        format!("{}{what}", member.name)
    };
    let names: Vec<String> = members.iter().map(name).collect();
    format!("{room}: in it are {}{}", names.join(", "), if more { ", and more" } else { "" })
}

fn members(count: u64) -> String {
    if count == 1 { "1 member".to_owned() } else { format!("{count} members") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card_of(room: &str, members: Option<u64>) -> RoomCard {
        let (topic, role, made_by) = (String::new(), Some(ROOM_OPERATOR), "alice".to_owned());
        RoomCard { room: room.into(), topic, members, role, made_at: 1, made_by, head: 7 }
    }

    #[test]
    fn a_card_says_who_can_read_and_that_the_operator_of_the_server_can() {
        let told = |room, members| card(&card_of(room, members), room, "2026-11-20").join("\n");
        assert!(told("#plans.k7q2", Some(2)).contains("private: 2 members and nobody else"));
        assert!(told("#tea", Some(1)).contains("public: 1 member, and everyone with an account"));
        assert!(told("#lobby", None).contains("everyone who has an account"));
        for room in ["#plans.k7q2", "#tea"] {
            let told = told(room, Some(1));
            assert!(told.contains("whoever runs the server") && told.contains("made 2026-11-20 by alice"));
        }
        let told = card(&card_of("@alice+bob", Some(2)), "@bob", "2026-11-20").join("\n");
        for words in
            ["direct: you and bob, and nobody else", "begun 2026-11-20 by alice", "whoever runs the server"]
        {
            assert!(told.contains(words) && !told.contains("operator"), "{told}");
        }
    }

    #[test]
    fn who_is_in_a_room_and_not_there_now_is_told_so_if_it_is_known() {
        let member = |name: &str, role| RoomMember { name: name.into(), role };
        let members = [member("alice", 1), member("bob", 0), member("carol", 0), member("dave", 1)];
        let is_here = |name: &str| Some(name == "alice" || name == "bob");
        let told =
            "#tea: in it are alice (operator), bob, carol (not here), dave (operator, not here), and more";
        assert_eq!(who_is_in("#tea", &members, true, is_here), told);
        assert_eq!(who_is_in("#tea", &members[1..3], false, |_| None), "#tea: in it are bob, carol");
    }

    #[test]
    fn each_change_has_its_words() {
        let bob = || "bob".to_owned();
        let cases = [
            (RoomEvent::Added { name: bob() }, "alice added bob"),
            (RoomEvent::Role { name: bob(), role: 1 }, "alice made bob an operator"),
            (RoomEvent::Role { name: bob(), role: 0 }, "alice made bob an operator no more"),
            (RoomEvent::Topic { topic: String::new() }, "alice removed the topic"),
            (RoomEvent::Topic { topic: "tea".into() }, "alice set the topic: tea"),
            (RoomEvent::Removed { name: bob(), reason: None }, "alice removed bob"),
            (
                RoomEvent::Banned {
                    name: bob(),
                    until: Some(1),
                    reason: Some("spam".into()),
                    seconds: Some(604_800),
                },
                "alice banned bob for 1w: spam",
            ),
            (RoomEvent::Muted { name: bob(), until: None, reason: None, seconds: None }, "alice muted bob"),
            (
                RoomEvent::Muted { name: bob(), until: None, reason: None, seconds: Some(u64::MAX) },
                "alice muted bob for a time",
            ),
        ];
        for (change, words) in cases {
            assert_eq!(event("alice", &change), words);
        }
    }
}
