//! What is sealed after the handshake. The plaintext of each Noise transport message is a record: one byte that says
//! what it is, then its content, so that a channel can end (and change its keys) without knowing what it carries.
//!
//! | type | content |
//! |---|---|
//! | 0 | messages of the application, whole ones |
//! | 1 | none: goodbye, nothing follows |

use super::cipher_state::{CipherState, TAG_BYTES};
use super::error::ChannelError;
use super::frame::{FRAME_BYTES_MAX, write_frame};

/// The longest content of a record, in bytes: a Noise message less its tag and the type.
pub const RECORD_BYTES_MAX: usize = FRAME_BYTES_MAX - TAG_BYTES - 1;

const TYPE_MESSAGES: u8 = 0;
const TYPE_GOODBYE: u8 = 1;

/// A record that was opened.
#[derive(Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// Whole messages of the application, 0 to [`RECORD_BYTES_MAX`] bytes.
    Messages(&'a [u8]),
    /// The peer leaves; an end of the stream without this one is a lost connection.
    Goodbye,
}

/// Seals records for one direction. Each record has its own nonce by construction.
// Neither half hides its state from the vectors, whose messages are no records.
pub struct Sealer(pub(super) CipherState);

impl Sealer {
    pub(super) fn new(cipher: CipherState) -> Self {
        Self(cipher)
    }

    /// Appends one frame to `out` that holds all of `parts`, [`RECORD_BYTES_MAX`] bytes together at most.
    pub fn seal<'p>(
        &mut self,
        parts: impl IntoIterator<Item = &'p [u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), ChannelError> {
        self.seal_record(TYPE_MESSAGES, parts, out)
    }

    /// Appends the frame that ends a session cleanly.
    pub fn goodbye(&mut self, out: &mut Vec<u8>) -> Result<(), ChannelError> {
        self.seal_record(TYPE_GOODBYE, [], out)
    }

    fn seal_record<'p>(
        &mut self,
        kind: u8,
        parts: impl IntoIterator<Item = &'p [u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), ChannelError> {
        write_frame(out, |out| {
            let from = out.len();
            out.push(kind);
            parts.into_iter().for_each(|part| out.extend_from_slice(part));
            if out.len() - from > RECORD_BYTES_MAX + 1 {
                return Err(ChannelError::BadLength);
            }
            self.0.encrypt(&[], out, from)
        })
    }
}

/// Opens the records of one direction, in the order in which they were sealed.
pub struct Opener(pub(super) CipherState);

impl Opener {
    pub(super) fn new(cipher: CipherState) -> Self {
        Self(cipher)
    }

    /// Opens a frame's content in place. A content that is not authentic leaves the opener, and the content, as they
    /// were before; one that is, and is still refused for what it says, was the peer's own and counts as opened.
    pub fn open<'f>(&mut self, frame: &'f mut [u8]) -> Result<Record<'f>, ChannelError> {
        let plaintext = self.0.decrypt(&[], frame)?;
        match &*plaintext {
            [TYPE_MESSAGES, content @ ..] => Ok(Record::Messages(content)),
            [TYPE_GOODBYE] => Ok(Record::Goodbye),
            [TYPE_GOODBYE, ..] | [] => Err(ChannelError::BadLength),
            [other, ..] => Err(ChannelError::UnknownRecord(*other)),
        }
    }
}
