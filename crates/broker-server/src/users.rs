//! Users: who may connect, and what each of them may publish and subscribe to.

use std::fmt;
use std::time::Duration;

/// A user of the server.
#[derive(Debug, Clone)]
pub struct User {
    /// What the client has to give.
    pub login: Login,
    /// What the client may do then.
    pub permissions: Permissions,
}

/// What a client gives to be a certain user.
#[derive(Clone)]
pub enum Login {
    /// A name and a password. A password that looks like a bcrypt hash is the hash of it, as
    /// with nats-server.
    Password {
        /// The name.
        user: String,
        /// The password, or its hash.
        password: String,
    },
    /// A signature by the Ed25519 key of which this is the public half: `U` and 55 more
    /// letters and digits.
    NKey(String),
}

impl Login {
    /// The name that logs, pages and errors have for the user.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Password { user, .. } => user,
            Self::NKey(key) => key,
        }
    }
}

// Secrets do not belong into logs.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a user may do: everything, unless something is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Subjects that the user may publish to.
    pub publish: Subjects,
    /// Subjects that the user may subscribe to. An entry can be `SUBJECT GROUP`, which is
    /// about subscriptions by that queue group alone; the group may have wildcards.
    pub subscribe: Subjects,
    /// Whether the user may answer requests although `publish` does not allow it.
    pub responses: Option<Responses>,
}

/// Subjects that are allowed and denied. What is both is denied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subjects {
    /// Those that are allowed; all, if it is `None`.
    pub allow: Option<Vec<String>>,
    /// Those that are denied.
    pub deny: Vec<String>,
}

/// How a user may answer the requests that it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Responses {
    /// How many messages each answer may be; any number, if it is `None`.
    pub max: Option<u64>,
    /// For how long after the request; without end, if it is `None`.
    pub expires: Option<Duration>,
}

impl Default for Responses {
    /// As nats-server has it: one message, within two minutes.
    fn default() -> Self {
        Self {
            max: Some(1),
            expires: Some(Duration::from_secs(120)),
        }
    }
}
