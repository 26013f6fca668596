//! What is sealed after the handshake. The plaintext of each Noise transport message is a record: one byte that says
//! what it is, then its content, so that a channel can end (and change its keys) without knowing what it carries.
//!
//! | type | content |
//! |---|---|
//! | 0 | messages of the application, whole ones |
//! | 1 | none: goodbye, nothing follows |
//! | 2 | none: key update, the next frame is sealed with the next key |

use tracing::debug;

use super::cipher_state::{CipherState, TAG_BYTES};
use super::error::ChannelError;
use super::frame::{FRAME_BYTES_MAX, write_frame};
use super::key_use::{KeyLimits, KeyUse};

/// The longest content of a record, in bytes: a Noise message less its tag and the type.
pub const RECORD_BYTES_MAX: usize = FRAME_BYTES_MAX - TAG_BYTES - 1;

const TYPE_MESSAGES: u8 = 0;
const TYPE_GOODBYE: u8 = 1;
const TYPE_KEY_UPDATE: u8 = 2;

/// A record that was opened.
#[derive(Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// Whole messages of the application, 0 to [`RECORD_BYTES_MAX`] bytes.
    Messages(&'a [u8]),
    /// The peer leaves; an end of the stream without this one is a lost connection.
    Goodbye,
    /// The peer's next frame is sealed with its next key. Nothing is left to do.
    KeyUpdate,
}

/// Seals records for one direction. Each record has its own nonce by construction; when a key has been used enough, the
/// sealer says so to the peer and takes the next one (Noise section 11.3), in the same output.
pub struct Sealer {
    // Not hidden from the vectors, whose messages are no records.
    pub(super) cipher: CipherState,
    used: KeyUse,
    keys: u64,
}

impl Sealer {
    pub(super) fn new(cipher: CipherState) -> Self {
        Self { cipher, used: KeyUse::new(KeyLimits::SOFT), keys: 1 }
    }

    /// Takes the next key at other limits than [`KeyLimits::SOFT`].
    pub fn limit(&mut self, limits: KeyLimits) {
        self.used.limit(limits);
    }

    /// How many keys this direction has had.
    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// Appends one frame to `out` that holds all of `parts`, [`RECORD_BYTES_MAX`] bytes together at most, after a key
    /// update if the key is used up. After an error `out` is as it was before.
    pub fn seal<'p, P>(&mut self, parts: P, out: &mut Vec<u8>) -> Result<(), ChannelError>
    where
        P: IntoIterator<Item = &'p [u8], IntoIter: Clone>,
    {
        let parts = parts.into_iter();
        // Known before anything is sealed: a record that is too long must not cost a key update.
        if parts.clone().map(<[u8]>::len).fold(0, usize::saturating_add) > RECORD_BYTES_MAX {
            return Err(ChannelError::BadLength);
        }
        self.seal_record(TYPE_MESSAGES, parts, out)
    }

    /// Appends the frame that ends a session cleanly, likewise.
    pub fn goodbye(&mut self, out: &mut Vec<u8>) -> Result<(), ChannelError> {
        self.seal_record(TYPE_GOODBYE, [], out)
    }

    fn seal_record<'p>(
        &mut self,
        kind: u8,
        parts: impl IntoIterator<Item = &'p [u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), ChannelError> {
        let start = out.len();
        let sealed = self.update_used_up_key(out).and_then(|()| self.seal_frame(kind, parts, out));
        if sealed.is_err() {
            // Only when the nonces are used up, so that nothing is ever sealed with the key that this takes back.
            out.truncate(start);
        }
        sealed
    }

    fn update_used_up_key(&mut self, out: &mut Vec<u8>) -> Result<(), ChannelError> {
        if self.used.is_used_up() {
            self.seal_frame(TYPE_KEY_UPDATE, [], out)?;
            self.cipher.rekey()?;
            self.used.next_key();
            self.keys += 1;
            debug!(number = self.keys, "our next key");
        }
        Ok(())
    }

    fn seal_frame<'p>(
        &mut self,
        kind: u8,
        parts: impl IntoIterator<Item = &'p [u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), ChannelError> {
        write_frame(out, |out| {
            let from = out.len();
            out.push(kind);
            parts.into_iter().for_each(|part| out.extend_from_slice(part));
            self.cipher.encrypt(&[], out, from)?;
            self.used.count(out.len() - from);
            Ok(())
        })
    }
}

/// Opens the records of one direction, in the order in which they were sealed, and follows the peer's key updates.
pub struct Opener {
    pub(super) cipher: CipherState,
    used: KeyUse,
}

secret!(Sealer, Opener);

impl Opener {
    pub(super) fn new(cipher: CipherState) -> Self {
        Self { cipher, used: KeyUse::new(KeyLimits::HARD) }
    }

    /// Refuses a peer who does not update its key at other limits than [`KeyLimits::HARD`].
    pub fn limit(&mut self, limits: KeyLimits) {
        self.used.limit(limits);
    }

    /// Opens a frame's content in place. A content that is not authentic leaves the opener, and the content, as they
    /// were before; one that is, and is still refused for what it says, was the peer's own and counts as opened.
    pub fn open<'f>(&mut self, frame: &'f mut [u8]) -> Result<Record<'f>, ChannelError> {
        let length = frame.len();
        let plaintext = self.cipher.decrypt(&[], frame)?;
        let record = match &*plaintext {
            [TYPE_MESSAGES, content @ ..] => Record::Messages(content),
            [TYPE_GOODBYE] => Record::Goodbye,
            [TYPE_KEY_UPDATE] => {
                self.cipher.rekey()?;
                self.used.next_key();
                debug!("their next key");
                return Ok(Record::KeyUpdate);
            }
            [TYPE_GOODBYE | TYPE_KEY_UPDATE, ..] | [] => return Err(ChannelError::BadLength),
            [other, ..] => return Err(ChannelError::UnknownRecord(*other)),
        };
        if self.used.is_used_up() {
            return Err(ChannelError::NoKeyUpdate);
        }
        self.used.count(length);
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::FrameReader;
    use std::time::Duration;

    const NEVER: KeyLimits = KeyLimits { frames: u64::MAX, bytes: u64::MAX, age: Duration::MAX };

    fn pair() -> (Sealer, Opener) {
        let cipher = || CipherState::new(&[1; 32]);
        (Sealer::new(cipher()), Opener::new(cipher()))
    }

    /// Opens everything in `stream`. Gives the contents and the number of key updates.
    fn open_all(opener: &mut Opener, stream: &[u8]) -> Result<(Vec<Vec<u8>>, u64), ChannelError> {
        let (mut frames, mut contents, mut updates) = (FrameReader::default(), Vec::new(), 0);
        frames.feed(stream);
        while let Some(frame) = frames.next_frame() {
            match opener.open(frame)? {
                Record::Messages(content) => contents.push(content.to_vec()),
                Record::KeyUpdate => updates += 1,
                Record::Goodbye => {}
            }
        }
        Ok((contents, updates))
    }

    #[test]
    fn keys_change_at_each_limit_and_nothing_is_lost_on_the_way() {
        let limits = [
            KeyLimits { frames: 10, ..NEVER },
            KeyLimits { bytes: 1000, ..NEVER },
            KeyLimits { age: Duration::ZERO, ..NEVER },
        ];
        for limits in limits {
            let (mut sealer, mut opener) = pair();
            sealer.limit(limits);
            let sent: Vec<Vec<u8>> = (0..1000_u32).map(|n| n.to_be_bytes().repeat(10)).collect();
            let mut stream = Vec::new();
            for content in &sent {
                sealer.seal([content.as_slice()], &mut stream).unwrap();
            }
            let (read, updates) = open_all(&mut opener, &stream).unwrap();
            assert_eq!(read, sent);
            assert!(updates >= 50, "only {updates} updates at {limits:?}");
            assert_eq!(sealer.keys(), updates + 1);
        }
    }

    #[test]
    fn a_sender_begins_with_the_soft_limits_and_a_receiver_with_the_hard_ones() {
        let (mut sealer, mut opener) = pair();
        let mut stream = Vec::new();
        sealer.used.count(256 << 20);
        sealer.seal([b"x".as_slice()], &mut stream).unwrap();
        assert_eq!((open_all(&mut opener, &stream).unwrap().1, sealer.keys()), (1, 2));

        opener.used.count((1 << 30) - 100);
        stream.clear();
        sealer.seal([[7; 100].as_slice()], &mut stream).unwrap();
        assert_eq!(open_all(&mut opener, &stream).unwrap().0.len(), 1);
        stream.clear();
        sealer.seal([b"x".as_slice()], &mut stream).unwrap();
        assert!(matches!(open_all(&mut opener, &stream), Err(ChannelError::NoKeyUpdate)));
    }

    #[test]
    fn a_peer_that_never_changes_its_key_is_refused_at_the_hard_limit() {
        let (mut sealer, mut opener) = pair();
        sealer.limit(NEVER);
        opener.limit(KeyLimits { frames: 5, ..NEVER });
        let mut stream = Vec::new();
        for _ in 0..5 {
            sealer.seal([b"x".as_slice()], &mut stream).unwrap();
        }
        assert_eq!(open_all(&mut opener, &stream).unwrap().0.len(), 5);
        stream.clear();
        sealer.seal([b"x".as_slice()], &mut stream).unwrap();
        assert!(matches!(open_all(&mut opener, &stream), Err(ChannelError::NoKeyUpdate)));
    }

    #[test]
    fn when_the_nonces_are_used_up_nothing_is_sealed_or_opened_with_this_key_or_a_next_one() {
        for limits in [NEVER, KeyLimits { frames: 1, ..NEVER }] {
            let cipher = || CipherState::used(&[1; 32], u64::MAX - 1);
            let (mut sealer, mut opener) = (Sealer::new(cipher()), Opener::new(cipher()));
            sealer.limit(limits);
            let mut last = Vec::new();
            sealer.seal([b"last".as_slice()], &mut last).unwrap();
            let mut out = b"before".to_vec();
            for _ in 0..2 {
                let refused = sealer.seal([b"more".as_slice()], &mut out);
                assert!(matches!(refused, Err(ChannelError::KeyUsedUp)));
                assert!(matches!(sealer.goodbye(&mut out), Err(ChannelError::KeyUsedUp)));
                assert_eq!(out, b"before");
            }
            assert_eq!(open_all(&mut opener, &last).unwrap().0, [b"last"]);
            assert!(matches!(open_all(&mut opener, &last), Err(ChannelError::KeyUsedUp)));
        }
    }

    #[test]
    fn a_key_update_that_takes_the_last_nonce_is_taken_back() {
        let mut sealer = Sealer::new(CipherState::used(&[1; 32], u64::MAX - 1));
        sealer.limit(KeyLimits { frames: 0, ..NEVER });
        let mut out = b"before".to_vec();
        assert!(matches!(sealer.seal([b"more".as_slice()], &mut out), Err(ChannelError::KeyUsedUp)));
        assert!(matches!(sealer.goodbye(&mut out), Err(ChannelError::KeyUsedUp)));
        assert_eq!(out, b"before");
    }
}
