//! Users and their permissions.

use std::fmt;
use std::time::Duration;

/// A user of the server.
#[derive(Debug, Clone)]
pub struct User {
    /// The user's credentials.
    pub login: Login,
    /// The user's permissions.
    pub permissions: Permissions,
}

/// The credentials of a user.
#[derive(Clone)]
pub enum Login {
    /// A name and a password. A password that looks like a bcrypt hash is treated as one, as in
    /// nats-server.
    Password {
        /// The name.
        user: String,
        /// The password, or its hash.
        password: String,
    },
    /// An Ed25519 key, by its public NKey: `U` and 55 letters and digits. The client signs a nonce.
    NKey(String),
}

impl Login {
    /// Returns the user's name for logs, pages and errors.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Password { user, .. } => user,
            Self::NKey(key) => key,
        }
    }
}

// Secrets do not belong in logs.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A user's permissions. The default allows everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Subjects that the user may publish to.
    pub publish: Subjects,
    /// Subjects that the user may subscribe to. An entry can be `SUBJECT GROUP`, which applies only
    /// to subscriptions in that queue group; the group may have wildcards.
    pub subscribe: Subjects,
    /// Whether the user may answer requests although `publish` does not allow it.
    pub responses: Option<Responses>,
}

/// Allowed and denied subjects. Deny takes precedence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subjects {
    /// Allowed subjects; `None` means all.
    pub allow: Option<Vec<String>>,
    /// Denied subjects.
    pub deny: Vec<String>,
}

/// The limits on a user's answers to requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Responses {
    /// Most messages in answer to a request; `None` means no limit.
    pub max: Option<u64>,
    /// How long after the request answers are allowed; `None` means no limit.
    pub expires: Option<Duration>,
}

impl Default for Responses {
    /// nats-server's defaults: one message, within two minutes.
    fn default() -> Self {
        Self {
            max: Some(1),
            expires: Some(Duration::from_secs(120)),
        }
    }
}
