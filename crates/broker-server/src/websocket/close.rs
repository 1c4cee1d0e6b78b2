//! Close frames (RFC 6455, section 7.4).

use super::super::reason::Reason;
use broker_protocol::ProtocolError;

/// Longest payload of a control frame, in bytes.
pub(super) const MOST_CONTROL: usize = 125;

const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
pub(super) const PROTOCOL_ERROR: u16 = 1002;
pub(super) const INVALID_DATA: u16 = 1007;
const POLICY: u16 = 1008;
pub(super) const TOO_BIG: u16 = 1009;
const INTERNAL: u16 = 1011;

/// A status code and a text. The default is a close frame without either.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Close {
    code: u16,
    why: String,
}

impl Close {
    pub(super) fn new(code: u16, why: &str) -> Self {
        let mut why = why.to_owned();
        let most = MOST_CONTROL - size_of::<u16>();
        why.truncate(why.floor_char_boundary(most));
        Self { code, why }
    }

    /// Returns the close frame for a connection that ends for this reason, with nats-server's
    /// status code.
    pub(super) fn of(reason: Reason) -> Self {
        match reason {
            Reason::Gone | Reason::Unreadable | Reason::Unwritable => Self::new(NORMAL, ""),
            Reason::Shutdown => Self::new(GOING_AWAY, "Server Shutdown"),
            Reason::Error(error) => Self::new(code(error), &error.to_string()),
        }
    }

    /// Returns the status code; 0 means none.
    pub(super) fn code(&self) -> u16 {
        self.code
    }

    /// Returns the text.
    pub(super) fn why(&self) -> &str {
        &self.why
    }
}

fn code(error: ProtocolError) -> u16 {
    match error {
        ProtocolError::UnknownOperation
        | ProtocolError::Arguments
        | ProtocolError::ClientProtocol
        | ProtocolError::NoRespondersNeedHeaders
        | ProtocolError::HeadersNotSupported => PROTOCOL_ERROR,
        ProtocolError::Payload => TOO_BIG,
        ProtocolError::ControlLine
        | ProtocolError::Subscriptions
        | ProtocolError::Connections
        | ProtocolError::Authorization
        | ProtocolError::AuthenticationTimeout
        | ProtocolError::SlowConsumer
        | ProtocolError::Memory => POLICY,
        ProtocolError::Stale => GOING_AWAY,
        _ => INTERNAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_the_codes_of_nats_server() {
        for (reason, code) in [
            (Reason::Gone, 1000),
            (Reason::Shutdown, 1001),
            (Reason::Error(ProtocolError::Stale), 1001),
            (Reason::Error(ProtocolError::UnknownOperation), 1002),
            (Reason::Error(ProtocolError::SlowConsumer), 1008),
            (Reason::Error(ProtocolError::Authorization), 1008),
            (Reason::Error(ProtocolError::Payload), 1009),
        ] {
            assert_eq!(Close::of(reason).code(), code, "{reason:?}");
        }
    }
}
