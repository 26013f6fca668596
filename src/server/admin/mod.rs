//! What an operator asks of a server, on the host where it is. Apart from sessions: who may ask is decided by who may
//! open the data folder, and nothing of it goes over the network.
//!
//! | file | what it owns |
//! |---|---|
//! | `request` | what can be asked, as it goes over the control socket |
//! | `execute` | does it, on a running server or on the files of a stopped one |
//! | `invites`, `bots` | its parts about invites, and about bots |
//! | `framing`, `address` | how requests and answers are told apart, and where the socket is |
//! | `control` | the running server's end of the socket |
//! | `console` | the end of `chat admin`: the socket, or the files when no server runs |
//!
//! A new command is a variant of [`AdminRequest`], an arm in `execute`, and a subcommand in `cli/admin.rs`.

mod address;
mod bans;
mod bots;
mod console;
mod control;
mod execute;
mod framing;
mod invites;
mod request;
mod rooms;
mod users;

pub use console::{AdminConfig, AdminError, Errand, administer};
pub use request::AdminRequest;

pub(super) use control::ControlSocket;
