//! What a server says about who may sign up, and what a newcomer brings for it.

use crate::link::Link;
use crate::names::InviteText;
use crate::wire::{Code, REGISTRATION_CLOSED, REGISTRATION_INVITE, ServerMessage};

use super::ClientError;
use super::connection::{Connection, End};
use super::login_form::sentence;
use super::pass::ANSWER_WITHIN;
use super::person::Person;

/// What the server wants of who signs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// Nothing, as far as it has told.
    Open,
    /// The word at the door, or an invite.
    Word,
    /// An invite.
    Invite,
    /// An invite that its operator has made.
    Closed,
}

impl Door {
    /// What the server says first on every connection.
    pub(super) fn told_on(connection: &mut Connection) -> Result<Self, End> {
        loop {
            if let ServerMessage::Welcome { registration, wants_server_password, .. } =
                connection.receiving.receive(ANSWER_WITHIN)?
            {
                return Ok(match registration {
                    Some(REGISTRATION_INVITE) => Self::Invite,
                    Some(REGISTRATION_CLOSED) => Self::Closed,
                    _ if wants_server_password == Some(true) => Self::Word,
                    _ => Self::Open,
                });
            }
        }
    }

    /// Whether another answer of the person can help after such a refusal. Who brought an invite that is none where none
    /// is needed is not let in without it: it may have been for more than that.
    pub(super) fn can_mend(self, refused: Code) -> bool {
        match refused {
            Code::RegistrationClosed | Code::Banned => false,
            Code::InviteNotValid => self == Self::Invite,
            _ => true,
        }
    }

    /// The invite that is given, or asked for where one is needed. Nothing is asked in vain.
    pub(super) fn invite(
        self,
        given: Option<InviteText>,
        person: &mut dyn Person,
    ) -> Result<Option<InviteText>, ClientError> {
        match (self, given) {
            (_, Some(given)) => Ok(Some(given)),
            (Self::Open | Self::Word, None) => Ok(None),
            (Self::Closed, None) => Err(ClientError::RegistrationClosed),
            (Self::Invite, None) if !person.is_there() => Err(ClientError::InviteNeeded),
            (Self::Invite, None) => asked_invite(person).map(Some),
        }
    }
}

fn asked_invite(person: &mut dyn Person) -> Result<InviteText, ClientError> {
    person.tell("One signs up here with an invite only. Someone inside can make one with /invite.");
    loop {
        let answer = person.ask("Your invite, or the whole link with it: ")?;
        match invite_in(&answer) {
            Ok(invite) => return Ok(invite),
            Err(reason) => person.tell(&sentence(&reason)),
        }
    }
}

/// The invite in what someone has pasted.
fn invite_in(text: &str) -> Result<InviteText, String> {
    if text.contains("://") || text.contains('?') {
        let link: Link = text.parse().map_err(|error: crate::link::LinkError| error.to_string())?;
        return link
            .invite
            .ok_or_else(|| "there is no invite in this link; ask for one that has it".to_owned());
    }
    text.parse().map_err(|error: crate::names::InviteTokenError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::fake::Scripted;
    use super::*;

    const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUv-_";

    fn token() -> InviteText {
        TOKEN.parse().unwrap()
    }

    #[test]
    fn an_invite_is_taken_out_of_whatever_was_pasted() {
        let key = crate::channel::PublicKey::from_bytes([5; 32]);
        for text in [
            TOKEN.to_owned(),
            format!("chat://host:1/lobby?invite={TOKEN}#{key}"),
            format!("host?invite={TOKEN}"),
        ] {
            assert!(invite_in(&text).is_ok_and(|found| found == token()), "{text}");
        }
        let nonsense =
            ["", "short", &format!("chat://host#{key}"), "chat://host?invite=short", &format!("{TOKEN}x")];
        for text in nonsense {
            assert!(invite_in(text).is_err(), "{text}");
        }
    }

    #[test]
    fn it_is_asked_for_only_where_one_is_needed_and_someone_is_there() {
        let ask = |door: Door, given: Option<InviteText>, answers: &[&'static str]| {
            let mut person = Scripted::answering(answers);
            let invite = door.invite(given, &mut person);
            assert!(person.is_done());
            invite.map(|invite| invite.is_some())
        };
        assert!(matches!(ask(Door::Open, None, &[]), Ok(false)));
        for door in [Door::Open, Door::Invite, Door::Closed] {
            assert!(matches!(ask(door, Some(token()), &[]), Ok(true)));
        }
        assert!(matches!(ask(Door::Closed, None, &[]), Err(ClientError::RegistrationClosed)));
        assert!(matches!(ask(Door::Invite, None, &[]), Err(ClientError::InviteNeeded)));
        assert!(matches!(ask(Door::Invite, None, &["", "what?", TOKEN]), Ok(true)));
    }
}
