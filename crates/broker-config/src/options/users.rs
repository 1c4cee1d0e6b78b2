//! The list of users.

use std::collections::HashSet;

use broker_server::{Login, Permissions, User};

use super::checks::is_public_nkey;
use super::reader::{Field, Reader, fields};
use crate::problem::Position;

/// A user, with what is checked after the whole file is read.
pub(super) struct ListedUser {
    pub(super) at: Position,
    pub(super) login: Login,
    /// `None` means the default permissions.
    pub(super) permissions: Option<Permissions>,
    /// The connection types that the user is restricted to, if any.
    pub(super) ways: Option<Ways>,
}

/// Allowed connection types.
pub(super) struct Ways {
    pub(super) at: Position,
    pub(super) standard: bool,
    pub(super) websocket: bool,
}

impl ListedUser {
    pub(super) fn into_user(self, default: &Permissions) -> User {
        User {
            login: self.login,
            permissions: self.permissions.unwrap_or_else(|| default.clone()),
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn users(&mut self, field: &Field<'a>) -> Vec<ListedUser> {
        let mut users: Vec<ListedUser> = Vec::new();
        let mut names = HashSet::new();
        for element in self.list(field) {
            let Some(user) = self.user(&element) else {
                continue;
            };
            let name = user.login.name();
            if !names.insert(name.to_owned()) {
                let kind = match user.login {
                    Login::Password { .. } => "user",
                    Login::NKey(_) => "nkey",
                };
                self.error(element.at, format!("duplicate {kind} {name:?}"));
            }
            users.push(user);
        }
        users
    }

    fn user(&mut self, element: &Field<'a>) -> Option<ListedUser> {
        let (mut name, mut password, mut nkey) = (None, None, None);
        let (mut permissions, mut ways) = (None, None);
        for (key, field) in fields(self.map(element)?) {
            match key.as_str() {
                "nkey" => nkey = self.name(&field),
                "user" | "username" => name = self.name(&field),
                "pass" | "password" => password = self.name(&field),
                "permission" | "permissions" | "authorization" => {
                    permissions = self.permissions(&field);
                }
                "allowed_connection_types" | "connection_types" | "clients" => {
                    ways = Some(self.ways(&field));
                }
                _ => self.unknown(&field),
            }
        }
        let login = match (nkey, name, password) {
            (Some(key), None, None) if is_public_nkey(&key) => Login::NKey(key),
            (Some(_), None, None) => {
                let text =
                    "nkey is not the public NKey of a user: U and 55 characters of A-Z and 2-7";
                self.error(element.at, text);
                return None;
            }
            (Some(_), ..) => {
                self.error(
                    element.at,
                    "a user with an nkey must not have a user or a password",
                );
                return None;
            }
            (None, Some(user), password) => Login::Password {
                user,
                password: password.unwrap_or_default(),
            },
            (None, None, _) => {
                self.error(element.at, "a user needs a user and a password, or an nkey");
                return None;
            }
        };
        Some(ListedUser {
            at: element.at.clone(),
            login,
            permissions,
            ways,
        })
    }

    fn ways(&mut self, field: &Field<'a>) -> Ways {
        let mut ways = Ways {
            at: field.at.clone(),
            standard: false,
            websocket: false,
        };
        for (text, at) in self.texts(field) {
            match text.to_ascii_uppercase().as_str() {
                "STANDARD" => ways.standard = true,
                "WEBSOCKET" => ways.websocket = true,
                // Broker accepts none of these from any client.
                "LEAFNODE" | "LEAFNODE_WS" | "MQTT" | "MQTT_WS" => {}
                _ => self.error(at, format!("unknown connection type {text:?}")),
            }
        }
        ways
    }
}
