//! Someone, in words.

use crate::wire::{PersonCard, ROLE_ADMIN, ROLE_BOT};

/// What is told of someone; `time` and `day` put a time, in milliseconds since 1970, in words.
pub(super) fn card(
    card: &PersonCard,
    time: impl Fn(u64) -> String,
    day: impl Fn(u64) -> String,
) -> Vec<String> {
    let name = &card.name;
    let presence = match (card.is_online, &card.away, card.last_seen) {
        (true, Some(away), _) => format!("online, and {}", is_away(away)),
        (true, None, _) => "online".to_owned(),
        (false, _, Some(last)) => format!("not here; last seen {}", time(last)),
        (false, _, None) => "not here".to_owned(),
    };
    let role = match card.role {
        ROLE_ADMIN => "an admin",
        ROLE_BOT => "a bot, that is a program",
        _ => "a member",
    };
    let since = card.since.map(|since| format!(", first seen {}", day(since))).unwrap_or_default();
    let rooms = format!("{}{}", card.rooms.join(", "), if card.more { " and more" } else { "" });
    let mut lines = vec![
        format!("{name} is {presence}"),
        format!("{name} is {role}{since}"),
        format!("{name} is in {rooms}"),
    ];
    lines.extend(card.hides_last_seen.map(last_seen));
    lines
}

/// Whether others are told when one was last seen.
fn last_seen(is_hidden: bool) -> String {
    let told = if is_hidden {
        "others are not told when you were last here; /lastseen on changes that"
    } else {
        "others are told when you were last here; /lastseen off changes that"
    };
    told.to_owned()
}

/// That someone is away, and why if they said so.
pub(super) fn is_away(reason: &str) -> String {
    if reason.is_empty() { "away".to_owned() } else { format!("away: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(change: impl FnOnce(&mut PersonCard)) -> Vec<String> {
        let mut bob = PersonCard {
            name: "bob".into(),
            role: 0,
            is_online: true,
            away: None,
            last_seen: None,
            since: None,
            rooms: vec!["#lobby".into(), "#tea".into()],
            more: false,
            hides_last_seen: None,
        };
        change(&mut bob);
        card(&bob, |time| format!("at {time}"), |day| format!("day {day}"))
    }

    #[test]
    fn someone_is_told_in_a_few_lines() {
        assert_eq!(words(|_| ()), ["bob is online", "bob is a member", "bob is in #lobby, #tea"]);
        assert_eq!(words(|bob| bob.away = Some("lunch".into()))[0], "bob is online, and away: lunch");
        assert_eq!(words(|bob| bob.away = Some(String::new()))[0], "bob is online, and away");
        let gone = words(|bob| {
            (bob.is_online, bob.role, bob.last_seen, bob.since) = (false, ROLE_ADMIN, Some(7), Some(3));
            (bob.more, bob.hides_last_seen) = (true, Some(true));
        });
        let told = "others are not told when you were last here; /lastseen on changes that";
        let expected = [
            "bob is not here; last seen at 7",
            "bob is an admin, first seen day 3",
            "bob is in #lobby, #tea and more",
            told,
        ];
        assert_eq!(gone, expected);
    }
}
