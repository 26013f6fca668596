//! What a program asks for: one object a line. A line is a request as a whole or not at all.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::names::{BanReason, MessageText, RoomName, TimeSpan, Topic, Username};
use crate::wire::MessageId;

/// The longest line, in bytes: a message in which each byte is written `\u00XX`, and what stands around it.
pub(super) const LINE_BYTES_MAX: usize = 128 * 1024;

/// What a program has called its request; it comes back with the answer.
pub(super) type Ref = Option<Value>;

/// What a program can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Request {
    Say {
        room: Parsed<RoomName>,
        text: Parsed<MessageText>,
        /// The same as before if it is said again by a program that has not seen it accepted.
        id: Option<Parsed<Id>>,
    },
    Join {
        room: Parsed<RoomName>,
    },
    Part {
        room: Parsed<RoomName>,
    },
    Create {
        room: Parsed<RoomName>,
        #[serde(default)]
        private: bool,
    },
    Topic {
        room: Parsed<RoomName>,
        topic: Parsed<Topic>,
    },
    Add {
        room: Parsed<RoomName>,
        name: Parsed<Username>,
    },
    Op {
        room: Parsed<RoomName>,
        name: Parsed<Username>,
    },
    Deop {
        room: Parsed<RoomName>,
        name: Parsed<Username>,
    },
    Kick {
        room: Parsed<RoomName>,
        name: Parsed<Username>,
        reason: Option<Parsed<BanReason>>,
    },
    Ban {
        room: Parsed<RoomName>,
        name: Parsed<Username>,
        r#for: Option<Parsed<TimeSpan>>,
        reason: Option<Parsed<BanReason>>,
    },
    Unban {
        room: Parsed<RoomName>,
        name: Parsed<Username>,
    },
    Mute {
        room: Parsed<RoomName>,
        name: Parsed<Username>,
        r#for: Option<Parsed<TimeSpan>>,
        reason: Option<Parsed<BanReason>>,
    },
    Unmute {
        room: Parsed<RoomName>,
        name: Parsed<Username>,
    },
    Purge {
        room: Parsed<RoomName>,
        name: Parsed<Username>,
        last: Option<Parsed<TimeSpan>>,
    },
    Sanctions {
        room: Parsed<RoomName>,
        after: Option<String>,
    },
    Moderations {
        room: Parsed<RoomName>,
        before: Option<u64>,
    },
    Rooms {},
    People {
        room: Parsed<RoomName>,
    },
    WhoIs {
        name: Parsed<Username>,
    },
    List {
        after: Option<String>,
    },
    Describe {
        room: Parsed<RoomName>,
    },
    Members {
        room: Parsed<RoomName>,
        after: Option<String>,
    },
    History {
        room: Parsed<RoomName>,
        before: Option<u64>,
        after: Option<u64>,
        count: Option<u16>,
    },
    Search {
        words: String,
        room: Option<Parsed<RoomName>>,
        from: Option<Start>,
        count: Option<u16>,
    },
    Quit {},
}

/// Where a search goes on, as the one before has told it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    pub(super) room: String,
    pub(super) sequence: u64,
}

/// A text that is parsed as it is anywhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parsed<T>(pub(super) T);

/// An id as it is written in JSON: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) MessageId);

/// A line that is no request: what it has called itself, if that can be read, and why it means nothing.
#[derive(Debug, PartialEq)]
pub(super) struct NoRequest {
    pub(super) r#ref: Ref,
    pub(super) reason: String,
}

/// Reads a line.
pub(super) fn read(line: &str) -> Result<(Ref, Request), NoRequest> {
    let no_request = |r#ref, error: serde_json::Error| NoRequest { r#ref, reason: reason(&error) };
    let mut fields: Map<String, Value> =
        serde_json::from_str(line).map_err(|error| no_request(None, error))?;
    let r#ref = fields.remove("ref");
    match serde_json::from_value(fields.into()) {
        Ok(request) => Ok((r#ref, request)),
        Err(error) => Err(no_request(r#ref, error)),
    }
}

fn reason(error: &serde_json::Error) -> String {
    format!(
        "not done: {error}; write one object a line, such as {{\"do\":\"say\",\"room\":\"#lobby\",\"text\":\"hi\"}}"
    )
}

impl<'d, T: FromStr<Err: Display>> Deserialize<'d> for Parsed<T> {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

impl FromStr for Id {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let is_id = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = is_id.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        let number = number.ok_or("an id has 32 hexadecimal digits")?;
        Ok(Self(MessageId::from_bytes(number.to_be_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_its_ref_whatever_that_is() {
        let line = r##"{"do":"say","room":"#Lobby","text":"a\nb \u00e9","id":"00112233445566778899AABBCCDDEEFF","ref":[7]}"##;
        let (r#ref, request) = read(line).unwrap();
        assert_eq!(r#ref, Some(serde_json::json!([7])));
        let Request::Say { room: Parsed(room), text: Parsed(text), id: Some(Parsed(Id(id))) } = request
        else {
            panic!("{request:?}")
        };
        assert_eq!((room.as_str(), text.as_str(), id.as_bytes()[1]), ("#lobby", "a\nb é", 0x11));
        assert_eq!(read(r#"{"do":"quit"}"#), Ok((None, Request::Quit {})));
    }

    #[test]
    fn what_means_nothing_is_told_with_its_ref_and_what_is_wrong() {
        let cases = [
            ("hello", "expected value"),
            ("[\"quit\"]", "expected a map"),
            ("{}", "missing field `do`"),
            (r#"{"do":"shout"}"#, "unknown variant `shout`"),
            (r#"{"do":"say","room":"lobby","text":"x"}"#, "begins with '#'"),
            (r##"{"do":"say","room":"#lobby"}"##, "missing field `text`"),
            (r##"{"do":"say","room":"#lobby","text":""}"##, "nothing to say"),
            (r##"{"do":"say","room":"#lobby","text":"x","txt":"y"}"##, "unknown field `txt`"),
            (r##"{"do":"say","room":"#lobby","text":"x","id":"+1"}"##, "32 hexadecimal digits"),
            (r##"{"do":"history","room":"#lobby","count":-1}"##, "invalid value"),
            (r#"{"do":"quit"} {"do":"quit"}"#, "trailing characters"),
        ];
        for (line, reason) in cases {
            let error = read(line).unwrap_err();
            assert!(error.reason.contains(reason), "{line}: {}", error.reason);
        }
        let error = read(r#"{"do":"shout","ref":"a"}"#).unwrap_err();
        assert_eq!(error.r#ref, Some("a".into()));
    }
}
