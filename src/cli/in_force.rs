//! What `--check-config` shows: every option as it is in force, in the form of a configuration file.

use std::collections::BTreeMap;

use clap::builder::ArgAction;
use clap::{Arg, ArgMatches, Command};

use super::config_file::{Completed, LIMITS, key_of, options};

/// The options of the command that was given, with what they are set to. Those that are not set say what they are for.
pub(super) fn lines(program: &Command, completed: &Completed) -> Vec<String> {
    let Some((name, given)) = completed.given.subcommand() else { return Vec::new() };
    let Some(command) = program.find_subcommand(name) else { return Vec::new() };
    let file =
        completed.file.as_ref().map_or_else(|| "no file".to_owned(), |file| file.display().to_string());
    let mut lines = vec![format!("# 'chat {name}' by what was typed and {file}:")];
    let (limits, others): (Vec<&Arg>, Vec<&Arg>) =
        options(command).partition(|option| key_of(option) == LIMITS);
    for option in others {
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        lines.extend([String::new(), format!("# {}", help.replace('\n', " ")), setting(option, given)]);
    }
    for option in limits {
        lines.extend(["", "# Limits that are not here have their defaults.", "[limits]"].map(str::to_owned));
        lines.extend(limits_set(option, given));
    }
    lines
}

/// The last one of each name counts.
fn limits_set(option: &Arg, given: &ArgMatches) -> Vec<String> {
    let values = values(option, given);
    let limits: BTreeMap<&str, &str> = values.iter().filter_map(|limit| limit.split_once('=')).collect();
    limits.into_iter().map(|(name, value)| format!("{name} = {value}")).collect()
}

fn setting(option: &Arg, given: &ArgMatches) -> String {
    let key = key_of(option);
    let values: Vec<String> = values(option, given).iter().map(|value| quoted(value)).collect();
    match option.get_action() {
        ArgAction::SetTrue => format!("{key} = {}", given.get_flag(option.get_id().as_str())),
        _ if values.is_empty() => format!("# {key} is not set"),
        ArgAction::Append => format!("{key} = [{}]", values.join(", ")),
        _ => format!("{key} = {}", values.concat()),
    }
}

fn values(option: &Arg, given: &ArgMatches) -> Vec<String> {
    let raw = given.get_raw(option.get_id().as_str());
    raw.into_iter().flatten().map(|value| value.to_string_lossy().into_owned()).collect()
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_read_back_as_it_was() {
        for text in ["", "plain", "C:\\tea \"black\"", "a\tb\u{7f}é"] {
            let document = format!("key = {}", quoted(text));
            let table = toml::de::DeTable::parse(&document).unwrap().into_inner();
            assert_eq!(table.iter().next().unwrap().1.get_ref().as_str(), Some(text));
        }
    }
}
