//! Bots: accounts of programs. A bot has no password; it comes in by a token, of which it may have several, each for some
//! rooms or for all, to read, to write or both, for a time or until it is revoked. Tokens are made by the operator alone.
//! The server keeps no token, only its SHA-256, so that who takes its disk comes in as no bot.

mod permission;
mod registry;
mod scope;
mod store;

use std::borrow::Cow;

use super::hub::Ending;
use crate::wire::Code;

pub(super) use permission::refusal;
pub(super) use registry::Bots;
pub(super) use scope::Scope;
pub(super) use store::{BotsError, NewToken, Token};

/// What is told on the sessions of a token that has ended.
pub(super) const ENDED: Ending = Ending {
    code: Code::TokenRevoked,
    text: Cow::Borrowed(
        "this bot's token was revoked or has ended; ask the server's operator for another one",
    ),
};
