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
    /// `snapshot` is the date of the snapshot archive; nix/base/debian/update.sh checks its form.
    #[must_use]
    pub fn new(
        index: &'a Index,
        wanted: &'a Wanted,
        sets: BTreeMap<String, BTreeSet<&'a str>>,
        sources: BTreeMap<&'a str, &'a Source>,
        snapshot: &'a str,
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
            snapshot,
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
