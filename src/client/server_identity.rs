//! Who the server must be. A link that carries a key decides; otherwise the file of known servers; otherwise the
//! person is shown the fingerprint, once. A server that proves to be someone else is refused.
//!
//! A handshake has a deadline and a person who compares fingerprints has none. So a first contact goes just far
//! enough to see the key and hangs up, before the server has learnt anything of us; after the answer we call again.

use std::sync::{Mutex, PoisonError};

use rand::rngs::SysRng;
use tracing::warn;

use crate::channel::{KeyLimits, PublicKey, StaticKey, Suite};
use crate::link::Link;

use super::ClientError;
use super::connection::{self, ConnectError, Connection};
use super::known_servers::{Known, KnownServers};
use super::person::Person;

/// A server, and what it must be.
pub(super) struct Server {
    link: Link,
    known_servers: KnownServers,
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
            (Some(key), Some(known)) if key != known.key => {
                return Err(ClientError::OtherLink {
                    address,
                    expected: known.key.fingerprint(),
                    found: key.fingerprint(),
                    file: known_servers.path(),
                    line: known.line,
                });
            }
            (_, Some(known)) => known.into(),
            (Some(key), None) => Expected { key, suite: None, line: None },
            (None, None) => {
                let key = first_contact(&link, person)?;
                remember(&known_servers, &address, key, None)?.into()
            }
        };
        Ok(Self { link, known_servers, key_limits: KeyLimits::SOFT, expected: Mutex::new(expected) })
    }

    /// The same, where each key seals no more than this.
    pub(super) fn sealing_within(self, key_limits: KeyLimits) -> Self {
        Self { key_limits, ..self }
    }

    /// Opens a channel to the server, if it is the one that it must be; only then it learns that we hold the key `ours`.
    pub(super) fn connect(&self, ours: &StaticKey) -> Result<Connection, ClientError> {
        let expected = self.expected();
        let suites = expected.suite.map_or(&Suite::ALL[..], Suite::at_least);
        let opened = connection::connect(&self.link, ours, suites, Some(expected.key));
        let mut connection = opened.map_err(|error| match error {
            ConnectError::Failed(error) => error,
            ConnectError::TooWeak => self.became_weaker(expected),
            ConnectError::OtherKey(found) => self.is_someone_else(expected, found),
        })?;
        connection.sending.sealer.limit(self.key_limits);
        self.saw(expected, connection.suite);
        Ok(connection)
    }

    /// Keeps the key of a link, now that the server has proved to hold it.
    pub(super) fn remember(&self) -> Result<(), ClientError> {
        let Expected { key, suite, line } = self.expected();
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

    fn is_someone_else(&self, expected: Expected, found: PublicKey) -> ClientError {
        match expected.line {
            Some(line) => key_changed(self.address(), &self.known_servers, (expected.key, line), found),
            None => ClientError::NotOfTheLink {
                address: self.address(),
                expected: expected.key.fingerprint(),
                found: found.fingerprint(),
            },
        }
    }
}

impl From<Known> for Expected {
    fn from(Known { key, suite, line }: Known) -> Self {
        Self { key, suite, line: Some(line) }
    }
}

/// Looks at the key, hangs up, and asks. Our own key is never shown, so any will do.
fn first_contact(link: &Link, person: &mut dyn Person) -> Result<PublicKey, ClientError> {
    let address = link.address();
    let ours = StaticKey::generate(&mut SysRng).map_err(|_| ClientError::NoEntropy)?;
    let key = match connection::connect(link, &ours, &Suite::ALL, None) {
        Err(ConnectError::OtherKey(key)) => key,
        Err(ConnectError::Failed(error)) => return Err(error),
        Err(ConnectError::TooWeak) | Ok(_) => return Err(ClientError::NotTrusted { address }),
    };
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
            "no" | "n" => return Err(ClientError::NotTrusted { address }),
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
    Err(key_changed(address.to_owned(), known_servers, (known.key, known.line), key))
}

fn key_changed(
    address: String,
    known_servers: &KnownServers,
    (expected, line): (PublicKey, usize),
    found: PublicKey,
) -> ClientError {
    ClientError::KeyChanged {
        address,
        expected: expected.fingerprint(),
        found: found.fingerprint(),
        file: known_servers.path(),
        line,
    }
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
        let (folder, known) = folder();
        let fake = FakeServer::with_key(1);
        let mut link = fake.link();
        link.server_key = Some(PublicKey::from_bytes([5; 32]));
        let running = fake.run(|fake| assert!(fake.guest().is_err()));
        let server = identify(link.clone(), &folder, &mut Scripted::default()).unwrap();
        let error = server.connect(&ours()).err().unwrap();
        assert!(matches!(error, ClientError::NotOfTheLink { .. }) && error.exit_code() == 5, "{error}");
        running.join().unwrap();
        known.remember(&link.address(), PublicKey::from_bytes([6; 32]), None).unwrap();
        let error = identify(link, &folder, &mut Scripted::default()).err().unwrap();
        assert!(matches!(error, ClientError::OtherLink { .. }) && error.exit_code() == 5, "{error}");
    }
}
