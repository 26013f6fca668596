//! What may be asked for by who came in with a token. Which rooms there are for them is looked at where rooms are looked
//! up, so that one out of scope is answered like none.

use super::scope::Scope;
use crate::names::RoomName;
use crate::server::login::refused;
use crate::server::tidings::{self, NO_SUCH_ROOM};
use crate::wire::{BODY_ROOM_EVENT, ClientMessage, Code, ServerMessage};

const READS: &str = "this bot's token is for writing only";
const WRITES: &str = "this bot's token is for reading only";
const PEOPLE: &str = "a bot can't do that; its operator looks after its account with 'chat admin'";

/// Why a message is not done for who has this scope, if it is not.
pub(in crate::server) fn refusal(scope: &Scope, message: &ClientMessage) -> Option<ServerMessage> {
    let out_of_scope = |text| Some(refused(Code::OutOfScope, text));
    match message {
        ClientMessage::Say { id, .. } if !scope.writes => {
            Some(tidings::refused(Code::OutOfScope, WRITES, *id))
        }
        // A room that is to be made is not looked up.
        ClientMessage::Say { room, id, kind: BODY_ROOM_EVENT, .. } if !scope.has_named(room) => {
            Some(tidings::refused(Code::NoSuchRoom, NO_SUCH_ROOM, *id))
        }
        ClientMessage::SetAway { .. } if !scope.writes => out_of_scope(WRITES),
        ClientMessage::Join { room, .. }
        | ClientMessage::History { room, .. }
        | ClientMessage::MarkRead { room, .. }
        | ClientMessage::DescribeRoom { room }
        | ClientMessage::ListMembers { room, .. }
        | ClientMessage::ModerationLog { room, .. }
        | ClientMessage::ListSanctions { room, .. }
            if !scope.reads =>
        {
            Some(tidings::room_refused(room, Code::OutOfScope, READS))
        }
        ClientMessage::Search { .. } | ClientMessage::ListRooms { .. } if !scope.reads => out_of_scope(READS),
        ClientMessage::HideLastSeen { .. }
        | ClientMessage::Remember { .. }
        | ClientMessage::ListDevices {}
        | ClientMessage::RevokeDevice { .. }
        | ClientMessage::RevokeOtherDevices {}
        | ClientMessage::ChangePassword { .. }
        | ClientMessage::MakeInvite { .. } => out_of_scope(PEOPLE),
        _ => None,
    }
}

impl Scope {
    fn has_named(&self, room: &str) -> bool {
        self.rooms.is_none() || room.parse::<RoomName>().is_ok_and(|room| self.has(&room))
    }
}
