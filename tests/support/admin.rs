//! `chat admin`, as an operator runs it.

use std::path::Path;
use std::process::Command;

use super::{PROGRAM, Refused};

/// `chat admin COMMAND --data DIR`, not yet started.
pub fn admin_command(data: &Path, command: &[&str]) -> Command {
    let mut admin = Command::new(PROGRAM);
    admin.arg("admin").args(command).arg("--data").arg(data).env("TZ", "UTC").env_remove("CHAT_PASSWORD");
    admin
}

/// Runs it. It must do what it is asked, and say nothing on standard error; gives the lines of its answer.
#[track_caller]
pub fn admin(data: &Path, command: &[&str]) -> Vec<String> {
    let ended = admin_ended(data, command);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    ended.stdout.lines().map(str::to_owned).collect()
}

/// Runs it, however it ends.
pub fn admin_ended(data: &Path, command: &[&str]) -> Refused {
    Refused::run_command(&mut admin_command(data, command))
}
