//! Known bytes in the place of random ones, for keys that a test must know.

use std::convert::Infallible;

use rand::{TryCryptoRng, TryRng};

/// Each draw is what the function fills in.
pub(crate) struct Draws<F>(pub(crate) F);

impl<F: FnMut(&mut [u8])> TryRng for Draws<F> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are made of bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are made of bytes")
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        (self.0)(to);
        Ok(())
    }
}

impl<F: FnMut(&mut [u8])> TryCryptoRng for Draws<F> {}
