//! What a device is called in the list of its owner's devices.

use std::fmt;
use std::str::FromStr;

/// The longest label, in bytes.
pub const DEVICE_LABEL_BYTES_MAX: usize = 64;

/// A label of 1 to 64 bytes without control characters, such as a host's name. It tells a person which of their devices
/// is which, and nothing else depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceLabel(String);

/// Why a text is no [`DeviceLabel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceLabelError {
    /// Nothing was given.
    #[error("a device's label needs at least one character")]
    Empty,
    /// More than 64 bytes.
    #[error("a device's label has at most {DEVICE_LABEL_BYTES_MAX} bytes; shorten it")]
    TooLong,
    /// It has a line end or another control character in it.
    #[error("a device's label has no control characters; leave them out")]
    BadCharacter,
}

impl DeviceLabel {
    /// The label for a host of this name, whatever the name holds: what can't stand in a label is left out.
    pub fn of_host(name: &str) -> Self {
        let plain = name.chars().filter(char::is_ascii_graphic).take(DEVICE_LABEL_BYTES_MAX).collect();
        let label = Self(plain);
        if label.0.is_empty() { Self("device".to_owned()) } else { label }
    }

    /// The label as it is shown, stored and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceLabel {
    type Err = DeviceLabelError;

    fn from_str(text: &str) -> Result<Self, DeviceLabelError> {
        match text.len() {
            0 => Err(DeviceLabelError::Empty),
            1..=DEVICE_LABEL_BYTES_MAX if text.chars().any(char::is_control) => {
                Err(DeviceLabelError::BadCharacter)
            }
            1..=DEVICE_LABEL_BYTES_MAX => Ok(Self(text.to_owned())),
            _ => Err(DeviceLabelError::TooLong),
        }
    }
}

impl fmt::Display for DeviceLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_host_is_called_its_label_is_one() {
        let long = "x".repeat(1000);
        for name in ["laptop", "", "\u{1b}[2J\n", "книга", "a b", &long] {
            let label = DeviceLabel::of_host(name);
            assert_eq!(label.as_str().parse(), Ok(label.clone()), "{name:?}");
        }
        assert_eq!(DeviceLabel::of_host("my\nlaptop.local").as_str(), "mylaptop.local");
    }

    #[test]
    fn what_is_no_label_is_refused_with_its_reason() {
        let long = "x".repeat(DEVICE_LABEL_BYTES_MAX + 1);
        let cases = [
            ("", DeviceLabelError::Empty),
            (&long, DeviceLabelError::TooLong),
            ("a\nb", DeviceLabelError::BadCharacter),
            ("\u{9b}2J", DeviceLabelError::BadCharacter),
        ];
        for (text, reason) in cases {
            assert_eq!(text.parse::<DeviceLabel>(), Err(reason), "{text:?}");
        }
    }
}
