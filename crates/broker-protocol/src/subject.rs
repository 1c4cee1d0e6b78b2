//! Subjects: tokens separated by dots, with the wildcards `*` and `>`.

/// The tokens of a subject.
pub fn tokens(subject: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    subject.split(|&byte| byte == b'.')
}

/// Whether a client may subscribe to it: no empty token, `>` at the end only, no
/// control bytes, which messages cannot have in their subjects either.
///
/// A `*` or `>` beside other characters is a part of a token like any other. The
/// control line bounds how many tokens there are, as with nats-server.
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

/// Whether it is a subject without wildcards.
#[must_use]
pub fn is_literal(subject: &[u8]) -> bool {
    tokens(subject).all(|token| !token.is_empty() && token != b"*" && token != b">")
}

/// What the subject has after the prefix.
fn after<'a>(prefix: &[u8], subject: &'a [u8]) -> Option<&'a [u8]> {
    subject.strip_prefix(prefix).filter(|rest| !rest.is_empty())
}

/// Whether no client may publish to it: nats-server maps replies there from one
/// cluster to another.
#[must_use]
#[inline]
pub fn is_reserved(subject: &[u8]) -> bool {
    after(b"_GR_.", subject).is_some()
}

/// Whether no client may ask for answers there: nats-server does that itself, for
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
