//! `chat admin`: what an operator asks of a server on this host, as it is typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{NoHome, server_data};
use crate::link::Link;
use crate::names::{BanReason, TimeSpan, Username};
use crate::server::{AdminConfig, AdminRequest};

#[derive(Args)]
pub(super) struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
    /// The folder of the server [default: ~/.local/share/chat/server].
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Lists who is connected.
    Sessions,
    /// Lists the devices that come in as an account without its password.
    Devices {
        /// The account.
        name: Username,
    },
    /// Makes a new server key, for which the present one vouches, and prints the new links. Who knows the present key
    /// follows without a question.
    RotateKey {
        /// For how many days those who know only the present key can follow: 1 to 365.
        #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=365))]
        valid_days: u32,
    },
    /// Keeps an account, a device or addresses out, and ends their sessions.
    Ban {
        /// NAME, a device's fingerprint, or ADDRESS[/PREFIX]; what could be several begins with account:, device: or
        /// address:.
        whom: String,
        /// For how long, for example 10m, 12h or 7d [default: for ever].
        #[arg(long = "for", value_name = "TIME")]
        time: Option<TimeSpan>,
        /// What they are told.
        #[arg(long, value_name = "TEXT")]
        reason: Option<BanReason>,
    },
    /// Lets them in again.
    Unban {
        /// As it was banned, or as 'chat admin bans' shows it.
        whom: String,
    },
    /// Lists who is banned.
    Bans,
    /// Makes an invite, and prints it as links, ready to be sent.
    Invite {
        /// How many may sign up with it.
        #[arg(long, value_name = "N", default_value_t = 1)]
        uses: u32,
        /// How long it can be used, such as 12h or 7d.
        #[arg(long = "for", value_name = "TIME", default_value_t = TimeSpan::WEEK)]
        lasts: TimeSpan,
        /// What one becomes with it: member or admin.
        #[arg(long, value_name = "ROLE", value_parser = ["member", "admin"], default_value = "member")]
        role: String,
        /// The host, or host:port, by which the server is reached from where the invite goes.
        #[arg(long, value_name = "HOST")]
        at: Option<Link>,
    },
    /// Lists the invites that can be used, without what makes them work.
    Invites,
    /// Ends an invite.
    RevokeInvite {
        /// Its number in the list.
        id: i64,
    },
}

impl AdminArgs {
    pub(super) fn into_config(self) -> Result<AdminConfig, NoHome> {
        let request = match self.command {
            AdminCommand::Sessions => AdminRequest::Sessions {},
            AdminCommand::Devices { name } => AdminRequest::Devices { account: name.to_string() },
            AdminCommand::RotateKey { valid_days } => AdminRequest::RotateKey { valid_days },
            AdminCommand::Ban { whom, time, reason } => AdminRequest::Ban {
                whom,
                seconds: time.map(|time| time.duration().as_secs()),
                reason: reason.map(|reason| reason.to_string()),
            },
            AdminCommand::Unban { whom } => AdminRequest::Unban { whom },
            AdminCommand::Bans => AdminRequest::Bans {},
            AdminCommand::Invite { uses, lasts, role, at } => AdminRequest::Invite {
                uses,
                seconds: lasts.duration().as_secs(),
                is_for_admin: role == "admin",
                at: at.map(|at| at.address()),
            },
            AdminCommand::Invites => AdminRequest::Invites {},
            AdminCommand::RevokeInvite { id } => AdminRequest::RevokeInvite { id },
        };
        Ok(AdminConfig { data: server_data(self.data)?, request })
    }
}
