//! Who the server must be. A link that carries a key decides; otherwise the file of known servers; otherwise the
//! person is shown the fingerprint, once. A server that proves to be someone else is refused, unless the key that it
//! must hold vouches for the one that it has: then we follow to that one, with what is kept about the server.
//!
//! A handshake has a deadline and a person who compares fingerprints has none. So a first contact goes just far
//! enough to see the key and hangs up, before the server has learnt anything of us; after the answer we call again.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rand::rngs::SysRng;
use tracing::warn;

use crate::channel::handover::{self, HandoverError, Statement};
use crate::channel::{KeyLimits, PublicKey, StaticKey, Suite};
use crate::link::Link;
use crate::names::InviteText;

use super::ClientError;
use super::connection::{self, ConnectError, Connection};
use super::device_keys::DeviceKeys;
use super::known_servers::{Known, KnownServers, day_of};
use super::person::Person;

/// A server, and what it must be.
pub(super) struct Server {
    link: Link,
    known_servers: KnownServers,
    device_keys: DeviceKeys,
    /// Of what we send to it.
    key_limits: KeyLimits,
    /// Written by whoever connects.
    expected: Mutex<Expected>,
}

/// What a server must be to be the one that is meant.
#[derive(Clone, Copy)]
struct Expected {
    key: PublicKey,
    /// It has had a session with this suite, so it can do no less.
    suite: Option<Suite>,
    /// The line of `known_servers` with the key; without one, it came with the link.
    line: Option<usize>,
    /// The link says that it is this one by now, for which the one above must then vouch.
    link: Option<PublicKey>,
}

impl Server {
    /// Finds out which key the server must hold, from the link, the file or the person.
    pub(super) fn identify(
        link: Link,
        known_servers: KnownServers,
        person: &mut dyn Person,
    ) -> Result<Self, ClientError> {
        let address = link.address();
        let expected = match (link.server_key, known_servers.lookup(&address)?) {
            (Some(key), Some(known)) if key != known.key => match known_servers.replaced_on(key)? {
                None => Expected { link: Some(key), ..known.into() },
                Some(date) => {
                    person.tell(&format!(
                        "The link has a key of {address} that was replaced on {date}; the present one is used. Ask for \
                         a new link, or leave out what stands after '#'."
                    ));
                    known.into()
                }
            },
            (_, Some(known)) => known.into(),
            (Some(key), None) => Expected { key, suite: None, line: None, link: None },
            (None, None) => {
                let key = first_contact(&link, &known_servers, person)?;
                remember(&known_servers, &address, key, None)?.into()
            }
        };
        let device_keys = DeviceKeys::within(known_servers.folder());
        let (key_limits, expected) = (KeyLimits::SOFT, Mutex::new(expected));
        Ok(Self { link, known_servers, device_keys, key_limits, expected })
    }

    /// The same, where each key seals no more than this.
    pub(super) fn sealing_within(self, key_limits: KeyLimits) -> Self {
        Self { key_limits, ..self }
    }

    /// Opens a channel to the server, if it is the one that it must be; only then it learns that we hold the key `ours`.
    pub(super) fn connect(&self, ours: &StaticKey) -> Result<Connection, ClientError> {
        let expected = self.expected();
        let suites = expected.suite.map_or(&Suite::ALL[..], Suite::at_least);
        let mut chain = Vec::new();
        let opened = connection::connect(&self.link, ours, suites, |found, payload| {
            chain = self.judge(expected, found, payload)?;
            Ok(())
        });
        let mut connection = opened.map_err(|error| match error {
            ConnectError::Failed(error) => error,
            ConnectError::TooWeak => self.became_weaker(expected),
        })?;
        connection.sending.sealer.limit(self.key_limits);
        connection.news = self.follow(expected, &chain, connection.suite);
        self.saw(self.expected(), connection.suite);
        Ok(connection)
    }

    /// Whether the server that has proved the key `found` is the one that it must be. Gives how one comes from the
    /// expected key to this one; nothing if it is the same.
    fn judge(
        &self,
        expected: Expected,
        found: PublicKey,
        payload: &[u8],
    ) -> Result<Vec<Statement>, ClientError> {
        if found == expected.key && expected.link.is_none() {
            return Ok(Vec::new());
        }
        refuse_replaced(&self.known_servers, &self.address(), found)?;
        let why = match handover::follow(payload, expected.key, found, now()) {
            Ok(chain) if expected.link.is_none_or(|link| link == found) => return Ok(chain),
            Ok(_) => "the server has a third one, to which the one you know hands over".into(),
            Err(_) if found == expected.key => "the server has the one you know".into(),
            Err(error) => explained(error),
        };
        Err(self.is_someone_else(expected, found, why))
    }

    /// Keeps for the new key what was kept for the one before: first the device key gets a second name, then the line is
    /// changed, then the device key loses its first name, so that it can be interrupted anywhere. Gives what the person
    /// is told.
    fn follow(&self, expected: Expected, chain: &[Statement], suite: Suite) -> Option<String> {
        let last = chain.last()?;
        let (address, new, day) = (self.address(), last.new_key(), day_of(last.issued()));
        let mut news = format!(
            "the server at {address} has a new key since {day}, {}, for which the one that you knew has vouched",
            new.fingerprint()
        );
        if let Err(error) = self.device_keys.copy(expected.key, new) {
            warn!(%error, "the device key did not follow");
        }
        let followed = match self.known_servers.follow(&address, chain, suite) {
            Ok(known) => known.filter(|known| known.key == new),
            Err(error) => {
                news = format!("{news}; that is not noted: {error}");
                None
            }
        };
        if followed.is_some()
            && let Err(error) = self.device_keys.forget_copy(expected.key, new)
        {
            warn!(%error, "the device key of the old key is still there");
        }
        self.expect(followed.map_or(Expected { key: new, link: None, ..expected }, Expected::from));
        Some(news)
    }

    /// Keeps the key of a link, now that the server has proved to hold it.
    pub(super) fn remember(&self) -> Result<(), ClientError> {
        let Expected { key, suite, line, .. } = self.expected();
        if line.is_none() {
            let known = remember(&self.known_servers, &self.address(), key, suite)?;
            self.expect(known.into());
        }
        Ok(())
    }

    /// From now on the server can do no less than this suite. What can't be written down is learnt again the next time.
    fn saw(&self, expected: Expected, suite: Suite) {
        if expected.suite.is_some_and(|seen| !suite.is_stronger_than(seen)) {
            return;
        }
        self.expect(Expected { suite: Some(suite), ..expected });
        if expected.line.is_some()
            && let Err(error) = self.known_servers.note_suite(&self.address(), expected.key, suite)
        {
            warn!(%error, "the suite of the server is not noted");
        }
    }

    /// `host:port`.
    pub(super) fn address(&self) -> String {
        self.link.address()
    }

    /// The link to it for someone else, with an invite. The address is the one by which we have found it.
    pub(super) fn invite_link(&self, invite: InviteText) -> Link {
        let place = Link::to_host(&self.link.host, self.link.port);
        Link { invite: Some(invite), server_key: Some(self.key()), ..place }
    }

    /// The key that it has.
    pub(super) fn key(&self) -> PublicKey {
        self.expected().key
    }

    fn expected(&self) -> Expected {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expect(&self, expected: Expected) {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = expected;
    }

    fn became_weaker(&self, expected: Expected) -> ClientError {
        ClientError::WeakerSuite {
            address: self.address(),
            suite: expected.suite.map_or("", Suite::short_name),
            file: self.known_servers.path(),
            line: expected.line,
        }
    }

    fn is_someone_else(&self, expected: Expected, found: PublicKey, why: String) -> ClientError {
        let (address, file) = (self.address(), self.known_servers.path());
        let Expected { key, line, link, .. } = expected;
        let (expected, found) = (key.fingerprint(), found.fingerprint());
        match (line, link.map(|link| link.fingerprint())) {
            (Some(line), Some(found)) => ClientError::OtherLink { address, expected, found, why, file, line },
            (Some(line), None) => ClientError::KeyChanged { address, expected, found, why, file, line },
            (None, _) => ClientError::NotOfTheLink { address, expected, found, why },
        }
    }
}

impl From<Known> for Expected {
    fn from(Known { key, suite, line }: Known) -> Self {
        Self { key, suite, line: Some(line), link: None }
    }
}

/// Looks at the key, hangs up, and asks. Our own key is never shown, so any will do.
fn first_contact(
    link: &Link,
    known_servers: &KnownServers,
    person: &mut dyn Person,
) -> Result<PublicKey, ClientError> {
    let address = link.address();
    let ours = StaticKey::generate(&mut SysRng).map_err(|_| ClientError::NoEntropy)?;
    let not_trusted = || ClientError::NotTrusted { address: address.clone() };
    let mut seen = None;
    let opened = connection::connect(link, &ours, &Suite::ALL, |key, _| {
        seen = Some(key);
        Err(not_trusted())
    });
    let key = match (seen, opened) {
        (Some(key), _) => key,
        (None, Err(ConnectError::Failed(error))) => return Err(error),
        (None, _) => return Err(not_trusted()),
    };
    refuse_replaced(known_servers, &address, key)?;
    let fingerprint = key.fingerprint();
    if !person.is_there() {
        return Err(ClientError::UnknownServer { address, fingerprint });
    }
    person.tell(&format!("You have not met the server {address} before. Its key has the fingerprint"));
    person.tell(&format!("    {fingerprint}"));
    loop {
        let answer = person.ask("Is that the one which its operator sees? (yes/no) ")?;
        match answer.to_lowercase().as_str() {
            "yes" | "y" => return Ok(key),
            "no" | "n" => return Err(not_trusted()),
            _ => person.tell("Type yes or no."),
        }
    }
}

/// Another client may have met another server there in the meantime.
fn remember(
    known_servers: &KnownServers,
    address: &str,
    key: PublicKey,
    suite: Option<Suite>,
) -> Result<Known, ClientError> {
    let known = known_servers.remember(address, key, suite)?;
    if known.key == key {
        return Ok(known);
    }
    Err(ClientError::KeyChanged {
        address: address.to_owned(),
        expected: known.key.fingerprint(),
        found: key.fingerprint(),
        why: "another client has met it meanwhile".into(),
        file: known_servers.path(),
        line: known.line,
    })
}

/// No server comes back to a key that handed over to another one.
fn refuse_replaced(known_servers: &KnownServers, address: &str, key: PublicKey) -> Result<(), ClientError> {
    known_servers.replaced_on(key)?.map_or(Ok(()), |date| {
        let (address, file, found) = (address.to_owned(), known_servers.path(), key.fingerprint());
        Err(ClientError::ReplacedKey { address, key, found, date, file })
    })
}

/// What a server brought that hands over to nobody, with the day that makes it so.
fn explained(error: HandoverError) -> String {
    match error {
        HandoverError::Expired(at) => format!("{error} on {}", day_of(at)),
        HandoverError::FromTheFuture(at) => format!("{error}: of {}", day_of(at)),
        error => error.to_string(),
    }
}

/// Seconds since 1970; 0 on a computer whose clock is before that.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeServer, Scripted};
    use super::*;
    use tempfile::TempDir;

    fn folder() -> (TempDir, KnownServers) {
        let folder = tempfile::tempdir().unwrap();
        let known_servers = KnownServers::within(folder.path());
        (folder, known_servers)
    }

    fn ours() -> StaticKey {
        StaticKey::from_bytes(&[9; 32])
    }

    fn identify(link: Link, folder: &TempDir, person: &mut Scripted) -> Result<Server, ClientError> {
        Server::identify(link, KnownServers::within(folder.path()), person)
    }

    #[test]
    fn a_new_server_is_asked_about_once() {
        let (folder, _) = folder();
        let (fake, fingerprint) = (FakeServer::with_key(1), FakeServer::with_key(1).key().fingerprint());
        let link = fake.link();
        let running = fake.run(|fake| {
            assert!(fake.guest().is_err(), "the first contact goes no further than the key");
            assert!(fake.guest().is_ok());
            assert!(fake.guest().is_ok());
        });
        let mut person = Scripted::answering(&["perhaps", "yes"]);
        let server = identify(link.clone(), &folder, &mut person).unwrap();
        assert!(person.heard.iter().any(|line| line.contains(&fingerprint.to_string())));
        server.connect(&ours()).map(drop).unwrap();
        identify(link, &folder, &mut Scripted::default()).unwrap().connect(&ours()).map(drop).unwrap();
        running.join().unwrap();
    }

    #[test]
    fn a_new_server_is_refused_when_the_person_says_no_or_nobody_is_there() {
        let (folder, known) = folder();
        let fake = FakeServer::with_key(1);
        let link = fake.link();
        let running = fake.run(|fake| assert!(fake.guest().is_err() && fake.guest().is_err()));
        let said_no = identify(link.clone(), &folder, &mut Scripted::answering(&["no"])).err().unwrap();
        assert!(matches!(said_no, ClientError::NotTrusted { .. }), "{said_no}");
        let nobody = identify(link.clone(), &folder, &mut Scripted::default()).err().unwrap();
        assert!(matches!(nobody, ClientError::UnknownServer { .. }), "{nobody}");
        assert_eq!((said_no.exit_code(), nobody.exit_code()), (3, 3));
        assert_eq!(known.lookup(&link.address()).unwrap(), None);
        running.join().unwrap();
    }

    #[test]
    fn a_changed_key_is_refused_before_we_show_ours() {
        let (folder, known) = folder();
        let fake = FakeServer::with_key(1);
        let link = fake.link();
        known.remember(&link.address(), PublicKey::from_bytes([5; 32]), None).unwrap();
        let running = fake.run(|fake| assert!(fake.guest().is_err()));
        let server = identify(link, &folder, &mut Scripted::default()).unwrap();
        let error = server.connect(&ours()).err().unwrap();
        assert_eq!(error.exit_code(), 5);
        assert!(error.to_string().contains("remove line 2 of "), "{error}");
        running.join().unwrap();
    }

    #[test]
    fn a_link_with_the_key_needs_no_answer_and_is_remembered_once_it_proved_right() {
        let (folder, known) = folder();
        let fake = FakeServer::with_key(1);
        let mut link = fake.link();
        link.server_key = Some(fake.key());
        let running = fake.run(|fake| assert!(fake.guest().is_ok()));
        let server = identify(link.clone(), &folder, &mut Scripted::default()).unwrap();
        assert_eq!(known.lookup(&link.address()).unwrap(), None);
        server.connect(&ours()).map(drop).unwrap();
        server.remember().unwrap();
        assert_eq!(known.lookup(&link.address()).unwrap().map(|known| known.key), link.server_key);
        running.join().unwrap();
    }

    #[test]
    fn a_link_with_another_key_is_refused() {
        let (folder, _) = folder();
        let fake = FakeServer::with_key(1);
        let mut link = fake.link();
        link.server_key = Some(PublicKey::from_bytes([5; 32]));
        let running = fake.run(|fake| assert!(fake.guest().is_err()));
        let server = identify(link.clone(), &folder, &mut Scripted::default()).unwrap();
        let error = server.connect(&ours()).err().unwrap();
        assert!(matches!(error, ClientError::NotOfTheLink { .. }) && error.exit_code() == 5, "{error}");
        running.join().unwrap();
    }
}
