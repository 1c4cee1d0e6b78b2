//! Checks of strings that must have a certain form.

/// Returns whether the text has the form of a user's public NKey. Does not verify the checksum.
pub(super) fn is_public_nkey(text: &str) -> bool {
    text.len() == 56 && text.starts_with('U') && is_base32(text)
}

/// Returns whether the text has the form of the seed of a user's NKey. Does not verify the
/// checksum.
pub(super) fn is_seed(text: &str) -> bool {
    text.len() == 58 && text.starts_with("SU") && is_base32(text)
}

fn is_base32(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
}

/// Returns whether the text is an origin as browsers send it.
pub(super) fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, host)| {
        let is_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        is_word(scheme) && is_word(host) && !host.trim_end_matches('/').contains('/')
    })
}

/// Returns the path with a leading `/` and without a trailing one.
pub(super) fn base_path(text: &str) -> Option<String> {
    let path = text.trim_matches('/');
    let is_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment
                .chars()
                .all(|c| c.is_ascii_graphic() && !"?#%".contains(c))
    };
    (path.is_empty() || path.split('/').all(is_segment)).then(|| format!("/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nkeys_have_their_form() {
        let key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
        let seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
        assert!(is_public_nkey(key) && is_seed(seed));
        for wrong in [
            "",
            &key[1..],
            seed,
            &key.replace('U', "A"),
            &key.to_lowercase(),
        ] {
            assert!(!is_public_nkey(wrong), "{wrong}");
        }
        for wrong in [
            "",
            &seed[1..],
            key,
            &seed.replace("SU", "SA"),
            &seed.replace('3', "1"),
        ] {
            assert!(!is_seed(wrong), "{wrong}");
        }
    }

    #[test]
    fn origins_have_scheme_and_host() {
        for right in ["https://a", "http://a:80", "https://a/", "app://a.b"] {
            assert!(is_origin(right), "{right}");
        }
        for wrong in [
            "",
            "*",
            "a",
            "https://",
            "://a",
            "https://a/b",
            "https://a b",
        ] {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }

    #[test]
    fn paths_have_one_form() {
        for (text, expected) in [
            ("", Some("/")),
            ("/", Some("/")),
            ("a", Some("/a")),
            ("/a/b/", Some("/a/b")),
            ("a//b", None),
            ("../a", None),
            ("a?b", None),
            ("a b", None),
        ] {
            assert_eq!(base_path(text).as_deref(), expected, "{text}");
        }
    }
}
