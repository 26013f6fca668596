//! What wakes the session: the network, the keyboard, a pipe, a signal. All of it comes through one bounded channel,
//! so there is one order of events and nobody who produces them can run ahead of the session.

use crate::wire::ServerMessage;

use super::ClientError;
use super::connection::{Connection, End};
use super::line_mode::TypedLine;
use super::renewal::LineId;

/// The most events that wait for the session.
pub(super) const EVENTS_MAX: usize = 256;

/// Something happened.
pub(super) enum Event {
    /// The server sent a message on this line.
    Server(LineId, ServerMessage),
    /// This line is over.
    Ended(LineId, End),
    /// The end of a try to come back, logged in.
    CameBack(Result<Box<Connection>, ClientError>),
    /// The end of a try to have another connection beside the present one, logged in.
    Renewed(Result<Box<Connection>, ClientError>),
    /// A line came from a pipe or a terminal that is read plainly.
    Line(TypedLine),
    /// A key was pressed on a terminal.
    Key(crossterm::event::Event),
    /// A signal asks us to end.
    Stop,
}

secret!(Event);
