//! The conversation as lines: one for each event, in the order in which they happened, fit for pipes, logs and screen
//! readers. [`transcript`] decides what a line says and [`screen`] puts it out. On a terminal the last row belongs to
//! what is being typed: [`editor`] holds it and [`cycle`] the word that Tab completes in it, and since `screen` alone writes to the terminal, what others say can't get
//! into it; [`mod@secret`] holds it while it is a password. [`input`] reads keys or plain lines.

mod cycle;
mod editor;
mod input;
mod messages;
mod screen;
mod secret;
mod transcript;

pub(super) use editor::{Editor, Pressed};
pub(super) use input::{LINE_BYTES_MAX, PlainLines, TypedLine, read_keys};
pub(super) use screen::{RawMode, Screen, Struck, columns, is_for_editing, row};
pub(super) use secret::{SecretKey, SecretLine};
pub(super) use transcript::Transcript;
