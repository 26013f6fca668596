//! What people do in rooms and ask about them. Who asks for a room that they may not know of gets the answer that they
//! would get if there were none.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use super::accounts::Role;
use super::bots::Scope;
use super::log::{About, Change, Deed, Entry, LogError, LogReader, Refusal, Target, Wish};
use super::log_writer::{Asker, Task};
use super::outbox::Outbox;
use super::rooms::{Beginning, Entered, Room};
use super::shared::Shared;
use super::tidings::{NO_SUCH_ROOM, push_unless_in, refused, room_refused};
use crate::names::{MESSAGE_BYTES_MAX, RoomName, Topic, Username};
use crate::wire::{
    BODY_OF_SERVER_MIN, BODY_ROOM_EVENT, Code, MessageChange, MessageId, ROOM_MEMBER, ROOM_OPERATOR,
    RoomEvent, RoomLine, ServerMessage,
};

pub(super) const NOT_MEMBER: &str = "you are not in this room; join it first";

/// Someone who is logged in, on one of their sessions.
pub(super) struct Guest<'s> {
    pub(super) shared: &'s Shared,
    pub(super) name: &'s Username,
    /// What they may do and where, if they are a bot.
    pub(super) scope: Option<&'s Scope>,
    pub(super) outbox: &'s Arc<Outbox>,
}

/// The log writer has ended, and with it the server.
pub(super) struct Stopping;

impl Guest<'_> {
    /// Follows a room. Who is not yet in a public one is so when the log writer has written it.
    pub(super) fn join(&self, wanted: &str, after: Option<u64>) -> Result<(), Stopping> {
        // A program is told nothing that was said before, unless it asks.
        let begin = if self.scope.is_some() { Beginning::now(after) } else { Beginning::of_person(after) };
        let Some(room) = self.room(wanted) else {
            return self.join_direct(wanted, begin);
        };
        let mut touched = Vec::new();
        let entered = room.enter(self.name, self.outbox, begin, &mut touched);
        self.shared.flusher.hand_over(&mut touched);
        self.shared.presence.entered(self.name);
        if entered == Entered::NotMember && !room.name().is_private() {
            let wish = Wish::In { room: room.id(), target: Target::Join };
            return self.follow_when_done(wish, room.name().clone(), begin);
        }
        push_unless_in(&room, entered, self.outbox);
        Ok(())
    }

    /// Follows a direct conversation that is not there yet, once it is. To whoever is none of the two there is none.
    fn join_direct(&self, wanted: &str, begin: Beginning) -> Result<(), Stopping> {
        let name = wanted.parse::<RoomName>().ok().filter(|name| self.has_in_scope(name));
        let partner = name.as_ref().and_then(|name| name.partner(self.name.as_str()));
        let Some((name, partner)) = name.as_ref().zip(partner) else {
            self.outbox.push(&room_refused(wanted, Code::NoSuchRoom, NO_SUCH_ROOM));
            return Ok(());
        };
        match self.person(partner) {
            Ok(with) => {
                let most = self.shared.settings().limits.directs_per_account;
                self.follow_when_done(Wish::Talk { with, most }, name.clone(), begin)
            }
            Err((code, text)) => {
                self.outbox.push(&room_refused(wanted, code, text));
                Ok(())
            }
        }
    }

    /// Follows a room that this session may follow when the log writer has done something.
    fn follow_when_done(&self, wish: Wish, room: RoomName, begin: Beginning) -> Result<(), Stopping> {
        let Some(id) = MessageId::random() else {
            self.outbox.push(&room_refused(
                room.as_str(),
                Code::Busy,
                "the server has no random numbers now",
            ));
            return Ok(());
        };
        let (change, outbox) = (self.change(id, wish), Arc::clone(self.outbox));
        self.hand_in(Task::Change { change, asker: Asker::Follower { room, begin, outbox } })
    }

    /// Says something in a room, or changes the room or what was said there.
    pub(super) fn say(
        &self,
        wanted: &str,
        id: MessageId,
        kind: u16,
        body: Vec<u8>,
        of: Option<u64>,
    ) -> Result<(), Stopping> {
        let outbox = Arc::clone(self.outbox);
        let refuse = |code, text: &str| {
            self.outbox.push(&refused(code, text, id));
            Ok(())
        };
        if body.is_empty() || body.len() > MESSAGE_BYTES_MAX {
            return refuse(Code::BadBody, "a message has 1 to 16384 bytes; send it in parts");
        }
        if kind == BODY_ROOM_EVENT {
            return match self.wish(wanted, &body) {
                Ok(Wish::Moderate(moderation)) if moderation.on_server.is_some() => {
                    self.moderate_on_server(id, moderation)
                }
                Ok(wish) => {
                    let change = self.change(id, wish);
                    self.hand_in(Task::Change { change, asker: Asker::Sayer(outbox) })
                }
                Err((code, text)) => refuse(code, &text),
            };
        }
        let Some(room) = self.room(wanted) else {
            return refuse(Code::NoSuchRoom, NO_SUCH_ROOM);
        };
        let about = match self.about(kind, &body, of) {
            Ok(about) => about,
            Err((code, text)) => return refuse(code, &text),
        };
        let entry = Entry { room: room.id(), author: self.name.clone(), id, kind, body, about };
        self.hand_in(Task::Say { entry, outbox })
    }

    /// A page of the public rooms.
    pub(super) fn list(&self, after: Option<&str>) -> ServerMessage {
        // What is no name stands nowhere among them.
        let after = after.map(str::parse::<RoomName>).transpose();
        let (rooms, more) =
            after.map_or((Vec::new(), false), |after| self.shared.rooms.public_after(after.as_ref()));
        let is_there = |line: &RoomLine| line.room.parse().is_ok_and(|room| self.has_in_scope(&room));
        let rooms = rooms.into_iter().filter(is_there).collect();
        ServerMessage::RoomList { rooms, more }
    }

    /// What a room is.
    pub(super) fn describe(&self, wanted: &str) -> ServerMessage {
        match self.room(wanted) {
            Some(room) => ServerMessage::RoomDescription { card: room.card(self.name, self.is_admin()) },
            None => room_refused(wanted, Code::NoSuchRoom, NO_SUCH_ROOM),
        }
    }

    /// A page of a room's members.
    pub(super) fn members(&self, wanted: &str, after: Option<&str>) -> ServerMessage {
        let Some(room) = self.room(wanted) else {
            return room_refused(wanted, Code::NoSuchRoom, NO_SUCH_ROOM);
        };
        let after = after.map(str::parse::<Username>).transpose();
        let (members, more) = after.map_or((Vec::new(), false), |after| room.members_after(after.as_ref()));
        ServerMessage::Members { room: room.name().to_string(), members, more }
    }

    /// Which message a body is about, if any, and what it does to it; else why not.
    fn about(&self, kind: u16, body: &[u8], of: Option<u64>) -> Result<Option<About>, (Code, String)> {
        let deed = match MessageChange::parse(kind, body) {
            None if kind < BODY_OF_SERVER_MIN => Deed::Answer,
            None => return Err(unknown(kind)),
            Some(MessageChange::Edit(_)) => Deed::Edit,
            Some(MessageChange::Remove) => Deed::Remove { by_admin: self.is_admin() },
            Some(MessageChange::React(reaction)) => Deed::React { reaction, wanted: true },
            Some(MessageChange::TakeBack(reaction)) => Deed::React { reaction, wanted: false },
        };
        match (of, deed) {
            (Some(of), deed) => Ok(Some(About { of, deed })),
            (None, Deed::Answer) => Ok(None),
            (None, _) => Err((Code::NoSuchMessage, text(Refusal::NoSuchMessage))),
        }
    }

    /// What a change of a room asks for; else why not.
    fn wish(&self, wanted: &str, body: &[u8]) -> Result<Wish, (Code, String)> {
        let event = RoomEvent::parse(body).ok_or_else(|| unknown(BODY_ROOM_EVENT))?;
        if let RoomEvent::Made { is_private } = event {
            let name: RoomName = wanted.parse().map_err(|error| (Code::BadRoomName, text(error)))?;
            if name.is_private() {
                let why = if name.is_direct() {
                    "a direct conversation is not made; join it"
                } else {
                    "leave out the '.': the server adds what follows it"
                };
                return Err((Code::BadRoomName, why.to_owned()));
            }
            return Ok(Wish::Make { name, is_private });
        }
        let room = self.room(wanted).ok_or_else(|| (Code::NoSuchRoom, NO_SUCH_ROOM.to_owned()))?;
        if room.name().is_direct() {
            let why = "a direct conversation stays as it is: of two people, without a topic and an operator";
            return Err((Code::NotNow, why.to_owned()));
        }
        let target = match event {
            RoomEvent::Joined {} | RoomEvent::Made { .. } => Target::Join,
            RoomEvent::Left {} => Target::Leave,
            RoomEvent::Added { name } => Target::Add(self.person(&name)?),
            RoomEvent::Role { name, role: ROOM_MEMBER } => Target::SetOperator(self.person(&name)?, false),
            RoomEvent::Role { name, role: ROOM_OPERATOR } => Target::SetOperator(self.person(&name)?, true),
            RoomEvent::Role { .. } => return Err((Code::BadBody, "there is no such role".to_owned())),
            RoomEvent::Topic { topic } => {
                Target::SetTopic(topic.parse::<Topic>().map_err(|error| (Code::BadBody, text(error)))?)
            }
            event => return self.moderation(&room, event).map(Wish::Moderate),
        };
        Ok(Wish::In { room: room.id(), target })
    }

    /// The account of this name; else why not.
    pub(super) fn person(&self, name: &str) -> Result<Username, (Code, String)> {
        let account = name.parse().ok().and_then(|name| self.shared.stores.accounts.account(&name));
        let nobody = || (Code::NoSuchPerson, "nobody here has that name; they must sign up first".to_owned());
        account.map(|account| account.name).ok_or_else(nobody)
    }

    /// The room of this name, if this person may know of it.
    pub(super) fn room(&self, name: &str) -> Option<Arc<Room>> {
        let name: RoomName = name.parse().ok()?;
        if self.has_in_scope(&name) { self.shared.rooms.known_to(self.name, &name) } else { None }
    }

    /// Whether there is a room of this name for this person or bot, as far as that is up to them.
    pub(super) fn has_in_scope(&self, name: &RoomName) -> bool {
        self.scope.is_none_or(|scope| scope.has(name))
    }

    /// A change that this person asks for.
    pub(super) fn change(&self, id: MessageId, wish: Wish) -> Change {
        let rooms_max = self.shared.settings().limits.rooms_per_account;
        Change { by: self.name.clone(), id, is_admin: self.is_admin(), rooms_max, wish }
    }

    /// Whether this person is an admin of the server.
    pub(super) fn is_admin(&self) -> bool {
        self.shared.stores.accounts.account(self.name).is_some_and(|account| account.role == Role::Admin)
    }

    /// Asks the log, and waits for the answer.
    pub(super) fn ask<A: Send + 'static>(
        &self,
        question: impl FnOnce(&LogReader) -> A + Send + 'static,
    ) -> Result<A, Stopping> {
        self.shared.inquiries.ask(question).ok_or(Stopping)
    }

    /// Sends what is queued: who asks for page after page has room for the next one, if they read.
    pub(super) fn flush(&self) {
        self.shared.flusher.flush(self.outbox, &mut Vec::new());
    }

    /// Hands something to the log writer.
    pub(super) fn hand_in(&self, task: Task) -> Result<(), Stopping> {
        if self.shared.log.hand_in(task) { Ok(()) } else { Err(Stopping) }
    }
}

/// Takes whoever had this name out of all rooms, and forgets what they have read and whom they ignored, so that nobody who gets it next finds themselves in them. False when it
/// could not be written.
pub(super) fn forget_member(shared: &Shared, name: &Username) -> bool {
    let (lobby, account) = (shared.rooms.lobby().id(), name.clone());
    let has_read = shared.inquiries.ask(move |log| {
        Ok::<_, LogError>(log.marker(lobby, &account)?.is_some() || log.ignores_anyone(&account)?)
    });
    if !shared.rooms.is_in_any(name) && matches!(has_read, Some(Ok(false))) {
        return true;
    }
    hand_in_for(shared, name, Wish::LeaveAll)
}

/// Has something written for whoever has or had this name, after everything that was handed in before. False when it could
/// not be, or may not be done.
pub(super) fn hand_in_for(shared: &Shared, name: &Username, wish: Wish) -> bool {
    let Some(id) = MessageId::random() else { return false };
    let change = Change { by: name.clone(), id, is_admin: false, rooms_max: usize::MAX, wish };
    let (done, is_done) = sync_channel(1);
    let handed_in = shared.log.hand_in(Task::Change { change, asker: Asker::Door(done) });
    handed_in && is_done.recv().unwrap_or(false)
}

/// Why nothing is done about a body of the server's that it can't read.
fn unknown(kind: u16) -> (Code, String) {
    let text =
        format!("this server does not know how to do that (kind {kind}); it may be older than the client");
    (Code::BadBody, text)
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
