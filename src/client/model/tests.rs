//! The model, message by message.

mod any_order;
mod messages;

use super::*;
use crate::names::MessageText;
use crate::wire::{Code, ROOM_MEMBER};

const ROOM: &str = "#lobby";

fn model() -> Model {
    Model::new("alice".into(), RoomName::lobby())
}

impl Model {
    /// Says something in the current room.
    fn say(&mut self, id: MessageId, saying: impl Into<Saying>) -> Result<(), TooManyWaiting> {
        self.say_in(id, &self.current.clone(), saying)
    }
}

fn id(number: u8) -> MessageId {
    MessageId::from_bytes([number; 16])
}

fn text(text: &str) -> MessageText {
    text.parse().unwrap()
}

fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

/// The messages that are to be sent now, by their ids.
fn sent(model: &mut Model) -> Vec<MessageId> {
    let id = |message| match message {
        ClientMessage::Say { id, .. } => Some(id),
        _ => None,
    };
    model.take_unsent().into_iter().filter_map(id).collect()
}

fn seen(model: &Model) -> Option<u64> {
    model.rooms[&RoomName::lobby()].seen
}

fn added(name: &str, head: u64) -> ServerMessage {
    ServerMessage::RoomAdded {
        room: name.into(),
        role: ROOM_MEMBER,
        head,
        read: None,
        unread: None,
        mentions: None,
    }
}

fn in_room(message: ServerMessage, name: &str) -> ServerMessage {
    match message {
        ServerMessage::Joined { after, head, .. } => ServerMessage::Joined { room: name.into(), after, head },
        ServerMessage::Said { sequence, at, author, id, kind, body, of, edited, .. } => {
            ServerMessage::Said { room: name.into(), sequence, at, author, id, kind, body, of, edited }
        }
        ServerMessage::Accepted { id, sequence, at, .. } => {
            ServerMessage::Accepted { id, room: name.into(), sequence, at }
        }
        other => other,
    }
}

fn joined(after: u64, head: u64) -> ServerMessage {
    ServerMessage::Joined { room: ROOM.into(), after, head }
}

fn said(sequence: u64, author: &str, id: MessageId) -> ServerMessage {
    let body = format!("number {sequence}").into_bytes().into();
    ServerMessage::Said {
        room: ROOM.into(),
        sequence,
        at: 0,
        author: author.into(),
        id,
        kind: 0,
        body,
        of: None,
        edited: None,
    }
}

fn accepted(id: MessageId, sequence: u64) -> ServerMessage {
    ServerMessage::Accepted { id, room: ROOM.into(), sequence, at: 0 }
}

fn refused(id: Option<MessageId>) -> ServerMessage {
    ServerMessage::Refused { code: Code::NotStored, text: "the disk is full".into(), id, retry_after: None }
}

fn people(names: &[&str], first: bool, last: bool) -> ServerMessage {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    ServerMessage::People { room: ROOM.into(), names, first, last }
}

fn apply_all(model: &mut Model, messages: impl IntoIterator<Item = ServerMessage>) -> Vec<Happening> {
    messages.into_iter().flat_map(|message| model.apply(message)).collect()
}

fn numbers(happenings: &[Happening]) -> Vec<String> {
    let body = |happening: &Happening| match happening {
        Happening::Said { message, .. } => Some(String::from_utf8(message.body.to_vec()).unwrap()),
        _ => None,
    };
    happenings.iter().filter_map(body).collect()
}

#[test]
fn a_notice_is_told_again_only_when_it_is_another_one() {
    let mut model = Model::new("alice".into(), RoomName::lobby());
    let mut told = |text: &str| model.apply(ServerMessage::Notice { text: text.into() }).len();
    assert_eq!(
        [told("tea at four"), told("tea at four"), told("tea at five"), told("tea at four")],
        [1, 0, 1, 1]
    );
}

#[test]
fn what_was_seen_is_not_shown_again_and_what_is_missing_is_told() {
    let mut model = model();
    assert!(model.apply(said(1, "bob", id(1))).is_empty(), "before the room was entered");
    let shown = apply_all(&mut model, [joined(4, 6), said(4, "bob", id(4)), said(5, "bob", id(5))]);
    assert_eq!(numbers(&shown), ["number 5"]);
    let shown = apply_all(&mut model, [said(5, "bob", id(5)), said(9, "bob", id(9))]);
    assert_eq!(shown.first(), Some(&Happening::Missing { room: room(ROOM), first: 6, last: 8 }));
    assert_eq!(numbers(&shown), ["number 9"]);
    assert_eq!(seen(&model), Some(9));
}

#[test]
fn who_moves_to_another_connection_is_shown_nothing_twice_and_says_again_what_was_not_answered() {
    let mut model = model();
    apply_all(&mut model, [joined(4, 4), said(5, "bob", id(5))]);
    for number in [1, 2] {
        model.say(id(number), text("hello")).unwrap();
    }
    assert_eq!(sent(&mut model).len(), 2);
    // The other connection asked after 5 and was let in when 6 was the last; more has come meanwhile.
    apply_all(&mut model, [said(6, "bob", id(6)), accepted(id(1), 8), said(7, "bob", id(7))]);
    model.moved(&[Entered { room: room(ROOM), asked: Some(5), after: 5, head: 6 }]);
    assert_eq!(seen(&model), Some(7));
    assert_eq!(sent(&mut model), [id(1), id(2)]);
    let both =
        [said(6, "bob", id(6)), said(7, "bob", id(7)), said(8, "alice", id(1)), said(8, "alice", id(1))];
    assert_eq!(numbers(&apply_all(&mut model, both)), ["number 8"]);
    // The log of another server begins elsewhere.
    model.moved(&[Entered { room: room(ROOM), asked: Some(8), after: 0, head: 1 }]);
    assert_eq!(numbers(&apply_all(&mut model, [said(1, "bob", id(9))])), ["number 1"]);
    model.moved_back(&[room(ROOM)]);
    assert_eq!(sent(&mut model).len(), 1);
}

#[test]
fn a_server_that_was_restored_from_a_backup_decides_where_we_are() {
    let mut model = model();
    apply_all(&mut model, [joined(0, 0), said(100, "bob", id(1))]);
    model.say(id(2), text("lost with the disk")).unwrap();
    model.take_unsent();
    model.apply(accepted(id(2), 101));
    model.disconnected();
    let shown = apply_all(&mut model, [joined(30, 80), said(31, "bob", id(3))]);
    assert_eq!(numbers(&shown), ["number 31"]);
    assert_eq!(sent(&mut model).len(), 1, "what it had accepted and lost is sent again");
}

#[test]
fn a_message_ends_once_whichever_answer_comes_first() {
    let orders: [&[ServerMessage]; 4] = [
        &[accepted(id(1), 1), said(1, "alice", id(1))],
        &[said(1, "alice", id(1)), accepted(id(1), 1)],
        &[accepted(id(1), 1), accepted(id(1), 1), said(1, "alice", id(1)), said(1, "alice", id(1))],
        &[said(1, "alice", id(1)), refused(Some(id(1)))],
    ];
    for order in orders {
        let mut model = model();
        model.apply(joined(0, 0));
        model.say(id(1), text("hello")).unwrap();
        assert_eq!(sent(&mut model).len(), 1);
        assert_eq!(numbers(&apply_all(&mut model, order.to_vec())), ["number 1"], "{order:?}");
        assert_eq!(model.unsettled(), 0, "{order:?}");
    }
}

#[test]
fn who_is_there_for_news_is_shown_nothing_that_was_said_before() {
    let mut model = Model::for_news("robot".into());
    assert!(model.take_unsent().is_empty(), "nothing is entered before the rooms are told");
    model.apply(added(ROOM, 7));
    assert!(matches!(model.take_unsent()[..], [ClientMessage::Join { after: Some(7), .. }]));
    model.apply(joined(7, 8));
    assert_eq!(numbers(&apply_all(&mut model, [said(8, "bob", id(8))])), ["number 8"]);
    model.want(room("#tea"));
    assert!(matches!(model.take_unsent()[..], [ClientMessage::Join { after: None, .. }]));
    let tea = |message| in_room(message, "#tea");
    model.apply(tea(joined(50, 100)));
    let caught_up = [tea(said(100, "bob", id(1))), tea(said(101, "bob", id(2)))];
    assert_eq!(numbers(&apply_all(&mut model, caught_up)), ["number 101"]);
    model.disconnected();
    model.apply(tea(joined(101, 102)));
    let missed = apply_all(&mut model, [tea(said(102, "bob", id(3)))]);
    assert_eq!(numbers(&missed), ["number 102"], "what is missed later is shown");
}

#[test]
fn what_is_accepted_is_told_with_its_place() {
    let mut model = model();
    model.apply(joined(0, 0));
    model.say(id(1), text("hello")).unwrap();
    model.take_unsent();
    let told = apply_all(&mut model, [accepted(id(1), 1)]);
    assert_eq!(told, [Happening::Accepted { id: id(1), room: room(ROOM), sequence: 1, at: 0 }]);
}

#[test]
fn a_refused_message_is_told_once() {
    let mut model = model();
    model.apply(joined(0, 0));
    model.say(id(1), text("hello")).unwrap();
    model.take_unsent();
    let told = apply_all(&mut model, [refused(Some(id(1))), refused(Some(id(1)))]);
    let (saying, reason) = (Saying::Text(text("hello")), "the disk is full".into());
    let given_up = Happening::NotDelivered { id: id(1), saying, code: Some(Code::NotStored), reason };
    assert_eq!(told, [given_up]);
    assert!(matches!(apply_all(&mut model, [refused(None)])[..], [Happening::Refused { .. }]));
}

#[test]
fn nobody_else_can_settle_my_message() {
    let mut model = model();
    model.apply(joined(0, 0));
    model.say(id(1), text("hello")).unwrap();
    model.apply(said(1, "mallory", id(1)));
    assert_eq!(model.undelivered().count(), 1);
}

#[test]
fn nothing_is_sent_before_the_room_is_entered_and_no_more_is_kept_than_the_bound() {
    let mut model = model();
    for _ in 0..OWN_MAX {
        model.say(id(1), text("hello")).unwrap();
    }
    assert_eq!(model.say(id(1), text("hello")), Err(TooManyWaiting));
    assert!(sent(&mut model).is_empty());
    model.apply(joined(0, 0));
    assert_eq!(sent(&mut model).len(), OWN_MAX);
}

#[test]
fn a_list_of_people_comes_in_parts_and_counts_when_it_is_whole() {
    let mut model = model();
    let here = |model: &Model| model.people().map(str::to_owned).collect::<Vec<_>>();
    apply_all(&mut model, [joined(0, 0), people(&["carol", "alice"], true, true)]);
    apply_all(&mut model, [people(&["alice"], true, false), people(&["bob"], false, false)]);
    assert_eq!(here(&model), ["alice", "carol"]);
    model.apply(people(&["dave"], false, true));
    assert_eq!(here(&model), ["alice", "bob", "dave"]);
    let arrived = ServerMessage::Arrived { room: ROOM.into(), name: "erin".into(), at: 1 };
    assert_eq!(model.apply(arrived), [Happening::Arrived { room: room(ROOM), at: 1, name: "erin".into() }]);
    let left = ServerMessage::Left { room: ROOM.into(), name: "bob".into(), at: 2 };
    assert_eq!(model.apply(left), [Happening::Left { room: room(ROOM), at: 2, name: "bob".into() }]);
    assert_eq!(here(&model), ["alice", "dave", "erin"]);
}

#[test]
fn a_server_cannot_make_us_keep_more_people_than_the_bound() {
    let mut model = model();
    for part in 0..=PEOPLE_MAX / 500 {
        let names: Vec<String> = (0..500).map(|place| format!("p{part}x{place}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        model.apply(people(&names, part == 0, false));
    }
    model.apply(people(&[&"x".repeat(257)], false, true));
    assert_eq!(model.people().count(), PEOPLE_MAX);
}

#[test]
fn what_is_typed_goes_to_the_room_that_was_joined_last_and_waits_until_it_is_entered() {
    let mut model = model();
    model.take_unsent();
    model.apply(joined(0, 0));
    model.want(room("#tea"));
    model.say(id(1), text("for those who drink tea")).unwrap();
    let messages = model.take_unsent();
    assert!(matches!(&messages[..], [ClientMessage::Join { room, after: None }] if room == "#tea"));
    assert!(model.take_unsent().is_empty(), "asked once, and nothing is said elsewhere");
    model.apply(in_room(joined(3, 3), "#tea"));
    assert!(matches!(&model.take_unsent()[..], [ClientMessage::Say { room, .. }] if room == "#tea"));
}

#[test]
fn what_was_typed_for_a_room_that_can_not_be_entered_is_said_nowhere() {
    let mut model = model();
    model.apply(joined(0, 0));
    model.want(room("#tee"));
    model.say(id(1), text("secret")).unwrap();
    model.take_unsent();
    let (code, text) = (Code::NoSuchRoom, "no".to_owned());
    let told = model.apply(ServerMessage::RoomRefused { room: "#tee".into(), code, text });
    assert!(matches!(told[..], [Happening::NotEntered { .. }, Happening::NotDelivered { .. }]), "{told:?}");
    assert_eq!((model.room().as_str(), model.unsettled()), ("#tee", 0));
    assert!(sent(&mut model).is_empty());
    assert!(!model.is_somewhere(), "and nothing that is typed from here on goes to the lobby");
    model.turn_away(&room("#tee"));
    assert!(model.is_somewhere() && model.room().is_lobby());
}

#[test]
fn a_private_room_is_entered_under_the_name_that_it_got_and_what_was_typed_for_it_goes_there() {
    let mut model = model();
    model.apply(joined(0, 0));
    model.change(id(1), room("#plans"), RoomEvent::Made { is_private: true }).unwrap();
    model.say(id(2), text("between us")).unwrap();
    assert_eq!(sent(&mut model), [id(1)]);
    model.apply(added("#plans.k7q2", 0));
    model.apply(in_room(accepted(id(1), 1), "#plans.k7q2"));
    let messages = model.take_unsent();
    assert!(matches!(&messages[..], [ClientMessage::Join { room, after: Some(0) }] if room == "#plans.k7q2"));
    apply_all(&mut model, [joined(0, 1), said(1, "alice", id(1))].map(|told| in_room(told, "#plans.k7q2")));
    assert!(matches!(&model.take_unsent()[..], [ClientMessage::Say { room, .. }] if room == "#plans.k7q2"));
    assert_eq!((model.room().as_str(), model.unsettled()), ("#plans.k7q2", 1));
    assert_eq!(model.meant(&room("#plans")).as_str(), "#plans.k7q2");
}

#[test]
fn what_was_typed_for_a_room_that_is_not_made_is_said_nowhere() {
    let mut model = model();
    model.apply(joined(0, 0));
    model.change(id(1), room("#plans"), RoomEvent::Made { is_private: true }).unwrap();
    model.say(id(2), text("between us")).unwrap();
    model.take_unsent();
    assert!(model.is_somewhere());
    assert_eq!(model.apply(refused(Some(id(1)))).len(), 2);
    assert_eq!((model.is_somewhere(), model.unsettled()), (false, 0));
}

#[test]
fn who_is_out_of_a_room_hears_it_once_also_after_having_been_away() {
    let mut model = model();
    apply_all(&mut model, [joined(0, 0), added("#tea", 4), added("#milk", 0)]);
    model.take_unsent();
    apply_all(&mut model, ["#tea", "#milk"].map(|name| in_room(joined(0, 0), name)));
    model.want(room("#tea"));
    model.say(id(1), text("hello")).unwrap();
    let told = model.apply(ServerMessage::RoomRemoved { room: "#tea".into(), reason: None });
    assert!(matches!(told[..], [Happening::Removed { .. }, Happening::NotDelivered { .. }]), "{told:?}");
    assert!(model.apply(in_room(said(9, "bob", id(9)), "#tea")).is_empty());
    assert!(!model.is_somewhere());
    model.disconnected();
    model.ask_for_rooms();
    let told = apply_all(&mut model, [added("#lobby", 0), ServerMessage::AllRooms {}]);
    assert_eq!(told, [Happening::Removed { room: room("#milk"), reason: None }, Happening::AllTold]);
    assert_eq!(model.take_unsent().len(), 1, "the lobby, and no room that one has left elsewhere");
}

#[test]
fn who_moves_back_enters_what_was_entered_meanwhile() {
    let mut model = model();
    apply_all(&mut model, [joined(0, 0), added("#tea", 4)]);
    model.take_unsent();
    model.apply(in_room(joined(4, 4), "#tea"));
    model.moved_back(&[room(ROOM)]);
    let messages = model.take_unsent();
    assert!(matches!(&messages[..], [ClientMessage::Join { room, after: Some(4) }] if room == "#tea"));
}
