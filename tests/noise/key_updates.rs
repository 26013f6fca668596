//! Key updates with snow, whose `rekey_outgoing` and `rekey_incoming` are `Rekey()` of Noise section 11.3.

use std::time::Duration;

use chat::channel::{ChannelError, KeyLimits, Record};

use super::snow_peer::{transport_read, transport_write};
use super::{Session, TYPE_GOODBYE, TYPE_KEY_UPDATE, TYPE_MESSAGES, messages, sessions};

const NEVER: KeyLimits = KeyLimits { frames: u64::MAX, bytes: u64::MAX, age: Duration::MAX };

#[test]
fn our_key_updates_are_rekeys_of_snow_and_the_nonces_go_on() {
    for Session { mut ours, mut theirs, mut twin } in sessions() {
        ours.sealer.limit(KeyLimits { frames: 3, ..NEVER });
        let mut updates = 0;
        for number in 0..100_u8 {
            let mut stream = Vec::new();
            ours.sealer.seal([[number].as_slice()], &mut stream).unwrap();
            for message in messages(&stream) {
                let plaintext = transport_read(&mut theirs, &message);
                assert_eq!(message, transport_write(&mut twin, &plaintext));
                if plaintext == [TYPE_KEY_UPDATE] {
                    theirs.rekey_incoming();
                    twin.rekey_outgoing();
                    updates += 1;
                } else {
                    assert_eq!(plaintext, [TYPE_MESSAGES, number]);
                }
            }
        }
        assert_eq!(updates, 33, "before every fourth message of a key");
        assert_eq!(ours.sealer.keys(), 34);
        assert_eq!(theirs.receiving_nonce(), 133);
    }
}

#[test]
fn we_follow_the_key_updates_of_snow() {
    for Session { mut ours, mut theirs, .. } in sessions() {
        for number in 0..100_u8 {
            if number % 3 == 0 {
                let mut update = transport_write(&mut theirs, &[TYPE_KEY_UPDATE]);
                assert_eq!(ours.opener.open(&mut update).unwrap(), Record::KeyUpdate);
                theirs.rekey_outgoing();
            }
            let mut message = transport_write(&mut theirs, &[TYPE_MESSAGES, number]);
            assert_eq!(ours.opener.open(&mut message).unwrap(), Record::Messages(&[number]));
        }
        assert_eq!(theirs.sending_nonce(), 134);
    }
}

#[test]
fn each_direction_has_its_own_updates() {
    for Session { mut ours, mut theirs, .. } in sessions() {
        ours.sealer.limit(KeyLimits { frames: 2, ..NEVER });
        for number in 0..50_u8 {
            if number % 7 == 0 {
                let mut update = transport_write(&mut theirs, &[TYPE_KEY_UPDATE]);
                assert_eq!(ours.opener.open(&mut update).unwrap(), Record::KeyUpdate);
                theirs.rekey_outgoing();
            }
            let mut stream = Vec::new();
            ours.sealer.seal([[number].as_slice()], &mut stream).unwrap();
            let mut answer = transport_write(&mut theirs, &[TYPE_MESSAGES, number + 100]);
            for message in messages(&stream) {
                match transport_read(&mut theirs, &message).as_slice() {
                    [TYPE_KEY_UPDATE] => theirs.rekey_incoming(),
                    plaintext => assert_eq!(plaintext, [TYPE_MESSAGES, number]),
                }
            }
            assert_eq!(ours.opener.open(&mut answer).unwrap(), Record::Messages(&[number + 100]));
        }
    }
}

#[test]
fn our_goodbye_is_not_sealed_with_a_key_that_is_used_up() {
    for Session { mut ours, mut theirs, .. } in sessions() {
        ours.sealer.limit(KeyLimits { frames: 0, ..NEVER });
        let mut stream = Vec::new();
        ours.sealer.goodbye(&mut stream).unwrap();
        let [update, goodbye] = messages(&stream).try_into().unwrap();
        assert_eq!(transport_read(&mut theirs, &update), [TYPE_KEY_UPDATE]);
        theirs.rekey_incoming();
        assert_eq!(transport_read(&mut theirs, &goodbye), [TYPE_GOODBYE]);
    }
}

#[test]
fn a_snow_that_says_so_and_keeps_its_key_or_changes_it_and_does_not_say_so_is_refused() {
    for Session { mut ours, mut theirs, .. } in sessions() {
        let mut update = transport_write(&mut theirs, &[TYPE_KEY_UPDATE]);
        assert_eq!(ours.opener.open(&mut update).unwrap(), Record::KeyUpdate);
        let mut message = transport_write(&mut theirs, &[TYPE_MESSAGES]);
        assert!(matches!(ours.opener.open(&mut message), Err(ChannelError::NotAuthentic)));
    }
    for Session { mut ours, mut theirs, .. } in sessions() {
        theirs.rekey_outgoing();
        let mut message = transport_write(&mut theirs, &[TYPE_MESSAGES]);
        assert!(matches!(ours.opener.open(&mut message), Err(ChannelError::NotAuthentic)));
    }
}

#[test]
fn a_snow_that_never_changes_its_key_is_refused_at_the_hard_limit_until_it_does() {
    for Session { mut ours, mut theirs, .. } in sessions() {
        ours.opener.limit(KeyLimits { frames: 4, ..NEVER });
        for _ in 0..4 {
            let mut message = transport_write(&mut theirs, &[TYPE_MESSAGES]);
            assert_eq!(ours.opener.open(&mut message).unwrap(), Record::Messages(&[]));
        }
        for plaintext in [[TYPE_MESSAGES], [TYPE_GOODBYE]] {
            let mut message = transport_write(&mut theirs, &plaintext);
            assert!(matches!(ours.opener.open(&mut message), Err(ChannelError::NoKeyUpdate)));
        }
        let mut update = transport_write(&mut theirs, &[TYPE_KEY_UPDATE]);
        assert_eq!(ours.opener.open(&mut update).unwrap(), Record::KeyUpdate);
        theirs.rekey_outgoing();
        let mut message = transport_write(&mut theirs, &[TYPE_MESSAGES]);
        assert_eq!(ours.opener.open(&mut message).unwrap(), Record::Messages(&[]));
    }
}
