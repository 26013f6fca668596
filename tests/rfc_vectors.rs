//! The figures of the RFCs for the primitives that the channel and the accounts are made of, through the same crates.
#![cfg(test)]

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use chat::channel::StaticKey;
use hkdf::Hkdf;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret, x25519};

/// RFC 7748, section 5.2: a scalar, a u-coordinate, and their product.
const MULTIPLICATIONS: [[&str; 3]; 2] = [
    [
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    ],
    [
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    ],
];

#[test]
fn the_multiplications_of_rfc_7748_section_5_2() {
    for [scalar, point, product] in MULTIPLICATIONS {
        assert_eq!(x25519(key(scalar), key(point)), key(product));
    }
}

#[test]
fn the_thousand_iterations_of_rfc_7748_section_5_2() {
    let (mut scalar, mut point) = ([0; 32], [0; 32]);
    (scalar[0], point[0]) = (9, 9);
    for round in 1..=1000 {
        (scalar, point) = (x25519(scalar, point), scalar);
        if round == 1 {
            assert_eq!(scalar, key("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
        }
    }
    assert_eq!(scalar, key("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
}

#[test]
fn the_key_agreement_of_rfc_7748_section_6_1() {
    let alice = key("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let bob = key("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    let alice_public = StaticKey::from_bytes(&alice).public();
    let bob_public = StaticKey::from_bytes(&bob).public();
    assert_eq!(
        *alice_public.as_bytes(),
        key("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    );
    assert_eq!(
        *bob_public.as_bytes(),
        key("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    );
    let shared = key("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    for (ours, theirs) in [(alice, bob_public), (bob, alice_public)] {
        let secret = StaticSecret::from(ours).diffie_hellman(&PublicKey::from(*theirs.as_bytes()));
        assert_eq!(*secret.as_bytes(), shared);
    }
}

#[test]
fn hkdf_sha_256_of_rfc_5869_appendix_a_1() {
    assert_derives(
        [&[0x0b; 22], &counting(0x00, 13), &counting(0xf0, 10)],
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
}

#[test]
fn hkdf_sha_256_of_rfc_5869_appendix_a_2() {
    assert_derives(
        [&counting(0x00, 80), &counting(0x60, 80), &counting(0xb0, 80)],
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
         59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
         cc30c58179ec3e87c14c01d5c1f3434f1d87",
    );
}

#[test]
fn hkdf_sha_256_of_rfc_5869_appendix_a_3() {
    assert_derives(
        [&[0x0b; 22], &[], &[]],
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    );
}

/// The input keying material, salt and info give this pseudorandom key and this output.
fn assert_derives([ikm, salt, info]: [&[u8]; 3], prk: &str, okm: &str) {
    let (extracted, hkdf) = Hkdf::<Sha256>::extract(Some(salt), ikm);
    assert_eq!(extracted.as_slice(), bytes(prk));
    let mut output = vec![0; bytes(okm).len()];
    hkdf.expand(info, &mut output).unwrap();
    assert_eq!(output, bytes(okm));
}

#[test]
fn argon2id_of_rfc_9106_section_5_3() {
    let data = AssociatedData::new(&[0x04; 12]).unwrap();
    let params = ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(data).build().unwrap();
    let secret = [0x03; 8];
    let argon2 = Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2.hash_password_into(&[0x01; 32], &[0x02; 16], &mut tag).unwrap();
    assert_eq!(tag, key("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
}

/// So many bytes, each one more than the one before it.
fn counting(first: u8, count: u8) -> Vec<u8> {
    (0..count).map(|place| first + place).collect()
}

fn key(hexadecimal: &str) -> [u8; 32] {
    bytes(hexadecimal).try_into().unwrap()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks_exact(2);
    assert!(digits.remainder().is_empty(), "half a byte");
    digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
