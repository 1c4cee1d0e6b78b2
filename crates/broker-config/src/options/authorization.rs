//! The `authorization` map.

use broker_server::{Login, Permissions};

use super::Authorization;
use super::reader::{Field, Reader, fields};
use super::users::{ListedUser, Ways};
use crate::problem::Position;
use crate::secret::Secret;

/// Most bytes that copies of the default permissions may take in all.
const MAX_DEFAULTS: usize = 64 << 20;

/// The content of `authorization`, with what is checked after the whole file is read.
pub(super) struct Authorized {
    pub(super) authorization: Authorization,
    /// The users' restrictions of connection types.
    pub(super) ways: Vec<Ways>,
    /// Users without a password.
    pub(super) open: Vec<(Position, String)>,
}

impl<'a> Reader<'a> {
    pub(super) fn authorization(&mut self, field: &Field<'a>) -> Option<Authorized> {
        let place = field.at;
        let mut found = Authorization::default();
        let mut users = None;
        let mut permissions = None;
        for (key, field) in fields(self.map(field)?) {
            match key.as_str() {
                "user" | "username" => found.user = self.credential(&field),
                "pass" | "password" => found.password = self.credential(&field).map(Secret),
                "token" => found.token = self.credential(&field).map(Secret),
                "timeout" => found.timeout = self.time(&field),
                "users" => users = Some(self.users(&field)),
                "default_permission" | "default_permissions" | "permissions" => {
                    permissions = self.permissions(&field).map(|found| (found, field.at));
                }
                "auth_callout" | "auth_hook" => {
                    let text = format!(
                        "{}: Broker has no auth callout; leave it out and list users, \
                         or use nats-server for it",
                        field.name
                    );
                    self.error(field.at, text);
                }
                _ => self.unknown(&field),
            }
        }
        let is_single = found.user.is_some() || found.password.is_some();
        if is_single && found.token.is_some() {
            self.error(place, "Cannot have a user/pass and token");
        } else if found.user.is_some() != found.password.is_some() {
            self.error(place, "user and password must be set together");
        }
        if users.is_some() && is_single {
            self.error(place, "Can not have a single user/pass and a users array");
        }
        if users.is_some() && found.token.is_some() {
            self.error(place, "Can not have a token and a users array");
        }
        if let (None, Some((_, at))) = (&users, &permissions) {
            self.warn(at, "permissions have no effect without a list of users");
        }
        let mut users = users.unwrap_or_default();
        let ways = users
            .iter_mut()
            .filter_map(|user| user.ways.take())
            .collect();
        let open = users.iter().filter_map(without_password).collect();
        let default = permissions
            .map(|(permissions, _)| permissions)
            .unwrap_or_default();
        let without = users
            .iter()
            .filter(|user| user.permissions.is_none())
            .count();
        if size(&default).saturating_mul(without) > MAX_DEFAULTS {
            self.error(
                place,
                "default permissions are too large for this number of users",
            );
            return None;
        }
        found.users = users
            .into_iter()
            .map(|user: ListedUser| user.into_user(&default))
            .collect();
        Some(Authorized {
            authorization: found,
            ways,
            open,
        })
    }

    /// Returns a credential, which must not be empty.
    fn credential(&mut self, field: &Field<'a>) -> Option<String> {
        let text = self.text(field)?;
        if text.is_empty() {
            let name = field.name;
            let text =
                format!("{name} is empty, which would let any client in; leave it out or set it");
            self.error(field.at, text);
            return None;
        }
        Some(text.to_owned())
    }
}

fn without_password(user: &ListedUser) -> Option<(Position, String)> {
    match &user.login {
        Login::Password {
            user: name,
            password,
        } if password.is_empty() => Some((user.at.clone(), name.clone())),
        _ => None,
    }
}

/// Returns the least size in bytes of a copy of the permissions.
fn size(permissions: &Permissions) -> usize {
    let subjects = [&permissions.publish, &permissions.subscribe];
    let subjects = subjects
        .into_iter()
        .flat_map(|found| found.allow.iter().flatten().chain(&found.deny));
    subjects
        .map(|subject| subject.len() + size_of::<String>())
        .sum()
}
