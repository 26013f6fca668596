//! What the server says, and what the person is told of it.

use crate::wire::ServerMessage;

use super::super::happening::Happening;
use super::super::pass::is_for_good;
use super::super::{ClientError, greeting, message_words, room_words};
use super::Session;

impl Session {
    /// Takes what the server says.
    pub(super) fn heard(&mut self, message: ServerMessage) -> Result<(), ClientError> {
        for happening in self.model.apply(message) {
            match happening {
                Happening::Lagged => {
                    let told = self.own_account.answers_lost();
                    self.react(told)?;
                    self.questions_lost()?;
                    let ask = self.model.ask_for_rooms();
                    self.uplink.send(&ask);
                }
                Happening::Ignoring { more, less } => self.ignoring_told(&more, &less)?,
                Happening::Slowed => {
                    self.note("you are sending faster than this server allows; what you send goes out more slowly, and is not lost")?;
                }
                Happening::Said { room, message, subject } => {
                    self.tell_held_comings()?;
                    let lines = self.transcript.said(&self.model.called(&room), &message, &subject);
                    self.print(&lines)?;
                }
                Happening::Arrived { room, at, name } => {
                    self.came_or_went(&room, name, true, at)?;
                }
                Happening::Left { room, at, name } => {
                    self.came_or_went(&room, name, false, at)?;
                }
                Happening::Changed { room, came, went } => self.people_changed(&room, came, went)?,
                Happening::Away(away) => self.away_told(away.as_deref())?,
                Happening::Joined { .. } if self.is_lost => {
                    self.is_lost = false;
                    self.note("the connection is back")?;
                }
                Happening::Joined { .. } => self.show_room()?,
                Happening::CaughtUp { room, .. } if !self.is_greeted && room == self.entry => {
                    self.is_greeted = true;
                    self.note(&greeting::greeting(&self.model))?;
                }
                Happening::CaughtUp { .. } | Happening::Accepted { .. } => {}
                Happening::AllTold => {
                    if let Some(others) = greeting::other_rooms(&self.model).filter(|_| !self.knows_rooms) {
                        self.note(&others)?;
                    }
                    if let Some(unread) = greeting::unread(&self.model).filter(|_| !self.knows_rooms) {
                        self.note(&unread)?;
                    }
                    self.knows_rooms = true;
                }
                Happening::Added { room } => {
                    if self.knows_rooms {
                        self.note(&format!("you are in {room} now; /join {room} talks there"))?;
                    }
                }
                Happening::Removed { room, reason } => {
                    let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
                    self.note(&format!("you are in {} no more{reason}", self.model.called(&room)))?;
                }
                Happening::TooManyRooms { kept } => {
                    self.note(&room_words::too_many(kept))?;
                }
                Happening::Missing { room, first, last } => {
                    self.note(&room_words::missing(&self.model.called(&room), first, last))?;
                }
                Happening::NotDelivered { saying, reason, .. } => {
                    self.not_sent(&format!("{} ({reason})", message_words::not_delivered(&saying)))?;
                }
                Happening::NotEntered { room, text, .. } if !self.is_greeted && room == self.entry => {
                    return Err(ClientError::NoSuchRoom { room, reason: text });
                }
                Happening::NotEntered { room, code, text } => self.not_entered(&room, code, &text)?,
                Happening::Told(told) => self.told(told)?,
                Happening::Refused { text, .. } => {
                    let reactions = self.own_account.refused(&text);
                    self.react(reactions)?;
                }
                Happening::Devices(devices) => {
                    let lines = self.transcript.devices(&devices);
                    self.print(&lines)?;
                    let reactions = self.own_account.listed(devices);
                    self.react(reactions)?;
                }
                Happening::PasswordChanged => {
                    let reactions = self.own_account.password_changed();
                    self.react(reactions)?;
                }
                Happening::Invited { token, uses, until } => {
                    self.show_invite(token, uses, until)?;
                    let reactions = self.own_account.invited();
                    self.react(reactions)?;
                }
                Happening::Notice { text } => {
                    let lines = self.transcript.notice(&text);
                    self.print(&lines)?;
                }
                Happening::Closing { code, text } if is_for_good(code) => {
                    return Err(ClientError::Revoked(text));
                }
                Happening::Closing { text, .. } => self.closing = Some(text),
            }
        }
        Ok(())
    }
}
