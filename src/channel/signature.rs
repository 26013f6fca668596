//! Signatures with X25519 keys: `XEdDSA` ("The `XEdDSA` and `VXEdDSA` Signature Schemes", revision 1, sections 2.3 and
//! 3). Whoever knows the public key of a handshake can check them, and no second key has to be known. They are Ed25519
//! signatures under the key's point on the Edwards curve with the sign 0, and made and checked as such.
//!
//! Where we differ from the paper, nobody can tell by a signature: the nonce comes, as in Ed25519, from the message and
//! a secret that is derived from the key, and from no randomness.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use ed25519_dalek::{Signature, VerifyingKey};
use hkdf::Hkdf;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::keys::{PublicKey, StaticKey};
use super::labels;

/// The bytes of a signature.
pub(super) const SIGNATURE_BYTES: usize = 64;

/// Signs a message, which must begin with a label of its own, so that no signature is good for anything else.
pub(super) fn sign(key: &StaticKey, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
    let secret = expanded(key);
    raw_sign::<Sha512>(&secret, message, &VerifyingKey::from(&secret)).to_bytes()
}

/// Whether whoever holds the secret of `key` has signed the message. Keys and points that are not written in the one way
/// that they can be, and points of low order, sign nothing.
pub(super) fn is_signed(key: &PublicKey, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
    verifying_key(key, 0).is_some_and(|verifying_key| {
        verifying_key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    })
}

/// `calculate_key_pair` of section 2.3: the scalar whose point has the sign 0, and what nonces are made of.
fn expanded(key: &StaticKey) -> ExpandedSecretKey {
    let bytes = key.to_bytes();
    let clamped = Zeroizing::new(clamp_integer(*bytes));
    let scalar = Zeroizing::new(Scalar::from_bytes_mod_order(*clamped));
    let [.., last] = EdwardsPoint::mul_base(&scalar).compress().to_bytes();
    // 1 for the sign 0, and -1 for the sign 1, without a branch on what belongs to the secret.
    let factor = Scalar::ONE - Scalar::from(2 * (last >> 7));
    let mut hash_prefix = Zeroizing::new([0; 32]);
    let derived = Hkdf::<Sha256>::new(None, &*bytes).expand(labels::SIGNATURE_NONCE, &mut *hash_prefix);
    debug_assert!(derived.is_ok(), "32 bytes are far below the 8,160 that HKDF-SHA256 gives");
    ExpandedSecretKey { scalar: *scalar * factor, hash_prefix: *hash_prefix }
}

/// `convert_mont` of section 2.3.
fn verifying_key(key: &PublicKey, sign: u8) -> Option<VerifyingKey> {
    let point = MontgomeryPoint(*key.as_bytes()).to_edwards(sign)?;
    (point.to_montgomery().to_bytes() == *key.as_bytes()).then(|| VerifyingKey::from(point))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The `XEdDSA` signature that the tests of Signal's curve25519-java, whose authors wrote the paper, hold to be right:
    /// by the secret that is zero except for `[8] = 189`, clamped, of 200 zero bytes.
    const OF_CURVE25519_JAVA: [u8; SIGNATURE_BYTES] = [
        0x11, 0xc7, 0xf3, 0xe6, 0xc4, 0xdf, 0x9e, 0x8a, 0x51, 0x50, 0xe1, 0xdb, 0x3b, 0x30, 0xf9, 0x2d, 0xe3,
        0xa3, 0xb3, 0xaa, 0x43, 0x86, 0x56, 0x54, 0x5f, 0xa7, 0x39, 0x0f, 0x4b, 0xcc, 0x7b, 0xb2, 0x6c, 0x43,
        0x1d, 0x9e, 0x90, 0x64, 0x3e, 0x4f, 0x0e, 0xaa, 0x0e, 0x9c, 0x55, 0x77, 0x66, 0xfa, 0x69, 0xad, 0xa5,
        0x76, 0xd6, 0x3d, 0xca, 0xf2, 0xac, 0x32, 0x6c, 0x11, 0xd0, 0xb9, 0x77, 0x02,
    ];

    /// A public key, a message and its signature from the tests of libsignal (`rust/core/src/curve/curve25519.rs`), whose
    /// signatures carry the sign of the point in their highest bit; here it is 1.
    const LIBSIGNAL_KEY: [u8; 32] = [
        0xab, 0x7e, 0x71, 0x7d, 0x4a, 0x16, 0x3b, 0x7d, 0x9a, 0x1d, 0x80, 0x71, 0xdf, 0xe9, 0xdc, 0xf8, 0xcd,
        0xcd, 0x1c, 0xea, 0x33, 0x39, 0xb6, 0x35, 0x6b, 0xe8, 0x4d, 0x88, 0x7e, 0x32, 0x2c, 0x64,
    ];
    const LIBSIGNAL_MESSAGE: [u8; 33] = [
        0x05, 0xed, 0xce, 0x9d, 0x9c, 0x41, 0x5c, 0xa7, 0x8c, 0xb7, 0x25, 0x2e, 0x72, 0xc2, 0xc4, 0xa5, 0x54,
        0xd3, 0xeb, 0x29, 0x48, 0x5a, 0x0e, 0x1d, 0x50, 0x31, 0x18, 0xd1, 0xa8, 0x2d, 0x99, 0xfb, 0x4a,
    ];
    const LIBSIGNAL_SIGNATURE: [u8; SIGNATURE_BYTES] = [
        0x5d, 0xe8, 0x8c, 0xa9, 0xa8, 0x9b, 0x4a, 0x11, 0x5d, 0xa7, 0x91, 0x09, 0xc6, 0x7c, 0x9c, 0x74, 0x64,
        0xa3, 0xe4, 0x18, 0x02, 0x74, 0xf1, 0xcb, 0x8c, 0x63, 0xc2, 0x98, 0x4e, 0x28, 0x6d, 0xfb, 0xed, 0xe8,
        0x2d, 0xeb, 0x9d, 0xcd, 0x9f, 0xae, 0x0b, 0xfb, 0xb8, 0x21, 0x56, 0x9b, 0x3d, 0x90, 0x01, 0xbd, 0x81,
        0x30, 0xcd, 0x11, 0xd4, 0x86, 0xce, 0xf0, 0x47, 0xbd, 0x60, 0xb8, 0x6e, 0x88,
    ];

    fn all_bits_flipped(signature: [u8; SIGNATURE_BYTES]) -> impl Iterator<Item = [u8; SIGNATURE_BYTES]> {
        (0..SIGNATURE_BYTES * 8).map(move |bit| {
            let mut flipped = signature;
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped
        })
    }

    #[test]
    fn a_published_signature_is_good_and_with_any_bit_changed_it_is_not() {
        let mut secret = [0; 32];
        secret[8] = 189;
        let (key, message) = (StaticKey::from_bytes(&secret).public(), [0; 200]);
        assert!(is_signed(&key, &message, &OF_CURVE25519_JAVA));
        assert!(all_bits_flipped(OF_CURVE25519_JAVA).all(|flipped| !is_signed(&key, &message, &flipped)));
        assert!(!is_signed(&key, &[0; 199], &OF_CURVE25519_JAVA));
    }

    #[test]
    fn a_signature_of_libsignal_is_good_for_the_point_of_its_sign_only() {
        let mut signature = LIBSIGNAL_SIGNATURE;
        signature[63] &= 0x7f;
        let key = PublicKey::from_bytes(LIBSIGNAL_KEY);
        let is_good = |sign| {
            let verifying_key = verifying_key(&key, sign).unwrap();
            verifying_key.verify_strict(&LIBSIGNAL_MESSAGE, &Signature::from_bytes(&signature)).is_ok()
        };
        assert_eq!((is_good(0), is_good(1)), (false, true));
    }

    #[test]
    fn keys_of_low_order_off_the_curve_or_written_in_another_way_sign_nothing() {
        let mut twist = [0; 32];
        twist[0] = 2; // no point of the curve has this u
        let minus_one = {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (0xec, 0x7f);
            bytes
        };
        let nine_plus_p = {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (0xf6, 0x7f);
            bytes
        };
        for bytes in [[0; 32], twist, minus_one, nine_plus_p, [0xff; 32]] {
            let key = PublicKey::from_bytes(bytes);
            // With R and the key of low order, and s = 0, a lax check would take some of these.
            for signature in [[0; SIGNATURE_BYTES], OF_CURVE25519_JAVA, {
                let mut identity = [0; SIGNATURE_BYTES];
                identity[0] = 1;
                identity
            }] {
                assert!(!is_signed(&key, &[0; 200], &signature));
            }
        }
        let mut high_bit = *StaticKey::from_bytes(&[3; 32]).public().as_bytes();
        let signature = sign(&StaticKey::from_bytes(&[3; 32]), b"x");
        assert!(is_signed(&PublicKey::from_bytes(high_bit), b"x", &signature));
        high_bit[31] |= 0x80; // X25519 ignores it, and would take this for the same key
        assert!(!is_signed(&PublicKey::from_bytes(high_bit), b"x", &signature));
    }

    #[test]
    fn secrets_are_wiped_when_dropped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        wiped::<ExpandedSecretKey>();
    }

    proptest! {
        #[test]
        fn who_holds_the_secret_can_sign_and_nobody_can_change_what_was_signed(
            secret in any::<[u8; 32]>(),
            other in any::<[u8; 32]>(),
            message in proptest::collection::vec(any::<u8>(), 1..300),
            bit in any::<prop::sample::Index>(),
        ) {
            let key = StaticKey::from_bytes(&secret);
            let signature = sign(&key, &message);
            prop_assert!(is_signed(&key.public(), &message, &signature));
            prop_assert_eq!(sign(&key, &message), signature);
            let bit = bit.index(message.len() * 8);
            let mut changed = message.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!is_signed(&key.public(), &changed, &signature));
            // Another message has another nonce, or the secret could be computed from the two.
            prop_assert_ne!(&sign(&key, &changed)[..32], &signature[..32]);
            let other = StaticKey::from_bytes(&other);
            if other.public() != key.public() {
                prop_assert!(!is_signed(&other.public(), &message, &signature));
            }
        }

        #[test]
        fn no_bit_of_a_signature_can_be_changed(secret in any::<[u8; 32]>()) {
            let key = StaticKey::from_bytes(&secret);
            let signature = sign(&key, b"message");
            prop_assert!(all_bits_flipped(signature).all(|flipped| !is_signed(&key.public(), b"message", &flipped)));
        }
    }
}
