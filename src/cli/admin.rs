//! `chat admin`: what an operator asks of a server on this host, as it is typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{JobError, server_data, source};
use crate::client::{self, ClientError};
use crate::link::Link;
use crate::names::{BanReason, RoomName, TimeSpan, Username};
use crate::secret_source::PASSWORD_VARIABLE;
use crate::server::{AdminConfig, AdminRequest, Errand};
use crate::wire::SecretText;

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
        #[arg(long, value_name = "ROLE", value_parser = ROLES, default_value = "member")]
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
    /// Lists the accounts, and the names that nobody can take because they were someone's.
    Users,
    /// Makes an account. Its password is asked for, unless it is to be had elsewhere.
    AddUser {
        /// The name.
        name: Username,
        /// What its owner is: member or admin.
        #[arg(long, value_name = "ROLE", value_parser = ROLES, default_value = "member")]
        role: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Gives an account another password, and ends its sessions.
    ResetPassword {
        /// The account.
        name: Username,
        /// Lets no device come in without the password any more.
        #[arg(long)]
        forget_devices: bool,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Gives an account another role.
    Role {
        /// The account.
        name: Username,
        /// What its owner is from now on: member or admin.
        #[arg(value_parser = ROLES)]
        role: String,
    },
    /// Deletes an account, with its devices, its sessions and its places in rooms. What it has said stays, and nobody else
    /// can take its name.
    DeleteUser {
        /// The account.
        name: Username,
        /// Removes what it has said, also that of an account that is deleted already. Then its name is free.
        #[arg(long)]
        with_messages: bool,
    },
    /// Makes a token by which a program comes in as a bot, and prints it: it is not shown again. The bot is made if there
    /// is none of this name.
    AddBot {
        /// The bot.
        name: Username,
        /// A room that the token is for, several times if need be; the bot is brought into it [default: all that the bot
        /// is in].
        #[arg(long = "room", value_name = "ROOM")]
        rooms: Vec<RoomName>,
        /// It can read, and say nothing.
        #[arg(long, conflicts_with = "write_only")]
        read_only: bool,
        /// It can say something, and read nothing.
        #[arg(long)]
        write_only: bool,
        /// How long it lasts, such as 90d [default: until it is revoked].
        #[arg(long = "for", value_name = "TIME")]
        lasts: Option<TimeSpan>,
    },
    /// Lists the tokens of bots, without what makes them work.
    Bots,
    /// Ends a token of a bot, and the sessions that came in by it.
    RevokeToken {
        /// Its number in the list.
        id: i64,
    },
    /// Lists the rooms, with how many are in them and how much was said.
    Rooms,
    /// Copies everything that the server keeps, as it is at one moment, into a new folder. The server goes on meanwhile.
    Backup {
        /// The folder, which must not be there yet.
        folder: PathBuf,
    },
    /// Makes the data folder what it was when a backup was made. The server must be stopped.
    Restore {
        /// The folder that 'chat admin backup' has made.
        folder: PathBuf,
        /// If there is something in the data folder, moves that away, to a folder beside it.
        #[arg(long)]
        replace: bool,
    },
    /// Writes all that an account has said, its rooms and its devices into a new file, in lines of JSON.
    Export {
        /// The account.
        name: Username,
        /// The file, which must not be there yet.
        file: PathBuf,
    },
}

/// Where a new password comes from.
#[derive(Args)]
struct PasswordArgs {
    /// Reads it from the first line of a file.
    #[arg(long, value_name = "FILE", conflicts_with = "password_command")]
    password_file: Option<PathBuf>,
    /// Reads it from the first line that a command prints; or put it in the variable `CHAT_PASSWORD`.
    #[arg(long, value_name = "COMMAND")]
    password_command: Option<String>,
}

const ROLES: [&str; 2] = ["member", ADMIN];
const ADMIN: &str = "admin";

impl PasswordArgs {
    fn read(self) -> Result<SecretText, ClientError> {
        let source = source(self.password_file, self.password_command, PASSWORD_VARIABLE);
        let password = client::new_password(&source)?;
        Ok(SecretText(password.expose().to_owned().into()))
    }
}

impl AdminArgs {
    pub(super) fn into_config(self) -> Result<AdminConfig, JobError> {
        let data = server_data(self.data)?;
        Ok(AdminConfig { data, errand: self.command.into_errand()? })
    }
}

impl AdminCommand {
    fn into_errand(self) -> Result<Errand, ClientError> {
        let request = match self {
            Self::Sessions => AdminRequest::Sessions {},
            Self::Devices { name } => AdminRequest::Devices { account: name.to_string() },
            Self::RotateKey { valid_days } => AdminRequest::RotateKey { valid_days },
            Self::Ban { whom, time, reason } => AdminRequest::Ban {
                whom,
                seconds: time.map(|time| time.duration().as_secs()),
                reason: reason.map(|reason| reason.to_string()),
            },
            Self::Unban { whom } => AdminRequest::Unban { whom },
            Self::Bans => AdminRequest::Bans {},
            Self::Invite { uses, lasts, role, at } => AdminRequest::Invite {
                uses,
                seconds: lasts.duration().as_secs(),
                is_for_admin: role == ADMIN,
                at: at.map(|at| at.address()),
            },
            Self::Invites => AdminRequest::Invites {},
            Self::RevokeInvite { id } => AdminRequest::RevokeInvite { id },
            Self::Users => AdminRequest::Users {},
            Self::AddUser { name, role, password } => {
                let (is_admin, password) = (role == ADMIN, password.read()?);
                AdminRequest::AddUser { name: name.to_string(), is_admin, password }
            }
            Self::ResetPassword { name, forget_devices, password } => AdminRequest::ResetPassword {
                name: name.to_string(),
                password: password.read()?,
                forgets_devices: forget_devices,
            },
            Self::Role { name, role } => {
                AdminRequest::SetRole { name: name.to_string(), is_admin: role == ADMIN }
            }
            Self::DeleteUser { name, with_messages } => {
                AdminRequest::DeleteUser { name: name.to_string(), with_messages }
            }
            Self::AddBot { name, rooms, read_only, write_only, lasts } => AdminRequest::AddBot {
                name: name.to_string(),
                rooms: rooms.iter().map(ToString::to_string).collect(),
                reads: !write_only,
                writes: !read_only,
                seconds: lasts.map(|lasts| lasts.duration().as_secs()),
            },
            Self::Bots => AdminRequest::Bots {},
            Self::RevokeToken { id } => AdminRequest::RevokeToken { id },
            Self::Rooms => AdminRequest::Rooms {},
            Self::Backup { folder } => return Ok(Errand::Backup { to: folder }),
            Self::Restore { folder, replace } => {
                return Ok(Errand::Restore { from: folder, may_replace: replace });
            }
            Self::Export { name, file } => return Ok(Errand::Export { name, to: file }),
        };
        Ok(Errand::Ask(request))
    }
}
