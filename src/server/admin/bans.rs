//! Bans as an operator makes, lifts and reads them.

use super::request::Answer;
use crate::names::{BanReason, TimeSpan, Username};
use crate::server::bans::{Ban, Subject, Whom};
use crate::server::clock;
use crate::server::moderation;
use crate::server::shared::Shared;
use crate::server::stores::Stores;

/// Bans someone, for so many seconds or for ever.
pub(super) fn ban(
    stores: &Stores,
    live: Option<&Shared>,
    whom: &str,
    seconds: Option<u64>,
    reason: Option<&str>,
) -> Answer {
    let Whom { subject, or_account } = parsed(whom)?;
    let is_account = |name: &Username| stores.accounts.account(name).is_some();
    if let Some(name) = or_account.filter(is_account) {
        let other = if matches!(subject, Subject::Device(_)) { "device" } else { "address" };
        return Err(format!(
            "'{name}' is the name of an account, too; write account:{name} or {other}:{name}"
        ));
    }
    if let Subject::Account(name) = &subject
        && !is_account(name)
    {
        return Err(format!("there is no account '{name}'; check the name"));
    }
    let span = seconds.map(|seconds| TimeSpan::seconds(seconds).ok_or("a ban takes one second to ten years"));
    let span = span.transpose()?;
    let reason = reason.map(str::parse::<BanReason>).transpose().map_err(|error| error.to_string())?;
    let at = clock::now();
    let until = span.map(|span| at.saturating_add(span.milliseconds()));
    let made = Ban { subject, reason, by: None, at, until };
    let mut lines = vec![format!("{} is banned {}", shown(&made.subject), until_when(&made))];
    let ended = moderation::ban(stores, live, made).map_err(|error| error.to_string())?;
    if live.is_some() {
        lines.push(format!("{ended} connected, ended"));
    }
    Ok(lines)
}

/// Lifts a ban.
pub(super) fn unban(stores: &Stores, whom: &str) -> Answer {
    let Whom { subject, or_account } = parsed(whom)?;
    for subject in [Some(subject), or_account.map(Subject::Account)].into_iter().flatten() {
        let lifted = stores.bans.lift(&subject, clock::now()).map_err(|error| error.to_string())?;
        if lifted.is_some() {
            tracing::info!(%subject, "a ban was lifted");
            return Ok(vec![format!("{} is not banned any more", shown(&subject))]);
        }
    }
    Err(format!("'{whom}' is not banned; 'chat admin bans' lists who is"))
}

/// Who is banned, the one first that was banned first.
pub(super) fn list(stores: &Stores) -> Vec<String> {
    let bans = stores.bans.in_force(clock::now());
    let lines: Vec<String> = bans.iter().map(line).collect();
    if lines.is_empty() { vec!["nobody is banned".to_owned()] } else { lines }
}

fn parsed(whom: &str) -> Result<Whom, String> {
    whom.parse().map_err(|error| format!("'{whom}' can't be banned: {error}"))
}

/// The subject comes first, as it is typed to lift the ban.
fn line(ban: &Ban) -> String {
    let by = ban.by.as_ref().map_or_else(|| "the operator".to_owned(), ToString::to_string);
    let reason = ban.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    let (subject, until, at) = (&ban.subject, until_when(ban), clock::shown(ban.at));
    format!("{subject}  {until}, by {by} on {at}{reason}")
}

fn until_when(ban: &Ban) -> String {
    ban.until.map_or_else(|| "for ever".to_owned(), |until| format!("until {}", clock::shown(until)))
}

fn shown(subject: &Subject) -> String {
    match subject {
        Subject::Account(name) => format!("the account {name}"),
        Subject::Device(fingerprint) => format!("the device {fingerprint}"),
        Subject::Addresses(network) => format!("whoever comes from {network}"),
    }
}
