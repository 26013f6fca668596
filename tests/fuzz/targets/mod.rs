//! What each fuzz target does with its bytes. libFuzzer runs this on what it invents, and `tests/fuzz_corpus.rs` on
//! the committed seeds.
//!
//! A target panics when a promise is broken. Otherwise it tells whether the bytes were accepted: taken for what the
//! reader under test is there to read.

#![allow(clippy::missing_panics_doc, reason = "said above, for all of them")]

pub mod cbor;
pub mod frames;
pub mod handshake;
pub mod links;
mod peers;
pub mod terminal_text;
pub mod users_db;
