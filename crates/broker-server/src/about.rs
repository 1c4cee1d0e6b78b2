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
    /// The credentials of a rejected CONNECT, for the log.
    pub(crate) rejected: Box<str>,
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
        if is_accepted && given.iter().flatten().all(|text| text.is_empty()) {
            return known;
        }
        let mut about = known.unwrap_or_default();
        if !is_accepted {
            about.rejected = credentials(connect).into();
        }
        let [name, lang, version, user] = given;
        for (text, given, most) in [
            (&mut about.name, name, MAX_NAME),
            (&mut about.lang, lang, MAX_LIBRARY),
            (&mut about.version, version, MAX_LIBRARY),
            (&mut about.user, user, MAX_NAME),
        ] {
            if let Some(given) = given {
                *text = start(given, most).into();
            }
        }
        Some(about)
    }

    /// Returns the memory used, in bytes.
    pub(crate) fn held(&self) -> usize {
        let Self {
            name,
            lang,
            version,
            user,
            rejected,
        } = self;
        let texts = [name, lang, version, user, rejected];
        size_of::<Self>() + texts.map(|text| text.len()).iter().sum::<usize>()
    }
}

/// Returns the first `most` bytes of a text, or fewer where a character would be cut.
fn start(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// Says whom the client of a CONNECT claims to be, without its secrets and without characters that
/// could forge a line of the log.
fn credentials(connect: &Connect) -> String {
    let given = [
        (&connect.nkey, "NKey ", true),
        (&connect.user, "user ", true),
        (&connect.auth_token, "a token", false),
        (&connect.pass, "a password without a user", false),
        (&connect.jwt, "a JWT", false),
    ];
    for (text, what, is_shown) in given {
        match text.as_deref() {
            None | Some("") => {}
            Some(text) if is_shown => return format!("{what}{:?}", start(text, MAX_NAME)),
            Some(_) => return what.to_owned(),
        }
    }
    "no credentials".to_owned()
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
        assert_eq!(&*about.rejected, r#"user "bob""#);
    }

    #[test]
    fn rejected_credentials_are_named_without_secrets() {
        let long = "x".repeat(1000);
        let cut = format!("user {:?}", &long[..MAX_NAME]);
        for (json, rejected) in [
            (r#"{"user":"bob","pass":"secret"}"#, r#"user "bob""#),
            (r#"{"user":"bob","auth_token":"secret"}"#, r#"user "bob""#),
            (
                r#"{"user":"a\r\nb\u001b\"","pass":"secret"}"#,
                r#"user "a\r\nb\u{1b}\"""#,
            ),
            (&format!(r#"{{"user":"{long}"}}"#), &*cut),
            (
                r#"{"nkey":"UABC","sig":"secret","jwt":"secret"}"#,
                r#"NKey "UABC""#,
            ),
            (r#"{"auth_token":"secret"}"#, "a token"),
            (r#"{"pass":"secret"}"#, "a password without a user"),
            (r#"{"jwt":"secret"}"#, "a JWT"),
            (r#"{"user":"","pass":"","lang":"go"}"#, "no credentials"),
            ("{}", "no credentials"),
        ] {
            let about = About::after(None, &connect(json), false).expect("it was rejected");
            assert_eq!(&*about.rejected, rejected, "{json}");
        }
    }

    #[test]
    fn a_known_client_keeps_its_user_when_another_is_rejected() {
        let about = About::after(None, &connect(r#"{"user":"bob"}"#), true);
        let about = About::after(about, &connect(r#"{"user":"eve"}"#), false).expect("it was told");
        assert_eq!([&*about.user, &about.rejected], ["bob", r#"user "eve""#]);
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
