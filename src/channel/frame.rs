//! A frame: the length of a Noise message (`u16`, big-endian), then the message. The length can't tell of more than
//! 65,535 bytes, so no peer can make us hold more than that, and memory is taken for bytes that came, not for bytes
//! that were announced.

use std::io::{self, Read};

use zeroize::Zeroize;

use super::error::ChannelError;

/// The longest Noise message (Noise section 3).
pub const FRAME_BYTES_MAX: usize = 65_535;

const HEADER_BYTES: usize = 2;

/// What is read from a socket at once; it lies on the stack of the thread that reads.
const CHUNK_BYTES: usize = 8 * 1024;

/// A buffer that has grown past this is given back when it is empty, so that an idle connection holds none.
const KEEP_BYTES: usize = 4 * 1024;

/// Appends a frame to `out` whose content `write` appends. After an error `out` is as it was before.
pub fn write_frame(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), ChannelError>,
) -> Result<(), ChannelError> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    let written = write(out).and_then(|()| {
        let length = out.len() - start - HEADER_BYTES;
        u16::try_from(length).map_err(|_| ChannelError::BadLength)
    });
    match written {
        Ok(length) => {
            let header = out.iter_mut().skip(start);
            header.zip(length.to_be_bytes()).for_each(|(to, from)| *to = from);
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

/// Cuts a stream of bytes into frames. Holds at most one unfinished frame and one chunk of what follows. A frame that was
/// handed out is opened in its place, and may have been a password: it is wiped with the next call.
#[derive(Default)]
pub struct FrameReader {
    /// `buffer[taken..]` has not been handed out yet.
    buffer: Vec<u8>,
    taken: usize,
    /// Before this there are only zeros.
    wiped: usize,
}

impl FrameReader {
    /// Adds bytes as they came. Take the frames out before adding more.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.wipe_taken();
        if self.taken > 0 {
            self.buffer.drain(..self.taken);
            (self.taken, self.wiped) = (0, 0);
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Reads once from `source`, up to 8 KiB. Gives the number of bytes; 0 is the end of the stream.
    pub fn feed_from(&mut self, source: &mut impl Read) -> io::Result<usize> {
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            match source.read(&mut chunk) {
                Ok(count) => {
                    self.feed(chunk.get(..count).unwrap_or_default());
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The content of the next whole frame, 0 to 65,535 bytes, or `None` when more must be fed first.
    pub fn next_frame(&mut self) -> Option<&mut [u8]> {
        self.wipe_taken();
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        let whole = rest.split_first_chunk().and_then(|(header, rest)| {
            let length = usize::from(u16::from_be_bytes(*header));
            (rest.len() >= length).then_some(length)
        });
        let Some(length) = whole else {
            self.give_back();
            return None;
        };
        let from = self.taken + HEADER_BYTES;
        self.taken = from + length;
        self.buffer.get_mut(from..self.taken)
    }

    /// Whether an unfinished frame is held: an end of the stream now cuts it.
    pub fn is_in_a_frame(&self) -> bool {
        self.taken < self.buffer.len()
    }

    fn wipe_taken(&mut self) {
        self.buffer.get_mut(self.wiped..self.taken).unwrap_or_default().zeroize();
        self.wiped = self.taken;
    }

    fn give_back(&mut self) {
        if !self.is_in_a_frame() {
            (self.taken, self.wiped) = (0, 0);
            self.buffer.clear();
            if self.buffer.capacity() > KEEP_BYTES {
                self.buffer = Vec::new();
            }
        }
    }
}

impl Drop for FrameReader {
    fn drop(&mut self) {
        self.wipe_taken();
    }
}

secret!(FrameReader);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_announced_length_takes_no_memory() {
        let mut frames = FrameReader::default();
        frames.feed(&[0xff, 0xff]);
        assert!(frames.next_frame().is_none());
        assert!(frames.buffer.capacity() < 100);
    }

    #[test]
    fn an_idle_reader_holds_no_large_buffer() {
        let mut frames = FrameReader::default();
        let mut stream = Vec::new();
        write_frame(&mut stream, |out| {
            out.extend(vec![7; 60_000]);
            Ok(())
        })
        .unwrap();
        frames.feed(&stream);
        assert_eq!(frames.next_frame().unwrap().len(), 60_000);
        assert!(frames.next_frame().is_none());
        assert_eq!(frames.buffer.capacity(), 0);
    }

    #[test]
    fn a_frame_that_was_handed_out_is_wiped_with_the_next_call() {
        let mut frames = FrameReader::default();
        let feed = |frames: &mut FrameReader, text: &[u8]| frames.feed(&[&[0, 6], text].concat());
        feed(&mut frames, b"secret");
        feed(&mut frames, b"second");
        assert_eq!(frames.next_frame().unwrap(), b"secret");
        assert_eq!(frames.next_frame().unwrap(), b"second");
        assert_eq!(frames.buffer[..8], [0; 8]);
        frames.feed(&[0]);
        assert_eq!(frames.buffer, [0]);
        frames.feed(&[3, 1, 2, 3]);
        frames.next_frame().unwrap();
        frames.wipe_taken(); // as when it is dropped
        assert_eq!(frames.buffer, [0; 5]);
    }

    #[test]
    fn a_frame_that_would_be_too_long_leaves_the_output_as_it_was() {
        let mut out = vec![1, 2, 3];
        let over = write_frame(&mut out, |out| {
            out.extend(vec![0; FRAME_BYTES_MAX + 1]);
            Ok(())
        });
        assert!(matches!(over, Err(ChannelError::BadLength)));
        assert_eq!(out, [1, 2, 3]);
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_the_stream_is_cut(
            contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..12),
            piece in 1_usize..40,
        ) {
            let mut stream = Vec::new();
            for content in &contents {
                write_frame(&mut stream, |out| { out.extend_from_slice(content); Ok(()) }).unwrap();
            }
            let mut frames = FrameReader::default();
            let mut read = Vec::new();
            for chunk in stream.chunks(piece) {
                frames.feed(chunk);
                while let Some(frame) = frames.next_frame() {
                    read.push(frame.to_vec());
                }
            }
            prop_assert_eq!(read, contents);
            prop_assert!(!frames.is_in_a_frame());
        }
    }
}
