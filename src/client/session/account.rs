//! One's own account, as one asks about it: devices, the password, invites.

use std::io;

use zeroize::Zeroizing;

use super::super::commands::AccountCommand;
use super::super::own_account::Consequence;
use super::Session;
use crate::names::InviteText;
use crate::wire::ClientMessage;

impl Session {
    /// Does what was asked for.
    pub(super) fn account_command(&mut self, command: AccountCommand) -> io::Result<()> {
        match command {
            AccountCommand::Devices => self.ask(ClientMessage::ListDevices {}),
            AccountCommand::RevokeOtherDevices => self.ask(ClientMessage::RevokeOtherDevices {}),
            AccountCommand::RevokeDevice(which) => {
                let reaction = self.own_account.revoke(which);
                self.react(reaction)
            }
            AccountCommand::ChangePassword if self.lines.is_some() => self.not_sent(
                "the password is as it was: it is only typed where it is not seen; run chat client on a terminal, \
                 without --plain",
            ),
            AccountCommand::ChangePassword => {
                let reaction = self.own_account.change_password();
                self.react([reaction])
            }
            AccountCommand::Invite { uses, lasts } => {
                let seconds = lasts.map(|lasts| lasts.duration().as_secs());
                self.ask(ClientMessage::MakeInvite { uses, seconds })
            }
        }
    }

    pub(super) fn show_invite(&mut self, invite: InviteText, uses: u32, until: u64) -> io::Result<()> {
        let link = self.uplink.server().invite_link(invite).to_string();
        let lines = self.transcript.invite(&link, uses, until);
        self.print(&lines)
    }

    fn ask(&mut self, message: ClientMessage) -> io::Result<()> {
        let reaction = self.own_account.ask(message);
        self.react([reaction])
    }

    pub(super) fn answered(&mut self, answer: Option<Zeroizing<String>>) -> io::Result<()> {
        let reactions = self.own_account.answered(answer);
        self.react(reactions)
    }

    pub(super) fn react(&mut self, reactions: impl IntoIterator<Item = Consequence>) -> io::Result<()> {
        for reaction in reactions {
            match reaction {
                Consequence::Send(message) if self.uplink.is_up() => self.uplink.send(&message),
                Consequence::Send(_) => {
                    self.own_account.answers_lost();
                    self.not_sent(
                        "not connected, so nothing was done; try again when the connection is back",
                    )?;
                }
                Consequence::Tell(text) => self.note(&text)?,
                Consequence::TellFailure(text) => self.not_sent(&text)?,
                Consequence::PasswordIs(password) => self.uplink.password_is(password),
                Consequence::AskSecretly(question) => self.screen.ask_secretly(question)?,
            }
        }
        Ok(())
    }
}
