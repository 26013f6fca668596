//! Configuration files: the options of a command, written down. Each key is the name of an option, so that no option can be
//! missing, and what a file says is read as if it had been typed before everything that was. What is typed wins.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::builder::ArgAction;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::nearest::nearest;

/// The option that names the file.
const FILE: &str = "config";

/// Options that concern this one run and can't stand in a file.
const OF_THE_RUN: [&str; 3] = [FILE, "check_config", "version"];

/// The option that takes `NAME=VALUE` several times, and the table that stands for it.
const LIMIT: &str = "limit";
pub(super) const LIMITS: &str = "limits";

/// What is wrong with a configuration file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// It can't be read.
    #[error("the configuration file {path} can't be read: {source}; check its name and who may read it")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It says something that means nothing; each line tells of one such place.
    #[error("{0}")]
    Wrong(String),
}

/// What was typed, with what a file adds to it.
pub(super) struct Completed {
    /// All of it.
    pub(super) given: ArgMatches,
    /// The file, if there is one.
    pub(super) file: Option<PathBuf>,
}

/// A file that was read.
struct ConfigFile {
    path: PathBuf,
    text: String,
}

/// One option as a file sets it.
struct Setting<'c> {
    option: &'c Arg,
    /// As it would be typed.
    typed: Vec<String>,
}

/// What is wrong, and where in the text.
type Fault = (Range<usize>, String);

/// Reads `arguments` of the program, and the configuration file of the command among them: the one that they name, or
/// else `COMMAND.toml` in `folder` if it is there. Ends the process where the arguments alone mean nothing.
pub(super) fn complete(
    program: &Command,
    mut arguments: Vec<OsString>,
    folder: Option<&Path>,
) -> Result<Completed, ConfigFileError> {
    let given = program.clone().get_matches_from(&arguments);
    let Some((name, typed)) = given.subcommand() else {
        return Ok(Completed { given, file: None });
    };
    let usual = folder.map(|folder| folder.join(format!("{name}.toml")));
    let found = match typed.try_get_one::<PathBuf>(FILE) {
        Ok(named) => ConfigFile::read(named, usual)?,
        Err(_) => None, // a command without a file
    };
    let (Some(file), Some(command)) = (found, program.find_subcommand(name)) else {
        return Ok(Completed { given, file: None });
    };
    let after_command = arguments.iter().position(|argument| argument == name).map_or(1, |place| place + 1);
    arguments.splice(after_command..after_command, file.arguments(command, typed)?);
    let given = program.clone().try_get_matches_from(arguments);
    let given = given
        .map_err(|error| ConfigFileError::Wrong(format!("{}: {}", file.path.display(), reason(&error))))?;
    Ok(Completed { given, file: Some(file.path) })
}

impl ConfigFile {
    /// Reads the file that was named, or else the usual one if it is there.
    fn read(named: Option<&PathBuf>, usual: Option<PathBuf>) -> Result<Option<Self>, ConfigFileError> {
        let Some(path) = named.cloned().or(usual) else { return Ok(None) };
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Self { path, text })),
            Err(error) if named.is_none() && is_absence(&error) => Ok(None),
            Err(source) => Err(ConfigFileError::Unreadable { path, source }),
        }
    }

    /// What the file says for `command`, as it would be typed, without what was `typed` otherwise.
    fn arguments(&self, command: &Command, typed: &ArgMatches) -> Result<Vec<OsString>, ConfigFileError> {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        let mut faults: Vec<Fault> = errors
            .iter()
            .map(|error| (error.span().unwrap_or_default(), error.message().to_owned()))
            .collect();
        let mut settings = Vec::new();
        for (key, value) in table.get_ref() {
            match setting(command, key, value) {
                Ok(setting) => settings.push(setting),
                Err(more) => faults.extend(more),
            }
        }
        if !faults.is_empty() {
            return Err(self.wrong(faults));
        }
        let kept = settings.into_iter().filter(|setting| !is_typed_otherwise(command, setting.option, typed));
        Ok(kept.flat_map(|setting| setting.typed).map(OsString::from).collect())
    }

    fn wrong(&self, mut faults: Vec<Fault>) -> ConfigFileError {
        faults.sort_by_key(|(place, _)| place.start);
        let told = faults.into_iter().map(|(place, fault)| {
            let before = self.text.get(..place.start).unwrap_or(&self.text);
            let line = before.matches('\n').count() + 1;
            format!("{}, line {line}: {fault}", self.path.display())
        });
        ConfigFileError::Wrong(told.collect::<Vec<_>>().join("\n"))
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The options of a command that a file can set.
pub(super) fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|option| !OF_THE_RUN.contains(&option.get_id().as_str()))
}

/// How an option is called in a file.
pub(super) fn key_of(option: &Arg) -> &str {
    match option.get_long() {
        Some(LIMIT) => LIMITS,
        Some(long) => long,
        None => option.get_id().as_str(),
    }
}

fn setting<'c>(
    command: &'c Command,
    key: &Spanned<impl AsRef<str>>,
    value: &Spanned<DeValue<'_>>,
) -> Result<Setting<'c>, Vec<Fault>> {
    let name = key.get_ref().as_ref();
    let Some(option) = options(command).find(|option| key_of(option) == name) else {
        return Err(vec![(key.span(), unknown(command, name))]);
    };
    let mut faults = Vec::new();
    let mut typed = Vec::new();
    for (place, text) in written(option, value).map_err(|fault| vec![(value.span(), fault)])? {
        match refused(command, &text) {
            Some(fault) => faults.push((place, format!("{name}: {fault}"))),
            None => typed.push(text),
        }
    }
    if faults.is_empty() { Ok(Setting { option, typed }) } else { Err(faults) }
}

/// A value as it would be typed, each part with its place in the text.
fn written(option: &Arg, value: &Spanned<DeValue<'_>>) -> Result<Vec<(Range<usize>, String)>, String> {
    let key = key_of(option);
    let one = |value: &Spanned<DeValue<'_>>| {
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            other => {
                return Err(format!(
                    "{key} can't be of the type {}; write a text in quotes",
                    other.type_str()
                ));
            }
        };
        let is_named = option.get_long().is_some();
        Ok((value.span(), if is_named { format!("--{key}={text}") } else { text }))
    };
    match (option.get_action(), value.get_ref()) {
        (ArgAction::SetTrue, DeValue::Boolean(true)) => Ok(vec![(value.span(), format!("--{key}"))]),
        (ArgAction::SetTrue, DeValue::Boolean(false)) => Ok(Vec::new()),
        (ArgAction::SetTrue, _) => Err(format!("{key} must be true or false")),
        (_, DeValue::Table(limits)) if key == LIMITS => Ok(limits
            .iter()
            .map(|(name, value)| {
                (name.span(), format!("--{LIMIT}={}={}", name.get_ref(), shown(value.get_ref())))
            })
            .collect()),
        _ if key == LIMITS => {
            Err(format!("{LIMITS} must be a table, with a line NAME = VALUE for each limit"))
        }
        (ArgAction::Append, DeValue::Array(values)) => values.iter().map(one).collect(),
        _ => one(value).map(|one| vec![one]),
    }
}

/// The value of a limit. What is no number is refused with the limit.
fn shown(value: &DeValue<'_>) -> String {
    value.as_integer().map_or_else(|| value.type_str().to_owned(), ToString::to_string)
}

fn unknown(command: &Command, name: &str) -> String {
    let all: Vec<&str> = options(command).map(key_of).collect();
    nearest(name, all.iter().copied()).map_or_else(
        || format!("there is no option '{name}'; there are {}", all.join(", ")),
        |near| format!("there is no option '{name}'; did you mean {near}?"),
    )
}

/// Why an argument can't be typed after this command, if it can't.
fn refused(command: &Command, argument: &str) -> Option<String> {
    let tried = command.clone().try_get_matches_from([command.get_name(), argument]);
    tried.err().map(|error| reason(&error))
}

/// What is wrong, in a sentence, of all that clap has to say.
fn reason(error: &clap::Error) -> String {
    use std::error::Error;
    let whole = error.to_string();
    let first = whole.lines().next().unwrap_or_default();
    error.source().map_or_else(|| first.trim_start_matches("error: ").to_owned(), ToString::to_string)
}

/// Whether this option, or one that can't stand beside it, was typed. Of limits, each is for itself: both are kept, and
/// what is typed comes later.
fn is_typed_otherwise(command: &Command, option: &Arg, typed: &ArgMatches) -> bool {
    let is_typed =
        |option: &Arg| typed.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine);
    let conflict = |one: &Arg, other: &Arg| command.get_arg_conflicts_with(one).contains(&other);
    let is_meant = |other: &Arg| other == option || conflict(option, other) || conflict(other, option);
    key_of(option) != LIMITS && options(command).any(|other| is_typed(other) && is_meant(other))
}
