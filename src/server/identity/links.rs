//! The links that tell others where a server is and which key it has.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::channel::PublicKey;
use crate::link::Link;

/// The links to a server with `key` that listens on `addresses`; an unspecified address stands for all of the host's.
pub(in crate::server) fn links(key: PublicKey, addresses: &[SocketAddr]) -> io::Result<Vec<Link>> {
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
