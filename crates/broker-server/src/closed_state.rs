//! The reasons for closed connections on the monitoring pages.

use broker_protocol::ProtocolError;

use super::connection::Phase;
use super::reason::Reason;

/// Why a connection was closed, in the order of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ClosedState {
    AuthenticationFailure,
    AuthenticationTimeout,
    BadClientProtocolVersion,
    ClientClosed,
    MaxConnectionsExceeded,
    MaxControlLineExceeded,
    MaxPayloadExceeded,
    NoRespondersRequiresHeaders,
    ProtocolViolation,
    ReadError,
    ServerShutdown,
    SlowConsumerPendingBytes,
    SlowConsumerWriteDeadline,
    StaleConnection,
    TlsHandshakeFailure,
    WriteError,
}

impl ClosedState {
    /// Derives the state from the server's reason, the client's phase, and whether output was
    /// pending beyond the write deadline.
    pub(crate) fn of(reason: Reason, phase: Phase, is_late: bool) -> Self {
        if matches!(phase, Phase::Handshake(_)) && reason != Reason::Shutdown {
            return Self::TlsHandshakeFailure;
        }
        // An error after the client has left is not the reason.
        let reason = match phase {
            Phase::Leaving(first) => first,
            _ => reason,
        };
        let error = match reason {
            Reason::Gone => return Self::ClientClosed,
            Reason::Unreadable => return Self::ReadError,
            Reason::Unwritable => return Self::WriteError,
            Reason::Shutdown => return Self::ServerShutdown,
            Reason::Error(error) => error,
        };
        match error {
            ProtocolError::Authorization => Self::AuthenticationFailure,
            ProtocolError::AuthenticationTimeout => Self::AuthenticationTimeout,
            ProtocolError::ClientProtocol => Self::BadClientProtocolVersion,
            ProtocolError::Connections => Self::MaxConnectionsExceeded,
            ProtocolError::ControlLine => Self::MaxControlLineExceeded,
            ProtocolError::Payload => Self::MaxPayloadExceeded,
            ProtocolError::NoRespondersNeedHeaders => Self::NoRespondersRequiresHeaders,
            ProtocolError::SlowConsumer if is_late => Self::SlowConsumerWriteDeadline,
            // nats-server has no memory limit; this is its closest state.
            ProtocolError::SlowConsumer | ProtocolError::Memory => Self::SlowConsumerPendingBytes,
            ProtocolError::Stale => Self::StaleConnection,
            ProtocolError::TlsRequired => Self::TlsHandshakeFailure,
            _ => Self::ProtocolViolation,
        }
    }

    /// Returns nats-server's text for the state.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::AuthenticationFailure => "Authentication Failure",
            Self::AuthenticationTimeout => "Authentication Timeout",
            Self::BadClientProtocolVersion => "Bad Client Protocol Version",
            Self::ClientClosed => "Client Closed",
            Self::MaxConnectionsExceeded => "Maximum Connections Exceeded",
            Self::MaxControlLineExceeded => "Maximum Control Line Exceeded",
            Self::MaxPayloadExceeded => "Maximum Message Payload Exceeded",
            Self::NoRespondersRequiresHeaders => "No Responders Requires Headers",
            Self::ProtocolViolation => "Protocol Violation",
            Self::ReadError => "Read Error",
            Self::ServerShutdown => "Server Shutdown",
            Self::SlowConsumerPendingBytes => "Slow Consumer (Pending Bytes)",
            Self::SlowConsumerWriteDeadline => "Slow Consumer (Write Deadline)",
            Self::StaleConnection => "Stale Connection",
            Self::TlsHandshakeFailure => "TLS Handshake Failure",
            Self::WriteError => "Write Error",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn states_are_in_the_order_of_their_texts() {
        use ClosedState as State;
        let all = [
            State::AuthenticationFailure,
            State::AuthenticationTimeout,
            State::BadClientProtocolVersion,
            State::ClientClosed,
            State::MaxConnectionsExceeded,
            State::MaxControlLineExceeded,
            State::MaxPayloadExceeded,
            State::NoRespondersRequiresHeaders,
            State::ProtocolViolation,
            State::ReadError,
            State::ServerShutdown,
            State::SlowConsumerPendingBytes,
            State::SlowConsumerWriteDeadline,
            State::StaleConnection,
            State::TlsHandshakeFailure,
            State::WriteError,
        ];
        assert!(all.is_sorted() && all.is_sorted_by_key(|state| state.text()));
    }

    #[test]
    fn the_state_follows_from_reason_and_phase() {
        use ProtocolError as Error;
        let now = Instant::now();
        let (welcome, handshake) = (Phase::Welcome, Phase::Handshake(now));
        for (reason, phase, is_late, text) in [
            (Reason::Gone, welcome, false, "Client Closed"),
            (Reason::Gone, handshake, false, "TLS Handshake Failure"),
            (Reason::Unreadable, welcome, false, "Read Error"),
            (Reason::Unwritable, welcome, false, "Write Error"),
            (
                Reason::Unwritable,
                Phase::Leaving(Reason::Gone),
                false,
                "Client Closed",
            ),
            (
                Reason::Unwritable,
                Phase::Leaving(Reason::Shutdown),
                false,
                "Server Shutdown",
            ),
            (Reason::Shutdown, handshake, false, "Server Shutdown"),
            (
                Reason::Error(Error::SlowConsumer),
                welcome,
                false,
                "Slow Consumer (Pending Bytes)",
            ),
            (
                Reason::Error(Error::SlowConsumer),
                welcome,
                true,
                "Slow Consumer (Write Deadline)",
            ),
            (
                Reason::Error(Error::AuthenticationTimeout),
                handshake,
                false,
                "TLS Handshake Failure",
            ),
            (
                Reason::Error(Error::AuthenticationTimeout),
                Phase::Stranger(now),
                false,
                "Authentication Timeout",
            ),
            (
                Reason::Error(Error::UnknownOperation),
                Phase::Guest,
                false,
                "Protocol Violation",
            ),
        ] {
            let state = ClosedState::of(reason, phase, is_late);
            assert_eq!(state.text(), text, "{reason:?} {phase:?}");
        }
    }
}
