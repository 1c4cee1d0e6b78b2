//! Host names.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// Resolves a host name: to its first IPv4 address if it has one, as Go and so nats-server do.
/// C libraries differ in which address of `localhost` comes first.
///
/// # Errors
///
/// The name has no address, or no name server answers.
pub(super) fn look_up(name: impl ToSocketAddrs) -> io::Result<SocketAddr> {
    let found: Vec<_> = name.to_socket_addrs()?.collect();
    choose(&found).ok_or_else(|| io::Error::other("the name has no address"))
}

fn choose(found: &[SocketAddr]) -> Option<SocketAddr> {
    let of_ipv4 = found.iter().find(|address| address.is_ipv4());
    of_ipv4.or(found.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_comes_first() {
        let [four, six]: [SocketAddr; 2] =
            ["127.0.0.1:1", "[::1]:1"].map(|text| text.parse().expect("an address"));
        for (found, chosen) in [
            (&[six, four][..], Some(four)),
            (&[four, six], Some(four)),
            (&[six], Some(six)),
            (&[], None),
        ] {
            assert_eq!(choose(found), chosen);
        }
        assert_eq!(look_up("[::1]:1").ok(), Some(six));
    }
}
