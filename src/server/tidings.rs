//! What follows when the log is written: authors hear that they are accepted, rooms what was said in them, and the rooms
//! in memory become what they are on the disk. An author's message that has its place already is accepted again and not
//! said again.

use std::collections::HashMap;
use std::sync::Arc;

use super::log::{Change, Entry, Ignoring, Outcome, Placed, Refusal, RoomId, Stored};
use super::log_writer::{Asker, Task};
use super::outbox::{Numbered, Outbox};
use super::rooms::{Entered, Room, Rooms};
use crate::wire::{Code, MessageId, ServerMessage};

/// The answer to whoever asks for a room that is not there, or that they may not know of.
pub(super) const NO_SUCH_ROOM: &str = "there is no such room";

/// Why nothing came of what someone wanted to be written.
pub(super) const NOT_STORED: &str =
    "the server can't write it down now (its disk may be full); tell its operator, and say it again later";

/// What was said, in order, and is not yet delivered.
type Said = HashMap<RoomId, (Arc<Room>, Vec<Numbered>)>;

/// Tells everyone of a batch that is on the disk. `touched` gets the outboxes that must be flushed.
pub(super) fn tell(rooms: &Rooms, batch: Vec<Task>, outcomes: Vec<Outcome>, touched: &mut Vec<Arc<Outbox>>) {
    let mut said = Said::new();
    for (task, outcome) in batch.into_iter().zip(outcomes) {
        match task {
            Task::Say { entry, outbox } => {
                tell_sayer(rooms, entry.id, &outcome, outbox, touched);
                if let Outcome::Said(Placed { sequence, at, is_new: true, .. }) = outcome
                    && let Some(room) = rooms.find_by_id(entry.room)
                {
                    let Entry { author, id, kind, body, about, .. } = entry;
                    let (author, of) = (author.to_string(), about.map(|about| about.of));
                    let stored = Stored { sequence, at, author, id, kind, body, of, edited: None };
                    let bytes = room.said(stored);
                    let (_, unheard) = said.entry(room.id()).or_insert_with(|| (room, Vec::new()));
                    unheard.push(Numbered { sequence, bytes });
                }
            }
            Task::Change { change, asker } => {
                deliver(&mut said, touched); // what was said before the change is heard before it
                changed(rooms, &change, asker, outcome, touched);
            }
            Task::Mark { room, mark, moved, outbox } => match outcome {
                Outcome::Marked(true) => rooms.tell_sessions_of(&mark.account, room.name(), &moved, touched),
                Outcome::Refused(refusal) => {
                    push(outbox, &room_refused(room.name().as_str(), code(refusal), refusal), touched);
                }
                _ => {} // it was as far already
            },
            Task::Ignore { ignoring, outbox, told } => {
                tell_ignoring(rooms, &ignoring, outcome, outbox, touched);
                let _ = told.send(());
            }
        }
    }
    deliver(&mut said, touched);
}

/// Tells everyone whose task is not on the disk.
pub(super) fn refuse(batch: Vec<Task>, touched: &mut Vec<Arc<Outbox>>) {
    for task in batch {
        match task {
            Task::Say { entry: Entry { id, .. }, outbox, .. }
            | Task::Change { change: Change { id, .. }, asker: Asker::Sayer(outbox) } => {
                push(outbox, &refused(Code::NotStored, NOT_STORED, id), touched);
            }
            Task::Change { asker: Asker::Follower { room, outbox, .. }, .. } => {
                push(outbox, &room_refused(room.as_str(), Code::NotStored, NOT_STORED), touched);
            }
            Task::Mark { room, outbox, .. } => {
                push(outbox, &room_refused(room.name().as_str(), Code::NotStored, NOT_STORED), touched);
            }
            Task::Change { asker: Asker::Door(done), .. } => {
                let _ = done.send(false);
            }
            Task::Ignore { ignoring, outbox, told } => {
                push(outbox, &not_ignored(&ignoring, Code::NotStored, NOT_STORED), touched);
                let _ = told.send(());
            }
            Task::Change { asker: Asker::Moderator(written), .. } => {
                let _ = written.send(None);
            }
        }
    }
}

/// A refusal of something that was asked of a room.
pub(super) fn room_refused(room: &str, code: Code, text: impl ToString) -> ServerMessage {
    ServerMessage::RoomRefused { room: room.to_owned(), code, text: text.to_string() }
}

/// A refusal of something that was said.
pub(super) fn refused(code: Code, text: impl ToString, id: MessageId) -> ServerMessage {
    ServerMessage::Refused { code, text: text.to_string(), id: Some(id), retry_after: None }
}

/// Makes the rooms in memory what they are on the disk, then tells who wanted it.
fn changed(rooms: &Rooms, change: &Change, asker: Asker, outcome: Outcome, touched: &mut Vec<Arc<Outbox>>) {
    let outcome = match outcome {
        Outcome::Changed(placed, effects) => {
            for effect in effects {
                rooms.apply(effect, touched);
            }
            Outcome::Changed(placed, Vec::new())
        }
        other => other,
    };
    match (asker, outcome) {
        (Asker::Sayer(outbox), outcome) => tell_sayer(rooms, change.id, &outcome, outbox, touched),
        (Asker::Follower { room, outbox, .. }, Outcome::Refused(refusal))
            if refusal != Refusal::AlreadySo =>
        {
            push(outbox, &room_refused(room.as_str(), code(refusal), refusal), touched);
        }
        // Also when another session of the account was faster.
        (Asker::Follower { room, begin, outbox }, _) => {
            match rooms.known_to(&change.by, &room) {
                Some(room) => {
                    let entered = room.enter(&change.by, &outbox, begin, touched);
                    push_unless_in(&room, entered, &outbox);
                }
                None => {
                    outbox.push(&room_refused(room.as_str(), Code::NoSuchRoom, NO_SUCH_ROOM));
                }
            }
            touched.push(outbox);
        }
        (Asker::Door(done), outcome) => {
            let _ = done.send(!matches!(outcome, Outcome::Refused(_)));
        }
        (Asker::Moderator(written), outcome) => {
            let _ = written.send(Some(outcome));
        }
    }
}

/// Tells whom someone ignores: who has asked, and after a change all their sessions that hear of their rooms.
fn tell_ignoring(
    rooms: &Rooms,
    ignoring: &Ignoring,
    outcome: Outcome,
    outbox: Arc<Outbox>,
    touched: &mut Vec<Arc<Outbox>>,
) {
    let names = match outcome {
        Outcome::Ignoring(names) => names,
        Outcome::Refused(refusal) => {
            return push(outbox, &not_ignored(ignoring, code(refusal), refusal), touched);
        }
        _ => return,
    };
    let message = ServerMessage::Ignoring { names };
    let mut hearers =
        if ignoring.change.is_some() { rooms.listeners_of(&ignoring.account) } else { Vec::new() };
    if hearers.iter().all(|other| other.session() != outbox.session()) {
        hearers.push(outbox);
    }
    for outbox in hearers {
        push(outbox, &message, touched);
    }
}

fn not_ignored(ignoring: &Ignoring, code: Code, text: impl ToString) -> ServerMessage {
    let name = ignoring.change.as_ref().map_or_else(String::new, |(name, _)| name.to_string());
    ServerMessage::PersonRefused { name, code, text: text.to_string() }
}

/// Queues why a session does not follow a room, if it does not because of `entered`.
pub(super) fn push_unless_in(room: &Room, entered: Entered, outbox: &Outbox) {
    let (code, text) = match entered {
        Entered::In => return,
        Entered::Already => (Code::NotNow, "this session is in that room already"),
        Entered::NotMember => (Code::NotMember, "you are not in this room any more"),
    };
    outbox.push(&room_refused(room.name().as_str(), code, text));
}

fn tell_sayer(
    rooms: &Rooms,
    id: MessageId,
    outcome: &Outcome,
    outbox: Arc<Outbox>,
    touched: &mut Vec<Arc<Outbox>>,
) {
    if let Some(answer) = answer(rooms, id, outcome) {
        push(outbox, &answer, touched);
    }
}

/// What someone is told of something that they have said.
pub(super) fn answer(rooms: &Rooms, id: MessageId, outcome: &Outcome) -> Option<ServerMessage> {
    match outcome {
        Outcome::Said(placed) | Outcome::Changed(Some(placed), _) => {
            let Placed { room, sequence, at, .. } = *placed;
            let room = rooms.find_by_id(room)?.name().to_string();
            Some(ServerMessage::Accepted { id, room, sequence, at })
        }
        Outcome::Changed(None, _) | Outcome::Marked(_) | Outcome::Ignoring(_) => None, // nobody says what has no entry of its own
        Outcome::Refused(refusal) => Some(refused(code(*refusal), refusal, id)),
    }
}

fn deliver(said: &mut Said, touched: &mut Vec<Arc<Outbox>>) {
    for (_, (room, unheard)) in said.drain() {
        room.deliver(&unheard, touched);
    }
}

fn push(outbox: Arc<Outbox>, message: &ServerMessage, touched: &mut Vec<Arc<Outbox>>) {
    if outbox.push(message) {
        touched.push(outbox);
    }
}

fn code(refusal: Refusal) -> Code {
    match refusal {
        Refusal::NameTaken => Code::RoomTaken,
        Refusal::NoNameFound => Code::BadRoomName,
        Refusal::NotMember => Code::NotMember,
        Refusal::NotOperator => Code::NotOperator,
        Refusal::TooManyRooms | Refusal::TooManyRoomsThere | Refusal::TooManyDirects => Code::TooManyRooms,
        Refusal::NotThere => Code::NoSuchPerson,
        Refusal::NoSuchMessage => Code::NoSuchMessage,
        Refusal::NotYours => Code::NotYours,
        Refusal::MessageRemoved => Code::MessageRemoved,
        Refusal::TooManyReactions => Code::TooManyReactions,
        Refusal::NotText => Code::NotText,
        Refusal::BannedHere(_) => Code::BannedHere,
        Refusal::Muted(_) => Code::Muted,
        Refusal::TooManySanctions | Refusal::TooManyIgnored => Code::TooMany,
        Refusal::Admin => Code::NotAllowed,
        Refusal::LastOperator
        | Refusal::AlreadySo
        | Refusal::Lobby
        | Refusal::BannedThere
        | Refusal::Oneself
        | Refusal::Operator
        | Refusal::NotSo => Code::NotNow,
    }
}
