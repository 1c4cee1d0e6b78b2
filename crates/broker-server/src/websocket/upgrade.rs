//! The upgrade of an HTTP connection to WebSocket (RFC 6455, section 4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::super::origin::Origin;
use super::port::Rules;

/// Largest request, in bytes.
pub(super) const MOST_REQUEST: usize = 16 * 1024;

/// Most header lines of a request.
const MOST_HEADERS: usize = 64;

/// Appended to a client's key to prove that the request was understood.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The extension that compresses messages (RFC 7692). Messages do not depend on earlier ones, so a
/// connection keeps no window between messages.
const DEFLATE: &str = "permessage-deflate";

/// The state of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// The start of a request.
    Incomplete,
    /// An accepted request, and its answer.
    Accepted {
        answer: Vec<u8>,
        /// The client is a web browser.
        browser: bool,
        /// Messages may be compressed.
        compressed: bool,
    },
    /// A refused request, and its answer.
    Refused { answer: Vec<u8>, why: String },
}

/// Why a request is refused: the status of the answer, and its text.
type Refusal = (&'static str, String);

const BAD_REQUEST: &str = "400 Bad Request";

/// Judges a request.
pub(super) fn judge(bytes: &[u8], rules: &Rules) -> Upgrade {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let judged = match request.parse(bytes) {
        Ok(httparse::Status::Partial) if bytes.len() < MOST_REQUEST => return Upgrade::Incomplete,
        Ok(httparse::Status::Complete(end)) if end <= MOST_REQUEST => {
            accept(&request, bytes.len() > end, rules)
        }
        Ok(_) | Err(httparse::Error::TooManyHeaders) => Err((
            "431 Request Header Fields Too Large",
            format!("the request has more than {MOST_REQUEST} bytes or {MOST_HEADERS} headers"),
        )),
        Err(error) => Err((BAD_REQUEST, format!("not an HTTP request: {error}"))),
    };
    judged.unwrap_or_else(|(status, why)| Upgrade::Refused {
        answer: refusal(status, &why),
        why,
    })
}

/// Returns the HTTP answer to a refused request. It is the last of its connection.
pub(super) fn refusal(status: &str, why: &str) -> Vec<u8> {
    let length = why.len() + 1;
    let allow = if status.starts_with("405") {
        "Allow: GET\r\n"
    } else {
        ""
    };
    format!(
        "HTTP/1.1 {status}\r\nSec-WebSocket-Version: 13\r\n{allow}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{why}\n"
    )
    .into_bytes()
}

fn accept(
    request: &httparse::Request<'_, '_>,
    has_more: bool,
    rules: &Rules,
) -> Result<Upgrade, Refusal> {
    let bad = |why: &str| Err((BAD_REQUEST, why.to_owned()));
    if request.method != Some("GET") {
        let why = "request method must be GET".to_owned();
        return Err(("405 Method Not Allowed", why));
    }
    if request.version != Some(1) {
        return bad("the HTTP version must be 1.1");
    }
    let path = request.path.unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    if path.ends_with("/leafnode") || path.ends_with("/mqtt") {
        return bad("this port serves only NATS clients: no leaf nodes, no MQTT");
    }
    let Some(host) = value(request, "Host").filter(|host| !host.is_empty()) else {
        return bad("'Host' missing in request");
    };
    if !has_token(request, "Upgrade", "websocket") {
        return bad("invalid value for header 'Upgrade'");
    }
    if !has_token(request, "Connection", "Upgrade") {
        return bad("invalid value for header 'Connection'");
    }
    let Some(key) = value(request, "Sec-WebSocket-Key") else {
        return bad("key missing");
    };
    if !STANDARD.decode(key).is_ok_and(|key| key.len() == 16) {
        return bad("invalid key");
    }
    if !has_token(request, "Sec-WebSocket-Version", "13") {
        return bad("invalid version");
    }
    if let Some(origin) = value(request, "Origin")
        && !is_allowed(origin, host, rules)
    {
        return Err(("403 Forbidden", format!("origin not allowed: {origin}")));
    }
    if has_more {
        return bad("client sent data before handshake is complete");
    }
    let compressed = rules.compression
        && values(request, "Sec-WebSocket-Extensions").any(|text| text.split(',').any(is_offer));
    let agent = value(request, "User-Agent").unwrap_or_default();
    Ok(Upgrade::Accepted {
        answer: answer(key, compressed),
        browser: agent.starts_with("Mozilla/"),
        compressed,
    })
}

fn answer(key: &str, compressed: bool) -> Vec<u8> {
    let proof = digest(
        &SHA1_FOR_LEGACY_USE_ONLY,
        [key.as_bytes(), GUID.as_bytes()].concat().as_slice(),
    );
    let proof = STANDARD.encode(proof);
    let extension = if compressed {
        format!(
            "Sec-WebSocket-Extensions: {DEFLATE}; server_no_context_takeover; client_no_context_takeover\r\n"
        )
    } else {
        String::new()
    };
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {proof}\r\n{extension}\r\n"
    )
    .into_bytes()
}

/// Returns all values of a header that are text.
fn values<'a>(
    request: &'a httparse::Request<'_, '_>,
    name: &'a str,
) -> impl Iterator<Item = &'a str> {
    let headers = request.headers.iter();
    headers
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .filter_map(|header| std::str::from_utf8(header.value).ok())
        .map(str::trim)
}

fn value<'a>(request: &'a httparse::Request<'_, '_>, name: &'a str) -> Option<&'a str> {
    values(request, name).next()
}

fn has_token(request: &httparse::Request<'_, '_>, name: &str, token: &str) -> bool {
    values(request, name)
        .flat_map(|text| text.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case(token))
}

/// Returns whether a page of this origin may connect. Clients other than browsers can send any
/// origin; a client without one is accepted.
fn is_allowed(origin: &str, host: &str, rules: &Rules) -> bool {
    if !rules.same_origin && rules.allowed_origins.is_empty() {
        return true;
    }
    origin.parse().is_ok_and(|origin: Origin| {
        let same = !rules.same_origin || origin.is_of(host, rules.encrypted);
        let listed = rules.allowed_origins.is_empty() || rules.allowed_origins.contains(&origin);
        same && listed
    })
}

/// Returns whether a client's offer of compression is supported. A smaller window for the server's
/// compressor is not.
fn is_offer(text: &str) -> bool {
    let mut words = text.split(';').map(str::trim);
    words.next() == Some(DEFLATE)
        && words.all(|word| {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            match name.trim_end() {
                "server_no_context_takeover"
                | "client_no_context_takeover"
                | "client_max_window_bits" => true,
                "server_max_window_bits" => value.trim().trim_matches('"') == "15",
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455, section 1.3.
    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\nSec-WebSocket-Version: 13\r\n\r\n";

    fn judge_with(rules: &Rules, request: &str) -> (bool, String) {
        match judge(request.as_bytes(), rules) {
            Upgrade::Accepted { answer, .. } => (true, String::from_utf8(answer).expect("text")),
            Upgrade::Refused { answer, why } => {
                let answer = String::from_utf8(answer).expect("text");
                assert!(answer.ends_with(&format!("\r\n\r\n{why}\n")), "{answer}");
                (false, answer)
            }
            Upgrade::Incomplete => panic!("it is complete"),
        }
    }

    #[test]
    fn the_example_of_the_rfc_is_accepted() {
        let (_, answer) = judge_with(&Rules::default(), REQUEST);
        assert_eq!(
            answer,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        );
        for end in 0..REQUEST.len() {
            let judged = judge(&REQUEST.as_bytes()[..end], &Rules::default());
            assert_eq!(judged, Upgrade::Incomplete, "{end}");
        }
    }

    #[test]
    fn bad_upgrades_are_refused_with_a_reason() {
        for (part, other, told) in [
            ("GET", "POST", "405 Method Not Allowed"),
            ("HTTP/1.1", "HTTP/1.0", "must be 1.1"),
            ("/chat", "/x/mqtt?a", "no MQTT"),
            ("/chat", "/leafnode", "no leaf nodes"),
            ("Host:", "X:", "'Host' missing"),
            ("websocket\r\n", "h2c\r\n", "header 'Upgrade'"),
            ("keep-alive, Upgrade", "close", "header 'Connection'"),
            ("Key: dGhlIHNhbXBsZSBub25jZQ==", "X: 1", "key missing"),
            ("Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: abcd", "invalid key"),
            ("Version: 13", "Version: 8", "invalid version"),
            ("13\r\n\r\n", "13\r\n\r\nearly", "before handshake"),
            ("/chat HTTP/1.1", "\u{1}", "not an HTTP request"),
        ] {
            let request = REQUEST.replacen(part, other, 1);
            assert_ne!(request, REQUEST);
            let (accepted, answer) = judge_with(&Rules::default(), &request);
            assert!(!accepted && answer.contains(told), "{other:?}: {answer}");
        }
    }

    #[test]
    fn requests_are_bounded() {
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(MOST_REQUEST));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(65));
        for request in [long, many] {
            let (accepted, answer) = judge_with(&Rules::default(), &request);
            assert!(
                !accepted && answer.starts_with("HTTP/1.1 431 "),
                "{answer:.60}"
            );
        }
    }

    #[test]
    fn origins_are_judged_by_the_rules() {
        let rules = |same_origin, allowed: &[&str]| Rules {
            same_origin,
            allowed_origins: allowed.iter().map(|text| text.parse().unwrap()).collect(),
            ..Rules::default()
        };
        let none = "Origin: http://example.com\r\n";
        for (rules, origin, allowed) in [
            (rules(false, &[]), "http://anything", true),
            (rules(false, &[]), "null", true),
            (rules(true, &[]), "http://server.example.com", true),
            (rules(true, &[]), "http://server.example.com:81", false),
            (rules(true, &[]), "http://example.com", false),
            (rules(true, &[]), "null", false),
            (rules(true, &[]), "", true),
            (
                rules(false, &["https://a.b", "http://c.d:1"]),
                "http://c.d:1",
                true,
            ),
            (rules(false, &["https://a.b"]), "http://a.b", false),
            (rules(false, &["https://a.b"]), "", true),
            (
                rules(true, &["https://a.b"]),
                "http://server.example.com",
                false,
            ),
        ] {
            let line = format!("Origin: {origin}\r\n");
            let line = if origin.is_empty() { "" } else { &line };
            let request = REQUEST.replacen(none, line, 1);
            let (accepted, answer) = judge_with(&rules, &request);
            assert_eq!(accepted, allowed, "{origin:?}, {rules:?}");
            assert!(accepted || answer.starts_with("HTTP/1.1 403 "), "{answer}");
        }
    }

    #[test]
    fn browsers_and_compression_are_recognized() {
        for (compression, header, browser, compressed) in [
            (true, "User-Agent: Mozilla/5.0 (X11)\r\n", true, false),
            (true, "User-Agent: curl/8 Mozilla/5.0\r\n", false, false),
            (
                false,
                "Sec-WebSocket-Extensions: permessage-deflate\r\n",
                false,
                false,
            ),
            (
                true,
                "Sec-WebSocket-Extensions: x, permessage-deflate; client_max_window_bits\r\n",
                false,
                true,
            ),
            (
                true,
                "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n",
                false,
                false,
            ),
            (
                true,
                "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10, permessage-deflate; server_max_window_bits=15\r\n",
                false,
                true,
            ),
            (
                true,
                "Sec-WebSocket-Extensions: permessage-deflate; other\r\n",
                false,
                false,
            ),
        ] {
            let request = REQUEST.replacen("Origin", &format!("{header}Origin"), 1);
            let rules = Rules {
                compression,
                ..Rules::default()
            };
            let judged = judge(request.as_bytes(), &rules);
            let Upgrade::Accepted {
                answer,
                browser: b,
                compressed: c,
            } = judged
            else {
                panic!("{judged:?}");
            };
            assert_eq!((b, c), (browser, compressed), "{header}");
            let answer = String::from_utf8(answer).expect("text");
            assert_eq!(answer.contains(DEFLATE), compressed);
        }
    }
}
