//! The conversation for programs: one JSON object a line, each way. PROTOCOL.md, section 10, describes every field to
//! those who write such programs; fields and events are only ever added.
//!
//! | file | what it owns |
//! |---|---|
//! | `request`, `doing` | what a program can ask for, and why a line means nothing; what is to be done |
//! | `report` | what it is told |
//! | `output` | an object as a line, safe to show |
//! | `conversation` | takes one, gives the other, for as long as it lasts |
//! | `asking` | the questions that the server answers one after the other |
//! | `hearing` | what of all that happens becomes which report |
//!
//! What is new in the conversation of people comes here by a variant of `Request` and its `Doing`, and one of `Report`
//! with what it is made of in `hearing`; the document's tests want both described.

mod asking;
mod conversation;
#[cfg(test)]
mod document_tests;
mod doing;
mod hearing;
mod output;
mod report;
mod request;

pub(super) use conversation::converse;
pub(super) use output::Output;
pub(super) use report::{Report, said};
