//! Hellos that are changed on the way. They are in clear, so a change may be understood at first; but both of them are
//! the prologue, so the handshake must not complete.

use chat::channel::{ChannelError, ClientHello, Initiator, Responder, ServerHello, StaticKey, Suite};
use rand::rngs::SysRng;

use super::{CLASSICAL_CLIENT_HELLO, CLASSICAL_SERVER_HELLO, CLIENT_HELLO, SERVER_HELLO, flips};

/// Offers of which more than one suite is unknown, so that there are changes that leave the choice as it is.
const LONG_CLIENT_HELLO: &[u8] = b"CHAT\x01\x05\x70\x02\x71\x01\x72";
const LONG_CLASSICAL_CLIENT_HELLO: &[u8] = b"CHAT\x01\x04\x70\x01\x71\x72";

const CLIENT_HELLOS: [&[u8]; 4] =
    [CLIENT_HELLO, LONG_CLIENT_HELLO, CLASSICAL_CLIENT_HELLO, LONG_CLASSICAL_CLIENT_HELLO];

#[test]
fn hellos_that_arrive_as_they_were_sent_lead_to_a_session() {
    for hello in CLIENT_HELLOS {
        try_handshake(hello, hello, |answer| answer).unwrap();
    }
}

#[test]
fn no_bit_of_a_clients_hello_can_be_changed() {
    for hello in CLIENT_HELLOS {
        for changed in flips(hello) {
            assert!(try_handshake(hello, &changed, |answer| answer).is_err(), "{changed:02x?}");
        }
    }
}

#[test]
fn no_bit_of_a_servers_hello_can_be_changed() {
    for (hello, answer) in
        [(LONG_CLIENT_HELLO, SERVER_HELLO), (LONG_CLASSICAL_CLIENT_HELLO, CLASSICAL_SERVER_HELLO)]
    {
        for changed in flips(answer) {
            let refused = try_handshake(hello, hello, |answered| {
                assert_eq!(answered, answer);
                changed.clone()
            });
            assert!(refused.is_err(), "{changed:02x?}");
        }
    }
}

#[test]
fn a_suite_that_was_taken_out_of_the_offer_breaks_the_handshake() {
    for (sent, arrived) in [
        (CLIENT_HELLO, b"CHAT\x01\x01\x01".as_slice()),
        (CLIENT_HELLO, b"CHAT\x01\x01\x02"),
        (b"CHAT\x01\x02\x70\x01", b"CHAT\x01\x01\x01"),
        (b"CHAT\x01\x02\x70\x02", b"CHAT\x01\x01\x02"),
    ] {
        let refused = try_handshake(sent, arrived, |answer| answer);
        assert!(matches!(refused, Err(ChannelError::NotAuthentic)), "{arrived:02x?}");
    }
}

#[test]
fn a_suite_that_was_put_into_the_offer_breaks_the_handshake() {
    for (sent, arrived) in [
        (b"CHAT\x01\x01\x01", b"CHAT\x01\x02\x70\x01".as_slice()),
        (b"CHAT\x01\x01\x02", b"CHAT\x01\x02\x70\x02"),
        (b"CHAT\x01\x01\x02", CLIENT_HELLO),
    ] {
        let refused = try_handshake(sent, arrived, |answer| answer);
        assert!(matches!(refused, Err(ChannelError::NotAuthentic)), "{arrived:02x?}");
    }
    // The server chooses what the client did not offer.
    let refused = try_handshake(CLASSICAL_CLIENT_HELLO, CLIENT_HELLO, |answer| answer);
    assert!(matches!(refused, Err(ChannelError::SuiteNotOffered)));
}

#[test]
fn the_order_of_the_offer_cannot_be_changed() {
    for (sent, arrived) in [
        (CLIENT_HELLO, b"CHAT\x01\x02\x01\x02"),
        (b"CHAT\x01\x02\x70\x01", b"CHAT\x01\x02\x01\x70"),
        (b"CHAT\x01\x02\x70\x02", b"CHAT\x01\x02\x02\x70"),
    ] {
        let refused = try_handshake(sent, arrived, |answer| answer);
        assert!(matches!(refused, Err(ChannelError::NotAuthentic)), "{arrived:02x?}");
    }
}

#[test]
fn a_hello_cannot_be_cut_or_extended() {
    for hello in CLIENT_HELLOS {
        for length in 0..hello.len() {
            assert!(client_hello(&hello[..length]).is_err());
        }
        let longer = [hello, b"\x01"].concat();
        assert!(matches!(client_hello(&longer), Err(ChannelError::BadLength)));
    }
}

/// A handshake in which the client said `sent`, the server read `arrived`, and what the server answered was put
/// through `on_the_way_back`.
fn try_handshake(
    sent: &[u8],
    arrived: &[u8],
    on_the_way_back: impl FnOnce(Vec<u8>) -> Vec<u8>,
) -> Result<(), ChannelError> {
    let (client_key, server_key) = (StaticKey::generate(&mut SysRng)?, StaticKey::generate(&mut SysRng)?);
    let (theirs, ours) = (client_hello(sent)?, client_hello(arrived)?);
    let answer = ServerHello::answering(&ours, &Suite::ALL);
    let answer_arrived = on_the_way_back(answer.to_bytes().to_vec()).try_into().unwrap();
    let answer_arrived = ServerHello::from_bytes(answer_arrived)?;

    let server = Responder::new(&ours, answer, &server_key)?;
    let client = Initiator::new(&theirs, answer_arrived, &client_key)?;
    let (one, client) = client.write_one(&mut SysRng, &[])?;
    let (two, server) = server.read_one(&one)?.1.write_two(&mut SysRng, &[])?;
    let (three, _) = client.read_two(&two)?.1.write_three(&[])?;
    server.read_three(&three)?;
    Ok(())
}

fn client_hello(bytes: &[u8]) -> Result<ClientHello, ChannelError> {
    let (start, rest) = bytes.split_first_chunk().ok_or(ChannelError::Closed)?;
    ClientHello::from_parts(*start, rest)
}
