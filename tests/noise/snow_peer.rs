//! `snow`, made to speak our suites. The one key encapsulation that it has a name for is Kyber1024: it is handed
//! ML-KEM-768 where it asks for that, and given the right name of the protocol, with which the handshake hash begins.

use chat::channel::{FRAME_BYTES_MAX, StaticKey, Suite};
use ml_kem::kem::{Decapsulate, KeyExport, KeyInit, TryKeyInit};
use ml_kem::{DecapsulationKey768, EncapsulationKey768};
use snow::params::{CipherChoice, DHChoice, HashChoice, KemChoice, NoiseParams};
use snow::resolvers::{CryptoResolver, DefaultResolver, FallbackResolver};
use snow::types::{Cipher, Dh, Hash, Kem, Random};

/// All that is secret of one side, and all of it known.
#[derive(Clone, Copy)]
pub(crate) struct Secrets {
    pub(crate) key: [u8; 32],
    /// The one byte that its source of randomness gives.
    pub(crate) random: u8,
}

impl Secrets {
    pub(crate) fn static_key(&self) -> StaticKey {
        StaticKey::from_bytes(&self.key)
    }

    /// A snow with these secrets, as a client.
    pub(crate) fn snow_initiator(&self, suite: Suite, prologue: &[u8]) -> snow::HandshakeState {
        self.snow(suite, &[self.random; 32], prologue, snow::Builder::build_initiator)
    }

    /// A snow with these secrets, as a server.
    pub(crate) fn snow_responder(&self, suite: Suite, prologue: &[u8]) -> snow::HandshakeState {
        self.snow(suite, &[self.random; 32], prologue, snow::Builder::build_responder)
    }

    fn snow<'s>(
        &'s self,
        suite: Suite,
        ephemeral: &'s [u8],
        prologue: &'s [u8],
        build: impl FnOnce(snow::Builder<'s>) -> Result<snow::HandshakeState, snow::Error>,
    ) -> snow::HandshakeState {
        let kem = MlKemForKyber { random: self.random };
        let resolver = FallbackResolver::new(Box::new(kem), Box::new(DefaultResolver));
        let builder = snow::Builder::with_resolver(params(suite), Box::new(resolver))
            .local_private_key(&self.key)
            .unwrap()
            .fixed_ephemeral_key_for_testing_only(ephemeral)
            .prologue(prologue)
            .unwrap();
        build(builder).unwrap()
    }
}

fn params(suite: Suite) -> NoiseParams {
    match suite {
        Suite::Hybrid => {
            let mut params: NoiseParams = "Noise_XXhfs_25519+Kyber1024_AESGCM_SHA256".parse().unwrap();
            params.name = "Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256".into();
            params
        }
        Suite::Classical => "Noise_XX_25519_AESGCM_SHA256".parse().unwrap(),
    }
}

/// Resolves the key encapsulation, and leaves the rest to snow.
struct MlKemForKyber {
    random: u8,
}

impl CryptoResolver for MlKemForKyber {
    fn resolve_kem(&self, KemChoice::Kyber1024: &KemChoice) -> Option<Box<dyn Kem>> {
        Some(Box::new(MlKem768 { random: self.random, key: None, public: Vec::new() }))
    }

    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        None
    }

    fn resolve_dh(&self, _: &DHChoice) -> Option<Box<dyn Dh>> {
        None
    }

    fn resolve_hash(&self, _: &HashChoice) -> Option<Box<dyn Hash>> {
        None
    }

    fn resolve_cipher(&self, _: &CipherChoice) -> Option<Box<dyn Cipher>> {
        None
    }
}

/// FIPS 203 with known randomness, of which snow gives none to an encapsulation.
struct MlKem768 {
    random: u8,
    key: Option<DecapsulationKey768>,
    public: Vec<u8>,
}

impl Kem for MlKem768 {
    fn name(&self) -> &'static str {
        "MLKEM768"
    }

    fn pub_len(&self) -> usize {
        1184
    }

    fn ciphertext_len(&self) -> usize {
        1088
    }

    fn shared_secret_len(&self) -> usize {
        32
    }

    fn generate(&mut self, _: &mut dyn Random) {
        let key = DecapsulationKey768::new(&[self.random; 64].into());
        self.public = key.encapsulation_key().to_bytes().to_vec();
        self.key = Some(key);
    }

    fn pubkey(&self) -> &[u8] {
        &self.public
    }

    fn encapsulate(
        &self,
        public: &[u8],
        secret_out: &mut [u8],
        ciphertext_out: &mut [u8],
    ) -> Result<(usize, usize), snow::Error> {
        let key = EncapsulationKey768::new_from_slice(public).map_err(|_| snow::Error::Kem)?;
        let (ciphertext, secret) = key.encapsulate_deterministic(&[self.random; 32].into());
        secret_out.copy_from_slice(&secret);
        ciphertext_out.copy_from_slice(&ciphertext);
        Ok((secret.len(), ciphertext.len()))
    }

    fn decapsulate(&self, ciphertext: &[u8], secret_out: &mut [u8]) -> Result<usize, snow::Error> {
        let key = self.key.as_ref().ok_or(snow::Error::Kem)?;
        let secret = key.decapsulate_slice(ciphertext).map_err(|_| snow::Error::Kem)?;
        secret_out.copy_from_slice(&secret);
        Ok(secret.len())
    }
}

pub(crate) fn handshake_write(state: &mut snow::HandshakeState, payload: &[u8]) -> Vec<u8> {
    filled(|buffer| state.write_message(payload, buffer))
}

pub(crate) fn handshake_read(state: &mut snow::HandshakeState, message: &[u8]) -> Vec<u8> {
    filled(|buffer| state.read_message(message, buffer))
}

pub(crate) fn transport_write(state: &mut snow::TransportState, plaintext: &[u8]) -> Vec<u8> {
    filled(|buffer| state.write_message(plaintext, buffer))
}

pub(crate) fn transport_read(state: &mut snow::TransportState, message: &[u8]) -> Vec<u8> {
    filled(|buffer| state.read_message(message, buffer))
}

fn filled(fill: impl FnOnce(&mut [u8]) -> Result<usize, snow::Error>) -> Vec<u8> {
    let mut buffer = vec![0; FRAME_BYTES_MAX];
    let length = fill(&mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}
