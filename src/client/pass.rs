//! What lets someone in who was in before, and the call at the server's door: one login sent, one answer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::channel::StaticKey;
use crate::names::{BotToken, NewPassword, Username};
use crate::wire::{ClientMessage, Code, SecretText, ServerMessage};

use super::ClientError;
use super::connection::{Connection, End};
use super::login_form::Credentials;
use super::server_identity::Server;

/// The time for the answer to a login: hashing takes a moment, and many may come at once.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The longest that a server can make us wait before we come back by ourselves.
const PUT_OFF_MAX: Duration = Duration::from_secs(20 * 60);

/// What lets someone in again after a lost connection.
pub(super) struct Pass {
    /// The client's static key of all connections of this run.
    pub(super) key: StaticKey,
    /// Written when the device is remembered, and when the person has changed the password; read by each try to come
    /// back.
    proof: Mutex<Proof>,
}

/// Whose the key's holder is.
pub(super) enum Proof {
    /// The server remembers the key for this account.
    Device(Username),
    /// It does not, so the password is needed.
    Password(Credentials),
    /// It is a bot, which comes in by this.
    Token(BotToken),
}

secret!(Pass, Proof);

impl Pass {
    /// The holder of `key` is who `proof` says.
    pub(super) fn new(key: StaticKey, proof: Proof) -> Self {
        Self { key, proof: Mutex::new(proof) }
    }

    /// From now on this shows who the holder is.
    pub(super) fn replace_proof(&self, proof: Proof) {
        *self.proof() = proof;
    }

    /// The person has another password now.
    pub(super) fn password_is(&self, password: NewPassword) {
        if let Proof::Password(credentials) = &mut *self.proof() {
            credentials.password_is(password);
        }
    }

    fn message(&self) -> ClientMessage {
        match &*self.proof() {
            Proof::Device(account) => ClientMessage::LogInByDevice { name: Some(account.to_string()) },
            Proof::Password(credentials) => credentials.log_in_message(),
            Proof::Token(token) => ClientMessage::LogInByToken { token: SecretText(token.text()) },
        }
    }

    fn proof(&self) -> MutexGuard<'_, Proof> {
        self.proof.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connects and logs in again, without questions.
pub(super) fn come_back(server: &Server, pass: &Pass) -> Result<Connection, ClientError> {
    match call(server, pass)? {
        (connection, Answer::Yes { .. }) => Ok(connection),
        (_, Answer::Later { text, wait, .. }) => {
            Err(ClientError::PutOff { address: server.address(), reason: text, wait: wait.min(PUT_OFF_MAX) })
        }
        (_, Answer::No { text, .. }) => Err(ClientError::LoginRefused(text)),
    }
}

/// Connects and shows the pass.
pub(super) fn call(server: &Server, pass: &Pass) -> Result<(Connection, Answer), ClientError> {
    let mut connection = server.connect(&pass.key)?;
    let answer = ask(&mut connection, &pass.message()).map_err(|end| lost(server, &end))?;
    Ok((connection, answer))
}

/// Whether a session that the server closes for this reason can't be come back to by oneself.
pub(super) fn is_for_good(code: Code) -> bool {
    matches!(
        code,
        Code::DeviceRevoked | Code::Banned | Code::Removed | Code::TokenRevoked | Code::AccountGone
    )
}

/// The error for a connection that ended before the answer.
pub(super) fn lost(server: &Server, end: &End) -> ClientError {
    ClientError::LostAtLogin { address: server.address(), reason: end.to_string() }
}

/// What a server says to a login.
pub(super) enum Answer {
    Yes {
        name: String,
    },
    No {
        code: Code,
        text: String,
    },
    /// Neither yes nor no; it has not been looked at.
    Later {
        code: Code,
        text: String,
        wait: Duration,
    },
}

/// Sends a login and waits for its answer.
pub(super) fn ask(connection: &mut Connection, message: &ClientMessage) -> Result<Answer, End> {
    connection.sending.send(message, ANSWER_WITHIN)?;
    loop {
        match connection.receiving.receive(ANSWER_WITHIN)? {
            ServerMessage::LoggedIn { name, .. } => return Ok(Answer::Yes { name }),
            ServerMessage::Refused {
                code: code @ (Code::Busy | Code::Throttled), text, retry_after, ..
            } => {
                let wait = Duration::from_secs(retry_after.unwrap_or(1).into());
                return Ok(Answer::Later { code, text, wait });
            }
            ServerMessage::Refused { code, text, .. } => return Ok(Answer::No { code, text }),
            ServerMessage::Closing { code: code @ (Code::TooManyTries | Code::Banned), text } => {
                return Ok(Answer::No { code, text });
            }
            ServerMessage::Ping {} => connection.sending.send(&ClientMessage::Pong {}, ANSWER_WITHIN)?,
            _ => {}
        }
    }
}
