//! Peers with different addresses on one machine: Linux takes all of 127.0.0.0/8 for its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

/// One of 65,536 addresses that no other number has; none of them is 127.0.0.1.
pub fn loopback_address(number: u16) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    Ipv4Addr::new(127, 1, high, low).into()
}

/// Connects to `server` from an address of one's own.
pub fn connect_from(source: IpAddr, server: SocketAddr) -> TcpStream {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddr::new(source, 0)).unwrap();
    connect(&socket, &server).unwrap();
    socket.into()
}
