//! A client's description of itself and its encryption, for the monitoring pages.

use broker_protocol::Connect;

/// Longest stored name in bytes.
const MAX_NAME: usize = 128;

/// Longest stored language and version of the client library in bytes.
const MAX_LIBRARY: usize = 32;

/// Replaces a token: pages must not show secrets.
const REDACTED: &str = "[REDACTED]";

/// The client's texts. Each has a bounded length, and is empty if the client did not send it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) name: Box<str>,
    pub(crate) lang: Box<str>,
    pub(crate) version: Box<str>,
    /// The authenticated user.
    pub(crate) user: Box<str>,
}

impl About {
    /// Returns the description after this CONNECT, where `known` is the one before. Omitted options
    /// stay unchanged, and so does the user unless CONNECT `is_accepted`. Returns `None`, which
    /// takes no memory, if nothing is known.
    pub(crate) fn after(
        known: Option<Box<Self>>,
        connect: &Connect,
        is_accepted: bool,
    ) -> Option<Box<Self>> {
        let given = [
            connect.name.as_deref(),
            connect.lang.as_deref(),
            connect.version.as_deref(),
            user(connect).filter(|_| is_accepted),
        ];
        if given.iter().flatten().all(|text| text.is_empty()) {
            return known;
        }
        let mut about = known.unwrap_or_default();
        let [name, lang, version, user] = given;
        for (text, given, most) in [
            (&mut about.name, name, MAX_NAME),
            (&mut about.lang, lang, MAX_LIBRARY),
            (&mut about.version, version, MAX_LIBRARY),
            (&mut about.user, user, MAX_NAME),
        ] {
            if let Some(given) = given {
                *text = given[..given.floor_char_boundary(most)].into();
            }
        }
        Some(about)
    }

    /// Returns the memory used, in bytes.
    pub(crate) fn held(&self) -> usize {
        size_of::<Self>() + self.name.len() + self.lang.len() + self.version.len() + self.user.len()
    }
}

/// Returns the user's name in CONNECT.
fn user(connect: &Connect) -> Option<&str> {
    let token = connect.auth_token.as_deref();
    let token = token.filter(|token| !token.is_empty());
    let user = connect.user.as_deref().filter(|user| !user.is_empty());
    user.or(token.map(|_| REDACTED))
}

/// The encryption of a connection, in nats-server's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TlsUsed {
    /// For example `1.3`.
    pub(crate) version: &'static str,
    /// For example `TLS_AES_128_GCM_SHA256`.
    pub(crate) cipher: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(json: &str) -> Connect {
        Connect::parse(json.as_bytes()).expect("it is JSON")
    }

    #[test]
    fn an_empty_description_takes_no_memory() {
        for json in ["{}", r#"{"name":"","lang":"","user":""}"#] {
            assert_eq!(About::after(None, &connect(json), true), None, "{json}");
        }
    }

    #[test]
    fn a_further_connect_changes_the_given_options() {
        let first = r#"{"name":"a","lang":"go","version":"1.2","user":"bob","pass":"x"}"#;
        let about = About::after(None, &connect(first), true);
        let about = About::after(about, &connect(r#"{"name":"b","verbose":true}"#), true);
        let about = About::after(about, &connect("{}"), true).expect("it was told");
        assert_eq!([&*about.name, &about.lang], ["b", "go"]);
        assert_eq!([&*about.version, &about.user], ["1.2", "bob"]);
        assert_eq!(about.held(), size_of::<About>() + 1 + 2 + 3 + 3);
    }

    #[test]
    fn a_rejected_client_has_no_user() {
        let json = r#"{"name":"a","user":"bob","pass":"x"}"#;
        let about = About::after(None, &connect(json), false).expect("it was told");
        assert_eq!([&*about.name, &about.user], ["a", ""]);
    }

    #[test]
    fn texts_are_bounded_and_tokens_are_not_shown() {
        let long = "\u{e9}".repeat(1000);
        let json = format!(
            r#"{{"name":"{long}","lang":"{long}","version":"{long}","auth_token":"secret"}}"#
        );
        let about = About::after(None, &connect(&json), true).expect("it was told");
        assert_eq!(about.name.len(), MAX_NAME);
        assert_eq!([about.lang.len(), about.version.len()], [MAX_LIBRARY; 2]);
        assert_eq!(&*about.user, REDACTED);
    }
}
