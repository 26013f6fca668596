//! Argon2id (RFC 9106) as accounts use it: what a hash may cost, and how it stands in a file. Apart from the
//! threads that compute it, so that the bounds on a stored hash are in one place and hold before anyone
//! computes anything.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use argon2::password_hash::{Error, phc};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use rand::TryRng;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

/// The memory that a stored hash may ask for, in KiB: 8 to 256 MiB.
pub(crate) const MEMORY_KIB: RangeInclusive<u32> = 8 * 1024..=256 * 1024;
/// How often a stored hash may pass over its memory.
pub(crate) const PASSES: RangeInclusive<u32> = 1..=16;
/// How many lanes a stored hash may have.
pub(crate) const LANES: RangeInclusive<u32> = 1..=4;
/// The size of every output, in bytes (RFC 9106, section 4: a tag of 256 bits).
pub(crate) const OUTPUT_BYTES: usize = 32;
/// The size of a new salt, in bytes (RFC 9106, section 4: 128 bits). A stored one may have 8 to 48, as PHC
/// strings do.
pub(crate) const SALT_BYTES: usize = 16;
/// The least address space that is taken for working memory, in blocks of 1 KiB: 40 MiB. Past 32 MiB the C
/// library maps it by itself and gives it back when it is freed; what is smaller it may keep (mallopt(3),
/// `M_MMAP_THRESHOLD`; seen at 19 MiB). Pages that no hash touches are never there.
const RESERVED_BLOCKS_MIN: usize = 40 * 1024;

/// What one hash costs. It is always within [`MEMORY_KIB`], [`PASSES`] and [`LANES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cost {
    memory_kib: u32,
    passes: u32,
    /// Computed one after another here, so more of them would help only whoever guesses.
    lanes: u32,
}

/// A password's hash as `users.db` has it, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`; parsed, its cost is within
/// bounds. It has no `Debug`, so that it can't slip into a log. Outputs are compared in constant time.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoredHash {
    cost: Cost,
    salt: phc::Salt,
    /// [`OUTPUT_BYTES`] long.
    output: phc::Output,
}

/// Why a text is no [`StoredHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoredHashError {
    /// Not of the form that such hashes have.
    #[error("the hash can't be read ({0}); copy it whole, from `$argon2id$` on")]
    Malformed(phc::Error),
    /// Another function, or another version of it.
    #[error("the hash does not begin with `$argon2id$v=19$`; nothing else is accepted")]
    NotArgon2id,
    /// Parameters missing, unknown or in another order, or no salt, or no output.
    #[error("the hash does not go on with `m=…,t=…,p=…$salt$hash`; copy it whole")]
    BadParts,
    /// Outside of [`MEMORY_KIB`], [`PASSES`] or [`LANES`].
    #[error(
        "the hash costs too much or too little; keep m within {}..{} KiB, t within {}..{}, p within {}..{}",
        MEMORY_KIB.start(), MEMORY_KIB.end(), PASSES.start(), PASSES.end(), LANES.start(), LANES.end()
    )]
    CostOutOfBounds,
    /// Not [`OUTPUT_BYTES`]; holds its size in bytes.
    #[error("the hash has {0} bytes instead of {OUTPUT_BYTES}; copy it whole")]
    BadOutput(usize),
}

impl Cost {
    /// 64 MiB, three passes: the memory and passes of RFC 9106's second recommended option (section 4), with
    /// one lane.
    pub(crate) const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// 19 MiB, two passes: OWASP's minimum (Password Storage Cheat Sheet), for hosts with little memory.
    pub(crate) const SMALL_HOST: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

    /// `None` outside of the bounds.
    pub(crate) fn within_bounds(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let within = MEMORY_KIB.contains(&memory_kib) && PASSES.contains(&passes) && LANES.contains(&lanes);
        within.then_some(Self { memory_kib, passes, lanes })
    }

    /// Whether it is easier to guess against than `other`: it takes less memory, or less work in all.
    pub(crate) fn is_weaker_than(self, other: Self) -> bool {
        // Within bounds the products stay below 2^23.
        self.memory_kib < other.memory_kib || self.memory_kib * self.passes < other.memory_kib * other.passes
    }
}

impl StoredHash {
    /// Hashes a new password with a fresh random salt, using `memory` as working space; what it leaves there
    /// depends on the password, so wipe it.
    pub(crate) fn compute(password: &str, cost: Cost, memory: &mut Vec<Block>) -> Result<Self, Error> {
        let mut salt = [0; SALT_BYTES];
        SysRng.try_fill_bytes(&mut salt).map_err(|_| Error::RngFailure)?;
        let salt = phc::Salt::new(&salt)?;
        Ok(Self { cost, salt, output: output(password, &salt, cost, memory)? })
    }

    /// One of no password, to be computed in vain: its output is nothing that a password could be found for.
    pub(crate) fn of_nobody(cost: Cost) -> Result<Self, Error> {
        Ok(Self {
            cost,
            salt: phc::Salt::new(&[0; SALT_BYTES])?,
            output: phc::Output::new(&[0; OUTPUT_BYTES])?,
        })
    }

    /// Whether it is this password's hash. `memory` is used as in [`StoredHash::compute`].
    pub(crate) fn matches(&self, password: &str, memory: &mut Vec<Block>) -> Result<bool, Error> {
        Ok(output(password, &self.salt, self.cost, memory)? == self.output)
    }

    /// What computing it costs.
    pub(crate) fn cost(&self) -> Cost {
        self.cost
    }
}

/// Argon2id, version 0x13. `memory` grows to what `cost` needs.
fn output(
    password: &str,
    salt: &phc::Salt,
    cost: Cost,
    memory: &mut Vec<Block>,
) -> Result<phc::Output, Error> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(OUTPUT_BYTES))?;
    let blocks = params.block_count();
    if memory.len() < blocks {
        *memory = Vec::new(); // never two buffers at once
        memory.try_reserve_exact(blocks.max(RESERVED_BLOCKS_MIN)).map_err(|_| Error::OutOfMemory)?;
        memory.resize(blocks, Block::new());
    }
    let mut bytes = Zeroizing::new([0; OUTPUT_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        password.as_bytes(),
        salt,
        &mut *bytes,
        memory,
    )?;
    Ok(phc::Output::new(&*bytes)?)
}

impl FromStr for StoredHash {
    type Err = StoredHashError;

    fn from_str(text: &str) -> Result<Self, StoredHashError> {
        let hash = phc::PasswordHash::new(text).map_err(StoredHashError::Malformed)?;
        if hash.algorithm != ARGON2ID_IDENT || hash.version != Some(Version::V0x13.into()) {
            return Err(StoredHashError::NotArgon2id);
        }
        let parameter = |name| hash.params.get_decimal(name).ok_or(StoredHashError::BadParts);
        let (memory_kib, passes, lanes) = (parameter("m")?, parameter("t")?, parameter("p")?);
        let cost = Cost::within_bounds(memory_kib, passes, lanes).ok_or(StoredHashError::CostOutOfBounds)?;
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(StoredHashError::BadParts);
        };
        if hash.params.as_str() != cost.to_string() {
            return Err(StoredHashError::BadParts);
        }
        if output.len() != OUTPUT_BYTES {
            return Err(StoredHashError::BadOutput(output.len()));
        }
        Ok(Self { cost, salt, output })
    }
}

impl fmt::Display for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$argon2id$v=19${}${}${}", self.cost, self.salt, self.output)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={},t={},p={}", self.memory_kib, self.passes, self.lanes)
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;

    use super::*;

    /// `bytes` zero bytes in the Base64 of PHC strings.
    fn zeros(bytes: usize) -> String {
        "A".repeat((bytes * 4).div_ceil(3))
    }

    fn parse(head: &str, salt_bytes: usize, output_bytes: usize) -> Result<StoredHash, StoredHashError> {
        format!("{head}${}${}", zeros(salt_bytes), zeros(output_bytes)).parse()
    }

    #[test]
    fn a_hash_matches_its_password_only_and_others_can_verify_it() {
        let mut memory = Vec::new();
        let stored = StoredHash::compute("Correct horse 1", Cost::SMALL_HOST, &mut memory).unwrap();
        assert!(stored.matches("Correct horse 1", &mut memory).unwrap());
        assert!(!stored.matches("correct horse 1", &mut memory).unwrap());
        Argon2::default().verify_password(b"Correct horse 1", stored.to_string().as_str()).unwrap();
    }

    #[test]
    fn two_hashes_of_one_password_have_different_salts() {
        let mut memory = Vec::new();
        let mut hash = || StoredHash::compute("Correct horse 1", Cost::SMALL_HOST, &mut memory).unwrap();
        assert!(hash().salt[..] != hash().salt[..]);
    }

    #[test]
    fn the_text_of_a_hash_is_parsed_back_to_the_same() {
        let text = format!("$argon2id$v=19$m=65536,t=3,p=1${}${}", zeros(16), zeros(32));
        let stored: StoredHash = text.parse().unwrap();
        assert_eq!(stored.to_string(), text);
        assert_eq!(stored.cost(), Cost::STANDARD);
    }

    #[test]
    fn costs_outside_the_bounds_are_refused_before_use() {
        for accepted in ["m=8192,t=1,p=1", "m=262144,t=16,p=4"] {
            assert!(parse(&format!("$argon2id$v=19${accepted}"), 16, 32).is_ok(), "{accepted}");
        }
        for refused in [
            "m=8191,t=1,p=1",
            "m=262145,t=1,p=1",
            "m=4194304,t=1,p=1", // 4 GiB
            "m=4294967295,t=1,p=1",
            "m=65536,t=0,p=1",
            "m=65536,t=17,p=1",
            "m=65536,t=3,p=0",
            "m=65536,t=3,p=5",
        ] {
            let error = parse(&format!("$argon2id$v=19${refused}"), 16, 32).err();
            assert_eq!(error, Some(StoredHashError::CostOutOfBounds), "{refused}");
        }
    }

    #[test]
    fn only_argon2id_of_version_19_with_its_three_parameters_is_accepted() {
        for head in
            ["$argon2i$v=19$m=65536,t=3,p=1", "$argon2id$v=16$m=65536,t=3,p=1", "$argon2id$m=65536,t=3,p=1"]
        {
            assert_eq!(parse(head, 16, 32).err(), Some(StoredHashError::NotArgon2id), "{head}");
        }
        for parameters in [
            "t=3,m=65536,p=1",
            "m=65536,t=3",
            "m=65536,t=3,p=1,data=AAAA",
            "m=65536,m=9,t=3,p=1",
            "m=065536,t=3,p=1",
        ] {
            let error = parse(&format!("$argon2id$v=19${parameters}"), 16, 32).err();
            assert_eq!(error, Some(StoredHashError::BadParts), "{parameters}");
        }
    }

    #[test]
    fn salts_and_outputs_of_other_sizes_are_refused() {
        let head = "$argon2id$v=19$m=65536,t=3,p=1";
        assert!(parse(head, 8, 32).is_ok() && parse(head, 48, 32).is_ok());
        assert_eq!(parse(head, 7, 32).err(), Some(StoredHashError::Malformed(phc::Error::SaltTooShort)));
        assert_eq!(parse(head, 49, 32).err(), Some(StoredHashError::Malformed(phc::Error::SaltTooLong)));
        assert_eq!(parse(head, 16, 31).err(), Some(StoredHashError::BadOutput(31)));
        assert_eq!(parse(head, 16, 33).err(), Some(StoredHashError::BadOutput(33)));
        let without_output = format!("{head}${}", zeros(16)).parse::<StoredHash>().err();
        assert_eq!(without_output, Some(StoredHashError::BadParts));
    }

    #[test]
    fn a_cost_is_weaker_with_less_memory_or_less_work() {
        let cost = |memory_mib: u32, passes| Cost::within_bounds(memory_mib * 1024, passes, 1).unwrap();
        assert!(Cost::SMALL_HOST.is_weaker_than(Cost::STANDARD));
        assert!(!Cost::STANDARD.is_weaker_than(Cost::STANDARD));
        assert!(!Cost::STANDARD.is_weaker_than(Cost::SMALL_HOST));
        assert!(cost(32, 16).is_weaker_than(Cost::STANDARD));
        assert!(cost(128, 1).is_weaker_than(Cost::STANDARD));
        assert!(!cost(256, 1).is_weaker_than(Cost::STANDARD));
    }
}
