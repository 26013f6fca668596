//! Every committed seed of the fuzzer, through the targets that it drives.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chat::names; // where the parser of `users.db` looks for it

#[path = "fuzz/targets/mod.rs"]
pub mod targets;

/// A target, by the name of its folder. It tells whether its bytes were accepted.
type Target = (&'static str, fn(&[u8]) -> bool);

const TARGETS: [Target; 6] = [
    ("cbor", targets::cbor::run),
    ("frames", targets::frames::run),
    ("handshake", targets::handshake::run),
    ("links", targets::links::run),
    ("terminal_text", targets::terminal_text::run),
    ("users_db", targets::users_db::run),
];

/// The most bytes that the seeds may have together.
const CORPUS_BYTES_MAX: usize = 1 << 20;

/// Seeds that were made by hand say in their names what becomes of them, so that they can't go stale unnoticed.
#[test]
fn every_seed_keeps_the_promises_of_its_target() {
    let mut total = 0;
    for (name, run) in TARGETS {
        let (mut good, mut bad) = (0, 0);
        for seed in files(&corpus().join(name)) {
            let bytes = fs::read(&seed).unwrap();
            total += bytes.len();
            println!("{}", seed.display()); // seen when it fails
            let accepted = run(&bytes);
            let file = seed.file_name().unwrap().to_string_lossy();
            if file.starts_with("good-") {
                assert!(accepted, "{} is refused", seed.display());
                good += 1;
            } else if file.starts_with("bad-") {
                assert!(!accepted, "{} is accepted", seed.display());
                bad += 1;
            }
        }
        assert!(good > 0 && bad > 0, "{name} lacks seeds: {good} good ones, {bad} bad ones");
    }
    assert!(total <= CORPUS_BYTES_MAX, "{total} bytes of seeds");
}

#[test]
fn every_target_of_the_fuzzer_is_replayed() {
    let names: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stems = |folder: &Path| -> BTreeSet<_> {
        files(folder).iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(stems(&corpus()), names);
    assert_eq!(stems(&corpus().with_file_name("bins")), names);
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus")
}

/// What lies in a folder, in the order of the names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
