//! What operators have imposed on someone in a room.

use minicbor::{Decode, Encode};

/// The kind of a sanction by which someone must stay out.
pub const SANCTION_BAN: u8 = 0;

/// The kind of a sanction by which someone may say nothing.
pub const SANCTION_MUTE: u8 = 1;

/// A ban or a mute that has not ended. Times are milliseconds since 1970-01-01 00:00 UTC by the server's clock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Sanction {
    /// Whom it is about.
    #[n(0)]
    pub name: String,
    /// [`SANCTION_BAN`] or [`SANCTION_MUTE`].
    #[n(1)]
    pub kind: u8,
    /// When it was imposed.
    #[n(2)]
    pub at: u64,
    /// By whom; empty for the server's operator.
    #[n(3)]
    pub by: String,
    /// When it ends, if it does.
    #[n(4)]
    pub until: Option<u64>,
    /// Why.
    #[n(5)]
    pub reason: Option<String>,
}
