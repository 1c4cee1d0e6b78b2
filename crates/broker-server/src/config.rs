//! What a server can be told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use subtle::{Choice, ConstantTimeEq};

use super::leaf::Leaf;
use broker_protocol::{Connect, Limits};

/// All of it, with sense already checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where clients connect; port 0 is any free one.
    pub listen: SocketAddr,
    /// Where monitoring is served, if it is.
    pub http: Option<SocketAddr>,
    /// Threads that serve clients.
    pub workers: usize,
    /// Name of the server, for people.
    pub name: Option<String>,
    /// What clients must know.
    pub credentials: Credentials,
    /// The hub to be a leaf node of, if there is one.
    pub leaf: Option<Leaf>,
    /// Files for TLS, if it is asked of clients.
    pub tls: Option<TlsFiles>,
    /// Bounds on what one client may send.
    pub limits: Limits,
    /// Most connections at a time.
    pub max_connections: usize,
    /// Most subscriptions of a connection; 0 is any number.
    pub max_subscriptions: usize,
    /// Most bytes that may wait for a connection.
    pub max_pending: usize,
    /// Most memory held for clients in all, in bytes.
    pub max_memory: usize,
    /// How long a connection may be quiet before it is asked whether it lives.
    pub ping_interval: Duration,
    /// How many such questions may be without answer.
    pub max_pings_out: u32,
    /// How long a client may take for its credentials, and for the TLS handshake.
    pub auth_timeout: Duration,
    /// How long a byte may wait for a connection.
    pub write_deadline: Duration,
    /// How long the end of the server may take.
    pub drain_timeout: Duration,
    /// What the program's allocator is asked.
    pub allocator: Allocator,
}

/// What the allocator of the program, which no library can see, has to be asked.
#[derive(Debug, Clone, Copy)]
pub struct Allocator {
    /// Called about every second, if memory that was freed would not go back to the
    /// system otherwise.
    pub upkeep: Option<fn()>,
    /// What it says of its memory, names and bytes, for `/metrics`.
    pub figures: fn() -> Vec<(&'static str, u64)>,
}

impl Default for Allocator {
    /// One that needs no care and does not tell.
    fn default() -> Self {
        Self {
            upkeep: None,
            figures: Vec::new,
        }
    }
}

/// The files of `--tls-cert`, `--tls-key` and `--tls-ca`.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Who vouches for clients; they need a certificate if it is given.
    pub ca: Option<PathBuf>,
}

/// What a client must know to be let in.
///
/// A token or password that looks like a bcrypt hash is the hash of it, as with
/// nats-server.
#[derive(Clone)]
pub enum Credentials {
    /// Nothing.
    None,
    /// A token.
    Token(String),
    /// A name and a password.
    User(String, String),
}

// Secrets do not belong into logs.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token",
            Self::User(..) => "User",
        })
    }
}

impl Credentials {
    /// Whether a client needs any.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether [`Credentials::accept`] computes a hash, which takes a CPU for tens of
    /// milliseconds and more: no event loop should wait for it.
    #[must_use]
    pub fn are_hashed(&self) -> bool {
        match self {
            Self::None => false,
            Self::Token(secret) | Self::User(_, secret) => is_bcrypt(secret),
        }
    }

    /// Whether the client knows them.
    ///
    /// It takes the same time whichever part is wrong, and from which byte on.
    #[must_use]
    pub fn accept(&self, client: &Connect) -> bool {
        let same = |known: &str, given: &Option<String>| -> Choice {
            let given = given.as_deref().unwrap_or_default();
            known.as_bytes().ct_eq(given.as_bytes())
        };
        let knows = |secret: &str, given: &Option<String>| -> Choice {
            if is_bcrypt(secret) {
                let given = given.as_deref().unwrap_or_default();
                // What is no hash after all is the hash of nothing.
                u8::from(bcrypt::verify(given, secret).unwrap_or(false)).into()
            } else {
                same(secret, given)
            }
        };
        match self {
            Self::None => true,
            Self::Token(token) => knows(token, &client.auth_token).into(),
            Self::User(user, password) => {
                (same(user, &client.user) & knows(password, &client.pass)).into()
            }
        }
    }
}

/// Whether nats-server would take it for a hash: `$2a$` and two digits at its start.
fn is_bcrypt(secret: &str) -> bool {
    matches!(
        secret.as_bytes(),
        [
            b'$',
            b'2',
            b'a' | b'b' | b'x' | b'y',
            b'$',
            b'0'..=b'9',
            b'0'..=b'9',
            b'$',
            ..
        ]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_right_in_all_parts_is_accepted() {
        let client = |user: &str, pass: &str, token: &str| Connect {
            user: Some(user.to_owned()),
            pass: Some(pass.to_owned()),
            auth_token: Some(token.to_owned()),
            ..Connect::default()
        };
        let user = Credentials::User("u".to_owned(), "p".to_owned());
        assert!(user.accept(&client("u", "p", "")));
        for wrong in [
            client("u", "", ""),
            client("", "p", ""),
            client("p", "u", ""),
        ] {
            assert!(!user.accept(&wrong));
        }
        assert!(!user.accept(&Connect::default()));
        let token = Credentials::Token("t".to_owned());
        assert!(token.accept(&client("", "", "t")));
        assert!(!token.accept(&client("t", "t", "tt")));
        assert!(!token.accept(&Connect::default()));
        assert!(Credentials::None.accept(&Connect::default()));
        assert_eq!(format!("{user:?}{token:?}"), "UserToken");
    }

    #[test]
    fn a_bcrypt_hash_is_known_by_its_password() {
        let client = |user: &str, secret: &str| Connect {
            user: Some(user.to_owned()),
            pass: Some(secret.to_owned()),
            auth_token: Some(secret.to_owned()),
            ..Connect::default()
        };
        let parts = bcrypt::hash_with_salt("secret", 4, [7; 16]).expect("a cost of 4 is allowed");
        for version in [
            bcrypt::Version::TwoA,
            bcrypt::Version::TwoB,
            bcrypt::Version::TwoX,
            bcrypt::Version::TwoY,
        ] {
            let hash = parts.format_for_version(version);
            let user = Credentials::User("u".to_owned(), hash.clone());
            let token = Credentials::Token(hash.clone());
            assert!(user.are_hashed() && token.are_hashed());
            assert!(user.accept(&client("u", "secret")) && token.accept(&client("", "secret")));
            for wrong in ["", "secret1", &hash] {
                assert!(!user.accept(&client("u", wrong)) && !token.accept(&client("", wrong)));
            }
            assert!(!user.accept(&client("v", "secret")));
        }
        let broken = Credentials::Token("$2a$04$".to_owned());
        assert!(broken.are_hashed());
        assert!(!broken.accept(&client("", "$2a$04$")) && !broken.accept(&client("", "")));
        for plain in ["$2c$04$x", "$2a$4$x", "2a$04$", "t"] {
            assert!(!Credentials::Token(plain.to_owned()).are_hashed());
        }
        assert!(!Credentials::None.are_hashed());
    }
}
