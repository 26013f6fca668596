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
}

impl AdminArgs {
    pub(super) fn into_config(self) -> Result<AdminConfig, NoHome> {
        let request = match self.command {
            AdminCommand::Sessions => AdminRequest::Sessions {},
            AdminCommand::Devices { name } => AdminRequest::Devices { account: name.to_string() },
        };
        Ok(AdminConfig { data: server_data(self.data)?, request })
    }
}
