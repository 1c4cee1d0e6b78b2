//! Ports, opened.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mio::net::TcpListener;
use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Listens at an address.
///
/// `[::]` is every address of IPv6 and of IPv4, whatever the system's default is;
/// `0.0.0.0` is every address of IPv4 alone.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if is_any_ipv6(address) {
        socket.set_only_v6(false)?;
    }
    // On Windows it would let another program take the port over.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

fn is_any_ipv6(address: SocketAddr) -> bool {
    matches!(address.ip(), IpAddr::V6(ip) if ip.is_unspecified())
}

/// The address of a client as the client knows it: at `[::]`, the system shows an IPv4
/// address as `::ffff:192.0.2.1`.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        // It keeps its scope.
        IpAddr::V6(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_client() {
        for (seen, own) in [
            ("[::ffff:192.0.2.1]:80", "192.0.2.1:80"),
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("[fe80::1%3]:80", "[fe80::1%3]:80"),
        ] {
            let [seen, own] = [seen, own].map(|text| text.parse().unwrap());
            assert_eq!(canonical(seen), own);
        }
    }
}
