//! What a client sends.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Decoder, Encode, Encoder};
use zeroize::Zeroizing;

use super::MessageId;

/// A message from a client to the server. Names and rooms are texts here; the server parses them where it uses them.
#[derive(Encode, Decode)]
#[cbor(map)]
pub enum ClientMessage {
    /// Makes an account and logs in with it.
    #[n(0)]
    SignUp {
        /// The wished name.
        #[n(0)]
        name: String,
        /// Its password.
        #[n(1)]
        password: SecretText,
    },
    /// Logs in.
    #[n(1)]
    LogIn {
        /// The account's name.
        #[n(0)]
        name: String,
        /// Its password.
        #[n(1)]
        password: SecretText,
    },
    /// Asks for a room: what was said after a place, then everything as it is said.
    #[n(2)]
    Join {
        /// The room's name, with its `#`.
        #[n(0)]
        room: String,
        /// The last sequence number that the client has; without it, the last 50 messages come.
        #[n(1)]
        after: Option<u64>,
    },
    /// Says something in a room.
    #[n(3)]
    Say {
        /// The room's name, with its `#`.
        #[n(0)]
        room: String,
        /// The client's name for this message, the same when it is sent again.
        #[n(1)]
        id: MessageId,
        /// What the body is: 0 for text. The server does not look into it.
        #[n(2)]
        kind: u16,
        /// 1 to 16,384 bytes.
        #[n(3)]
        body: ByteVec,
    },
    /// Asks for a [`Pong`](super::ServerMessage::Pong).
    #[n(4)]
    Ping {},
    /// Answers a [`Ping`](super::ServerMessage::Ping).
    #[n(5)]
    Pong {},
}

/// A text that is wiped from memory when dropped, and that can't be printed.
pub struct SecretText(pub Zeroizing<String>);

impl<C> Encode<C> for SecretText {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for SecretText {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Ok(Self(Zeroizing::new(decoder.str()?.to_owned())))
    }
}
