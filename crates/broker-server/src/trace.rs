//! Protocol lines in the log at level TRACE, as nats-server's `-V` shows them: `<<-` marks what a
//! client or hub sends, `->>` what the server sends. Payloads and secrets are left out.

use std::borrow::Cow;

use broker_protocol::Message;
use serde_json::{Map, Value};
use tracing::Level;

use super::connection::Connection;

/// Fields of CONNECT whose values are not logged.
const SECRETS: [&str; 6] = ["auth_token", "jwt", "pass", "password", "sig", "token"];

/// What nats-server writes instead of them.
const REDACTED: &str = "[REDACTED]";

/// Returns whether protocol lines are logged. Each worker calls this once, because a call takes
/// dozens of instructions.
pub(crate) fn is_on() -> bool {
    tracing::enabled!(Level::TRACE)
}

/// Logs the first line of `input`, a frame that the other side sent.
#[cold]
#[inline(never)]
pub(crate) fn received(connection: &Connection, input: &[u8]) {
    log(connection, "<<-", first_line(input));
}

/// Logs the lines that the server sends.
#[cold]
#[inline(never)]
pub(crate) fn sent(connection: &Connection, lines: &[u8]) {
    let lines = lines.split(|&byte| byte == b'\n');
    for line in lines.map(<[u8]>::trim_ascii_end) {
        if !line.is_empty() {
            log(connection, "->>", line);
        }
    }
}

/// Logs a message for the subscription `sid`, without its payload.
#[cold]
#[inline(never)]
pub(crate) fn sent_message(connection: &Connection, buffer: &[u8], message: &Message, sid: &[u8]) {
    let text = String::from_utf8_lossy;
    let (subject, sid) = (text(message.subject.of(buffer)), text(sid));
    let reply = text(message.reply.of(buffer));
    let space = if reply.is_empty() { "" } else { " " };
    let (headers, total) = (message.headers as usize, message.body.len());
    let line = if headers > 0 && connection.options.headers {
        format!("HMSG {subject} {sid} {reply}{space}{headers} {total}")
    } else {
        format!("MSG {subject} {sid} {reply}{space}{}", total - headers)
    };
    log(connection, "->>", line.as_bytes());
}

fn log(connection: &Connection, direction: &str, line: &[u8]) {
    let kind = if connection.link.is_some() {
        "lid"
    } else {
        "cid"
    };
    let (address, id) = (connection.address, connection.id);
    tracing::trace!(
        "{address} - {kind}:{id} - {direction} [{}]",
        without_secrets(line)
    );
}

fn first_line(bytes: &[u8]) -> &[u8] {
    let line = bytes.split(|&byte| byte == b'\n').next();
    line.unwrap_or_default().trim_ascii_end()
}

/// Returns the line as text, without the credentials of CONNECT.
fn without_secrets(line: &[u8]) -> Cow<'_, str> {
    const VERB: &[u8] = b"CONNECT";
    let Some((verb, json)) = line.split_at_checked(VERB.len()) else {
        return String::from_utf8_lossy(line);
    };
    if !verb.eq_ignore_ascii_case(VERB) {
        return String::from_utf8_lossy(line);
    }
    let Ok(mut fields) = serde_json::from_slice::<Map<String, Value>>(json) else {
        // This is not JSON, so a secret may be anywhere in it.
        return format!("CONNECT {REDACTED}").into();
    };
    for (name, value) in &mut fields {
        if SECRETS.contains(&&*name.to_lowercase()) {
            *value = REDACTED.into();
        }
    }
    format!("CONNECT {}", Value::Object(fields)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_without_secrets() {
        for (line, shown) in [
            ("SUB a.b q 7", "SUB a.b q 7"),
            ("PING", "PING"),
            ("", ""),
            (
                r#"CONNECT {"user":"ada","pass":"secret","echo":true}"#,
                r#"CONNECT {"echo":true,"pass":"[REDACTED]","user":"ada"}"#,
            ),
            (
                r#"connect {"Auth_Token":"secret","jwt":"secret","sig":"secret"}"#,
                r#"CONNECT {"Auth_Token":"[REDACTED]","jwt":"[REDACTED]","sig":"[REDACTED]"}"#,
            ),
            (r#"CONNECT {"pass":"secret""#, "CONNECT [REDACTED]"),
            ("CONNECT", "CONNECT [REDACTED]"),
        ] {
            assert_eq!(without_secrets(line.as_bytes()), shown);
        }
    }

    #[test]
    fn a_frame_is_shown_without_its_payload() {
        assert_eq!(first_line(b"PUB a 3\r\nabc\r\n"), b"PUB a 3");
        assert_eq!(first_line(b"PING\n"), b"PING");
        assert_eq!(first_line(b""), b"");
    }
}
