//! Relations between packages: the values of `Depends`, `Pre-Depends` and
//! `Provides`.

use std::cmp::Ordering;
use std::fmt;

use crate::version::{Version, VersionError};

/// How a version compares to the one in a restriction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<<`
    Earlier,
    /// `<=`
    EarlierOrEqual,
    /// `=`
    Equal,
    /// `>=`
    LaterOrEqual,
    /// `>>`
    Later,
}

impl Operator {
    /// Returns whether `found` satisfies this operator with `bound`.
    #[must_use]
    pub fn holds(self, found: &Version, bound: &Version) -> bool {
        let order = found.cmp(bound);
        match self {
            Self::Earlier => order == Ordering::Less,
            Self::EarlierOrEqual => order != Ordering::Greater,
            Self::Equal => order == Ordering::Equal,
            Self::LaterOrEqual => order != Ordering::Less,
            Self::Later => order == Ordering::Greater,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Earlier => "<<",
            Self::EarlierOrEqual => "<=",
            Self::Equal => "=",
            Self::LaterOrEqual => ">=",
            Self::Later => ">>",
        })
    }
}

/// One package name with an optional version restriction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The name, without an architecture qualifier.
    pub name: String,
    /// The version restriction, if there is one.
    pub restriction: Option<(Operator, Version)>,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some((operator, version)) = &self.restriction {
            write!(f, " ({operator} {version})")?;
        }
        Ok(())
    }
}

/// Alternatives, the preferred one first; never empty.
pub type Group = Vec<Relation>;

/// Formats a group as in an index.
#[must_use]
pub fn show_group(group: &[Relation]) -> String {
    let parts: Vec<String> = group.iter().map(ToString::to_string).collect();
    parts.join(" | ")
}

/// Why a text is not a relation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelationError {
    /// The text has another form.
    #[error("{0:?} is not a package name with an optional (operator version) after it")]
    Shape(String),
    /// The restriction's operator is unknown.
    #[error("{text:?}: the operator of a restriction must be one of << <= = >= >>")]
    Operator {
        /// The whole relation.
        text: String,
    },
    /// The restriction's version is malformed.
    #[error("{text:?}: {source}")]
    Version {
        /// The whole relation.
        text: String,
        /// What is wrong with the version.
        source: VersionError,
    },
}

/// Parses a field: groups separated by commas, alternatives separated by bars.
///
/// # Errors
///
/// If one of the relations is malformed.
pub fn parse_field(field: &str) -> Result<Vec<Group>, RelationError> {
    field
        .split(',')
        // The format allows a trailing comma, which leaves an empty piece.
        .filter(|group| !group.trim().is_empty())
        .map(|group| group.split('|').map(parse_one).collect())
        .collect()
}

fn parse_one(text: &str) -> Result<Relation, RelationError> {
    let text = text.trim();
    let shape = || RelationError::Shape(text.to_owned());
    let (name, restriction) = match text.split_once('(') {
        None => (text, None),
        Some((name, rest)) => {
            let inside = rest.strip_suffix(')').ok_or_else(shape)?;
            (name.trim_end(), Some(parse_restriction(text, inside)?))
        }
    };
    // The qualifier restricts the architecture that satisfies a dependency; an
    // index for one architecture leaves no choice.
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    if !is_package_name(name) {
        return Err(shape());
    }
    Ok(Relation {
        name: name.to_owned(),
        restriction,
    })
}

fn parse_restriction(text: &str, inside: &str) -> Result<(Operator, Version), RelationError> {
    let inside = inside.trim();
    let end = inside
        .find(|c| !matches!(c, '<' | '=' | '>'))
        .unwrap_or(inside.len());
    let (operator, version) = inside.split_at(end);
    let operator = match operator {
        "<<" => Operator::Earlier,
        "<=" => Operator::EarlierOrEqual,
        "=" => Operator::Equal,
        ">=" => Operator::LaterOrEqual,
        ">>" => Operator::Later,
        _ => {
            return Err(RelationError::Operator {
                text: text.to_owned(),
            });
        }
    };
    let version = Version::parse(version.trim()).map_err(|source| RelationError::Version {
        text: text.to_owned(),
        source,
    })?;
    Ok((operator, version))
}

/// Returns whether a text is a package name: Debian's rule, without its minimum length.
#[must_use]
pub fn is_package_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_field() {
        let groups =
            parse_field("libc6 (>= 2.38), python3:any, a(=1)|b (<< 2:1~) , c,").expect("valid");
        let shown: Vec<String> = groups.iter().map(|group| show_group(group)).collect();
        assert_eq!(
            shown,
            ["libc6 (>= 2.38)", "python3", "a (= 1) | b (<< 2:1~)", "c"]
        );
        assert_eq!(parse_field(""), Ok(Vec::new()));
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for text in ["a b", "a (>= 1", "a | ", "A", "a (>= 1) [amd64]"] {
            let error = parse_field(text).expect_err(text);
            assert!(matches!(error, RelationError::Shape(_)), "{text}: {error}");
        }
        for text in ["a (1)", "a (< 1)", "a (> 1)"] {
            let error = parse_field(text).expect_err(text);
            assert!(
                matches!(error, RelationError::Operator { .. }),
                "{text}: {error}"
            );
        }
        assert!(matches!(
            parse_field("a (>= )"),
            Err(RelationError::Version { .. })
        ));
    }

    #[test]
    fn operators() {
        let [one, two] = ["1", "2"].map(|text| Version::parse(text).expect("valid"));
        let table = [
            (Operator::Earlier, [false, true, false]),
            (Operator::EarlierOrEqual, [true, true, false]),
            (Operator::Equal, [true, false, false]),
            (Operator::LaterOrEqual, [true, false, true]),
            (Operator::Later, [false, false, true]),
        ];
        for (operator, expected) in table {
            let found = [
                operator.holds(&one, &one),
                operator.holds(&one, &two),
                operator.holds(&two, &one),
            ];
            assert_eq!(found, expected, "{operator}");
        }
    }
}
