//! Invites: what lets someone sign up where not everyone may, or as an admin. The server keeps no token, only its SHA-256,
//! so that who takes its disk gets no invite.
//!
//! An account is made in `users.db` and an invite is used in `invites.db`, two files that no transaction spans. So a use
//! is *claimed* first, for a name that has no account; then the account is made; then the claim is *settled*: if there
//! is an account of that name by now, the use is gone, otherwise it is given back. Claims that a crash or a full disk has
//! left are settled in the same way at the next start, or before the next claim. All of it happens under the lock of
//! `users.db`, so of two who use an invite at once one is second.

mod registry;
mod store;

pub(super) use registry::{Invites, MakeError};
pub(super) use store::{Invite, InvitesError, NewInvite};
