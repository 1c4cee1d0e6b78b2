//! Origins: the web pages whose scripts may connect (RFC 6454).

use std::fmt;
use std::str::FromStr;

/// The origin of a web page: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// A text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an origin; write http://HOST[:PORT] or https://HOST[:PORT], without a path")]
pub struct BadOrigin;

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let (scheme, rest) = text.split_once("://").ok_or(BadOrigin)?;
        let scheme = scheme.to_ascii_lowercase();
        let is_scheme = scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if scheme.is_empty() || !is_scheme {
            return Err(BadOrigin);
        }
        let (host, port) = host_and_port(rest, default_port(scheme == "https")).ok_or(BadOrigin)?;
        Ok(Self { scheme, host, port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

#[cfg(feature = "tls")]
impl Origin {
    /// Returns whether the page is from the server that it connects to, given the `Host` field of
    /// the request. As in nats-server, schemes are not compared.
    pub(crate) fn is_of(&self, host: &str, encrypted: bool) -> bool {
        host_and_port(host, default_port(encrypted))
            .is_some_and(|(host, port)| host == self.host && port == self.port)
    }
}

fn default_port(encrypted: bool) -> u16 {
    if encrypted { 443 } else { 80 }
}

/// Splits `HOST[:PORT]`, where the host may be an IPv6 address in brackets.
fn host_and_port(text: &str, default: u16) -> Option<(String, u16)> {
    let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    let (host, rest) = if let Some(text) = text.strip_prefix('[') {
        let (host, rest) = text.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (host, rest)
    } else {
        let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
        host.bytes().all(is_of_host).then_some((host, rest))?
    };
    let port = match rest.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
        None if rest.is_empty() => default,
        _ => return None,
    };
    (!host.is_empty()).then(|| (host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_by_scheme_host_and_port() {
        let origin = |text: &str| text.parse::<Origin>();
        for (one, same) in [
            ("http://example.com", "HTTP://Example.com:80"),
            ("https://example.com", "https://example.com:443"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(origin(one), origin(same));
            assert!(origin(one).is_ok());
        }
        for (one, other) in [
            ("http://example.com", "https://example.com"),
            ("http://example.com", "http://example.com:8080"),
            ("http://example.com", "http://www.example.com"),
        ] {
            assert_ne!(origin(one), origin(other));
        }
        for wrong in [
            "",
            "null",
            "example.com",
            "://example.com",
            "http://",
            "http://example.com/",
            "http://example.com:",
            "http://example.com:+80",
            "http://example.com:70000",
            "http://user@example.com",
            "http://[::1",
            "http://[name]",
        ] {
            assert_eq!(origin(wrong), Err(BadOrigin), "{wrong}");
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_page_of_the_server_itself_is_known_by_host_and_port() {
        for (origin, host, encrypted, same) in [
            ("http://a.example:8080", "a.example:8080", false, true),
            ("http://a.example", "a.example", false, true),
            ("https://a.example", "A.example", true, true),
            ("https://a.example", "a.example", false, false),
            ("http://a.example", "b.example", false, false),
            ("http://a.example", "a.example:81", false, false),
            ("http://a.example", "", false, false),
        ] {
            let origin: Origin = origin.parse().expect("it is one");
            assert_eq!(origin.is_of(host, encrypted), same, "{origin} of {host}");
        }
    }
}
