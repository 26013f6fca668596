//! Who is banned, and how that is written.

use std::fmt;
use std::str::FromStr;

use super::network::{Network, NetworkError};
use crate::channel::Fingerprint;
use crate::names::{Username, UsernameError};

/// What a ban is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// An account, from whatever address, with whatever device.
    Account(Username),
    /// A device, by its key's fingerprint, whosever it is.
    Device(Fingerprint),
    /// Everyone who comes from there.
    Addresses(Network),
}

/// Why a text is no [`Subject`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SubjectError {
    /// After `account:`, or at all.
    #[error(transparent)]
    Account(#[from] UsernameError),
    /// After `device:`.
    #[error("a device's fingerprint has 32 hexadecimal digits; 'chat admin devices NAME' shows them")]
    Device,
    /// After `address:`, or something with a slash or a colon in it.
    #[error(transparent)]
    Addresses(#[from] NetworkError),
}

/// A text as an operator writes it. Names may look like addresses and fingerprints, so each kind can be named before it
/// (`account:`, `device:`, `address:`); what is not is an address if it can be one, else a fingerprint, else a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whom {
    pub(crate) subject: Subject,
    /// It can be a name as well, and is taken for something else.
    pub(crate) or_account: Option<Username>,
}

impl FromStr for Whom {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let subject = text.parse()?;
        let can_be_a_name = !matches!(subject, Subject::Account(_));
        Ok(Self { subject, or_account: text.parse().ok().filter(|_| can_be_a_name) })
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        if let Some(name) = text.strip_prefix("account:") {
            return Ok(Self::Account(name.parse()?));
        }
        if let Some(digits) = text.strip_prefix("device:") {
            return fingerprint(digits).map(Self::Device).ok_or(SubjectError::Device);
        }
        if let Some(network) = text.strip_prefix("address:") {
            return Ok(Self::Addresses(network.parse()?));
        }
        match text.parse() {
            Ok(network) => return Ok(Self::Addresses(network)),
            // No name has these in it.
            Err(error) if text.contains(['/', ':']) => return Err(error.into()),
            Err(_) => {}
        }
        if let Some(fingerprint) = fingerprint(text) {
            return Ok(Self::Device(fingerprint));
        }
        Ok(Self::Account(text.parse()?))
    }
}

/// As it is read again.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => write!(f, "account:{name}"),
            Self::Device(fingerprint) => {
                f.write_str("device:")?;
                fingerprint.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Addresses(network) => write!(f, "address:{network}"),
        }
    }
}

/// In groups, as it is shown, or not.
fn fingerprint(text: &str) -> Option<Fingerprint> {
    let digits: String = text.chars().filter(|c| *c != ' ').collect();
    if digits.len() != 32 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(|bits| Fingerprint::from_bytes(bits.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "0dd0940b1ba69591f4fc4bdef5281e78";

    fn subject(text: &str) -> Subject {
        text.parse().unwrap()
    }

    #[test]
    fn each_kind_is_recognised_and_written_so_that_it_is_read_again() {
        let grouped = "0dd0 940b 1ba6 9591 f4fc 4bde f528 1e78";
        let cases = [
            ("Alice", "account:alice".to_owned()),
            ("192.0.2.7/24", "address:192.0.2.0/24".to_owned()),
            ("::1", "address:::/64".to_owned()),
            (grouped, format!("device:{DIGITS}")),
            (DIGITS, format!("device:{DIGITS}")),
            (&DIGITS.to_uppercase(), format!("device:{DIGITS}")),
        ];
        for (text, written) in cases {
            assert_eq!(subject(text).to_string(), written, "{text}");
            assert_eq!(subject(&written), subject(text));
        }
    }

    #[test]
    fn a_name_that_looks_like_something_else_is_told_apart_by_its_kind() {
        for text in ["192.0.2.1", DIGITS] {
            let whom: Whom = text.parse().unwrap();
            assert!(!matches!(whom.subject, Subject::Account(_)), "{text}");
            assert_eq!(whom.or_account.map(|name| name.to_string()).as_deref(), Some(text));
            let whom: Whom = format!("account:{text}").parse().unwrap();
            assert!(matches!(whom.subject, Subject::Account(_)) && whom.or_account.is_none(), "{text}");
        }
        assert_eq!("alice".parse::<Whom>().unwrap().or_account, None);
        assert_eq!("192.0.2.0/24".parse::<Whom>().unwrap().or_account, None);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "no name",
            "account:",
            "account:no name",
            "device:12",
            "device:",
            "address:alice",
            "192.0.2.1/x",
        ] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
