//! Where to begin in a room: the number of a message, which the server is asked for before anything is followed.

use std::time::Duration;

use super::{Begin, Since};
use crate::client::ClientError;
use crate::client::connection::{Connection, End};
use crate::client::server_identity::Server;
use crate::names::RoomName;
use crate::wire::{
    self, BODY_ROOM_EVENT, ClientMessage, MessageId, PastMessage, RoomCard, RoomEvent, ServerMessage,
};

/// The time for each answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The number after which to begin. Who is not in a public room comes in.
pub(super) fn find(
    server: &Server,
    connection: &mut Connection,
    room: &RoomName,
    begin: Begin,
) -> Result<u64, ClientError> {
    let mut inquirer = Inquirer { server, connection, room };
    let card = inquirer.card()?;
    if card.role.is_none() {
        inquirer.come_in()?;
    }
    match begin {
        Begin::Now => Ok(card.head),
        Begin::Last(count) => Ok(card.head.saturating_sub(count)),
        Begin::Since(Since::Beginning) => Ok(0),
        Begin::Since(Since::Time(time)) => inquirer.last_before(time, card.head),
    }
}

/// Asks about a room, one question after the other.
struct Inquirer<'i> {
    server: &'i Server,
    connection: &'i mut Connection,
    room: &'i RoomName,
}

impl Inquirer<'_> {
    fn card(&mut self) -> Result<RoomCard, ClientError> {
        let question = ClientMessage::DescribeRoom { room: self.room.to_string() };
        self.ask(&question, |answer| match answer {
            ServerMessage::RoomDescription { card } => Some(card),
            _ => None,
        })
    }

    /// Has the account come into the room.
    fn come_in(&mut self) -> Result<(), ClientError> {
        let id = MessageId::random().ok_or(ClientError::NoEntropy)?;
        let (room, body) = (self.room.to_string(), wire::encode(&RoomEvent::Joined {}).into());
        let join = ClientMessage::Say { room, id, kind: BODY_ROOM_EVENT, body, of: None };
        self.ask(&join, |answer| matches!(answer, ServerMessage::Accepted { .. }).then_some(()))
    }

    /// The number of the last message before a time: by halves, so that it takes as many questions as the number has
    /// bits. Where the server's clock was set back, it is about there.
    fn last_before(&mut self, time: u64, head: u64) -> Result<u64, ClientError> {
        let (mut before, mut from) = (0, head);
        while before < from {
            let middle = before + (from - before) / 2;
            match self.first_after(middle)? {
                Some(message) if message.at < time => before = message.sequence.max(middle + 1),
                _ => from = middle,
            }
        }
        Ok(before.min(head))
    }

    fn first_after(&mut self, after: u64) -> Result<Option<PastMessage>, ClientError> {
        let (room, after, count) = (self.room.to_string(), Some(after), Some(1));
        let question = ClientMessage::History { room, before: None, after, count };
        self.ask(&question, |answer| match answer {
            ServerMessage::History { messages, .. } => Some(messages.into_iter().next()),
            _ => None,
        })
    }

    fn ask<A>(
        &mut self,
        question: &ClientMessage,
        read: impl Fn(ServerMessage) -> Option<A>,
    ) -> Result<A, ClientError> {
        let refused = |reason| Err(ClientError::NotFollowed { room: self.room.clone(), reason });
        match answer(self.connection, question, read) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(reason)) => refused(reason),
            Err(end) => {
                let (address, reason) = (self.server.address(), end.to_string());
                Err(ClientError::LostAtBeginning { address, reason })
            }
        }
    }
}

/// The answer to a question, or why it was refused.
fn answer<A>(
    connection: &mut Connection,
    question: &ClientMessage,
    read: impl Fn(ServerMessage) -> Option<A>,
) -> Result<Result<A, String>, End> {
    connection.sending.send(question, ANSWER_WITHIN)?;
    loop {
        match connection.receiving.receive(ANSWER_WITHIN)? {
            ServerMessage::Ping {} => connection.sending.send(&ClientMessage::Pong {}, ANSWER_WITHIN)?,
            ServerMessage::Refused { text, .. }
            | ServerMessage::RoomRefused { text, .. }
            | ServerMessage::Closing { text, .. } => return Ok(Err(text)),
            other => {
                if let Some(answer) = read(other) {
                    return Ok(Ok(answer));
                }
            }
        }
    }
}
