//! What a login costs for a name that nobody has: as much as for one that somebody has, or the time of the answer would
//! tell them apart. Apart from the hashes, because it is a matter of all accounts together: in a file of many years there
//! are hashes of several costs.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::password_hash::Cost;

/// How many accounts have a hash of each cost.
pub(super) type Costs = BTreeMap<Cost, usize>;

/// Gives each unknown name a cost, drawn among those of the accounts, as often as they have it. A name keeps its cost
/// however often it is tried; when accounts come, or get stronger hashes, few names change theirs, as few accounts do.
/// Nobody can know which names those are without the key.
pub(super) struct Pretence {
    key: Zeroizing<[u8; 32]>,
}

secret!(Pretence);

impl Pretence {
    /// One that draws alike whenever it is made from this key.
    pub(super) fn with_key(key: Zeroizing<[u8; 32]>) -> Self {
        Self { key }
    }

    /// What a login for `name` costs. `None` when there are no accounts.
    pub(super) fn cost(&self, name: &str, costs: &Costs) -> Option<Cost> {
        // The key has a fixed length, and nobody sees the digest.
        let digest = Sha256::new().chain_update(*self.key).chain_update(name).finalize();
        let drawn = digest.iter().take(8).fold(0, |number, &byte| number << 8 | u128::from(byte));
        let accounts: usize = costs.values().sum();
        // `drawn` is below 2^64, so this is below the number of accounts: which one, in the order of their costs.
        let mut place = usize::try_from((drawn * accounts as u128) >> 64).unwrap_or_default();
        costs.iter().find_map(|(cost, count)| match place.checked_sub(*count) {
            Some(rest) => {
                place = rest;
                None
            }
            None => Some(*cost),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pretence() -> Pretence {
        Pretence::with_key(Zeroizing::new([7; 32]))
    }

    fn drawn(costs: &Costs) -> Vec<Cost> {
        (0..1000).map(|n| pretence().cost(&format!("name{n}"), costs).unwrap()).collect()
    }

    #[test]
    fn unknown_names_have_the_costs_of_the_accounts_as_often_as_those() {
        assert_eq!(pretence().cost("nobody", &Costs::new()), None);
        for cost in [Cost::STANDARD, Cost::SMALL_HOST] {
            assert!(drawn(&Costs::from([(cost, 3)])).iter().all(|drawn| *drawn == cost));
        }
        let mixed = drawn(&Costs::from([(Cost::SMALL_HOST, 30), (Cost::STANDARD, 10)]));
        let small = mixed.iter().filter(|cost| **cost == Cost::SMALL_HOST).count();
        assert!((700..800).contains(&small), "{small} of 1000, instead of 750");
    }

    #[test]
    fn a_name_keeps_its_cost_and_few_change_theirs_with_an_account_more() {
        let before = Costs::from([(Cost::SMALL_HOST, 50), (Cost::STANDARD, 50)]);
        let after = Costs::from([(Cost::SMALL_HOST, 50), (Cost::STANDARD, 51)]);
        assert_eq!(drawn(&before), drawn(&before));
        let changed = drawn(&before).iter().zip(drawn(&after)).filter(|(one, other)| *one != other).count();
        assert!(changed < 20, "{changed} of 1000");
        let other_key = Pretence::with_key(Zeroizing::new([8; 32]));
        assert!((0..100).any(|n| {
            let name = format!("name{n}");
            other_key.cost(&name, &before) != pretence().cost(&name, &before)
        }));
    }
}
