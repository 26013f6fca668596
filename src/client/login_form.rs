//! What a login needs, as a form: some of it is given, the person is asked for the rest, and what the server did not
//! like is asked for again. Names and passwords that no server would take are never sent.

use zeroize::Zeroizing;

use crate::names::{
    InviteText, NewPassword, NewUsername, PASSWORD_RULE, Password, PasswordError, Username, UsernameError,
};
use crate::secret_source::SecretSource;
use crate::wire::{ClientMessage, Code, SecretText};

use super::door::Door;
use super::person::Person;
use super::{ClientError, Config};

/// What is known so far.
pub(super) struct Form {
    wants_account: Option<bool>,
    name: Option<Username>,
    /// What was typed before; it is offered again.
    name_before: Option<Username>,
    password: Option<Password>,
    invite: Option<InviteText>,
    /// The server has said that it wants an invite.
    must_have_invite: bool,
    /// The word at the door, as it was given.
    word: Option<Password>,
    /// Where it comes from, if it was not.
    word_source: Option<SecretSource>,
    /// The server has said that it wants the word.
    must_have_word: bool,
}

/// A form that is filled in.
pub(super) struct Attempt {
    wants_account: bool,
    credentials: Credentials,
    invite: Option<InviteText>,
    word: Option<Password>,
}

/// A name and its password. They are kept to come back with after a lost connection.
pub(super) struct Credentials {
    name: Username,
    password: Password,
}

secret!(Form, Attempt, Credentials);

impl Form {
    /// What the configuration gives, for the account of this name if it is known. With nobody to ask for the rest, it
    /// must be complete. Who comes with an invite wants an account, unless it is known that there `is_one`.
    pub(super) fn begin(
        config: &Config,
        name: Option<Username>,
        is_one: bool,
        person: &dyn Person,
    ) -> Result<Self, ClientError> {
        let password = config.password.read()?;
        if !person.is_there() && name.is_none() {
            return Err(ClientError::NoName);
        }
        if !person.is_there() && password.is_none() {
            return Err(ClientError::NoPassword);
        }
        let signs_up = config.sign_up || (config.link.invite.is_some() && !is_one);
        let wants_account = (signs_up || name.is_some()).then_some(signs_up);
        let invite = config.link.invite.clone();
        Ok(Self {
            wants_account,
            name,
            name_before: None,
            password,
            invite,
            must_have_invite: false,
            word: None,
            word_source: Some(config.server_password.clone()),
            must_have_word: false,
        })
    }

    /// Whether the person types the password, and can type another one.
    pub(super) fn asks_for_password(&self) -> bool {
        self.password.is_none()
    }

    /// Whether it is, or may become, one for a new account.
    pub(super) fn may_sign_up(&self) -> bool {
        self.wants_account != Some(false)
    }

    /// Asks for what is missing, as far as the server lets people in.
    pub(super) fn fill(self, door: Door, person: &mut dyn Person) -> Result<Attempt, ClientError> {
        let door = if self.must_have_invite { Door::Invite } else { door };
        let wants_account = match self.wants_account {
            Some(wants_account) => wants_account,
            None if door == Door::Closed && self.invite.is_none() => {
                person.tell("Nobody new can sign up here at present. Log in with the account that you have.");
                false
            }
            None => asked_for_account(person)?,
        };
        let invite = if wants_account { door.invite(self.invite, person)? } else { None };
        let wants_word = (door == Door::Word || self.must_have_word) && wants_account && invite.is_none();
        let word = match self.word {
            _ if !wants_word => None,
            Some(word) => Some(word),
            None => Some(word_at_the_door(self.word_source, person)?),
        };
        let name = self.name.map_or_else(|| asked_name(person, self.name_before, wants_account), Ok)?;
        let password = match self.password {
            Some(password) if wants_account => {
                new_password(password).map_err(ClientError::PasswordRefused)?
            }
            Some(password) => password,
            None if wants_account => asked_new_password(person)?,
            None => asked_password(person, &name)?,
        };
        Ok(Attempt { wants_account, credentials: Credentials { name, password }, invite, word })
    }
}

impl Attempt {
    /// What is sent.
    pub(super) fn message(&self) -> ClientMessage {
        let Credentials { name, password } = &self.credentials;
        if self.wants_account {
            let (name, password) = (name.to_string(), secret(password));
            let invite =
                self.invite.as_ref().map(|invite| SecretText(Zeroizing::new(invite.as_str().to_owned())));
            let server_password = self.word.as_ref().map(secret);
            ClientMessage::SignUp { name, password, invite, server_password }
        } else {
            self.credentials.log_in_message()
        }
    }

    /// What was right.
    pub(super) fn into_credentials(self) -> Credentials {
        self.credentials
    }

    /// The same once more, except for what the server did not like, which is to be asked again.
    pub(super) fn mend(self, refused: Code) -> Form {
        let Credentials { name, password } = self.credentials;
        let (name, name_before, password) = match refused {
            Code::Busy | Code::InviteNeeded | Code::InviteNotValid | Code::WrongServerPassword => {
                (Some(name), None, Some(password))
            }
            Code::NameTaken | Code::BadName => (None, None, Some(password)),
            Code::BadPassword => (Some(name), None, None),
            _ => (None, Some(name), None),
        };
        let must_have_invite = matches!(refused, Code::InviteNeeded | Code::InviteNotValid);
        let invite = self.invite.filter(|_| !must_have_invite);
        let wants_account = Some(self.wants_account);
        let must_have_word = refused == Code::WrongServerPassword;
        let word = self.word.filter(|_| !must_have_word);
        Form {
            wants_account,
            name,
            name_before,
            password,
            invite,
            must_have_invite,
            word,
            word_source: None,
            must_have_word,
        }
    }
}

impl Credentials {
    /// What is sent to log in.
    pub(super) fn log_in_message(&self) -> ClientMessage {
        ClientMessage::LogIn { name: self.name.to_string(), password: secret(&self.password) }
    }

    /// The account has another password now.
    pub(super) fn password_is(&mut self, password: NewPassword) {
        self.password = password.into_password();
    }
}

/// A reason as a person is told it between two questions.
pub(super) fn sentence(reason: &impl ToString) -> String {
    let text = reason.to_string();
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).chain(['.']).collect()
}

fn secret(password: &Password) -> SecretText {
    SecretText(Zeroizing::new(password.expose().to_owned()))
}

/// A new password, from where it is to be had, as it is, or else from the person, who is held to the rule.
pub(super) fn new_password_from(
    source: &SecretSource,
    person: &mut dyn Person,
) -> Result<Password, ClientError> {
    match source.read()? {
        Some(password) => Ok(password),
        None if person.is_there() => asked_new_password(person),
        None => Err(ClientError::NoPassword),
    }
}

/// The word, from where it is to be had or from the person.
fn word_at_the_door(source: Option<SecretSource>, person: &mut dyn Person) -> Result<Password, ClientError> {
    if let Some(word) = source.map_or(Ok(None), |source| source.read())? {
        return Ok(word);
    }
    if !person.is_there() {
        return Err(ClientError::NoServerPassword);
    }
    person.tell(
        "Who signs up here must know the server's password. Whoever told you of the server can tell you.",
    );
    loop {
        match Password::parse(person.ask_secretly("The server's password: ")?) {
            Ok(word) => return Ok(word),
            Err(error) => person.tell(&sentence(&error)),
        }
    }
}

fn asked_for_account(person: &mut dyn Person) -> Result<bool, ClientError> {
    loop {
        match person.ask("Log in, or sign up as someone new? (l/s) ")?.to_lowercase().as_str() {
            "l" | "log in" | "login" => return Ok(false),
            "s" | "sign up" | "signup" => return Ok(true),
            _ => person.tell("Type l to log in with a name that you have, or s to sign up with a new one."),
        }
    }
}

fn asked_name(
    person: &mut dyn Person,
    before: Option<Username>,
    wants_account: bool,
) -> Result<Username, ClientError> {
    let parse = |text: &str| {
        let name = text.parse();
        if wants_account { name.and_then(new_name) } else { name }
    };
    let question = before.as_ref().map_or_else(|| "Name: ".to_owned(), |name| format!("Name [{name}]: "));
    loop {
        let answer = person.ask(&question)?;
        match (parse(&answer), &before) {
            (Ok(name), _) => return Ok(name),
            (Err(_), Some(name)) if answer.is_empty() => return Ok(name.clone()),
            (Err(error), _) => person.tell(&sentence(&error)),
        }
    }
}

fn asked_password(person: &mut dyn Person, name: &Username) -> Result<Password, ClientError> {
    loop {
        match Password::parse(person.ask_secretly(&format!("Password of {name}: "))?) {
            Ok(password) => return Ok(password),
            Err(error) => person.tell(&sentence(&error)),
        }
    }
}

fn asked_new_password(person: &mut dyn Person) -> Result<Password, ClientError> {
    person.tell(&format!("Choose a password: {PASSWORD_RULE}."));
    loop {
        let typed = Password::parse(person.ask_secretly("Password: ")?).and_then(new_password);
        let password = match typed {
            Ok(password) => password,
            Err(error) => {
                person.tell(&sentence(&error));
                continue;
            }
        };
        if person.ask_secretly("The same again: ")?.as_str() == password.expose() {
            return Ok(password);
        }
        person.tell("The two are not the same; type them once more.");
    }
}

fn new_name(name: Username) -> Result<Username, UsernameError> {
    NewUsername::parse(name).map(NewUsername::into_username)
}

fn new_password(password: Password) -> Result<Password, PasswordError> {
    NewPassword::parse(password).map(NewPassword::into_password)
}
