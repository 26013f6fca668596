//! Records that are sealed and opened with snow.

use chat::channel::{ChannelError, RECORD_BYTES_MAX, Record};

use super::snow_peer::{transport_read, transport_write};
use super::{Session, TYPE_GOODBYE, TYPE_KEY_UPDATE, TYPE_MESSAGES, messages, seal, sessions};

#[test]
fn our_records_are_transport_messages_of_snow_that_begin_with_their_type() {
    for Session { mut ours, mut theirs, mut twin } in sessions() {
        let largest = vec![7; RECORD_BYTES_MAX];
        for content in [b"".as_slice(), b"first", b"second", &largest, b"last"] {
            let message = seal(&mut ours.sealer, &[content]);
            let plaintext = [&[TYPE_MESSAGES], content].concat();
            assert_eq!(message, transport_write(&mut twin, &plaintext));
            assert_eq!(transport_read(&mut theirs, &message), plaintext);
        }
    }
}

#[test]
fn the_parts_of_a_record_are_one_plaintext_to_snow() {
    for Session { mut ours, mut theirs, .. } in sessions() {
        let message = seal(&mut ours.sealer, &[b"one ", b"", b"two"]);
        assert_eq!(transport_read(&mut theirs, &message), b"\x00one two");
    }
}

#[test]
fn our_goodbye_is_its_type_alone_to_snow() {
    for Session { mut ours, mut theirs, mut twin } in sessions() {
        let mut frame = Vec::new();
        ours.sealer.goodbye(&mut frame).unwrap();
        let [message] = messages(&frame).try_into().unwrap();
        assert_eq!(message, transport_write(&mut twin, &[TYPE_GOODBYE]));
        assert_eq!(transport_read(&mut theirs, &message), [TYPE_GOODBYE]);
    }
}

#[test]
fn we_open_what_snow_seals() {
    for Session { mut ours, mut theirs, .. } in sessions() {
        let largest = vec![7; RECORD_BYTES_MAX];
        for content in [b"".as_slice(), b"first", b"second", &largest] {
            let mut message = transport_write(&mut theirs, &[&[TYPE_MESSAGES], content].concat());
            assert_eq!(ours.opener.open(&mut message).unwrap(), Record::Messages(content));
        }
        let mut goodbye = transport_write(&mut theirs, &[TYPE_GOODBYE]);
        assert_eq!(ours.opener.open(&mut goodbye).unwrap(), Record::Goodbye);
    }
}

#[test]
fn records_cross_each_other_with_snow() {
    for Session { mut ours, mut theirs, .. } in sessions() {
        for number in 0..5_u8 {
            let message = seal(&mut ours.sealer, &[&[number]]);
            let mut answer = transport_write(&mut theirs, &[TYPE_MESSAGES, number + 100]);
            assert_eq!(transport_read(&mut theirs, &message), [TYPE_MESSAGES, number]);
            assert_eq!(ours.opener.open(&mut answer).unwrap(), Record::Messages(&[number + 100]));
        }
    }
}

#[test]
fn a_record_of_an_unknown_type_is_refused_by_its_number() {
    for mut session in sessions() {
        for kind in 3..=u8::MAX {
            let error = refused_then_opened(&mut session, &[kind, 1, 2, 3]);
            assert!(matches!(error, ChannelError::UnknownRecord(number) if number == kind));
        }
    }
}

#[test]
fn a_goodbye_with_trailing_bytes_is_refused() {
    for mut session in sessions() {
        let error = refused_then_opened(&mut session, &[TYPE_GOODBYE, 0]);
        assert!(matches!(error, ChannelError::BadLength));
    }
}

#[test]
fn a_key_update_with_a_content_is_refused_and_changes_no_key() {
    let longest = vec![0; RECORD_BYTES_MAX];
    for mut session in sessions() {
        for content in [b"\x00".as_slice(), &[TYPE_KEY_UPDATE], &[7; 32], &longest] {
            let error = refused_then_opened(&mut session, &[&[TYPE_KEY_UPDATE], content].concat());
            assert!(matches!(error, ChannelError::BadLength));
        }
    }
}

#[test]
fn a_record_without_even_a_type_is_refused() {
    for mut session in sessions() {
        assert!(matches!(refused_then_opened(&mut session, &[]), ChannelError::BadLength));
    }
}

/// Why we do not take a record with this plaintext. One that follows still opens.
fn refused_then_opened(Session { ours, theirs, .. }: &mut Session, plaintext: &[u8]) -> ChannelError {
    let error = ours.opener.open(&mut transport_write(theirs, plaintext)).unwrap_err();
    let mut next = transport_write(theirs, &[TYPE_MESSAGES, 1]);
    assert_eq!(ours.opener.open(&mut next).unwrap(), Record::Messages(&[1]));
    error
}
