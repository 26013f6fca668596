//! The messages' encoding, in both directions: what decodes says the same after it was encoded again, and takes no more
//! bytes than it came in.

use chat::wire::{ClientMessage, Decoded, NotCbor, ServerMessage, decode, encode};
use minicbor::{Decode, Encode};

/// Whether the bytes are messages and nothing else, from a client or from a server.
pub fn run(bytes: &[u8]) -> bool {
    // A client's message can't be compared, since a password can't: its bytes must do.
    let from_client = survives::<ClientMessage>(bytes, |_, _| true);
    let from_server = survives::<ServerMessage>(bytes, |read, again| read == again);
    from_client || from_server
}

fn survives<M>(content: &[u8], same: impl Fn(&M, &M) -> bool) -> bool
where
    M: Encode<()> + for<'b> Decode<'b, ()>,
{
    let (mut messages, mut others, mut encoded) = (0, 0, 0);
    let mut items = decode::<M>(content);
    while let Some(item) = items.next() {
        match item {
            Ok(Decoded::Message(message)) => {
                let bytes = encode(&message);
                let again = only::<M>(&bytes);
                assert!(same(&message, &again), "it says something else");
                assert_eq!(encode(&again), bytes);
                messages += 1;
                encoded += bytes.len();
            }
            Ok(Decoded::UnknownKind(_) | Decoded::Malformed) => others += 1,
            Err(NotCbor) => {
                assert!(items.next().is_none(), "it goes on after the end");
                others += 1;
            }
        }
    }
    assert!(messages + others <= content.len() && encoded <= content.len());
    messages > 0 && others == 0
}

fn only<M: for<'b> Decode<'b, ()>>(bytes: &[u8]) -> M {
    let mut items = decode(bytes);
    let Some(Ok(Decoded::Message(message))) = items.next() else { panic!("what was encoded is no message") };
    assert!(items.next().is_none());
    message
}
