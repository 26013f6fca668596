//! Handshake messages that are changed, cut, extended, replayed, reflected or made of keys that are none.

use std::fmt;
use std::ops::Range;

use chat::channel::{ChannelError, StaticKey, Suite};
use rand::rngs::SysRng;
use rand::{TryCryptoRng, TryRng};

use super::{KEM_CIPHERTEXT_BYTES, KEM_KEY_BYTES, KEY_BYTES, Parties, flipped};

#[test]
fn both_ends_of_a_handshake_agree_and_know_each_other() {
    for parties in Parties::of_each_suite() {
        let (three, client, server) = parties.three();
        let (payload, server) = server.read_three(&three).unwrap();
        assert_eq!(payload, b"payload three");
        assert_eq!(client.handshake_hash, server.handshake_hash);
        assert_eq!((client.suite, server.suite), (parties.suite, parties.suite));
        assert_eq!(client.peer, parties.server.public());
        assert_eq!(server.peer, parties.client.public());
    }
}

#[test]
fn the_messages_have_the_sizes_of_the_protocol() {
    for parties in Parties::of_each_suite() {
        let (one, client) = parties.initiator().write_one(&mut SysRng, &[]).unwrap();
        let (_, server) = parties.responder().read_one(&one).unwrap();
        let (two, _) = server.write_two(&mut SysRng, &[]).unwrap();
        let (three, _) = client.read_two(&two).unwrap().1.write_three(&[]).unwrap();
        assert_eq!([one.len(), two.len(), three.len()], parties.sizes());
    }
}

#[test]
fn two_handshakes_of_the_same_keys_have_different_hashes() {
    for parties in Parties::of_each_suite() {
        assert_ne!(parties.three().1.handshake_hash, parties.three().1.handshake_hash);
    }
}

#[test]
fn neither_static_key_is_ever_in_clear() {
    for parties in Parties::of_each_suite() {
        let (one, client) = parties.one();
        let (two, _) = parties.two(&one);
        let (three, _) = client.read_two(&two).unwrap().1.write_three(&[]).unwrap();
        for message in [one, two, three] {
            for key in [parties.client.public(), parties.server.public()] {
                assert!(message.windows(KEY_BYTES).all(|part| part != key.as_bytes()));
            }
        }
    }
}

#[test]
fn no_bit_of_message_one_can_be_changed() {
    for parties in Parties::of_each_suite() {
        for bit in 0..parties.one().0.len() * 8 {
            let (one, client) = parties.one();
            match parties.try_two(&flipped(&one, bit)) {
                Ok((two, _)) => {
                    assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)), "bit {bit}");
                }
                Err(error) => {
                    assert!(matches!(error, ChannelError::BadKemKey), "bit {bit}: {error}");
                    assert!(kem_key_of(&parties).contains(&(bit / 8)), "bit {bit}");
                }
            }
        }
    }
}

#[test]
fn no_bit_of_message_two_can_be_changed() {
    for parties in Parties::of_each_suite() {
        let (one, _) = parties.one();
        for bit in 0..parties.two(&one).0.len() * 8 {
            let (one, client) = parties.one();
            let (two, _) = parties.two(&one);
            let refused = client.read_two(&flipped(&two, bit));
            assert!(matches!(refused, Err(ChannelError::NotAuthentic)), "bit {bit}");
        }
    }
}

#[test]
fn no_bit_of_message_three_can_be_changed() {
    for parties in Parties::of_each_suite() {
        for bit in 0..parties.three().0.len() * 8 {
            let (three, _, server) = parties.three();
            let refused = server.read_three(&flipped(&three, bit));
            assert!(matches!(refused, Err(ChannelError::NotAuthentic)), "bit {bit}");
        }
    }
}

#[test]
fn message_one_is_refused_at_every_shorter_length() {
    for parties in Parties::of_each_suite() {
        for length in 0..parties.one().0.len() {
            let (one, client) = parties.one();
            if length < parties.sizes()[0] {
                let refused = parties.responder().read_one(&one[..length]);
                assert!(matches!(refused, Err(ChannelError::BadLength)), "{length} bytes");
            } else {
                // What is cut is payload: the client notices.
                let (two, _) = parties.two(&one[..length]);
                assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)), "{length} bytes");
            }
        }
    }
}

#[test]
fn message_two_is_refused_at_every_shorter_length() {
    for parties in Parties::of_each_suite() {
        let (one, _) = parties.one();
        for length in 0..parties.two(&one).0.len() {
            let (one, client) = parties.one();
            let (two, _) = parties.two(&one);
            assert!(is_cut(client.read_two(&two[..length]).err()), "{length} bytes");
        }
    }
}

#[test]
fn message_three_is_refused_at_every_shorter_length() {
    for parties in Parties::of_each_suite() {
        for length in 0..parties.three().0.len() {
            let (three, _, server) = parties.three();
            assert!(is_cut(server.read_three(&three[..length]).err()), "{length} bytes");
        }
    }
}

#[test]
fn bytes_after_a_message_are_refused() {
    for parties in Parties::of_each_suite() {
        let (one, client) = parties.one();
        let (two, _) = parties.two(&extended(&one));
        assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)));

        let (one, client) = parties.one();
        let (two, _) = parties.two(&one);
        assert!(matches!(client.read_two(&extended(&two)), Err(ChannelError::NotAuthentic)));

        let (three, _, server) = parties.three();
        assert!(matches!(server.read_three(&extended(&three)), Err(ChannelError::NotAuthentic)));
    }
}

#[test]
fn a_replayed_message_one_gets_an_answer_that_the_replayer_cannot_use() {
    for parties in Parties::of_each_suite() {
        let (one, client) = parties.one();
        let (two, server) = parties.two(&one);
        let (three, _) = client.read_two(&two).unwrap().1.write_three(&[]).unwrap();
        server.read_three(&three).unwrap();

        let (_, server) = parties.two(&one);
        assert!(matches!(server.read_three(&three), Err(ChannelError::NotAuthentic)));
    }
}

#[test]
fn a_message_two_of_another_handshake_is_refused() {
    for parties in Parties::of_each_suite() {
        let (one, _) = parties.one();
        let (two, _) = parties.two(&one);
        let (_, client) = parties.one();
        assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)));
    }
}

#[test]
fn a_message_three_of_another_handshake_is_refused() {
    for parties in Parties::of_each_suite() {
        let (three, _, _) = parties.three();
        let (_, _, server) = parties.three();
        assert!(matches!(server.read_three(&three), Err(ChannelError::NotAuthentic)));
    }
}

#[test]
fn messages_of_the_other_suite_are_refused() {
    let [hybrid, classical] = Parties::of_each_suite();
    for (ours, theirs) in [(&hybrid, &classical), (&classical, &hybrid)] {
        let (_, client) = ours.one();
        let (two, _) = theirs.two(&theirs.one().0);
        assert!(is_cut(client.read_two(&two).err()));
        let (_, _, server) = ours.three();
        assert!(matches!(server.read_three(&theirs.three().0), Err(ChannelError::NotAuthentic)));
    }
    let (one, _) = classical.one();
    assert!(matches!(hybrid.responder().read_one(&one), Err(ChannelError::BadLength)));
    // The other way round the encapsulation key is a payload, and the client notices.
    let (one, client) = hybrid.one();
    let (two, _) = classical.two(&one);
    assert!(is_cut(client.read_two(&two).err()));
}

#[test]
fn a_message_that_comes_back_to_its_sender_is_refused() {
    for parties in Parties::of_each_suite() {
        let (one, client) = parties.one();
        assert!(is_cut(client.read_two(&one).err()));

        let (one, _) = parties.one();
        let (two, server) = parties.two(&one);
        assert!(matches!(server.read_three(&two), Err(ChannelError::NotAuthentic)));
    }
}

#[test]
fn a_man_in_the_middle_has_to_show_a_key_of_his_own() {
    for parties in Parties::of_each_suite() {
        let middle = StaticKey::from_bytes(&[0x55; 32]);
        let (one, client) = parties.one();
        let (_, server) = parties.responder_with(&middle).read_one(&one).unwrap();
        let (two, _) = server.write_two(&mut SysRng, &[]).unwrap();
        assert_eq!(client.read_two(&two).unwrap().1.server_key(), middle.public());
    }
}

#[test]
fn an_ephemeral_key_of_low_order_is_refused_in_message_one() {
    for parties in Parties::of_each_suite() {
        for point in low_order_points() {
            let (mut one, _) = parties.one();
            one[..KEY_BYTES].copy_from_slice(&point);
            let answer = parties.try_two(&one);
            assert!(matches!(answer, Err(ChannelError::LowOrderPoint)), "{point:02x?}");
        }
    }
}

#[test]
fn an_ephemeral_key_of_low_order_is_refused_in_message_two() {
    for parties in Parties::of_each_suite() {
        for point in low_order_points() {
            let (one, client) = parties.one();
            let (mut two, _) = parties.two(&one);
            two[..KEY_BYTES].copy_from_slice(&point);
            assert!(matches!(client.read_two(&two), Err(ChannelError::LowOrderPoint)), "{point:02x?}");
        }
    }
}

#[test]
fn an_encapsulation_key_with_one_coefficient_past_the_modulus_is_refused() {
    /// The modulus of ML-KEM: a coefficient is less.
    const Q: u16 = 3329;
    let parties = Parties::of(Suite::Hybrid);
    for place in 0..COEFFICIENTS {
        for (coefficient, is_good) in [(Q - 1, true), (Q, false), (0xfff, false)] {
            let (sent, client) = parties.one();
            let mut one = sent.clone();
            set_coefficient(&mut one[kem_key_of(&parties)], place, coefficient);
            match parties.try_two(&one) {
                Err(error) => assert!(matches!(error, ChannelError::BadKemKey) && !is_good, "{place}"),
                // A key, although hardly ever the one that the client sent.
                Ok((two, _)) => {
                    assert!(is_good && client.read_two(&two).is_ok() == (one == sent), "{place}");
                }
            }
        }
    }
}

#[test]
fn an_encapsulation_key_of_another_client_does_not_make_a_handshake() {
    let parties = Parties::of(Suite::Hybrid);
    let ((mut one, client), (other, _)) = (parties.one(), parties.one());
    one[kem_key_of(&parties)].copy_from_slice(&other[kem_key_of(&parties)]);
    let (two, _) = parties.two(&one);
    assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)));
}

#[test]
fn a_ciphertext_of_another_answer_does_not_make_a_handshake() {
    let parties = Parties::of(Suite::Hybrid);
    let (one, client) = parties.one();
    let ((mut two, _), (other, _)) = (parties.two(&one), parties.two(&one));
    let ciphertext = KEY_BYTES..KEY_BYTES + KEM_CIPHERTEXT_BYTES;
    two[ciphertext.clone()].copy_from_slice(&other[ciphertext]);
    assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)));
}

#[test]
fn without_random_bytes_no_message_is_written() {
    for parties in Parties::of_each_suite() {
        // Each of a suite's keys needs bytes of its own: first X25519's, then those of ML-KEM.
        let draws = if parties.suite == Suite::Hybrid { 2 } else { 1 };
        for left in 0..=draws {
            let written = parties.initiator().write_one(&mut DriesUp { left }, &[]);
            assert_eq!(written.is_ok(), left == draws);
            assert!(matches!(written, Ok(_) | Err(ChannelError::NoEntropy)));

            let (_, server) = parties.responder().read_one(&parties.one().0).unwrap();
            let written = server.write_two(&mut DriesUp { left }, &[]);
            assert_eq!(written.is_ok(), left == draws);
            assert!(matches!(written, Ok(_) | Err(ChannelError::NoEntropy)));
        }
    }
}

fn extended(message: &[u8]) -> Vec<u8> {
    [message, &[0]].concat()
}

/// Which of the two it is depends on whether there is room for the tags.
fn is_cut(error: Option<ChannelError>) -> bool {
    matches!(error, Some(ChannelError::BadLength | ChannelError::NotAuthentic))
}

/// Where a message one has its encapsulation key.
fn kem_key_of(parties: &Parties) -> Range<usize> {
    match parties.suite {
        Suite::Hybrid => KEY_BYTES..KEY_BYTES + KEM_KEY_BYTES,
        Suite::Classical => 0..0,
    }
}

/// The coefficients of an encapsulation key, of 12 bits each; 32 bytes follow them.
const COEFFICIENTS: usize = 768;

/// Two coefficients are three bytes (FIPS 203, algorithm 5: the lowest bit first).
fn set_coefficient(key: &mut [u8], place: usize, coefficient: u16) {
    let [low, high] = coefficient.to_le_bytes();
    let pair = &mut key[place / 2 * 3..][..3];
    if place.is_multiple_of(2) {
        pair[0] = low;
        pair[1] = pair[1] & 0xf0 | high;
    } else {
        pair[1] = pair[1] & 0x0f | low << 4;
        pair[2] = low >> 4 | high << 4;
    }
}

/// Every encoding of a u-coordinate, on Curve25519 or on its twist, whose order divides 8, so that the shared secret
/// is zero whatever the other key is. With p = 2^255 - 19 these are 0, 1 and p - 1, the two of order 8, and p and
/// p + 1, which are 0 and 1 again; each of them with the highest bit clear and set, as RFC 7748 section 5 ignores it.
fn low_order_points() -> Vec<[u8; 32]> {
    let small = |number: u8| std::array::from_fn(|place| if place == 0 { number } else { 0 });
    let near_p = |lowest: u8| {
        std::array::from_fn(|place| match place {
            0 => lowest,
            31 => 0x7f,
            _ => 0xff,
        })
    };
    let mut points = vec![small(0), small(1), near_p(0xec), near_p(0xed), near_p(0xee)];
    points.extend(ORDER_EIGHT);
    let with_highest_bit = |mut point: [u8; 32]| {
        point[31] |= 0x80;
        point
    };
    points.iter().copied().chain(points.iter().copied().map(with_highest_bit)).collect()
}

/// The two u-coordinates, little-endian, that doubled twice are the point of order 2.
const ORDER_EIGHT: [[u8; 32]; 2] = [
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
];

/// A source of randomness that gives so many times, and then no more.
struct DriesUp {
    left: u32,
}

#[derive(Debug)]
struct IsDry;

impl fmt::Display for IsDry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are no random bytes")
    }
}

impl std::error::Error for IsDry {}

impl TryRng for DriesUp {
    type Error = IsDry;

    fn try_next_u32(&mut self) -> Result<u32, IsDry> {
        unreachable!("keys are made of bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, IsDry> {
        unreachable!("keys are made of bytes")
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), IsDry> {
        self.left = self.left.checked_sub(1).ok_or(IsDry)?;
        to.fill(7);
        Ok(())
    }
}

impl TryCryptoRng for DriesUp {}
