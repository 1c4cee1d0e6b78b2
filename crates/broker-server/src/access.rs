//! Authentication: checks the credentials in CONNECT against the configuration.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use subtle::{Choice, ConstantTimeEq};

use super::config::Credentials;
#[cfg(feature = "tls")]
use super::nkey::PublicKey;
use super::rights::Rights;
use super::users::{Login, Subjects, User};
use broker_protocol::{Connect, is_valid};

/// An error in the configured users.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Two users have the same name or key.
    #[error("there are two users \"{0}\"; leave one out")]
    Twice(String),
    /// A user has an empty name or password.
    #[error(
        "the name or password of user \"{0}\" is empty, which would let any client in; set both"
    )]
    Empty(String),
    /// A text is not a user's public NKey.
    #[error("\"{0}\" is not the public NKey of a user: 56 letters and digits that begin with U")]
    NKey(String),
    /// This build lacks the cryptography for NKeys.
    #[error(
        "this build does not support NKeys; remove these users or build with the feature `tls`"
    )]
    NoNKeys,
    /// The user for clients without credentials does not exist.
    #[error("the user for clients without credentials, \"{0}\", is not in the list of users")]
    NoGuest(String),
    /// A permission has an invalid subject.
    #[error("user \"{user}\": \"{subject}\" is not a valid subject for a permission")]
    Subject {
        /// The user.
        user: String,
        /// The invalid subject.
        subject: String,
    },
}

/// The user and permissions of an authenticated client.
#[derive(Debug)]
pub(crate) struct Grant {
    /// The user's name, if users are configured.
    pub(crate) user: Option<Box<str>>,
    /// `None` allows everything.
    pub(crate) rights: Option<Rights>,
    /// Identifies the password, to see after a reload whether it is the same.
    secret: Secret,
    /// The client gave no credentials, because none were needed.
    is_guest: bool,
}

/// A password or a token, or the hash of one.
#[derive(Clone, PartialEq, Eq)]
struct Secret(Box<str>);

// Secrets do not belong in logs.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns whether nats-server would take the secret for a hash: `$2a$` and two digits at its
    /// start.
    fn is_hash(&self) -> bool {
        matches!(
            self.0.as_bytes(),
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

    /// Compares the secret with the given one, in a time that does not depend on where they differ.
    fn is(&self, given: Option<&str>) -> Choice {
        let given = given.unwrap_or_default();
        if self.is_hash() {
            // A malformed hash matches nothing.
            u8::from(bcrypt::verify(given, &self.0).unwrap_or(false)).into()
        } else {
            self.0.as_bytes().ct_eq(given.as_bytes())
        }
    }
}

/// Who may connect.
#[derive(Debug)]
pub(crate) struct Access {
    known: Known,
    guest: Option<Arc<Grant>>,
}

#[derive(Debug)]
enum Known {
    /// Every client is the guest.
    Everybody,
    Token(Arc<Grant>),
    Users {
        by_name: HashMap<Box<str>, Arc<Grant>>,
        #[cfg(feature = "tls")]
        by_key: HashMap<Box<str>, (PublicKey, Arc<Grant>)>,
        /// The secret that is compared for an unknown user, so the comparison takes the same time.
        decoy: Secret,
    },
}

impl Access {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// The error in the configuration.
    pub(crate) fn new(credentials: &Credentials) -> Result<Self, AccessError> {
        let grant = |secret: &str, is_guest| {
            Arc::new(Grant {
                user: None,
                rights: None,
                secret: Secret::new(secret),
                is_guest,
            })
        };
        let (known, guest) = match credentials {
            Credentials::None => (Known::Everybody, Some(grant("", true))),
            Credentials::Token(token) => (Known::Token(grant(token, false)), None),
            Credentials::User(user, password) => {
                let only = User {
                    login: Login::Password {
                        user: user.clone(),
                        password: password.clone(),
                    },
                    permissions: super::Permissions::default(),
                };
                return Self::of_users(&[only], None);
            }
            Credentials::Users { users, guest } => return Self::of_users(users, guest.as_deref()),
        };
        Ok(Self { known, guest })
    }

    fn of_users(users: &[User], guest: Option<&str>) -> Result<Self, AccessError> {
        let mut by_name = HashMap::new();
        #[cfg(feature = "tls")]
        let mut by_key = HashMap::new();
        let mut decoy = Secret::new("");
        let mut guest_grant = None;
        for User { login, permissions } in users {
            let name = login.name();
            check(name, &permissions.publish, false)?;
            check(name, &permissions.subscribe, true)?;
            let grant = |secret: Secret, is_guest| {
                Arc::new(Grant {
                    user: Some(name.into()),
                    rights: Rights::new(permissions),
                    secret,
                    is_guest,
                })
            };
            let twice = match login {
                // Any client can use the guest's permissions, so its password is not secret.
                Login::Password { user, password }
                    if user.is_empty() || password.is_empty() && guest != Some(user) =>
                {
                    return Err(AccessError::Empty(user.clone()));
                }
                Login::Password { user, password } => {
                    let secret = Secret::new(password);
                    if secret.is_hash() || !decoy.is_hash() {
                        decoy = secret.clone();
                    }
                    if guest == Some(user) {
                        guest_grant = Some(grant(secret.clone(), true));
                    }
                    by_name
                        .insert(Box::from(&**user), grant(secret, false))
                        .is_some()
                }
                #[cfg(feature = "tls")]
                Login::NKey(text) => {
                    let key = PublicKey::parse(text);
                    let key = key.ok_or_else(|| AccessError::NKey(text.clone()))?;
                    let grant = grant(Secret::new(""), false);
                    by_key.insert(Box::from(&**text), (key, grant)).is_some()
                }
                #[cfg(not(feature = "tls"))]
                Login::NKey(_) => return Err(AccessError::NoNKeys),
            };
            if twice {
                return Err(AccessError::Twice(name.to_owned()));
            }
        }
        let guest =
            guest.map(|name| guest_grant.ok_or_else(|| AccessError::NoGuest(name.to_owned())));
        Ok(Self {
            guest: guest.transpose()?,
            known: Known::Users {
                by_name,
                #[cfg(feature = "tls")]
                by_key,
                decoy,
            },
        })
    }

    /// Returns the grant of a client without credentials; `None` if credentials are required.
    pub(crate) fn guest(&self) -> Option<&Arc<Grant>> {
        self.guest.as_ref()
    }

    /// Returns whether clients get a nonce to sign.
    #[cfg(feature = "tls")]
    pub(crate) fn has_keys(&self) -> bool {
        match &self.known {
            Known::Users { by_key, .. } => !by_key.is_empty(),
            _ => false,
        }
    }

    /// Returns whether [`Access::admit`] computes a hash for this client, which takes tens of
    /// milliseconds of CPU time or more: too long for an event loop.
    pub(crate) fn is_slow(&self, connect: &Connect) -> bool {
        match &self.known {
            Known::Everybody => false,
            Known::Token(grant) => grant.secret.is_hash(),
            #[cfg(feature = "tls")]
            Known::Users { by_key, .. } if is_by_key(connect, by_key) => false,
            Known::Users { by_name, decoy, .. } => {
                let user = connect.user.as_deref().unwrap_or_default();
                let secret = by_name.get(user).map_or(decoy, |grant| &grant.secret);
                self.is_guest(connect).is_none() && secret.is_hash()
            }
        }
    }

    /// Returns the guest, if it exists and the client has sent no credentials.
    fn is_guest(&self, connect: &Connect) -> Option<&Arc<Grant>> {
        self.guest.as_ref().filter(|_| connect.is_anonymous())
    }

    /// Authenticates a client. `nonce` is the one that it was asked to sign.
    ///
    /// The time does not depend on which part of the credentials is wrong, or where.
    pub(crate) fn admit(&self, connect: &Connect, nonce: Option<&str>) -> Option<Arc<Grant>> {
        let (user, pass) = (connect.user.as_deref(), connect.pass.as_deref());
        match &self.known {
            Known::Everybody => self.guest.clone(),
            Known::Token(grant) => {
                let is_right = grant.secret.is(connect.auth_token.as_deref());
                bool::from(is_right).then(|| Arc::clone(grant))
            }
            #[cfg(feature = "tls")]
            Known::Users { by_key, .. } if is_by_key(connect, by_key) => {
                let (key, grant) = by_key.get(connect.nkey.as_deref()?)?;
                let signature = connect.sig.as_deref().unwrap_or_default();
                key.has_signed(nonce?, signature).then(|| Arc::clone(grant))
            }
            Known::Users { by_name, decoy, .. } => {
                if let Some(guest) = self.is_guest(connect) {
                    return Some(Arc::clone(guest));
                }
                #[cfg(not(feature = "tls"))]
                let _ = nonce;
                let grant = by_name.get(user.unwrap_or_default());
                let secret = grant.map_or(decoy, |grant| &grant.secret);
                let is_right = bool::from(secret.is(pass));
                grant.filter(|_| is_right).cloned()
            }
        }
    }

    /// Returns the grant after a reload for a client with `grant` before it; `None` if its user is
    /// gone or has another password, or if it needs credentials now.
    pub(crate) fn renew(&self, grant: &Grant) -> Option<Arc<Grant>> {
        if grant.is_guest {
            return self.guest.clone();
        }
        let same = |new: &Arc<Grant>| (new.secret == grant.secret).then(|| Arc::clone(new));
        match (&self.known, &grant.user) {
            (Known::Everybody, _) => self.guest.clone(),
            (Known::Token(new), None) => same(new),
            (Known::Users { by_name, .. }, Some(user)) => {
                let new = by_name.get(user);
                #[cfg(feature = "tls")]
                let new = match &self.known {
                    Known::Users { by_key, .. } => {
                        new.or_else(|| by_key.get(user).map(|(_, grant)| grant))
                    }
                    _ => new,
                };
                new.and_then(same)
            }
            (Known::Token(_), Some(_)) | (Known::Users { .. }, None) => None,
        }
    }
}

/// Returns whether the client must sign, rather than give a password.
#[cfg(feature = "tls")]
fn is_by_key<T>(connect: &Connect, by_key: &HashMap<Box<str>, T>) -> bool {
    connect.nkey.is_some() && !by_key.is_empty()
}

/// Checks that permissions contain valid subjects.
fn check(user: &str, subjects: &Subjects, with_queues: bool) -> Result<(), AccessError> {
    let allowed = subjects.allow.iter().flatten();
    for text in allowed.chain(&subjects.deny) {
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        let is_fine = match words[..] {
            [subject] => is_valid(subject.as_bytes()),
            [subject, queue] => {
                with_queues && is_valid(subject.as_bytes()) && is_valid(queue.as_bytes())
            }
            _ => false,
        };
        if !is_fine {
            return Err(AccessError::Subject {
                user: user.to_owned(),
                subject: text.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::users::Permissions;
    use super::*;

    fn access(credentials: &Credentials) -> Access {
        Access::new(credentials).expect("it makes sense")
    }

    fn client(user: &str, pass: &str, token: &str) -> Connect {
        Connect {
            user: Some(user.to_owned()),
            pass: Some(pass.to_owned()),
            auth_token: Some(token.to_owned()),
            ..Connect::default()
        }
    }

    fn user(name: &str, password: &str) -> User {
        User {
            login: Login::Password {
                user: name.to_owned(),
                password: password.to_owned(),
            },
            permissions: Permissions::default(),
        }
    }

    fn users(users: Vec<User>, guest: Option<&str>) -> Credentials {
        let guest = guest.map(str::to_owned);
        Credentials::Users { users, guest }
    }

    #[test]
    fn all_parts_of_the_credentials_must_be_right() {
        let is_in = |access: &Access, client: &Connect| access.admit(client, None).is_some();
        let one = access(&Credentials::User("u".to_owned(), "p".to_owned()));
        let two = access(&users(vec![user("v", "q"), user("u", "p")], None));
        for access in [&one, &two] {
            assert!(is_in(access, &client("u", "p", "")));
            for wrong in [
                client("u", "", ""),
                client("u", "q", ""),
                client("", "p", ""),
                client("p", "u", ""),
                client("", "", ""),
                client("", "", "p"),
                Connect::default(),
            ] {
                assert!(!is_in(access, &wrong));
            }
        }
        let token = access(&Credentials::Token("t".to_owned()));
        assert!(is_in(&token, &client("", "", "t")));
        assert!(!is_in(&token, &client("t", "t", "tt")));
        assert!(!is_in(&token, &Connect::default()));
        let open = access(&Credentials::None);
        assert!(is_in(&open, &Connect::default()) && is_in(&open, &client("u", "p", "t")));
        assert!(!format!("{one:?}{token:?}").contains("\"p\""));
    }

    #[test]
    fn a_client_without_credentials_is_the_guest() {
        let access = access(&users(
            vec![user("u", "p"), user("anybody", "q")],
            Some("anybody"),
        ));
        let name = |client: &Connect| {
            let grant = access.admit(client, None)?;
            grant.user.as_deref().map(str::to_owned)
        };
        assert_eq!(name(&Connect::default()).as_deref(), Some("anybody"));
        assert_eq!(name(&client("", "", "")).as_deref(), Some("anybody"));
        assert_eq!(name(&client("u", "p", "")).as_deref(), Some("u"));
        for wrong in [
            client("x", "", ""),
            client("", "x", ""),
            client("", "", "x"),
        ] {
            assert_eq!(name(&wrong), None);
        }
        assert_eq!(
            access.guest().and_then(|guest| guest.user.as_deref()),
            Some("anybody")
        );
    }

    #[test]
    fn a_bcrypt_hash_is_known_by_its_password() {
        let parts = bcrypt::hash_with_salt("secret", 4, [7; 16]).expect("a cost of 4 is allowed");
        for version in [
            bcrypt::Version::TwoA,
            bcrypt::Version::TwoB,
            bcrypt::Version::TwoX,
            bcrypt::Version::TwoY,
        ] {
            let hash = parts.format_for_version(version);
            let plain = user("w", "plain");
            let user = access(&users(vec![user("u", &hash), plain], None));
            let token = access(&Credentials::Token(hash.clone()));
            assert!(token.is_slow(&Connect::default()));
            for (name, slow) in [("u", true), ("w", false), ("nobody", true)] {
                assert_eq!(user.is_slow(&client(name, "", "")), slow, "{name}");
            }
            let both = |name: &str, secret: &str| {
                let user = user.admit(&client(name, secret, ""), None).is_some();
                let token = token.admit(&client("", "", secret), None).is_some();
                (user, token)
            };
            assert_eq!(both("u", "secret"), (true, true));
            for wrong in ["", "secret1", &hash] {
                assert_eq!(both("u", wrong), (false, false));
            }
            assert_eq!(both("v", "secret"), (false, true));
        }
        let broken = access(&Credentials::Token("$2a$04$".to_owned()));
        assert!(broken.is_slow(&Connect::default()));
        for wrong in ["$2a$04$", ""] {
            assert!(broken.admit(&client("", "", wrong), None).is_none());
        }
        for plain in ["$2c$04$x", "$2a$4$x", "2a$04$", "t"] {
            let plain = access(&Credentials::Token(plain.to_owned()));
            assert!(!plain.is_slow(&Connect::default()));
        }
        assert!(!access(&Credentials::None).is_slow(&Connect::default()));
    }

    /// A key from the tests and documentation of github.com/nats-io/nkeys.
    #[cfg(feature = "tls")]
    const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";

    #[cfg(feature = "tls")]
    #[test]
    fn a_key_is_known_by_its_signature() {
        let key = crate::nkey::Key::of_seed(SEED).expect("a seed");
        let with_key = User {
            login: Login::NKey(key.public()),
            permissions: Permissions::default(),
        };
        let access = access(&users(vec![with_key, user("u", "p")], None));
        assert!(access.has_keys());
        let signed = |nkey: String, nonce: &str| Connect {
            nkey: Some(nkey),
            sig: Some(key.sign(nonce)),
            ..Connect::default()
        };
        let is_in = |client: &Connect, nonce| access.admit(client, nonce).is_some();
        assert!(is_in(&signed(key.public(), "once"), Some("once")));
        assert!(!is_in(&signed(key.public(), "before"), Some("once")));
        assert!(!is_in(&signed(key.public(), "once"), None));
        assert!(!is_in(&signed("UX".to_owned(), "once"), Some("once")));
        let without = Connect {
            nkey: Some(key.public()),
            ..client("u", "p", "")
        };
        assert!(!is_in(&without, Some("once")));
        assert!(is_in(&client("u", "p", ""), Some("once")));
    }

    #[test]
    fn invalid_users_are_rejected() {
        let with = |permissions: Permissions| User {
            permissions,
            ..user("u", "p")
        };
        let publish = |subject: &str| {
            let mut permissions = Permissions::default();
            permissions.publish.deny.push(subject.to_owned());
            with(permissions)
        };
        let subscribe = |subject: &str| {
            let mut permissions = Permissions::default();
            permissions.subscribe.allow = Some(vec![subject.to_owned()]);
            with(permissions)
        };
        let wrong_subject = |subject: &str| AccessError::Subject {
            user: "u".to_owned(),
            subject: subject.to_owned(),
        };
        let key = User {
            login: Login::NKey("UX".to_owned()),
            ..user("", "")
        };
        for (given, guest, error) in [
            (
                vec![user("u", "p"), user("u", "q")],
                None,
                AccessError::Twice("u".to_owned()),
            ),
            (
                vec![user("u", "")],
                None,
                AccessError::Empty("u".to_owned()),
            ),
            (vec![user("", "p")], None, AccessError::Empty(String::new())),
            (
                vec![user("u", "p")],
                Some("v"),
                AccessError::NoGuest("v".to_owned()),
            ),
            (vec![publish("a..b")], None, wrong_subject("a..b")),
            (vec![publish("a queue")], None, wrong_subject("a queue")),
            (vec![publish("")], None, wrong_subject("")),
            (vec![subscribe("a q x")], None, wrong_subject("a q x")),
            (
                vec![key],
                None,
                if cfg!(feature = "tls") {
                    AccessError::NKey("UX".to_owned())
                } else {
                    AccessError::NoNKeys
                },
            ),
        ] {
            assert_eq!(Access::new(&users(given, guest)).err(), Some(error));
        }
        assert!(Access::new(&users(vec![subscribe("a.* q.>")], None)).is_ok());
    }

    #[test]
    fn a_reload_keeps_clients_with_the_same_password() {
        let old = access(&users(
            vec![user("same", "p"), user("changed", "p"), user("gone", "p")],
            None,
        ));
        let new = access(&users(vec![user("same", "p"), user("changed", "q")], None));
        for (name, stays) in [("same", true), ("changed", false), ("gone", false)] {
            let grant = old
                .admit(&client(name, "p", ""), None)
                .expect("it is right");
            assert_eq!(new.renew(&grant).is_some(), stays, "{name}");
        }
        let open = access(&Credentials::None);
        let token = access(&Credentials::Token("t".to_owned()));
        let other = access(&Credentials::Token("u".to_owned()));
        let with_guest = access(&users(vec![user("g", "p")], Some("g")));
        let of_token = token
            .admit(&client("", "", "t"), None)
            .expect("it is right");
        let of_open = open.guest().expect("everybody is");
        assert!(token.renew(&of_token).is_some() && other.renew(&of_token).is_none());
        assert!(open.renew(&of_token).is_some() && token.renew(of_open).is_none());
        assert!(new.renew(of_open).is_none() && with_guest.renew(of_open).is_some());
        assert!(with_guest.renew(&of_token).is_none());
    }
}
