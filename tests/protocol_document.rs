//! The worked example in PROTOCOL.md is what this program does, byte for byte.
#![cfg(test)]

#[path = "support/draws.rs"]
mod draws;

use std::fmt::Write;

use chat::channel::{ClientHello, Initiator, Responder, ServerHello, StaticKey, Suite, write_frame};
use chat::wire::{self, BODY_TEXT, ClientMessage, MessageId, ServerMessage};
use draws::Draws;

fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    write_frame(&mut frame, |out| {
        out.extend_from_slice(message);
        Ok(())
    })
    .unwrap();
    frame
}

/// The lines of the example: a name, then the bytes in rows of 32.
fn example() -> String {
    let (client_key, server_key) = (StaticKey::from_bytes(&[0x11; 32]), StaticKey::from_bytes(&[0x22; 32]));
    let client_hello = ClientHello::offering(&[Suite::Classical]);
    let server_hello = ServerHello::answering(&client_hello, &Suite::ALL);
    let client = Initiator::new(&client_hello, server_hello, &client_key).unwrap();
    let server = Responder::new(&client_hello, server_hello, &server_key).unwrap();
    let (one, client) = client.write_one(&mut Draws(|to: &mut [u8]| to.fill(0x33)), &[]).unwrap();
    let (_, server) = server.read_one(&one).unwrap();
    let (two, server) = server.write_two(&mut Draws(|to: &mut [u8]| to.fill(0x44)), &[]).unwrap();
    let (_, client) = client.read_two(&two).unwrap();
    let (three, mut client) = client.write_three(&[]).unwrap();
    let (_, mut server) = server.read_three(&three).unwrap();

    let id = MessageId::from_bytes([0x55; 16]);
    let body = b"hello".to_vec().into();
    let say =
        wire::encode(&ClientMessage::Say { room: "#lobby".into(), id, kind: BODY_TEXT, body, of: None });
    let accepted = ServerMessage::Accepted { id, room: "#lobby".into(), sequence: 42, at: 1_700_000_000_000 };
    let accepted = wire::encode(&accepted);
    let (mut say_frame, mut accepted_frame, mut goodbye_frame) = (Vec::new(), Vec::new(), Vec::new());
    client.sealer.seal([say.as_slice()], &mut say_frame).unwrap();
    server.sealer.seal([accepted.as_slice()], &mut accepted_frame).unwrap();
    client.sealer.goodbye(&mut goodbye_frame).unwrap();

    let (client_public, server_public) = (client_key.public(), server_key.public());
    let steps: [(&str, &[u8]); 13] = [
        ("client's public key", client_public.as_bytes()),
        ("server's public key", server_public.as_bytes()),
        ("C->S client hello", client_hello.as_bytes()),
        ("S->C server hello", &server_hello.to_bytes()),
        ("C->S handshake message 1, framed", &framed(&one)),
        ("S->C handshake message 2, framed", &framed(&two)),
        ("C->S handshake message 3, framed", &framed(&three)),
        ("handshake hash", &client.handshake_hash),
        ("Say, in CBOR", &say),
        ("C->S first frame: a record with that Say", &say_frame),
        ("Accepted, in CBOR", &accepted),
        ("S->C first frame: a record with that Accepted", &accepted_frame),
        ("C->S second frame: goodbye", &goodbye_frame),
    ];
    let mut text = String::new();
    for (name, bytes) in steps {
        writeln!(text, "{name} ({} bytes)", bytes.len()).unwrap();
        for row in bytes.chunks(32) {
            text.push_str("  ");
            for byte in row {
                write!(text, "{byte:02x}").unwrap();
            }
            text.push('\n');
        }
    }
    text
}

#[test]
fn the_worked_example_is_what_this_program_does() {
    let document = include_str!("../PROTOCOL.md");
    let expected = example();
    assert!(document.contains(&expected), "PROTOCOL.md must have this example:\n{expected}");
}
