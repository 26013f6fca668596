//! The rule of imports in `lib.rs`, held against the source.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

/// What each part may import. Who is not named here may not be there.
const MAY_IMPORT: [(&str, &[&str]); 16] = [
    ("names", &[]),
    ("nearest", &[]),
    ("terminal_text", &[]),
    ("memory_secrecy", &[]),
    ("secrecy", &[]),
    ("private_file", &[]),
    ("socket", &[]),
    ("channel", &[]),
    ("secret_source", &["names"]),
    ("wire", &["names"]),
    ("link", &["names", "channel"]),
    ("limit", &["nearest", "channel"]),
    ("server", &["secret_source", "names", "private_file", "socket", "channel", "wire", "link", "limit"]),
    (
        "client",
        &[
            "secret_source",
            "names",
            "private_file",
            "nearest",
            "terminal_text",
            "socket",
            "channel",
            "wire",
            "link",
            "limit",
        ],
    ),
    ("cli", &["secret_source", "names", "nearest", "wire", "link", "limit", "server", "client"]),
    ("lib", &[]),
];

#[test]
fn imports_run_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut checked = 0;
    for file in rust_files(&source) {
        let part = part_of(&source, &file);
        if part == "main" {
            continue;
        }
        let allowed = MAY_IMPORT.iter().find(|(name, _)| *name == part).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{part} has no place in the map"));
        for imported in imports(&fs::read_to_string(&file).unwrap()) {
            checked += 1;
            if imported != part && !allowed.contains(&imported.as_str()) {
                wrong.push(format!("{} imports {imported}", file.display()));
            }
        }
    }
    assert!(checked > 30, "only {checked} imports were found: the test no longer sees them");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_way_to_write_an_import_is_seen() {
    let text =
        "use crate::names::{self, X};\nuse crate::{wire::A, link};\nlet x = crate::socket::Y;\n// crate::no";
    assert_eq!(imports(text), ["names", "wire", "link", "socket"]);
}

#[test]
fn no_file_grows_past_what_one_thing_needs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = [root.join("src"), root.join("tests")]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .collect::<Vec<_>>();
    let lines = |file: &PathBuf| fs::read_to_string(file).unwrap().lines().count();
    let long: Vec<_> = files.iter().filter(|file| lines(file) > 500).collect();
    assert!(long.is_empty(), "each of these holds two things: {long:#?}");
}

/// The parts of the crate that a file's text names after `crate::`, outside comments.
fn imports(text: &str) -> Vec<String> {
    let code: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut found = Vec::new();
    for after in code.join("\n").split("crate::").skip(1) {
        let group = after.strip_prefix('{').and_then(|rest| rest.split('}').next());
        for path in group.unwrap_or(after).split(if group.is_some() { ',' } else { '\0' }) {
            let name: String = path.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !name.is_empty() {
                found.push(name);
            }
        }
    }
    found
}

fn part_of(source: &Path, file: &Path) -> String {
    let first = file.strip_prefix(source).unwrap().components().next().unwrap();
    Path::new(first.as_os_str()).file_stem().unwrap().to_string_lossy().into_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
