//! Who may sign up, by the operator's policy and what the newcomer brings. It costs no hash to be refused here.

use std::str::FromStr;

use tracing::error;

use super::accounts::Role;
use super::clock;
use super::invites::Invite;
use super::login::refused;
use super::server_password::ServerPassword;
use super::stores::Stores;
use crate::names::InviteToken;
use crate::wire::{
    Code, REGISTRATION_CLOSED, REGISTRATION_INVITE, REGISTRATION_OPEN, SecretText, ServerMessage,
};

/// Who may sign up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Anyone.
    #[default]
    Open,
    /// Who has an invite.
    Invite,
    /// Who has an invite that the operator made on the server's host.
    Closed,
}

/// A text is no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write open, invite or closed")]
pub struct RegistrationError;

impl FromStr for Registration {
    type Err = RegistrationError;

    fn from_str(text: &str) -> Result<Self, RegistrationError> {
        match text {
            "open" => Ok(Self::Open),
            "invite" => Ok(Self::Invite),
            "closed" => Ok(Self::Closed),
            _ => Err(RegistrationError),
        }
    }
}

impl Registration {
    /// The number on the wire.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Open => REGISTRATION_OPEN,
            Self::Invite => REGISTRATION_INVITE,
            Self::Closed => REGISTRATION_CLOSED,
        }
    }
}

/// The operator's policy.
pub(super) struct Door {
    /// Who may sign up.
    pub(super) registration: Registration,
    /// Whether members may make invites that count with [`Registration::Invite`].
    pub(super) members_invite: bool,
    /// What who signs up without an invite must know with [`Registration::Open`].
    pub(super) server_password: ServerPassword,
}

/// How someone may sign up.
pub(super) struct Entry {
    /// As what.
    pub(super) role: Role,
    /// The invite of which a use is to be claimed.
    pub(super) invite: Option<i64>,
}

impl Door {
    /// Whether who signs up without an invite must know the word.
    pub(super) fn wants_server_password(&self) -> bool {
        self.registration == Registration::Open && self.server_password.is_set()
    }

    /// Looks at what a newcomer brings. Nothing is used up yet.
    pub(super) fn look_at(
        &self,
        stores: &Stores,
        invite: Option<&SecretText>,
        word: Option<&SecretText>,
    ) -> Result<Entry, ServerMessage> {
        if let Some(text) = invite {
            let token: InviteToken = text.0.parse().map_err(|_| not_valid())?;
            let found = stores.invites.find(&token).map_err(|error| {
                error!(%error, "an invite could not be looked up");
                refused(Code::Busy, "the server can't look at invites just now; try again in a moment")
            })?;
            return self.entry_of(&found.ok_or_else(not_valid)?, stores);
        }
        match self.registration {
            Registration::Open if !self.server_password.lets_in(word.map(|word| word.0.as_str())) => {
                Err(refused(
                    Code::WrongServerPassword,
                    "who signs up here must know the server's password, and this is not it; ask whoever told you of the \
                     server",
                ))
            }
            Registration::Open => Ok(Entry { role: Role::Member, invite: None }),
            Registration::Invite => Err(refused(
                Code::InviteNeeded,
                "one signs up here with an invite only; ask someone inside for one, and use its link",
            )),
            Registration::Closed => Err(closed()),
        }
    }

    /// An invite is worth as much as its maker: none of who is banned or has no account any more.
    fn entry_of(&self, invite: &Invite, stores: &Stores) -> Result<Entry, ServerMessage> {
        let is_out = |maker| {
            stores.accounts.account(maker).is_none() || stores.bans.of_account(maker, clock::now()).is_some()
        };
        if invite.maker.as_ref().is_some_and(is_out) {
            return Err(not_valid());
        }
        if self.registration == Registration::Closed && invite.maker.is_some() {
            return Err(closed());
        }
        Ok(Entry { role: invite.role, invite: Some(invite.id) })
    }
}

/// Which of the reasons it is, is not told: a guess at a token is to learn nothing.
pub(super) fn not_valid() -> ServerMessage {
    refused(
        Code::InviteNotValid,
        "this invite is not valid: it was used, revoked, or is too old; ask for a new one",
    )
}

fn closed() -> ServerMessage {
    refused(
        Code::RegistrationClosed,
        "nobody new can sign up here at present; ask the person who runs the server",
    )
}
