//! ML-KEM-768 (FIPS 203) as the tokens `e1` and `ekem1` of the Noise HFS extension use it: a key that lives for one
//! handshake, so that who records today and has a quantum computer later still can't read.

use ml_kem::kem::{Decapsulate, KeyExport, KeyInit, TryKeyInit};
use ml_kem::{DecapsulationKey768, EncapsulationKey768};
use rand::TryCryptoRng;
use zeroize::Zeroizing;

use super::error::ChannelError;

/// An encapsulation key on the wire.
pub(super) const KEM_KEY_BYTES: usize = 1184;

/// A ciphertext on the wire, before it is sealed.
pub(super) const KEM_CIPHERTEXT_BYTES: usize = 1088;

/// The initiator's key of one handshake, wiped when dropped. Boxed, since it is some kilobytes large.
pub(super) struct KemKey(Box<DecapsulationKey768>);

secret!(KemKey);

impl KemKey {
    /// A new key from the given source of randomness (FIPS 203, algorithm 19: 64 random bytes).
    pub(super) fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, ChannelError> {
        let mut seed = Zeroizing::new([0; 64]);
        rng.try_fill_bytes(seed.as_mut()).map_err(|_| ChannelError::NoEntropy)?;
        Ok(Self(Box::new(DecapsulationKey768::new((&*seed).into()))))
    }

    /// The half that is sent, [`KEM_KEY_BYTES`] long.
    pub(super) fn public(&self) -> Vec<u8> {
        self.0.encapsulation_key().to_bytes().to_vec()
    }

    /// The 32 secret bytes that the other side made. A wrong ciphertext gives other bytes, not an error (implicit
    /// rejection, FIPS 203, algorithm 18).
    pub(super) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<[u8; 32]>, ChannelError> {
        let secret = self.0.decapsulate_slice(ciphertext).map_err(|_| ChannelError::BadLength)?;
        Ok(Zeroizing::new(secret.into()))
    }
}

/// Makes 32 secret bytes for the holder of `public`: the ciphertext that tells them, and the bytes. Refuses what is no
/// key (FIPS 203, section 7.2).
pub(super) fn encapsulate<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    public: &[u8],
) -> Result<(Vec<u8>, Zeroizing<[u8; 32]>), ChannelError> {
    let key = EncapsulationKey768::new_from_slice(public).map_err(|_| ChannelError::BadKemKey)?;
    let mut randomness = Zeroizing::new([0; 32]);
    rng.try_fill_bytes(randomness.as_mut()).map_err(|_| ChannelError::NoEntropy)?;
    let (ciphertext, secret) = key.encapsulate_deterministic((&*randomness).into());
    Ok((ciphertext.to_vec(), Zeroizing::new(secret.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::SysRng;

    #[test]
    fn both_sides_get_the_same_secret_and_sizes_are_those_of_the_standard() {
        let key = KemKey::generate(&mut SysRng).unwrap();
        let (ciphertext, ours) = encapsulate(&mut SysRng, &key.public()).unwrap();
        assert_eq!((key.public().len(), ciphertext.len()), (KEM_KEY_BYTES, KEM_CIPHERTEXT_BYTES));
        assert_eq!(*key.decapsulate(&ciphertext).unwrap(), *ours);
    }

    #[test]
    fn a_key_with_a_coefficient_past_the_modulus_is_refused() {
        let all_ones = [0xff; KEM_KEY_BYTES];
        assert!(matches!(encapsulate(&mut SysRng, &all_ones), Err(ChannelError::BadKemKey)));
        assert!(matches!(encapsulate(&mut SysRng, &all_ones[1..]), Err(ChannelError::BadKemKey)));
    }

    #[test]
    fn a_secret_is_wiped_when_dropped() {
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        wiped::<DecapsulationKey768>();
        assert!(std::mem::needs_drop::<KemKey>());
    }
}
