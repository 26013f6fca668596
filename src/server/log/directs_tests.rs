//! Direct conversations in the log: how they begin, and what is left of them.

use super::*;

/// Begins a direct conversation, and gives it.
fn talk(house: &mut House, by: &str, with: &str) -> Result<RoomRecord, Refusal> {
    let id = MessageId::random().unwrap().as_bytes()[0];
    match house.change(by, id, Wish::Talk { with: name(with), most: 2 }) {
        Outcome::Changed(None, effects) => match &effects[..] {
            [Effect::Made(record), Effect::Member { .. }, Effect::Member { .. }] => Ok(record.clone()),
            other => panic!("not begun: {other:?}"),
        },
        Outcome::Refused(refusal) => Err(refusal),
        other => panic!("not begun: {other:?}"),
    }
}

#[test]
fn two_people_have_one_conversation_whoever_begins_it_and_nobody_begins_more_than_the_limit() {
    let mut house = House::new();
    let room = talk(&mut house, "bob", "alice").unwrap();
    assert_eq!(
        (room.name.as_str(), room.made_by.as_str(), house.members(room.id)),
        ("@alice+bob", "bob", vec!["alice".to_owned(), "bob".to_owned()])
    );
    assert_eq!(talk(&mut house, "alice", "bob").unwrap_err(), Refusal::AlreadySo);
    talk(&mut house, "bob", "carol").unwrap();
    assert_eq!(talk(&mut house, "bob", "dave").unwrap_err(), Refusal::TooManyDirects);
    assert_eq!(talk(&mut house, "bob", "alice").unwrap_err(), Refusal::AlreadySo, "it is there all the same");
    talk(&mut house, "dave", "bob").unwrap();
    for number in 1..=3 {
        house.make("bob", number, &format!("#r{number}"), false); // they count for nothing but themselves
    }
}

#[test]
fn who_is_forgotten_leaves_what_was_said_to_the_other_one_alone() {
    let mut house = House::new();
    let room = talk(&mut house, "bob", "alice").unwrap();
    house.append(&[entry(room.id, 1, "a")], 5).unwrap();
    let Outcome::Changed(None, effects) = house.change("bob", 2, Wish::LeaveAll) else { panic!() };
    let [Effect::NoMember { .. }, Effect::NoMember { .. }, Effect::Made(former), Effect::Member { .. }] =
        &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert!(former.name.is_private() && former.name.base() == "#former", "{former:?}");
    assert_eq!((former.id, former.head, former.made_by.as_str()), (room.id, 1, ""));
    assert!(former.topic.as_str().contains("bob"));
    assert_eq!(house.members(room.id), ["alice"]);
    // The next bob begins anew, and can begin as many.
    let next = talk(&mut house, "bob", "alice").unwrap();
    assert!(next.id != room.id && next.head == 0);
    talk(&mut house, "bob", "carol").unwrap();
    // What is left is a room like any other.
    house.within("alice", 3, room.id, Target::Leave);
    assert!(house.members(room.id).is_empty());
}
