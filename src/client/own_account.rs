//! What a person does about their own account: which devices come in as them, and the password. It is pure: what was
//! typed and what the server says go in, and what to do comes out.
//!
//! Answers don't say what they answer. So a revocation that was typed before the list has come to which it refers waits
//! for it, and what was asked when a connection was lost is not asked again by itself.

use std::collections::VecDeque;

use zeroize::Zeroizing;

use crate::channel::Fingerprint;
use crate::names::{NewPassword, Password};
use crate::wire::{ClientMessage, Device, DeviceFingerprint, SecretText};

use super::commands::Which;

/// What the session is to do.
pub(super) enum Consequence {
    Send(ClientMessage),
    Tell(String),
    /// The same, of something that was asked for and is not done.
    TellFailure(String),
    AskSecretly(&'static str),
    /// The account has this password now.
    PasswordIs(NewPassword),
}

secret!(Consequence);

const OLD: &str = "Your password now: ";
const NEW: &str = "The new password: ";
const AGAIN: &str = "The new one again: ";

/// What is known of one's account, and what is being done with it.
#[derive(Default)]
pub(super) struct OwnAccount {
    /// So many answers are due.
    due: usize,
    /// As they were listed last on this connection.
    devices: Option<Vec<Device>>,
    /// They refer to the list that is due.
    waiting: VecDeque<Which>,
    dialog: Option<Dialog>,
    /// The server was asked to take it last.
    wished: Option<NewPassword>,
}

/// A password that is being changed: what is asked for now, and what is known.
enum Dialog {
    Old,
    New { old: Password },
    Again { old: Password, new: NewPassword },
}

secret!(OwnAccount, Dialog);

impl OwnAccount {
    /// How much is asked and not done.
    pub(super) fn unsettled(&self) -> usize {
        self.due + self.waiting.len()
    }

    /// Asks for something that the server answers.
    pub(super) fn ask(&mut self, message: ClientMessage) -> Consequence {
        self.due += 1;
        Consequence::Send(message)
    }

    /// Asks for a device to be revoked, now or when the list has come.
    pub(super) fn revoke(&mut self, which: Which) -> Option<Consequence> {
        if self.due > 0 {
            self.waiting.push_back(which);
            return None;
        }
        Some(self.revoke_listed(&which))
    }

    /// Begins to ask for passwords.
    pub(super) fn change_password(&mut self) -> Consequence {
        self.dialog = Some(Dialog::Old);
        Consequence::AskSecretly(OLD)
    }

    /// Takes the answer to a question for a password; none if the person wants to stop.
    pub(super) fn answered(&mut self, answer: Option<Zeroizing<String>>) -> Vec<Consequence> {
        let (Some(dialog), Some(answer)) = (self.dialog.take(), answer) else {
            return vec![Consequence::Tell("the password is as it was".into())];
        };
        match dialog {
            Dialog::Old => match Password::parse(answer) {
                Ok(old) => self.ask_for_new(old, None),
                Err(error) => {
                    vec![Consequence::Tell(format!("{error}; to change your password, type /passwd again"))]
                }
            },
            Dialog::New { old } => match Password::parse(answer).and_then(NewPassword::parse) {
                Ok(new) => {
                    self.dialog = Some(Dialog::Again { old, new });
                    vec![Consequence::AskSecretly(AGAIN)]
                }
                Err(error) => self.ask_for_new(old, Some(error.to_string())),
            },
            Dialog::Again { old, new } if answer.as_str() == new.expose() => {
                let change =
                    ClientMessage::ChangePassword { old: secret(old.expose()), new: secret(new.expose()) };
                self.wished = Some(new);
                vec![self.ask(change)]
            }
            Dialog::Again { old, .. } => {
                self.ask_for_new(old, Some("the two are not the same; type them once more".into()))
            }
        }
    }

    /// The server has told the devices.
    pub(super) fn listed(&mut self, devices: Vec<Device>) -> Vec<Consequence> {
        self.devices = Some(devices);
        self.settled_one()
    }

    /// The server has changed the password.
    pub(super) fn password_changed(&mut self) -> Vec<Consequence> {
        let told =
            "the password is changed; if someone else may know the old one, type /devices revoke others";
        let told = Consequence::Tell(told.into());
        let wished = self.wished.take().map(Consequence::PasswordIs);
        wished.into_iter().chain([told]).chain(self.settled_one()).collect()
    }

    /// The server has made an invite.
    pub(super) fn invited(&mut self) -> Vec<Consequence> {
        self.settled_one()
    }

    /// The server has refused something that was asked here, if anything was.
    pub(super) fn refused(&mut self, text: &str) -> Vec<Consequence> {
        let told = format!("the server says: {text}");
        let told = if self.due > 0 { Consequence::TellFailure(told) } else { Consequence::Tell(told) };
        [told].into_iter().chain(self.settled_one()).collect()
    }

    /// Answers that were due won't come, because the connection or a part of what came over it is lost. Gives what is
    /// to be told.
    pub(super) fn answers_lost(&mut self) -> Option<Consequence> {
        let was_asked = self.unsettled() > 0;
        *self = Self { dialog: self.dialog.take(), ..Self::default() };
        let told = "the answer about your account was lost; see with /devices what was done, or do it again";
        was_asked.then(|| Consequence::TellFailure(told.into()))
    }

    fn ask_for_new(&mut self, old: Password, what_was_wrong: Option<String>) -> Vec<Consequence> {
        self.dialog = Some(Dialog::New { old });
        what_was_wrong.map(Consequence::Tell).into_iter().chain([Consequence::AskSecretly(NEW)]).collect()
    }

    /// An answer has come; what waited for it goes on.
    fn settled_one(&mut self) -> Vec<Consequence> {
        self.due = self.due.saturating_sub(1);
        let mut reactions = Vec::new();
        while self.due == 0
            && let Some(which) = self.waiting.pop_front()
        {
            reactions.push(self.revoke_listed(&which));
        }
        reactions
    }

    fn revoke_listed(&mut self, which: &Which) -> Consequence {
        let Some(devices) = &self.devices else {
            return Consequence::TellFailure("type /devices first, then revoke by what it shows".into());
        };
        let meant: Vec<DeviceFingerprint> = match which {
            Which::Number(number) => {
                let device = number.checked_sub(1).and_then(|place| devices.get(place));
                device.into_iter().map(|device| device.fingerprint).collect()
            }
            Which::Fingerprint(digits) => {
                let all = devices.iter().map(|device| device.fingerprint);
                all.filter(|fingerprint| hexadecimal(*fingerprint).starts_with(digits)).collect()
            }
        };
        match meant.as_slice() {
            [fingerprint] => self.ask(ClientMessage::RevokeDevice { fingerprint: *fingerprint }),
            [] => {
                Consequence::TellFailure("you have no such device; /devices shows those that you have".into())
            }
            _ => Consequence::TellFailure(
                "several fingerprints begin so; type more of the one you mean".into(),
            ),
        }
    }
}

fn hexadecimal(fingerprint: DeviceFingerprint) -> String {
    Fingerprint::from_bytes(*fingerprint.as_bytes()).to_string().replace(' ', "")
}

fn secret(text: &str) -> SecretText {
    SecretText(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(first: u8) -> Device {
        let mut bytes = [0; 16];
        (bytes[0], bytes[1]) = (0xab, first);
        let fingerprint = DeviceFingerprint::from_bytes(bytes);
        Device { label: "laptop".into(), fingerprint, first_seen: 1, last_seen: 2, is_this: false }
    }

    /// Someone with three devices that were listed.
    fn with_devices() -> OwnAccount {
        let mut account = OwnAccount::default();
        account.ask(ClientMessage::ListDevices {});
        assert!(account.listed(vec![device(1), device(2), device(0x2f)]).is_empty());
        account
    }

    /// Reactions in words; what is sent without its secrets.
    fn words(reactions: impl IntoIterator<Item = Consequence>) -> Vec<String> {
        let word = |reaction| match reaction {
            Consequence::Send(ClientMessage::RevokeDevice { fingerprint }) => {
                format!("revoke {}", fingerprint.as_bytes()[1])
            }
            Consequence::Send(ClientMessage::ChangePassword { .. }) => "change".to_owned(),
            Consequence::Send(_) => "send".to_owned(),
            Consequence::Tell(text) => text,
            Consequence::TellFailure(text) => format!("failed: {text}"),
            Consequence::AskSecretly(question) => question.to_owned(),
            Consequence::PasswordIs(password) => format!("the password is {}", password.expose()),
        };
        reactions.into_iter().map(word).collect()
    }

    fn typed(account: &mut OwnAccount, answer: &str) -> Vec<String> {
        words(account.answered(Some(Zeroizing::new(answer.to_owned()))))
    }

    #[test]
    fn a_device_is_revoked_by_its_number_or_the_beginning_of_its_fingerprint() {
        let fingerprint = |digits: &str| Which::Fingerprint(digits.into());
        let cases = [
            (Which::Number(1), "revoke 1"),
            (Which::Number(3), "revoke 47"),
            (Which::Number(0), "failed: you have no such device"),
            (Which::Number(4), "failed: you have no such device"),
            (fingerprint("ab02"), "revoke 2"),
            (fingerprint("ab2f00"), "revoke 47"),
            (fingerprint("ab03"), "failed: you have no such device"),
            (fingerprint("ab"), "failed: several"),
        ];
        for (which, expected) in cases {
            let told = words(with_devices().revoke(which.clone()));
            assert!(told[0].starts_with(expected), "{which:?}: {told:?}");
        }
        let told = words(OwnAccount::default().revoke(Which::Number(1)));
        assert!(told[0].starts_with("failed: type /devices first"));
    }

    #[test]
    fn a_revocation_waits_for_the_list_to_which_it_refers() {
        let mut account = OwnAccount::default();
        account.ask(ClientMessage::ListDevices {});
        for number in [9, 1, 2] {
            assert!(account.revoke(Which::Number(number)).is_none());
        }
        assert_eq!(account.unsettled(), 4);
        let told = words(account.listed(vec![device(1), device(2)]));
        assert!(told[0].starts_with("failed: you have no such device") && told[1] == "revoke 1", "{told:?}");
        assert!(words(account.listed(vec![device(2)]))[0].starts_with("failed"), "its number is 1 now");
        assert_eq!(account.unsettled(), 0);
    }

    #[test]
    fn a_password_is_changed_when_everything_was_typed_right() {
        let mut account = OwnAccount::default();
        account.change_password();
        assert_eq!(typed(&mut account, "Old-Horse-1"), [NEW]);
        assert!(typed(&mut account, "weak")[0].contains("too weak"));
        assert_eq!(typed(&mut account, "New-Horse-2"), [AGAIN]);
        assert!(typed(&mut account, "New-Horse-3")[0].contains("not the same"));
        assert_eq!(typed(&mut account, "New-Horse-2"), [AGAIN]);
        assert_eq!(typed(&mut account, "New-Horse-2"), ["change"]);
        let told = words(account.password_changed());
        assert_eq!(told[0], "the password is New-Horse-2");
        assert!(told[1].starts_with("the password is changed"));
        assert_eq!(account.unsettled(), 0);
    }

    #[test]
    fn a_password_stays_when_the_person_stops_or_types_nothing() {
        let mut account = OwnAccount::default();
        account.change_password();
        assert!(typed(&mut account, "")[0].contains("/passwd again"));
        account.change_password();
        typed(&mut account, "Old-Horse-1");
        assert_eq!(words(account.answered(None)), ["the password is as it was"]);
        assert_eq!(typed(&mut account, "New-Horse-2"), ["the password is as it was"]);
    }

    #[test]
    fn what_was_asked_when_the_connection_was_lost_is_told_once() {
        let mut account = with_devices();
        assert!(account.answers_lost().is_none());
        account.ask(ClientMessage::ListDevices {});
        account.revoke(Which::Number(1));
        assert!(account.answers_lost().is_some() && account.answers_lost().is_none());
        assert!(words(account.revoke(Which::Number(1)))[0].starts_with("failed: type /devices first"));
    }

    #[test]
    fn a_refusal_is_a_failure_only_of_what_was_asked_here() {
        let mut account = OwnAccount::default();
        assert_eq!(words(account.refused("no")), ["the server says: no"]);
        account.ask(ClientMessage::ListDevices {});
        assert_eq!(words(account.refused("no")), ["failed: the server says: no"]);
    }
}
