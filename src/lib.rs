//! wip
pub mod channel;
pub mod link;
pub mod names;
pub mod socket;
pub mod terminal_text;
pub mod wire;
