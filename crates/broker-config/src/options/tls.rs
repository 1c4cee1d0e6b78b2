//! TLS, of listeners and to hubs.

use std::path::PathBuf;
use std::time::Duration;

use super::durations::{parse_duration, within_bounds};
use super::reader::{Field, Reader, fields};
use super::{HandshakeFirst, LeafRemoteTls, Tls, TlsVersion};
use crate::grammar::Kind;

/// How long nats-server waits with `handshake_first: auto`.
const AUTO: Duration = Duration::from_millis(50);

/// All that a map of TLS can say.
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

/// Who the map is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Listener,
    Hub,
}

impl<'a> Reader<'a> {
    /// TLS of a listener.
    pub(super) fn tls(&mut self, field: &Field<'a>) -> Option<Tls> {
        let block = self.block(field, Side::Listener)?;
        if block.verify && block.ca_file.is_none() {
            self.error(field.at, "verify needs a ca_file: who vouches for clients");
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

    /// TLS to a hub.
    pub(super) fn remote_tls(&mut self, field: &Field<'a>) -> Option<LeafRemoteTls> {
        let block = self.block(field, Side::Hub)?;
        if block.cert_file.is_some() != block.key_file.is_some() {
            self.error(field.at, "cert_file and key_file need each other");
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
                            "verify_and_map: Broker takes no users from certificates; write verify, and list users in authorization",
                        );
                    }
                }
                "timeout" => {
                    block.timeout = self.time(&field);
                    if side == Side::Hub {
                        self.warn(field.at, "timeout has no effect: Broker has its own bound");
                    }
                }
                "pinned_certs" => {
                    let none = matches!(field.kind, Kind::List(list) if list.is_empty());
                    if !none {
                        self.error(
                            field.at,
                            "pinned_certs: Broker asks the ca_file alone; leave it out, and have an authority of your own",
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
                "insecure has no effect: it is for connections that a server dials",
            ),
            Side::Hub => self.error(
                field.at,
                "insecure: Broker always verifies the certificate of a hub; give who vouches \
                 for it as ca_file",
            ),
        }
    }

    fn only_for_listeners(&mut self, field: &Field<'_>, side: Side) {
        if side == Side::Hub {
            let text = format!(
                "{}: Broker has it for its own ports alone; leave it out",
                field.name
            );
            self.error(field.at, text);
        }
    }

    /// What nats-server has and Broker does not.
    fn other_tls(&mut self, key: &str, field: &Field<'_>) {
        let why = match key {
            "cipher_suites" | "curve_preferences" => {
                "Broker offers the safe ones that its library has; leave it out"
            }
            "certs" | "certificates" => {
                "Broker has one certificate for a port; give it as cert_file and key_file"
            }
            "connection_rate_limit" => "Broker has no such bound; leave it out",
            "verify_cert_and_check_known_urls" => "it is for clusters alone; leave it out",
            "ocsp_peer" => "Broker does not speak OCSP; leave it out",
            "cert_store"
            | "cert_match"
            | "cert_match_by"
            | "ca_certs_match"
            | "cert_match_skip_invalid" => {
                "Broker takes certificates from files; give cert_file and key_file"
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
            "{} has to be true, false, \"auto\", or a duration from 1ms to a year",
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
                self.error(field.at, "min_version has to be \"1.2\" or \"1.3\"");
                None
            }
        }
    }
}
