//! `SECURITY.md` names the tests that show what it promises; each of them is there.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_test_that_the_security_document_names_is_there() {
    let document = read(&root().join("SECURITY.md"));
    let named: Vec<_> =
        document.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    let tests: Vec<_> = named.into_iter().filter(|(_, name)| is_identifier(name)).collect();
    assert!(tests.len() > 50, "only {} tests are named: this test no longer sees them", tests.len());
    let missing: Vec<_> = tests.iter().filter(|(place, name)| !is_test_in(place, name)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn a_test_that_is_not_there_is_missed() {
    assert!(is_test_in("security_document", "a_test_that_is_not_there_is_missed"));
    assert!(!is_test_in("security_document", "is_test_in"));
    assert!(!is_test_in("security_document", "a_test_that_nobody_wrote"));
    assert!(!is_test_in("no_such_crate", "a_test_that_is_not_there_is_missed"));
}

/// Whether a test has this name: in a crate or folder of the tests, or (`src`) beside the code.
fn is_test_in(place: &str, name: &str) -> bool {
    let start = if place == "src" { root().join("src") } else { root().join("tests").join(place) };
    let files = if start.is_dir() { rust_files(&start) } else { vec![start.with_extension("rs")] };
    let wanted = format!("fn {name}("); // property tests take arguments
    files.iter().filter(|file| file.exists()).any(|file| {
        let text = read(file);
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        lines.iter().enumerate().any(|(number, line)| {
            line.starts_with(&wanted) && lines[number.saturating_sub(4)..number].contains(&"#[test]")
        })
    })
}

fn is_identifier(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] }).collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
