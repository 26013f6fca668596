//! What was typed and is on its way or was not delivered, in words.

use crate::wire::{ROOM_OPERATOR, RoomEvent};

use super::own::{Deed, Delivery, Failed, Own, Saying, Target};

/// What was said and did not come to pass.
pub(super) fn not_delivered(saying: &Saying) -> String {
    match saying {
        Saying::Text(text) | Saying::About { deed: Deed::Answer(text), .. } => {
            format!("not delivered: \"{}\"", text.as_str())
        }
        saying => format!("not done: {}", as_typed(saying)),
    }
}

/// What was to be done to a message that is not there.
pub(super) fn not_done(deed: &Deed) -> String {
    format!("not done: {}", deed_as_typed(None, deed))
}

/// What is said while there is no connection.
pub(super) fn waits(saying: &Saying) -> String {
    format!("not connected; this waits: {}", as_typed(saying))
}

/// What is on its way, in a room as it is called.
pub(super) fn pending(room: &str, own: &Own) -> String {
    let state = match own.delivery {
        Delivery::Waiting => "waits",
        Delivery::Sent | Delivery::Accepted { .. } => "sent, and not yet on the server's disk",
    };
    format!("{room}: {state}: {}", as_typed(&own.saying))
}

/// What was not delivered, likewise.
pub(super) fn failed(room: &str, failed: &Failed) -> String {
    format!("{room}: {} ({})", not_delivered(&failed.saying), failed.reason)
}

fn as_typed(saying: &Saying) -> String {
    match saying {
        Saying::Text(text) => text.as_str().to_owned(),
        Saying::About { target, deed } => deed_as_typed(Some(*target), deed),
        Saying::Change(event) => command(event).to_owned(),
    }
}

fn deed_as_typed(target: Option<Target>, deed: &Deed) -> String {
    let (command, rest) = match deed {
        Deed::Answer(text) => ("/answer", text.as_str()),
        Deed::Edit(text) => ("/edit", text.as_str()),
        Deed::Remove => ("/delete", ""),
        Deed::React(reaction) => ("/react", reaction.as_str()),
        Deed::TakeBack(reaction) => ("/unreact", reaction.as_str()),
    };
    let number = match target {
        Some(Target::Number(number)) => format!(" #{number}"),
        Some(Target::Own(_)) | None => String::new(),
    };
    format!("{command}{number} {rest}").trim_end().to_owned()
}

fn command(event: &RoomEvent) -> &'static str {
    match event {
        RoomEvent::Made { .. } => "/create",
        RoomEvent::Joined {} => "/join",
        RoomEvent::Left {} => "/part",
        RoomEvent::Added { .. } => "/add",
        RoomEvent::Role { role: ROOM_OPERATOR, .. } => "/op",
        RoomEvent::Role { .. } => "/deop",
        RoomEvent::Topic { .. } => "/topic",
        RoomEvent::Removed { .. } => "/kick",
        RoomEvent::Banned { .. } => "/ban",
        RoomEvent::Unbanned { .. } => "/unban",
        RoomEvent::Muted { .. } => "/mute",
        RoomEvent::Unmuted { .. } => "/unmute",
        RoomEvent::Purged { .. } => "/purge",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::MessageText;

    #[test]
    fn what_did_not_come_to_pass_can_be_typed_again() {
        let text: MessageText = "hello".parse().unwrap();
        let about = |deed| Saying::About { target: Target::Number(41), deed };
        let cases = [
            (text.clone().into(), "not delivered: \"hello\""),
            (about(Deed::Answer(text.clone())), "not delivered: \"hello\""),
            (about(Deed::Edit(text)), "not done: /edit #41 hello"),
            (about(Deed::Remove), "not done: /delete #41"),
            (about(Deed::TakeBack("+1".parse().unwrap())), "not done: /unreact #41 +1"),
            (Saying::Change(RoomEvent::Left {}), "not done: /part"),
        ];
        for (saying, words) in cases {
            assert_eq!(not_delivered(&saying), words);
        }
    }
}
