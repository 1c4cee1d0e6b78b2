//! The arguments of `broker serve` that result from nats-server's.

use std::ffi::{OsStr, OsString};

use super::BadFlag;

/// The flags for TLS.
#[derive(Default)]
pub(super) struct TlsFlags {
    /// The value of `-tls`, if it is given.
    pub(super) on: Option<bool>,
    pub(super) verifies: bool,
    pub(super) authorities: Option<OsString>,
    /// Whether any other TLS flag is given: TLS is then on and needs a certificate.
    pub(super) any: bool,
}

impl TlsFlags {
    pub(super) fn add_to(
        self,
        arguments: &mut Arguments,
        is_set: impl Fn(&str) -> bool,
    ) -> Result<(), BadFlag> {
        let is_on = match self.on {
            Some(false) if self.any => return Err(BadFlag::TlsOff),
            Some(on) => on,
            None => self.any,
        };
        let needed = [
            ("tls-cert", "BROKER_TLS_CERT"),
            ("tls-key", "BROKER_TLS_KEY"),
        ];
        if is_on
            && !needed
                .iter()
                .all(|(long, name)| arguments.has(long) || is_set(name))
        {
            return Err(BadFlag::NoCertificate);
        }
        match self.authorities {
            Some(authorities) if self.verifies => arguments.set("tls-ca", &authorities),
            None if self.verifies && !arguments.has("tls-ca") && !is_set("BROKER_TLS_CA") => {
                return Err(BadFlag::NoAuthorities);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Arguments of `broker`.
pub(super) struct Arguments(pub(super) Vec<OsString>);

impl Arguments {
    /// Returns whether a long flag is among them.
    pub(super) fn has(&self, long: &str) -> bool {
        self.0.iter().any(|argument| is_flag(argument, long))
    }

    pub(super) fn remove(&mut self, long: &str) {
        self.0.retain(|argument| !is_flag(argument, long));
    }

    /// Sets a flag to a value, or removes it if nats-server takes the value for its default. As in
    /// Go, the last one counts.
    pub(super) fn set(&mut self, long: &str, value: &OsStr) {
        self.remove(long);
        let is_secret = matches!(long, "user" | "password" | "token");
        let is_port = matches!(long, "port" | "http_port");
        if value.is_empty() && !is_secret || is_port && value == "0" {
            return;
        }
        let mut argument = OsString::from(format!("--{long}="));
        argument.push(value);
        self.0.push(argument);
    }
}

fn is_flag(argument: &OsStr, long: &str) -> bool {
    let name = argument
        .as_encoded_bytes()
        .split(|&byte| byte == b'=')
        .next();
    name.and_then(|name| name.strip_prefix(b"--")) == Some(long.as_bytes())
}
