//! What people may do with their own account, and the answers: the devices that come in without a password, the
//! password, and invites for others.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use tracing::{error, info};

use super::accounts::{PasswordChangeError, Role};
use super::clock;
use super::devices::{Device, DevicesError, EnrolError};
use super::door::Registration;
use super::hub::{Client, Ending};
use super::invites::{MakeError, NewInvite};
use super::login::{self, not_hashed, refused};
use super::shared::Shared;
use crate::channel::{Fingerprint, PublicKey};
use crate::names::{DeviceLabel, NewPassword, Password, TimeSpan, Username};
use crate::wire::{self, Code, DeviceFingerprint, SecretText, ServerMessage};

/// What is told on the sessions that a revocation ends.
pub(super) const REVOKED: Ending = Ending {
    code: Code::DeviceRevoked,
    text: Cow::Borrowed("this device was revoked; log in with your password"),
};

/// What is told on a session whose password was changed while it was let in.
pub(super) const CHANGED: Ending = Ending {
    code: Code::DeviceRevoked,
    text: Cow::Borrowed("the password was changed just now; log in with the new one"),
};

/// Someone who is logged in, on one of their sessions.
pub(super) struct Owner<'s> {
    pub(super) shared: &'s Shared,
    pub(super) client: &'s Arc<Client>,
    pub(super) name: &'s Username,
    /// The key that this session's handshake has proved.
    pub(super) key: PublicKey,
}

impl Owner<'_> {
    /// Makes this session's key a device of the account.
    pub(super) fn remember(&self, label: &str) -> ServerMessage {
        let label: DeviceLabel = match label.parse() {
            Ok(label) => label,
            Err(error) => return refused(Code::Malformed, error),
        };
        let is_welcome = || self.client.ending().is_none();
        match self.shared.stores.devices.enrol(self.key, self.name, label, clock::now(), is_welcome) {
            Ok(()) => {
                info!(name = %self.name, device = %self.key.fingerprint(), "a device is remembered");
                ServerMessage::Remembered {}
            }
            Err(error @ EnrolError::Taken) => refused(Code::DeviceTaken, error),
            Err(error @ EnrolError::TooMany) => refused(Code::TooManyDevices, error),
            Err(error @ EnrolError::Ended) => refused(Code::DeviceRevoked, error),
            Err(ref error @ EnrolError::NotStored(ref reason)) => {
                error!(%reason, "a device could not be saved");
                refused(Code::NotStored, error)
            }
        }
    }

    /// The devices of the account.
    pub(super) fn devices(&self) -> ServerMessage {
        let devices = self.shared.stores.devices.of(self.name);
        ServerMessage::Devices { devices: devices.iter().map(|device| self.shown(device)).collect() }
    }

    /// Forgets one of the account's devices and ends its sessions; perhaps this one.
    pub(super) fn revoke(&self, fingerprint: DeviceFingerprint) -> ServerMessage {
        let wanted = Fingerprint::from_bytes(*fingerprint.as_bytes());
        let mut was_there = false;
        let revoked = self.shared.stores.devices.revoke(
            self.name,
            |_, found| found == wanted,
            |keys| {
                was_there = !keys.is_empty();
                self.shared.hub.end_sessions(self.name, &REVOKED, |_, member| keys.contains(&member.key));
            },
        );
        match revoked {
            Ok(()) if was_there => {
                info!(name = %self.name, device = %wanted, "a device was revoked");
                self.devices()
            }
            Ok(()) => {
                refused(Code::NoSuchDevice, "you have no device with this fingerprint; list them again")
            }
            Err(error) => not_stored(&error),
        }
    }

    /// Forgets all devices but this one, and ends all sessions but this one, with whatever key.
    pub(super) fn revoke_others(&self) -> ServerMessage {
        let revoked = self.shared.stores.devices.revoke(
            self.name,
            |key, _| *key != self.key,
            |_| {
                self.shared.hub.end_sessions(self.name, &REVOKED, |client, _| client.id != self.client.id);
            },
        );
        if let Err(error) = revoked {
            return not_stored(&error);
        }
        info!(name = %self.name, "all other devices were revoked");
        self.devices()
    }

    /// Gives the account another password.
    pub(super) fn change_password(&self, old: SecretText, new: SecretText) -> ServerMessage {
        let Ok(old) = Password::parse(old.0) else {
            return refused(Code::WrongNameOrPassword, PasswordChangeError::WrongPassword);
        };
        let new = match Password::parse(new.0).and_then(NewPassword::parse) {
            Ok(new) => new,
            Err(error) => return refused(Code::BadPassword, error),
        };
        let tried = match login::begin_try(self.shared, self.client.origin, Some(self.name.clone())) {
            Ok(tried) => tried,
            Err(throttled) => return throttled,
        };
        let is_welcome = || self.client.ending().is_none();
        let accounts = &self.shared.stores.accounts;
        let changed = accounts.change_password(self.name, &old, &new, self.client.origin, is_welcome);
        match &changed {
            Err(PasswordChangeError::WrongPassword) => {}
            Err(PasswordChangeError::Hashing(_)) => self.shared.throttles.was_none(tried, Instant::now()),
            Ok(()) | Err(_) => self.shared.throttles.was_right(tried, Instant::now()),
        }
        match changed {
            Ok(()) => {
                info!(name = %self.name, "the password was changed");
                ServerMessage::PasswordChanged {}
            }
            Err(error @ PasswordChangeError::WrongPassword) => refused(Code::WrongNameOrPassword, error),
            Err(PasswordChangeError::Hashing(error)) => not_hashed(error),
            Err(error @ PasswordChangeError::Ended) => refused(Code::DeviceRevoked, error),
            Err(error @ PasswordChangeError::ChangedMeanwhile) => refused(Code::Busy, error),
            Err(ref error @ PasswordChangeError::NotSaved(ref reason)) => {
                error!(%reason, "a password could not be saved");
                refused(Code::NotStored, error)
            }
        }
    }

    /// Makes an invite for members. Who may is the operator's choice.
    pub(super) fn invite(&self, uses: Option<u32>, seconds: Option<u64>) -> ServerMessage {
        let settings = self.shared.settings();
        let door = &settings.door;
        let is_admin =
            self.shared.stores.accounts.account(self.name).is_some_and(|account| account.role == Role::Admin);
        let may = match door.registration {
            Registration::Open => true,
            Registration::Invite => is_admin || door.members_invite,
            Registration::Closed => {
                let text = "nobody new can sign up here at present, so there are no invites";
                return refused(Code::RegistrationClosed, text);
            }
        };
        if !may {
            return refused(Code::NotAllowed, "only admins may invite here; ask one of them");
        }
        let lasts = seconds.map_or(Some(NewInvite::LASTS), TimeSpan::seconds);
        let uses = uses.unwrap_or(1);
        let Some(lasts) = lasts.filter(|_| NewInvite::USES.contains(&uses)) else {
            let text = "an invite has 1 to 1000 uses and lasts at most ten years; for example: /invite 5 7d";
            return refused(Code::Malformed, text);
        };
        let wanted = NewInvite { role: Role::Member, uses, lasts, maker: Some(self.name.clone()) };
        match self.shared.stores.invites.make(&wanted) {
            Ok((invite, token)) => {
                info!(name = %self.name, id = invite.id, uses, "an invite was made");
                ServerMessage::Invited { token: token.text(), uses, until: invite.until }
            }
            Err(error @ MakeError::TooMany) => refused(Code::TooManyInvites, error),
            Err(error) => {
                error!(reason = ?error, "an invite could not be made");
                refused(Code::NotStored, error)
            }
        }
    }

    fn shown(&self, device: &Device) -> wire::Device {
        wire::Device {
            label: device.label.to_string(),
            fingerprint: DeviceFingerprint::from_bytes(*device.key.fingerprint().as_bytes()),
            first_seen: device.first_seen,
            last_seen: device.last_seen,
            is_this: device.key == self.key,
        }
    }
}

fn not_stored(reason: &DevicesError) -> ServerMessage {
    error!(%reason, "devices could not be saved");
    refused(
        Code::NotStored,
        "the server could not write it down, so nothing is changed; tell the person who runs it",
    )
}
