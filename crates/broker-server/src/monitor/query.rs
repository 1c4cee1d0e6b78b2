//! The query of a request: the part after the `?`.

use std::str::FromStr;

/// Why a query is rejected.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadQuery {
    #[error(
        "a % in the query must be followed by two hexadecimal digits, and the decoded query must be UTF-8"
    )]
    Escape,
    #[error("{name} must be true, false, 1 or 0, not {value:?}")]
    Flag { name: &'static str, value: String },
    #[error("{name} must be an integer in range, not {value:?}")]
    Number { name: &'static str, value: String },
    #[error("{name} must be one of {}, not {value:?}", known.join(", "))]
    Choice {
        name: &'static str,
        known: Vec<&'static str>,
        value: String,
    },
    #[error("sort={0} requires state=closed: open connections have no {0}")]
    NeedsClosed(String),
    #[error("test must be a subject without wildcards, not {0:?}")]
    Test(String),
}

/// Names and their non-empty values.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Parses the part after the `?`.
    pub(super) fn parse(text: &str) -> Result<Self, BadQuery> {
        let mut all = Vec::new();
        for pair in text.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            // As in nats-server, an empty value means no value.
            if !value.is_empty() {
                all.push((name, value));
            }
        }
        Ok(Self(all))
    }

    /// Returns the first value with this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter();
        let found = all.find(|(known, _)| known == name);
        found.map(|(_, value)| &value[..])
    }

    /// Returns a boolean, parsed as Go does; false if it is missing.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, BadQuery> {
        match self.get(name) {
            None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
            Some(value) => Err(BadQuery::Flag {
                name,
                value: value.to_owned(),
            }),
        }
    }

    /// Returns a non-negative number; 0 if it is missing.
    pub(super) fn number(&self, name: &'static str) -> Result<u64, BadQuery> {
        self.parsed(name)
    }

    /// Returns a number of rows; 0 if it is missing or negative.
    pub(super) fn count(&self, name: &'static str) -> Result<usize, BadQuery> {
        let count: i64 = self.parsed(name)?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    fn parsed<T: FromStr + Default>(&self, name: &'static str) -> Result<T, BadQuery> {
        let Some(value) = self.get(name) else {
            return Ok(T::default());
        };
        value.parse().map_err(|_| BadQuery::Number {
            name,
            value: value.to_owned(),
        })
    }
}

/// Decodes a part of a query.
fn decoded(text: &str) -> Result<String, BadQuery> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit(), digit());
                let code = high.zip(low).map(|(high, low)| high * 16 + low);
                let code = code.and_then(|code| u8::try_from(code).ok());
                code.ok_or(BadQuery::Escape)?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| BadQuery::Escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::parse(text).expect("it is a query")
    }

    #[test]
    fn names_and_values_are_decoded() {
        let query = query("acc=%24G&user=a+b%2Bc&test=&user=second&x");
        assert_eq!(query.get("acc"), Some("$G"));
        assert_eq!(query.get("user"), Some("a b+c"));
        assert_eq!([query.get("test"), query.get("x")], [None; 2]);
        for bad in ["a=%", "a=%4", "a=%zz", "%ff=1", "a=%+1"] {
            assert_eq!(Query::parse(bad).err(), Some(BadQuery::Escape), "{bad}");
        }
    }

    #[test]
    fn flags_and_numbers_are_those_of_go() {
        for (text, flag) in [
            ("", Some(false)),
            ("a=1", Some(true)),
            ("a=True", Some(true)),
            ("a=0", Some(false)),
            ("a=", Some(false)),
            ("a=yes", None),
            ("a=tRUE", None),
        ] {
            assert_eq!(query(text).flag("a").ok(), flag, "{text}");
        }
        for (text, number, count) in [
            ("", Some(0), Some(0)),
            ("a=7", Some(7), Some(7)),
            ("a=-7", None, Some(0)),
            ("a=0", Some(0), Some(0)),
            ("a=18446744073709551615", Some(u64::MAX), None),
            ("a=18446744073709551616", None, None),
            ("a=7x", None, None),
            ("a=1.5", None, None),
        ] {
            assert_eq!(query(text).number("a").ok(), number, "{text}");
            assert_eq!(query(text).count("a").ok(), count, "{text}");
        }
    }

    #[test]
    fn errors_name_the_value() {
        let error = query("subs=maybe").flag("subs").expect_err("it is no flag");
        let text = "subs must be true, false, 1 or 0, not \"maybe\"";
        assert_eq!(error.to_string(), text);
        let error = query("limit=many").number("limit").expect_err("no number");
        assert_eq!(
            error.to_string(),
            "limit must be an integer in range, not \"many\""
        );
    }
}
