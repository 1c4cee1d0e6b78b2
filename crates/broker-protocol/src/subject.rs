//! Subjects: tokens separated by dots, with the wildcards `*` and `>`.

/// Returns the tokens of a subject.
pub fn tokens(subject: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    subject.split(|&byte| byte == b'.')
}

/// Returns whether a client may subscribe to the subject: no empty token, `>` only at the end, no
/// control bytes, which subjects of messages cannot have either.
///
/// A `*` or `>` next to other characters is an ordinary part of a token. The length of the control
/// line bounds the number of tokens, as in nats-server.
#[must_use]
pub fn is_valid(subject: &[u8]) -> bool {
    let mut full_wildcard = false;
    for token in tokens(subject) {
        if token.is_empty() || full_wildcard || token.iter().any(u8::is_ascii_control) {
            return false;
        }
        full_wildcard = token == b">";
    }
    true
}

/// Returns whether the subject is valid and has no wildcards.
#[must_use]
pub fn is_literal(subject: &[u8]) -> bool {
    tokens(subject).all(|token| !token.is_empty() && token != b"*" && token != b">")
}

/// Returns whether `wide` matches every subject that `pattern` matches.
#[must_use]
pub fn covers(wide: &[u8], pattern: &[u8]) -> bool {
    let mut pattern = tokens(pattern);
    for token in tokens(wide) {
        match (token, pattern.next()) {
            (b">", Some(_)) => return true,
            (b"*", Some(other)) if other != b">" => {}
            (token, Some(other)) if token == other => {}
            _ => return false,
        }
    }
    pattern.next().is_none()
}

/// Returns whether `pattern` matches the subject of a message, in which `*` and `>` are ordinary
/// tokens.
#[must_use]
pub fn matches(pattern: &[u8], subject: &[u8]) -> bool {
    let mut subject = tokens(subject);
    for token in tokens(pattern) {
        match (token, subject.next()) {
            (b">", Some(_)) => return true,
            (b"*", Some(_)) => {}
            (token, Some(other)) if token == other => {}
            _ => return false,
        }
    }
    subject.next().is_none()
}

/// Returns whether any subject matches both patterns.
#[must_use]
pub fn overlap(one: &[u8], other: &[u8]) -> bool {
    let (mut one, mut other) = (tokens(one), tokens(other));
    loop {
        match (one.next(), other.next()) {
            (None, None) | (Some(b">"), Some(_)) | (Some(_), Some(b">")) => return true,
            (Some(a), Some(b)) if a == b || a == b"*" || b == b"*" => {}
            _ => return false,
        }
    }
}

/// Returns the subject without the prefix.
fn after<'a>(prefix: &[u8], subject: &'a [u8]) -> Option<&'a [u8]> {
    subject.strip_prefix(prefix).filter(|rest| !rest.is_empty())
}

/// Returns whether clients must not publish to the subject: nats-server uses it to map replies
/// between clusters.
#[must_use]
#[inline]
pub fn is_reserved(subject: &[u8]) -> bool {
    after(b"_GR_.", subject).is_some()
}

/// Returns whether clients must not use it as a reply subject: nats-server itself uses it, for
/// services, acknowledgements and clusters.
#[must_use]
#[inline]
pub fn is_reserved_reply(reply: &[u8]) -> bool {
    reply.starts_with(b"_R_.") || after(b"$JS.ACK.", reply).is_some() || is_reserved(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_judged_as_nats_server_does() {
        for (subject, valid, literal) in [
            ("a", true, true),
            ("a.b.c", true, true),
            ("a.*", true, false),
            ("*", true, false),
            (">", true, false),
            ("a.>", true, false),
            ("a.*.>", true, false),
            ("a*.b>", true, true),
            ("", false, false),
            (".", false, false),
            (".a", false, false),
            ("a.", false, false),
            ("a..b", false, false),
            (">.a", false, false),
            ("a.>.b", false, false),
            ("a.é", true, true),
            ("a\u{7f}", false, true),
            ("a\0b", false, true),
            ("a.\r", false, true),
        ] {
            assert_eq!(is_valid(subject.as_bytes()), valid, "{subject:?}");
            assert_eq!(is_literal(subject.as_bytes()), literal, "{subject:?}");
        }
    }

    #[test]
    fn patterns_cover_what_is_narrower() {
        for (wide, pattern, covered) in [
            ("a", "a", true),
            ("a", "b", false),
            ("*", "a", true),
            ("*", "*", true),
            ("a", "*", false),
            ("*", ">", false),
            (">", ">", true),
            (">", "a.*.b", true),
            ("a.>", "a", false),
            ("a.>", "a.>", true),
            ("a.>", "a.*", true),
            ("a.*", "a.>", false),
            ("a.*.c", "a.b.c", true),
            ("a.*", "a.b.c", false),
            ("a.b.c", "a.b", false),
        ] {
            let found = covers(wide.as_bytes(), pattern.as_bytes());
            assert_eq!(found, covered, "{wide} {pattern}");
        }
    }

    #[test]
    fn wildcards_in_a_subject_of_a_message_are_tokens() {
        for (pattern, subject, matched) in [
            ("a.*", "a.b", true),
            ("a.*", "a.*", true),
            ("a.*", "a.>", true),
            ("a.b", "a.*", false),
            ("a.b", "a.>", false),
            ("a.>", "a", false),
            ("a.>", "a.b.c", true),
            ("*", "a.b", false),
            ("a.b", "a", false),
        ] {
            let found = matches(pattern.as_bytes(), subject.as_bytes());
            assert_eq!(found, matched, "{pattern} {subject}");
        }
    }

    #[test]
    fn patterns_overlap_if_a_subject_matches_both() {
        for (one, other, common) in [
            ("a", "a", true),
            ("a", "b", false),
            ("*.b", "a.*", true),
            ("*.b", "a.c", false),
            ("a.>", "*.*.c", true),
            ("a.>", "a", false),
            (">", "a", true),
            ("a.*", "a.b.c", false),
            ("a.b", "a.b.c", false),
            ("b.>", "a.>", false),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                let found = overlap(one.as_bytes(), other.as_bytes());
                assert_eq!(found, common, "{one} {other}");
            }
        }
    }

    #[test]
    fn some_replies_are_those_of_nats_server_itself() {
        for (reply, reserved) in [
            ("_R_.", true),
            ("_R_.x", true),
            ("_R_", false),
            ("$JS.ACK.x", true),
            ("$JS.ACK.", false),
            ("_GR_.x", true),
            ("_GR_.", false),
            ("_INBOX.x", false),
            ("", false),
        ] {
            assert_eq!(is_reserved_reply(reply.as_bytes()), reserved, "{reply}");
        }
        assert!(is_reserved(b"_GR_.x"));
        assert!(!is_reserved(b"_GR_.") && !is_reserved(b"_R_.x"));
    }
}
