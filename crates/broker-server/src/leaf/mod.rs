//! The server as a leaf node: a hub, which is a NATS server or a cluster of them, gets
//! what its clients want of what is published here, and the other way around.
//!
//! One thread dials ([`dialler`]). A connection that stands is handed to a worker, which
//! serves it like that of a client, but in the protocol of leaf nodes ([`link`]).

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

/// The port that hubs listen on for leaf nodes unless told otherwise.
const PORT: u16 = 7422;

/// A hub to be a leaf node of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Where servers of it are: one at least.
    pub urls: Vec<LeafUrl>,
    /// Subjects that are not taken from the hub.
    pub deny_imports: Vec<String>,
    /// Subjects that are not given to the hub.
    pub deny_exports: Vec<String>,
    /// How it is proved who asks, beside what URLs say.
    pub proof: ProofFile,
    /// File with the authorities for certificates of the hub, in PEM; those that the system
    /// trusts, if there is none.
    pub ca: Option<PathBuf>,
    /// Files with a certificate for the hub and its private key, in PEM, if it wants one.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// TLS comes before the INFO of the hub, and is wanted.
    pub tls_first: bool,
}

/// A file that proves who asks. It is read for each connection, so that what it holds can
/// be renewed.
#[derive(Clone, PartialEq, Eq)]
pub enum ProofFile {
    /// There is none.
    None,
    /// The seed of an NKey itself.
    Seed(String),
    /// The seed of an NKey, on a line of its own.
    NKey(PathBuf),
    /// Credentials: a JWT and the seed of the key that it is for.
    Credentials(PathBuf),
}

// Secrets do not belong into logs.
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

/// Where a server of a hub is, and who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafUrl {
    /// Where.
    pub address: Address,
    /// Who.
    pub login: Login,
    /// The connection has to go by TLS; else it does if the hub asks for it.
    pub tls: bool,
}

impl std::str::FromStr for LeafUrl {
    type Err = BadUrl;

    /// Reads `[nats-leaf://|tls://][USER:PASSWORD@|TOKEN@]HOST[:PORT]`.
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
            Some("ws" | "wss") => "WebSocket to a hub is not spoken here",
            Some(_) => "the scheme is neither nats-leaf nor tls",
        };
        Err(BadUrl::new(text, why))
    }
}

/// Whether a subject may be denied to or from a hub.
#[must_use]
pub fn may_be_denied(subject: &str) -> bool {
    is_valid(subject.as_bytes()) && !subject.contains(char::is_whitespace)
}
