//! Rooms, as one talks of them: what commands ask for, what is told of them, and the questions whose answers are due.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crate::names::{RoomName, Topic};
use crate::nearest::nearest;
use crate::terminal_text::boundary_after;
use crate::wire::{ClientMessage, Code, MessageId, ROOM_MEMBER, ROOM_OPERATOR, RoomEvent};

use super::super::commands::{RoomCommand, Where};
use super::super::happening::Told;
use super::super::uplink::Reach;
use super::super::{ClientError, room_words};
use super::Session;

/// What is asked of the server about rooms.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Question {
    List,
    Card,
    Topic,
    Members,
    /// Someone.
    Person,
    /// That someone is ignored, or no more.
    Ignore,
    /// What was said before what is shown, at most so many messages.
    Earlier {
        count: Option<u16>,
    },
    /// What is unread and was not shown.
    Unread,
    Sanctions,
    /// What operators have done, before this number.
    Moderations {
        before: Option<u64>,
    },
    /// Where these words were said: in this room, or anywhere.
    Search {
        room: Option<RoomName>,
        words: String,
    },
    /// The same further back.
    SearchOn,
}

/// Questions, each once it is asked. They are answered in that order.
#[derive(Default)]
pub(super) struct Questions {
    /// With what they are about. They wait until all rooms are entered and all changes are made that were typed before.
    waiting: VecDeque<(Question, RoomName)>,
    due: VecDeque<Question>,
    /// Of which room it was shown last what operators have done, and back to which number.
    pub(super) moderations_from: Option<(RoomName, u64)>,
}

impl Questions {
    /// How many are not answered.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.due.len()
    }

    /// A question that was just asked.
    pub(super) fn is_asked(&mut self, question: Question) {
        self.due.push_back(question);
    }

    /// What was asked so has been answered.
    pub(super) fn was_answered(&mut self, question: Question) {
        if let Some(place) = self.due.iter().position(|due| *due == question) {
            self.due.remove(place);
        }
    }

    /// Whether a page is on its way: where the next one begins is known when it is there.
    fn is_page_due(&self) -> bool {
        let is_page = |question: &Question| {
            matches!(
                question,
                Question::Earlier { .. } | Question::Unread | Question::Search { .. } | Question::SearchOn
            )
        };
        self.due.iter().any(is_page)
    }
}

impl Session {
    /// Does a command about rooms.
    pub(super) fn room_command(&mut self, command: RoomCommand) -> Result<(), ClientError> {
        let current = self.model.room().clone();
        match command {
            RoomCommand::Join(Where::With(name)) => self.query(&name)?,
            RoomCommand::Join(Where::Room(room)) => {
                let room = self.model.meant(&room).clone();
                self.model.want(room.clone());
                self.show_room()?;
                self.show_unread_if_read(&room)?;
            }
            RoomCommand::Part(room) => {
                let Some(room) = self.meant(room)? else { return Ok(()) };
                self.model.turn_away(&room);
                if room.is_direct() {
                    self.note(&format!("what is said in {} still comes here", self.model.called(&room)))?;
                } else {
                    self.change(room, RoomEvent::Left {})?;
                }
                self.show_room()?;
            }
            RoomCommand::Make { room, .. } if self.model.rooms().any(|other| *other == room) => {
                self.not_sent(&format!("you are in {room} already; choose another name"))?;
            }
            RoomCommand::Make { room, is_private } => {
                self.change(room, RoomEvent::Made { is_private })?;
                self.show_room()?;
            }
            RoomCommand::SetTopic(topic) => self.set_topic(current, &topic)?,
            RoomCommand::Add(name) => self.change(current, RoomEvent::Added { name: name.to_string() })?,
            RoomCommand::SetOperator(name, is_operator) => {
                let role = if is_operator { ROOM_OPERATOR } else { ROOM_MEMBER };
                self.change(current, RoomEvent::Role { name: name.to_string(), role })?;
            }
            RoomCommand::List => self.question(Question::List, current)?,
            RoomCommand::ShowTopic => self.question(Question::Topic, current)?,
            RoomCommand::Show(room) => {
                let Some(room) = self.meant(room)? else { return Ok(()) };
                self.question(Question::Card, room.clone())?;
                if !room.is_lobby() && !room.is_direct() {
                    self.question(Question::Members, room)?;
                }
            }
        }
        Ok(())
    }

    /// The room that is meant, the current one if none was typed. `None` if it can't be one, which was told.
    pub(super) fn meant(&mut self, place: Option<Where>) -> io::Result<Option<RoomName>> {
        let room = match place {
            None => Some(self.model.room().clone()),
            Some(Where::Room(room)) => Some(self.model.meant(&room).clone()),
            Some(Where::With(name)) => self.model.talk_with(&name),
        };
        if room.is_none() {
            self.not_sent("that is you; choose someone else")?;
        }
        Ok(room)
    }

    /// Shows where what is typed goes, and how it stands with the connection if there is none.
    pub(super) fn show_room(&mut self) -> io::Result<()> {
        let room = self.model.room();
        let called = self.model.called(room);
        let boundary = boundary_after(&called);
        let called = if room.is_lobby() { String::new() } else { format!("{called}{boundary}") };
        let state = match self.uplink.reach() {
            Reach::Up => String::new(),
            Reach::Waiting(left) => format!("(trying again in {} s) ", seconds_left(left)),
            Reach::Trying => "(trying to connect) ".to_owned(),
        };
        self.screen.set_prompt(format!("{state}{called}> "))
    }

    /// When another number of seconds is to be shown.
    pub(super) fn next_countdown(&self) -> Option<Instant> {
        match self.uplink.reach() {
            Reach::Waiting(left) if self.lines.is_none() => {
                Some(Instant::now() + left.saturating_sub(Duration::from_secs(seconds_left(left) - 1)))
            }
            _ => None,
        }
    }

    /// An answer has come.
    pub(super) fn told(&mut self, told: Told) -> io::Result<()> {
        let question = self.questions.due.pop_front();
        let lines = match told {
            Told::List(rooms, more) => {
                if let Some(last) = rooms.last().filter(|_| more) {
                    let after = Some(last.room.clone());
                    self.ask_on(Question::List, &ClientMessage::ListRooms { after });
                }
                room_words::list(&rooms)
            }
            Told::Card(card) => {
                let called =
                    card.room.parse().map_or_else(|_| card.room.clone(), |room| self.model.called(&room));
                if question == Some(Question::Topic) {
                    vec![room_words::topic(&card, &called)]
                } else {
                    room_words::card(&card, &called, &self.transcript.day(card.made_at))
                }
            }
            Told::Found(mut hits, next, is_behind) => {
                let found = hits.len();
                hits.retain(|hit| !self.model.ignores(&hit.message.author));
                let hidden = found - hits.len();
                let is_asked = matches!(question, Some(Question::Search { .. } | Question::SearchOn));
                if is_asked {
                    self.show_found(&hits, next, is_behind, hidden)?;
                }
                return Ok(());
            }
            Told::Past(room, messages, more) => return self.past_told(question, &room, &messages, more),
            Told::Members(room, members, more) => {
                let place: Option<RoomName> = room.parse().ok();
                let is_here = |name: &str| place.as_ref().and_then(|place| self.model.is_here(place, name));
                vec![room_words::who_is_in(&room, &members, more, is_here)]
            }
            Told::Person(card) => self.person(&card),
            Told::Sanctions(room, sanctions, more) => return self.sanctions_told(room, &sanctions, more),
            Told::Moderations(room, changes, more) => return self.moderations_told(&room, &changes, more),
            // Of a room of which there is no card there are no members, and that need not be told twice.
            Told::No { .. } if question == Some(Question::Members) => Vec::new(),
            Told::No { text, .. } => return self.not_sent(&format!("the server says: {text}")),
        };
        lines.iter().try_for_each(|line| self.note(line))
    }

    /// A room that was wanted can't be entered.
    pub(super) fn not_entered(&mut self, room: &RoomName, code: Code, text: &str) -> io::Result<()> {
        if let Some(partner) = room.partner(self.model.me()) {
            let near = nearest(partner, self.model.known_people());
            let what_else = near.map_or_else(String::new, |name| format!("; did you mean {name}?"));
            return self.not_sent(&format!("you can't talk with {partner}: {text}{what_else}"));
        }
        if code != Code::NoSuchRoom {
            return self.not_sent(&format!("you can't enter {room}: {text}"));
        }
        let what_else = self.model.rooms().find(|other| is_near(other, room));
        let what_else = match what_else {
            Some(other) => format!("; did you mean {other}?"),
            None if room.is_private() => String::new(),
            None => format!("; /create {room} makes one"),
        };
        self.not_sent(&format!("you can't enter {room}: {text}{what_else}"))
    }

    /// Answers that were due won't come.
    pub(super) fn questions_lost(&mut self) -> io::Result<()> {
        if self.questions.len() == 0 {
            return Ok(());
        }
        self.questions = Questions::default();
        self.not_sent("an answer was lost; ask again")
    }

    fn set_topic(&mut self, room: RoomName, topic: &Topic) -> Result<(), ClientError> {
        self.change(room, RoomEvent::Topic { topic: topic.to_string() })
    }

    pub(super) fn change(&mut self, room: RoomName, event: RoomEvent) -> Result<(), ClientError> {
        let id = MessageId::random().ok_or(ClientError::NoEntropy)?;
        if self.model.change(id, room, event).is_err() {
            self.not_sent("not done: too much waits already; try it again later")?;
        }
        Ok(())
    }

    pub(super) fn question(&mut self, question: Question, room: RoomName) -> io::Result<()> {
        if !self.uplink.is_up() {
            return self.not_sent("not connected; ask again when the connection is back");
        }
        self.questions.waiting.push_back((question, room));
        Ok(())
    }

    /// Asks for the page after one that has come.
    pub(super) fn ask_on(&mut self, question: Question, message: &ClientMessage) {
        self.questions.due.push_back(question);
        self.uplink.send(message);
    }

    /// Asks what waits, if it is time.
    pub(super) fn ask_questions(&mut self) -> io::Result<()> {
        while self.model.is_at_rest()
            && !self.questions.is_page_due()
            && let Some((question, room)) = self.questions.waiting.pop_front()
        {
            let room = self.model.meant(&room).clone();
            if let Some(message) = self.message_for(&question, &room)? {
                self.uplink.send(&message);
                self.questions.due.push_back(question);
            }
        }
        Ok(())
    }

    fn message_for(&mut self, question: &Question, about: &RoomName) -> io::Result<Option<ClientMessage>> {
        let (before, unread_from) = (self.model.shown_from(about), self.model.unread_from(about));
        let room = about.to_string();
        Ok(Some(match question {
            Question::List => ClientMessage::ListRooms { after: None },
            Question::Card | Question::Topic => ClientMessage::DescribeRoom { room },
            Question::Members => ClientMessage::ListMembers { room, after: None },
            Question::Unread => {
                let after = unread_from.or(before).unwrap_or(u64::MAX); // nothing, if all of it was shown
                ClientMessage::History { room, before, after: Some(after), count: None }
            }
            Question::Earlier { count } => {
                ClientMessage::History { room, before, after: None, count: *count }
            }
            Question::Search { room, words } => self.search_for(room.as_ref(), words),
            Question::SearchOn => return self.search_on(),
            Question::Sanctions => ClientMessage::ListSanctions { room, after: None },
            Question::Moderations { before } => ClientMessage::ModerationLog { room, before: *before },
            Question::Person | Question::Ignore => return Ok(None), // asked at once
        }))
    }
}

/// The seconds that are left, begun ones too; at least 1.
fn seconds_left(left: Duration) -> u64 {
    (left.as_secs() + u64::from(left.subsec_nanos() > 0)).max(1)
}

/// Whether one may be meant by the other: they differ in what people mistype.
fn is_near(room: &RoomName, typed: &RoomName) -> bool {
    let plain = |room: &RoomName| room.base().replace(['-', '_'], "");
    let (room, typed) = (plain(room), plain(typed));
    room == typed || room.strip_suffix('s') == Some(&typed) || typed.strip_suffix('s') == Some(&room)
}
