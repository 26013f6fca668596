//! The model against a server that is simulated: in whatever order things happen, everything is shown once.

use proptest::prelude::*;

use super::*;

const ROOM: &str = "#lobby";

fn model() -> Model {
    Model::new("alice".into(), RoomName::lobby())
}

fn id(number: u8) -> MessageId {
    MessageId::from_bytes([number; 16])
}

fn text(text: &str) -> MessageText {
    text.parse().unwrap()
}

fn joined(after: u64, head: u64) -> ServerMessage {
    ServerMessage::Joined { room: ROOM.into(), after, head }
}

fn said(sequence: u64, author: &str, id: MessageId) -> ServerMessage {
    let body = format!("number {sequence}").into_bytes().into();
    ServerMessage::Said { room: ROOM.into(), sequence, at: 0, author: author.into(), id, kind: 0, body }
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
        Happening::Said { body, .. } => Some(String::from_utf8(body.clone()).unwrap()),
        _ => None,
    };
    happenings.iter().filter_map(body).collect()
}

#[test]
fn what_was_seen_is_not_shown_again_and_what_is_missing_is_told() {
    let mut model = model();
    assert!(model.apply(said(1, "bob", id(1))).is_empty(), "before the room was entered");
    let shown = apply_all(&mut model, [joined(4, 6), said(4, "bob", id(4)), said(5, "bob", id(5))]);
    assert_eq!(numbers(&shown), ["number 5"]);
    let shown = apply_all(&mut model, [said(5, "bob", id(5)), said(9, "bob", id(9))]);
    assert_eq!(shown.first(), Some(&Happening::Missing { first: 6, last: 8 }));
    assert_eq!(numbers(&shown), ["number 9"]);
    assert_eq!(model.seen(), Some(9));
}

#[test]
fn who_moves_to_another_connection_is_shown_nothing_twice_and_says_again_what_was_not_answered() {
    let mut model = model();
    apply_all(&mut model, [joined(4, 4), said(5, "bob", id(5))]);
    for number in [1, 2] {
        model.say(id(number), text("hello")).unwrap();
    }
    assert_eq!(model.take_unsent().len(), 2);
    // The other connection asked after 5 and was let in when 6 was the last; more has come meanwhile.
    apply_all(&mut model, [said(6, "bob", id(6)), accepted(id(1), 8), said(7, "bob", id(7))]);
    model.moved(Some(5), 5, 6);
    assert_eq!(model.seen(), Some(7));
    assert_eq!(model.take_unsent().into_iter().map(|(id, _)| id).collect::<Vec<_>>(), [id(1), id(2)]);
    let both =
        [said(6, "bob", id(6)), said(7, "bob", id(7)), said(8, "alice", id(1)), said(8, "alice", id(1))];
    assert_eq!(numbers(&apply_all(&mut model, both)), ["number 8"]);
    // The log of another server begins elsewhere.
    model.moved(Some(8), 0, 1);
    assert_eq!(numbers(&apply_all(&mut model, [said(1, "bob", id(9))])), ["number 1"]);
    model.moved_back();
    assert_eq!(model.take_unsent().len(), 1);
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
    assert_eq!(model.take_unsent().len(), 1, "what it had accepted and lost is sent again");
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
        assert_eq!(model.take_unsent().len(), 1);
        assert_eq!(numbers(&apply_all(&mut model, order.to_vec())), ["number 1"], "{order:?}");
        assert_eq!(model.unsettled(), 0, "{order:?}");
    }
}

#[test]
fn a_refused_message_is_told_once() {
    let mut model = model();
    model.apply(joined(0, 0));
    model.say(id(1), text("hello")).unwrap();
    model.take_unsent();
    let told = apply_all(&mut model, [refused(Some(id(1))), refused(Some(id(1)))]);
    assert_eq!(told, [Happening::NotDelivered { text: text("hello"), reason: "the disk is full".into() }]);
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
    assert!(model.take_unsent().is_empty());
    model.apply(joined(0, 0));
    assert_eq!(model.take_unsent().len(), OWN_MAX);
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
    assert_eq!(model.apply(arrived), [Happening::Arrived { at: 1, name: "erin".into() }]);
    let left = ServerMessage::Left { room: ROOM.into(), name: "bob".into(), at: 2 };
    assert_eq!(model.apply(left), [Happening::Left { at: 2, name: "bob".into() }]);
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
    model.apply(people(&[&"x".repeat(NAME_BYTES_MAX + 1)], false, true));
    assert_eq!(model.people().len(), PEOPLE_MAX);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Type,
    Send,
    ServerTakes { said_first: bool },
    OtherSays,
    Deliver,
    Lag,
    Lose,
}

/// A server as PROTOCOL.md has it, with one client.
#[derive(Default)]
struct Server {
    log: Vec<(String, MessageId)>,
    refused: Vec<MessageId>,
    is_joined: bool,
    inbox: VecDeque<MessageId>,
    outbox: VecDeque<ServerMessage>,
}

impl Server {
    fn join(&mut self, after: Option<u64>) {
        self.is_joined = true;
        let head = self.log.len() as u64;
        let after = after.unwrap_or(0);
        self.outbox.push_back(joined(after, head));
        self.say_after(after);
        self.outbox.push_back(ServerMessage::CaughtUp { room: ROOM.into(), sequence: head });
    }

    fn say_after(&mut self, after: u64) {
        for (place, (author, id)) in (1..).zip(&self.log).skip(usize::try_from(after).unwrap()) {
            self.outbox.push_back(said(place, author, *id));
        }
    }

    fn append(&mut self, author: &str, id: MessageId) -> ServerMessage {
        self.log.push((author.into(), id));
        said(self.log.len() as u64, author, id)
    }

    fn take(&mut self, said_first: bool) {
        let Some(id) = self.inbox.pop_front() else { return };
        if id.as_bytes()[0] % 7 == 0 {
            self.refused.push(id);
            self.outbox.push_back(refused(Some(id)));
        } else if let Some(place) = self.log.iter().position(|(_, known)| *known == id) {
            self.outbox.push_back(accepted(id, place as u64 + 1));
        } else {
            let said = self.append("alice", id);
            let accepted = accepted(id, self.log.len() as u64);
            self.outbox.extend(if said_first { [said, accepted] } else { [accepted, said] });
        }
    }

    fn lag(&mut self) {
        let number = |message: &ServerMessage| match message {
            ServerMessage::Said { sequence, .. } => Some(*sequence),
            _ => None,
        };
        if self.outbox.iter().any(|message| matches!(message, ServerMessage::Joined { .. })) {
            return;
        }
        let first_dropped = self.outbox.iter().find_map(number);
        self.outbox = VecDeque::from([ServerMessage::Lagged {}]);
        if let Some(first) = first_dropped {
            self.say_after(first - 1);
        }
    }

    fn lose(&mut self) {
        self.is_joined = false;
        self.inbox.clear();
        self.outbox.clear();
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Type),
        4 => Just(Step::Send),
        6 => any::<bool>().prop_map(|said_first| Step::ServerTakes { said_first }),
        2 => Just(Step::OtherSays),
        8 => Just(Step::Deliver),
        1 => Just(Step::Lag),
        1 => Just(Step::Lose),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn everything_is_shown_once_in_order_and_each_own_message_ends_once(steps in steps()) {
        let (mut model, mut server) = (model(), Server::default());
        let (mut typed, mut shown, mut given_up) = (0_u8, Vec::new(), 0);
        let settle = [Step::Send, Step::ServerTakes { said_first: false }, Step::Deliver];
        let settling = settle.into_iter().cycle().take(3 * 1_000);
        for step in steps.into_iter().chain(settling) {
            if !server.is_joined {
                server.join(model.seen());
            }
            match step {
                Step::Type => {
                    typed += 1;
                    model.say(id(typed), text("hello")).unwrap();
                }
                Step::Send => server.inbox.extend(model.take_unsent().into_iter().map(|(id, _)| id)),
                Step::ServerTakes { said_first } => server.take(said_first),
                Step::OtherSays => {
                    let said = server.append("bob", MessageId::from_bytes([0; 16]));
                    server.outbox.push_back(said);
                }
                Step::Deliver => {
                    let happenings = server.outbox.pop_front().map(|message| model.apply(message));
                    let happenings = happenings.unwrap_or_default();
                    let told = |happening: &Happening| matches!(happening, Happening::NotDelivered { .. });
                    given_up += happenings.iter().filter(|happening| told(happening)).count();
                    let missing = happenings.iter().any(|told| matches!(told, Happening::Missing { .. }));
                    prop_assert!(!missing);
                    shown.extend(numbers(&happenings));
                }
                Step::Lag => server.lag(),
                Step::Lose => {
                    server.lose();
                    model.disconnected();
                }
            }
        }
        let spoken: Vec<_> = (1..=server.log.len()).map(|place| format!("number {place}")).collect();
        prop_assert_eq!(shown, spoken);
        prop_assert_eq!(model.unsettled(), 0);
        let mine = server.log.iter().filter(|(author, _)| author == "alice").count();
        prop_assert_eq!(mine + given_up, usize::from(typed));
        server.refused.sort_by_key(|id| *id.as_bytes());
        server.refused.dedup();
        prop_assert_eq!(server.refused.len(), given_up);
    }
}
