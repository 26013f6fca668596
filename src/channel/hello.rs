//! The hello, in clear, before the handshake: version and suite. Both hellos together are the prologue of the
//! handshake, so whoever changes one on the way makes the handshake fail.
//!
//! ```text
//! client: "CHAT" version:u8 count:u8 suite:u8 × count      strongest first, 1 to 16 of them
//! server: "CHAT" version:u8 answer:u8                       the suite, 0x00 (none in common), 0xfe (banned) or 0xff (full)
//! ```

use super::error::{ChannelError, NotChat};
use super::labels;

/// The bytes of a server's hello, and the fixed part of a client's.
pub(super) const HELLO_BYTES: usize = 6;

/// The most suites that a client may offer.
const SUITES_MAX: u8 = 16;

const ANSWER_NONE: u8 = 0x00;
const ANSWER_BANNED: u8 = 0xfe;
const ANSWER_FULL: u8 = 0xff;

/// A handshake with its primitives. The numbers are those of the hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// `Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256`, number 2: what was recorded stays secret as long as either of X25519
    /// and ML-KEM-768 holds.
    Hybrid,
    /// `Noise_XX_25519_AESGCM_SHA256`, number 1.
    Classical,
}

impl Suite {
    /// What this program speaks, strongest first.
    pub const ALL: [Self; 2] = [Self::Hybrid, Self::Classical];

    /// Those that are at least as strong as this one, strongest first.
    pub fn at_least(self) -> &'static [Self] {
        let weakest = Self::ALL.iter().position(|suite| *suite == self);
        weakest.and_then(|place| Self::ALL.get(..=place)).unwrap_or(&Self::ALL)
    }

    /// Whether it protects against more than the other one.
    pub fn is_stronger_than(self, other: Self) -> bool {
        !self.at_least().contains(&other)
    }

    /// What it is called in a file that people read.
    pub fn short_name(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Classical => "classical",
        }
    }

    /// The suite of this short name.
    pub fn from_short_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.short_name() == name)
    }

    /// The name of the protocol (Noise section 8), which begins the handshake hash.
    pub fn protocol_name(self) -> &'static [u8] {
        match self {
            Self::Hybrid => labels::XX_HYBRID,
            Self::Classical => labels::XX_CLASSICAL,
        }
    }

    /// Whether a key encapsulation stands beside the Diffie-Hellmans.
    pub(super) fn is_hybrid(self) -> bool {
        self == Self::Hybrid
    }

    fn number(self) -> u8 {
        match self {
            Self::Hybrid => 2,
            Self::Classical => 1,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.number() == number)
    }
}

impl std::fmt::Display for Suite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hybrid => f.write_str("X25519 with ML-KEM-768 and AES-256-GCM (Noise XXhfs)"),
            Self::Classical => f.write_str("X25519 and AES-256-GCM (Noise XX)"),
        }
    }
}

/// What a client offers: 7 to 22 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    bytes: Vec<u8>,
}

impl ClientHello {
    /// A hello that offers these suites, strongest first.
    pub fn offering(suites: &[Suite]) -> Self {
        let count = u8::try_from(suites.len()).unwrap_or(SUITES_MAX).min(SUITES_MAX);
        let mut bytes = labels::MAGIC.to_vec();
        bytes.extend([labels::VERSION, count]);
        bytes.extend(suites.iter().take(count.into()).map(|suite| suite.number()));
        Self { bytes }
    }

    /// The number of bytes that follow the first 6 of a client's hello: 1 to 16.
    pub fn rest(start: [u8; HELLO_BYTES]) -> Result<usize, ChannelError> {
        let [magic @ .., version, count] = start;
        if magic != labels::MAGIC {
            return Err(not_chat(magic));
        }
        match (version, count) {
            (0, _) => Err(ChannelError::Version(0)),
            (_, 1..=SUITES_MAX) => Ok(count.into()),
            _ => Err(ChannelError::BadLength),
        }
    }

    /// The hello made of its start and its rest.
    pub fn from_parts(start: [u8; HELLO_BYTES], rest: &[u8]) -> Result<Self, ChannelError> {
        if Self::rest(start)? != rest.len() {
            return Err(ChannelError::BadLength);
        }
        Ok(Self { bytes: [&start, rest].concat() })
    }

    /// The bytes as they go over the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The first of `ours` (strongest first) that the client offers too.
    fn choose(&self, ours: &[Suite]) -> Option<Suite> {
        let offered = self.bytes.get(HELLO_BYTES..).unwrap_or_default();
        ours.iter().copied().find(|suite| offered.contains(&suite.number()))
    }
}

/// What a server answers: 6 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHello {
    answer: u8,
}

impl ServerHello {
    /// The answer of a server that speaks `ours`, strongest first.
    pub fn answering(client: &ClientHello, ours: &[Suite]) -> Self {
        Self { answer: client.choose(ours).map_or(ANSWER_NONE, Suite::number) }
    }

    /// The answer of a server that takes no more connections.
    pub fn full() -> Self {
        Self { answer: ANSWER_FULL }
    }

    /// The answer of a server that takes no connections from the client's address.
    pub fn banned() -> Self {
        Self { answer: ANSWER_BANNED }
    }

    /// Reads a server's hello.
    pub fn from_bytes(bytes: [u8; HELLO_BYTES]) -> Result<Self, ChannelError> {
        let [magic @ .., version, answer] = bytes;
        match version {
            _ if magic != labels::MAGIC => Err(not_chat(magic)),
            labels::VERSION => Ok(Self { answer }),
            _ => Err(ChannelError::Version(version)),
        }
    }

    /// The bytes as they go over the wire.
    pub fn to_bytes(self) -> [u8; HELLO_BYTES] {
        let [c, h, a, t] = labels::MAGIC;
        [c, h, a, t, labels::VERSION, self.answer]
    }

    /// The suite that was chosen among those that `client` offered.
    pub fn suite(self, client: &ClientHello) -> Result<Suite, ChannelError> {
        match self.answer {
            ANSWER_NONE => Err(ChannelError::NoCommonSuite),
            ANSWER_BANNED => Err(ChannelError::Banned),
            ANSWER_FULL => Err(ChannelError::Full),
            number => Suite::from_number(number)
                .filter(|suite| client.choose(&[*suite]).is_some())
                .ok_or(ChannelError::SuiteNotOffered),
        }
    }
}

/// Noise section 6: what both sides must have seen alike. Each hello tells its own length, so nothing is ambiguous.
pub(super) fn prologue(client: &ClientHello, server: ServerHello) -> Vec<u8> {
    [client.as_bytes(), &server.to_bytes()].concat()
}

fn not_chat(start: [u8; 4]) -> ChannelError {
    ChannelError::NotChat(match &start {
        b"HTTP" => NotChat::WebServer,
        b"SSH-" => NotChat::SshServer,
        [0x14..=0x17, 0x03, ..] => NotChat::TlsServer,
        _ => NotChat::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(bytes: &[u8]) -> Result<ClientHello, ChannelError> {
        let (start, rest) = bytes.split_at(HELLO_BYTES);
        ClientHello::from_parts(start.try_into().unwrap(), rest)
    }

    #[test]
    fn the_server_takes_its_own_strongest_among_what_is_offered() {
        let offer = parsed(b"CHAT\x01\x03\x63\x01\x02").unwrap();
        let answer = ServerHello::answering(&offer, &Suite::ALL);
        assert_eq!(answer.to_bytes(), *b"CHAT\x01\x02");
        assert_eq!(answer.suite(&offer).unwrap(), Suite::Hybrid);
        let classical = parsed(b"CHAT\x01\x01\x01").unwrap();
        let answer = ServerHello::answering(&classical, &Suite::ALL);
        assert_eq!(answer.suite(&classical).unwrap(), Suite::Classical);
    }

    #[test]
    fn at_least_as_strong_as_a_suite_are_itself_and_those_before_it() {
        assert_eq!(Suite::Hybrid.at_least(), [Suite::Hybrid]);
        assert_eq!(Suite::Classical.at_least(), Suite::ALL);
        for suite in Suite::ALL {
            assert_eq!(Suite::from_short_name(suite.short_name()), Some(suite));
        }
        assert_eq!(Suite::from_short_name("Hybrid"), None);
    }

    #[test]
    fn no_suite_in_common_is_told_to_the_client() {
        let offer = parsed(b"CHAT\x01\x01\x63").unwrap();
        let answer = ServerHello::answering(&offer, &Suite::ALL);
        assert!(matches!(answer.suite(&offer), Err(ChannelError::NoCommonSuite)));
    }

    #[test]
    fn a_suite_that_was_not_offered_is_refused() {
        let offer = parsed(b"CHAT\x01\x01\x63").unwrap();
        let answer = ServerHello::from_bytes(*b"CHAT\x01\x01").unwrap();
        assert!(matches!(answer.suite(&offer), Err(ChannelError::SuiteNotOffered)));
    }

    #[test]
    fn hellos_that_are_none_are_refused() {
        for bytes in [
            b"CHAT\x01\x00".as_slice(),
            b"CHAT\x01\x11",
            b"CHAT\x00\x01\x01",
            b"GET / HTTP",
            b"CHAT\x01\x02\x01",
        ] {
            assert!(parsed(bytes).is_err(), "{bytes:?}");
        }
        assert!(matches!(
            ServerHello::from_bytes(*b"HTTP/1"),
            Err(ChannelError::NotChat(NotChat::WebServer))
        ));
        assert!(matches!(ServerHello::from_bytes(*b"CHAT\x02\x01"), Err(ChannelError::Version(2))));
    }
}
