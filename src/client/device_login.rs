//! Coming in by the key of this device, and having it remembered after a login by password.

use crate::names::{DeviceLabel, Username};
use crate::wire::{ClientMessage, Code, ServerMessage};

use super::ClientError;
use super::device_keys::{DeviceKey, DeviceKeys};
use super::login::{self, LoggedIn};
use super::login_form::sentence;
use super::pass::{self, ANSWER_WITHIN, Answer, Pass, Proof};
use super::person::Person;
use super::server_identity::Server;

/// Comes in without a password, or gives the account for which the server wants one. A key that the server does not
/// know any more is removed.
pub(super) fn come_in(
    server: &Server,
    keys: &DeviceKeys,
    device: DeviceKey,
    person: &mut dyn Person,
) -> Result<Result<LoggedIn, Username>, ClientError> {
    let DeviceKey { account, key } = device;
    let pass = Pass::new(key, Proof::Device(account.clone()));
    let (mut connection, answer) = pass::call(server, &pass)?;
    login::tell_news(&mut connection, person);
    let (code, text) = match answer {
        Answer::Yes { name } => {
            server.remember()?;
            return Ok(Ok(LoggedIn { connection, name, pass }));
        }
        Answer::No { code, text } | Answer::Later { code, text, .. } => (code, text),
    };
    connection.sending.say_goodbye(ANSWER_WITHIN);
    if code == Code::Banned {
        return Err(ClientError::LoginRefused(text));
    }
    person.tell(&sentence(&text));
    if code == Code::NoSuchDevice
        && let Err(error) = keys.forget(server.key(), pass.key.public())
    {
        person.tell(&sentence(&error));
    }
    Ok(Err(account))
}

/// Has this device remembered, for someone who has just logged in by password; then the password is wiped. Where that
/// can't be, the person is told why, and the password is kept for the time of this run.
pub(super) fn remember(
    server: &Server,
    keys: &DeviceKeys,
    logged_in: &mut LoggedIn,
    person: &mut dyn Person,
) -> Result<(), ClientError> {
    let Ok(account) = logged_in.name.parse::<Username>() else {
        return Ok(());
    };
    match keys.keep(server.key(), &account, &logged_in.pass.key) {
        Ok(true) => {}
        Ok(false) => {
            person.tell(
                "This login is not remembered, because this device is remembered for another one on this server; to \
                 keep both, give one of them a --profile NAME.",
            );
            return Ok(());
        }
        Err(error) => {
            person.tell(&sentence(&error));
            return Ok(());
        }
    }
    let answer = ask(logged_in).map_err(|end| pass::lost(server, &end))?;
    let Some(refusal) = answer else {
        if person.is_there() {
            person.tell("This device is remembered: from now on you come in without the password.");
        }
        logged_in.pass.replace_proof(Proof::Device(account));
        return Ok(());
    };
    person.tell(&format!("This device is not remembered: {}", sentence(&refusal)));
    if let Err(error) = keys.forget(server.key(), logged_in.pass.key.public()) {
        person.tell(&sentence(&error));
    }
    Ok(())
}

/// Asks the server to remember the key of this session. Gives why not.
fn ask(logged_in: &mut LoggedIn) -> Result<Option<String>, super::connection::End> {
    let host = rustix::system::uname();
    let label = DeviceLabel::of_host(&host.nodename().to_string_lossy()).to_string();
    let connection = &mut logged_in.connection;
    connection.sending.send(&ClientMessage::Remember { label }, ANSWER_WITHIN)?;
    let mut notice = None;
    let refusal = loop {
        match connection.receiving.receive(ANSWER_WITHIN)? {
            ServerMessage::Remembered {} => break None,
            ServerMessage::Refused { text, .. } => break Some(text),
            told @ ServerMessage::Notice { .. } => notice = Some(told),
            ServerMessage::Ping {} => {
                connection.sending.send(&ClientMessage::Pong {}, ANSWER_WITHIN)?;
            }
            _ => {}
        }
    };
    if let Some(notice) = notice {
        connection.receiving.put_back(notice); // for the conversation, where it is shown
    }
    Ok(refusal)
}
