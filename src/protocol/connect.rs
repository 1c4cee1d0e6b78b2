//! CONNECT: what a client tells of itself.

use serde::Deserialize;

use super::ProtocolError;

/// The options of CONNECT that matter here; others are ignored.
///
/// What is left out has nats-server's defaults: verbose, pedantic, with echo.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "the protocol has them so")]
pub struct Connect {
    /// Each command is answered with `+OK`.
    pub verbose: bool,
    /// Subjects are checked on publishing too.
    pub pedantic: bool,
    /// Messages come back to the connection that published them.
    pub echo: bool,
    /// The client understands HMSG.
    pub headers: bool,
    /// The client wants to know when nobody is there to answer a request.
    pub no_responders: bool,
    /// 1 if the client understands INFO at any time.
    pub protocol: i64,
    /// Name of the user.
    pub user: Option<String>,
    /// Password of the user.
    pub pass: Option<String>,
    /// A token in the place of user and password.
    pub auth_token: Option<String>,
    /// The name that the client gives itself, for logs.
    pub name: Option<String>,
    /// Language of the client library, for logs.
    pub lang: Option<String>,
    /// Version of the client library, for logs.
    pub version: Option<String>,
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            verbose: true,
            pedantic: true,
            echo: true,
            headers: false,
            no_responders: false,
            protocol: 0,
            user: None,
            pass: None,
            auth_token: None,
            name: None,
            lang: None,
            version: None,
        }
    }
}

impl Connect {
    /// Reads the argument of CONNECT.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::Arguments`] if it is not an object in JSON with options of
    /// the right types.
    pub fn parse(json: &[u8]) -> Result<Self, ProtocolError> {
        serde_json::from_slice(json).map_err(|_| ProtocolError::Arguments)
    }

    /// Whether the options go together.
    ///
    /// # Errors
    ///
    /// The option that cannot be had.
    pub fn check(&self) -> Result<(), ProtocolError> {
        if !(0..=1).contains(&self.protocol) {
            return Err(ProtocolError::ClientProtocol);
        }
        if self.no_responders && !self.headers {
            return Err(ProtocolError::NoRespondersNeedHeaders);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_nats_servers_defaults() {
        let connect = Connect::parse(b" {\"jwt\":null,\"nkey\":\"x\"} ").expect("unknown is fine");
        assert!(connect.verbose && connect.pedantic && connect.echo);
        assert!(!connect.headers && !connect.no_responders);
        assert_eq!(connect.protocol, 0);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for json in [&b""[..], b"{", b"[]x", b"{\"verbose\":\"yes\"}", b"\xff"] {
            assert_eq!(Connect::parse(json).err(), Some(ProtocolError::Arguments));
        }
    }

    #[test]
    fn options_must_go_together() {
        let checked = |json: &str| Connect::parse(json.as_bytes()).and_then(|c| c.check());
        assert_eq!(checked("{\"protocol\":1}"), Ok(()));
        assert_eq!(
            checked("{\"protocol\":2}"),
            Err(ProtocolError::ClientProtocol)
        );
        assert_eq!(
            checked("{\"no_responders\":true}"),
            Err(ProtocolError::NoRespondersNeedHeaders)
        );
    }
}
