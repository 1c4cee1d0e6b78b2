//! The server as a leaf node of a hub, which is a NATS server or cluster: each side gets the
//! messages that the other side's clients publish and its own clients subscribe to.
//!
//! One thread connects ([`dialler`]). It hands an established connection to a worker, which serves
//! it like a client, but in the leaf node protocol ([`link`]).

pub(crate) mod backoff;
pub(crate) mod dialler;
pub(crate) mod filter;
pub(crate) mod link;
#[cfg(feature = "tls")]
pub(crate) mod proof;
pub(crate) mod remote;

use std::fmt;
use std::path::PathBuf;

use broker_protocol::{Address, BadUrl, Login, is_valid, parse_url};

/// The default port of hubs for leaf nodes.
const PORT: u16 = 7422;

/// A hub to connect to as a leaf node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The hub's servers: at least one.
    pub urls: Vec<LeafUrl>,
    /// Subjects that are not imported from the hub.
    pub deny_imports: Vec<String>,
    /// Subjects that are not exported to the hub.
    pub deny_exports: Vec<String>,
    /// Proof of identity, besides the credentials in the URLs.
    pub proof: ProofFile,
    /// The CA certificates for the hub, in PEM; `None` means those that the system trusts.
    pub ca: Option<PathBuf>,
    /// Files with the client certificate for the hub and its private key, in PEM.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// TLS is required, and its handshake comes before the hub's INFO.
    pub tls_first: bool,
}

/// Proof of identity. The file is read for each connection, so its content can be renewed.
#[derive(Clone, PartialEq, Eq)]
pub enum ProofFile {
    /// No proof.
    None,
    /// The seed of an NKey itself.
    Seed(String),
    /// The seed of an NKey, on a line of its own.
    NKey(PathBuf),
    /// Credentials: a JWT and the seed of the key that it is for.
    Credentials(PathBuf),
}

// Secrets do not belong in logs.
impl fmt::Debug for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Seed(_) => f.write_str("Seed"),
            Self::NKey(file) => write!(f, "NKey({})", file.display()),
            Self::Credentials(file) => write!(f, "Credentials({})", file.display()),
        }
    }
}

/// The URL of a hub's server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafUrl {
    /// The address.
    pub address: Address,
    /// The credentials.
    pub login: Login,
    /// TLS is required; otherwise the connection uses TLS only if the hub requires it.
    pub tls: bool,
}

impl std::str::FromStr for LeafUrl {
    type Err = BadUrl;

    /// Parses `[nats-leaf://|tls://][USER:PASSWORD@|TOKEN@]HOST[:PORT]`.
    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let url = parse_url(text, PORT)?;
        let why = match url.scheme {
            None | Some("nats-leaf" | "nats" | "tls") => {
                return Ok(Self {
                    address: url.address,
                    login: url.login,
                    tls: url.scheme == Some("tls"),
                });
            }
            Some("ws" | "wss") => "WebSocket to a hub is not supported",
            Some(_) => "the scheme must be nats-leaf or tls",
        };
        Err(BadUrl::new(text, why))
    }
}

/// Returns whether a subject is valid in a list of denied imports or exports.
#[must_use]
pub fn may_be_denied(subject: &str) -> bool {
    is_valid(subject.as_bytes()) && !subject.contains(char::is_whitespace)
}
