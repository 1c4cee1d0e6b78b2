//! What a client can do wrong, in the words of nats-server.

/// A violation of the protocol or of a limit.
///
/// The texts are those of nats-server (`server/errors.go` and `server/client.go`),
/// in its upper and lower case, as clients compare them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ProtocolError {
    /// A verb that does not exist, or a payload that does not end with CRLF.
    #[error("Unknown Protocol Operation")]
    UnknownOperation,
    /// A verb with arguments that make no sense. nats-server closes without a word.
    #[error("Parser Error")]
    Arguments,
    /// A control line of more than `max_control_line` bytes.
    #[error("maximum control line exceeded")]
    ControlLine,
    /// A payload announced with more than `max_payload` bytes.
    #[error("Maximum Payload Violation")]
    Payload,
    /// A subscription to something that is not a subject.
    #[error("Invalid Subject")]
    Subject,
    /// A pedantic client published to something that is not a literal subject.
    #[error("Invalid Publish Subject")]
    PublishSubject,
    /// One subscription more than `max_subscriptions`.
    #[error("maximum subscriptions exceeded")]
    Subscriptions,
    /// One connection more than `max_connections`.
    #[error("maximum connections exceeded")]
    Connections,
    /// Wrong credentials, or anything but CONNECT where they are asked for.
    #[error("Authorization Violation")]
    Authorization,
    /// No credentials in time.
    #[error("Authentication Timeout")]
    AuthenticationTimeout,
    /// `protocol` in CONNECT is neither 0 nor 1.
    #[error("invalid client protocol")]
    ClientProtocol,
    /// `no_responders` was asked for without `headers`.
    #[error("no responders requires headers support")]
    NoRespondersNeedHeaders,
    /// A message with headers from a client that did not announce them.
    #[error("message headers not supported")]
    HeadersNotSupported,
    /// Pings remained unanswered.
    #[error("Stale Connection")]
    Stale,
    /// A client takes its messages too slowly.
    #[error("Slow Consumer")]
    SlowConsumer,
    /// The server is out of the memory that it may use, and this client holds most of it.
    #[error("maximum memory exceeded")]
    Memory,
    /// A client talks in clear where TLS is asked for.
    #[error("Secure Connection - TLS Required")]
    TlsRequired,
}

impl ProtocolError {
    /// Whether the connection ends with it.
    #[must_use]
    pub fn closes(self) -> bool {
        !matches!(
            self,
            Self::Subject | Self::PublishSubject | Self::Subscriptions
        )
    }

    /// The line that tells the client, if nats-server tells it.
    #[must_use]
    pub fn line(self) -> Option<String> {
        match self {
            Self::Arguments | Self::HeadersNotSupported => None,
            told => Some(format!("-ERR '{told}'\r\n")),
        }
    }
}
