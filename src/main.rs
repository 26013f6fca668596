//! Parses, dispatches, prints the error, sets the exit code.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use chat::cli::{self, Cli, Job};
use chat::memory_secrecy::keep_memory_secret;
use chat::{client, server, terminal_text};
use tracing_subscriber::EnvFilter;

/// The exit code for what can't be asked for in this way.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    keep_memory_secret();
    let (code, error) = match Cli::read() {
        Ok(cli) => run(cli),
        Err(error) => (USAGE, Some(error.to_string())),
    };
    error.map_or(ExitCode::SUCCESS, |error| {
        complain(&error);
        ExitCode::from(code)
    })
}

/// Does what was asked for. Gives what went wrong, and the exit code for it.
fn run(cli: Cli) -> (u8, Option<String>) {
    let verbose = cli.verbose;
    match cli.into_job() {
        Ok(Job::Server(config)) => {
            log("info", verbose);
            (1, server::run(&config, &cli::reread_server).err().map(|error| error.to_string()))
        }
        Ok(Job::CheckConfig(config, in_force)) => {
            log("error", verbose);
            let checked = server::check(&config).map_err(|error| error.to_string());
            (USAGE, checked.and_then(|()| print(&in_force)).err())
        }
        Ok(Job::Client(config)) => {
            log("error", verbose);
            match client::run(config) {
                Ok(()) => (0, None),
                Err(error) => (error.exit_code(), Some(error.to_string())),
            }
        }
        Ok(Job::Admin(config)) => {
            log("error", verbose);
            let lines = server::administer(config).map_err(|error| error.to_string());
            (1, lines.and_then(|lines| print(&lines)).err())
        }
        Err(error) => (error.exit_code(), Some(error.to_string())),
    }
}

/// An answer for the operator, in which others may have written something. A reader may have seen enough before its end.
fn print(lines: &[String]) -> Result<(), String> {
    let mut out = io::stdout().lock();
    let written = lines.iter().try_for_each(|line| writeln!(out, "{}", terminal_text::one_line(line)));
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("it was done, and the answer can't be written: {error}; check where the output goes"))
        }
        _ => Ok(()),
    }
}

/// Where nobody can read it, the exit code tells all the same.
fn complain(error: &str) {
    for line in terminal_text::lines(error) {
        let _ = writeln!(io::stderr(), "chat: {line}");
    }
}

/// Logs go to standard error. `RUST_LOG` decides; without it, `level` and how often `-v` was given.
fn log(level: &str, verbose: u8) {
    let level = match verbose {
        0 => level,
        1 => "chat=debug",
        _ => "chat=trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let ansi = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // Nobody may be reading the log any more; to complain of that on the same closed standard error would be a panic.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ansi)
        .with_target(verbose > 0)
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .init();
}
