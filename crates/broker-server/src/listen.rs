//! Opens ports.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mio::net::TcpListener;
use socket2::{Domain, Protocol, Socket, Type};

/// Length of the queue of connections to be accepted.
const BACKLOG: i32 = 1024;

/// Listens on an address. Returns it with the port that is in use.
///
/// `0.0.0.0` and `[::]` both mean every IPv4 and IPv6 address, as in nats-server; on a system
/// without IPv6, `0.0.0.0` means every IPv4 address.
pub(super) fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = if address.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED) {
        let all = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), address.port());
        open(all).or_else(|error| match error.kind() {
            ErrorKind::AddrInUse | ErrorKind::PermissionDenied => Err(error),
            _ => open(address),
        })?
    } else {
        open(address)?
    };
    let port = listener.local_addr()?.port();
    Ok((listener, SocketAddr::new(address.ip(), port)))
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if is_any_ipv6(address) {
        socket.set_only_v6(false)?;
    }
    // On Windows this would let another program take over the port.
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

/// Returns a client's address as the client knows it: a listener for both families reports an
/// IPv4 address as `::ffff:192.0.2.1`.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => SocketAddr::new(ip.into(), address.port()),
        // An IPv6 address keeps its scope.
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
