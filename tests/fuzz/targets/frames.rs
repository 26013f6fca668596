//! The frame decoder and the opener behind it: whatever comes, and however it is cut, what opens is what the peer
//! sealed, in its order, with nothing left out; and what is refused does no harm.
//!
//! The first byte sets in how large pieces the rest comes.

use std::cell::Cell;
use std::sync::LazyLock;
use std::time::Duration;

use chat::channel::{FrameReader, KeyLimits, Opener, Record, Sealer, Suite};

use super::peers::{PAYLOADS, Peers};

/// The bytes of the length before each frame's content.
const HEADER_BYTES: usize = 2;

/// What the peer says before its goodbye. Every two frames it takes its next key.
const SAID: [&[u8]; 4] = [b"", b"hello", &[0x77; 100], b"bye"];

thread_local! {
    /// A server's opener that has opened nothing: a handshake for each input would take all the time.
    static UNUSED: Cell<Option<Opener>> = const { Cell::new(None) };
}

/// Whether the bytes are one or more frames, all genuine.
pub fn run(bytes: &[u8]) -> bool {
    let Some((&piece, stream)) = bytes.split_first() else { return false };
    let genuine = &*GENUINE;
    let mut opener = UNUSED.take().unwrap_or_else(|| session().1);
    let mut genuine_ones = 0;
    let mut frames = FrameReader::default();
    let mut came = Vec::new();
    for chunk in stream.chunks(usize::from(piece) + 1) {
        frames.feed(chunk);
        while let Some(frame) = frames.next_frame() {
            came.push(frame.to_vec());
            if opens(&mut opener, frame, genuine.get(genuine_ones)) {
                genuine_ones += 1;
            }
        }
    }
    let (whole, rest) = cut(stream);
    assert_eq!((came.as_slice(), frames.is_in_a_frame()), (whole.as_slice(), !rest.is_empty()));
    if genuine_ones == 0 {
        // Whatever was refused, it is good for the next input.
        UNUSED.set(Some(opener));
    } else if let Some(next) = genuine.get(genuine_ones) {
        assert!(opens(&mut opener, &mut next.0.clone(), Some(next)), "refused frames did harm");
    }
    genuine_ones > 0 && genuine_ones == came.len() && rest.is_empty()
}

/// A frame's content, and what is in it.
type Genuine = (Vec<u8>, Record<'static>);

/// Everything that the client seals in its session.
static GENUINE: LazyLock<Vec<Genuine>> = LazyLock::new(|| {
    let mut sealer = session().0;
    let mut records = Vec::new();
    let mut stream = Vec::new();
    for record in SAID.map(Record::Messages).into_iter().chain([Record::Goodbye]) {
        let keys = sealer.keys();
        match record {
            Record::Messages(content) => sealer.seal([content], &mut stream).unwrap(),
            _ => sealer.goodbye(&mut stream).unwrap(),
        }
        if sealer.keys() > keys {
            records.push(Record::KeyUpdate);
        }
        records.push(record);
    }
    cut(&stream).0.into_iter().zip(records).collect()
});

/// The client's sealer and the server's opener of the session that is always the same.
fn session() -> (Sealer, Opener) {
    let peers = Peers::of(Suite::Classical);
    let (_, client) = peers.client_after_one().1.read_two(&peers.messages[1]).unwrap();
    let (three, mut client) = client.write_three(PAYLOADS[2]).unwrap();
    let (_, mut server) = peers.server_after_two().read_three(&three).unwrap();
    // An hour of fuzzing must not make a key too old.
    let never = KeyLimits { frames: u64::MAX, bytes: u64::MAX, age: Duration::MAX };
    client.sealer.limit(KeyLimits { frames: 2, ..never });
    server.opener.limit(never);
    (client.sealer, server.opener)
}

/// Whether the content is opened; it is if and only if it is the next genuine one.
fn opens(opener: &mut Opener, content: &mut [u8], next: Option<&Genuine>) -> bool {
    let sealed = content.to_vec();
    if let Ok(record) = opener.open(content) {
        let (content, what) = next.expect("more is opened than was sealed");
        assert_eq!((&sealed, &record), (content, what));
        true
    } else {
        assert!(next.is_none_or(|next| next.0 != sealed), "a genuine frame is refused");
        assert_eq!(content, sealed, "what is refused is not touched");
        false
    }
}

/// The contents of the frames in a stream and what is left of it, by the definition.
fn cut(mut stream: &[u8]) -> (Vec<Vec<u8>>, &[u8]) {
    let mut contents = Vec::new();
    while let [high, low, rest @ ..] = stream
        && let Some((content, _)) = rest.split_at_checked(usize::from(*high) << 8 | usize::from(*low))
    {
        contents.push(content.to_vec());
        stream = &stream[HEADER_BYTES + content.len()..];
    }
    (contents, stream)
}
