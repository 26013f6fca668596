//! Handshake messages that are changed, cut, extended, replayed, reflected or made of keys that are none.

use std::fmt;

use chat::channel::{ChannelError, Initiator, Responder, StaticKey};
use rand::rngs::SysRng;
use rand::{TryCryptoRng, TryRng};

use super::{Parties, flipped, true_hellos};

#[test]
fn both_ends_of_a_handshake_agree_and_know_each_other() {
    let parties = Parties::new();
    let (three, client, server) = parties.three();
    let (payload, server) = server.read_three(&three).unwrap();
    assert_eq!(payload, b"payload three");
    assert_eq!(client.handshake_hash, server.handshake_hash);
    assert_eq!(client.peer, parties.server.public());
    assert_eq!(server.peer, parties.client.public());
}

#[test]
fn two_handshakes_of_the_same_keys_have_different_hashes() {
    let parties = Parties::new();
    assert_ne!(parties.three().1.handshake_hash, parties.three().1.handshake_hash);
}

#[test]
fn neither_static_key_is_ever_in_clear() {
    let parties = Parties::new();
    let (one, client) = parties.one();
    let (two, _) = parties.two(&one);
    let (three, _) = client.read_two(&two).unwrap().1.write_three(&[]).unwrap();
    for message in [one, two, three] {
        for key in [parties.client.public(), parties.server.public()] {
            assert!(message.windows(32).all(|part| part != key.as_bytes()));
        }
    }
}

#[test]
fn no_bit_of_message_one_can_be_changed() {
    let parties = Parties::new();
    for bit in 0..parties.one().0.len() * 8 {
        let (one, client) = parties.one();
        let (two, _) = parties.two(&flipped(&one, bit));
        assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)), "bit {bit}");
    }
}

#[test]
fn no_bit_of_message_two_can_be_changed() {
    let parties = Parties::new();
    let (one, _) = parties.one();
    for bit in 0..parties.two(&one).0.len() * 8 {
        let (one, client) = parties.one();
        let (two, _) = parties.two(&one);
        assert!(matches!(client.read_two(&flipped(&two, bit)), Err(ChannelError::NotAuthentic)), "bit {bit}");
    }
}

#[test]
fn no_bit_of_message_three_can_be_changed() {
    let parties = Parties::new();
    for bit in 0..parties.three().0.len() * 8 {
        let (three, _, server) = parties.three();
        assert!(
            matches!(server.read_three(&flipped(&three, bit)), Err(ChannelError::NotAuthentic)),
            "bit {bit}"
        );
    }
}

#[test]
fn message_one_is_refused_at_every_shorter_length() {
    let parties = Parties::new();
    for length in 0..parties.one().0.len() {
        let (one, client) = parties.one();
        if length < 32 {
            let (client_hello, server_hello) = true_hellos();
            let server = Responder::new(&client_hello, server_hello, &parties.server).unwrap();
            assert!(matches!(server.read_one(&one[..length]), Err(ChannelError::BadLength)));
        } else {
            // What is cut is payload: the client notices.
            let (two, _) = parties.two(&one[..length]);
            assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)));
        }
    }
}

#[test]
fn message_two_is_refused_at_every_shorter_length() {
    let parties = Parties::new();
    let (one, _) = parties.one();
    for length in 0..parties.two(&one).0.len() {
        let (one, client) = parties.one();
        let (two, _) = parties.two(&one);
        assert!(is_cut(client.read_two(&two[..length]).err()), "{length} bytes");
    }
}

#[test]
fn message_three_is_refused_at_every_shorter_length() {
    let parties = Parties::new();
    for length in 0..parties.three().0.len() {
        let (three, _, server) = parties.three();
        assert!(is_cut(server.read_three(&three[..length]).err()), "{length} bytes");
    }
}

#[test]
fn bytes_after_a_message_are_refused() {
    let parties = Parties::new();
    let (one, client) = parties.one();
    let (two, _) = parties.two(&extended(&one));
    assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)));

    let (one, client) = parties.one();
    let (two, _) = parties.two(&one);
    assert!(matches!(client.read_two(&extended(&two)), Err(ChannelError::NotAuthentic)));

    let (three, _, server) = parties.three();
    assert!(matches!(server.read_three(&extended(&three)), Err(ChannelError::NotAuthentic)));
}

#[test]
fn a_replayed_message_one_gets_an_answer_that_the_replayer_cannot_use() {
    let parties = Parties::new();
    let (one, client) = parties.one();
    let (two, server) = parties.two(&one);
    let (three, _) = client.read_two(&two).unwrap().1.write_three(&[]).unwrap();
    server.read_three(&three).unwrap();

    let (_, server) = parties.two(&one);
    assert!(matches!(server.read_three(&three), Err(ChannelError::NotAuthentic)));
}

#[test]
fn a_message_two_of_another_handshake_is_refused() {
    let parties = Parties::new();
    let (one, _) = parties.one();
    let (two, _) = parties.two(&one);
    let (_, client) = parties.one();
    assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)));
}

#[test]
fn a_message_three_of_another_handshake_is_refused() {
    let parties = Parties::new();
    let (three, _, _) = parties.three();
    let (_, _, server) = parties.three();
    assert!(matches!(server.read_three(&three), Err(ChannelError::NotAuthentic)));
}

#[test]
fn a_message_that_comes_back_to_its_sender_is_refused() {
    let parties = Parties::new();
    let (one, client) = parties.one();
    assert!(matches!(client.read_two(&one), Err(ChannelError::BadLength | ChannelError::NotAuthentic)));

    let (one, _) = parties.one();
    let (two, server) = parties.two(&one);
    assert!(matches!(server.read_three(&two), Err(ChannelError::NotAuthentic)));
}

#[test]
fn a_man_in_the_middle_has_to_show_a_key_of_his_own() {
    let (parties, middle) = (Parties::new(), StaticKey::from_bytes(&[0x55; 32]));
    let (client_hello, server_hello) = true_hellos();
    let (one, client) = parties.one();
    let server = Responder::new(&client_hello, server_hello, &middle).unwrap();
    let (two, _) = server.read_one(&one).unwrap().1.write_two(&mut SysRng, &[]).unwrap();
    assert_eq!(client.read_two(&two).unwrap().1.server_key(), middle.public());
}

#[test]
fn an_ephemeral_key_of_low_order_is_refused_in_message_one() {
    for point in low_order_points() {
        let parties = Parties::new();
        let (client_hello, server_hello) = true_hellos();
        let server = Responder::new(&client_hello, server_hello, &parties.server).unwrap();
        let (_, server) = server.read_one(&point).unwrap();
        let answer = server.write_two(&mut SysRng, &[]);
        assert!(matches!(answer, Err(ChannelError::LowOrderPoint)), "{point:02x?}");
    }
}

#[test]
fn an_ephemeral_key_of_low_order_is_refused_in_message_two() {
    for point in low_order_points() {
        let parties = Parties::new();
        let (one, client) = parties.one();
        let (mut two, _) = parties.two(&one);
        two[..32].copy_from_slice(&point);
        assert!(matches!(client.read_two(&two), Err(ChannelError::LowOrderPoint)), "{point:02x?}");
    }
}

#[test]
fn without_random_bytes_no_message_is_written() {
    let parties = Parties::new();
    let (client_hello, server_hello) = true_hellos();
    let client = Initiator::new(&client_hello, server_hello, &parties.client).unwrap();
    assert!(matches!(client.write_one(&mut Dry, &[]), Err(ChannelError::NoEntropy)));

    let server = Responder::new(&client_hello, server_hello, &parties.server).unwrap();
    let (_, server) = server.read_one(&parties.one().0).unwrap();
    assert!(matches!(server.write_two(&mut Dry, &[]), Err(ChannelError::NoEntropy)));
}

fn extended(message: &[u8]) -> Vec<u8> {
    [message, &[0]].concat()
}

/// Which of the two it is depends on whether there is room for the tags.
fn is_cut(error: Option<ChannelError>) -> bool {
    matches!(error, Some(ChannelError::BadLength | ChannelError::NotAuthentic))
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

/// A source of randomness that has none.
struct Dry;

#[derive(Debug)]
struct IsDry;

impl fmt::Display for IsDry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are no random bytes")
    }
}

impl std::error::Error for IsDry {}

impl TryRng for Dry {
    type Error = IsDry;

    fn try_next_u32(&mut self) -> Result<u32, IsDry> {
        Err(IsDry)
    }

    fn try_next_u64(&mut self) -> Result<u64, IsDry> {
        Err(IsDry)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), IsDry> {
        Err(IsDry)
    }
}

impl TryCryptoRng for Dry {}
