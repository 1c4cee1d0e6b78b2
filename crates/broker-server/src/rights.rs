//! A user's permissions, and the state that they need for each client.

use std::collections::HashMap;
use std::time::Instant;

use super::users::{Permissions, Responses};
use broker_protocol::{covers, is_literal, matches, overlap};

/// Most subjects per client for which the result of the publish check is cached.
const MAX_REMEMBERED: usize = 256;

/// Most requests that a client may still answer, in each of two generations.
const MAX_REQUESTS: usize = 4096;

/// Approximate memory of a cached subject besides its text, in bytes.
const PER_SUBJECT: usize = 64;

/// An allowed or denied subject, and the queue group that it is restricted to.
#[derive(Debug)]
struct Entry {
    subject: Box<[u8]>,
    queue: Option<Box<[u8]>>,
}

impl Entry {
    fn new(text: &str) -> Self {
        let mut words = text.split_ascii_whitespace();
        let subject = words.next().unwrap_or_default().as_bytes().into();
        let queue = words.next().map(|queue| queue.as_bytes().into());
        Self { subject, queue }
    }
}

fn entries(texts: &[String]) -> Vec<Entry> {
    texts.iter().map(|text| Entry::new(text)).collect()
}

/// A user's permissions in the form for checks.
#[derive(Debug)]
pub(crate) struct Rights {
    /// `None` allows all, here and below.
    publish: Option<Vec<Entry>>,
    never_publish: Vec<Entry>,
    subscribe: Option<Vec<Entry>>,
    never_subscribe: Vec<Entry>,
    pub(crate) responses: Option<Responses>,
}

impl Rights {
    /// Converts permissions; `None` if they allow everything.
    pub(crate) fn new(permissions: &Permissions) -> Option<Self> {
        if *permissions == Permissions::default() {
            return None;
        }
        let Permissions {
            publish,
            subscribe,
            responses,
        } = permissions;
        // With `allow_responses`, a user may publish nothing else unless it is allowed.
        let nothing = responses.map(|_| Vec::new());
        Some(Self {
            publish: publish.allow.as_deref().map(entries).or(nothing),
            never_publish: entries(&publish.deny),
            subscribe: subscribe.allow.as_deref().map(entries),
            never_subscribe: entries(&subscribe.deny),
            responses: *responses,
        })
    }

    /// Returns whether messages to this subject are allowed, apart from responses.
    fn may_publish(&self, subject: &[u8]) -> bool {
        let is_in = |list: &[Entry]| list.iter().any(|entry| matches(&entry.subject, subject));
        self.publish.as_deref().is_none_or(is_in) && !is_in(&self.never_publish)
    }

    /// Returns whether a subscription is allowed.
    ///
    /// nats-server treats the subscription's wildcards as ordinary tokens in the allow list, so `*`
    /// allows a subscription to `>`. Here a subject allows only subscriptions that it covers
    /// entirely.
    pub(crate) fn may_subscribe(&self, subject: &[u8], queue: Option<&[u8]>) -> bool {
        let allows = |list: &[Entry]| is_in(list, queue, |known| covers(known, subject));
        self.subscribe.as_deref().is_none_or(allows)
            && !is_in(&self.never_subscribe, queue, |known| {
                matches(known, subject)
            })
    }

    /// Returns whether each message for the subscription must be checked: it may be denied, or be a
    /// request that the client may answer.
    pub(crate) fn looks_at(&self, subject: &[u8]) -> bool {
        let mut denied = self.never_subscribe.iter();
        self.responses.is_some()
            || !is_literal(subject)
                && denied.any(|entry| entry.queue.is_none() && overlap(&entry.subject, subject))
    }

    /// Returns whether the client may get a message to this subject.
    pub(crate) fn may_receive(&self, subject: &[u8]) -> bool {
        let mut denied = self.never_subscribe.iter();
        !denied.any(|entry| entry.queue.is_none() && matches(&entry.subject, subject))
    }
}

/// Returns whether a list contains a subscription: by its subject, and by its queue group if any
/// entry with a group fits the subject, as in nats-server.
fn is_in(list: &[Entry], queue: Option<&[u8]>, fits: impl Fn(&[u8]) -> bool) -> bool {
    let mut any_group = false;
    let mut group = false;
    let mut plain = false;
    for entry in list.iter().filter(|entry| fits(&entry.subject)) {
        match (&entry.queue, queue) {
            (None, _) => plain = true,
            (Some(known), Some(queue)) => {
                any_group = true;
                group |= **known == *queue || covers(known, queue);
            }
            (Some(_), None) => {}
        }
    }
    if any_group { group } else { plain }
}

/// The state of a client's permissions.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Cached results of the publish check, by subject.
    publish: HashMap<Box<[u8]>, bool>,
    /// Requests that the client may answer, by reply subject: the recent ones, and those before
    /// them.
    requests: [HashMap<Box<[u8]>, Request>; 2],
    held: usize,
}

#[derive(Debug)]
struct Request {
    came: Instant,
    answers: u64,
}

impl Memory {
    /// Returns the part that stays when the user gets other permissions: the requests.
    pub(crate) fn renewed(self) -> Self {
        let requests = self.requests.iter().flat_map(HashMap::keys);
        Self {
            held: requests.map(|known| weight(known)).sum(),
            requests: self.requests,
            publish: HashMap::new(),
        }
    }

    /// Returns the approximate memory in bytes.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Returns whether `rights` allow a message. Counts it as an answer if only that allows it.
    pub(crate) fn may_publish(&mut self, rights: &Rights, subject: &[u8], now: Instant) -> bool {
        let allowed = self.publish.get(subject).copied().unwrap_or_else(|| {
            let allowed = rights.may_publish(subject);
            if self.publish.len() >= MAX_REMEMBERED {
                self.held -= self
                    .publish
                    .keys()
                    .map(|known| weight(known))
                    .sum::<usize>();
                self.publish.clear();
            }
            self.held += weight(subject);
            self.publish.insert(subject.into(), allowed);
            allowed
        });
        allowed || self.answers(rights, subject, now)
    }

    fn answers(&mut self, rights: &Rights, subject: &[u8], now: Instant) -> bool {
        let Some(responses) = rights.responses else {
            return false;
        };
        for requests in &mut self.requests {
            let Some(request) = requests.get_mut(subject) else {
                continue;
            };
            request.answers += 1;
            let too_many = responses.max.is_some_and(|max| request.answers > max);
            let age = now.saturating_duration_since(request.came);
            if !too_many && responses.expires.is_none_or(|expires| age <= expires) {
                return true;
            }
            requests.remove(subject);
            self.held -= weight(subject);
        }
        false
    }

    /// Records a request that the client may answer at this reply subject.
    ///
    /// nats-server forgets requests only by age. Here the older half is also forgotten when there
    /// are too many, which bounds the memory.
    pub(crate) fn note_request(&mut self, rights: &Rights, reply: &[u8], now: Instant) {
        if reply.is_empty() || rights.responses.is_none() || rights.may_publish(reply) {
            return;
        }
        if self.requests[0].len() >= MAX_REQUESTS {
            let old = std::mem::take(&mut self.requests[0]);
            let forgotten = std::mem::replace(&mut self.requests[1], old);
            self.held -= forgotten.keys().map(|known| weight(known)).sum::<usize>();
        }
        let request = Request {
            came: now,
            answers: 0,
        };
        if self.requests[0].insert(reply.into(), request).is_none() {
            self.held += weight(reply);
        }
    }
}

fn weight(subject: &[u8]) -> usize {
    subject.len() + PER_SUBJECT
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::users::Subjects;
    use super::*;

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn rights(publish: Subjects, subscribe: Subjects, responses: Option<Responses>) -> Rights {
        let permissions = Permissions {
            publish,
            subscribe,
            responses,
        };
        Rights::new(&permissions).expect("they restrict something")
    }

    fn subjects(allow: Option<&[&str]>, deny: &[&str]) -> Subjects {
        Subjects {
            allow: allow.map(list),
            deny: list(deny),
        }
    }

    #[test]
    fn no_permissions_restrict_nothing() {
        assert!(Rights::new(&Permissions::default()).is_none());
    }

    #[test]
    fn a_subscription_must_be_covered_and_not_denied() {
        let allow = subjects(
            Some(&["a.*", "b.>", "q.x group", "v.* v1.*"]),
            &["b.no", "b.*.no g"],
        );
        let rights = rights(Subjects::default(), allow, None);
        for (subject, queue, allowed) in [
            ("a.b", None, true),
            ("a.*", None, true),
            ("a.>", None, false),
            ("*", None, false),
            (">", None, false),
            ("b.x.y", None, true),
            ("b.>", None, true),
            ("b.no", None, false),
            ("b.no", Some("g"), false),
            ("b.x.no", None, true),
            ("b.x.no", Some("g"), false),
            ("b.x.no", Some("h"), true),
            ("q.x", None, false),
            ("q.x", Some("group"), true),
            ("q.x", Some("other"), false),
            ("v.a", Some("v1.a"), true),
            ("v.a", Some("v2.a"), false),
            ("c", None, false),
        ] {
            let found = rights.may_subscribe(subject.as_bytes(), queue.map(str::as_bytes));
            assert_eq!(found, allowed, "{subject} {queue:?}");
        }
    }

    #[test]
    fn messages_of_a_wider_subscription_are_looked_at() {
        let rights = rights(
            Subjects::default(),
            subjects(None, &["a.secret", "*.own.>"]),
            None,
        );
        for (subject, looked_at) in [
            (">", true),
            ("a.*", true),
            ("b.>", true),
            ("b.*", false),
            ("b.c", false),
        ] {
            assert_eq!(rights.looks_at(subject.as_bytes()), looked_at, "{subject}");
        }
        for (subject, allowed) in [("a.secret", false), ("a.b", true), ("x.own.y", false)] {
            assert_eq!(rights.may_receive(subject.as_bytes()), allowed, "{subject}");
        }
    }

    #[test]
    fn a_publish_must_be_allowed_and_not_denied() {
        let rights = rights(
            subjects(Some(&["a.>", "b"]), &["a.no"]),
            Subjects::default(),
            None,
        );
        let mut memory = Memory::default();
        for _ in 0..2 {
            for (subject, allowed) in [("a.b", true), ("b", true), ("a.no", false), ("c", false)] {
                let found = memory.may_publish(&rights, subject.as_bytes(), Instant::now());
                assert_eq!(found, allowed, "{subject}");
            }
        }
        let most = MAX_REMEMBERED * (PER_SUBJECT + 10);
        for number in 0..10_000 {
            memory.may_publish(&rights, format!("a.{number}").as_bytes(), Instant::now());
            assert!(memory.held() <= most, "{}", memory.held());
        }
    }

    #[test]
    fn answers_are_allowed_so_often_and_for_so_long() {
        let responses = Responses {
            max: Some(2),
            expires: Some(Duration::from_secs(10)),
        };
        let rights = rights(Subjects::default(), Subjects::default(), Some(responses));
        let mut memory = Memory::default();
        let start = Instant::now();
        let may = |memory: &mut Memory, subject: &[u8], after: u64| {
            memory.may_publish(&rights, subject, start + Duration::from_secs(after))
        };
        assert!(!may(&mut memory, b"reply", 0));
        memory.note_request(&rights, b"reply", start);
        assert!(may(&mut memory, b"reply", 1) && may(&mut memory, b"reply", 1));
        assert!(!may(&mut memory, b"reply", 1) && !may(&mut memory, b"reply", 1));
        memory.note_request(&rights, b"late", start);
        assert!(!may(&mut memory, b"late", 11));
        // A new request gives a new permission.
        memory.note_request(&rights, b"reply", start);
        assert!(may(&mut memory, b"reply", 1));
        let without_end = Responses {
            max: None,
            expires: None,
        };
        let rights = Rights::new(&Permissions {
            responses: Some(without_end),
            ..Permissions::default()
        })
        .expect("they restrict something");
        let mut memory = Memory::default();
        memory.note_request(&rights, b"reply", start);
        let later = start + Duration::from_secs(100_000);
        assert!((0..100).all(|_| memory.may_publish(&rights, b"reply", later)));
    }

    #[test]
    fn renewed_rights_keep_requests_and_drop_cached_results() {
        let response = Some(Responses::default());
        let narrow = rights(subjects(Some(&["a"]), &[]), Subjects::default(), response);
        let other = rights(subjects(Some(&["b"]), &[]), Subjects::default(), response);
        let mut memory = Memory::default();
        let now = Instant::now();
        memory.note_request(&narrow, b"reply", now);
        let alone = memory.held();
        assert!(memory.may_publish(&narrow, b"a", now));
        let mut memory = memory.renewed();
        assert_eq!(memory.held(), alone);
        assert!(!memory.may_publish(&other, b"a", now) && memory.may_publish(&other, b"b", now));
        assert!(memory.may_publish(&other, b"reply", now));
    }

    #[test]
    fn remembered_requests_are_bounded_and_the_newest_stay() {
        let rights = rights(
            Subjects::default(),
            Subjects::default(),
            Some(Responses::default()),
        );
        let mut memory = Memory::default();
        let now = Instant::now();
        for number in 0..100_000 {
            memory.note_request(&rights, format!("r.{number}").as_bytes(), now);
        }
        assert!(memory.held() <= 2 * MAX_REQUESTS * (PER_SUBJECT + 10));
        assert!(memory.may_publish(&rights, b"r.99999", now));
        assert!(memory.may_publish(&rights, b"r.96000", now));
        assert!(!memory.may_publish(&rights, b"r.1", now));
    }
}
