//! Server addresses and credentials in URLs.

use std::fmt;

use serde::Serialize;

/// A server's address, without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

/// The credentials that a CONNECT presents.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Login {
    /// Name of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Password of the user.
    #[serde(rename = "pass", skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// A token, instead of a user and password.
    #[serde(rename = "auth_token", skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

// Secrets do not belong in logs.
impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Login").finish_non_exhaustive()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

/// The parts of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url<'a> {
    /// The part before `://`.
    pub scheme: Option<&'a str>,
    /// The server's address.
    pub address: Address,
    /// The credentials.
    pub login: Login,
}

/// A text that is not a server URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadUrl {
    /// The text without the part that may be a secret.
    pub given: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl BadUrl {
    /// Describes why the URL `text` is wrong.
    #[must_use]
    pub fn new(text: &str, why: &'static str) -> Self {
        let (_, given) = text.rsplit_once('@').unwrap_or(("", text));
        Self {
            given: given.to_owned(),
            why,
        }
    }
}

/// Parses `[SCHEME://][USER:PASSWORD@|TOKEN@]HOST[:PORT]`.
///
/// # Errors
///
/// The text has another form.
pub fn parse_url(text: &str, default_port: u16) -> Result<Url<'_>, BadUrl> {
    let wrong = |why| BadUrl::new(text, why);
    let (scheme, rest) = match text.split_once("://") {
        None => (None, text),
        Some((scheme, rest)) => (Some(scheme), rest),
    };
    let rest = rest.trim_end_matches('/');
    let (login, place) = match rest.rsplit_once('@') {
        None => (Login::default(), rest),
        Some((login, place)) => (credentials(login).map_err(wrong)?, place),
    };
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or_else(|| wrong("] is missing"))?;
        match rest.strip_prefix(':') {
            None if rest.is_empty() => (host, None),
            None => return Err(wrong("] must be followed by :PORT or nothing")),
            Some(port) => (host, Some(port)),
        }
    } else {
        match place.split_once(':') {
            None => (place, None),
            Some((_, port)) if port.contains(':') => {
                return Err(wrong("an IPv6 address must be in brackets"));
            }
            Some((host, port)) => (host, Some(port)),
        }
    };
    if host.is_empty() {
        return Err(wrong("the host is missing"));
    }
    let port = match port {
        None => default_port,
        Some(port) => port
            .parse()
            .ok()
            .filter(|&port| port > 0)
            .ok_or_else(|| wrong("the port must be a number from 1 to 65535"))?,
    };
    let host = host.to_owned();
    Ok(Url {
        scheme,
        address: Address { host, port },
        login,
    })
}

fn credentials(text: &str) -> Result<Login, &'static str> {
    Ok(match text.split_once(':') {
        None => Login {
            token: Some(decode(text)?),
            ..Login::default()
        },
        Some((user, password)) => Login {
            user: Some(decode(user)?),
            password: Some(decode(password)?),
            token: None,
        },
    })
}

/// Decodes the percent-encoding of credentials in a URL.
fn decode(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "a % in the credentials must be followed by two hexadecimal digits, \
                         and the decoded text must be UTF-8";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit().ok_or(WRONG)?, digit().ok_or(WRONG)?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| WRONG)?);
    }
    String::from_utf8(bytes).map_err(|_| WRONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_credentials() {
        for (text, place, user, password, token) in [
            ("localhost", "localhost:4222", None, None, None),
            ("127.0.0.1:1", "127.0.0.1:1", None, None, None),
            ("nats://[::1]:99/", "[::1]:99", None, None, None),
            ("[::1]", "[::1]:4222", None, None, None),
            ("nats://a:b%40c@h", "h:4222", Some("a"), Some("b@c"), None),
            ("nats://s3cret@h:5", "h:5", None, None, Some("s3cret")),
        ] {
            let Url { address, login, .. } = parse_url(text, 4222).expect(text);
            assert_eq!(address.to_string(), place, "{text}");
            assert_eq!(login.user.as_deref(), user, "{text}");
            assert_eq!(login.password.as_deref(), password, "{text}");
            assert_eq!(login.token.as_deref(), token, "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused_without_their_secrets() {
        for text in [
            "",
            ":4222",
            "h:",
            "h:0",
            "h:65536",
            "h:x",
            "::1",
            "[::1",
            "[::1]4",
            "nats://s3cret%4@h",
            "nats://s3cret:%zz@h",
            "nats://s3cret@h:x",
        ] {
            let error = parse_url(text, 4222).expect_err(text);
            assert!(!error.given.contains("s3cret"), "{error:?}");
        }
    }
}
