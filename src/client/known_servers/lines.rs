//! The lines of `known_servers`, as text: what they say, and the same text with another line in it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::channel::handover::Statement;
use crate::channel::{PublicKey, Suite};

const HEADER: &str = "# The servers that chat knows: host:port, the server's key, the strongest suite seen. Remove a line to forget one.\n";

/// What stands in the third place of a line about a key that was replaced.
const REPLACED: &str = "replaced";

/// The most keys of one server that were replaced and are kept; the oldest ones are forgotten.
pub(super) const REPLACED_MAX: usize = 8;

/// A server that has a line in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) struct Known {
    pub(in crate::client) key: PublicKey,
    /// The strongest that a session with it had.
    pub(in crate::client) suite: Option<Suite>,
    /// The number of its line, from 1.
    pub(in crate::client) line: usize,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// It has one part, or more than four.
    #[error("it is not 'host:port key', 'host:port key suite' or 'host:port key replaced date'")]
    Parts,
    /// No key.
    #[error("the second part is no key: {0}")]
    NoKey(#[from] crate::channel::KeyTextError),
    /// No suite that this version knows.
    #[error("the third part is no suite: there are 'hybrid' and 'classical'")]
    NoSuite,
    /// No day.
    #[error("the fourth part is no date such as 2026-01-31")]
    NoDate,
    /// A server that has a line already; holds its number.
    #[error("it speaks of the same server as line {0}")]
    Repeated(usize),
}

/// A line that is no comment.
pub(super) struct Entry<'t> {
    address: &'t str,
    line: usize,
    pub(super) says: Says,
}

/// What a line says of a server.
#[derive(Clone, Copy)]
pub(super) enum Says {
    /// Its key.
    Known(Known),
    /// A key that it had before.
    Replaced { key: PublicKey, on: Date },
}

/// What the lines say, but for empty ones and comments; the number of the first one that means nothing, and why.
pub(super) fn parse(text: &str) -> Result<Vec<Entry<'_>>, (usize, BadLine)> {
    let mut entries = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        entries.push(parse_line(line, content, &entries).map_err(|reason| (line, reason))?);
    }
    Ok(entries)
}

fn parse_line<'t>(line: usize, content: &'t str, before: &[Entry<'t>]) -> Result<Entry<'t>, BadLine> {
    let parts: Vec<&str> = content.split_whitespace().collect();
    let (address, key, suite) = match *parts {
        [address, key] => (address, key, None),
        [address, key, suite] => (address, key, Some(suite)),
        [address, key, REPLACED, date] => {
            let (key, on) = (key.parse()?, date.parse().map_err(|_| BadLine::NoDate)?);
            return Ok(Entry { address, line, says: Says::Replaced { key, on } });
        }
        _ => return Err(BadLine::Parts),
    };
    if let Some(same) = find(before, address) {
        return Err(BadLine::Repeated(same.line));
    }
    let key = key.parse()?;
    let suite = suite.map(|name| Suite::from_short_name(name).ok_or(BadLine::NoSuite)).transpose()?;
    Ok(Entry { address, line, says: Says::Known(Known { key, suite, line }) })
}

/// What the lines say of the server at `address`.
pub(super) fn find(entries: &[Entry<'_>], address: &str) -> Option<Known> {
    let mut known = entries.iter().filter_map(|entry| match entry.says {
        Says::Known(known) if entry.address.eq_ignore_ascii_case(address) => Some(known),
        Says::Known(_) | Says::Replaced { .. } => None,
    });
    known.next()
}

/// Adds a line at the end.
pub(super) fn append(text: &mut String, line: &str) {
    if text.is_empty() {
        text.push_str(HEADER);
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.extend([line, "\n"]);
}

/// The text in which whoever is known by a key of the chain has the `new` one.
pub(super) fn followed(text: &str, entries: &[Entry<'_>], chain: &[Statement], new: PublicKey) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let step = entries.iter().find(|entry| entry.line == number).and_then(|entry| match entry.says {
            Says::Known(known) => {
                let place = chain.iter().position(|statement| statement.old_key() == known.key)?;
                Some((entry.address, known.suite, chain.get(place..)?))
            }
            Says::Replaced { .. } => None,
        });
        let Some((address, suite, left)) = step else {
            lines.push(line.to_owned());
            continue;
        };
        lines.push(line_of(address, new, suite));
        lines.extend(left.iter().rev().map(|statement| replaced_line(address, statement)));
    }
    without_the_oldest(&lines)
}

/// Keeps, of each server, the first [`REPLACED_MAX`] lines about keys that were replaced; the latest come first.
fn without_the_oldest(lines: &[String]) -> String {
    let mut kept = BTreeMap::new();
    let mut text = String::new();
    for line in lines {
        let mut parts = line.split_whitespace();
        if let (Some(address), Some(REPLACED)) = (parts.next(), parts.nth(1))
            && !address.starts_with('#')
        {
            let count = kept.entry(address.to_ascii_lowercase()).or_insert(0);
            *count += 1;
            if *count > REPLACED_MAX {
                continue;
            }
        }
        text.extend([line, "\n"]);
    }
    text
}

fn replaced_line(address: &str, statement: &Statement) -> String {
    format!("{address} {} {REPLACED} {}", statement.old_key(), day_of(statement.issued()))
}

/// The day of a time in seconds since 1970, in UTC.
pub(in crate::client) fn day_of(seconds: u64) -> Date {
    let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC).date()
}

/// The line of a server.
pub(super) fn line_of(address: &str, key: PublicKey, suite: Option<Suite>) -> String {
    suite
        .map_or_else(|| format!("{address} {key}"), |suite| format!("{address} {key} {}", suite.short_name()))
}

/// The text with another line in the place of that with the number `line`, from 1.
pub(super) fn with_line(text: &str, line: usize, content: &str) -> String {
    let mut changed = String::with_capacity(text.len() + content.len());
    for (number, old) in (1..).zip(text.split_inclusive('\n')) {
        if number == line {
            changed.push_str(content);
            changed.push_str(if old.ends_with('\n') { "\n" } else { "" });
        } else {
            changed.push_str(old);
        }
    }
    changed
}
