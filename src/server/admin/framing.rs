//! How a request and its answer stand in the stream of the control socket: the server's greeting, one byte, by which
//! `chat admin` knows that it is being listened to; then a length (`u32`, big-endian) and as many bytes of CBOR, each way.

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

/// The server listens. Nothing that was asked before it was sent has been read.
pub(super) const GREETING: u8 = 1;

/// The longest request, in bytes. The longest arguments that make sense have some hundred.
pub(super) const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// The longest answer, in bytes: a hundred thousand lines of ordinary length.
pub(super) const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The bytes of a length.
const LENGTH_BYTES: usize = 4;

/// What came is no frame. Nothing more is read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FramingError {
    /// The announced length is above the bound.
    #[error("{0} bytes are announced, which is more than there may be")]
    TooLong(usize),
    /// The content is not what it should be.
    #[error("it is not what this version of chat expects")]
    Malformed,
}

/// A message with its length before it. It is wiped when dropped, for it may hold a secret.
pub(super) fn frame(message: &impl Encode<()>, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, FramingError> {
    let mut framed = Zeroizing::new(vec![0; LENGTH_BYTES]);
    minicbor::encode(message, &mut *framed).map_err(|_| FramingError::Malformed)?;
    let length = framed.len().saturating_sub(LENGTH_BYTES);
    let announced = u32::try_from(length).ok().filter(|_| length <= bytes_max);
    let announced = announced.ok_or(FramingError::TooLong(length))?.to_be_bytes();
    framed.iter_mut().zip(announced).for_each(|(to, from)| *to = from);
    Ok(framed)
}

/// The message at the beginning of what has come, if it is complete. A length above the bound is refused before its
/// bytes have come.
pub(super) fn unframe<M: for<'b> Decode<'b, ()>>(
    arrived: &[u8],
    bytes_max: usize,
) -> Result<Option<M>, FramingError> {
    let Some((length, content)) = arrived.split_first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > bytes_max {
        return Err(FramingError::TooLong(length));
    }
    let content = content.get(..length);
    content.map(|content| minicbor::decode(content).map_err(|_| FramingError::Malformed)).transpose()
}

#[cfg(test)]
mod tests {
    use super::super::request::WireAnswer;
    use super::*;

    #[test]
    fn a_message_is_read_when_all_of_it_has_come() {
        let answer = WireAnswer::Done { lines: vec!["one".into(), "two".into()] };
        let framed = frame(&answer, 100).unwrap();
        for length in 0..framed.len() {
            assert!(unframe::<WireAnswer>(&framed[..length], 100).unwrap().is_none());
        }
        let read = unframe::<WireAnswer>(&framed, 100).unwrap();
        assert!(matches!(read, Some(WireAnswer::Done { lines }) if lines == ["one", "two"]));
    }

    #[test]
    fn what_is_too_long_or_no_message_is_refused_on_both_sides() {
        let long = WireAnswer::Refused { text: "x".repeat(200) };
        assert_eq!(frame(&long, 100).err(), Some(FramingError::TooLong(206)));
        let read = |bytes: &[u8]| unframe::<WireAnswer>(bytes, 100).err();
        assert_eq!(read(&[0xff; 4]), Some(FramingError::TooLong(u32::MAX as usize)));
        assert_eq!(read(&[0, 0, 0, 101]), Some(FramingError::TooLong(101)));
        for content in [b"\x00".as_slice(), b"", b"\xff", b"\x82\x09\xa0", b"\x82\x00\xa1\x00\x9b\x7f"] {
            let framed = [&u32::try_from(content.len()).unwrap().to_be_bytes(), content].concat();
            assert_eq!(read(&framed), Some(FramingError::Malformed), "{content:?}");
        }
    }
}
