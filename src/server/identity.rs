//! Who the server is: `server.key`, made once and never overwritten, and the links that tell others.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use rand::rngs::SysRng;
use zeroize::Zeroizing;

use crate::channel::{ChannelError, PublicKey, StaticKey};
use crate::link::Link;
use crate::private_file;

/// The permissions that others than the owner may not have.
const OTHERS: u32 = 0o077;

/// Why the server does not know who it is.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file can't be read or made.
    #[error("{path} can't be used: {source}; check who owns it and whether the disk is full")]
    File {
        /// `server.key`.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{0} is no server key (one line of 43 characters); put your copy of it back, or move it away to start with a \
         new key, which every client will refuse until its owner agrees"
    )]
    NoKey(PathBuf),
    /// Others on the host can read it.
    #[error(
        "{0} can be read by others on this host; if none of them may be the server, run: chmod 600 '{0}'"
    )]
    Exposed(PathBuf),
    /// No key could be made.
    #[error("no key could be made: {0}")]
    Made(#[from] ChannelError),
}

/// Reads the key, or makes a new one where there is none.
pub(super) fn load_or_make(path: &Path) -> Result<StaticKey, IdentityError> {
    let file_error = |source| IdentityError::File { path: path.to_owned(), source };
    match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => {
            let mode = fs::metadata(path).map_err(file_error)?.permissions().mode();
            if mode & OTHERS != 0 {
                return Err(IdentityError::Exposed(path.to_owned()));
            }
            parse(&text).ok_or_else(|| IdentityError::NoKey(path.to_owned()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = StaticKey::generate(&mut SysRng)?;
            let text = Zeroizing::new(Base64UrlUnpadded::encode_string(&*key.to_bytes()));
            let line = Zeroizing::new(format!("{}\n", *text));
            private_file::create(path, line.as_bytes()).map_err(file_error)?;
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(IdentityError::NoKey(path.to_owned())),
        Err(error) => Err(file_error(error)),
    }
}

/// The links to a server with `key` that listens on `addresses`; an unspecified address stands for all of the host's.
pub(super) fn links(key: PublicKey, addresses: &[SocketAddr]) -> io::Result<Vec<Link>> {
    let mut links: Vec<Link> = Vec::new();
    for address in addresses {
        let ips = if address.ip().is_unspecified() { host_ips(address.ip())? } else { vec![address.ip()] };
        for ip in ips {
            let link = Link { server_key: Some(key), ..Link::to_host(&ip.to_string(), address.port()) };
            if !links.contains(&link) {
                links.push(link);
            }
        }
    }
    Ok(links)
}

fn parse(text: &str) -> Option<StaticKey> {
    let mut bytes = Zeroizing::new([0; 32]);
    let line = text.strip_suffix('\n').unwrap_or(text);
    let decoded = Base64UrlUnpadded::decode(line, bytes.as_mut()).ok()?;
    (decoded.len() == 32).then(|| StaticKey::from_bytes(&bytes))
}

/// The host's own addresses that an unspecified one stands for, loopback first; `[::]` takes IPv4 as well. Addresses
/// that are good on one network segment only (RFC 4291, section 2.5.6) are of no use in a link.
fn host_ips(unspecified: IpAddr) -> io::Result<Vec<IpAddr>> {
    let mut ips: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|ip| ip.is_ipv4() || unspecified.is_ipv6())
        .filter(|ip| !matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local()))
        .filter(|ip| !matches!(ip, IpAddr::V4(v4) if v4.is_link_local()))
        .collect();
    if ips.is_empty() {
        let loopback: IpAddr = Ipv4Addr::LOCALHOST.into();
        ips.push(if unspecified.is_ipv4() { loopback } else { Ipv6Addr::LOCALHOST.into() });
    }
    ips.sort_by_key(|ip| (!ip.is_loopback(), ip.is_ipv6()));
    Ok(ips)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    #[test]
    fn a_key_is_made_once_for_its_owner_only_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        let made = load_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load_or_make(&path).unwrap().public(), made.public());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_no_key_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        for content in ["", "not a key\n", "AAAA\n", "\u{fffd}"] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(load_or_make(&path), Err(IdentityError::NoKey(_))), "{content:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        load_or_make(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load_or_make(&path), Err(IdentityError::Exposed(_))));
    }

    #[test]
    fn a_server_for_everyone_has_a_link_for_each_address_of_its_host() {
        let key = PublicKey::from_bytes([3; 32]);
        let everywhere = links(key, &["[::]:5555".parse().unwrap()]).unwrap();
        let first = everywhere.first().unwrap().to_string();
        assert_eq!(first, format!("chat://127.0.0.1:5555#{key}"));
        let one = links(key, &["127.0.0.2:7".parse().unwrap()]).unwrap();
        assert_eq!(
            one.iter().map(Link::to_string).collect::<Vec<_>>(),
            [format!("chat://127.0.0.2:7#{key}")]
        );
    }
}
