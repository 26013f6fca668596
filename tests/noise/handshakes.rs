//! Handshakes with snow, and with a snow that saw something else.

use chat::channel::{ChannelError, FRAME_BYTES_MAX, Initiator, Responder, Suite};

use super::draws::Draws;
use super::snow_peer::{handshake_read, handshake_write};
use super::{CLIENT, SERVER, Session, hellos, our_client, our_server, sessions};

#[test]
fn as_a_client_we_write_what_snow_would_write_and_understand_what_it_answers() {
    for suite in Suite::ALL {
        let Session { ours, .. } = our_client(suite);
        assert_eq!(ours.peer, SERVER.static_key().public());
        assert_eq!(ours.suite, suite);
    }
}

#[test]
fn as_a_server_we_write_what_snow_would_write_and_understand_what_it_says() {
    for suite in Suite::ALL {
        let Session { ours, .. } = our_server(suite);
        assert_eq!(ours.peer, CLIENT.static_key().public());
        assert_eq!(ours.suite, suite);
    }
}

#[test]
fn snow_has_been_shown_our_key() {
    for Session { ours, theirs, twin, .. } in sessions() {
        assert_eq!(twin.get_remote_static(), Some(ours.peer.as_bytes().as_slice()));
        let our_key = if theirs.is_initiator() { SERVER } else { CLIENT }.static_key().public();
        assert_eq!(theirs.get_remote_static(), Some(our_key.as_bytes().as_slice()));
    }
}

#[test]
fn the_messages_have_the_sizes_that_snow_gives_them() {
    for (suite, sizes) in [(Suite::Hybrid, [1216, 1200, 64]), (Suite::Classical, [32, 96, 64])] {
        let mut client = CLIENT.snow_initiator(suite, b"");
        let mut server = SERVER.snow_responder(suite, b"");
        let one = handshake_write(&mut client, b"");
        handshake_read(&mut server, &one);
        let two = handshake_write(&mut server, b"");
        handshake_read(&mut client, &two);
        assert_eq!([one.len(), two.len(), handshake_write(&mut client, b"").len()], sizes);
    }
}

#[test]
fn a_snow_that_saw_other_hellos_is_refused_in_both_roles() {
    let (client_key, server_key) = (CLIENT.static_key(), SERVER.static_key());
    let other_prologue = b"CHAT\x01\x03\x02\x01\x03CHAT\x01\x02";
    for suite in Suite::ALL {
        let (client_hello, server_hello) = hellos(suite);
        let mut theirs = SERVER.snow_responder(suite, other_prologue);
        let client = Initiator::new(&client_hello, server_hello, &client_key).unwrap();
        let (one, client) =
            client.write_one(&mut Draws(|to: &mut [u8]| to.fill(CLIENT.random)), &[]).unwrap();
        handshake_read(&mut theirs, &one);
        let two = handshake_write(&mut theirs, &[]);
        assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)));

        let mut theirs = CLIENT.snow_initiator(suite, other_prologue);
        let server = Responder::new(&client_hello, server_hello, &server_key).unwrap();
        let (_, server) = server.read_one(&handshake_write(&mut theirs, &[])).unwrap();
        let (two, _) = server.write_two(&mut Draws(|to: &mut [u8]| to.fill(SERVER.random)), &[]).unwrap();
        assert!(theirs.read_message(&two, &mut vec![0; FRAME_BYTES_MAX]).is_err());
    }
}
