//! Who the server must be. A link that carries a key decides; otherwise the file of known servers; otherwise the
//! person is shown the fingerprint, once. A server that proves to be someone else is refused.
//!
//! A handshake has a deadline and a person who compares fingerprints has none. So a first contact goes just far
//! enough to see the key and hangs up, before the server has learnt anything of us; after the answer we call again.

use rand::rngs::SysRng;

use crate::channel::{PublicKey, StaticKey};
use crate::link::Link;

use super::ClientError;
use super::connection::{self, ConnectError, Connection};
use super::known_servers::{Known, KnownServers};
use super::person::Person;

/// A server, and the key that it must hold.
pub(super) struct Server {
    link: Link,
    known_servers: KnownServers,
    expected: PublicKey,
    /// The line of `known_servers` with the key; without one, it came with the link.
    known_line: Option<usize>,
}

impl Server {
    /// Finds out which key the server must hold, from the link, the file or the person.
    pub(super) fn identify(
        link: Link,
        known_servers: KnownServers,
        person: &mut dyn Person,
    ) -> Result<Self, ClientError> {
        let address = link.address();
        let (expected, known_line) = match (link.server_key, known_servers.lookup(&address)?) {
            (Some(key), Some(known)) if key != known.key => {
                return Err(ClientError::OtherLink {
                    address,
                    expected: known.key.fingerprint(),
                    found: key.fingerprint(),
                    file: known_servers.path(),
                    line: known.line,
                });
            }
            (_, Some(Known { key, line })) => (key, Some(line)),
            (Some(key), None) => (key, None),
            (None, None) => {
                let key = first_contact(&link, person)?;
                (key, Some(remember(&known_servers, &address, key)?.line))
            }
        };
        Ok(Self { link, known_servers, expected, known_line })
    }

    /// Opens a channel to the server, if it is the one that it must be; only then it learns that we hold the key `ours`.
    pub(super) fn connect(&self, ours: &StaticKey) -> Result<Connection, ClientError> {
        connection::connect(&self.link, ours, Some(self.expected)).map_err(|error| match error {
            ConnectError::Failed(error) => error,
            ConnectError::OtherKey(found) => self.is_someone_else(found),
        })
    }

    /// Keeps the key of a link, now that the server has proved to hold it.
    pub(super) fn remember(&self) -> Result<(), ClientError> {
        if self.known_line.is_none() {
            remember(&self.known_servers, &self.address(), self.expected)?;
        }
        Ok(())
    }

    /// `host:port`.
    pub(super) fn address(&self) -> String {
        self.link.address()
    }

    /// The key that it has.
    pub(super) fn key(&self) -> PublicKey {
        self.expected
    }

    fn is_someone_else(&self, found: PublicKey) -> ClientError {
        match self.known_line {
            Some(line) => {
                key_changed(self.address(), &self.known_servers, Known { key: self.expected, line }, found)
            }
            None => ClientError::NotOfTheLink {
                address: self.address(),
                expected: self.expected.fingerprint(),
                found: found.fingerprint(),
            },
        }
    }
}

/// Looks at the key, hangs up, and asks. Our own key is never shown, so any will do.
fn first_contact(link: &Link, person: &mut dyn Person) -> Result<PublicKey, ClientError> {
    let address = link.address();
    let ours = StaticKey::generate(&mut SysRng).map_err(|_| ClientError::NoEntropy)?;
    let key = match connection::connect(link, &ours, None) {
        Err(ConnectError::OtherKey(key)) => key,
        Err(ConnectError::Failed(error)) => return Err(error),
        Ok(_) => return Err(ClientError::NotTrusted { address }),
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
fn remember(known_servers: &KnownServers, address: &str, key: PublicKey) -> Result<Known, ClientError> {
    let known = known_servers.remember(address, key)?;
    if known.key == key { Ok(known) } else { Err(key_changed(address.to_owned(), known_servers, known, key)) }
}

fn key_changed(address: String, known_servers: &KnownServers, known: Known, found: PublicKey) -> ClientError {
    ClientError::KeyChanged {
        address,
        expected: known.key.fingerprint(),
        found: found.fingerprint(),
        file: known_servers.path(),
        line: known.line,
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
        known.remember(&link.address(), PublicKey::from_bytes([5; 32])).unwrap();
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
        known.remember(&link.address(), PublicKey::from_bytes([6; 32])).unwrap();
        let error = identify(link, &folder, &mut Scripted::default()).err().unwrap();
        assert!(matches!(error, ClientError::OtherLink { .. }) && error.exit_code() == 5, "{error}");
    }
}
