//! The model against a server that is simulated: in whatever order things happen, everything is shown once.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::super::super::own::Deed;
use super::*;

const ROOMS: [&str; 3] = [ROOM, "#plans.k7q2", "#tea"];

#[derive(Clone, Copy, Debug)]
enum Step {
    Type(usize),
    /// Edits what was typed last there.
    Edit(usize),
    Send,
    ServerTakes {
        said_first: bool,
    },
    OtherSays(usize),
    Deliver,
    Lag,
    Lose,
}

/// A server as PROTOCOL.md has it, with one client that is in all rooms.
#[derive(Default)]
struct Server {
    logs: [Vec<(String, MessageId)>; 3],
    refused: Vec<MessageId>,
    is_connected: bool,
    inbox: VecDeque<ClientMessage>,
    outbox: VecDeque<ServerMessage>,
}

impl Server {
    fn begin(&mut self) {
        self.is_connected = true;
        for (name, log) in ROOMS.iter().zip(&self.logs) {
            self.outbox.push_back(added(name, log.len() as u64));
        }
        self.outbox.push_back(ServerMessage::AllRooms {});
    }

    fn join(&mut self, place: usize, after: u64) {
        let head = self.logs[place].len() as u64;
        self.outbox.push_back(in_room(joined(after, head), ROOMS[place]));
        self.say_after(place, after);
        self.outbox.push_back(ServerMessage::CaughtUp { room: ROOMS[place].into(), sequence: head });
    }

    fn say_after(&mut self, place: usize, after: u64) {
        for (number, (author, id)) in (1..).zip(&self.logs[place]).skip(usize::try_from(after).unwrap()) {
            self.outbox.push_back(in_room(said(number, author, *id), ROOMS[place]));
        }
    }

    fn append(&mut self, place: usize, author: &str, id: MessageId) -> ServerMessage {
        self.logs[place].push((author.into(), id));
        in_room(said(self.logs[place].len() as u64, author, id), ROOMS[place])
    }

    fn take(&mut self, said_first: bool) {
        let place = |room: &str| ROOMS.iter().position(|name| *name == room).unwrap();
        match self.inbox.pop_front() {
            Some(ClientMessage::Join { room, after }) => self.join(place(&room), after.unwrap_or(0)),
            Some(ClientMessage::Say { room, id, of, .. }) => {
                let place = place(&room);
                let subject = of.map(|of| &self.logs[place][usize::try_from(of).unwrap() - 1]);
                assert!(subject.is_none_or(|(author, _)| author == "alice"), "only her own is edited");
                self.take_said(place, id, said_first);
            }
            _ => {}
        }
    }

    fn take_said(&mut self, place: usize, id: MessageId, said_first: bool) {
        let accepted = |number| in_room(accepted(id, number), ROOMS[place]);
        if id.as_bytes()[0].is_multiple_of(7) {
            self.refused.push(id);
            self.outbox.push_back(refused(Some(id)));
        } else if let Some(number) = self.logs[place].iter().position(|(_, known)| *known == id) {
            self.outbox.push_back(accepted(number as u64 + 1));
        } else {
            let said = self.append(place, "alice", id);
            let accepted = accepted(self.logs[place].len() as u64);
            self.outbox.extend(if said_first { [said, accepted] } else { [accepted, said] });
        }
    }

    fn lag(&mut self) {
        let is_kept = |message: &ServerMessage| {
            matches!(
                message,
                ServerMessage::Joined { .. } | ServerMessage::RoomAdded { .. } | ServerMessage::AllRooms {}
            )
        };
        if self.outbox.iter().any(is_kept) {
            return;
        }
        let dropped = std::mem::replace(&mut self.outbox, VecDeque::from([ServerMessage::Lagged {}]));
        for (place, name) in ROOMS.iter().enumerate() {
            let first = dropped.iter().find_map(|message| match message {
                ServerMessage::Said { room, sequence, .. } if room == name => Some(*sequence),
                _ => None,
            });
            if let Some(first) = first {
                self.say_after(place, first - 1);
            }
        }
    }

    fn lose(&mut self) {
        self.is_connected = false;
        self.inbox.clear();
        self.outbox.clear();
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_usize).prop_map(Step::Type),
        2 => (0..3_usize).prop_map(Step::Edit),
        4 => Just(Step::Send),
        6 => any::<bool>().prop_map(|said_first| Step::ServerTakes { said_first }),
        2 => (0..3_usize).prop_map(Step::OtherSays),
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
        // The rooms are known from the first moment on.
        for name in ROOMS {
            model.apply(added(name, 0));
        }
        let (mut typed, mut refused, mut given_up) = (0_u8, 0, 0);
        let mut shown: BTreeMap<RoomName, Vec<String>> = BTreeMap::new();
        let settle = [Step::Send, Step::ServerTakes { said_first: false }, Step::Deliver];
        let settling = settle.into_iter().cycle().take(3 * 2_000);
        for step in steps.into_iter().chain(settling) {
            if !server.is_connected {
                model.ask_for_rooms();
                server.begin();
            }
            match step {
                Step::Type(place) => {
                    typed += 1;
                    model.want(room(ROOMS[place]));
                    model.say(id(typed), text("hello")).unwrap();
                }
                Step::Edit(place) => {
                    model.want(room(ROOMS[place]));
                    if let Some(target) = model.own_last() {
                        typed += 1;
                        let deed = Deed::Edit(text("hello again"));
                        model.say(id(typed), Saying::About { target, deed }).unwrap();
                    }
                }
                Step::Send => server.inbox.extend(model.take_unsent()),
                Step::ServerTakes { said_first } => server.take(said_first),
                Step::OtherSays(place) => {
                    let said = server.append(place, "bob", MessageId::from_bytes([0; 16]));
                    server.outbox.push_back(said);
                }
                Step::Deliver => {
                    let happenings = server.outbox.pop_front().map(|message| model.apply(message));
                    for happening in happenings.unwrap_or_default() {
                        match happening {
                            Happening::NotDelivered { reason, .. } if reason == "the disk is full" => refused += 1,
                            Happening::NotDelivered { .. } => given_up += 1,
                            Happening::Said { room, message, .. } => {
                                let text = String::from_utf8(message.body.to_vec()).unwrap();
                                shown.entry(room).or_default().push(text);
                            }
                            Happening::Missing { .. } | Happening::Removed { .. } => {
                                prop_assert!(false, "{happening:?}");
                            }
                            _ => {}
                        }
                    }
                }
                Step::Lag => server.lag(),
                Step::Lose => {
                    server.lose();
                    model.disconnected();
                }
            }
        }
        for (name, log) in ROOMS.iter().zip(&server.logs) {
            let spoken: Vec<_> = (1..=log.len()).map(|place| format!("number {place}")).collect();
            prop_assert_eq!(shown.remove(&room(name)).unwrap_or_default(), spoken);
        }
        prop_assert_eq!(model.unsettled(), 0);
        let mine = server.logs.iter().flatten().filter(|(author, _)| author == "alice").count();
        prop_assert_eq!(mine + refused + given_up, usize::from(typed));
        server.refused.sort_by_key(|id| *id.as_bytes());
        server.refused.dedup();
        prop_assert_eq!(server.refused.len(), refused);
    }
}
