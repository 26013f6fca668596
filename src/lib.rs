//! A private group chat: one server, terminals as clients, nothing else to set up.
//!
//! # The map
//!
//! | part | what it owns |
//! |---|---|
//! | [`names`] | what people type, parsed: names, rooms, messages, passwords |
//! | [`terminal_text`] | makes any text safe to print |
//! | [`nearest`] | the name that was meant by a mistyped one |
//! | [`memory_secrecy`] | no core dumps, no debugger |
//! | `secrecy` | what a type that holds a secret must not be able to do |
//! | [`secret_source`] | passwords from the environment, a file or a command |
//! | [`private_file`] | writes a small private file, whole or not at all |
//! | [`socket`] | a TCP stream with a deadline |
//! | [`channel`] | the secure channel: Noise, records, frames; no sockets |
//! | [`wire`] | the messages and their encoding |
//! | [`link`] | `chat://` links |
//! | [`limit`] | how bounds are written on the command line |
//! | [`server`] | accounts, rooms, the log, delivery |
//! | [`client`] | knowing the server, the connection, the conversation, its views |
//! | [`cli`] | the command line |
//!
//! # The rule of imports
//!
//! `names`, `terminal_text`, `nearest`, `memory_secrecy`, `private_file`, `socket` ← `secret_source`, `channel`, `wire` ←
//! `link`, `limit` ← `server`, `client` ← `cli` ← `main`. Parts of one rank don't import each other, so server and client
//! meet only through `wire`; `channel` imports nothing of ours (the macro of `secrecy` is there for all).
//! `tests/structure.rs` holds the rule.
//!
//! # Whom it protects, and against whom
//!
//! Whoever is on the network between a client and its server can read, change, replay or drop bytes at will, and
//! learns no more than who talks to which server, when, and about how much; every change ends the session. A client
//! knows its server by its key, from the link or from the first time; a server knows people by their passwords, which
//! it keeps as Argon2id hashes, and their devices by keys that every handshake proves and that can be revoked. The server
//! and its operator can read what is said, and so can whoever takes the server's disk. Nothing a peer sends, logged in or
//! not, stops the server, fills its memory, or reaches a terminal as anything but text.

#[macro_use]
mod secrecy;

pub mod channel;
pub mod cli;
pub mod client;
pub mod limit;
pub mod link;
pub mod memory_secrecy;
pub mod names;
pub mod nearest;
pub mod private_file;
pub mod secret_source;
pub mod server;
pub mod socket;
pub mod terminal_text;
pub mod wire;
