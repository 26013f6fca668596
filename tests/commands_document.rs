//! The commands in the README are those that there are.
#![cfg(test)]

use std::process::Command;

#[test]
fn the_readme_has_all_commands_as_the_program_tells_them() {
    let help = Command::new(env!("CARGO_BIN_EXE_chat")).args(["client", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, manual) = help.split_once("What can be typed:\n").unwrap();
    let block = format!("```text\n{}\n```", manual.trim_end());
    assert!(block.contains("/quit"), "{block}");
    let readme = include_str!("../README.md");
    assert!(readme.contains(&block), "README.md must have this block:\n{block}");
}
