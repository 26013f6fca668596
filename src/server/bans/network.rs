//! A part of the address space: one address, or all that begin alike.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Of IPv4 (RFC 4291, section 2.5.5.2): where it lies among the IPv6 addresses, so that there is one kind of network and
/// an address is the same however it came in.
const MAPPED_BITS: u8 = 96;

/// The bits of an IPv6 address that one customer is given at least (RFC 6177).
const CUSTOMER_BITS: u8 = 64;

/// The shortest prefixes. What is larger is a good part of the Internet, and a slip of the pen.
const IPV4_BITS_MIN: u8 = 8;
const IPV6_BITS_MIN: u8 = 16;

/// All IPv4 or IPv6 addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Network {
    /// With zeros after the prefix.
    first: u128,
    /// How many bits its addresses have in common.
    bits: u8,
}

/// Why a text is no [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NetworkError {
    /// No address, or something else than a number after it.
    #[error("that is no address; write for example 192.0.2.1, 192.0.2.0/24 or 2001:db8::/48")]
    Form,
    /// More bits than an address has.
    #[error("an IPv4 address has 32 bits and an IPv6 address 128; write for example 192.0.2.0/24")]
    TooLong,
    /// A good part of the Internet.
    #[error(
        "that is a good part of the Internet; the prefix has at least {IPV4_BITS_MIN} bits, of IPv6 {IPV6_BITS_MIN}"
    )]
    TooShort,
}

impl Network {
    /// The network of so many bits in which an address lies.
    pub(super) fn around(address: IpAddr, bits: u8) -> Self {
        let all = match address.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits(),
        };
        Self { first: all & mask(bits), bits }
    }

    /// How many bits its addresses have in common, counted as in IPv6.
    pub(super) fn bits(self) -> u8 {
        self.bits
    }

    /// Whether the address lies in it.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        Self::around(address, self.bits) == self
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    /// An IPv6 address without a prefix stands for the network of 64 bits around it.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Form)?;
        // `u8` would take a plus before the digits.
        let number = |bits: &str| {
            let digits = Some(bits).filter(|bits| bits.chars().all(|c| c.is_ascii_digit()));
            digits.and_then(|digits| digits.parse::<u8>().ok()).ok_or(NetworkError::Form)
        };
        let bits = bits.map(number).transpose()?;
        let is_ipv4 = matches!(address.to_canonical(), IpAddr::V4(_));
        let bits = match (address, bits) {
            (_, None) if is_ipv4 => 128,
            (_, None) => CUSTOMER_BITS,
            (IpAddr::V4(_), Some(bits)) => bits.saturating_add(MAPPED_BITS),
            (IpAddr::V6(_), Some(bits)) => bits,
        };
        let bits_min = if is_ipv4 { IPV4_BITS_MIN + MAPPED_BITS } else { IPV6_BITS_MIN };
        match bits {
            129.. => Err(NetworkError::TooLong),
            bits if bits < bits_min => Err(NetworkError::TooShort),
            bits => Ok(Self::around(address, bits)),
        }
    }
}

/// As it is read again.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = Ipv6Addr::from_bits(self.first);
        match first.to_ipv4_mapped().filter(|_| self.bits >= MAPPED_BITS) {
            Some(address) if self.bits == 128 => Ipv4Addr::fmt(&address, f),
            Some(address) => write!(f, "{address}/{}", self.bits - MAPPED_BITS),
            None => write!(f, "{first}/{}", self.bits),
        }
    }
}

fn mask(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_is_written_as_it_is_read_with_what_is_not_of_it_left_out() {
        let cases = [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1/32", "192.0.2.1"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1/120", "192.0.2.0/24"),
            ("2001:db8::1", "2001:db8::/64"),
            ("2001:db8::1/128", "2001:db8::1/128"),
            ("2001:db8:1:2::/48", "2001:db8:1::/48"),
        ];
        for (text, written) in cases {
            assert_eq!(network(text).to_string(), written, "{text}");
            assert_eq!(network(written), network(text));
        }
    }

    #[test]
    fn nonsense_and_the_whole_internet_are_refused() {
        let form = [
            "",
            "/",
            "192.0.2",
            "192.0.2.1/",
            "192.0.2.1/+8",
            "192.0.2.1/x",
            "192.0.2.1/24/8",
            "1.2.3.4/999",
            "fe80::1%eth0",
            "192.0.2.1 ",
            "alice",
        ];
        for text in form {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Form), "{text}");
        }
        for text in ["192.0.2.1/33", "2001:db8::/129", "192.0.2.1/255"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::TooLong), "{text}");
        }
        for text in ["0.0.0.0/0", "192.0.2.1/7", "::/0", "2001::/15", "::ffff:0:0/96", "::ffff:1.2.3.4/100"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::TooShort), "{text}");
        }
    }

    #[test]
    fn an_address_is_in_a_network_however_it_came_in() {
        let contains = |text: &str, address: &str| network(text).contains(address.parse().unwrap());
        assert!(contains("192.0.2.0/24", "192.0.2.255") && contains("192.0.2.0/24", "::ffff:192.0.2.255"));
        assert!(!contains("192.0.2.0/24", "192.0.3.0") && !contains("192.0.2.1", "192.0.2.2"));
        assert!(contains("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"));
        assert!(!contains("2001:db8::", "2001:db8:0:1::") && !contains("2001:db8::/64", "192.0.2.1"));
    }
}
