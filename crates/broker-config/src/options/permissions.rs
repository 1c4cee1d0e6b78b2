//! Permissions to publish and to subscribe.

use std::time::Duration;

use broker_server::{Permissions, Responses, Subjects, may_be_denied};

use super::reader::{Field, Reader, fields};
use crate::grammar::Kind;

impl<'a> Reader<'a> {
    pub(super) fn permissions(&mut self, field: &Field<'a>) -> Option<Permissions> {
        let mut permissions = Permissions::default();
        for (key, field) in fields(self.map(field)?) {
            match key.as_str() {
                "pub" | "publish" | "import" => {
                    permissions.publish = self.allowed_and_denied(&field, false);
                }
                "sub" | "subscribe" | "export" => {
                    permissions.subscribe = self.allowed_and_denied(&field, true);
                }
                "allow_responses" | "publish_allow_responses" => {
                    permissions.responses = self.responses(&field);
                }
                _ => self.unknown(&field),
            }
        }
        if permissions.responses.is_some() {
            // With `allow_responses`, a user may publish nothing else unless it is allowed.
            permissions.publish.allow.get_or_insert_default();
        }
        Some(permissions)
    }

    fn allowed_and_denied(&mut self, field: &Field<'a>, groups: bool) -> Subjects {
        let mut subjects = Subjects::default();
        let Kind::Map(map) = field.kind else {
            subjects.allow = self.allowed(field, groups);
            return subjects;
        };
        for (key, field) in fields(map) {
            match key.as_str() {
                "allow" => subjects.allow = self.allowed(&field, groups),
                "deny" => subjects.deny = self.subjects(&field, groups),
                _ => self.unknown(&field),
            }
        }
        subjects
    }

    fn allowed(&mut self, field: &Field<'a>, groups: bool) -> Option<Vec<String>> {
        let subjects = self.subjects(field, groups);
        if matches!(field.kind, Kind::List(values) if values.is_empty()) {
            let name = field.name;
            let text = format!(
                "{name}: an empty list allows every subject, as with nats-server; \
                 deny \">\" to allow no subject"
            );
            self.warn(field.at, text);
            return None;
        }
        Some(subjects)
    }

    /// Returns one subject or a list of subjects, each with a queue group if `groups` is set.
    pub(super) fn subjects(&mut self, field: &Field<'a>, groups: bool) -> Vec<String> {
        let mut subjects = Vec::new();
        for (text, at) in self.texts(field) {
            let mut words = text.split_whitespace();
            let is_subject = may_be_denied(text)
                || groups && words.clone().count() == 2 && words.next().is_some_and(may_be_denied);
            if is_subject {
                subjects.push(text.to_owned());
            } else {
                let text = format!(
                    "subject {text:?} is not a valid subject: a token between dots must not be \
                     empty, and > must be the last token"
                );
                self.error(at, text);
            }
        }
        subjects
    }

    fn responses(&mut self, field: &Field<'a>) -> Option<Responses> {
        let mut responses = Responses::default();
        let map = match field.kind {
            Kind::Boolean(allowed) => return allowed.then_some(responses),
            Kind::Map(map) => map,
            _ => {
                self.wrong_type(field, "true, false or a map");
                return None;
            }
        };
        for (key, field) in fields(map) {
            match key.as_str() {
                "max" | "max_msgs" | "max_messages" | "max_responses" => {
                    // A negative number means no limit.
                    match self.integer(&field) {
                        None | Some(0) => {}
                        Some(max) => responses.max = u64::try_from(max).ok(),
                    }
                }
                "expires" | "expiration" | "ttl" => match self.duration_text(&field) {
                    None | Some(0) => {}
                    Some(time) => {
                        responses.expires = u64::try_from(time).ok().map(Duration::from_nanos);
                    }
                },
                _ => self.unknown(&field),
            }
        }
        Some(responses)
    }
}
