//! Debian version numbers: `[epoch:]upstream[-revision]` and their order.

use std::cmp::Ordering;
use std::fmt;

/// A version that keeps its text as written.
///
/// Equality follows the order, not the text: to Debian, `1.0` and `0:1.0-0` are
/// the same version.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
    epoch: u64,
    /// The upstream part's byte range within `text`.
    upstream: (usize, usize),
}

/// Why a text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// The text is empty.
    #[error("the version is empty; expected one such as 1.2-3")]
    Empty,
    /// The epoch is not a number.
    #[error("version {0:?}: the part before the colon (the epoch) must be a whole number")]
    Epoch(String),
    /// The upstream part is missing.
    #[error(
        "version {0:?} has no upstream version between the epoch and the revision; expected one such as 1:1.2-3"
    )]
    NoUpstream(String),
    /// A character that is not allowed in versions.
    #[error(
        "version {text:?} has the character {found:?}; only letters, digits and . + - ~ : are allowed"
    )]
    Character {
        /// The text.
        text: String,
        /// The first such character.
        found: char,
    },
}

impl Version {
    /// Parses a version.
    ///
    /// # Errors
    ///
    /// If the text does not follow Debian's version grammar.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        if text.is_empty() {
            return Err(VersionError::Empty);
        }
        let allowed = |c: &char| c.is_ascii_alphanumeric() || ".+-~:".contains(*c);
        if let Some(found) = text.chars().find(|c| !allowed(c)) {
            return Err(VersionError::Character {
                text: text.to_owned(),
                found,
            });
        }
        let (epoch, start) = match text.split_once(':') {
            None => (0, 0),
            Some((epoch, _)) => {
                // `u64::from_str` would accept a leading plus sign.
                let digits = epoch.bytes().all(|b| b.is_ascii_digit());
                let value = epoch.parse().ok().filter(|_| digits);
                let value = value.ok_or_else(|| VersionError::Epoch(text.to_owned()))?;
                (value, epoch.len() + 1)
            }
        };
        let end = text[start..]
            .rfind('-')
            .map_or(text.len(), |dash| start + dash);
        if end == start {
            return Err(VersionError::NoUpstream(text.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            epoch,
            upstream: (start, end),
        })
    }

    /// Returns the text as it was parsed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn upstream(&self) -> &str {
        &self.text[self.upstream.0..self.upstream.1]
    }

    /// A missing revision is the empty text, which is equal to `0`.
    fn revision(&self) -> &str {
        self.text.get(self.upstream.1 + 1..).unwrap_or("")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(self.upstream(), other.upstream()))
            .then_with(|| compare_part(self.revision(), other.revision()))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// Compares two upstream parts or two revisions: runs of non-digits alternate
/// with runs of digits, starting with non-digits.
fn compare_part(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    while !left.is_empty() || !right.is_empty() {
        let (a, b) = (take_run(&mut left, false), take_run(&mut right, false));
        let order = compare_signs(a, b);
        if order.is_ne() {
            return order;
        }
        let (a, b) = (take_run(&mut left, true), take_run(&mut right, true));
        let order = compare_digits(a, b);
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Splits off the leading run of digits or of non-digits.
fn take_run<'a>(rest: &mut &'a [u8], digits: bool) -> &'a [u8] {
    let end = rest
        .iter()
        .position(|b| b.is_ascii_digit() != digits)
        .unwrap_or(rest.len());
    let (run, tail) = rest.split_at(end);
    *rest = tail;
    run
}

fn compare_signs(left: &[u8], right: &[u8]) -> Ordering {
    // The end of a run counts as a character of its own: `~` sorts before it
    // and everything else after it.
    let weight = |run: &[u8], at: usize| match run.get(at) {
        Some(b'~') => -1,
        None => 0,
        Some(&b) if b.is_ascii_alphabetic() => i32::from(b),
        Some(&b) => i32::from(b) + 256,
    };
    (0..left.len().max(right.len()))
        .map(|at| weight(left, at).cmp(&weight(right, at)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Compares numbers without converting them: dates and git counts may be too
/// long for any integer type.
fn compare_digits(left: &[u8], right: &[u8]) -> Ordering {
    let trim = |run: &'_ [u8]| run.iter().take_while(|b| **b == b'0').count();
    let (left, right) = (&left[trim(left)..], &right[trim(right)..]);
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).expect(text)
    }

    #[test]
    fn order() {
        use Ordering::{Equal, Greater, Less};
        let table = [
            ("1.0", "1.0", Equal),
            ("1.0", "0:1.0", Equal),
            ("1.0", "1.0-0", Equal),
            ("1.00", "1.0", Equal),
            ("1.01", "1.1", Equal),
            ("1.9", "1.10", Less),
            ("1:1.0", "9.9", Greater),
            ("1:1.0", "2:0.1", Less),
            ("1.0~rc1", "1.0", Less),
            ("1.0~~", "1.0~", Less),
            ("1.0~~a", "1.0~", Less),
            ("1.0~", "1.0", Less),
            ("1.0", "1.0a", Less),
            ("1.0a", "1.0+", Less),
            ("1.0a", "1.0b", Less),
            ("1.0Z", "1.0a", Less),
            ("1.0-1", "1.0-1~bpo12+1", Greater),
            ("1.0-1", "1.0-1+b1", Less),
            ("1.0-1+b2", "1.0-1+b10", Less),
            ("1.0-1", "1.0-2", Less),
            ("1.0-2-1", "1.0-10-1", Less),
            ("2.41-12", "2.41-12+deb13u1", Less),
            ("1:22.1.8-1~deb13u5", "1:22.1.8", Greater),
            ("1:22.1.8-1~deb13u5", "1:22.1.8-1", Less),
            ("76.1-1~", "76.1-1", Less),
            ("1.2.dfsg+really1.1", "1.2", Greater),
            ("1.a", "1.1", Greater),
            ("1.", "1.0", Equal),
            ("20240102030405060708090", "20240102030405060708091", Less),
        ];
        for (left, right, expected) in table {
            let (a, b) = (version(left), version(right));
            assert_eq!(a.cmp(&b), expected, "{left} against {right}");
            assert_eq!(b.cmp(&a), expected.reverse(), "{right} against {left}");
            assert_eq!(a == b, expected == Equal, "{left} equals {right}");
        }
    }

    #[test]
    fn refusals() {
        assert_eq!(Version::parse(""), Err(VersionError::Empty));
        for text in ["a:1", ":1", "+1:1", "99999999999999999999:1"] {
            assert_eq!(
                Version::parse(text),
                Err(VersionError::Epoch(text.to_owned()))
            );
        }
        for text in ["1:", "-1", "1:-1"] {
            assert_eq!(
                Version::parse(text),
                Err(VersionError::NoUpstream(text.to_owned()))
            );
        }
        assert!(matches!(
            Version::parse("1 2"),
            Err(VersionError::Character { found: ' ', .. })
        ));
        assert!(matches!(
            Version::parse("1ä"),
            Err(VersionError::Character { found: 'ä', .. })
        ));
    }
}
