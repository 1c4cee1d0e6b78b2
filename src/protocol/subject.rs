//! Subjects: tokens separated by dots, with the wildcards `*` and `>`.

/// How many tokens of a subject are looked at; it bounds the depth of the tree.
///
/// nats-server has no such limit of its own: a control line of 4,096 bytes leaves
/// room for 2,048 tokens of one letter. Real subjects have a handful.
pub const MAX_TOKENS: usize = 256;

/// The tokens of a subject.
pub fn tokens(subject: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    subject.split(|&byte| byte == b'.')
}

/// Whether a client may subscribe to it: no empty token, `>` at the end only.
///
/// A `*` or `>` beside other characters is a part of a token like any other.
#[must_use]
pub fn is_valid(subject: &[u8]) -> bool {
    let mut full_wildcard = false;
    let mut count = 0;
    for token in tokens(subject) {
        count += 1;
        if token.is_empty() || full_wildcard || count > MAX_TOKENS {
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
        ] {
            assert_eq!(is_valid(subject.as_bytes()), valid, "{subject:?}");
            assert_eq!(is_literal(subject.as_bytes()), literal, "{subject:?}");
        }
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        let subject = |count: usize| vec!["a"; count].join(".");
        assert!(is_valid(subject(MAX_TOKENS).as_bytes()));
        assert!(!is_valid(subject(MAX_TOKENS + 1).as_bytes()));
    }
}
