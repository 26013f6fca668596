//! What a type that holds a secret must not be able to do, held by the compiler. Apart, so that all parts say it in the
//! same words, beside the type; `tests/structure.rs` sees that none is left out.

/// Does not compile unless each of these types drops something (its secrets, which wipe themselves), and can neither be
/// printed (`Debug`, `Display`) nor copied (`Clone`).
///
/// How a trait's absence is asserted: a type that had one of them would have `SECRET` from two places, and the compiler
/// could not tell which is meant.
macro_rules! secret {
    ($($type:ty),+ $(,)?) => {
        $(const _: () = {
            trait Unless<Trait> {
                const SECRET: () = ();
            }
            struct IsDebug;
            struct IsDisplay;
            struct IsClone;
            impl<T: ?Sized> Unless<()> for T {}
            impl<T: ?Sized + ::std::fmt::Debug> Unless<IsDebug> for T {}
            impl<T: ?Sized + ::std::fmt::Display> Unless<IsDisplay> for T {}
            impl<T: ?Sized + ::std::clone::Clone> Unless<IsClone> for T {}
            let () = <$type as Unless<_>>::SECRET;
            assert!(::std::mem::needs_drop::<$type>(), "nothing of it is wiped");
        };)+
    };
}

#[cfg(test)]
mod tests {
    use aes_gcm::Aes256Gcm;
    use ml_kem::DecapsulationKey768;
    use x25519_dalek::{SharedSecret, StaticSecret};
    use zeroize::{ZeroizeOnDrop, Zeroizing};

    /// What every secret of this program is made of.
    #[test]
    fn the_keys_of_the_crates_wipe_themselves() {
        fn is_wiped<T: ZeroizeOnDrop>() {}
        is_wiped::<Aes256Gcm>();
        is_wiped::<StaticSecret>();
        is_wiped::<SharedSecret>();
        is_wiped::<DecapsulationKey768>();
        is_wiped::<Zeroizing<[u8; 32]>>();
        is_wiped::<Zeroizing<String>>();
    }
}
