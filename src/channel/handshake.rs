//! The handshake, patterns XX of Noise section 7.5 and `XXhfs` of its Hybrid Forward Secrecy extension, as types that
//! consume themselves: a step out of order does not compile, and a failed step leaves nothing to go on with.
//!
//! ```text
//! -> e [e1]                  Initiator        -> InitiatorSentOne     Responder        -> ResponderGotOne
//! <- e, ee, [ekem1] s, es    InitiatorSentOne -> InitiatorVerifies    ResponderGotOne  -> ResponderSentTwo
//! -> s, se                   InitiatorVerifies -> Transport           ResponderSentTwo -> Transport
//! ```
//!
//! The tokens in brackets are those of `XXhfs`: a key encapsulation beside the first Diffie-Hellman.
//!
//! [`InitiatorVerifies`] is where a client looks at the server's key, before it has shown anything of its own. Each
//! message carries a payload; our programs send those of the first and the third empty, and ignore them. What the second
//! one brings is in `handover`.

use rand::TryCryptoRng;
use tracing::debug;

use super::error::ChannelError;
use super::hello::{self, ClientHello, ServerHello, Suite};
use super::kem::{self, KEM_CIPHERTEXT_BYTES, KEM_KEY_BYTES, KemKey};
use super::keys::{Fingerprint, PublicKey, StaticKey};
use super::record::{Opener, Sealer};
use super::symmetric_state::SymmetricState;

/// The bytes of a public key on the wire (DHLEN).
const KEY_BYTES: usize = 32;

/// A client before its first message.
pub struct Initiator<'k> {
    suite: Suite,
    symmetric: SymmetricState,
    ours: &'k StaticKey,
}

/// A client that has sent `e`, and `e1` if the suite is hybrid.
pub struct InitiatorSentOne<'k> {
    start: Initiator<'k>,
    ephemeral: StaticKey,
    kem_key: Option<KemKey>,
}

/// A client that knows who the server is and has not yet told who it is itself.
pub struct InitiatorVerifies<'k> {
    sent: InitiatorSentOne<'k>,
    their_ephemeral: PublicKey,
    theirs: PublicKey,
}

secret!(Initiator<'static>, InitiatorSentOne<'static>, InitiatorVerifies<'static>);

impl<'k> Initiator<'k> {
    /// Begins with both hellos as the prologue. Fails when the server chose no suite that was offered.
    pub fn new(client: &ClientHello, server: ServerHello, ours: &'k StaticKey) -> Result<Self, ChannelError> {
        let suite = server.suite(client)?;
        Ok(Self::with_prologue(suite, &hello::prologue(client, server), ours))
    }

    /// `Initialize()` of Noise section 5.3, with any prologue: what the published vectors need.
    pub(super) fn with_prologue(suite: Suite, prologue: &[u8], ours: &'k StaticKey) -> Self {
        Self { suite, symmetric: SymmetricState::new(suite.protocol_name(), prologue), ours }
    }

    /// `-> e [e1]`: 32 bytes (1216 if hybrid) and the payload, in clear.
    pub fn write_one<R: TryCryptoRng + ?Sized>(
        mut self,
        rng: &mut R,
        payload: &[u8],
    ) -> Result<(Vec<u8>, InitiatorSentOne<'k>), ChannelError> {
        let ephemeral = StaticKey::generate(rng)?;
        let mut message = write_key(&mut self.symmetric, ephemeral.public());
        let kem_key = if self.suite.is_hybrid() { Some(KemKey::generate(rng)?) } else { None };
        if let Some(kem_key) = &kem_key {
            self.symmetric.encrypt_and_hash(&kem_key.public(), &mut message)?;
        }
        self.symmetric.encrypt_and_hash(payload, &mut message)?;
        step("-> e [e1]", &self.symmetric);
        Ok((message, InitiatorSentOne { start: self, ephemeral, kem_key }))
    }
}

impl<'k> InitiatorSentOne<'k> {
    /// `<- e, ee, [ekem1] s, es`: 96 bytes (1200 if hybrid) and the payload. Gives the payload.
    pub fn read_two(mut self, message: &[u8]) -> Result<(Vec<u8>, InitiatorVerifies<'k>), ChannelError> {
        let symmetric = &mut self.start.symmetric;
        let (their_ephemeral, mut rest) = read_key(symmetric, message)?;
        symmetric.mix_key(self.ephemeral.diffie_hellman(&their_ephemeral)?.as_bytes());
        if let Some(kem_key) = self.kem_key.take() {
            let ciphertext;
            (ciphertext, rest) = read_sealed(symmetric, rest, KEM_CIPHERTEXT_BYTES)?;
            symmetric.mix_key(&*kem_key.decapsulate(&ciphertext)?);
        }
        let (theirs, rest) = read_sealed_key(symmetric, rest)?;
        symmetric.mix_key(self.ephemeral.diffie_hellman(&theirs)?.as_bytes());
        let payload = symmetric.decrypt_and_hash(rest)?;
        step("<- e, ee, [ekem1] s, es", symmetric);
        Ok((payload, InitiatorVerifies { sent: self, their_ephemeral, theirs }))
    }
}

impl InitiatorVerifies<'_> {
    /// The key that the server has proved to hold.
    pub fn server_key(&self) -> PublicKey {
        self.theirs
    }

    /// `-> s, se`: 64 bytes and the payload, for a server that the caller trusts.
    pub fn write_three(self, payload: &[u8]) -> Result<(Vec<u8>, Transport), ChannelError> {
        let Initiator { suite, mut symmetric, ours } = self.sent.start;
        let mut message = Vec::new();
        symmetric.encrypt_and_hash(ours.public().as_bytes(), &mut message)?;
        symmetric.mix_key(ours.diffie_hellman(&self.their_ephemeral)?.as_bytes());
        symmetric.encrypt_and_hash(payload, &mut message)?;
        step("-> s, se", &symmetric);
        let hash = symmetric.hash();
        let (to_server, to_client) = symmetric.split();
        Ok((
            message,
            Transport::new(suite, self.theirs, hash, Sealer::new(to_server), Opener::new(to_client)),
        ))
    }
}

/// A server before the client's first message.
pub struct Responder<'k> {
    suite: Suite,
    symmetric: SymmetricState,
    ours: &'k StaticKey,
}

/// A server that has read `e`, and `e1` if the suite is hybrid.
pub struct ResponderGotOne<'k> {
    start: Responder<'k>,
    their_ephemeral: PublicKey,
    /// Not yet looked into.
    their_kem_key: Option<Vec<u8>>,
}

/// A server that has proved who it is and waits for the client to do the same.
pub struct ResponderSentTwo<'k> {
    start: Responder<'k>,
    ephemeral: StaticKey,
}

secret!(Responder<'static>, ResponderGotOne<'static>, ResponderSentTwo<'static>);

impl<'k> Responder<'k> {
    /// Begins with both hellos as the prologue. Fails when there is no suite in common.
    pub fn new(client: &ClientHello, server: ServerHello, ours: &'k StaticKey) -> Result<Self, ChannelError> {
        let suite = server.suite(client)?;
        Ok(Self::with_prologue(suite, &hello::prologue(client, server), ours))
    }

    /// `Initialize()` of Noise section 5.3, with any prologue: what the published vectors need.
    pub(super) fn with_prologue(suite: Suite, prologue: &[u8], ours: &'k StaticKey) -> Self {
        Self { suite, symmetric: SymmetricState::new(suite.protocol_name(), prologue), ours }
    }

    /// `-> e [e1]`. Gives the payload, which nobody has vouched for.
    pub fn read_one(mut self, message: &[u8]) -> Result<(Vec<u8>, ResponderGotOne<'k>), ChannelError> {
        let (their_ephemeral, mut rest) = read_key(&mut self.symmetric, message)?;
        let mut their_kem_key = None;
        if self.suite.is_hybrid() {
            let key;
            (key, rest) = read_sealed(&mut self.symmetric, rest, KEM_KEY_BYTES)?;
            their_kem_key = Some(key);
        }
        let payload = self.symmetric.decrypt_and_hash(rest)?;
        step("-> e [e1]", &self.symmetric);
        Ok((payload, ResponderGotOne { start: self, their_ephemeral, their_kem_key }))
    }
}

impl<'k> ResponderGotOne<'k> {
    /// `<- e, ee, [ekem1] s, es`: 96 bytes (1200 if hybrid) and the payload.
    pub fn write_two<R: TryCryptoRng + ?Sized>(
        mut self,
        rng: &mut R,
        payload: &[u8],
    ) -> Result<(Vec<u8>, ResponderSentTwo<'k>), ChannelError> {
        let symmetric = &mut self.start.symmetric;
        let ephemeral = StaticKey::generate(rng)?;
        let mut message = write_key(symmetric, ephemeral.public());
        symmetric.mix_key(ephemeral.diffie_hellman(&self.their_ephemeral)?.as_bytes());
        if let Some(their_kem_key) = &self.their_kem_key {
            write_encapsulation(symmetric, their_kem_key, rng, &mut message)?;
        }
        symmetric.encrypt_and_hash(self.start.ours.public().as_bytes(), &mut message)?;
        symmetric.mix_key(self.start.ours.diffie_hellman(&self.their_ephemeral)?.as_bytes());
        symmetric.encrypt_and_hash(payload, &mut message)?;
        step("<- e, ee, [ekem1] s, es", symmetric);
        Ok((message, ResponderSentTwo { start: self.start, ephemeral }))
    }
}

impl ResponderSentTwo<'_> {
    /// `-> s, se`. Gives the payload.
    pub fn read_three(self, message: &[u8]) -> Result<(Vec<u8>, Transport), ChannelError> {
        let Responder { suite, mut symmetric, ours: _ } = self.start;
        let (theirs, rest) = read_sealed_key(&mut symmetric, message)?;
        symmetric.mix_key(self.ephemeral.diffie_hellman(&theirs)?.as_bytes());
        let payload = symmetric.decrypt_and_hash(rest)?;
        step("-> s, se", &symmetric);
        let hash = symmetric.hash();
        let (to_server, to_client) = symmetric.split();
        Ok((payload, Transport::new(suite, theirs, hash, Sealer::new(to_client), Opener::new(to_server))))
    }
}

/// What a finished handshake leaves.
pub struct Transport {
    /// What protects the session.
    pub suite: Suite,
    /// The key that the other side has proved to hold: a server's identity, a client's device.
    pub peer: PublicKey,
    /// The handshake hash, 32 bytes: unique to this session, the same at both ends, not secret (Noise section 11.2).
    pub handshake_hash: [u8; 32],
    /// Seals what we send.
    pub sealer: Sealer,
    /// Opens what we receive.
    pub opener: Opener,
}

secret!(Transport);

impl Transport {
    fn new(suite: Suite, peer: PublicKey, handshake_hash: [u8; 32], sealer: Sealer, opener: Opener) -> Self {
        Self { suite, peer, handshake_hash, sealer, opener }
    }
}

/// The token `e` when written: the key in clear.
fn write_key(symmetric: &mut SymmetricState, key: PublicKey) -> Vec<u8> {
    symmetric.mix_hash(key.as_bytes());
    key.as_bytes().to_vec()
}

/// The token `e` when read. Gives the key and what follows it.
fn read_key<'m>(
    symmetric: &mut SymmetricState,
    message: &'m [u8],
) -> Result<(PublicKey, &'m [u8]), ChannelError> {
    let (key, rest) = message.split_first_chunk::<KEY_BYTES>().ok_or(ChannelError::BadLength)?;
    symmetric.mix_hash(key);
    Ok((PublicKey::from_bytes(*key), rest))
}

/// The token `ekem1` when written.
fn write_encapsulation<R: TryCryptoRng + ?Sized>(
    symmetric: &mut SymmetricState,
    their_kem_key: &[u8],
    rng: &mut R,
    message: &mut Vec<u8>,
) -> Result<(), ChannelError> {
    let (ciphertext, secret) = kem::encapsulate(rng, their_kem_key)?;
    symmetric.encrypt_and_hash(&ciphertext, message)?;
    symmetric.mix_key(&*secret);
    Ok(())
}

/// The token `s` when read. Gives the key and what follows it.
fn read_sealed_key<'m>(
    symmetric: &mut SymmetricState,
    message: &'m [u8],
) -> Result<(PublicKey, &'m [u8]), ChannelError> {
    let (key, rest) = read_sealed(symmetric, message, KEY_BYTES)?;
    let key: [u8; KEY_BYTES] = key.try_into().map_err(|_| ChannelError::BadLength)?;
    Ok((PublicKey::from_bytes(key), rest))
}

/// `length` bytes that were sealed if there is a key by now. Gives them and what follows.
fn read_sealed<'m>(
    symmetric: &mut SymmetricState,
    message: &'m [u8],
    length: usize,
) -> Result<(Vec<u8>, &'m [u8]), ChannelError> {
    let (sealed, rest) =
        message.split_at_checked(length + symmetric.overhead()).ok_or(ChannelError::BadLength)?;
    Ok((symmetric.decrypt_and_hash(sealed)?, rest))
}

/// Lets two ends be compared: the hash is made of what went over the wire, so it may be shown.
fn step(tokens: &str, symmetric: &SymmetricState) {
    debug!(tokens, handshake_hash = %Fingerprint::of(&symmetric.hash()), "handshake");
}

#[cfg(test)]
mod tests {
    use rand::rngs::SysRng;

    use super::*;

    /// A point of order 4: every shared secret with it is zero, whoever's key it is.
    const LOW_ORDER: [u8; KEY_BYTES] = [0; KEY_BYTES];

    /// `s` and the last token of a message, as a peer would write them who has no key but hopes for a shared secret
    /// that it knows.
    fn write_low_order_key(symmetric: &mut SymmetricState, message: &mut Vec<u8>) {
        symmetric.encrypt_and_hash(&LOW_ORDER, message).unwrap();
        symmetric.mix_key(&[0; 32]);
        symmetric.encrypt_and_hash(&[], message).unwrap();
    }

    /// A client that waits for message two, and a server that has read message one.
    fn after_one(suite: Suite, ours: &StaticKey) -> (InitiatorSentOne<'_>, ResponderGotOne<'_>) {
        let (one, client) = Initiator::with_prologue(suite, b"", ours).write_one(&mut SysRng, &[]).unwrap();
        let (_, server) = Responder::with_prologue(suite, b"", ours).read_one(&one).unwrap();
        (client, server)
    }

    /// Message two up to `ee`.
    fn write_two_to_ee(server: &mut ResponderGotOne) -> Vec<u8> {
        let ephemeral = StaticKey::from_bytes(&[2; 32]);
        let symmetric = &mut server.start.symmetric;
        let two = write_key(symmetric, ephemeral.public());
        symmetric.mix_key(ephemeral.diffie_hellman(&server.their_ephemeral).unwrap().as_bytes());
        two
    }

    #[test]
    fn a_server_whose_static_key_has_a_low_order_is_refused() {
        for suite in Suite::ALL {
            let ours = StaticKey::from_bytes(&[1; 32]);
            let (client, mut server) = after_one(suite, &ours);
            let mut two = write_two_to_ee(&mut server);
            let symmetric = &mut server.start.symmetric;
            if let Some(kem_key) = &server.their_kem_key {
                write_encapsulation(symmetric, kem_key, &mut SysRng, &mut two).unwrap();
            }
            write_low_order_key(symmetric, &mut two);
            assert!(matches!(client.read_two(&two), Err(ChannelError::LowOrderPoint)));
        }
    }

    #[test]
    fn a_client_whose_static_key_has_a_low_order_is_refused() {
        for suite in Suite::ALL {
            let ours = StaticKey::from_bytes(&[1; 32]);
            let (client, server) = after_one(suite, &ours);
            let (two, server) = server.write_two(&mut SysRng, &[]).unwrap();
            let (_, mut client) = client.read_two(&two).unwrap();

            let mut three = Vec::new();
            write_low_order_key(&mut client.sent.start.symmetric, &mut three);
            assert!(matches!(server.read_three(&three), Err(ChannelError::LowOrderPoint)));
        }
    }

    /// A client that would be somebody else: it shows a public key that is known to come in, and has not its secret.
    #[test]
    fn the_key_of_another_without_its_secret_is_refused() {
        for suite in Suite::ALL {
            let (ours, victim) = (StaticKey::from_bytes(&[1; 32]), StaticKey::from_bytes(&[9; 32]));
            let mallory = StaticKey::from_bytes(&[6; 32]);
            for shown in [victim.public(), ours.public()] {
                let (one, client) =
                    Initiator::with_prologue(suite, b"", &mallory).write_one(&mut SysRng, &[]).unwrap();
                let (_, server) = Responder::with_prologue(suite, b"", &ours).read_one(&one).unwrap();
                let (two, server) = server.write_two(&mut SysRng, &[]).unwrap();
                let (_, client) = client.read_two(&two).unwrap();
                let (their_ephemeral, mut symmetric) = (client.their_ephemeral, client.sent.start.symmetric);
                let mut three = Vec::new();
                symmetric.encrypt_and_hash(shown.as_bytes(), &mut three).unwrap();
                symmetric.mix_key(mallory.diffie_hellman(&their_ephemeral).unwrap().as_bytes());
                symmetric.encrypt_and_hash(&[], &mut three).unwrap();
                assert!(matches!(server.read_three(&three), Err(ChannelError::NotAuthentic)));
            }
        }
    }

    #[test]
    fn every_diffie_hellman_secret_is_not_enough_without_that_of_the_key_encapsulation() {
        let (ours, other) = (StaticKey::from_bytes(&[1; 32]), KemKey::generate(&mut SysRng).unwrap());
        let (client, mut server) = after_one(Suite::Hybrid, &ours);
        let mut two = write_two_to_ee(&mut server);
        // The ciphertext is sealed as it must be, but its secret is not the one that the client will find in it.
        let symmetric = &mut server.start.symmetric;
        write_encapsulation(symmetric, &other.public(), &mut SysRng, &mut two).unwrap();
        symmetric.encrypt_and_hash(ours.public().as_bytes(), &mut two).unwrap();
        symmetric.mix_key(ours.diffie_hellman(&server.their_ephemeral).unwrap().as_bytes());
        symmetric.encrypt_and_hash(&[], &mut two).unwrap();
        assert!(matches!(client.read_two(&two), Err(ChannelError::NotAuthentic)));
    }
}
