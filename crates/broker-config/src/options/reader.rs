//! Reads values of the options' types and collects the errors.

use std::path::PathBuf;
use std::time::Duration;

use super::durations::{parse_duration, within_bounds};
use crate::grammar::{Entry, Kind, Map, Value};
use crate::problem::{Position, Problem};
use crate::sources::Sources;

/// Reads options and collects what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) sources: &'a Sources<'a>,
    /// Names of options that Broker does not have and that are to be ignored.
    pub(super) ignored: &'a [String],
    pub(super) errors: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// A named value: one of a map or of a list.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    /// The key; elements of a list have the list's name.
    pub(super) name: &'a str,
    pub(super) at: &'a Position,
    pub(super) kind: &'a Kind,
    /// Whether a variable refers to the field.
    pub(super) used: bool,
}

impl<'a> From<&'a Entry> for Field<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            name: &entry.key,
            at: &entry.at,
            kind: &entry.value.kind,
            used: entry.used,
        }
    }
}

/// Returns the fields of a map, each with its name in lower case, as nats-server compares it.
pub(super) fn fields(map: &Map) -> impl Iterator<Item = (String, Field<'_>)> {
    let entries = map.entries().iter();
    entries.map(|entry| (entry.key.to_lowercase(), entry.into()))
}

/// The values that an option accepts.
pub(super) type Range = std::ops::RangeInclusive<i64>;

impl<'a> Reader<'a> {
    pub(super) fn new(sources: &'a Sources<'a>, ignored: &'a [String]) -> Self {
        Self {
            sources,
            ignored,
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn error(&mut self, at: &Position, text: impl Into<String>) {
        self.errors.push(at.problem(text));
    }

    pub(super) fn warn(&mut self, at: &Position, text: impl Into<String>) {
        self.warnings.push(at.problem(text));
    }

    /// Reports an unknown field, unless a variable refers to it.
    pub(super) fn unknown(&mut self, field: &Field<'_>) {
        if !field.used {
            self.error(field.at, format!("unknown field {:?}", field.name));
        }
    }

    /// Reports a value of the wrong type. Does not show the value, which may be a secret.
    pub(super) fn wrong_type(&mut self, field: &Field<'_>, wanted: &str) {
        let Field { name, kind, .. } = field;
        let quotes = match kind {
            Kind::Integer(_) | Kind::Float(_) | Kind::Boolean(_) | Kind::Date(_)
                if wanted.starts_with("a string") =>
            {
                "; put it in quotes"
            }
            _ => "",
        };
        let found = kind.name();
        self.error(
            field.at,
            format!("{name} must be {wanted}, not {found}{quotes}"),
        );
    }

    pub(super) fn map(&mut self, field: &Field<'a>) -> Option<&'a Map> {
        if let Kind::Map(map) = field.kind {
            return Some(map);
        }
        self.wrong_type(field, "a map");
        None
    }

    /// Returns the elements of a list.
    pub(super) fn list(&mut self, field: &Field<'a>) -> Vec<Field<'a>> {
        if let Kind::List(values) = field.kind {
            return elements(field, values);
        }
        self.wrong_type(field, "a list");
        Vec::new()
    }

    /// Returns the elements of a list of strings, or a single string as a list of one.
    pub(super) fn texts(&mut self, field: &Field<'a>) -> Vec<(&'a str, &'a Position)> {
        let elements = match field.kind {
            Kind::Text(_) => vec![*field],
            Kind::List(values) => elements(field, values),
            _ => {
                self.wrong_type(field, "a string or a list of strings");
                return Vec::new();
            }
        };
        let texts = elements.iter().filter_map(|element| {
            let text = self.text(element)?;
            Some((text, element.at))
        });
        texts.collect()
    }

    pub(super) fn text(&mut self, field: &Field<'a>) -> Option<&'a str> {
        if let Kind::Text(text) = field.kind {
            return Some(text);
        }
        self.wrong_type(field, "a string");
        None
    }

    /// Returns a string; `None` for an empty one, which is the default.
    pub(super) fn name(&mut self, field: &Field<'a>) -> Option<String> {
        let text = self.text(field)?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    pub(super) fn path(&mut self, field: &Field<'a>) -> Option<PathBuf> {
        self.name(field).map(PathBuf::from)
    }

    pub(super) fn boolean(&mut self, field: &Field<'_>) -> Option<bool> {
        if let Kind::Boolean(value) = field.kind {
            return Some(*value);
        }
        self.wrong_type(field, "true or false");
        None
    }

    pub(super) fn integer(&mut self, field: &Field<'_>) -> Option<i64> {
        if let Kind::Integer(value) = field.kind {
            return Some(*value);
        }
        self.wrong_type(field, "an integer");
        None
    }

    /// Returns an integer in a range; `None` for 0, which stands for the default.
    pub(super) fn within<T: TryFrom<i64>>(&mut self, field: &Field<'_>, range: Range) -> Option<T> {
        let value = self.integer(field).filter(|&value| value != 0)?;
        let found = Some(value).filter(|value| range.contains(value));
        let found = found.and_then(|value| value.try_into().ok());
        if found.is_none() {
            let (least, most) = range.into_inner();
            let text = format!(
                "{} is out of range: {value} is not between {least} and {most}",
                field.name
            );
            self.error(field.at, text);
        }
        found
    }

    /// Returns a duration in nanoseconds, from a string.
    pub(super) fn duration_text(&mut self, field: &Field<'a>) -> Option<i64> {
        let duration = parse_duration(self.text(field)?);
        if duration.is_none() {
            let name = field.name;
            let text = format!(
                "{name} is not a duration: write numbers with ns, us, ms, s, m or h, such as \"1m30s\""
            );
            self.error(field.at, text);
        }
        duration
    }

    /// Returns a duration, from a string or from an integer of seconds with a warning; `None` for
    /// 0.
    pub(super) fn duration(&mut self, field: &Field<'a>) -> Option<Duration> {
        if let &Kind::Integer(seconds) = field.kind {
            // `2m` without quotes is two million, which is rarely meant.
            let name = field.name;
            let text = format!(
                "{name} should be a duration in quotes, such as \"2m\"; {seconds} is read as \
                 seconds"
            );
            self.warn(field.at, text);
        }
        self.time(field)
    }

    /// Returns a duration, from a string or from a number of seconds; `None` for 0.
    pub(super) fn time(&mut self, field: &Field<'a>) -> Option<Duration> {
        let nanoseconds = match *field.kind {
            Kind::Integer(seconds) => seconds.saturating_mul(1_000_000_000),
            // The cast saturates at the largest integer.
            #[expect(clippy::cast_possible_truncation)]
            Kind::Float(seconds) => (seconds * 1e9) as i64,
            Kind::Text(_) => self.duration_text(field)?,
            _ => {
                self.wrong_type(field, "a string with a duration");
                return None;
            }
        };
        match within_bounds(nanoseconds) {
            Ok(time) => time,
            Err(why) => {
                self.error(field.at, format!("{} {why}", field.name));
                None
            }
        }
    }

    /// Returns a port, or the parts of `HOST:PORT`.
    pub(super) fn listen(&mut self, field: &Field<'a>) -> (Option<String>, Option<u16>) {
        let text = match field.kind {
            Kind::Integer(_) => return (None, self.port(field)),
            Kind::Text(text) => text,
            _ => {
                self.wrong_type(field, "a port or a string HOST:PORT");
                return (None, None);
            }
        };
        let Some((host, port)) = split_address(text) else {
            let text = format!("{} is neither a port nor HOST:PORT", field.name);
            self.error(field.at, text);
            return (None, None);
        };
        let kind = Kind::Integer(port);
        let port = self.port(&Field {
            kind: &kind,
            ..*field
        });
        ((!host.is_empty()).then(|| host.to_owned()), port)
    }

    /// Returns a port: `None` for 0, which stands for the default, and 0 for -1, which stands for
    /// any free port.
    pub(super) fn port(&mut self, field: &Field<'_>) -> Option<u16> {
        let port = self.within::<i64>(field, -1..=65_535)?;
        u16::try_from(port.max(0)).ok()
    }
}

fn elements<'a>(field: &Field<'a>, values: &'a [Value]) -> Vec<Field<'a>> {
    let element = |value: &'a Value| Field {
        at: &value.at,
        kind: &value.kind,
        ..*field
    };
    values.iter().map(element).collect()
}

/// Splits `HOST:PORT`; an IPv6 address is in brackets.
fn split_address(text: &str) -> Option<(&str, i64)> {
    let (host, port) = text.rsplit_once(':')?;
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match inner {
        Some(host) => host,
        None if host.contains([':', '[', ']']) => return None,
        None => host,
    };
    Some((host, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_split() {
        for (text, expected) in [
            ("a:1", Some(("a", 1))),
            (":4222", Some(("", 4222))),
            ("[::1]:-1", Some(("::1", -1))),
            ("::1:1", None),
            ("[::1:1", None),
            ("a", None),
            ("a:", None),
            ("a:b", None),
        ] {
            assert_eq!(split_address(text), expected, "{text}");
        }
    }
}
