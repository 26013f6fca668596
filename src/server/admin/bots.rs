//! Bots as an operator makes, lists and ends them. A token is shown once, to whoever asked for it.

use std::collections::BTreeMap;

use tracing::info;

use super::request::Answer;
use crate::names::{NewUsername, RoomName, TimeSpan, Username};
use crate::server::accounts::Role;
use crate::server::bots::{ENDED, NewToken, Scope, Token};
use crate::server::clock;
use crate::server::departure;
use crate::server::deputy::Deputy;
use crate::server::log::{LogReader, RoomId, Target, Wish};
use crate::server::shared::Shared;
use crate::server::stores::Stores;

/// A token that an operator wants.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) rooms: Vec<String>,
    pub(super) reads: bool,
    pub(super) writes: bool,
    pub(super) seconds: Option<u64>,
}

/// Makes a bot, or another token for one that there is, and brings it into the rooms of the token. The first line of the
/// answer is the token.
pub(super) fn add(stores: &Stores, live: Option<&Shared>, wanted: Wanted) -> Answer {
    let Wanted { name, rooms, reads, writes, seconds } = wanted;
    let name: Username = name.parse().map_err(|error| format!("'{name}' is no name: {error}"))?;
    let lasts =
        seconds.map(|seconds| TimeSpan::seconds(seconds).ok_or("a token lasts one second to ten years"));
    let lasts = lasts.transpose()?;
    let mut deputy = Deputy::to(stores, live).map_err(|error| error.to_string())?;
    let log = deputy.reader(stores).map_err(|error| error.to_string())?;
    let rooms = rooms.iter().map(|room| known(&log, room)).collect::<Result<BTreeMap<_, _>, _>>()?;
    let is_new = match stores.accounts.account(&name).map(|account| account.role) {
        None => true,
        Some(Role::Bot) => false,
        Some(_) => return Err(format!("'{name}' is a person's account; choose another name for the bot")),
    };
    if is_new {
        let new =
            NewUsername::parse(name.clone()).map_err(|error| format!("'{name}' can't be had: {error}"))?;
        stores
            .accounts
            .add_bot(&new, |_| departure::forget(stores, live, &name))
            .map_err(|error| error.to_string())?;
    }
    enter(&mut deputy, &log, &name, &rooms)?;
    let scope = Scope::new(rooms.into_keys().collect(), reads, writes);
    let (token, secret) =
        stores.bots.make(NewToken { account: name, scope, lasts }).map_err(|error| error.to_string())?;
    info!(name = %token.account, id = token.id, scope = token.scope.in_words(), "a bot has a token");
    Ok(vec![secret.text().to_string(), described(&token)])
}

/// All tokens, and the bots that have none.
pub(super) fn list(stores: &Stores) -> Answer {
    let tokens = stores.bots.all().map_err(|error| error.to_string())?;
    let bots = stores.accounts.all().into_iter().filter(|account| account.role == Role::Bot);
    let without = bots.filter(|bot| tokens.iter().all(|token| token.account != bot.name));
    let without: Vec<String> = without
        .map(|bot| format!("{} has no token; 'chat admin add-bot {}' makes one", bot.name, bot.name))
        .collect();
    let lines: Vec<String> = tokens.iter().map(described).chain(without).collect();
    if lines.is_empty() {
        return Ok(vec!["there are no bots; make one with 'chat admin add-bot'".to_owned()]);
    }
    Ok(lines)
}

/// Ends a token, and the sessions that came in by it.
pub(super) fn revoke(stores: &Stores, live: Option<&Shared>, id: i64) -> Answer {
    let account = stores.bots.revoke(id).map_err(|error| error.to_string())?;
    let account = account.ok_or_else(|| format!("there is no token {id}; 'chat admin bots' lists all"))?;
    if let Some(shared) = live {
        shared.hub.end_sessions(&account, &ENDED, |_, member| member.token_id() == Some(id));
    }
    info!(%account, id, "a bot's token was revoked");
    Ok(vec![format!("token {id} of {account} is revoked")])
}

/// A room that there is.
fn known(log: &LogReader, text: &str) -> Result<(RoomName, RoomId), String> {
    let room: RoomName = text.parse().map_err(|error| format!("'{text}' is no room: {error}"))?;
    match log.room_named(&room) {
        Ok(Some(id)) => Ok((room, id)),
        Ok(None) => Err(format!("there is no room {room}; 'chat admin rooms' lists all")),
        Err(error) => Err(error.to_string()),
    }
}

/// Brings a bot into rooms, private ones too: it is the operator who wants it.
fn enter(
    deputy: &mut Deputy<'_>,
    log: &LogReader,
    name: &Username,
    rooms: &BTreeMap<RoomName, RoomId>,
) -> Result<(), String> {
    let inside = log.rooms_of(name).map_err(|error| error.to_string())?;
    let is_outside =
        |room: &RoomName| !room.is_lobby() && inside.iter().all(|other| other.room != room.as_str());
    for (room, id) in rooms.iter().filter(|(room, _)| is_outside(room)) {
        let join = Wish::In { room: *id, target: Target::Join };
        if !deputy.change(name, join).map_err(|error| error.to_string())? {
            return Err(format!(
                "{name} can't enter {room} (it may be banned there), and has no new token; do it again without that room"
            ));
        }
    }
    Ok(())
}

fn described(Token { id, account, scope, until, last_used }: &Token) -> String {
    let until = until
        .map_or_else(|| "until it is revoked".to_owned(), |until| format!("until {}", clock::shown(until)));
    let used =
        last_used.map_or_else(|| "never used".to_owned(), |used| format!("last used {}", clock::shown(used)));
    format!("{id}: {account} {}, {until}, {used}", scope.in_words())
}
