//! Errors of a load.

use std::io;
use std::time::Duration;

use broker_protocol::BadUrl;

/// What went wrong and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The text is not a server address.
    #[error(
        "{given:?} is not a server address ({why}); give HOST:PORT or nats://USER:PASSWORD@HOST:PORT"
    )]
    Address {
        /// The text given.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The options contradict each other.
    #[error("{0}")]
    Plan(&'static str),
    /// The server cannot be reached.
    #[error("cannot connect to {server}: {source}; is a NATS server running there? (see --server)")]
    Connect {
        /// The server's address.
        server: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// The peer does not speak the NATS protocol.
    #[error("{server} does not speak the NATS protocol ({why}); check --server")]
    Foreign {
        /// The server's address.
        server: String,
        /// How it deviates from the protocol.
        why: String,
    },
    /// Messages do not reach the other server.
    #[error(
        "messages to {from} do not reach {to}: the servers are not connected, or a permission denies bench.> (see --subscriber-server)"
    )]
    Apart {
        /// The server that gets the messages.
        from: String,
        /// The server that does not deliver them.
        to: String,
    },
    /// The server requires TLS.
    #[error(
        "{server} requires TLS, which the load generator does not support; give a server without TLS"
    )]
    Tls {
        /// The server's address.
        server: String,
    },
    /// The server rejects the credentials.
    #[error("{server} refused the connection: {said}; check --user and --password, or --token")]
    Refused {
        /// The server's address.
        server: String,
        /// The text of the protocol error.
        said: String,
    },
    /// The payload is larger than the server allows.
    #[error(
        "a payload of {size} B is above the server's max_payload of {limit} B; \
         give a --size up to that, or a server with a higher limit"
    )]
    Payload {
        /// The payload size in bytes.
        size: usize,
        /// The `max_payload` in the server's INFO.
        limit: usize,
    },
    /// The server reported an error and will close the connection.
    #[error("the server reported {said} to {who}; see the server's log")]
    Reported {
        /// The connection, such as `subscriber 3`.
        who: String,
        /// The text of the protocol error.
        said: String,
    },
    /// The connection was closed.
    #[error("the server closed the connection of {who}{how}; see the server's log")]
    Closed {
        /// The connection, such as `subscriber 3`.
        who: String,
        /// The operating system's error in parentheses, if there is one.
        how: String,
    },
    /// The server stopped reading or answering.
    #[error(
        "the server did not read what {who} sent within {seconds} s; is it stopped or overloaded?"
    )]
    Stuck {
        /// The connection, such as `subscriber 3`.
        who: String,
        /// The time limit in seconds.
        seconds: u64,
    },
    /// A system call of the load generator failed.
    #[error("cannot {what}: {source}")]
    System {
        /// The action that failed.
        what: &'static str,
        /// The operating system's error.
        source: io::Error,
    },
}

impl LoadError {
    /// Converts the error of the address parser.
    pub(super) fn address(BadUrl { given, why }: BadUrl) -> Self {
        Self::Address { given, why }
    }

    /// A connection was closed while reading or writing.
    pub(super) fn closed(who: String, error: Option<&io::Error>) -> Self {
        let how = error.map_or_else(String::new, |error| format!(" ({error})"));
        Self::Closed { who, how }
    }

    /// The server no longer reads from a connection.
    pub(super) fn stuck(who: &str, after: Duration) -> Self {
        Self::Stuck {
            who: who.to_owned(),
            seconds: after.as_secs(),
        }
    }

    /// For `map_err`: adds the action that failed.
    pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}
