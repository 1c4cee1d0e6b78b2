//! Errors of clients, with nats-server's texts.

use std::fmt::Write as _;

/// A violation of the protocol or of a limit.
///
/// The texts are those of nats-server (`server/errors.go` and `server/client.go`), including their
/// case, because clients compare them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ProtocolError {
    /// A verb that does not exist, or a payload that does not end with CRLF.
    #[error("Unknown Protocol Operation")]
    UnknownOperation,
    /// A verb with malformed arguments. nats-server closes the connection without an error message.
    #[error("Parser Error")]
    Arguments,
    /// A control line of more than `max_control_line` bytes.
    #[error("maximum control line exceeded")]
    ControlLine,
    /// A payload announced with more than `max_payload` bytes.
    #[error("Maximum Payload Violation")]
    Payload,
    /// A subscription to an invalid subject.
    #[error("Invalid Subject")]
    Subject,
    /// A pedantic client published to something that is not a literal subject.
    #[error("Invalid Publish Subject")]
    PublishSubject,
    /// More subscriptions than `max_subscriptions`.
    #[error("maximum subscriptions exceeded")]
    Subscriptions,
    /// More connections than `max_connections`.
    #[error("maximum connections exceeded")]
    Connections,
    /// Wrong credentials, or a command other than CONNECT where credentials are required.
    #[error("Authorization Violation")]
    Authorization,
    /// No credentials before the timeout.
    #[error("Authentication Timeout")]
    AuthenticationTimeout,
    /// `protocol` in CONNECT is neither 0 nor 1.
    #[error("invalid client protocol")]
    ClientProtocol,
    /// The client asked for `no_responders` without `headers`.
    #[error("no responders requires headers support")]
    NoRespondersNeedHeaders,
    /// A message with headers from a client that did not announce them.
    #[error("message headers not supported")]
    HeadersNotSupported,
    /// Too many PINGs without an answer.
    #[error("Stale Connection")]
    Stale,
    /// The client reads its messages too slowly.
    #[error("Slow Consumer")]
    SlowConsumer,
    /// The server has reached its memory limit, and this client holds the most memory.
    #[error("maximum memory exceeded")]
    Memory,
    /// The client sends plaintext where TLS is required.
    #[error("Secure Connection - TLS Required")]
    TlsRequired,
}

impl ProtocolError {
    /// Returns whether the error closes the connection.
    #[must_use]
    pub fn closes(self) -> bool {
        !matches!(
            self,
            Self::Subject | Self::PublishSubject | Self::Subscriptions
        )
    }

    /// Returns the -ERR line, if nats-server sends one.
    #[must_use]
    pub fn line(self) -> Option<String> {
        match self {
            Self::Arguments | Self::HeadersNotSupported => None,
            told => Some(format!("-ERR '{told}'\r\n")),
        }
    }
}

/// A command that nats-server denies. The connection continues; the command has no effect and gets
/// no `+OK`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation<'a> {
    /// A message to a [reserved](super::is_reserved) subject.
    Publish(&'a [u8]),
    /// A message with a [reserved](super::is_reserved_reply) reply subject.
    Reply(&'a [u8]),
    /// A subscription to a subject in a queue group, for example [`SYSTEM_QUEUE`].
    Queue(&'a [u8], &'a [u8]),
    /// A subscription to a subject that the user may not subscribe to.
    Subscription(&'a [u8]),
    /// An existing subscription, with its sid, that the user may no longer have.
    Removed(&'a [u8], &'a [u8]),
    /// A subscription to a subject with too many tokens.
    Tokens(&'a [u8]),
}

/// The queue group that nats-server reserves for itself.
pub const SYSTEM_QUEUE: &[u8] = b"_sys_";

impl Violation<'_> {
    /// Returns the -ERR line.
    #[must_use]
    pub fn line(self) -> String {
        let what = match self {
            Self::Publish(subject) => format!("Publish to {}", quoted(subject)),
            Self::Reply(reply) => format!("Publish with Reply of {}", quoted(reply)),
            Self::Queue(subject, queue) => format!(
                "Subscription to {} using queue {}",
                quoted(subject),
                quoted(queue)
            ),
            Self::Subscription(subject) => format!("Subscription to {}", quoted(subject)),
            Self::Tokens(subject) => {
                format!("Subscription to {}, too many tokens", quoted(subject))
            }
            Self::Removed(subject, sid) => {
                format!("Subscription to {} (sid {})", quoted(subject), quoted(sid))
            }
        };
        format!("-ERR 'Permissions Violation for {what}'\r\n")
    }
}

/// Returns a subject in quotes in Go's syntax, always on one line.
fn quoted(subject: &[u8]) -> String {
    let mut text = String::from("\"");
    let byte = |text: &mut String, byte: u32| {
        // Writing to a string cannot fail.
        let _ = write!(text, "\\x{byte:02x}");
    };
    for chunk in subject.utf8_chunks() {
        for sign in chunk.valid().chars() {
            match sign {
                '"' | '\\' => text.extend(['\\', sign]),
                _ if sign.is_control() => byte(&mut text, u32::from(sign)),
                _ => text.push(sign),
            }
        }
        for invalid in chunk.invalid() {
            byte(&mut text, u32::from(*invalid));
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_are_one_line() {
        assert_eq!(
            Violation::Reply(b"_R_.\"\\\xff\x01\x7f\xc3\xa9").line(),
            "-ERR 'Permissions Violation for Publish with Reply of \"_R_.\\\"\\\\\\xff\\x01\\x7f\u{e9}\"'\r\n"
        );
        assert_eq!(
            Violation::Queue(b"a", SYSTEM_QUEUE).line(),
            "-ERR 'Permissions Violation for Subscription to \"a\" using queue \"_sys_\"'\r\n"
        );
        assert_eq!(
            Violation::Publish(b"_GR_.x").line(),
            "-ERR 'Permissions Violation for Publish to \"_GR_.x\"'\r\n"
        );
        assert_eq!(
            Violation::Subscription(b"a.>").line(),
            "-ERR 'Permissions Violation for Subscription to \"a.>\"'\r\n"
        );
        assert_eq!(
            Violation::Tokens(b"a.b").line(),
            "-ERR 'Permissions Violation for Subscription to \"a.b\", too many tokens'\r\n"
        );
        assert_eq!(
            Violation::Removed(b"a", b"7").line(),
            "-ERR 'Permissions Violation for Subscription to \"a\" (sid \"7\")'\r\n"
        );
    }
}
