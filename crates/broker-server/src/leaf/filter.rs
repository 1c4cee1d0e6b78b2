//! The subjects that may be sent to a hub or received from it.

use broker_protocol::{Permission, covers, is_literal};

/// Allowed and denied subjects.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// `None` allows all.
    allow: Option<Vec<Box<[u8]>>>,
    deny: Vec<Box<[u8]>>,
}

impl Filter {
    /// Combines a hub's permission with the configured `deny`.
    pub(crate) fn new(permission: Option<&Permission>, deny: &[String]) -> Self {
        let boxed = |subjects: &[String]| -> Vec<Box<[u8]>> {
            let subjects = subjects.iter();
            subjects.map(|subject| subject.as_bytes().into()).collect()
        };
        let allow = permission.and_then(|permission| permission.allow.as_deref());
        let denied = permission.map_or(&[][..], |permission| &permission.deny);
        Self {
            allow: allow.map(boxed),
            deny: [boxed(denied), boxed(deny)].concat(),
        }
    }

    /// Returns whether a message to this subject may pass.
    #[inline]
    pub(crate) fn lets_through(&self, subject: &[u8]) -> bool {
        if self.allow.is_none() && self.deny.is_empty() {
            return true;
        }
        let covers = |pattern: &[u8]| covers(pattern, subject);
        let is_allowed = |allow: &Vec<Box<[u8]>>| allow.iter().any(|pattern| covers(pattern));
        self.allow.as_ref().is_none_or(is_allowed)
            && !self.deny.iter().any(|pattern| covers(pattern))
    }

    /// Returns whether a subscription may be announced: also if only a part of it may pass, as in
    /// nats-server.
    pub(crate) fn may_be_wanted(&self, pattern: &[u8]) -> bool {
        let is_in = |allow: &Vec<Box<[u8]>>| {
            let wildcard = !is_literal(pattern);
            allow
                .iter()
                .any(|known| covers(known, pattern) || wildcard && covers(pattern, known))
        };
        self.allow.as_ref().is_none_or(is_in)
            && !self.deny.iter().any(|known| covers(known, pattern))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deny_takes_precedence() {
        let list = |subjects: &[&str]| -> Vec<String> {
            subjects.iter().map(|&subject| subject.to_owned()).collect()
        };
        let permission = Permission {
            allow: Some(list(&["a.>", "b.c"])),
            deny: list(&["a.secret"]),
        };
        let filter = Filter::new(Some(&permission), &list(&["a.own.>"]));
        for (subject, message, wanted) in [
            ("a.b", true, true),
            ("b.c", true, true),
            ("b.d", false, false),
            ("a.secret", false, false),
            ("a.own.x", false, false),
            ("c", false, false),
            // A part of the pattern is allowed.
            ("b.*", false, true),
            (">", false, true),
            ("a.own.>", false, false),
            ("a.*", true, true),
        ] {
            let subject_bytes = subject.as_bytes();
            assert_eq!(filter.lets_through(subject_bytes), message, "{subject}");
            assert_eq!(filter.may_be_wanted(subject_bytes), wanted, "{subject}");
        }
        let all = Filter::new(None, &[]);
        assert!(all.lets_through(b"x") && all.may_be_wanted(b"x.>"));
    }
}
