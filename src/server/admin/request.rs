//! What an operator can ask, and the answer.

use minicbor::{Decode, Encode};

use crate::wire::SecretText;

/// What `chat admin` asks of a server. There is no `Debug`: a request may hold a secret.
#[derive(Encode, Decode)]
#[cbor(map)]
pub enum AdminRequest {
    /// Who is connected.
    #[n(0)]
    Sessions {},
    /// Which devices come in as an account without a password.
    #[n(1)]
    Devices {
        /// The account's name.
        #[n(0)]
        account: String,
    },
    /// A new server key, for which the present one vouches.
    #[n(2)]
    RotateKey {
        /// For so many days, 1 to 365.
        #[n(0)]
        valid_days: u32,
    },
    /// Keeps an account, a device or addresses out.
    #[n(3)]
    Ban {
        /// As it is typed.
        #[n(0)]
        whom: String,
        /// For how many seconds; without it, for ever.
        #[n(1)]
        seconds: Option<u64>,
        /// What they are told.
        #[n(2)]
        reason: Option<String>,
    },
    /// Lets them in again.
    #[n(4)]
    Unban {
        /// As it is typed.
        #[n(0)]
        whom: String,
    },
    /// Who is banned.
    #[n(5)]
    Bans {},
    /// An invite, as links.
    #[n(6)]
    Invite {
        /// How many may sign up with it.
        #[n(0)]
        uses: u32,
        /// For how many seconds.
        #[n(1)]
        seconds: u64,
        /// Whether who signs up with it is an admin.
        #[n(2)]
        is_for_admin: bool,
        /// `host:port` for the link; without it, there is one for each address where the server listens.
        #[n(3)]
        at: Option<String>,
    },
    /// Which invites can be used.
    #[n(7)]
    Invites {},
    /// Ends an invite.
    #[n(8)]
    RevokeInvite {
        /// Its number.
        #[n(0)]
        id: i64,
    },
    /// All accounts.
    #[n(9)]
    Users {},
    /// A new account.
    #[n(10)]
    AddUser {
        /// Its name.
        #[n(0)]
        name: String,
        /// Whether it is an admin's.
        #[n(1)]
        is_admin: bool,
        /// Its password.
        #[n(2)]
        password: SecretText,
    },
    /// Another password for an account.
    #[n(11)]
    ResetPassword {
        /// The account's name.
        #[n(0)]
        name: String,
        /// The new one.
        #[n(1)]
        password: SecretText,
        /// Whether no device comes in any more without it.
        #[n(2)]
        forgets_devices: bool,
    },
    /// Another role for an account.
    #[n(12)]
    SetRole {
        /// The account's name.
        #[n(0)]
        name: String,
        /// Whether it is an admin's from now on.
        #[n(1)]
        is_admin: bool,
    },
    /// An account less.
    #[n(13)]
    DeleteUser {
        /// Its name.
        #[n(0)]
        name: String,
        /// Whether what it has said goes, too.
        #[n(1)]
        with_messages: bool,
    },
    /// All rooms.
    #[n(14)]
    Rooms {},
    /// A token for a bot, which is made if there is none of this name.
    #[n(25)]
    AddBot {
        /// The bot's name.
        #[n(0)]
        name: String,
        /// For these rooms; without any, for all that it is in.
        #[n(1)]
        rooms: Vec<String>,
        /// Whether it may read there.
        #[n(2)]
        reads: bool,
        /// Whether it may write there.
        #[n(3)]
        writes: bool,
        /// For how many seconds; without it, until it is revoked.
        #[n(4)]
        seconds: Option<u64>,
    },
    /// All tokens of bots.
    #[n(26)]
    Bots {},
    /// Ends a token.
    #[n(27)]
    RevokeToken {
        /// Its number.
        #[n(0)]
        id: i64,
    },
}

secret!(AdminRequest);

/// What was asked for, in lines of text for people; or why it was not done, and what to do next.
pub(super) type Answer = Result<Vec<String>, String>;

/// An [`Answer`] as it goes over the socket.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(super) enum WireAnswer {
    /// It was done.
    #[n(0)]
    Done {
        /// For the operator to read.
        #[n(0)]
        lines: Vec<String>,
    },
    /// It was not done.
    #[n(1)]
    Refused {
        /// Why, and what to do next.
        #[n(0)]
        text: String,
    },
}

impl From<Answer> for WireAnswer {
    fn from(answer: Answer) -> Self {
        match answer {
            Ok(lines) => Self::Done { lines },
            Err(text) => Self::Refused { text },
        }
    }
}

impl From<WireAnswer> for Answer {
    fn from(answer: WireAnswer) -> Self {
        match answer {
            WireAnswer::Done { lines } => Ok(lines),
            WireAnswer::Refused { text } => Err(text),
        }
    }
}
