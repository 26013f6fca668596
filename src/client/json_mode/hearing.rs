//! What happens, as a program is told of it.

use std::{io, mem};

use super::conversation::Conversation;
use super::report::{Next, Report, hexadecimal, said, time};
use crate::client::ClientError;
use crate::client::happening::{Happening, Told};
use crate::client::pass::is_for_good;
use crate::client::room_words;
use crate::names::RoomName;
use crate::wire::{Code, Hit, MessageId, PastMessage, Place, ServerMessage};

impl Conversation {
    /// Takes what the server says.
    pub(super) fn heard(&mut self, message: ServerMessage) -> Result<(), ClientError> {
        for happening in self.model.apply(message) {
            self.happened(happening)?;
        }
        if !self.is_ready && self.knows_rooms && self.model.is_at_rest() {
            self.is_ready = true;
            let (name, rooms) = (self.model.me().to_owned(), self.rooms());
            self.output.print(&Report::Ready { name, rooms })?;
        }
        Ok(())
    }

    fn happened(&mut self, happening: Happening) -> Result<(), ClientError> {
        match happening {
            Happening::Said { room, message, .. } => {
                // What comes in its place is accepted; the answer may come later.
                if message.author == self.model.me() {
                    self.accepted(message.id, &room, message.sequence, message.at)?;
                }
                self.output.print(&said(room.to_string(), &message))?;
            }
            Happening::Accepted { id, room, sequence, at } => self.accepted(id, &room, sequence, at)?,
            Happening::NotDelivered { id, code, reason, .. } => {
                if let Some(r#ref) = self.saying.remove(&id) {
                    self.refuse(&r#ref, Some(id), code.map(Code::number), reason)?;
                }
            }
            Happening::Joined { room, after } => self.joined(&room, after)?,
            Happening::NotEntered { room, code, text } => {
                let r#ref = self.joining.remove(&room).flatten();
                self.refuse(&r#ref, None, Some(code.number()), text)?;
            }
            Happening::CaughtUp { room, sequence } => {
                self.output.print(&Report::CaughtUp { room: room.to_string(), sequence })?;
            }
            Happening::Arrived { room, at, name } => {
                self.output.print(&Report::Arrived { room: room.to_string(), name, at: time(at) })?;
            }
            Happening::Left { room, at, name } => {
                self.output.print(&Report::Left { room: room.to_string(), name, at: time(at) })?;
            }
            Happening::Changed { room, came, went } => {
                let room = room.to_string();
                for name in went {
                    self.output.print(&Report::Left { room: room.clone(), name, at: None })?;
                }
                for name in came {
                    self.output.print(&Report::Arrived { room: room.clone(), name, at: None })?;
                }
            }
            Happening::Away(away) => self.output.print(&Report::Away { away })?,
            Happening::Missing { room, first, last } => {
                self.output.print(&Report::Missing { room: room.to_string(), first, last })?;
            }
            Happening::Added { room } if self.knows_rooms => {
                self.output.print(&Report::RoomAdded { room: room.to_string() })?;
            }
            Happening::Removed { room, reason } => {
                self.entered.remove(&room);
                self.output.print(&Report::RoomRemoved { room: room.to_string(), reason })?;
            }
            Happening::AllTold => self.knows_rooms = true,
            Happening::Told(told) => self.told(told)?,
            Happening::Refused { code, text } => match self.asking.answered() {
                Some(r#ref) => self.refuse(&r#ref, None, Some(code.number()), text)?,
                None => self.output.print(&Report::Notice { text })?,
            },
            Happening::Lagged => {
                self.questions_lost()?;
                let ask = self.model.ask_for_rooms();
                self.uplink.send(&ask);
            }
            Happening::Slowed => self.output.print(&Report::Slowed {})?,
            Happening::TooManyRooms { kept } => {
                self.output.print(&Report::Notice { text: room_words::too_many(kept) })?;
            }
            Happening::Notice { text } => self.output.print(&Report::Notice { text })?,
            Happening::Closing { code, text } if is_for_good(code) => {
                return Err(ClientError::Revoked(text));
            }
            Happening::Closing { text, .. } => self.closing = Some(text),
            // The rooms that there are come with `ready`; and nothing else is asked here.
            Happening::Added { .. }
            | Happening::Ignoring { .. }
            | Happening::Devices(_)
            | Happening::PasswordChanged
            | Happening::Invited { .. } => {}
        }
        Ok(())
    }

    fn accepted(&mut self, id: MessageId, room: &RoomName, sequence: u64, at: u64) -> io::Result<()> {
        let Some(r#ref) = self.saying.remove(&id) else { return Ok(()) };
        let (id, room, at) = (hexadecimal(id), room.to_string(), time(at));
        self.output.answer(&r#ref, &Report::Accepted { id, room, sequence, at })
    }

    /// A room is entered, for the first time or on another connection.
    fn joined(&mut self, room: &RoomName, after: u64) -> io::Result<()> {
        if mem::take(&mut self.is_lost) {
            self.output.print(&Report::Back {})?;
        }
        let is_new = self.entered.insert(room.clone());
        match self.joining.remove(room) {
            None if !is_new => Ok(()),
            r#ref => {
                let report = Report::Joined { room: room.to_string(), sequence: after };
                self.output.answer(&r#ref.flatten(), &report)
            }
        }
    }

    fn told(&mut self, told: Told) -> io::Result<()> {
        let Some(r#ref) = self.asking.answered() else { return Ok(()) };
        let report = match told {
            Told::List(rooms, more) => {
                Report::List { rooms: rooms.into_iter().map(Into::into).collect(), more }
            }
            Told::Card(card) => Report::Room(card.into()),
            Told::Members(room, members, more) => {
                Report::Members { room, members: members.into_iter().map(Into::into).collect(), more }
            }
            Told::Past(room, messages, more) => {
                Report::History { room: room.to_string(), messages: all_said(&room, &messages), more }
            }
            Told::Found(hits, next, behind) => Report::Found {
                messages: hits.into_iter().map(|Hit { room, message }| said(room, &message)).collect(),
                next: next.map(|Place { room, sequence }| Next { room, sequence }),
                behind,
            },
            Told::Moderations(room, messages, more) => {
                Report::Moderations { room: room.to_string(), messages: all_said(&room, &messages), more }
            }
            Told::Sanctions(room, sanctions, more) => {
                Report::Sanctions { room, sanctions: sanctions.into_iter().map(Into::into).collect(), more }
            }
            Told::Person(card) => Report::Person(card.into()),
            Told::No { code, text } => return self.refuse(&r#ref, None, Some(code.number()), text),
        };
        self.output.answer(&r#ref, &report)
    }
}

fn all_said(room: &RoomName, messages: &[PastMessage]) -> Vec<Report> {
    messages.iter().map(|message| said(room.to_string(), message)).collect()
}
