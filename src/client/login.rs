//! From an open channel to an account: what is sent, what the server answers, and what is done about it.

use std::thread;
use std::time::Duration;

use rand::rngs::SysRng;

use crate::channel::StaticKey;
use crate::names::{BotToken, Username};
use crate::secret_source::SecretSource;
use crate::wire::Code;

use super::connection::Connection;
use super::device_keys::{DeviceKey, DeviceKeys};
use super::device_login;
use super::door::Door;
use super::login_form::{Credentials, Form, sentence};
use super::pass::{self, ANSWER_WITHIN, Answer, Pass, Proof, ask, lost};
use super::person::Person;
use super::server_identity::Server;
use super::{ClientError, Config};

/// The most tries on one connection; the server allows no more.
const TRIES_MAX: u32 = 5;

/// The longest that a server can make us wait before the next try while somebody looks on; after that they had better come
/// back later.
const PATIENCE: Duration = Duration::from_secs(60);

/// Someone who is logged in.
pub(super) struct LoggedIn {
    pub(super) connection: Connection,
    /// The name as the server writes it.
    pub(super) name: String,
    pub(super) pass: Pass,
}

secret!(LoggedIn);

/// Connects and logs in (or signs up): by the key of this device if the server remembers it, otherwise with what the
/// configuration gives and the person answers. Who typed something wrong is asked again.
pub(super) fn log_in(
    server: &Server,
    config: &Config,
    person: &mut dyn Person,
) -> Result<LoggedIn, ClientError> {
    if let Some(token) = config.token.as_ref().map(SecretSource::read).transpose()?.flatten() {
        return by_token(server, token.expose().parse()?, person);
    }
    if !config.remember {
        return by_password(server, config, config.user.clone(), false, person);
    }
    let (keys, mut user) = (DeviceKeys::within(&config.data_dir), config.user.clone());
    let device = match keys.find(server.key()) {
        Ok(device) => device,
        Err(error) => {
            person.tell(&sentence(&error));
            return by_password(server, config, user, false, person);
        }
    };
    let mut is_known = false;
    let is_wanted =
        |device: &DeviceKey| !config.sign_up && user.as_ref().is_none_or(|user| *user == device.account);
    if let Some(device) = device.filter(is_wanted) {
        match device_login::come_in(server, &keys, device, person)? {
            Ok(logged_in) => return Ok(logged_in),
            Err(account) => (user, is_known) = (Some(account), true),
        }
    }
    let mut logged_in = by_password(server, config, user, is_known, person)?;
    device_login::remember(server, &keys, &mut logged_in, person)?;
    Ok(logged_in)
}

/// Tells the person what there is to tell of the server.
pub(super) fn tell_news(connection: &mut Connection, person: &mut dyn Person) {
    if let Some(news) = connection.news.take() {
        person.tell(&sentence(&news));
    }
}

/// Connects with a new key and logs in as a bot.
fn by_token(server: &Server, token: BotToken, person: &mut dyn Person) -> Result<LoggedIn, ClientError> {
    let key = StaticKey::generate(&mut SysRng).map_err(|_| ClientError::NoEntropy)?;
    let pass = Pass::new(key, Proof::Token(token));
    let (mut connection, answer) = pass::call(server, &pass)?;
    tell_news(&mut connection, person);
    match answer {
        Answer::Yes { name } => {
            server.remember()?;
            Ok(LoggedIn { connection, name, pass })
        }
        Answer::No { text, .. } | Answer::Later { text, .. } => {
            connection.sending.say_goodbye(ANSWER_WITHIN);
            Err(ClientError::LoginRefused(text))
        }
    }
}

/// Connects with a new key and logs in, or signs up; not when it `is_known` that the user has an account.
fn by_password(
    server: &Server,
    config: &Config,
    user: Option<Username>,
    is_known: bool,
    person: &mut dyn Person,
) -> Result<LoggedIn, ClientError> {
    let form = Form::begin(config, user, is_known, person)?;
    let key = StaticKey::generate(&mut SysRng).map_err(|_| ClientError::NoEntropy)?;
    let mut connection = server.connect(&key)?;
    tell_news(&mut connection, person);
    server.remember()?;
    match submit_until_right(form, &key, &mut connection, server, person) {
        Ok((name, credentials)) => {
            Ok(LoggedIn { connection, name, pass: Pass::new(key, Proof::Password(credentials)) })
        }
        Err(error) => {
            connection.sending.say_goodbye(ANSWER_WITHIN);
            Err(error)
        }
    }
}

/// Gives the name as the server writes it, and what was right in the end.
fn submit_until_right(
    mut form: Form,
    key: &StaticKey,
    connection: &mut Connection,
    server: &Server,
    person: &mut dyn Person,
) -> Result<(String, Credentials), ClientError> {
    let can_ask_again = person.is_there() && form.asks_for_password();
    let door = if form.may_sign_up() {
        Door::told_on(connection).map_err(|end| lost(server, &end))?
    } else {
        Door::Open
    };
    for tries in 1.. {
        let attempt = form.fill(door, person)?;
        let answer = ask(connection, &attempt.message()).or_else(|_| {
            // The server does not wait for ever while a person types; then we call again.
            *connection = server.connect(key)?;
            tell_news(connection, person);
            ask(connection, &attempt.message()).map_err(|end| lost(server, &end))
        })?;
        match answer {
            Answer::Yes { name } => return Ok((name, attempt.into_credentials())),
            Answer::Later { code, text, wait } if tries < TRIES_MAX && can_wait(code, wait, person) => {
                let wait = wait.min(PATIENCE);
                person.tell(&format!("{text} (trying again in {} s)", wait.as_secs()));
                thread::sleep(wait);
                form = attempt.mend(Code::Busy);
            }
            Answer::No { code, text } if can_ask_again && tries < TRIES_MAX && door.can_mend(code) => {
                person.tell(&sentence(&text));
                form = attempt.mend(code);
            }
            Answer::No { text, .. } | Answer::Later { text, .. } => {
                return Err(ClientError::LoginRefused(text));
            }
        }
    }
    Err(ClientError::Stopped)
}

/// Whether to try once more by ourselves. Whom a busy server puts off has done nothing wrong. After too many wrong
/// passwords it depends: a person may wait a little, a script with a wrong password should not go on for ever.
fn can_wait(code: Code, wait: Duration, person: &dyn Person) -> bool {
    code == Code::Busy || person.is_there() && wait <= PATIENCE
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeServer, Guest, Scripted};
    use super::super::known_servers::KnownServers;
    use super::super::{Task, View};
    use super::*;
    use crate::names::PasswordError;
    use crate::secret_source::{PASSWORD_VARIABLE, SERVER_PASSWORD_VARIABLE};
    use crate::wire::{ClientMessage, ServerMessage};

    fn welcome(fake: &FakeServer) -> Guest {
        let mut guest = fake.guest().unwrap();
        let (software, password_rule) = ("fake".into(), "any".into());
        guest.send(&ServerMessage::Welcome {
            protocol: 1,
            software,
            password_rule,
            body_max: 1,
            registration: None,
            wants_server_password: None,
        });
        guest
    }

    fn refused(code: Code, text: &str) -> ServerMessage {
        ServerMessage::Refused { code, text: text.into(), id: None, retry_after: Some(0) }
    }

    fn logged_in(name: &str) -> ServerMessage {
        ServerMessage::LoggedIn { name: name.into(), role: 0 }
    }

    /// What a login was tried with: whether to sign up, the name, the password.
    fn tried(guest: &mut Guest) -> Option<(bool, String, String)> {
        match guest.receive()? {
            ClientMessage::SignUp { name, password, .. } => Some((true, name, password.0.to_string())),
            ClientMessage::LogIn { name, password } => Some((false, name, password.0.to_string())),
            _ => panic!("no login"),
        }
    }

    fn expected(wants_account: bool, name: &str, password: &str) -> (bool, String, String) {
        (wants_account, name.into(), password.into())
    }

    fn run(
        script: impl FnOnce(&FakeServer) + Send + 'static,
        change: impl FnOnce(&mut Config),
        answers: &[&'static str],
    ) -> (Result<String, ClientError>, Scripted) {
        let folder = tempfile::tempdir().unwrap();
        let fake = FakeServer::with_key(1);
        let mut link = fake.link();
        link.server_key = Some(fake.key());
        let mut config = Config {
            link: link.clone(),
            user: None,
            sign_up: false,
            token: None,
            password: SecretSource::Variable(PASSWORD_VARIABLE),
            server_password: SecretSource::Variable(SERVER_PASSWORD_VARIABLE),
            task: Task::Converse(View::Lines),
            remember: false,
            data_dir: folder.path().to_owned(),
            limits: super::super::Limits::default(),
        };
        change(&mut config);
        let mut person = Scripted::answering(answers);
        let known_servers = KnownServers::within(folder.path());
        let server = Server::identify(link, known_servers, &mut person).unwrap();
        let running = fake.run(script);
        let result = log_in(&server, &config, &mut person).map(|logged_in| logged_in.name);
        running.join().unwrap();
        (result, person)
    }

    fn as_bob(config: &mut Config) {
        config.user = Some("bob".parse().unwrap());
    }

    /// Bob, whose password stands in a file.
    fn with_password(folder: &tempfile::TempDir, text: &str) -> impl FnOnce(&mut Config) + use<> {
        let file = folder.path().join("password");
        std::fs::write(&file, text).unwrap();
        |config| {
            as_bob(config);
            config.password = SecretSource::File(file);
        }
    }

    fn heard(person: &Scripted, text: &str) -> bool {
        person.heard.iter().any(|line| line.contains(text))
    }

    #[test]
    fn who_signs_up_is_asked_until_everything_is_right() {
        let script = |fake: &FakeServer| {
            let mut guest = welcome(fake);
            assert_eq!(tried(&mut guest), Some(expected(true, "alice", "Password1")));
            guest.send(&refused(Code::NameTaken, "the name is taken"));
            assert_eq!(tried(&mut guest), Some(expected(true, "alicia", "Password1")));
            guest.send(&ServerMessage::Ping {});
            assert!(matches!(guest.receive(), Some(ClientMessage::Pong {})));
            guest.send(&logged_in("alicia"));
        };
        let answers = [
            "?",
            "s",
            "no name",
            "Alice",
            "",
            "short",
            "Password1",
            "Passw0rd1",
            "Password1",
            "Password1",
            "alicia",
        ];
        let (result, person) = run(script, |_| {}, &answers);
        assert_eq!(result.unwrap(), "alicia");
        assert!(person.is_done());
        for told in ["too weak", "not the same", "The name is taken.", "8 characters with a digit"] {
            assert!(heard(&person, told), "{told}: {:?}", person.heard);
        }
    }

    #[test]
    fn a_wrong_password_is_asked_again_with_the_name_offered() {
        let script = |fake: &FakeServer| {
            let mut guest = welcome(fake);
            assert_eq!(tried(&mut guest), Some(expected(false, "bob", "wrong")));
            guest.send(&refused(Code::WrongNameOrPassword, "wrong"));
            assert_eq!(tried(&mut guest), Some(expected(false, "bob", "right")));
            guest.send(&logged_in("bob"));
        };
        let (result, person) = run(script, |_| {}, &["l", "bob", "wrong", "", "right"]);
        assert_eq!(result.unwrap(), "bob");
        assert!(heard(&person, "Name [bob]: "));
    }

    #[test]
    fn a_server_that_did_not_wait_for_the_person_is_called_again() {
        let script = |fake: &FakeServer| {
            let mut impatient = welcome(fake);
            impatient.send(&ServerMessage::Closing { code: Code::LoginTimeout, text: "too slow".into() });
            impatient.say_goodbye();
            drop(impatient);
            let mut guest = welcome(fake);
            assert_eq!(tried(&mut guest), Some(expected(false, "bob", "Password1")));
            guest.send(&logged_in("bob"));
        };
        let (result, _) = run(script, |_| {}, &["l", "bob", "Password1"]);
        assert_eq!(result.unwrap(), "bob");
    }

    #[test]
    fn a_busy_server_is_tried_again_by_itself() {
        let script = |fake: &FakeServer| {
            let mut guest = welcome(fake);
            tried(&mut guest);
            guest.send(&refused(Code::Busy, "busy"));
            assert_eq!(tried(&mut guest), Some(expected(false, "bob", "Password1")));
            guest.send(&logged_in("bob"));
        };
        let (result, _) = run(script, as_bob, &["Password1"]);
        assert_eq!(result.unwrap(), "bob");
    }

    fn put_off(seconds: u32) -> ServerMessage {
        let text = "too many wrong passwords; try again later".into();
        ServerMessage::Refused { code: Code::Throttled, text, id: None, retry_after: Some(seconds) }
    }

    #[test]
    fn a_person_who_has_to_wait_a_little_waits_and_one_who_has_to_wait_long_is_told() {
        let script = |fake: &FakeServer| {
            let mut guest = welcome(fake);
            tried(&mut guest);
            guest.send(&put_off(0));
            assert_eq!(tried(&mut guest), Some(expected(false, "bob", "Password1")));
            guest.send(&put_off(61));
            assert_eq!(tried(&mut guest), None);
        };
        let (result, person) = run(script, as_bob, &["Password1"]);
        assert!(heard(&person, "try again later (trying again in 0 s)"));
        let error = result.unwrap_err();
        assert_eq!((error.exit_code(), error.to_string().contains("try again later")), (4, true), "{error}");
    }

    #[test]
    fn a_script_that_is_put_off_for_its_wrong_passwords_ends_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let change = with_password(&folder, "wrong\n");
        let script = |fake: &FakeServer| {
            let mut guest = welcome(fake);
            tried(&mut guest);
            guest.send(&put_off(0));
            assert_eq!(tried(&mut guest), None);
        };
        let (result, _) = run(script, change, &[]);
        let error = result.unwrap_err();
        assert_eq!((error.exit_code(), error.to_string().contains("try again later")), (4, true), "{error}");
    }

    #[test]
    fn without_anyone_to_ask_a_refusal_is_the_end_and_the_server_hears_a_goodbye() {
        let folder = tempfile::tempdir().unwrap();
        let change = with_password(&folder, "wrong\n");
        let script = |fake: &FakeServer| {
            let mut guest = welcome(fake);
            assert_eq!(tried(&mut guest), Some(expected(false, "bob", "wrong")));
            guest.send(&refused(Code::WrongNameOrPassword, "there is no such account"));
            assert_eq!(tried(&mut guest), None);
        };
        let (result, _) = run(script, change, &[]);
        let error = result.unwrap_err();
        assert_eq!((error.exit_code(), error.to_string().contains("no such account")), (4, true), "{error}");
    }

    #[test]
    fn what_is_missing_is_told_before_anyone_is_called() {
        let (result, _) = run(|_| {}, |_| {}, &[]);
        assert!(matches!(result, Err(ClientError::NoName)));
        let (result, _) = run(|_| {}, as_bob, &[]);
        assert!(matches!(result, Err(ClientError::NoPassword)));
    }

    #[test]
    fn a_weak_password_is_never_sent() {
        let folder = tempfile::tempdir().unwrap();
        let as_bob = with_password(&folder, "weak");
        let script = |fake: &FakeServer| assert_eq!(tried(&mut welcome(fake)), None);
        let change = |config: &mut Config| {
            as_bob(config);
            config.sign_up = true;
        };
        let (result, _) = run(script, change, &[]);
        assert!(matches!(result, Err(ClientError::PasswordRefused(PasswordError::TooWeak))));
    }
}
