//! CONNECT: the client's options and credentials.

use std::fmt;

use serde::de::{Deserialize, Deserializer as _, IgnoredAny, MapAccess, Visitor};

use super::ProtocolError;

/// The options of CONNECT that Broker uses; others are ignored.
///
/// An option that CONNECT omits has nats-server's default: verbose, pedantic, with echo.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "flags of the protocol")]
pub struct Connect {
    /// Each command is answered with `+OK`.
    pub verbose: bool,
    /// Subjects are checked on publish too.
    pub pedantic: bool,
    /// Messages come back to the connection that published them.
    pub echo: bool,
    /// The client supports HMSG.
    pub headers: bool,
    /// The client wants status 503 for a request without responders.
    pub no_responders: bool,
    /// 1 if the client accepts INFO at any time.
    pub protocol: i64,
    /// Name of the user.
    pub user: Option<String>,
    /// Password of the user.
    pub pass: Option<String>,
    /// A token, instead of a user and password.
    pub auth_token: Option<String>,
    /// The public NKey of the user.
    pub nkey: Option<String>,
    /// The nonce of INFO, signed with that key, in base64.
    pub sig: Option<String>,
    /// The user's JWT, which Broker ignores.
    pub jwt: Option<String>,
    /// The account that the client asks for; Broker has no accounts.
    pub account: Option<String>,
    /// The client asks the server to create the account.
    pub new_account: bool,
    /// The client's name, for logs.
    pub name: Option<String>,
    /// Language of the client library, for logs.
    pub lang: Option<String>,
    /// Version of the client library, for logs.
    pub version: Option<String>,
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            verbose: true,
            pedantic: true,
            echo: true,
            headers: false,
            no_responders: false,
            protocol: 0,
            user: None,
            pass: None,
            auth_token: None,
            nkey: None,
            sig: None,
            jwt: None,
            account: None,
            new_account: false,
            name: None,
            lang: None,
            version: None,
        }
    }
}

impl Connect {
    /// Parses the argument of a client's first CONNECT.
    ///
    /// # Errors
    ///
    /// Same as [`Connect::update`].
    pub fn parse(json: &[u8]) -> Result<Self, ProtocolError> {
        let mut connect = Self::default();
        connect.update(json)?;
        Ok(connect)
    }

    /// Parses the argument of a further CONNECT, which leaves omitted options unchanged.
    ///
    /// Accepts what Go's `encoding/json`, and therefore nats-server, accepts: field names in upper
    /// or lower case, the last of two values, null instead of an omitted value or of the whole
    /// object, and strings that are not Unicode.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::Arguments`] if the argument is not a JSON object with options of the right
    /// types; some options may have changed then.
    pub fn update(&mut self, json: &[u8]) -> Result<(), ProtocolError> {
        let text = with_replacements(json);
        let mut json = serde_json::Deserializer::from_str(&text);
        json.deserialize_any(Options(self))
            .and_then(|()| json.end())
            .map_err(|_| ProtocolError::Arguments)
    }

    /// Returns whether CONNECT contains credentials. A further CONNECT may omit them.
    #[must_use]
    pub fn gives_credentials(&self) -> bool {
        let given = [&self.user, &self.pass, &self.auth_token, &self.nkey];
        given.into_iter().any(Option::is_some)
    }

    /// Returns whether CONNECT contains no credentials, or only empty ones.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        let given = [
            &self.user,
            &self.pass,
            &self.auth_token,
            &self.nkey,
            &self.jwt,
        ];
        let mut given = given.into_iter().flatten();
        given.all(String::is_empty)
    }

    /// Checks that the options are supported together.
    ///
    /// # Errors
    ///
    /// The error for the unsupported option.
    pub fn check(&self) -> Result<(), ProtocolError> {
        // Old versions of nats-server created accounts on request; current versions reject such a
        // client with an authorization error.
        if self.new_account || self.account.as_ref().is_some_and(|name| !name.is_empty()) {
            return Err(ProtocolError::Authorization);
        }
        if !(0..=1).contains(&self.protocol) {
            return Err(ProtocolError::ClientProtocol);
        }
        if self.no_responders && !self.headers {
            return Err(ProtocolError::NoRespondersNeedHeaders);
        }
        Ok(())
    }
}

/// Replaces each byte that is not UTF-8, and each `\\u` that is half of a character, by U+FFFD.
///
/// Outside of strings, JSON does not allow U+FFFD any more than the bytes that it replaces.
fn with_replacements(json: &[u8]) -> String {
    let mut text = String::with_capacity(json.len());
    for chunk in json.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        at += found;
        match (
            escaped_unit(&text[at..]),
            text.get(at + 6..).and_then(escaped_unit),
        ) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => at += 12,
            (Some(0xd800..0xe000), _) => {
                text.replace_range(at..at + 6, "\u{fffd}");
                at += char::REPLACEMENT_CHARACTER.len_utf8();
            }
            // An escaped character does not escape the next one.
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    text
}

/// Returns the 16 bits of a `\\u1234` at the start of the text.
fn escaped_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let all_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16)
        .ok()
        .filter(|_| all_hexadecimal)
}

/// Returns a field's name in the form that Go compares: in lower case, with two characters beyond
/// ASCII replaced by the letters that they are variants of.
fn folded(name: &str) -> String {
    name.chars()
        .map(|sign| match sign {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

/// Sets the options from a JSON object.
struct Options<'c>(&'c mut Connect);

/// Reads the next value of an object, unless it is null.
fn set<'de, A, T>(map: &mut A, to: &mut T) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    if let Some(value) = map.next_value::<Option<T>>()? {
        *to = value;
    }
    Ok(())
}

/// Same as [`set`], for strings.
fn set_text<'de, A: MapAccess<'de>>(map: &mut A, to: &mut Option<String>) -> Result<(), A::Error> {
    if let Some(value) = map.next_value::<Option<String>>()? {
        *to = Some(value);
    }
    Ok(())
}

impl<'de> Visitor<'de> for Options<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let to = self.0;
        while let Some(name) = map.next_key::<String>()? {
            match folded(&name).as_str() {
                "verbose" => set(&mut map, &mut to.verbose)?,
                "pedantic" => set(&mut map, &mut to.pedantic)?,
                "echo" => set(&mut map, &mut to.echo)?,
                "headers" => set(&mut map, &mut to.headers)?,
                "no_responders" => set(&mut map, &mut to.no_responders)?,
                "protocol" => set(&mut map, &mut to.protocol)?,
                "new_account" => set(&mut map, &mut to.new_account)?,
                "user" => set_text(&mut map, &mut to.user)?,
                "pass" => set_text(&mut map, &mut to.pass)?,
                "auth_token" => set_text(&mut map, &mut to.auth_token)?,
                "account" => set_text(&mut map, &mut to.account)?,
                "nkey" => set_text(&mut map, &mut to.nkey)?,
                "sig" => set_text(&mut map, &mut to.sig)?,
                "jwt" => set_text(&mut map, &mut to.jwt)?,
                "name" => set_text(&mut map, &mut to.name)?,
                "lang" => set_text(&mut map, &mut to.lang)?,
                "version" => set_text(&mut map, &mut to.version)?,
                // nats-server knows these fields, and rejects values of the wrong type.
                "tls_required" => set(&mut map, &mut false)?,
                "remote_account" => set(&mut map, &mut String::new())?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn omitted_options_have_nats_servers_defaults() {
        let connect = Connect::parse(b" {\"jwt\":null,\"x\":[1]} ").expect("unknown is fine");
        assert!(connect.verbose && connect.pedantic && connect.echo);
        assert!(!connect.headers && !connect.no_responders);
        assert_eq!(connect.protocol, 0);
    }

    #[test]
    fn other_values_than_objects_are_rejected() {
        for json in [
            &b""[..],
            b"{",
            b"[]",
            b"1",
            b"{}x",
            b"\xff",
            b"{\xff}",
            b"{\"verbose\":\"yes\"}",
            b"{\"verbose\":1,\"verbose\":true}",
            b"{\"protocol\":1.0}",
            b"{\"protocol\":99999999999999999999}",
            b"{\"name\":5}",
            b"{\"NKey\":5}",
            b"{\"name\":\"\t\"}",
            b"{\"name\":\"\\x\"}",
            b"{\"name\":\"\\ud80\"}",
            b"{\"name\":\"\\u+123\"}",
        ] {
            assert_eq!(Connect::parse(json).err(), Some(ProtocolError::Arguments));
        }
    }

    #[test]
    fn fields_are_taken_as_go_takes_them() {
        for (json, verbose) in [
            (&b"null"[..], true),
            (b"{\"VERBOSE\":false}", false),
            (b"{\"verbo\xc5\xbfe\":false}", false),
            (b"{\"verbos\\u0065\":false}", false),
            (b"{\"verbose\":true,\"verbose\":false}", false),
            (b"{\"verbose\":false,\"verbose\":null}", false),
            (b"{\"verbose\":null}", true),
        ] {
            let connect = Connect::parse(json).expect("it is fine");
            assert_eq!(connect.verbose, verbose, "{}", json.escape_ascii());
        }
    }

    #[test]
    fn invalid_unicode_is_replaced() {
        for (json, name) in [
            (&b"a\xff\xfeb"[..], "a\u{fffd}\u{fffd}b"),
            (b"\\ud800x\\udc00", "\u{fffd}x\u{fffd}"),
            (b"\\ud83d\\ude00", "\u{1f600}"),
            (b"\\uD83D\\ud83d\\uDE00", "\u{fffd}\u{1f600}"),
            (b"\\\\ud800", "\\ud800"),
            (b"\\\"\\ud800\\\\", "\"\u{fffd}\\"),
            (b"\\ud800\xff", "\u{fffd}\u{fffd}"),
        ] {
            let json = [b"{\"name\":\"", json, b"\"}"].concat();
            let connect = Connect::parse(&json).expect("it is fine");
            assert_eq!(connect.name.as_deref(), Some(name));
        }
    }

    #[test]
    fn a_further_connect_keeps_omitted_options() {
        let mut connect = Connect::parse(b"{\"verbose\":false,\"name\":\"a\"}").expect("JSON");
        connect
            .update(b"{\"echo\":false,\"name\":null}")
            .expect("JSON");
        assert!(!connect.verbose && connect.pedantic && !connect.echo);
        assert_eq!(connect.name.as_deref(), Some("a"));
    }

    #[test]
    fn options_must_go_together() {
        let checked = |json: &str| Connect::parse(json.as_bytes()).and_then(|c| c.check());
        assert_eq!(checked("{\"protocol\":1,\"account\":\"\"}"), Ok(()));
        for json in [
            "{\"account\":\"A\"}",
            "{\"protocol\":2,\"new_account\":true}",
        ] {
            assert_eq!(checked(json), Err(ProtocolError::Authorization));
        }
        assert_eq!(
            checked("{\"protocol\":2}"),
            Err(ProtocolError::ClientProtocol)
        );
        assert_eq!(
            checked("{\"no_responders\":true}"),
            Err(ProtocolError::NoRespondersNeedHeaders)
        );
    }
}
