//! Sealed frames that are changed, cut, extended, replayed, reordered, reflected or invented. Each of them is refused,
//! and the opener still opens the right one afterwards.

use chat::channel::{ChannelError, FRAME_BYTES_MAX, FrameReader, RECORD_BYTES_MAX, Record, write_frame};

use rand::TryRng;
use rand::rngs::SysRng;

use super::{HEADER_BYTES, Parties, TAG_BYTES, flips, opens, refuses, seal, sessions};

#[test]
fn no_bit_of_a_sealed_content_can_be_changed() {
    for (mut client, mut server) in sessions() {
        for content in [b"".as_slice(), b"forty bytes that nobody may change ......"] {
            let sealed = seal(&mut client.sealer, content);
            for changed in flips(&sealed) {
                refuses(&mut server.opener, &changed);
            }
            opens(&mut server.opener, &sealed, content);
        }
    }
}

#[test]
fn a_refused_frame_is_not_decrypted() {
    for (mut client, mut server) in sessions() {
        let mut sealed = seal(&mut client.sealer, b"secret until it is known to be authentic");
        *sealed.last_mut().unwrap() ^= 1;
        let before = sealed.clone();
        assert!(server.opener.open(&mut sealed).is_err());
        assert_eq!(sealed, before);
    }
}

#[test]
fn no_bit_of_a_frames_length_can_be_changed() {
    for (mut client, mut server) in sessions() {
        let (mut frame, mut next) = (Vec::new(), Vec::new());
        client.sealer.seal([b"first".as_slice()], &mut frame).unwrap();
        client.sealer.seal([b"second".as_slice()], &mut next).unwrap();
        // So much follows that every length finds its bytes.
        let rest = [next.as_slice(), &noise(FRAME_BYTES_MAX)].concat();

        for header in flips(&frame[..HEADER_BYTES]) {
            let mut frames = FrameReader::default();
            frames.feed(&[&header, &frame[HEADER_BYTES..], &rest].concat());
            refuses(&mut server.opener, frames.next_frame().unwrap());
        }
        opens(&mut server.opener, &frame[HEADER_BYTES..], b"first");
        opens(&mut server.opener, &next[HEADER_BYTES..], b"second");
    }
}

#[test]
fn a_sealed_content_is_refused_at_every_shorter_length() {
    for (mut client, mut server) in sessions() {
        let sealed = seal(&mut client.sealer, b"a content that is cut");
        for length in 0..sealed.len() {
            let error = server.opener.open(&mut sealed[..length].to_vec()).unwrap_err();
            if length < TAG_BYTES {
                assert!(matches!(error, ChannelError::BadLength), "{length} bytes");
            } else {
                assert!(matches!(error, ChannelError::NotAuthentic), "{length} bytes");
            }
        }
        opens(&mut server.opener, &sealed, b"a content that is cut");
    }
}

#[test]
fn a_sealed_content_that_lost_its_beginning_is_refused() {
    for (mut client, mut server) in sessions() {
        let sealed = seal(&mut client.sealer, b"a content that is cut");
        for start in 1..sealed.len() - TAG_BYTES {
            refuses(&mut server.opener, &sealed[start..]);
        }
        opens(&mut server.opener, &sealed, b"a content that is cut");
    }
}

#[test]
fn bytes_before_or_after_a_sealed_content_are_refused() {
    for (mut client, mut server) in sessions() {
        let (first, second) = (seal(&mut client.sealer, b"first"), seal(&mut client.sealer, b"second"));
        for extended in [
            [first.as_slice(), &[0]].concat(),
            [&[0], first.as_slice()].concat(),
            [first.as_slice(), &second].concat(),
            [first.as_slice(), &first].concat(),
        ] {
            refuses(&mut server.opener, &extended);
        }
        opens(&mut server.opener, &first, b"first");
        opens(&mut server.opener, &second, b"second");
    }
}

#[test]
fn a_replayed_frame_is_refused() {
    for (mut client, mut server) in sessions() {
        let (first, second) = (seal(&mut client.sealer, b"first"), seal(&mut client.sealer, b"second"));
        opens(&mut server.opener, &first, b"first");
        refuses(&mut server.opener, &first);
        opens(&mut server.opener, &second, b"second");
        refuses(&mut server.opener, &first);
        refuses(&mut server.opener, &second);
    }
}

#[test]
fn frames_in_another_order_are_refused() {
    for (mut client, mut server) in sessions() {
        let sealed: Vec<_> = (0..4_u8).map(|number| seal(&mut client.sealer, &[number])).collect();
        for due in 0..sealed.len() {
            for (place, other) in sealed.iter().enumerate() {
                if place != due {
                    refuses(&mut server.opener, other);
                }
            }
            opens(&mut server.opener, &sealed[due], &[u8::try_from(due).unwrap()]);
        }
    }
}

#[test]
fn a_frame_that_was_taken_out_is_missed_at_the_next_one() {
    for (mut client, mut server) in sessions() {
        let (taken_out, next) = (seal(&mut client.sealer, b"taken out"), seal(&mut client.sealer, b"next"));
        refuses(&mut server.opener, &next);
        opens(&mut server.opener, &taken_out, b"taken out");
    }
}

#[test]
fn a_frame_that_comes_back_to_its_sender_is_refused() {
    for (mut client, mut server) in sessions() {
        let (to_server, to_client) = (seal(&mut client.sealer, b"ping"), seal(&mut server.sealer, b"pong"));
        refuses(&mut client.opener, &to_server);
        refuses(&mut server.opener, &to_client);
        opens(&mut server.opener, &to_server, b"ping");
        opens(&mut client.opener, &to_client, b"pong");
    }
}

#[test]
fn the_same_text_is_never_sealed_to_the_same_bytes() {
    for (mut client, mut server) in sessions() {
        let (mut other, _) = Parties::of(client.suite).session();
        let sealed = [&mut client.sealer, &mut server.sealer, &mut other.sealer]
            .map(|sealer| [seal(sealer, b"same"), seal(sealer, b"same")]);
        let mut all: Vec<_> = sealed.into_iter().flatten().collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 6);
    }
}

#[test]
fn a_frame_of_another_session_of_the_same_two_is_refused() {
    for parties in Parties::of_each_suite() {
        let ((mut client, mut server), (mut other, _)) = (parties.session(), parties.session());
        let (sealed, foreign) = (seal(&mut client.sealer, b"ours"), seal(&mut other.sealer, b"ours"));
        refuses(&mut server.opener, &foreign);
        opens(&mut server.opener, &sealed, b"ours");
    }
}

#[test]
fn a_frame_of_no_bytes_is_refused() {
    for (mut client, mut server) in sessions() {
        let mut frames = FrameReader::default();
        frames.feed(&[0, 0]);
        let error = server.opener.open(frames.next_frame().unwrap()).unwrap_err();
        assert!(matches!(error, ChannelError::BadLength));
        opens(&mut server.opener, &seal(&mut client.sealer, b"next"), b"next");
    }
}

#[test]
fn the_longest_frame_full_of_noise_is_refused() {
    for (mut client, mut server) in sessions() {
        let sealed = seal(&mut client.sealer, b"right");
        let mut stream = Vec::new();
        write_frame(&mut stream, |out| {
            out.extend(noise(FRAME_BYTES_MAX));
            Ok(())
        })
        .unwrap();
        let mut frames = FrameReader::default();
        frames.feed(&stream);
        let frame = frames.next_frame().unwrap();
        assert_eq!(frame.len(), FRAME_BYTES_MAX);
        refuses(&mut server.opener, frame);
        opens(&mut server.opener, &sealed, b"right");
    }
}

#[test]
fn the_longest_record_fits_and_one_byte_more_is_refused_at_no_cost() {
    for (mut client, mut server) in sessions() {
        let longest = noise(RECORD_BYTES_MAX);
        let mut out = b"before".to_vec();
        let over = client.sealer.seal([longest.as_slice(), &[0]], &mut out);
        assert!(matches!(over, Err(ChannelError::BadLength)));
        assert_eq!(out, b"before");

        let sealed = seal(&mut client.sealer, &longest);
        assert_eq!(sealed.len(), FRAME_BYTES_MAX);
        opens(&mut server.opener, &sealed, &longest);
    }
}

#[test]
fn a_goodbye_cannot_be_made_of_another_frame_nor_be_replayed() {
    for (mut client, mut server) in sessions() {
        let mut goodbye = Vec::new();
        client.sealer.goodbye(&mut goodbye).unwrap();
        let goodbye = &goodbye[HEADER_BYTES..];
        for changed in flips(goodbye) {
            refuses(&mut server.opener, &changed);
        }
        assert_eq!(server.opener.open(&mut goodbye.to_vec()).unwrap(), Record::Goodbye);
        refuses(&mut server.opener, goodbye);
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SysRng.try_fill_bytes(&mut bytes).unwrap();
    bytes
}
