//! The secure channel: bytes in, bytes out. It knows nothing of sockets, people or rooms, and imports nothing of
//! ours, so that a server, a client, a test and a fuzzer all run the same code.
//!
//! It is the Noise Protocol Framework (revision 34), one file for each object of the specification:
//! `cipher_state` (section 5.1), `symmetric_state` (5.2), `handshake` (5.3, pattern XX of 7.5, and the same with a key
//! encapsulation, of which `kem` is the primitive). Around it stand `hello`, which settles the version and the suite
//! and becomes the prologue; `record`, what is sealed after the handshake, and `key_use`, for how long with one key;
//! `frame`, the length before each Noise message; and `stream`, which joins them over any `Read` and `Write`. `handover`
//! is how one key of a server vouches for the next, by `signature`.

mod cipher_state;
mod error;
mod frame;
pub mod handover;
mod handshake;
mod hello;
mod kem;
mod key_use;
mod keys;
mod labels;
mod record;
mod signature;
mod stream;
mod symmetric_state;
#[cfg(test)]
mod vectors;

pub use error::{ChannelError, NotChat};
pub use frame::{FRAME_BYTES_MAX, FrameReader, write_frame};
pub use handshake::{
    Initiator, InitiatorSentOne, InitiatorVerifies, Responder, ResponderGotOne, ResponderSentTwo, Transport,
};
pub use hello::{ClientHello, ServerHello, Suite};
pub use key_use::KeyLimits;
pub use keys::{Fingerprint, KeyTextError, PublicKey, Purpose, StaticKey};
pub use record::{Opener, RECORD_BYTES_MAX, Record, Sealer};
pub use stream::{
    Established, Incoming, accept, accept_with, connect, connect_with, refuse_banned, refuse_full,
};
