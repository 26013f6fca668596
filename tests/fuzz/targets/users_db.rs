//! The parser of `users.db`: what it accepts it keeps to the byte, with every cost within its bounds, and what it
//! writes it accepts.
//!
//! The parser is the server's own business, and stays so: its files, which need nothing else of the server, are
//! compiled here once more, with their tests. They expect `names` at the root of the crate.

use std::collections::HashSet;

use password_hash::{Cost, LANES, MEMORY_KIB, PASSES, StoredHash};
use users_file::{AccountLine, LineError, Role, UsersFile, UsersFileError};

#[allow(dead_code, reason = "the server needs more of it")]
#[path = "../../../src/server/accounts/password_hash.rs"]
mod password_hash;
#[allow(dead_code, reason = "the server needs more of it")]
#[path = "../../../src/server/accounts/users_file/mod.rs"]
mod users_file;

const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether the bytes are a file with an account in it.
pub fn run(bytes: &[u8]) -> bool {
    let file = match UsersFile::parse(bytes.to_vec()) {
        Ok(file) => file,
        Err(error) => {
            assert_told_with_its_line(error, bytes);
            return false;
        }
    };
    assert_eq!(file.as_str().as_bytes(), bytes);
    let mut names = HashSet::new();
    for account in file.accounts() {
        assert!(names.insert(account.name.as_str()), "{} is in it twice", account.name);
        assert_eq!(account.hash.is_none(), account.role == Role::Bot);
        if let Some(hash) = &account.hash {
            assert_within_bounds(hash);
            assert!(hash.to_string().parse().is_ok_and(|again: StoredHash| again == *hash));
            assert_replaces_its_hash(&file, account, hash);
        }
        assert_goes_for_good(&file, account);
    }
    assert_takes_an_account_more(&file);
    !file.accounts().is_empty()
}

fn assert_told_with_its_line(error: UsersFileError, bytes: &[u8]) {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').count();
    let UsersFileError::BadLine { number, reason } = error else { panic!("{error}") };
    assert!((1..=lines).contains(&number), "there is no line {number}");
    if let LineError::Duplicate { first } = reason {
        assert!((1..number).contains(&first));
    }
    assert!(!error.to_string().is_empty());
}

fn assert_within_bounds(hash: &StoredHash) {
    let cost = hash.cost().to_string();
    let numbers: Vec<u32> =
        cost.split(',').map(|parameter| parameter.split_once('=').unwrap().1.parse().unwrap()).collect();
    let [memory_kib, passes, lanes] = numbers[..] else { panic!("{cost}") };
    assert_eq!(Cost::within_bounds(memory_kib, passes, lanes), Some(hash.cost()));
    assert!(MEMORY_KIB.contains(&memory_kib) && PASSES.contains(&passes) && LANES.contains(&lanes));
}

/// Whatever stands around it, a hash is replaced in its place and by itself.
fn assert_replaces_its_hash(file: &UsersFile, account: &AccountLine, hash: &StoredHash) {
    let new: StoredHash = HASH.parse().unwrap();
    match file.with_hash(&account.name, hash, &new).unwrap() {
        Ok(changed) => {
            let back = changed.with_hash(&account.name, &new, hash).unwrap().ok().unwrap();
            assert_eq!(back.as_str(), file.as_str());
        }
        Err(error) => {
            let longer = new.to_string().len() > hash.to_string().len();
            assert!(longer && matches!(error, UsersFileError::BadLine { reason: LineError::TooLong, .. }));
        }
    }
}

/// A name that is gone is nobody's until it is set free.
fn assert_goes_for_good(file: &UsersFile, account: &AccountLine) {
    let gone = file.with_gone(&account.name).unwrap().ok().unwrap();
    assert!(gone.account(&account.name).is_none() && gone.names().count() == file.names().count());
    let free = gone.with_free(&account.name).unwrap().ok().unwrap();
    assert_eq!(free.names().count(), file.names().count() - 1);
}

fn assert_takes_an_account_more(file: &UsersFile) {
    let (name, hash) = ("newcomer".parse().unwrap(), HASH.parse::<StoredHash>().ok());
    let grown = file.with_account(&name, Role::Member, hash.as_ref());
    assert_eq!(grown.is_ok(), file.names().all(|other| *other != name));
    if let Ok(grown) = grown {
        assert!(grown.as_str().starts_with(file.as_str()));
        assert_eq!(grown.accounts().len(), file.accounts().len() + 1);
        assert!(grown.account(&name).is_some_and(|account| account.hash == hash));
        assert!(grown.with_account(&name, Role::Bot, None).is_err());
    }
}
