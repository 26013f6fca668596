//! The link that a server prints and a person pastes: where a server is, and which key it must have.
//!
//! `chat://[user@]host[:port][/room][?invite=TOKEN][#SERVERKEY]`, or just `host` or `host:port`. An IPv6 address stands in
//! brackets. In a user's name, what is not ASCII is written as `%` and two hexadecimal digits for each byte of UTF-8
//! (RFC 3986, section 2.1), so that a link has one direction and passes through anything; it is also read as it is.

use std::fmt;
use std::str::FromStr;

use crate::channel::PublicKey;
use crate::names::{InviteText, RoomName, Username};

/// The port of a server that is not told otherwise.
pub const DEFAULT_PORT: u16 = 5555;

/// The longest host name (RFC 1035, section 2.3.4).
const HOST_CHARS_MAX: usize = 253;

/// What stands before an invite in a link.
const INVITE: &str = "invite";

/// Where to go, as whom, and whom to expect there. Who has a link with an invite may sign up: its text shows it, and its
/// `Debug` does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The account to log in to.
    pub user: Option<Username>,
    /// A host name or an address, without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The room to enter.
    pub room: Option<RoomName>,
    /// What lets someone sign up.
    pub invite: Option<InviteText>,
    /// The key that the server must prove to hold; without it, `known_servers` decides.
    pub server_key: Option<PublicKey>,
}

/// A text is no link. Each variant says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The host is missing or has characters that no host has.
    #[error("'{0}' is no host; write a name or an address, for example chat.example.org or 192.168.1.5:5555")]
    Host(String),
    /// The port is no number from 1 to 65535.
    #[error("'{0}' is no port; write a number from 1 to 65535")]
    Port(String),
    /// Something else than `chat://` stands before the host.
    #[error("a link begins with chat://, not with {0}://")]
    Scheme(String),
    /// The user is no name.
    #[error("the name in the link is none: {0}")]
    User(#[from] crate::names::UsernameError),
    /// The room is no room name.
    #[error("the room in the link is none: {0}")]
    Room(#[from] crate::names::RoomNameError),
    /// What stands after `?invite=` is no invite.
    #[error("the link's invite is damaged: {0}")]
    Invite(#[from] crate::names::InviteTokenError),
    /// The part after `#` is no key: most likely the link was cut when it was copied.
    #[error("the link's key is damaged ({0}); copy the whole link again, and put it in quotes")]
    ServerKey(#[from] crate::channel::KeyTextError),
    /// Something that a newer version may understand.
    #[error("the link has a part that this version does not know: '{0}'; a newer chat may know it")]
    Unknown(String),
}

impl Link {
    /// A link with nothing but the place.
    pub fn to_host(host: &str, port: u16) -> Self {
        Self { user: None, host: host.to_owned(), port, room: None, invite: None, server_key: None }
    }

    /// `host:port`, with the brackets of an IPv6 address: what is resolved, shown, and kept in `known_servers`.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let rest = match text.split_once("://") {
            Some(("chat", rest)) => rest,
            Some((scheme, _)) => return Err(LinkError::Scheme(scheme.to_owned())),
            None => text,
        };
        let (rest, server_key) = match rest.split_once('#') {
            Some((rest, key)) => (rest, Some(key.parse()?)),
            None => (rest, None),
        };
        let (rest, invite) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(invite_of(query)?)),
            None => (rest, None),
        };
        let (rest, room) = match rest.split_once('/') {
            Some((rest, "")) => (rest, None),
            Some((rest, room)) => (rest, Some(format!("#{room}").parse()?)),
            None => (rest, None),
        };
        let (user, place) = match rest.split_once('@') {
            Some((user, place)) => (Some(percent_decoded(user).parse()?), place),
            None => (None, rest),
        };
        let (host, port) = host_and_port(place)?;
        Ok(Self { user, host, port, room, invite, server_key })
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("chat://")?;
        if let Some(user) = &self.user {
            for byte in user.as_str().bytes() {
                if byte.is_ascii() { write!(f, "{}", char::from(byte))? } else { write!(f, "%{byte:02X}")? }
            }
            f.write_str("@")?;
        }
        f.write_str(&self.address())?;
        if let Some(room) = &self.room {
            write!(f, "/{}", room.as_str().trim_start_matches('#'))?;
        }
        if let Some(invite) = &self.invite {
            write!(f, "?{INVITE}={}", invite.as_str())?;
        }
        if let Some(key) = &self.server_key {
            write!(f, "#{key}")?;
        }
        Ok(())
    }
}

/// The invite in what stands after the `?`. Only the names of other parts are told: what they hold may be secret.
fn invite_of(query: &str) -> Result<InviteText, LinkError> {
    match query.split_once('=') {
        Some((INVITE, token)) => Ok(token.parse()?),
        Some((name, _)) => Err(LinkError::Unknown(format!("?{name}"))),
        None => Err(LinkError::Unknown(format!("?{query}"))),
    }
}

/// The text with each `%` and two hexadecimal digits in it replaced by that byte. As it is, if some are damaged or the
/// result is not UTF-8: no name has a `%` in it, so it will be refused with what was given.
fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            return text.to_owned();
        };
        bytes.push(byte);
        bytes.extend(part.bytes().skip(2));
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn host_and_port(place: &str) -> Result<(String, u16), LinkError> {
    let (host, port) = if let Some(bracketed) = place.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']').ok_or_else(|| LinkError::Host(place.to_owned()))?;
        let port = match after {
            "" => None,
            _ => Some(after.strip_prefix(':').ok_or_else(|| LinkError::Host(place.to_owned()))?),
        };
        (host, port)
    } else if place.matches(':').count() > 1 {
        (place, None) // an IPv6 address without brackets and without a port
    } else {
        place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port)))
    };
    let is_host_character = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '%');
    if host.is_empty() || host.len() > HOST_CHARS_MAX || !host.chars().all(is_host_character) {
        return Err(LinkError::Host(host.to_owned()));
    }
    let port = match port {
        None => DEFAULT_PORT,
        Some(text) => {
            text.parse().ok().filter(|port| *port != 0).ok_or_else(|| LinkError::Port(text.to_owned()))?
        }
    };
    Ok((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUv-_";

    #[test]
    fn a_link_survives_its_text() {
        let key = PublicKey::from_bytes([5; 32]);
        let full = Link {
            user: Some("alice".parse().unwrap()),
            host: "2001:db8::1".into(),
            port: 5556,
            room: Some(RoomName::lobby()),
            invite: Some(TOKEN.parse().unwrap()),
            server_key: Some(key),
        };
        let text = format!("chat://alice@[2001:db8::1]:5556/lobby?invite={TOKEN}#{key}");
        assert_eq!(full.to_string(), text);
        assert!(!format!("{full:?}").contains(TOKEN));
        for link in [full, Link::to_host("localhost", 5555)] {
            assert_eq!(link.to_string().parse(), Ok(link));
        }
    }

    #[test]
    fn a_name_of_any_script_survives_its_link_which_is_ascii() {
        for name in ["алиса", "שלום", "王伟", "zoë"] {
            let link = Link { user: Some(name.parse().unwrap()), ..Link::to_host("localhost", 5555) };
            assert!(link.to_string().is_ascii(), "{link}");
            assert_eq!(link.to_string().parse().as_ref(), Ok(&link));
            assert_eq!(format!("chat://{name}@localhost").parse(), Ok(link), "as it is typed");
        }
        assert_eq!("zo%c3%AB@h".parse::<Link>().unwrap().to_string(), "chat://zo%C3%AB@h:5555");
        for text in
            ["bob%@h", "bob%4@h", "bob%zz@h", "%ff%fe@h", "bob%+1@h", "b%é@h", "a%20b@h", "a%00@h", "a%3ab@h"]
        {
            let refused = LinkError::User(crate::names::UsernameError::BadCharacter);
            assert_eq!(text.parse::<Link>(), Err(refused), "{text}");
        }
    }

    #[test]
    fn what_people_type_is_understood() {
        let cases = [
            ("localhost", "localhost:5555"),
            ("Host.Example.ORG:99", "host.example.org:99"),
            ("127.0.0.1", "127.0.0.1:5555"),
            ("::1", "[::1]:5555"),
            ("[::1]:7", "[::1]:7"),
            ("chat://localhost/", "localhost:5555"),
        ];
        for (text, address) in cases {
            assert_eq!(text.parse::<Link>().map(|link| link.address()).as_deref(), Ok(address), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_link_is_refused_with_what_to_write_instead() {
        let no_host = |host: &str| LinkError::Host(host.into());
        let cases = [
            ("", no_host("")),
            ("chat://", no_host("")),
            ("a b", no_host("a b")),
            ("[::1", no_host("[::1")),
            ("[::1]x", no_host("[::1]x")),
            ("\u{1b}[2J", no_host("\u{1b}[2J")),
            ("host:0", LinkError::Port("0".into())),
            ("host:65536", LinkError::Port("65536".into())),
            ("host:", LinkError::Port(String::new())),
            ("http://host", LinkError::Scheme("http".into())),
            ("host#short", LinkError::ServerKey(crate::channel::KeyTextError)),
            ("host?invite=x", LinkError::Invite(crate::names::InviteTokenError)),
            ("host?invite=", LinkError::Invite(crate::names::InviteTokenError)),
            ("host?Invite=secret", LinkError::Unknown("?Invite".into())),
            ("host?", LinkError::Unknown("?".into())),
            ("a:b@host", LinkError::User(crate::names::UsernameError::BadCharacter)),
            ("host/a/b", LinkError::Room(crate::names::RoomNameError::BadCharacter)),
        ];
        for (text, reason) in cases {
            assert_eq!(text.parse::<Link>(), Err(reason), "{text:?}");
        }
    }
}
