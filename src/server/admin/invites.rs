//! What an operator does about invites. Tokens are shown once, to whoever asked for the invite.

use std::net::{Ipv6Addr, SocketAddr};

use super::request::Answer;
use crate::link::{DEFAULT_PORT, Link, LinkError};
use crate::names::TimeSpan;
use crate::server::accounts::Role;
use crate::server::clock;
use crate::server::identity;
use crate::server::invites::{Invite, MakeError, NewInvite};
use crate::server::shared::Shared;
use crate::server::stores::Stores;

/// An invite that an operator wants.
pub(super) struct Wanted {
    pub(super) uses: u32,
    pub(super) seconds: u64,
    pub(super) role: Role,
    pub(super) at: Option<String>,
}

/// Makes an invite, and shows it as links, then a line about it.
pub(super) fn make(stores: &Stores, live: Option<&Shared>, wanted: Wanted) -> Answer {
    let Wanted { uses, seconds, role, at } = wanted;
    let lasts = TimeSpan::seconds(seconds).filter(|_| NewInvite::USES.contains(&uses));
    let lasts =
        lasts.ok_or("an invite has 1 to 1000 uses and lasts at most ten years; write --uses 5 --for 7d")?;
    let places = links(stores, live, at)?;
    let made = stores.invites.make(&NewInvite { role, uses, lasts, maker: None });
    let (invite, token) = made.map_err(|error| match error {
        MakeError::NotStored(reason) => reason.to_string(),
        error => error.to_string(),
    })?;
    let token = Some(token.text());
    let with_token = |link: Link| Link { invite: token.clone(), ..link }.to_string();
    let mut lines: Vec<String> = places.into_iter().map(with_token).collect();
    lines.push(format!("invite {}", described(&invite)));
    if live.is_none() {
        lines.push(format!(
            "no server runs; if it will listen elsewhere than on port {DEFAULT_PORT}, change the link or use --at"
        ));
    }
    Ok(lines)
}

/// The invites that can be used, one a line.
pub(super) fn list(stores: &Stores) -> Answer {
    let invites = stores.invites.usable().map_err(|error| error.to_string())?;
    if invites.is_empty() {
        return Ok(vec!["no invite can be used; make one with 'chat admin invite'".to_owned()]);
    }
    Ok(invites.iter().map(described).collect())
}

/// Ends an invite.
pub(super) fn revoke(stores: &Stores, id: i64) -> Answer {
    match stores.invites.revoke(id) {
        Ok(true) => Ok(vec![format!("invite {id} is revoked")]),
        Ok(false) => {
            Err(format!("there is no invite {id} that can be used; list them with 'chat admin invites'"))
        }
        Err(error) => Err(error.to_string()),
    }
}

fn described(Invite { id, role, uses_left, until, maker }: &Invite) -> String {
    let uses = if *uses_left == 1 { "1 use".to_owned() } else { format!("{uses_left} uses") };
    let maker = maker.as_ref().map_or("the operator", |maker| maker.as_str());
    format!("{id}: {uses} left until {}, for a new {role}, made by {maker}", clock::shown(*until))
}

/// To the place that the operator names, or to where the server listens; to the default port if it does not run.
fn links(stores: &Stores, live: Option<&Shared>, at: Option<String>) -> Result<Vec<Link>, String> {
    let key = stores.identity.present().key.public();
    if let Some(at) = at {
        let place: Link = at.parse().map_err(|error: LinkError| error.to_string())?;
        return Ok(vec![Link { server_key: Some(key), ..Link::to_host(&place.host, place.port) }]);
    }
    let everywhere = [SocketAddr::from((Ipv6Addr::UNSPECIFIED, DEFAULT_PORT))];
    let addresses = live.map_or(everywhere.as_slice(), |live| &live.addresses);
    identity::links(key, addresses).map_err(|error| error.to_string())
}
