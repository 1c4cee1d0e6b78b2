//! TLS of listeners and to hubs.

use std::path::PathBuf;
use std::time::Duration;

use super::durations::{parse_duration, within_bounds};
use super::reader::{Field, Reader, fields};
use super::{HandshakeFirst, LeafRemoteTls, Tls, TlsVersion};
use crate::grammar::Kind;

/// How long nats-server waits with `handshake_first: auto`.
const AUTO: Duration = Duration::from_millis(50);

/// All values that a `tls` map can have.
#[derive(Default)]
struct Block {
    cert_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    verify: bool,
    timeout: Option<Duration>,
    handshake_first: HandshakeFirst,
    min_version: Option<TlsVersion>,
}

/// The side that the map configures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Listener,
    Hub,
}

impl<'a> Reader<'a> {
    /// Reads TLS of a listener.
    pub(super) fn tls(&mut self, field: &Field<'a>) -> Option<Tls> {
        let block = self.block(field, Side::Listener)?;
        if block.verify && block.ca_file.is_none() {
            self.error(
                field.at,
                "verify needs a ca_file to verify client certificates",
            );
        }
        let (Some(cert_file), Some(key_file)) = (block.cert_file, block.key_file) else {
            self.error(field.at, "tls needs a cert_file and a key_file");
            return None;
        };
        Some(Tls {
            cert_file,
            key_file,
            ca_file: block.ca_file,
            verify: block.verify,
            timeout: block.timeout,
            handshake_first: block.handshake_first,
            min_version: block.min_version,
        })
    }

    /// Reads TLS to a hub.
    pub(super) fn remote_tls(&mut self, field: &Field<'a>) -> Option<LeafRemoteTls> {
        let block = self.block(field, Side::Hub)?;
        if block.cert_file.is_some() != block.key_file.is_some() {
            self.error(field.at, "cert_file and key_file must be set together");
        }
        Some(LeafRemoteTls {
            ca_file: block.ca_file,
            cert_file: block.cert_file,
            key_file: block.key_file,
            handshake_first: block.handshake_first != HandshakeFirst::No,
        })
    }

    fn block(&mut self, field: &Field<'a>, side: Side) -> Option<Block> {
        let mut block = Block::default();
        for (key, field) in fields(self.map(field)?) {
            match key.as_str() {
                "cert_file" => block.cert_file = self.path(&field),
                "key_file" => block.key_file = self.path(&field),
                "ca_file" => block.ca_file = self.path(&field),
                "handshake_first" | "first" | "immediate" => {
                    block.handshake_first = self.handshake_first(&field);
                }
                "verify" => block.verify |= self.verify(&field, side),
                "verify_and_map" => {
                    if self.verify(&field, side) && side == Side::Listener {
                        self.error(
                            field.at,
                            "verify_and_map: Broker does not map certificates to users; use verify, and list users in authorization",
                        );
                    }
                }
                "timeout" => {
                    block.timeout = self.time(&field);
                    if side == Side::Hub {
                        self.warn(field.at, "timeout has no effect: Broker has its own limit");
                    }
                }
                "pinned_certs" => {
                    let none = matches!(field.kind, Kind::List(list) if list.is_empty());
                    if !none {
                        self.error(
                            field.at,
                            "pinned_certs: Broker checks certificates only against ca_file; leave it out and use a private CA",
                        );
                    }
                }
                "min_version" => {
                    block.min_version = self.min_version(&field);
                    self.only_for_listeners(&field, side);
                }
                "insecure" => self.insecure(&field, side),
                _ => self.other_tls(&key, &field),
            }
        }
        Some(block)
    }

    fn verify(&mut self, field: &Field<'_>, side: Side) -> bool {
        let verify = self.boolean(field) == Some(true);
        if verify && side == Side::Hub {
            let name = field.name;
            let text = format!("{name} has no effect: the certificate of a hub is always verified");
            self.warn(field.at, text);
        }
        verify
    }

    fn insecure(&mut self, field: &Field<'_>, side: Side) {
        if self.boolean(field) != Some(true) {
            return;
        }
        match side {
            Side::Listener => self.warn(
                field.at,
                "insecure has no effect: it applies only to outgoing connections",
            ),
            Side::Hub => self.error(
                field.at,
                "insecure: Broker always verifies the hub's certificate; give the CA \
                 that issued it as ca_file",
            ),
        }
    }

    fn only_for_listeners(&mut self, field: &Field<'_>, side: Side) {
        if side == Side::Hub {
            let text = format!(
                "{}: Broker supports it only on its own ports; leave it out",
                field.name
            );
            self.error(field.at, text);
        }
    }

    /// Reports a key that Broker does not have.
    fn other_tls(&mut self, key: &str, field: &Field<'_>) {
        let why = match key {
            "cipher_suites" | "curve_preferences" => {
                "Broker offers its TLS library's safe defaults; leave it out"
            }
            "certs" | "certificates" => {
                "Broker has one certificate per port; give it as cert_file and key_file"
            }
            "connection_rate_limit" => "Broker has no such limit; leave it out",
            "verify_cert_and_check_known_urls" => "it applies only to clusters; leave it out",
            "ocsp_peer" => "Broker does not support OCSP; leave it out",
            "cert_store"
            | "cert_match"
            | "cert_match_by"
            | "ca_certs_match"
            | "cert_match_skip_invalid" => {
                "Broker reads certificates from files; give cert_file and key_file"
            }
            _ => {
                self.unknown(field);
                return;
            }
        };
        if !matches!(field.kind, Kind::Boolean(false) | Kind::Integer(0)) {
            self.error(field.at, format!("{}: {why}", field.name));
        }
    }

    fn handshake_first(&mut self, field: &Field<'a>) -> HandshakeFirst {
        let text = match field.kind {
            Kind::Boolean(true) => return HandshakeFirst::Yes,
            Kind::Boolean(false) => return HandshakeFirst::No,
            Kind::Text(text) => text,
            _ => {
                self.wrong_type(field, "true, false or a string");
                return HandshakeFirst::No;
            }
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "on" => return HandshakeFirst::Yes,
            "false" | "off" => return HandshakeFirst::No,
            "auto" | "auto_fallback" => return HandshakeFirst::Fallback(AUTO),
            _ => {}
        }
        let time = parse_duration(text).map(within_bounds);
        if let Some(Ok(Some(time))) = time {
            return HandshakeFirst::Fallback(time);
        }
        let text = format!(
            "{} must be true, false, \"auto\", or a duration from 1ms to a year",
            field.name
        );
        self.error(field.at, text);
        HandshakeFirst::No
    }

    fn min_version(&mut self, field: &Field<'a>) -> Option<TlsVersion> {
        match self.text(field)? {
            "1.2" => Some(TlsVersion::Tls12),
            "1.3" => Some(TlsVersion::Tls13),
            _ => {
                self.error(field.at, "min_version must be \"1.2\" or \"1.3\"");
                None
            }
        }
    }
}
