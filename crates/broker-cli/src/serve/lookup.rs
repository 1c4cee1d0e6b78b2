//! Addresses by name.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// The address of a name: the first one of IPv4 if there is any, as Go has it, and so
/// nats-server. C libraries differ in what comes first for `localhost`.
///
/// # Errors
///
/// The name has no address, or nobody could be asked.
pub(super) fn look_up(name: impl ToSocketAddrs) -> io::Result<SocketAddr> {
    let found: Vec<_> = name.to_socket_addrs()?.collect();
    choose(&found).ok_or_else(|| io::Error::other("no address by that name"))
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
