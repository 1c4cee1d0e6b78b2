//! The lock file.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::index::Index;
use crate::source::Source;
use crate::wanted::Wanted;

/// The lock file's contents.
///
/// The fields, like all keys of the file, are in alphabetical order, so two
/// locks differ only where their contents do.
#[derive(Debug, Serialize)]
pub struct Lock<'a> {
    architecture: &'a str,
    packages: BTreeMap<&'a str, Entry<'a>>,
    sets: BTreeMap<String, BTreeSet<&'a str>>,
    snapshot: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    sources: BTreeMap<&'a str, Entry<'a>>,
    suite: &'a str,
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    path: &'a str,
    sha256: &'a str,
    size: u64,
    version: &'a str,
}

impl<'a> Lock<'a> {
    /// Combines the results of [`crate::resolve::resolve`] and
    /// [`crate::source::Sources::select`].
    #[must_use]
    pub fn new(
        index: &'a Index,
        wanted: &'a Wanted,
        sets: BTreeMap<String, BTreeSet<&'a str>>,
        sources: BTreeMap<&'a str, &'a Source>,
        snapshot: &'a Snapshot,
    ) -> Self {
        let packages = sets
            .values()
            .flatten()
            .filter_map(|name| index.get(name))
            .map(|package| {
                let entry = Entry {
                    path: &package.path,
                    sha256: &package.sha256,
                    size: package.size,
                    version: package.version.as_str(),
                };
                (package.name.as_str(), entry)
            })
            .collect();
        let sources = sources
            .into_iter()
            .map(|(name, source)| {
                let entry = Entry {
                    path: &source.path,
                    sha256: &source.sha256,
                    size: source.size,
                    version: source.version.as_str(),
                };
                (name, entry)
            })
            .collect();
        Self {
            architecture: &wanted.architecture,
            packages,
            sets,
            snapshot: &snapshot.0,
            sources,
            suite: &wanted.suite,
        }
    }

    /// Returns the file's text, with a line break at its end.
    ///
    /// # Errors
    ///
    /// None known: everything in a lock can be written as JSON.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// A point in time of the snapshot archive, such as `20261123T000000Z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(String);

/// The text is not such a time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a snapshot archive date; write it like 20261123T000000Z")]
pub struct SnapshotError(String);

impl std::str::FromStr for Snapshot {
    type Err = SnapshotError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || SnapshotError(text.to_owned());
        let shape = text.len() == 16
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 => byte == b'T',
                15 => byte == b'Z',
                _ => byte.is_ascii_digit(),
            });
        if !shape {
            return Err(refuse());
        }
        // The text is ASCII here, so the ranges are valid.
        let number = |from: usize, to: usize| text[from..to].parse::<u32>().map_err(|_| refuse());
        let plausible = (1..=12).contains(&number(4, 6)?)
            && (1..=31).contains(&number(6, 8)?)
            && number(9, 11)? < 24
            && number(11, 13)? < 60
            && number(13, 15)? <= 60;
        plausible.then(|| Self(text.to_owned())).ok_or_else(refuse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots() {
        for good in ["20261123T000000Z", "20240229T235960Z"] {
            assert!(good.parse::<Snapshot>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "20261123",
            "20261123T000000",
            "20261123t000000Z",
            "20261323T000000Z",
            "20261100T000000Z",
            "20261123T240000Z",
            "2026112äT00000Z",
        ] {
            assert_eq!(bad.parse::<Snapshot>(), Err(SnapshotError(bad.to_owned())));
        }
    }
}
