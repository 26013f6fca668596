//! The server. A message's way through the files:
//!
//! ```text
//! listener → session (a thread for each connection, which only reads; login by accounts or devices,
//!              sign-up by the door and invites)
//!              → log_writer (one commit for all that arrived meanwhile) → log
//!                  → tidings (who hears what of it) → rooms (who gets it) → outbox (what waits for one client)
//!                      → flusher (seals and writes for everyone)
//! catch_up ← whoever joins, comes back or read too slowly: pages of the log, by the same outbox
//! inquiries ← what a session asks of the log: history, what is unread (read_markers), search (in what the indexer has gathered)
//! ```
//!
//! `settings` is what an operator can change meanwhile, `stores` what is on the disk apart from the log; `admin` does what
//! an operator asks, here or on the files alone, `archive` copies them, `departure` is what goes with an account.
//! `presence` is who is here and who is away, for those who share a room with them; `people` is when they were.
//! `hub` is the map of all connections, `strangers` says who of them has a place in the door, `housekeeping` closes the
//! dead ones, `lifecycle` starts and ends it all, `reload` does what SIGHUP asks.
//! No lock is held while anything is sealed, written to a socket, or written to the disk.

mod accounts;
mod admin;
mod archive;
mod background;
mod bans;
mod bots;
mod catch_up;
mod clock;
mod config;
mod data_folder;
mod database;
mod departure;
mod deputy;
mod devices;
mod door;
mod error;
mod flusher;
mod history;
mod housekeeping;
mod hub;
mod identity;
mod indexer;
mod inquiries;
mod invites;
mod lifecycle;
mod limits;
mod listener;
mod lock;
mod log;
mod log_writer;
mod login;
mod moderation;
mod origin;
mod outbox;
mod own_account;
mod pace;
mod people;
mod person_requests;
mod presence;
mod read_markers;
mod reload;
mod room_moderation;
mod room_requests;
mod rooms;
mod search;
mod server_password;
mod session;
mod settings;
mod shared;
mod stores;
mod strangers;
mod throttle;
mod tidings;

pub use admin::{AdminConfig, AdminError, AdminRequest, Errand, administer};
pub use archive::ArchiveError;
pub use config::{Config, Reread};
pub use door::{Registration, RegistrationError};
pub use error::ServerError;
pub use lifecycle::{check, run};
pub use limits::Limits;
