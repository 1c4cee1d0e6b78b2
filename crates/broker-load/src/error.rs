//! Why a load cannot be run, or was not run to its end.

use std::io;
use std::time::Duration;

use broker_protocol::BadUrl;

/// What went wrong, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The server's address has another form.
    #[error(
        "{given:?} is no server address ({why}); give HOST:PORT or nats://USER:PASSWORD@HOST:PORT"
    )]
    Address {
        /// The text given.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// What was asked for contradicts itself.
    #[error("{0}")]
    Plan(&'static str),
    /// Nobody answers there.
    #[error("cannot connect to {server}: {source}; is a NATS server running there? (see --server)")]
    Connect {
        /// Where.
        server: String,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody else answers there.
    #[error("{server} does not speak the NATS protocol ({why}); check --server")]
    Foreign {
        /// Where.
        server: String,
        /// What is wrong with what it says.
        why: String,
    },
    /// The server wants TLS.
    #[error(
        "{server} requires TLS, which the load generator does not speak; give it a server without"
    )]
    Tls {
        /// Where.
        server: String,
    },
    /// The server refuses the credentials.
    #[error("{server} refused the connection: {said}; check --user and --password, or --token")]
    Refused {
        /// Where.
        server: String,
        /// The error of the protocol.
        said: String,
    },
    /// The server takes no messages of that size.
    #[error(
        "messages of {size} B are above the server's max_payload of {limit} B; \
         give a --size up to that, or a server with a higher limit"
    )]
    Payload {
        /// Bytes of a payload.
        size: usize,
        /// The limit in its INFO.
        limit: usize,
    },
    /// The server reported an error and will close the connection.
    #[error("the server reported {said} to {who}; its log may say more")]
    Reported {
        /// Which connection, such as `subscriber 3`.
        who: String,
        /// The error of the protocol.
        said: String,
    },
    /// The connection is gone.
    #[error("the server closed the connection of {who}{how}; its log may say why")]
    Closed {
        /// Which connection.
        who: String,
        /// What the system says, in parentheses, if anything.
        how: String,
    },
    /// The server stopped reading or answering.
    #[error(
        "the server did not take what {who} sent within {seconds} s; is it stopped, or overloaded?"
    )]
    Stuck {
        /// Which connection.
        who: String,
        /// How long it had.
        seconds: u64,
    },
    /// The system refuses what the generator needs.
    #[error("cannot {what}: {source}")]
    System {
        /// What was to be done.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

impl LoadError {
    /// A text is no address.
    pub(super) fn address(BadUrl { given, why }: BadUrl) -> Self {
        Self::Address { given, why }
    }

    /// A connection was lost while reading or writing.
    pub(super) fn closed(who: String, error: Option<&io::Error>) -> Self {
        let how = error.map_or_else(String::new, |error| format!(" ({error})"));
        Self::Closed { who, how }
    }

    /// The server takes nothing more from a connection.
    pub(super) fn stuck(who: &str, after: Duration) -> Self {
        Self::Stuck {
            who: who.to_owned(),
            seconds: after.as_secs(),
        }
    }

    /// For `map_err` where the system refuses something.
    pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}
