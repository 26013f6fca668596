//! The log by itself: places, pages, rooms and who is in them, files of the version before.

use super::super::changes::{Target, Wish};
use super::super::rows::{About, Deed, Event};
use super::super::schema::{MANY_ROOMS, ONE_ROOM};
use super::*;
use crate::names::Topic;
use crate::wire::{BODY_ROOM_EVENT, RoomEvent};

const ROOMS_MAX: usize = 3;

struct House {
    folder: tempfile::TempDir,
    store: LogStore,
    lobby: RoomRecord,
    rooms: Vec<RoomRecord>,
}

impl House {
    fn of(folder: tempfile::TempDir) -> Self {
        let (store, (lobby, rooms)) = LogStore::open(&folder.path().join("chat.db"), 5).unwrap();
        Self { folder, store, lobby, rooms }
    }

    fn new() -> Self {
        Self::of(tempfile::tempdir().unwrap())
    }

    fn restarted(self) -> Self {
        Self::of(self.folder)
    }

    fn append(&mut self, entries: &[Entry], at: u64) -> Result<Vec<Placed>, LogError> {
        let outcomes = self.store.write(entries.iter().map(Write::Say), at)?;
        let placed = |outcome| match outcome {
            Outcome::Said(placed) => placed,
            other => panic!("not said: {other:?}"),
        };
        Ok(outcomes.into_iter().map(placed).collect())
    }

    fn change(&mut self, by: &str, id: u8, wish: Wish) -> Outcome {
        let change =
            Change { by: name(by), id: id_of(id), is_admin: by == "admin1", rooms_max: ROOMS_MAX, wish };
        self.store.write([Write::Change(&change)], 7).unwrap().remove(0)
    }

    fn make(&mut self, by: &str, id: u8, room: &str, is_private: bool) -> RoomRecord {
        match self.change(by, id, Wish::Make { name: room.parse().unwrap(), is_private }) {
            Outcome::Changed(Some(_), effects) => match &effects[0] {
                Effect::Made(record) => record.clone(),
                other => panic!("not made: {other:?}"),
            },
            other => panic!("not made: {other:?}"),
        }
    }

    fn within(&mut self, by: &str, id: u8, room: RoomId, target: Target) -> Outcome {
        self.change(by, id, Wish::In { room, target })
    }

    /// Who is in a room for a server that starts now, operators with a star.
    fn members(&self, room: RoomId) -> Vec<String> {
        let (_, rooms) = LogStore::open(&self.folder.path().join("chat.db"), 5).unwrap();
        let room = rooms.1.into_iter().find(|record| record.id == room).unwrap();
        let member = |(name, is_operator)| format!("{name}{}", if is_operator { "*" } else { "" });
        room.members.into_iter().map(member).collect()
    }

    /// The changes of a room as its log has them: author and event.
    fn events(&self, room: RoomId) -> Vec<(String, RoomEvent)> {
        let page = self.store.reader().unwrap().page(room, 0, 1_000_000).unwrap();
        let events = page.into_iter().filter(|stored| stored.kind == BODY_ROOM_EVENT);
        events.map(|stored| (stored.author, RoomEvent::parse(&stored.body).unwrap())).collect()
    }
}

fn name(text: &str) -> Username {
    text.parse().unwrap()
}

fn id_of(id: u8) -> MessageId {
    MessageId::from_bytes([id; 16])
}

fn entry(room: RoomId, id: u8, body: &str) -> Entry {
    Entry { room, author: name("alice"), id: id_of(id), kind: 0, body: body.into(), about: None }
}

fn refused(outcome: &Outcome) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => *refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[path = "directs_tests.rs"]
mod directs;

#[test]
fn places_are_counted_from_one_and_go_on_after_a_restart() {
    let mut house = House::new();
    let room = house.lobby.id;
    assert_eq!((house.lobby.head, house.lobby.made_at), (0, 5));
    let placed = house.append(&[entry(room, 1, "a"), entry(room, 2, "b")], 5).unwrap();
    assert_eq!(placed.iter().map(|p| p.sequence).collect::<Vec<_>>(), [1, 2]);
    let mut house = house.restarted();
    assert_eq!((house.lobby.id, house.lobby.head), (room, 2));
    assert_eq!(house.append(&[entry(room, 3, "c")], 6).unwrap()[0].sequence, 3);
}

#[test]
fn a_message_that_is_sent_again_keeps_its_one_place_also_in_another_room() {
    let mut house = House::new();
    let room = house.lobby.id;
    let other = house.make("alice", 99, "#other", false).id;
    house.append(&[entry(room, 1, "a")], 5).unwrap();
    let again = house
        .append(&[entry(room, 1, "a"), entry(room, 2, "b"), entry(room, 2, "b"), entry(other, 1, "a")], 9)
        .unwrap();
    let expected = [(1, 5, false), (2, 9, true), (2, 9, false), (1, 5, false)];
    assert_eq!(again, expected.map(|(sequence, at, is_new)| Placed { room, sequence, at, is_new }));
    let page = house.store.reader().unwrap().page(room, 0, 1000).unwrap();
    assert_eq!(page.into_iter().map(|stored| stored.body).collect::<Vec<_>>(), [b"a", b"b"]);
}

#[test]
fn pages_follow_each_other_without_a_gap_and_are_bounded() {
    let mut house = House::new();
    let room = house.lobby.id;
    let entries: Vec<_> = (0..100).map(|id| entry(room, id, &"x".repeat(100))).collect();
    house.append(&entries, 5).unwrap();
    let reader = house.store.reader().unwrap();
    let (mut seen, mut pages) = (0, 0);
    loop {
        let page = reader.page(room, seen, 1000).unwrap();
        assert!(page.len() <= 6);
        for stored in &page {
            assert_eq!(stored.sequence, seen + 1);
            seen = stored.sequence;
        }
        if page.is_empty() {
            break;
        }
        pages += 1;
    }
    assert_eq!((seen, pages), (100, 17));
}

#[test]
fn a_batch_that_fails_leaves_nothing_behind() {
    let mut house = House::new();
    let room = house.lobby.id;
    // As small as it can be made: the next commit finds the disk full.
    house.store.connection.pragma_update(None, "max_page_count", 20).unwrap();
    let large: Vec<_> = (0..20).map(|id| entry(room, id, &"x".repeat(16_000))).collect();
    assert!(house.append(&large, 5).is_err());
    house.store.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    assert_eq!(house.store.reader().unwrap().page(room, 0, 1000).unwrap(), []);
    assert_eq!(house.append(&[entry(room, 1, "a")], 6).unwrap()[0].sequence, 1);
}

#[test]
fn a_room_has_its_maker_as_operator_and_its_making_as_first_message_and_stays() {
    let mut house = House::new();
    let wish = || Wish::Make { name: "#tea".parse().unwrap(), is_private: false };
    let Outcome::Changed(Some(placed), effects) = house.change("alice", 1, wish()) else { panic!() };
    assert!(matches!(effects[0], Effect::Made(_)) && matches!(effects[1], Effect::Member { .. }));
    assert!(matches!(&effects[2], Effect::Said(Event { stored, .. }) if stored.sequence == 1));
    assert_eq!((placed.sequence, placed.is_new), (1, true));
    // Asked again after a lost connection, it is the same room; for another it is taken.
    let again = house.change("alice", 1, wish());
    assert_eq!(again, Outcome::Changed(Some(Placed { is_new: false, ..placed }), Vec::new()));
    assert_eq!(refused(&house.change("bob", 1, wish())), Refusal::NameTaken);
    let house = house.restarted();
    let tea = &house.rooms[0];
    assert_eq!((tea.name.as_str(), tea.head, tea.made_at, tea.made_by.as_str()), ("#tea", 1, 7, "alice"));
    assert_eq!(house.members(tea.id), ["alice*"]);
}

#[test]
fn private_rooms_never_stand_in_the_way_of_another_name() {
    let mut house = House::new();
    let first = house.make("alice", 1, "#plans", true);
    let second = house.make("bob", 1, "#plans", true);
    let third = house.make("carol", 1, "#plans", false);
    assert!(first.name.is_private() && second.name.is_private() && first.name != second.name);
    assert_eq!(third.name.as_str(), "#plans");
}

#[test]
fn only_members_say_something_and_what_was_said_before_leaving_is_known_again() {
    let mut house = House::new();
    let room = house.make("bob", 1, "#tea", false).id;
    let said =
        |house: &mut House| house.store.write([Write::Say(&entry(room, 2, "a"))], 8).unwrap().remove(0);
    assert_eq!(refused(&said(&mut house)), Refusal::NotMember);
    house.within("alice", 3, room, Target::Join);
    assert!(matches!(said(&mut house), Outcome::Said(Placed { sequence: 3, is_new: true, .. })));
    house.within("alice", 4, room, Target::Leave);
    assert!(matches!(said(&mut house), Outcome::Said(Placed { sequence: 3, is_new: false, .. })));
}

#[test]
fn in_one_batch_each_step_sees_those_before_it() {
    let mut house = House::new();
    let room = house.make("bob", 1, "#tea", false).id;
    let change = |id, target| Change {
        by: name("alice"),
        id: id_of(id),
        is_admin: false,
        rooms_max: ROOMS_MAX,
        wish: Wish::In { room, target },
    };
    let (join, leave) = (change(1, Target::Join), change(2, Target::Leave));
    let (before, inside, after) = (entry(room, 3, "a"), entry(room, 4, "b"), entry(room, 5, "c"));
    let outcomes = house
        .store
        .write(
            [
                Write::Say(&before),
                Write::Change(&join),
                Write::Say(&inside),
                Write::Change(&leave),
                Write::Say(&after),
            ],
            8,
        )
        .unwrap();
    assert!(matches!(
        outcomes[..],
        [
            Outcome::Refused(Refusal::NotMember),
            Outcome::Changed(Some(Placed { sequence: 2, .. }), _),
            Outcome::Said(Placed { sequence: 3, .. }),
            Outcome::Changed(Some(Placed { sequence: 4, .. }), _),
            Outcome::Refused(Refusal::NotMember),
        ]
    ));
}

#[test]
fn what_only_operators_may_do_others_may_not() {
    let mut house = House::new();
    let (room, lobby) = (house.make("alice", 1, "#tea", false).id, house.lobby.id);
    house.within("bob", 2, room, Target::Join);
    let topic = || Target::SetTopic("tea".parse::<Topic>().unwrap());
    for target in [topic(), Target::Add(name("carol")), Target::SetOperator(name("bob"), true)] {
        assert_eq!(refused(&house.within("bob", 3, room, target)), Refusal::NotOperator);
    }
    for target in [topic(), Target::Add(name("carol")), Target::Leave] {
        assert_eq!(refused(&house.within("carol", 3, room, target)), Refusal::NotMember);
    }
    house.within("alice", 4, room, Target::SetOperator(name("bob"), true));
    assert!(matches!(house.within("bob", 5, room, topic()), Outcome::Changed(..)));
    assert_eq!(refused(&house.within("alice", 6, lobby, topic())), Refusal::NotOperator);
    assert!(matches!(house.within("admin1", 7, lobby, topic()), Outcome::Changed(..)));
    for target in [Target::Leave, Target::Join, Target::Add(name("bob"))] {
        assert_eq!(refused(&house.within("admin1", 8, lobby, target)), Refusal::Lobby);
    }
    assert_eq!(house.restarted().lobby.topic.as_str(), "tea");
}

#[test]
fn a_room_with_people_in_it_is_never_without_an_operator() {
    let mut house = House::new();
    let room = house.make("alice", 1, "#tea", false).id;
    let last = house.within("alice", 2, room, Target::SetOperator(name("alice"), false));
    assert_eq!(refused(&last), Refusal::LastOperator);
    house.within("carol", 3, room, Target::Join);
    house.within("bob", 4, room, Target::Join);
    house.within("alice", 5, room, Target::Leave);
    let promoted: Vec<_> = house.members(room).into_iter().filter(|member| member.ends_with('*')).collect();
    assert_eq!(promoted.len(), 1, "{promoted:?}");
    let (by, event) = house.events(room).pop().unwrap();
    assert!(by == "alice" && matches!(event, RoomEvent::Role { role: 1, .. }), "{event:?}");
    house.within("bob", 6, room, Target::Leave);
    house.within("carol", 7, room, Target::Leave);
    assert!(house.members(room).is_empty());
    house.within("dave", 8, room, Target::Join);
    assert_eq!(house.members(room), ["dave*"], "who comes into an empty room looks after it");
}

#[test]
fn nobody_is_in_or_makes_more_rooms_than_the_limit() {
    let mut house = House::new();
    let other = house.make("bob", 1, "#other", false).id;
    for number in 1..=3 {
        let room = house.make("alice", number, &format!("#r{number}"), false).id;
        house.within("alice", 10 + number, room, Target::Leave);
    }
    let wish = Wish::Make { name: "#r4".parse().unwrap(), is_private: true };
    assert_eq!(refused(&house.change("alice", 4, wish)), Refusal::TooManyRooms, "although she left them");
    for number in 1..=3 {
        let room = house.make("carol", number, &format!("#c{number}"), false).id;
        assert!(matches!(
            house.within("carol", 10 + number, room, Target::Add(name("dave"))),
            Outcome::Changed(..)
        ));
    }
    assert_eq!(refused(&house.within("dave", 1, other, Target::Join)), Refusal::TooManyRooms);
    assert_eq!(
        refused(&house.within("bob", 5, other, Target::Add(name("dave")))),
        Refusal::TooManyRoomsThere
    );
}

#[test]
fn who_is_forgotten_is_in_no_room() {
    let mut house = House::new();
    let (tea, plans) = (house.make("alice", 1, "#tea", false).id, house.make("alice", 2, "#plans", true).id);
    house.within("alice", 3, tea, Target::Add(name("bob")));
    assert!(matches!(house.change("alice", 4, Wish::LeaveAll), Outcome::Changed(None, _)));
    assert_eq!((house.members(tea), house.members(plans)), (vec!["bob*".to_owned()], Vec::new()));
}

/// A log of the version that these steps make, with two messages in the lobby.
fn old_log(steps: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let old = Connection::open(folder.path().join("chat.db")).unwrap();
    old.execute_batch(&steps.concat()).unwrap();
    old.pragma_update(None, "user_version", steps.len()).unwrap();
    old.execute_batch(
        "INSERT INTO rooms (name) VALUES ('#lobby');
         INSERT INTO messages (room, sequence, at, author, client_id, kind, body)
             VALUES (1, 1, 1000, 'alice', x'01010101010101010101010101010101', 0, x'61'),
                    (1, 2, 2000, 'bob', x'02020202020202020202020202020202', 0, x'62');",
    )
    .unwrap();
    folder
}

#[test]
fn a_log_of_the_first_version_keeps_its_room_and_what_was_said() {
    let mut house = House::of(old_log(&[ONE_ROOM]));
    assert_eq!((house.lobby.head, house.lobby.made_at, house.rooms.len()), (2, 1000, 0));
    let again = house.append(&[entry(house.lobby.id, 1, "a"), entry(house.lobby.id, 3, "c")], 3000).unwrap();
    assert_eq!(again.iter().map(|placed| placed.sequence).collect::<Vec<_>>(), [1, 3]);
    house.make("alice", 9, "#tea", false);
    assert_eq!(house.restarted().rooms.len(), 1);
}

#[test]
fn in_a_log_of_version_2_everyone_has_read_what_is_in_their_rooms() {
    let folder = tempfile::tempdir().unwrap();
    let old = Connection::open(folder.path().join("chat.db")).unwrap();
    old.execute_batch(ONE_ROOM).unwrap();
    old.execute_batch(MANY_ROOMS).unwrap();
    old.execute_batch(
        "INSERT INTO rooms (name) VALUES ('#lobby'), ('#tea');
         INSERT INTO messages (room, sequence, at, author, client_id, kind, body)
             VALUES (2, 1, 1000, 'alice', x'01010101010101010101010101010101', 0, x'61'),
                    (2, 2, 2000, 'bob', x'02020202020202020202020202020202', 0, x'62');
         INSERT INTO members (room, account, is_operator, since) VALUES (2, 'alice', 1, 5);
         PRAGMA user_version = 2;",
    )
    .unwrap();
    drop(old);
    let house = House::of(folder);
    let (log, tea) = (house.store.reader().unwrap(), house.rooms[0].id);
    assert_eq!(log.marker(tea, &name("alice")).unwrap(), Some(2));
    assert_eq!(log.marker(house.lobby.id, &name("alice")).unwrap(), None);
}

#[test]
fn what_was_said_before_the_second_version_was_left_can_be_edited_and_removed() {
    let mut house = House::of(old_log(&[ONE_ROOM, MANY_ROOMS]));
    let room = house.lobby.id;
    let about = |id, of, body: &str, deed| Entry { about: Some(About { of, deed }), ..entry(room, id, body) };
    let edited = Entry { kind: BODY_EDIT, ..about(3, 1, "edited", Deed::Edit) };
    let removed = about(4, 2, "removed", Deed::Remove { by_admin: true });
    house.append(&[edited, removed], 3000).unwrap();
    let page = house.restarted().store.reader().unwrap().page(room, 0, 1000).unwrap();
    let rows: Vec<_> = page.iter().map(|row| (row.body.as_slice(), row.of, row.edited)).collect();
    let of_alice = (b"edited".as_slice(), None, Some(3000));
    assert_eq!(rows[..3], [of_alice, (b"alice", None, None), (b"edited", Some(1), None)]);
}
