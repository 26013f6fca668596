//! Answers, edits and removals of messages that may not have arrived yet, and what was not delivered.

use super::super::super::own::{Deed, FAILED_MAX, Target};
use super::*;

fn edit(target: Target, new: &str) -> Saying {
    Saying::About { target, deed: Deed::Edit(text(new)) }
}

/// What is to be sent now: number of the subject and text.
fn unsent(model: &mut Model) -> Vec<(Option<u64>, String)> {
    let said = |message| match message {
        ClientMessage::Say { of, body, .. } => Some((of, String::from_utf8(body.to_vec()).unwrap())),
        _ => None,
    };
    model.take_unsent().into_iter().filter_map(said).collect()
}

#[test]
fn an_edit_of_what_is_on_its_way_waits_for_its_number_and_goes_with_it() {
    for said_first in [false, true] {
        let mut model = model();
        model.apply(joined(0, 0));
        model.say(id(1), text("teh")).unwrap();
        assert_eq!(unsent(&mut model), [(None, "teh".to_owned())]);
        let target = model.own_last().unwrap();
        assert_eq!(target, Target::Own(id(1)));
        model.say(id(2), edit(target, "the")).unwrap();
        assert_eq!(unsent(&mut model), []);
        model.disconnected();
        model.apply(joined(0, 0));
        assert_eq!(unsent(&mut model), [(None, "teh".to_owned())], "again, and still not the edit");
        model.apply(if said_first { said(1, "alice", id(1)) } else { accepted(id(1), 1) });
        assert_eq!(unsent(&mut model), [(Some(1), "the".to_owned())], "{said_first}");
        assert_eq!(model.own_last(), Some(Target::Number(1)));
    }
}

#[test]
fn an_edit_of_what_is_refused_is_given_up_with_it() {
    let mut model = model();
    model.apply(joined(0, 0));
    model.say(id(1), text("teh")).unwrap();
    model.take_unsent();
    model.say(id(2), edit(Target::Own(id(1)), "the")).unwrap();
    let told = model.apply(refused(Some(id(1))));
    assert!(matches!(told[..], [Happening::NotDelivered { .. }, Happening::NotDelivered { .. }]), "{told:?}");
    assert_eq!(model.unsettled(), 0);
}

#[test]
fn what_was_never_sent_is_changed_and_taken_back_where_it_waits() {
    let mut model = model();
    model.say(id(1), text("teh")).unwrap();
    model.say(id(2), text("never")).unwrap();
    assert!(model.rewrite(id(1), &text("the")) && model.take_back(id(2)));
    model.apply(joined(0, 0));
    assert_eq!(unsent(&mut model), [(None, "the".to_owned())]);
    model.disconnected();
    assert!(!model.rewrite(id(1), &text("too late")) && !model.take_back(id(1)), "the server may have it");
    assert_eq!(model.unsettled(), 1);
}

#[test]
fn the_last_message_that_can_be_meant_is_the_last_one_that_is_there() {
    let mut model = model();
    let removed = ServerMessage::Said {
        room: ROOM.into(),
        sequence: 4,
        at: 0,
        author: "bob".into(),
        id: id(4),
        kind: crate::wire::BODY_REMOVE,
        body: b"\xa0".to_vec().into(),
        of: Some(3),
        edited: None,
    };
    assert_eq!((model.own_last(), model.others_last()), (None, None));
    apply_all(
        &mut model,
        [joined(0, 0), said(1, "alice", id(1)), said(2, "bob", id(2)), said(3, "bob", id(3))],
    );
    assert_eq!((model.own_last(), model.others_last()), (Some(Target::Number(1)), Some(Target::Number(3))));
    model.apply(removed);
    assert_eq!(model.others_last(), Some(Target::Number(2)));
    model.want(room("#tea"));
    assert_eq!((model.own_last(), model.others_last()), (None, None), "nothing of another room");
}

#[test]
fn what_was_not_delivered_can_be_said_again_in_its_room_and_no_more_is_kept_than_the_bound() {
    let mut model = model();
    model.apply(joined(0, 0));
    for number in 1..=u8::try_from(FAILED_MAX).unwrap() + 5 {
        model.say(id(number), text(&format!("text {number}"))).unwrap();
        model.take_unsent();
        model.apply(refused(Some(id(number))));
    }
    let failed = model.take_failed();
    assert_eq!((failed.len(), failed[0].reason.as_str()), (FAILED_MAX, "the disk is full"));
    model.want(room("#tea"));
    for (number, failed) in (100..).zip(failed) {
        assert!(model.say_again(id(number), failed));
    }
    let again = model.take_unsent();
    assert!(again.iter().skip(1).all(|said| matches!(said, ClientMessage::Say { room, .. } if room == ROOM)));
    assert_eq!((again.len(), model.failed().len()), (FAILED_MAX + 1, 0));
}

#[test]
fn what_can_not_be_said_again_stays_undelivered() {
    let mut model = model();
    apply_all(&mut model, [joined(0, 0), added("#tea", 0)]);
    model.take_unsent();
    model.apply(in_room(joined(0, 0), "#tea"));
    model.want(room("#tea"));
    model.say(id(1), text("hello")).unwrap();
    model.apply(ServerMessage::RoomRemoved { room: "#tea".into(), reason: None });
    for failed in model.take_failed() {
        assert!(!model.say_again(id(2), failed));
    }
    assert_eq!(model.failed().map(|failed| failed.room.as_str()).collect::<Vec<_>>(), ["#tea"]);
}
