//! Debian `Sources` indices: the upstream archives of source packages.

use std::collections::BTreeMap;

use crate::index::{
    IndexError, Paragraph, Problem, checked_path, checked_sha256, checked_size, paragraphs,
};
use crate::version::Version;

/// The upstream archive of a source package, as Debian stores it.
#[derive(Debug, Clone)]
pub struct Source {
    /// `Version` of the package.
    pub version: Version,
    /// The archive's path below the root of a mirror.
    pub path: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
}

/// The wanted source packages of one or more index files, each at its highest version.
#[derive(Debug, Default)]
pub struct Sources {
    sources: BTreeMap<String, Source>,
}

/// A wanted source package is in no index file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the source package {0} is wanted but is in none of the given Sources files; check its name, and pass the Sources file of the suite with --sources"
)]
pub struct MissingSource(String);

impl Sources {
    /// Adds the `wanted` packages of one index file; `file` is its name in messages.
    ///
    /// # Errors
    ///
    /// If the text is not an index, or a wanted package is malformed.
    pub fn add(
        &mut self,
        file: &str,
        text: &str,
        wanted: &BTreeMap<String, String>,
    ) -> Result<(), IndexError> {
        for paragraph in paragraphs(text) {
            let paragraph =
                paragraph.map_err(|(line, problem)| IndexError::new(file, line, problem))?;
            let in_file = |problem| IndexError::new(file, paragraph.line, problem);
            let name = paragraph.name().map_err(in_file)?;
            if !wanted.contains_key(name) {
                continue;
            }
            let source = upstream(&paragraph, name).map_err(in_file)?;
            let higher = self
                .sources
                .get(name)
                .is_none_or(|known| known.version < source.version);
            if higher {
                self.sources.insert(name.to_owned(), source);
            }
        }
        Ok(())
    }

    /// Returns all `wanted` packages.
    ///
    /// # Errors
    ///
    /// If one of them is in no index file.
    pub fn select<'a>(
        &'a self,
        wanted: &'a BTreeMap<String, String>,
    ) -> Result<BTreeMap<&'a str, &'a Source>, MissingSource> {
        wanted
            .keys()
            .map(|name| {
                let source = self.sources.get(name);
                let source = source.ok_or_else(|| MissingSource(name.clone()))?;
                Ok((name.as_str(), source))
            })
            .collect()
    }
}

/// Returns the upstream archive among the files of a source package. The others are Debian's
/// changes, signatures, and archives of components (`.orig-part.tar.`).
fn upstream(paragraph: &Paragraph, name: &str) -> Result<Source, Problem> {
    let version = paragraph.version(name)?;
    let files = paragraph.need("Checksums-Sha256")?;
    let archives: Vec<[&str; 3]> = files
        .lines()
        .filter_map(|line| line.split_whitespace().collect::<Vec<_>>().try_into().ok())
        .filter(|[_, _, file]: &[&str; 3]| {
            file.strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('_'))
                .and_then(|rest| rest.split_once(".orig.tar."))
                .is_some_and(|(_, compression)| !compression.contains('.'))
        })
        .collect();
    let [[sha256, size, file]] = archives[..] else {
        return Err(Problem::Upstream {
            package: name.to_owned(),
            found: archives.len(),
        });
    };
    let folder = paragraph.need("Directory")?;
    Ok(Source {
        version,
        path: checked_path(name, &format!("{folder}/{file}"))?,
        size: checked_size(name, size)?,
        sha256: checked_sha256(name, sha256)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef";

    fn entry(name: &str, version: &str, files: &[&str]) -> String {
        let files: Vec<String> = files
            .iter()
            .map(|file| format!(" {SHA} 12 {file}\n"))
            .collect();
        let files = files.concat();
        format!(
            "Package: {name}\nVersion: {version}\nChecksums-Sha256:\n{files}Directory: pool/main/{name}\n\n"
        )
    }

    fn select(text: &str) -> Result<Source, String> {
        let wanted = BTreeMap::from([("a".to_owned(), "why".to_owned())]);
        let mut sources = Sources::default();
        sources
            .add("Sources", text, &wanted)
            .map_err(|error| error.to_string())?;
        let selected = sources.select(&wanted).map_err(|error| error.to_string())?;
        Ok(selected["a"].clone())
    }

    const FILES: [&str; 5] = [
        "a_1.dsc",
        "a_1.orig-part.tar.xz",
        "a_1.orig.tar.xz",
        "a_1.orig.tar.xz.asc",
        "a_1-1.debian.tar.xz",
    ];

    #[test]
    fn finds_the_upstream_archive() {
        let text = entry("b", "2", &["b_2.tar.xz"]) + &entry("a", "1:1-1", &FILES);
        let source = select(&text).expect("valid");
        assert_eq!(source.version.as_str(), "1:1-1");
        assert_eq!(source.path, "pool/main/a/a_1.orig.tar.xz");
        assert_eq!(source.size, 12);
        assert_eq!(source.sha256, SHA.to_ascii_lowercase());
    }

    #[test]
    fn takes_the_highest_version() {
        let newer = entry("a", "1.10-1", &["a_1.10.orig.tar.gz"]);
        let older = entry("a", "1.9-1", &["a_1.9.orig.tar.gz"]);
        for text in [newer.clone() + &older, older + &newer] {
            let source = select(&text).expect("valid");
            assert_eq!(source.path, "pool/main/a/a_1.10.orig.tar.gz");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, message) in [
            (
                entry("b", "1", &["b_1.orig.tar.xz"]),
                "source package a is wanted",
            ),
            (entry("a", "1", &["a_1.tar.xz"]), "0 files are named a_"),
            (
                entry("a", "1", &["a_1.orig.tar.xz", "a_1.orig.tar.gz"]),
                "2 files are named a_",
            ),
            (
                entry("a", "1", &FILES).replace(" 12 ", " x "),
                "\"x\" is not a number",
            ),
            (
                entry("a", "1", &FILES).replace("0123", "zzzz"),
                "not a SHA-256",
            ),
            (
                entry("a", "1", &FILES).replace("pool/main", "pool/.."),
                "is not a path below pool/",
            ),
            (
                entry("a", "1", &FILES).replace("Directory", "Elsewhere"),
                "no field Directory",
            ),
        ] {
            let error = select(&text).expect_err(message);
            assert!(error.contains(message), "{error}");
        }
    }
}
