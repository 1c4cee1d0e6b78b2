//! CONNECT: what a client tells of itself.

use std::fmt;

use serde::de::{Deserialize, Deserializer as _, IgnoredAny, MapAccess, Visitor};

use super::ProtocolError;

/// The options of CONNECT that matter here; others are ignored.
///
/// What is left out has nats-server's defaults: verbose, pedantic, with echo.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "the protocol has them so")]
pub struct Connect {
    /// Each command is answered with `+OK`.
    pub verbose: bool,
    /// Subjects are checked on publishing too.
    pub pedantic: bool,
    /// Messages come back to the connection that published them.
    pub echo: bool,
    /// The client understands HMSG.
    pub headers: bool,
    /// The client wants to know when nobody is there to answer a request.
    pub no_responders: bool,
    /// 1 if the client understands INFO at any time.
    pub protocol: i64,
    /// Name of the user.
    pub user: Option<String>,
    /// Password of the user.
    pub pass: Option<String>,
    /// A token in the place of user and password.
    pub auth_token: Option<String>,
    /// The public NKey of the user.
    pub nkey: Option<String>,
    /// The nonce of INFO, signed by that key, in base64.
    pub sig: Option<String>,
    /// What an operator has signed for the user, which means nothing here.
    pub jwt: Option<String>,
    /// An account for the client, of which there are none here.
    pub account: Option<String>,
    /// The account is to be made for the client.
    pub new_account: bool,
    /// The name that the client gives itself, for logs.
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
    /// Reads the argument of a client's first CONNECT.
    ///
    /// # Errors
    ///
    /// As [`Connect::update`].
    pub fn parse(json: &[u8]) -> Result<Self, ProtocolError> {
        let mut connect = Self::default();
        connect.update(json)?;
        Ok(connect)
    }

    /// Reads the argument of a further CONNECT: what it leaves out stays.
    ///
    /// It takes what Go's `encoding/json` takes, and so nats-server: field names in
    /// upper or lower case, the last of two values, null for a value or for the
    /// whole as if it was left out, and strings that are not Unicode.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::Arguments`] if it is not an object in JSON with options of
    /// the right types; some options may have changed then.
    pub fn update(&mut self, json: &[u8]) -> Result<(), ProtocolError> {
        let text = with_replacements(json);
        let mut json = serde_json::Deserializer::from_str(&text);
        json.deserialize_any(Options(self))
            .and_then(|()| json.end())
            .map_err(|_| ProtocolError::Arguments)
    }

    /// Whether it says who the client is. A further CONNECT need not.
    #[must_use]
    pub fn gives_credentials(&self) -> bool {
        let given = [&self.user, &self.pass, &self.auth_token, &self.nkey];
        given.into_iter().any(Option::is_some)
    }

    /// Whether the client is who anybody is: what it gives is empty, if it gives anything.
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

    /// Whether the options go together.
    ///
    /// # Errors
    ///
    /// The option that cannot be had.
    pub fn check(&self) -> Result<(), ProtocolError> {
        // nats-server once made accounts that clients asked for; it has taken such
        // a client for an intruder since.
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

/// The text with U+FFFD, the replacement character, for each byte that is not UTF-8
/// and for each `\\u` that is half of a character.
///
/// Outside of strings it is refused like the bytes it stands for.
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
            // Whatever is escaped does not escape what follows it.
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    text
}

/// The 16 bits of a `\\u1234` at the start of the text.
fn escaped_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let all_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16)
        .ok()
        .filter(|_| all_hexadecimal)
}

/// A field's name as Go compares it: in lower case, where two signs beyond ASCII
/// count as the letters that they are forms of.
fn folded(name: &str) -> String {
    name.chars()
        .map(|sign| match sign {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

/// Puts what an object says into the options.
struct Options<'c>(&'c mut Connect);

/// The next value of an object, unless it is null.
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

/// The next value of an object as [`set`] has it, for strings.
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
                // Known to nats-server, and therefore of the right type.
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
    fn what_is_left_out_has_nats_servers_defaults() {
        let connect = Connect::parse(b" {\"jwt\":null,\"x\":[1]} ").expect("unknown is fine");
        assert!(connect.verbose && connect.pedantic && connect.echo);
        assert!(!connect.headers && !connect.no_responders);
        assert_eq!(connect.protocol, 0);
    }

    #[test]
    fn what_is_no_object_is_refused() {
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
    fn what_is_not_unicode_is_replaced() {
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
    fn what_a_further_connect_leaves_out_stays() {
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
