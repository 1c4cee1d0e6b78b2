//! The wanted packages: `wanted.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::relation::is_package_name;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The code name of the Debian release.
    pub suite: String,
    /// Debian's name for the architecture.
    pub architecture: String,
    /// The sets by name.
    pub sets: BTreeMap<String, Set>,
    /// Source packages whose upstream archive is locked as well, and the reason
    /// for each, which is documentation only.
    #[serde(default)]
    pub sources: BTreeMap<String, String>,
}

/// Packages for one purpose.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// Packages to include with their dependencies.
    pub packages: Vec<String>,
    /// Packages to leave out, with dependencies that only they need.
    #[serde(default)]
    pub without: Vec<String>,
    /// The purpose of the set, which is documentation only.
    pub why: String,
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum WantedError {
    /// The file has another form.
    #[error(
        "cannot parse the list of wanted packages: {0}; see the existing wanted.json for its form"
    )]
    Json(#[from] serde_json::Error),
    /// There is no set.
    #[error("the list of wanted packages has no sets; add at least one")]
    NoSets,
    /// A set is empty.
    #[error("set {0:?} names no packages; name at least one or remove the set")]
    NoPackages(String),
    /// A set has no reason.
    #[error("set {0:?} does not state its purpose; fill in \"why\"")]
    NoReason(String),
    /// An entry is not a package name.
    #[error(
        "set {set:?}: {name:?} is not a package name; use lower-case letters, digits and + - ."
    )]
    Name {
        /// The set.
        set: String,
        /// The entry.
        name: String,
    },
    /// A source package has no reason.
    #[error("source package {0:?} does not state its purpose; give the reason as its value")]
    NoSourceReason(String),
    /// The name of a source package is not a package name.
    #[error("\"sources\": {0:?} is not a package name; use lower-case letters, digits and + - .")]
    SourceName(String),
    /// A package is listed twice.
    #[error(
        "set {set:?} names {name} more than once in \"packages\" and \"without\"; keep one of them"
    )]
    Twice {
        /// The set.
        set: String,
        /// The package.
        name: String,
    },
}

impl Wanted {
    /// Parses and checks the list.
    ///
    /// # Errors
    ///
    /// If the text has another form or contradicts itself.
    pub fn parse(text: &str) -> Result<Self, WantedError> {
        let wanted: Self = serde_json::from_str(text)?;
        if wanted.sets.is_empty() {
            return Err(WantedError::NoSets);
        }
        for (set, content) in &wanted.sets {
            if content.packages.is_empty() {
                return Err(WantedError::NoPackages(set.clone()));
            }
            if content.why.trim().is_empty() {
                return Err(WantedError::NoReason(set.clone()));
            }
            let mut seen = BTreeSet::new();
            for name in content.packages.iter().chain(&content.without) {
                let (set, name) = (set.clone(), name.clone());
                if !is_package_name(&name) {
                    return Err(WantedError::Name { set, name });
                }
                if !seen.insert(name.clone()) {
                    return Err(WantedError::Twice { set, name });
                }
            }
        }
        for (name, why) in &wanted.sources {
            if !is_package_name(name) {
                return Err(WantedError::SourceName(name.clone()));
            }
            if why.trim().is_empty() {
                return Err(WantedError::NoSourceReason(name.clone()));
            }
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(set: &str) -> Result<Wanted, WantedError> {
        Wanted::parse(&format!(
            r#"{{ "suite": "s", "architecture": "a", "sets": {{ "x": {set} }} }}"#
        ))
    }

    #[test]
    fn reads_a_set() {
        let wanted = parse(r#"{ "packages": ["b", "a"], "why": "w" }"#).expect("valid");
        assert_eq!(wanted.sets["x"].packages, ["b", "a"]);
        assert!(wanted.sets["x"].without.is_empty());
    }

    #[test]
    fn reads_sources() {
        let parse = |sources: &str| {
            Wanted::parse(&format!(
                r#"{{ "suite": "s", "architecture": "a", "sources": {sources},
                   "sets": {{ "x": {{ "packages": ["a"], "why": "w" }} }} }}"#
            ))
        };
        let wanted = parse(r#"{ "kettle": "w" }"#).expect("valid");
        assert_eq!(wanted.sources["kettle"], "w");
        assert!(matches!(
            parse(r#"{ "kettle": " " }"#),
            Err(WantedError::NoSourceReason(_))
        ));
        assert!(matches!(
            parse(r#"{ "a b": "w" }"#),
            Err(WantedError::SourceName(_))
        ));
    }

    #[test]
    fn refuses() {
        let none = r#"{ "suite": "s", "architecture": "a", "sets": {} }"#;
        assert!(matches!(Wanted::parse(none), Err(WantedError::NoSets)));
        assert!(matches!(
            parse(r#"{ "packages": [], "why": "w" }"#),
            Err(WantedError::NoPackages(_))
        ));
        assert!(matches!(
            parse(r#"{ "packages": ["a"], "why": " " }"#),
            Err(WantedError::NoReason(_))
        ));
        assert!(matches!(
            parse(r#"{ "packages": ["a b"], "why": "w" }"#),
            Err(WantedError::Name { .. })
        ));
        assert!(matches!(
            parse(r#"{ "packages": ["a"], "without": ["a"], "why": "w" }"#),
            Err(WantedError::Twice { .. })
        ));
        assert!(matches!(
            parse(r#"{ "packages": ["a"], "witout": ["b"], "why": "w" }"#),
            Err(WantedError::Json(_))
        ));
    }
}
