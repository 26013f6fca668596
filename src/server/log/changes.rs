//! Changing a room: who may do what, and what comes of it. A change stands in the room's log as an entry of its own, and
//! is recognised by its id when it is asked for again, as everything that is said.

use rusqlite::{OptionalExtension, params};

use super::batch::Batch;
use super::rows::{Event, Placed, RoomId, RoomRecord, Stored};
use super::sanctions::{Left, Moderation, SanctionKind};
use super::schema::LogError;
use super::store::Outcome;
use crate::names::{ROOM_TAG_CHARS, RoomName, Topic, Username};
use crate::wire::{self, BODY_ROOM_EVENT, MessageId, ROOM_MEMBER, ROOM_OPERATOR, RoomEvent};

/// How often another tag is drawn for a private room when the first one is taken.
const TAGS_TRIED: usize = 32;

/// A change that someone asks for.
pub(crate) struct Change {
    /// Who asks.
    pub(crate) by: Username,
    /// By which it is known when it is asked for again.
    pub(crate) id: MessageId,
    /// Whether that person is an admin of the server, and so an operator of the lobby.
    pub(crate) is_admin: bool,
    /// The most rooms that an account may be in, and may make.
    pub(crate) rooms_max: usize,
    /// What is asked for.
    pub(crate) wish: Wish,
}

/// What someone wants to be done.
pub(crate) enum Wish {
    /// A new room, of about this name if it is private.
    Make { name: RoomName, is_private: bool },
    /// The direct conversation with this person, if it is not there; nobody begins more than `most`.
    Talk { with: Username, most: usize },
    /// Something about a room that is there.
    In { room: RoomId, target: Target },
    /// Something about someone in a room.
    Moderate(Moderation),
    /// That the asking account is in no room any more.
    LeaveAll,
    /// That so many of the messages of the asking account, which is gone, are taken away.
    RemoveSaid { count: usize },
}

/// What is to be done in a room.
pub(crate) enum Target {
    /// To be a member.
    Join,
    /// To be one no more.
    Leave,
    /// That someone else is.
    Add(Username),
    /// That a member is an operator, or no more.
    SetOperator(Username, bool),
    /// Another topic.
    SetTopic(Topic),
}

/// What has become otherwise, for those who keep rooms in memory; in the order in which they should do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// There is a new room; nobody is in it yet.
    Made(RoomRecord),
    /// Someone is in a room, as an operator or not.
    Member { room: RoomId, account: Username, is_operator: bool },
    /// The room has this topic.
    Topic { room: RoomId, topic: Topic },
    /// This has its place in the room's log.
    Said(Event),
    /// Someone is not in a room any more; why, when someone else has done it.
    NoMember { room: RoomId, account: Username, reason: Option<String> },
}

/// Why something can't be done by the one who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("a room of this name is there already; join it, or choose another name")]
    NameTaken,
    #[error("no name could be found for the room; choose a longer one")]
    NoNameFound,
    #[error("you are not in this room; join it first")]
    NotMember,
    #[error("only an operator of the room can do that")]
    NotOperator,
    #[error("you are in as many rooms, or have made as many, as one may; leave one first")]
    TooManyRooms,
    #[error("that person is in as many rooms as one may")]
    TooManyRoomsThere,
    #[error("nobody of that name is in the room; add them first")]
    NotThere,
    #[error("a room needs an operator; make someone else one first")]
    LastOperator,
    #[error("that is so already")]
    AlreadySo,
    #[error("the room has no such message, or none that can be changed")]
    NoSuchMessage,
    #[error("someone else said that; only its author can change it, and remove it only an operator too")]
    NotYours,
    #[error("that message was removed")]
    MessageRemoved,
    #[error("you have shown that message as many reactions as one may; take one back first")]
    TooManyReactions,
    #[error("that is no text, so it can't get another one; remove it, and say it again")]
    NotText,
    #[error("you are banned from this room{0}")]
    BannedHere(Left),
    #[error("that person is banned from this room; lift the ban first")]
    BannedThere,
    #[error("you are muted in this room{0}")]
    Muted(Left),
    #[error("that is you; choose someone else")]
    Oneself,
    #[error("admins are above the order of #lobby; ask whoever runs the server")]
    Admin,
    #[error("an operator can't be muted; make them an operator no more first")]
    Operator,
    #[error("nothing of the kind holds for that person")]
    NotSo,
    #[error("you ignore as many people as one may; hear some of them again first")]
    TooManyIgnored,
    #[error("as many people are banned or muted in this room as may be; lift a few first")]
    TooManySanctions,
    #[error("you have begun as many direct conversations as one may")]
    TooManyDirects,
    #[error("everyone is in #lobby, nobody can leave it, and its operators are the admins of the server")]
    Lobby,
}

/// Whether something could be done; if not, nothing of it was.
pub(super) type Done = Result<(), Refusal>;

impl Batch<'_> {
    /// Does what is asked for, if it may be done. Of a change that was done before it gives the place alone.
    pub(super) fn change(&mut self, change: &Change) -> Result<Outcome, LogError> {
        if let Some(placed) = self.find(&change.by, change.id)? {
            return Ok(Outcome::Changed(Some(placed), Vec::new()));
        }
        let mut effects = Vec::new();
        let done = match &change.wish {
            Wish::Make { name, is_private } => self.make(change, name, *is_private, &mut effects)?,
            Wish::Talk { with, most } => self.begin_direct(&change.by, with, *most, &mut effects)?,
            Wish::In { room, target } => self.change_room(change, *room, target, &mut effects)?,
            Wish::Moderate(moderation) => self.moderate(change, moderation, &mut effects)?,
            Wish::LeaveAll => self.leave_all(change, &mut effects)?,
            Wish::RemoveSaid { count } => self.remove_said(&change.by, *count)?,
        };
        if let Err(refusal) = done {
            return Ok(Outcome::Refused(refusal));
        }
        let placed = effects.iter().find_map(|effect| match effect {
            Effect::Said(Event { room, stored }) if stored.id == change.id => {
                Some(Placed { room: *room, sequence: stored.sequence, at: stored.at, is_new: true })
            }
            _ => None,
        });
        Ok(Outcome::Changed(placed, effects))
    }

    fn make(
        &mut self,
        change: &Change,
        wished: &RoomName,
        is_private: bool,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, LogError> {
        let made =
            self.count("SELECT count(*) FROM rooms WHERE made_by = ?1 AND name LIKE '#%'", &change.by)?;
        if made >= change.rooms_max || self.is_full(&change.by, change.rooms_max)? {
            return Ok(Err(Refusal::TooManyRooms));
        }
        let names = if is_private { with_tags(wished)? } else { vec![wished.clone()] };
        let Some((id, name)) = self.insert_first_free(names, &change.by)? else {
            return Ok(Err(if is_private { Refusal::NoNameFound } else { Refusal::NameTaken }));
        };
        effects.push(Effect::Made(RoomRecord {
            id,
            name,
            topic: Topic::default(),
            made_at: self.at,
            made_by: change.by.to_string(),
            head: 0,
            members: Vec::new(),
        }));
        self.put_member(id, &change.by, true, effects)?;
        self.tell(id, &change.by, change.id, &RoomEvent::Made { is_private }, effects)?;
        Ok(Ok(()))
    }

    fn change_room(
        &mut self,
        change: &Change,
        room: RoomId,
        target: &Target,
        effects: &mut Vec<Effect>,
    ) -> Result<Done, LogError> {
        let is_lobby = room == self.lobby;
        if is_lobby && !matches!(target, Target::SetTopic(_)) {
            return Ok(Err(Refusal::Lobby));
        }
        let role = self.role(room, &change.by)?;
        let is_operator = role == Some(true) || (is_lobby && change.is_admin);
        let event = match target {
            Target::Join if role.is_some() => return Ok(Err(Refusal::AlreadySo)),
            Target::Join => {
                if let Some(left) = self.sanction(room, &change.by, SanctionKind::Ban)? {
                    return Ok(Err(Refusal::BannedHere(left)));
                }
                if self.is_full(&change.by, change.rooms_max)? {
                    return Ok(Err(Refusal::TooManyRooms));
                }
                // A room without anyone who looks after it gets one.
                self.put_member(room, &change.by, self.first_member(room)?.is_none(), effects)?;
                RoomEvent::Joined {}
            }
            _ if role.is_none() => return self.outsider(room, &change.by).map(Err),
            Target::Leave => {
                self.leave(room, &change.by, change.id, effects)?;
                return Ok(Ok(()));
            }
            _ if !is_operator => return Ok(Err(Refusal::NotOperator)),
            Target::Add(name) => {
                if self.role(room, name)?.is_some() {
                    return Ok(Err(Refusal::AlreadySo));
                }
                if self.sanction(room, name, SanctionKind::Ban)?.is_some() {
                    return Ok(Err(Refusal::BannedThere));
                }
                if self.is_full(name, change.rooms_max)? {
                    return Ok(Err(Refusal::TooManyRoomsThere));
                }
                self.put_member(room, name, false, effects)?;
                RoomEvent::Added { name: name.to_string() }
            }
            Target::SetOperator(name, wanted) => {
                match self.role(room, name)? {
                    None => return Ok(Err(Refusal::NotThere)),
                    Some(role) if role == *wanted => return Ok(Err(Refusal::AlreadySo)),
                    Some(_) if !wanted && !self.has_other_operator(room, name)? => {
                        return Ok(Err(Refusal::LastOperator));
                    }
                    Some(_) => self.put_member(room, name, *wanted, effects)?,
                }
                RoomEvent::Role { name: name.to_string(), role: role_number(*wanted) }
            }
            Target::SetTopic(topic) => {
                if let Some(muted) = self.muted(room, &change.by)? {
                    return Ok(Err(muted));
                }
                let mut update =
                    self.transaction.prepare_cached("UPDATE rooms SET topic = ?2 WHERE id = ?1")?;
                update.execute(params![room, topic.as_str()])?;
                effects.push(Effect::Topic { room, topic: topic.clone() });
                RoomEvent::Topic { topic: topic.to_string() }
            }
        };
        self.tell(room, &change.by, change.id, &event, effects)?;
        Ok(Ok(()))
    }

    fn leave_all(&mut self, change: &Change, effects: &mut Vec<Effect>) -> Result<Done, LogError> {
        let rooms: Vec<(RoomId, bool)> = self
            .transaction
            .prepare_cached("SELECT room, is_direct FROM members WHERE account = ?1")?
            .query_map([change.by.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (room, is_direct) in rooms {
            if !is_direct {
                self.leave(room, &change.by, new_id()?, effects)?;
            } else if let Err(refusal) = self.end_direct(room, &change.by, effects)? {
                return Ok(Err(refusal));
            }
        }
        self.forget_marker(self.lobby, &change.by)?;
        self.forget_ignored(&change.by)?;
        Ok(Ok(()))
    }

    fn leave(
        &mut self,
        room: RoomId,
        account: &Username,
        id: MessageId,
        effects: &mut Vec<Effect>,
    ) -> Result<(), LogError> {
        self.delete_member(room, account)?;
        self.tell(room, account, id, &RoomEvent::Left {}, effects)?;
        self.keep_an_operator(room, account, effects)?;
        effects.push(Effect::NoMember { room, account: account.clone(), reason: None });
        Ok(())
    }

    pub(super) fn delete_member(&self, room: RoomId, account: &Username) -> Result<(), LogError> {
        let mut delete =
            self.transaction.prepare_cached("DELETE FROM members WHERE room = ?1 AND account = ?2")?;
        delete.execute(params![room, account.as_str()])?;
        drop(delete);
        self.forget_marker(room, account)
    }

    /// Sees that a room in which there is anyone has an operator: if not, whoever has been in it for the longest time.
    pub(super) fn keep_an_operator(
        &mut self,
        room: RoomId,
        by: &Username,
        effects: &mut Vec<Effect>,
    ) -> Result<(), LogError> {
        let Some((name, false)) = self.first_member(room)? else {
            return Ok(());
        };
        self.put_member(room, &name, true, effects)?;
        let event = RoomEvent::Role { name: name.to_string(), role: ROOM_OPERATOR };
        self.tell(room, by, new_id()?, &event, effects)
    }

    /// An operator of the room if there is one, else whoever has been in it for the longest time.
    fn first_member(&self, room: RoomId) -> Result<Option<(Username, bool)>, LogError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT account, is_operator FROM members WHERE room = ?1
             ORDER BY is_operator DESC, since, account LIMIT 1",
        )?;
        let first: Option<(String, bool)> =
            find.query_row([room], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(first.and_then(|(name, is_operator)| Some((name.parse().ok()?, is_operator))))
    }

    fn has_other_operator(&self, room: RoomId, account: &Username) -> Result<bool, LogError> {
        let mut find = self
            .transaction
            .prepare_cached("SELECT 1 FROM members WHERE room = ?1 AND is_operator = 1 AND account <> ?2")?;
        Ok(find.exists(params![room, account.as_str()])?)
    }

    fn put_member(
        &self,
        room: RoomId,
        account: &Username,
        is_operator: bool,
        effects: &mut Vec<Effect>,
    ) -> Result<(), LogError> {
        let mut put = self.transaction.prepare_cached(
            "INSERT INTO members (room, account, is_operator, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (room, account) DO UPDATE SET is_operator = ?3",
        )?;
        put.execute(params![room, account.as_str(), is_operator, self.at])?;
        self.begin_to_read(room, account)?;
        effects.push(Effect::Member { room, account: account.clone(), is_operator });
        Ok(())
    }

    pub(super) fn tell(
        &mut self,
        room: RoomId,
        by: &Username,
        id: MessageId,
        event: &RoomEvent,
        effects: &mut Vec<Effect>,
    ) -> Result<(), LogError> {
        let (kind, body) = (BODY_ROOM_EVENT, wire::encode(event));
        let placed = self.place(room, by, id, kind, &body, None)?;
        let Placed { sequence, at, .. } = placed.ok_or(LogError::UsedId)?;
        let stored = Stored { sequence, at, author: by.to_string(), id, kind, body, of: None, edited: None };
        effects.push(Effect::Said(Event { room, stored }));
        Ok(())
    }

    pub(super) fn insert_first_free(
        &self,
        names: Vec<RoomName>,
        by: &Username,
    ) -> Result<Option<(RoomId, RoomName)>, LogError> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO rooms (name, made_at, made_by) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING",
        )?;
        for name in names {
            if insert.execute(params![name.as_str(), self.at, by.as_str()])? == 1 {
                return Ok(Some((RoomId::of_row(self.transaction.last_insert_rowid()), name)));
            }
        }
        Ok(None)
    }

    fn is_full(&self, account: &Username, rooms_max: usize) -> Result<bool, LogError> {
        let rooms =
            self.count("SELECT count(*) FROM members WHERE account = ?1 AND is_direct = 0", account)?;
        Ok(rooms >= rooms_max)
    }

    pub(super) fn count(&self, query: &'static str, account: &Username) -> Result<usize, LogError> {
        Ok(self.transaction.prepare_cached(query)?.query_row([account.as_str()], |row| row.get(0))?)
    }
}

/// How a role stands on the wire.
fn role_number(is_operator: bool) -> u8 {
    if is_operator { ROOM_OPERATOR } else { ROOM_MEMBER }
}

/// The id of something that the server says by itself.
fn new_id() -> Result<MessageId, LogError> {
    MessageId::random().ok_or(LogError::NoEntropy)
}

/// Names for a private room that was wished for by this one, one of which is surely free.
pub(super) fn with_tags(wished: &RoomName) -> Result<Vec<RoomName>, LogError> {
    (0..TAGS_TRIED).map(|_| Ok(wished.with_tag(drawn()?))).collect()
}

fn drawn() -> Result<[u8; ROOM_TAG_CHARS], LogError> {
    let [first, second, third, fourth, ..] = *new_id()?.as_bytes();
    Ok([first, second, third, fourth])
}
