//! Key updates: frames like others, which can't be changed, cut, replayed, reordered, left out or reflected; and the
//! limits at which they come or are missed.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use chat::channel::{
    ChannelError, Established, FrameReader, Incoming, KeyLimits, Opener, RECORD_BYTES_MAX, Record, Sealer,
};

use super::{HEADER_BYTES, Parties, TAG_BYTES, flips, opens, refuses, seal, sessions, stream_pair};

const NEVER: KeyLimits = KeyLimits { frames: u64::MAX, bytes: u64::MAX, age: Duration::MAX };
const EACH_FRAME: KeyLimits = KeyLimits { frames: 1, ..NEVER };

/// The bytes of a sealed key update: its type and the tag.
const UPDATE_BYTES: usize = 1 + TAG_BYTES;

#[test]
fn no_bit_of_a_key_update_can_be_changed() {
    for (mut client, mut server) in sessions() {
        let (update, next) = update_and_next(&mut client.sealer, &mut server.opener);
        for changed in flips(&update) {
            refuses(&mut server.opener, &changed);
        }
        updates(&mut server.opener, &update);
        opens(&mut server.opener, &next, b"next");
    }
}

#[test]
fn a_key_update_is_refused_at_every_other_length() {
    for (mut client, mut server) in sessions() {
        let (update, next) = update_and_next(&mut client.sealer, &mut server.opener);
        for length in 0..update.len() {
            refuses(&mut server.opener, &update[..length]);
        }
        for longer in [[update.as_slice(), &[0]].concat(), [update.as_slice(), &next].concat()] {
            refuses(&mut server.opener, &longer);
        }
        updates(&mut server.opener, &update);
        opens(&mut server.opener, &next, b"next");
    }
}

#[test]
fn a_replayed_key_update_is_refused() {
    for (mut client, mut server) in sessions() {
        let (update, next) = update_and_next(&mut client.sealer, &mut server.opener);
        updates(&mut server.opener, &update);
        refuses(&mut server.opener, &update);
        opens(&mut server.opener, &next, b"next");
        refuses(&mut server.opener, &update);
        let (later_update, later) = sealed_after_update(&mut client.sealer, b"later");
        refuses(&mut server.opener, &update);
        updates(&mut server.opener, &later_update);
        opens(&mut server.opener, &later, b"later");
    }
}

#[test]
fn a_key_update_that_comes_too_late_or_too_early_is_refused() {
    for (mut client, mut server) in sessions() {
        let (first_update, first) = update_and_next(&mut client.sealer, &mut server.opener);
        let (second_update, second) = sealed_after_update(&mut client.sealer, b"second");
        for too_early in [&first, &second_update, &second] {
            refuses(&mut server.opener, too_early);
        }
        updates(&mut server.opener, &first_update);
        for too_early in [&second_update, &second] {
            refuses(&mut server.opener, too_early);
        }
        opens(&mut server.opener, &first, b"next");
        refuses(&mut server.opener, &second);
        updates(&mut server.opener, &second_update);
        opens(&mut server.opener, &second, b"second");
    }
}

#[test]
fn a_key_update_that_was_taken_out_is_missed_at_the_next_frame() {
    for (mut client, mut server) in sessions() {
        let (taken_out, next) = update_and_next(&mut client.sealer, &mut server.opener);
        client.sealer.limit(NEVER);
        let later = seal(&mut client.sealer, b"later");
        for sealed in [&next, &later] {
            refuses(&mut server.opener, sealed);
        }
        updates(&mut server.opener, &taken_out);
        opens(&mut server.opener, &next, b"next");
        opens(&mut server.opener, &later, b"later");
    }
}

#[test]
fn a_key_update_of_the_other_direction_or_of_another_session_is_refused() {
    for parties in Parties::of_each_suite() {
        let ((mut client, mut server), (mut other, mut other_server)) =
            (parties.session(), parties.session());
        let (ours, next) = update_and_next(&mut client.sealer, &mut server.opener);
        let (foreign, _) = update_and_next(&mut other.sealer, &mut other_server.opener);
        let (reflected, answer) = update_and_next(&mut server.sealer, &mut client.opener);
        for false_update in [&foreign, &reflected] {
            refuses(&mut server.opener, false_update);
        }
        refuses(&mut client.opener, &ours);
        updates(&mut server.opener, &ours);
        opens(&mut server.opener, &next, b"next");
        updates(&mut client.opener, &reflected);
        opens(&mut client.opener, &answer, b"next");
    }
}

#[test]
fn a_key_update_of_one_direction_leaves_the_other_as_it_is() {
    for (mut client, mut server) in sessions() {
        client.sealer.limit(EACH_FRAME);
        for number in 0..20_u8 {
            let mut stream = Vec::new();
            client.sealer.seal([[number].as_slice()], &mut stream).unwrap();
            assert_eq!(contents(&mut server.opener, &stream).unwrap(), [[number]]);
            let answer = seal(&mut server.sealer, &[number]);
            opens(&mut client.opener, &answer, &[number]);
        }
        assert_eq!((client.sealer.keys(), server.sealer.keys()), (20, 1));
    }
}

/// Limits that one kind of use reaches first, and how many frames with this content a key may have sealed then.
fn each_limit_for(content: &[u8]) -> [(KeyLimits, u64); 4] {
    let sealed_bytes = u64::try_from(1 + content.len() + TAG_BYTES).unwrap();
    [
        (KeyLimits { frames: 3, ..NEVER }, 3),
        (KeyLimits { bytes: 3 * sealed_bytes, ..NEVER }, 3),
        (KeyLimits { bytes: 2 * sealed_bytes + 1, ..NEVER }, 3),
        (KeyLimits { age: Duration::ZERO, ..NEVER }, 0),
    ]
}

#[test]
fn each_limit_of_a_sender_is_held_before_the_next_frame() {
    let content = [7; 100];
    for (limits, frames_for_each_key) in each_limit_for(&content) {
        for (mut client, mut server) in sessions() {
            client.sealer.limit(limits);
            for number in 0..20_u64 {
                let mut stream = Vec::new();
                client.sealer.seal([content.as_slice()], &mut stream).unwrap();
                let updates = number.checked_div(frames_for_each_key).unwrap_or(number + 1);
                assert_eq!(client.sealer.keys(), 1 + updates, "{limits:?}");
                assert_eq!(contents(&mut server.opener, &stream).unwrap(), [content]);
            }
        }
    }
}

#[test]
fn past_each_hard_limit_nothing_but_a_key_update_is_opened() {
    let content = [7; 100];
    for (limits, frames_for_each_key) in each_limit_for(&content) {
        for (mut client, mut server) in sessions() {
            server.opener.limit(limits);
            client.sealer.limit(NEVER);
            for _ in 0..frames_for_each_key {
                opens(&mut server.opener, &seal(&mut client.sealer, &content), &content);
            }
            for _ in 0..2 {
                let refused = server.opener.open(&mut seal(&mut client.sealer, &content)).err();
                assert!(matches!(refused, Some(ChannelError::NoKeyUpdate)), "{limits:?}");
            }
            let mut goodbye = Vec::new();
            client.sealer.goodbye(&mut goodbye).unwrap();
            let refused = server.opener.open(&mut goodbye[HEADER_BYTES..]).err();
            assert!(matches!(refused, Some(ChannelError::NoKeyUpdate)), "{limits:?}");

            client.sealer.limit(EACH_FRAME);
            let (update, next) = sealed_after_update(&mut client.sealer, b"next");
            updates(&mut server.opener, &update);
            if frames_for_each_key > 0 {
                opens(&mut server.opener, &next, b"next");
            }
        }
    }
}

#[test]
fn without_other_limits_the_key_changes_after_65536_frames_and_must_have_after_262144() {
    for (mut client, mut server) in sessions() {
        let mut frame = Vec::new();
        for _ in 0..1 << 16 {
            frame.clear();
            client.sealer.seal([], &mut frame).unwrap();
        }
        assert_eq!(client.sealer.keys(), 1);
        client.sealer.seal([], &mut frame).unwrap();
        assert_eq!(client.sealer.keys(), 2);

        server.sealer.limit(NEVER);
        for _ in 0..1 << 18 {
            frame.clear();
            server.sealer.seal([], &mut frame).unwrap();
            client.opener.open(&mut frame[HEADER_BYTES..]).unwrap();
        }
        let refused = client.opener.open(&mut seal(&mut server.sealer, b"")).err();
        assert!(matches!(refused, Some(ChannelError::NoKeyUpdate)));
    }
}

#[test]
fn a_record_that_is_too_long_costs_no_key_update() {
    for (mut client, mut server) in sessions() {
        client.sealer.limit(EACH_FRAME);
        opens(&mut server.opener, &seal(&mut client.sealer, b"first"), b"first");
        let mut out = b"before".to_vec();
        let refused = client.sealer.seal([vec![7; RECORD_BYTES_MAX].as_slice(), &[7]], &mut out);
        assert!(matches!(refused, Err(ChannelError::BadLength)));
        assert_eq!((out.as_slice(), client.sealer.keys()), (b"before".as_slice(), 1));
        let (update, next) = sealed_after_update(&mut client.sealer, b"next");
        updates(&mut server.opener, &update);
        opens(&mut server.opener, &next, b"next");
    }
}

#[test]
fn a_goodbye_comes_after_the_key_update_that_is_due() {
    for (mut client, mut server) in sessions() {
        client.sealer.limit(EACH_FRAME);
        server.opener.limit(EACH_FRAME);
        let mut stream = Vec::new();
        client.sealer.seal([b"last words".as_slice()], &mut stream).unwrap();
        client.sealer.goodbye(&mut stream).unwrap();
        assert_eq!(contents(&mut server.opener, &stream).unwrap(), [b"last words"]);
        assert_eq!(client.sealer.keys(), 2);
    }
}

#[test]
fn a_long_session_changes_its_keys_many_times_both_ways_under_load() {
    for (soft, hard) in [
        (KeyLimits { frames: 16, ..NEVER }, KeyLimits { frames: 4 * 16, ..NEVER }),
        (KeyLimits { bytes: 20_000, ..NEVER }, KeyLimits { bytes: 4 * 20_000, ..NEVER }),
        // How long a loaded host takes between two frames is not known.
        (KeyLimits { age: Duration::from_millis(1), ..NEVER }, KeyLimits::HARD),
    ] {
        for (client, server) in sessions() {
            let (near, far) = stream_pair();
            let [mut client, mut server] = [client, server].map(|mut transport| {
                transport.sealer.limit(soft);
                transport.opener.limit(hard);
                Established::from(transport)
            });
            let [from_client, at_server, from_server, at_client] = thread::scope(|scope| {
                [
                    scope.spawn(|| speak(&mut client.sealer, &near)),
                    scope.spawn(|| listen(&mut server.incoming, &far)),
                    scope.spawn(|| speak(&mut server.sealer, &far)),
                    scope.spawn(|| listen(&mut client.incoming, &near)),
                ]
                .map(|thread| thread.join().unwrap())
            });
            assert!(from_client.updates >= 50 && from_server.updates >= 50, "{soft:?}");
            assert_eq!((at_server, at_client), (from_client, from_server));
        }
    }
}

/// What went one way.
#[derive(Debug, PartialEq, Eq)]
struct Traffic {
    records: u32,
    updates: u64,
}

/// Sends numbered records of many lengths until there were enough of them and of keys, then a goodbye.
fn speak(sealer: &mut Sealer, mut stream: &UnixStream) -> Traffic {
    let (mut records, mut out) = (0_u32, Vec::new());
    while records < 2_000 || sealer.keys() <= 50 {
        out.clear();
        for _ in 0..=records % 3 {
            let length = usize::try_from(records % 700).unwrap();
            sealer.seal([records.to_be_bytes().as_slice(), &vec![7; length]], &mut out).unwrap();
            records += 1;
        }
        stream.write_all(&out).unwrap();
    }
    out.clear();
    sealer.goodbye(&mut out).unwrap();
    stream.write_all(&out).unwrap();
    Traffic { records, updates: sealer.keys() - 1 }
}

/// Reads until the goodbye; every record is the next one, whole.
fn listen(incoming: &mut Incoming, mut stream: &UnixStream) -> Traffic {
    let mut heard = Traffic { records: 0, updates: 0 };
    loop {
        match incoming.next_record().unwrap() {
            Some(Record::Messages(content)) => {
                let (number, rest) = content.split_first_chunk().unwrap();
                assert_eq!(u32::from_be_bytes(*number), heard.records);
                assert_eq!(rest.len(), usize::try_from(heard.records % 700).unwrap());
                heard.records += 1;
            }
            Some(Record::KeyUpdate) => heard.updates += 1,
            Some(Record::Goodbye) => return heard,
            None => incoming.feed_from(&mut stream).unwrap(),
        }
    }
}

/// A key update and the record after it, sealed by a sealer that updates before each but the first.
fn update_and_next(sealer: &mut Sealer, opener: &mut Opener) -> (Vec<u8>, Vec<u8>) {
    sealer.limit(EACH_FRAME);
    opens(opener, &seal(sealer, b"first"), b"first");
    sealed_after_update(sealer, b"next")
}

/// The two Noise messages that a record becomes when its sealer has to update its key.
fn sealed_after_update(sealer: &mut Sealer, content: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut stream = Vec::new();
    sealer.seal([content], &mut stream).unwrap();
    let (update, record) = stream.split_at(HEADER_BYTES + UPDATE_BYTES);
    (update[HEADER_BYTES..].to_vec(), record[HEADER_BYTES..].to_vec())
}

fn updates(opener: &mut Opener, update: &[u8]) {
    assert_eq!(opener.open(&mut update.to_vec()).unwrap(), Record::KeyUpdate);
}

/// What the messages in these frames hold.
fn contents(opener: &mut Opener, stream: &[u8]) -> Result<Vec<Vec<u8>>, ChannelError> {
    let (mut frames, mut contents) = (FrameReader::default(), Vec::new());
    frames.feed(stream);
    while let Some(frame) = frames.next_frame() {
        if let Record::Messages(content) = opener.open(frame)? {
            contents.push(content.to_vec());
        }
    }
    Ok(contents)
}
