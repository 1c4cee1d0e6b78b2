//! The WebSocket listener.

use super::checks::is_origin;
use super::others::Place;
use super::reader::{Field, Reader, fields};
use super::{Tls, WebSocket};
use crate::grammar::Kind;

impl<'a> Reader<'a> {
    pub(super) fn websocket(&mut self, field: &Field<'a>) -> Option<WebSocket> {
        let place = field.at;
        let (mut host, mut port) = (None, None);
        let mut has_tls = false;
        let mut found = WebSocket {
            host: None,
            port: 0,
            tls: None::<Tls>,
            no_tls: false,
            same_origin: false,
            allowed_origins: Vec::new(),
            handshake_timeout: None,
            compression: false,
        };
        let map = self.map(field)?;
        for (key, field) in fields(map) {
            match key.as_str() {
                "listen" => (host, port) = self.listen(&field),
                "port" => port = self.port(&field),
                "host" | "net" => host = self.name(&field),
                "tls" => {
                    has_tls = true;
                    found.tls = self.tls(&field);
                }
                "no_tls" => found.no_tls = self.boolean(&field) == Some(true),
                "same_origin" => found.same_origin = self.boolean(&field) == Some(true),
                "allowed_origins" | "allowed_origin" | "allow_origins" | "allow_origin"
                | "origins" | "origin" => found.allowed_origins = self.origins(&field),
                "handshake_timeout" => found.handshake_timeout = self.handshake_timeout(&field),
                "compress" | "compression" => {
                    found.compression = self.boolean(&field) == Some(true);
                }
                "no_auth_user" => {
                    if self.name(&field).is_some() {
                        self.error(
                            field.at,
                            "websocket.no_auth_user: Broker has the same users on all ports; set no_auth_user at the top level",
                        );
                    }
                }
                _ => self.other(Place::WebSocket, &key, &field),
            }
        }
        let Some(port) = port else {
            if !map.entries().is_empty() {
                self.warn(place, "websocket is off: it has no port");
            }
            return None;
        };
        if !has_tls && !found.no_tls {
            self.error(
                place,
                "websocket requires TLS configuration; give tls, or no_tls: true",
            );
        }
        found.host = host;
        found.port = port;
        Some(found)
    }

    fn origins(&mut self, field: &Field<'a>) -> Vec<String> {
        let mut origins = Vec::new();
        for (text, at) in self.texts(field) {
            if is_origin(text) {
                origins.push(text.to_owned());
            } else {
                let text = format!("origin {text:?} is not SCHEME://HOST or SCHEME://HOST:PORT");
                self.error(at, text);
            }
        }
        origins
    }

    fn handshake_timeout(&mut self, field: &Field<'a>) -> Option<std::time::Duration> {
        if matches!(field.kind, Kind::Float(_)) {
            self.wrong_type(field, "a string with a duration");
            return None;
        }
        self.time(field)
    }
}
