//! Why the client ended, in sentences for people: each says what to do next. What a server wrote stands in some of
//! them, in one line, so that it can't pass for a line of ours.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;

use crate::channel::{ChannelError, Fingerprint, PublicKey};
use crate::names::{BotTokenError, MessageTextError, PASSWORD_RULE, PasswordError, RoomName};
use crate::secret_source::SecretSourceError;
use crate::terminal_text::one_line;

use super::connection::{CONNECT_WITHIN, HANDSHAKE_WITHIN};
use super::known_servers::KnownServersError;

/// Why the client ended other than by leaving.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No address belongs to the host.
    #[error("'{host}' has no address ({error}); check how it is written, and that this computer is online")]
    Resolve {
        /// The host as it was given.
        host: String,
        /// What the system's resolver said.
        error: io::Error,
    },
    /// The host is there and nothing listens.
    #[error("nothing listens at {address}; start the server there with 'chat server', or check the port")]
    NothingListens {
        /// `host:port`.
        address: String,
    },
    /// No answer to the attempt to connect.
    #[error(
        "{address} did not answer within {} s; check the address, and that no firewall keeps you from it",
        CONNECT_WITHIN.as_secs()
    )]
    NoAnswer {
        /// `host:port`.
        address: String,
    },
    /// Anything else on the way there.
    #[error("{address} can't be reached ({error}); check the address and your network")]
    Unreachable {
        /// `host:port`.
        address: String,
        /// What the system said.
        error: io::Error,
    },
    /// A connection, and then nothing.
    #[error(
        "{address} took the connection and then said nothing for {} s; it is no chat server, or a very busy one: \
         check the port, or try again later",
        HANDSHAKE_WITHIN.as_secs()
    )]
    SaysNothing {
        /// `host:port`.
        address: String,
    },
    /// Another program.
    #[error(
        "at {address}, {error}; check the port: a chat server has 5555 unless its operator chose another one"
    )]
    OtherProgram {
        /// `host:port`.
        address: String,
        /// What it is taken for.
        error: ChannelError,
    },
    /// A chat server with which no channel can be opened.
    #[error(
        "no channel to {address}: {error}; ask its operator, and see that both sides run the same version of chat"
    )]
    NoChannel {
        /// `host:port`.
        address: String,
        /// What went wrong.
        error: ChannelError,
    },
    /// The server takes no more connections.
    #[error("the server at {address} is full; try again later")]
    Full {
        /// `host:port`.
        address: String,
    },
    /// The connection broke before the login was answered.
    #[error(
        "the connection to {address} was lost before the login was answered ({}); try again (a new account may \
         have been made already: then log in)",
        one_line(.reason)
    )]
    LostAtLogin {
        /// `host:port`.
        address: String,
        /// How it ended.
        reason: String,
    },
    /// The server has not looked at the login, and says when to try again.
    #[error("the server at {address} put the login off: {}", one_line(.reason))]
    PutOff {
        /// `host:port`.
        address: String,
        /// What the server said.
        reason: String,
        /// How long it asks us to wait.
        wait: Duration,
    },
    /// A server that this person never met, and nobody to ask about it.
    #[error(
        "{address} is a server that you have not met, with the key {fingerprint}, and there is no terminal to ask you \
         whether it is the right one; use the whole link that the server printed, with the part after '#'"
    )]
    UnknownServer {
        /// `host:port`.
        address: String,
        /// Of its key.
        fingerprint: Fingerprint,
    },
    /// The person said that it is not the right server.
    #[error("not connected to {address}; ask its operator for the fingerprint, or for the whole link")]
    NotTrusted {
        /// `host:port`.
        address: String,
    },
    /// The server proved to hold another key than the one that it had.
    #[error(
        "the server at {address} has another key than the one you know! You know {expected}, and it has {found}; {why}. \
         Either it was set up anew, or someone stands between you and it. Ask its operator, by another way than this one; if \
         they tell you the second fingerprint, remove line {line} of {file} and connect again", file = file.display()
    )]
    KeyChanged {
        /// `host:port`.
        address: String,
        /// The fingerprint in the file.
        expected: Fingerprint,
        /// The fingerprint of the server.
        found: Fingerprint,
        /// What it brought to explain this.
        why: String,
        /// `known_servers`.
        file: PathBuf,
        /// Its line.
        line: usize,
    },
    /// The server proved to hold a key that it once had and that was replaced.
    #[error(
        "the server at {address} has a key that was replaced on {date}! Someone has an old copy of its key: whoever stole \
         it, or its operator, who has put an old backup back. Nothing was sent. Ask its operator, by another way than this \
         one; if they tell you that {found} is right, remove the lines with {key} and with the key that replaced it \
         from {file} and connect again", file = file.display()
    )]
    ReplacedKey {
        /// `host:port`.
        address: String,
        /// The key.
        key: PublicKey,
        /// Its fingerprint.
        found: Fingerprint,
        /// When it was replaced.
        date: Date,
        /// `known_servers`.
        file: PathBuf,
    },
    /// The server proved to hold another key than the one in the link.
    #[error(
        "the server at {address} is not the one of the link! The link says {expected}, and it has {found}; {why}. Either \
         the link is old, or someone stands between you and the server. Ask for the present link, by another way than this one"
    )]
    NotOfTheLink {
        /// `host:port`.
        address: String,
        /// The fingerprint in the link.
        expected: Fingerprint,
        /// The fingerprint of the server.
        found: Fingerprint,
        /// What it brought to explain this.
        why: String,
    },
    /// The link and the file of known servers don't agree.
    #[error(
        "the link has another key for {address} than the one you know! You know {expected}, and the link says {found}; \
         {why}. Either the server was set up anew, or the link is someone else's. Ask its operator, by another way than that by \
         which the link came; if they tell you the second fingerprint, remove line {line} of {file} and connect again",
        file = file.display()
    )]
    OtherLink {
        /// `host:port`.
        address: String,
        /// The fingerprint in the file.
        expected: Fingerprint,
        /// The fingerprint in the link.
        found: Fingerprint,
        /// What the server has, and brought to explain this.
        why: String,
        /// `known_servers`.
        file: PathBuf,
        /// Its line.
        line: usize,
    },
    /// The server does not do what it once did.
    #[error(
        "the server at {address} does less than it once did! You have had sessions with it that were protected by the \
         {suite} suite, and now it does without. Either another program runs there, or someone stands between you and \
         it who would like to read later what they record today. Nothing was said. Ask its operator; if they tell you \
         that it is so, {} and connect again", weaker_again(suite, file, *line)
    )]
    WeakerSuite {
        /// `host:port`.
        address: String,
        /// The short name of the strongest suite seen.
        suite: &'static str,
        /// `known_servers`.
        file: PathBuf,
        /// Its line, if the server has one yet.
        line: Option<usize>,
    },
    /// The server said no to the login; holds its reason, which says what to do.
    #[error("the server refused the login: {}", one_line(.0))]
    LoginRefused(String),
    /// The server takes no connections from our address.
    #[error("the server at {address} takes no connections from where you are; ask its operator")]
    AddressBanned {
        /// `host:port`.
        address: String,
    },
    /// The server has ended this session for good: its device was forgotten, its owner banned or sent away; holds its reason.
    #[error("the server ended this session: {}", one_line(.0))]
    Revoked(String),
    /// Nobody may sign up there.
    #[error(
        "nobody new can sign up there at present; ask the person who runs the server, or log in with the account that you \
         have"
    )]
    RegistrationClosed,
    /// An invite is needed, and there is nobody to ask for it.
    #[error("one signs up there with an invite only; ask someone inside for one, and use its link")]
    InviteNeeded,
    /// A password that no new account may have.
    #[error("{0}; a new account needs {PASSWORD_RULE}")]
    PasswordRefused(PasswordError),
    /// Nobody to ask for the name.
    #[error("there is no terminal to ask for your name; give it with --user NAME")]
    NoName,
    /// Nobody to ask for the password.
    #[error(
        "there is no terminal to ask for the password; give --password-file FILE, --password-command COMMAND or the \
         variable CHAT_PASSWORD"
    )]
    NoPassword,
    /// Nobody to ask for the word at the server's door.
    #[error(
        "who signs up there must know the server's password, and there is no terminal to ask you; give \
         --server-password-file FILE, --server-password-command COMMAND or the variable CHAT_SERVER_PASSWORD"
    )]
    NoServerPassword,
    /// A text is no token.
    #[error("no token: {0}")]
    Token(#[from] BotTokenError),
    /// A password is not where it should be.
    #[error(transparent)]
    Secret(#[from] SecretSourceError),
    /// The file of known servers is of no use.
    #[error(transparent)]
    KnownServers(#[from] KnownServersError),
    /// The link's room does not exist.
    #[error("you can't enter {room}: {}; leave the room out of the link to enter #lobby", one_line(.reason))]
    NoSuchRoom {
        /// The room.
        room: RoomName,
        /// What the server said.
        reason: String,
    },
    /// There is no text to send.
    #[error("there is nothing to send; write the text after the room, or '-' and give it on standard input")]
    NoText,
    /// What stands on standard input is no text.
    #[error("not sent: standard input is not UTF-8; convert it first")]
    TextNotUtf8,
    /// What was to be sent is no message.
    #[error("not sent: {0}")]
    NoMessage(#[from] MessageTextError),
    /// The server has refused what was to be sent.
    #[error("not sent to {room}: {}", one_line(.reason))]
    NotSaid {
        /// Where it was to be said.
        room: RoomName,
        /// What the server said.
        reason: String,
    },
    /// The connection was lost before the answer, and no other one has brought it in time.
    #[error(
        "{address} has not acknowledged it within {} s ({}), so it may have been said or not; look before you send it \
         again", .within.as_secs(), one_line(.reason)
    )]
    NotAcknowledged {
        /// `host:port`.
        address: String,
        /// How long it was tried.
        within: Duration,
        /// What went wrong last.
        reason: String,
    },
    /// A room can't be followed (any more).
    #[error("{room} can't be followed: {}", one_line(.reason))]
    NotFollowed {
        /// The room.
        room: RoomName,
        /// What the server said.
        reason: String,
    },
    /// The connection broke before it was clear where to begin.
    #[error("the connection to {address} was lost before anything came ({}); try again", one_line(.reason))]
    LostAtBeginning {
        /// `host:port`.
        address: String,
        /// How it ended.
        reason: String,
    },
    /// Something that was to be said was not.
    #[error("{} not delivered; see the lines marked '!', and send again what still matters", messages(*.count))]
    NotDelivered {
        /// How many messages.
        count: usize,
    },
    /// Something that a program has asked for was not done.
    #[error("{count} requests were not done; see the events 'refused' and 'error'")]
    NotDone {
        /// How many requests.
        count: usize,
    },
    /// Ctrl-C at a question.
    #[error("you stopped before the login; nothing was sent. Start again when you like")]
    Stopped,
    /// The terminal or the output failed.
    #[error("the terminal or the output failed: {0}; check where the output goes")]
    Output(#[from] io::Error),
    /// The operating system gave no random bytes.
    #[error(
        "the operating system gives no random bytes, without which nothing is safe; restart the computer"
    )]
    NoEntropy,
}

impl ClientError {
    /// What the process should end with: 1 failed, 2 usage, 3 cannot connect, 4 login refused, 5 the server's key
    /// changed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::KnownServers(_)
            | Self::Secret(_)
            | Self::Token(_)
            | Self::NoSuchRoom { .. }
            | Self::NotDelivered { .. }
            | Self::NotDone { .. }
            | Self::NotSaid { .. }
            | Self::NotFollowed { .. }
            | Self::NotAcknowledged { .. }
            | Self::Stopped
            | Self::Output(_)
            | Self::NoEntropy => 1,
            Self::NoName
            | Self::NoPassword
            | Self::NoServerPassword
            | Self::NoText
            | Self::TextNotUtf8
            | Self::NoMessage(_) => 2,
            Self::Resolve { .. }
            | Self::NothingListens { .. }
            | Self::NoAnswer { .. }
            | Self::Unreachable { .. }
            | Self::SaysNothing { .. }
            | Self::OtherProgram { .. }
            | Self::NoChannel { .. }
            | Self::WeakerSuite { .. }
            | Self::Full { .. }
            | Self::LostAtLogin { .. }
            | Self::LostAtBeginning { .. }
            | Self::PutOff { .. }
            | Self::UnknownServer { .. }
            | Self::NotTrusted { .. } => 3,
            Self::AddressBanned { .. }
            | Self::LoginRefused(_)
            | Self::RegistrationClosed
            | Self::InviteNeeded
            | Self::Revoked(_)
            | Self::PasswordRefused(_) => 4,
            Self::KeyChanged { .. }
            | Self::ReplacedKey { .. }
            | Self::NotOfTheLink { .. }
            | Self::OtherLink { .. } => 5,
        }
    }

    /// Whether trying again can't help: someone must act first.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.exit_code(), 4 | 5)
    }
}

fn weaker_again(suite: &str, file: &Path, line: Option<usize>) -> String {
    line.map_or_else(
        || "start the client again".to_owned(),
        |line| format!("remove the word '{suite}' from line {line} of {}", file.display()),
    )
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message was".to_owned() } else { format!("{count} messages were") }
}
