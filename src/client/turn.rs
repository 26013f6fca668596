//! What comes over the way to the server, as it matters to whoever converses. What is to be done about the connection
//! itself, which is lost, come back to and replaced, is done here; so each kind of conversation does it in the same way
//! and knows nothing of it.

use std::time::{Duration, Instant};

use crate::wire::{ClientMessage, ServerMessage};

use super::ClientError;
use super::connection::End;
use super::event::Event;
use super::model::Model;
use super::naps::LOOK_EVERY;
use super::uplink::{Gone, Passed, Uplink};

/// What an event means for a conversation.
pub(super) enum Turn {
    /// The server says something.
    Heard(ServerMessage),
    /// The connection has ended in this way, and there is no other. The conversation calls [`Uplink::lost`].
    Lost(End),
    /// The server puts off our coming back; holds its reason.
    PutOff(String),
    /// A connection has told this of the server.
    News(String),
    /// The next connection has begun, and may have told something of the server.
    Began(Option<String>),
    /// Something that has nothing to do with the connection.
    Own(Event),
    /// Nothing.
    None,
}

secret!(Turn);

impl Uplink {
    /// Does what is due on the way to the server, for a conversation that `is_calm` if another connection could take the
    /// place of the present one without anyone noticing.
    pub(super) fn keep_up(&mut self, model: &mut Model, is_calm: bool) {
        if self.is_up() {
            self.send_unsent(model);
        }
        self.watch();
        self.try_if_due();
        if is_calm {
            self.renew_if_due();
        }
    }

    /// How long to wait for an event until [`Self::keep_up`] has something to do, or something else that is due `at`.
    pub(super) fn patience(&self, is_calm: bool, at: impl IntoIterator<Item = Instant>) -> Duration {
        let renewal = self.next_renewal().filter(|_| is_calm);
        let due = self.next_try().into_iter().chain(renewal).chain(self.next_cut()).chain(at).min();
        due.map_or(LOOK_EVERY, |due| due.saturating_duration_since(Instant::now())).min(LOOK_EVERY)
    }

    /// Takes an event.
    pub(super) fn turn(
        &mut self,
        model: &mut Model,
        event: Event,
        is_calm: bool,
    ) -> Result<Turn, ClientError> {
        Ok(match event {
            Event::Server(line, message) => match self.pass(line, message) {
                Passed::On(message) => Turn::Heard(message),
                Passed::Entered(rooms) if is_calm && rooms.len() == model.rooms().count() => {
                    model.moved(&rooms);
                    self.move_over();
                    self.ask_whom_to_ignore();
                    self.send(&model.ask_for_rooms());
                    Turn::None
                }
                Passed::Entered(_) => {
                    self.put_off_renewal();
                    Turn::None
                }
                Passed::Over => Turn::None,
            },
            Event::Ended(line, end) => match self.ended(line) {
                Gone::Present => Turn::Lost(end),
                Gone::MovedBack(rooms) => {
                    model.moved_back(&rooms);
                    Turn::None
                }
                Gone::Other => Turn::None,
            },
            Event::Renewed(mut tried) => {
                let news = tried.as_mut().ok().and_then(|connection| connection.news.take());
                if self.renewed(tried, model.entered()) {
                    self.begin(model);
                    return Ok(Turn::Began(news));
                }
                news.map_or(Turn::None, Turn::News)
            }
            Event::CameBack(Ok(mut connection)) => {
                let news = connection.news.take();
                self.came_back(*connection);
                self.begin(model);
                Turn::Began(news)
            }
            Event::CameBack(Err(error)) if error.is_final() => return Err(error),
            Event::CameBack(Err(ClientError::PutOff { reason, wait, .. })) => {
                self.put_off(wait);
                Turn::PutOff(reason)
            }
            Event::CameBack(Err(_)) => {
                self.lost();
                Turn::None
            }
            own @ (Event::Line(_) | Event::Key(_) | Event::Stop) => Turn::Own(own),
        })
    }

    /// On a new connection: enters what is to be entered, and asks for the rooms that the account is in.
    pub(super) fn begin(&self, model: &mut Model) {
        self.ask_whom_to_ignore();
        self.send_unsent(model);
        self.send(&model.ask_for_rooms());
    }

    /// Before anything is heard of what they say.
    fn ask_whom_to_ignore(&self) {
        self.send(&ClientMessage::Ignore { name: None, wanted: None });
    }

    fn send_unsent(&self, model: &mut Model) {
        for message in model.take_unsent() {
            self.send(&message);
        }
    }
}
