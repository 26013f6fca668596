//! The published vectors of the Noise Protocol Framework, byte for byte: the messages of a handshake, its hash, and
//! the transport messages after it. They stand apart from the tests of the public API, which makes the prologue out of
//! hellos and begins every transport message with a record's type, where a vector has bytes of its own.
//!
//! The environment variable `NOISE_VECTORS` names the folder with the vectors: JSON files of the form that cacophony
//! and snow publish.

#[path = "../../tests/support/draws.rs"]
mod draws;

use std::path::Path;
use std::{env, fs};

use rand::TryCryptoRng;
use serde_json::Value;

use super::handshake::{Initiator, Responder};
use super::hello::Suite;
use super::keys::StaticKey;
use super::record::{Opener, Sealer};

#[test]
fn every_published_vector_of_our_suites_passes() {
    let Some(folder) = env::var_os("NOISE_VECTORS") else {
        eprintln!("skipped: NOISE_VECTORS is not set, so there are no published vectors to check");
        return;
    };
    let mut checked = 0;
    for vector in vectors(Path::new(&folder)) {
        let name = vector["protocol_name"].as_str().unwrap_or_default();
        if let Some(suite) = Suite::ALL.into_iter().find(|suite| suite.protocol_name() == name.as_bytes()) {
            check(suite, &vector);
            checked += 1;
        }
    }
    assert!(checked > 0, "no vector in {} is of a suite that we speak", folder.display());
}

fn vectors(folder: &Path) -> Vec<Value> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.flat_map(|path| vectors_of_file(&path)).collect()
}

fn vectors_of_file(path: &Path) -> Vec<Value> {
    let text = fs::read(path).unwrap();
    let mut file: Value =
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    match file.get_mut("vectors").map(Value::take) {
        Some(Value::Array(vectors)) => vectors,
        _ => Vec::new(),
    }
}

fn check(suite: Suite, vector: &Value) {
    let (client_key, server_key) = (key(vector, "init_static"), key(vector, "resp_static"));
    let mut messages = vector["messages"].as_array().unwrap().iter().map(|message| {
        let [payload, wire] = ["payload", "ciphertext"].map(|field| bytes(message, field));
        (payload, wire)
    });

    let client = Initiator::with_prologue(suite, &bytes(vector, "init_prologue"), &client_key);
    let server = Responder::with_prologue(suite, &bytes(vector, "resp_prologue"), &server_key);

    let (payload, wire) = messages.next().unwrap();
    let (one, client) = client.write_one(&mut ephemeral(vector, "init_ephemeral"), &payload).unwrap();
    assert_eq!(one, wire);
    let (read, server) = server.read_one(&wire).unwrap();
    assert_eq!(read, payload);

    let (payload, wire) = messages.next().unwrap();
    let (two, server) = server.write_two(&mut ephemeral(vector, "resp_ephemeral"), &payload).unwrap();
    assert_eq!(two, wire);
    let (read, client) = client.read_two(&wire).unwrap();
    assert_eq!(read, payload);
    assert_eq!(client.server_key(), server_key.public());

    let (payload, wire) = messages.next().unwrap();
    let (three, mut client) = client.write_three(&payload).unwrap();
    assert_eq!(three, wire);
    let (read, mut server) = server.read_three(&wire).unwrap();
    assert_eq!(read, payload);
    assert_eq!(server.peer, client_key.public());

    assert_eq!(client.handshake_hash, server.handshake_hash);
    if vector.get("handshake_hash").is_some() {
        assert_eq!(client.handshake_hash.as_slice(), bytes(vector, "handshake_hash"));
    }

    // The turns go on: the client wrote the third message, so the fourth is the server's.
    let mut transported = 0;
    for (payload, wire) in messages {
        if transported % 2 == 0 {
            check_transport(&mut server.sealer, &mut client.opener, &payload, &wire);
        } else {
            check_transport(&mut client.sealer, &mut server.opener, &payload, &wire);
        }
        transported += 1;
    }
    assert!(transported >= 2, "a vector shows each direction of the transport");
}

fn check_transport(sealer: &mut Sealer, opener: &mut Opener, payload: &[u8], wire: &[u8]) {
    let mut message = payload.to_vec();
    sealer.cipher.encrypt(&[], &mut message, 0).unwrap();
    assert_eq!(message, wire);
    assert_eq!(opener.cipher.decrypt(&[], &mut message).unwrap(), payload);
}

fn key(vector: &Value, field: &str) -> StaticKey {
    StaticKey::from_bytes(&bytes(vector, field).try_into().unwrap())
}

fn ephemeral(vector: &Value, field: &str) -> impl TryCryptoRng + use<> {
    let key = bytes(vector, field);
    draws::Draws(move |to: &mut [u8]| to.copy_from_slice(&key))
}

/// The bytes of a field of hexadecimal digits.
fn bytes(object: &Value, field: &str) -> Vec<u8> {
    let text = object[field].as_str().unwrap_or_else(|| panic!("a vector has no {field}"));
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap().try_into().unwrap()).collect();
    assert_eq!(digits.len() % 2, 0, "{field} has half a byte");
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
