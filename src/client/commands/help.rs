//! The manual: each command in a line, by subjects, and each by itself. `/help` shows it, `chat client --help` prints it,
//! and the README has it.

use super::arguments::{explained, usage};
use super::{Entry, SUBJECTS, TypedError, entry, unknown};

/// What stands left of what a command does, in columns.
const USAGE_COLUMNS: usize = 26;

/// All commands, in lines that fit in a row of a terminal of 80 columns.
pub(in crate::client) fn manual() -> Vec<String> {
    let mut lines = Vec::new();
    for (subject, entries) in SUBJECTS {
        lines.push(format!("{subject}:"));
        lines.extend(entries.iter().map(Entry::line));
    }
    lines.push(line("//TEXT", "says /TEXT"));
    lines
}

/// Everything about one command, by its name with or without its `/`.
pub(in crate::client) fn about(name: &str) -> Result<Vec<String>, TypedError> {
    let name = format!("/{}", name.trim_start_matches('/'));
    let entry = entry(&name).ok_or_else(|| unknown(&name))?;
    let takes = entry.meaning.takes();
    let mut lines = vec![format!("{} {}", usage(entry.name, takes), entry.help)];
    lines.extend(Some(explained(takes)).filter(|explained| !explained.is_empty()));
    Ok(lines)
}

impl Entry {
    fn line(&self) -> String {
        line(&usage(self.name, self.meaning.takes()), self.summary())
    }

    /// What the command does, in a few words.
    fn summary(&self) -> &str {
        self.help.split(';').next().unwrap_or_default()
    }
}

fn line(usage: &str, summary: &str) -> String {
    format!("  {usage:USAGE_COLUMNS$} {summary}")
}

#[cfg(test)]
mod tests {
    use super::super::entries;
    use super::*;

    /// A row of 80 without the time and the mark of a note, and the column that stays free.
    const COLUMNS: usize = 80 - "12:34 ! ".len() - 1;

    #[test]
    fn the_manual_has_each_command_once_in_a_row_of_its_own() {
        let manual = manual();
        for line in &manual {
            assert!(line.chars().count() <= COLUMNS, "{line:?} has {}", line.chars().count());
        }
        for entry in entries() {
            let usage = usage(entry.name, entry.meaning.takes());
            assert!(usage.len() <= USAGE_COLUMNS, "{usage}");
            let of_it = manual.iter().filter(|line| line.trim_start().split(' ').next() == Some(entry.name));
            assert_eq!(of_it.count(), 1, "{usage}");
        }
    }

    #[test]
    fn a_command_is_told_of_by_itself_and_a_mistyped_one_with_what_was_meant() {
        let told = about("DEVICES").unwrap();
        assert!(told[0].starts_with("/devices [revoke DEVICE] lists"), "{told:?}");
        assert!(told[1].starts_with("DEVICE is a number"), "{told:?}");
        assert_eq!(about("/who").unwrap().len(), 1);
        let error = about("hlep").unwrap_err().to_string();
        assert!(error.contains("did you mean /help?"), "{error}");
    }
}
