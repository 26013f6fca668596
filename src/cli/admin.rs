//! `chat admin`: what an operator asks of a server on this host, as it is typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{NoHome, server_data};
use crate::names::Username;
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
}

impl AdminArgs {
    pub(super) fn into_config(self) -> Result<AdminConfig, NoHome> {
        let request = match self.command {
            AdminCommand::Sessions => AdminRequest::Sessions {},
            AdminCommand::Devices { name } => AdminRequest::Devices { account: name.to_string() },
            AdminCommand::RotateKey { valid_days } => AdminRequest::RotateKey { valid_days },
        };
        Ok(AdminConfig { data: server_data(self.data)?, request })
    }
}
