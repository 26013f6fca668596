//! Hellos that are changed on the way. They are in clear, so a change may be understood at first; but both of them are
//! the prologue, so the handshake must not complete.

use chat::channel::{ChannelError, ClientHello, Initiator, Responder, ServerHello, StaticKey, Suite};
use rand::rngs::SysRng;

use super::{CLIENT_HELLO, SERVER_HELLO, flips};

/// An offer of which more than one suite is unknown, so that there are changes that leave the choice as it is.
const LONG_CLIENT_HELLO: &[u8] = b"CHAT\x01\x04\x70\x01\x71\x72";

#[test]
fn hellos_that_arrive_as_they_were_sent_lead_to_a_session() {
    for hello in [CLIENT_HELLO, LONG_CLIENT_HELLO] {
        try_handshake(hello, hello, |answer| answer).unwrap();
    }
}

#[test]
fn no_bit_of_a_clients_hello_can_be_changed() {
    for hello in [CLIENT_HELLO, LONG_CLIENT_HELLO] {
        for changed in flips(hello) {
            assert!(try_handshake(hello, &changed, |answer| answer).is_err(), "{changed:02x?}");
        }
    }
}

#[test]
fn no_bit_of_a_servers_hello_can_be_changed() {
    for changed in flips(SERVER_HELLO) {
        let refused = try_handshake(LONG_CLIENT_HELLO, LONG_CLIENT_HELLO, |_| changed.clone());
        assert!(refused.is_err(), "{changed:02x?}");
    }
}

#[test]
fn a_suite_that_was_taken_out_of_the_offer_breaks_the_handshake() {
    let refused = try_handshake(b"CHAT\x01\x02\x70\x01", b"CHAT\x01\x01\x01", |answer| answer);
    assert!(matches!(refused, Err(ChannelError::NotAuthentic)));
}

#[test]
fn a_suite_that_was_put_into_the_offer_breaks_the_handshake() {
    let refused = try_handshake(b"CHAT\x01\x01\x01", b"CHAT\x01\x02\x70\x01", |answer| answer);
    assert!(matches!(refused, Err(ChannelError::NotAuthentic)));
}

#[test]
fn the_order_of_the_offer_cannot_be_changed() {
    let refused = try_handshake(b"CHAT\x01\x02\x70\x01", b"CHAT\x01\x02\x01\x70", |answer| answer);
    assert!(matches!(refused, Err(ChannelError::NotAuthentic)));
}

#[test]
fn a_hello_cannot_be_cut_or_extended() {
    for length in 0..CLIENT_HELLO.len() {
        assert!(client_hello(&CLIENT_HELLO[..length]).is_err());
    }
    assert!(matches!(client_hello(b"CHAT\x01\x01\x01\x01"), Err(ChannelError::BadLength)));
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
