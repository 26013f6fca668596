//! Why a channel could not be opened or can't go on. A peer is never told which; a person is.

use std::io;

/// What goes wrong on a channel. After any of these the session is over.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The bytes below failed or took too long.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The peer closed the connection in the middle.
    #[error("the other side closed the connection")]
    Closed,
    /// The first bytes were not those of this protocol.
    #[error("the other side does not speak the chat protocol{0}")]
    NotChat(NotChat),
    /// The server speaks no version that we do; holds its version.
    #[error("the server speaks version {0} of the protocol, which this program does not know")]
    Version(u8),
    /// The two sides know no suite in common.
    #[error("the two sides have no cipher suite in common")]
    NoCommonSuite,
    /// The server takes no connections from our address.
    #[error("the server takes no connections from this address")]
    Banned,
    /// The server has as many connections as it takes.
    #[error("the server is full")]
    Full,
    /// The server chose a suite that was not offered.
    #[error("the server chose a cipher suite that was not offered")]
    SuiteNotOffered,
    /// A message is shorter or longer than it can be.
    #[error("a message on the channel has an impossible length")]
    BadLength,
    /// A key of the peer has a low order, so that the shared secret would not depend on ours (RFC 7748, section 6.1).
    #[error("the other side sent a key that is not one")]
    LowOrderPoint,
    /// A peer's ML-KEM key is none (FIPS 203, section 7.2).
    #[error("the other side sent a post-quantum key that is not one")]
    BadKemKey,
    /// A message was changed, replayed, reordered, cut, or sealed with another key.
    #[error("a message on the channel is not authentic")]
    NotAuthentic,
    /// A sealed record has a type that this version does not know.
    #[error("a record on the channel has the unknown type {0}")]
    UnknownRecord(u8),
    /// The peer goes on with a key for four times as long as it should.
    #[error("the other side never changes its key")]
    NoKeyUpdate,
    /// 2^64 - 1 messages were sealed with one key (Noise section 5.1).
    #[error("the key of this session is used up")]
    KeyUsedUp,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoEntropy,
}

/// A guess at what a peer is that does not speak this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotChat {
    /// It answered as web servers do.
    WebServer,
    /// It answered as ssh servers do.
    SshServer,
    /// It answered with a TLS record.
    TlsServer,
    /// Anything else.
    Unknown,
}

impl std::fmt::Display for NotChat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::WebServer => " (it is a web server)",
            Self::SshServer => " (it is an ssh server)",
            Self::TlsServer => " (it speaks TLS)",
            Self::Unknown => "",
        })
    }
}
