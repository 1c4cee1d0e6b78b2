//! Debian `Packages` indices: paragraphs of `Field: value` lines.

use std::collections::{BTreeMap, HashMap};

use crate::near;
use crate::relation::{Group, Relation, RelationError, is_package_name, parse_field};
use crate::version::{Version, VersionError};

/// The fields of a package that the lock and the resolver need.
#[derive(Debug, Clone)]
pub struct Package {
    /// `Package`.
    pub name: String,
    /// `Version`.
    pub version: Version,
    /// `Pre-Depends` and `Depends`, in this order.
    pub depends: Vec<Group>,
    /// `Provides`; a restriction gives the provided version.
    pub provides: Vec<Relation>,
    /// `Filename`: the package's path below the root of an archive.
    pub path: String,
    /// `Size`, in bytes.
    pub size: u64,
    /// `SHA256`, in lower-case hexadecimal digits.
    pub sha256: String,
}

/// The packages of one or more index files, each at its highest version.
#[derive(Debug, Default)]
pub struct Index {
    packages: BTreeMap<String, Package>,
}

/// What is wrong in an index file, and where.
#[derive(Debug, thiserror::Error)]
#[error(
    "{file}, line {line}: {problem}; download the index again, or report a bug in debian-lock if the file is sound"
)]
pub struct IndexError {
    /// The name under which the file was added.
    pub file: String,
    /// The line, or the first line of the paragraph; the file starts with line 1.
    pub line: usize,
    /// What is wrong. Boxed to keep results small.
    pub problem: Box<Problem>,
}

/// What is wrong with a line or a paragraph.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A line is neither a field nor a continuation.
    #[error("expected `Field: value`, found {0:?}")]
    Line(String),
    /// A continuation line follows no field.
    #[error("an indented line follows no field")]
    Continuation,
    /// A field is repeated.
    #[error("the field {0} occurs twice in one paragraph")]
    Twice(String),
    /// A required field is missing.
    #[error("the paragraph has no field {0}")]
    Missing(&'static str),
    /// `Package` is not a package name.
    #[error("{0:?} is not a package name")]
    Name(String),
    /// `Version` is not a version.
    #[error("package {package}: {source}")]
    Version {
        /// The package of the paragraph.
        package: String,
        /// What is wrong with the version.
        source: VersionError,
    },
    /// A field with relations is malformed.
    #[error("package {package}, field {field}: {source}")]
    Relation {
        /// The package of the paragraph.
        package: String,
        /// The field.
        field: &'static str,
        /// What is wrong with the relation.
        source: RelationError,
    },
    /// `Provides` has alternatives or an operator other than `=`.
    #[error("package {package}: Provides must not contain alternatives or operators other than =")]
    Provides {
        /// The package of the paragraph.
        package: String,
    },
    /// The index is for another architecture.
    #[error(
        "package {package} is for the architecture {found}, not {wanted}: this is the index of another architecture"
    )]
    Architecture {
        /// The package of the paragraph.
        package: String,
        /// The architecture of the package.
        found: String,
        /// The architecture of the lock.
        wanted: String,
    },
    /// `Size` is not a number.
    #[error("package {package}: the size {found:?} is not a number of bytes")]
    Size {
        /// The package of the paragraph.
        package: String,
        /// The value.
        found: String,
    },
    /// `SHA256` is not a SHA-256.
    #[error("package {package}: {found:?} is not a SHA-256 in 64 hexadecimal digits")]
    Sha256 {
        /// The package of the paragraph.
        package: String,
        /// The value.
        found: String,
    },
    /// `Filename` could point outside the pool.
    #[error("package {package}: the path {found:?} is not a path below pool/")]
    Path {
        /// The package of the paragraph.
        package: String,
        /// The value.
        found: String,
    },
    /// A source package has no upstream archive, or several.
    #[error(
        "source package {package}: {found} files are named {package}_….orig.tar.…, expected one: only packages with one upstream archive can be locked"
    )]
    Upstream {
        /// The package of the paragraph.
        package: String,
        /// How many such files it has.
        found: usize,
    },
}

impl IndexError {
    pub(crate) fn new(file: &str, line: usize, problem: Problem) -> Self {
        Self {
            file: file.to_owned(),
            line,
            problem: Box::new(problem),
        }
    }
}

impl Index {
    /// Adds the packages of one index file; `file` is its name for messages.
    ///
    /// # Errors
    ///
    /// If the text is not an index for `architecture`.
    pub fn add(&mut self, file: &str, text: &str, architecture: &str) -> Result<(), IndexError> {
        for paragraph in paragraphs(text) {
            let paragraph =
                paragraph.map_err(|(line, problem)| IndexError::new(file, line, problem))?;
            let package = paragraph
                .package(architecture)
                .map_err(|problem| IndexError::new(file, paragraph.line, problem))?;
            let higher = self
                .packages
                .get(&package.name)
                .is_none_or(|known| known.version < package.version);
            if higher {
                self.packages.insert(package.name.clone(), package);
            }
        }
        Ok(())
    }

    /// Returns the package with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Package> {
        self.packages.get(name)
    }

    /// Returns whether the index has no packages.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// Returns all packages, sorted by name.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.values()
    }

    /// Returns existing names similar to one that does not exist.
    #[must_use]
    pub fn near(&self, name: &str) -> Vec<&str> {
        near::near(name, self.packages.keys().map(String::as_str))
    }
}

/// One paragraph: its fields by lower-case name, and its first line.
pub(crate) struct Paragraph {
    pub(crate) line: usize,
    fields: HashMap<String, String>,
}

type Found = Result<Paragraph, (usize, Problem)>;

/// Splits a text into paragraphs.
pub(crate) fn paragraphs(text: &str) -> impl Iterator<Item = Found> {
    let mut lines = text.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        while lines.next_if(|(_, line)| is_blank(line)).is_some() {}
        let line = lines.peek()?.0 + 1;
        let mut fields = HashMap::new();
        let mut last: Option<String> = None;
        while let Some((at, line)) = lines.next_if(|(_, line)| !is_blank(line)) {
            if let Err(problem) = add_line(&mut fields, &mut last, line) {
                return Some(Err((at + 1, problem)));
            }
        }
        Some(Ok(Paragraph { line, fields }))
    })
}

fn is_blank(line: &str) -> bool {
    line.trim_end().is_empty()
}

fn add_line(
    fields: &mut HashMap<String, String>,
    last: &mut Option<String>,
    line: &str,
) -> Result<(), Problem> {
    if line.starts_with([' ', '\t']) {
        let value = last.as_ref().and_then(|name| fields.get_mut(name));
        let value = value.ok_or(Problem::Continuation)?;
        value.push('\n');
        value.push_str(line.trim());
        return Ok(());
    }
    let (name, value) = line
        .split_once(':')
        .filter(|(name, _)| !name.is_empty() && !name.contains(char::is_whitespace))
        .ok_or_else(|| Problem::Line(line.to_owned()))?;
    // Field names are case-insensitive.
    let name = name.to_ascii_lowercase();
    if fields
        .insert(name.clone(), value.trim().to_owned())
        .is_some()
    {
        return Err(Problem::Twice(name));
    }
    *last = Some(name);
    Ok(())
}

impl Paragraph {
    fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .get(&name.to_ascii_lowercase())
            .map(String::as_str)
    }

    pub(crate) fn need(&self, name: &'static str) -> Result<&str, Problem> {
        self.get(name).ok_or(Problem::Missing(name))
    }

    fn groups(&self, package: &str, field: &'static str) -> Result<Vec<Group>, Problem> {
        parse_field(self.get(field).unwrap_or("")).map_err(|source| Problem::Relation {
            package: package.to_owned(),
            field,
            source,
        })
    }

    /// `Package`.
    pub(crate) fn name(&self) -> Result<&str, Problem> {
        let name = self.need("Package")?;
        if !is_package_name(name) {
            return Err(Problem::Name(name.to_owned()));
        }
        Ok(name)
    }

    /// `Version` of the package `name`.
    pub(crate) fn version(&self, name: &str) -> Result<Version, Problem> {
        Version::parse(self.need("Version")?).map_err(|source| Problem::Version {
            package: name.to_owned(),
            source,
        })
    }

    fn package(&self, wanted: &str) -> Result<Package, Problem> {
        let name = self.name()?;
        let package = || name.to_owned();

        let architecture = self.need("Architecture")?;
        if architecture != wanted && architecture != "all" {
            return Err(Problem::Architecture {
                package: package(),
                found: architecture.to_owned(),
                wanted: wanted.to_owned(),
            });
        }

        let version = self.version(name)?;

        let mut depends = self.groups(name, "Pre-Depends")?;
        depends.extend(self.groups(name, "Depends")?);

        let mut provides = Vec::new();
        for group in self.groups(name, "Provides")? {
            let [relation] = <[Relation; 1]>::try_from(group)
                .map_err(|_| Problem::Provides { package: package() })?;
            if let Some((operator, _)) = &relation.restriction
                && *operator != crate::relation::Operator::Equal
            {
                return Err(Problem::Provides { package: package() });
            }
            provides.push(relation);
        }

        Ok(Package {
            name: name.to_owned(),
            version,
            depends,
            provides,
            path: checked_path(name, self.need("Filename")?)?,
            size: checked_size(name, self.need("Size")?)?,
            sha256: checked_sha256(name, self.need("SHA256")?)?,
        })
    }
}

pub(crate) fn checked_path(package: &str, path: &str) -> Result<String, Problem> {
    if is_pool_path(path) {
        Ok(path.to_owned())
    } else {
        Err(Problem::Path {
            package: package.to_owned(),
            found: path.to_owned(),
        })
    }
}

pub(crate) fn checked_size(package: &str, size: &str) -> Result<u64, Problem> {
    size.parse().map_err(|_| Problem::Size {
        package: package.to_owned(),
        found: size.to_owned(),
    })
}

pub(crate) fn checked_sha256(package: &str, sha256: &str) -> Result<String, Problem> {
    if sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(sha256.to_ascii_lowercase())
    } else {
        Err(Problem::Sha256 {
            package: package.to_owned(),
            found: sha256.to_owned(),
        })
    }
}

/// The path becomes part of a URL, so it must not leave the pool or end the
/// URL's path early.
fn is_pool_path(path: &str) -> bool {
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"/.+-~_%".contains(&b);
    path.strip_prefix("pool/").is_some_and(|rest| {
        rest.bytes().all(safe)
            && rest
                .split('/')
                .all(|part| !part.is_empty() && !part.starts_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef";

    fn entry(name: &str, version: &str, more: &str) -> String {
        format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\n{more}\
             Filename: pool/main/{name}_{version}.deb\nSize: 12\nSHA256: {SHA}\n\n"
        )
    }

    fn read(text: &str) -> Result<Index, IndexError> {
        let mut index = Index::default();
        index.add("Packages", text, "amd64")?;
        Ok(index)
    }

    fn problem(text: &str) -> (usize, Problem) {
        let error = read(text).expect_err("should be refused");
        (error.line, *error.problem)
    }

    #[test]
    fn reads_fields_and_continuations() {
        let more = "Description: short\n long\n .\n\tPackage: no\nDEPENDS: b,\n c (>= 1)\n\
                    Pre-Depends: d:any | e\nProvides: v, w (= 3)\n";
        let text = format!("\n\n{}  \n{}", entry("a", "1-1", more), entry("b", "2", ""));
        let index = read(&text).expect("valid");
        let a = index.get("a").expect("there");
        let depends: Vec<String> = a
            .depends
            .iter()
            .map(|group| crate::relation::show_group(group))
            .collect();
        assert_eq!(depends, ["d | e", "b", "c (>= 1)"]);
        let provides: Vec<String> = a.provides.iter().map(ToString::to_string).collect();
        assert_eq!(provides, ["v", "w (= 3)"]);
        assert_eq!(a.path, "pool/main/a_1-1.deb");
        assert_eq!(a.size, 12);
        assert_eq!(a.sha256, SHA.to_ascii_lowercase());
        assert_eq!(index.packages().count(), 2);
    }

    #[test]
    fn takes_the_highest_version() {
        for order in [["1.9", "1.10", "1.2"], ["1.10", "1.9", "1.2"]] {
            let text: String = order
                .iter()
                .map(|version| entry("a", version, ""))
                .collect();
            let index = read(&text).expect("valid");
            assert_eq!(index.get("a").expect("there").version.as_str(), "1.10");
        }
    }

    #[test]
    fn joins_several_files() {
        let mut index = Index::default();
        index
            .add("one", &entry("a", "1", ""), "amd64")
            .expect("valid");
        index
            .add("two", &entry("a", "2", ""), "amd64")
            .expect("valid");
        assert_eq!(index.get("a").expect("there").version.as_str(), "2");
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        assert_eq!(
            problem("Package: a\nnonsense\n"),
            (2, Problem::Line("nonsense".to_owned()))
        );
        assert_eq!(problem("\n  x\n"), (2, Problem::Continuation));
        assert_eq!(
            problem("Package: a\npackage: b\n"),
            (2, Problem::Twice("package".to_owned()))
        );
        assert_eq!(problem("\nVersion: 1\n"), (2, Problem::Missing("Package")));
        assert_eq!(
            problem("Package: A!\n"),
            (1, Problem::Name("A!".to_owned()))
        );
        assert!(matches!(
            problem(&entry("a", "x:1", "")),
            (1, Problem::Version { .. })
        ));
        assert!(matches!(
            problem(&entry("a", "1", "Depends: b (1)\n")),
            (
                1,
                Problem::Relation {
                    field: "Depends",
                    ..
                }
            )
        ));
        for provides in ["b | c", "b (>= 1)"] {
            assert!(matches!(
                problem(&entry("a", "1", &format!("Provides: {provides}\n"))),
                (1, Problem::Provides { .. })
            ));
        }
        let good = entry("a", "1", "");
        assert!(matches!(
            problem(&good.replace("amd64", "arm64")),
            (1, Problem::Architecture { .. })
        ));
        assert!(matches!(
            problem(&good.replace("Size: 12", "Size: -12")),
            (1, Problem::Size { .. })
        ));
        assert!(matches!(
            problem(&good.replace("0123", "zzzz")),
            (1, Problem::Sha256 { .. })
        ));
    }

    #[test]
    fn paths_stay_in_the_pool() {
        for good in ["pool/a.deb", "pool/main/g/g++/g++_1%3a2~3+b1_amd64.deb"] {
            assert!(is_pool_path(good), "{good}");
        }
        for bad in [
            "a.deb",
            "/pool/a",
            "pool/../a",
            "pool//a",
            "pool/a?b",
            "pool/",
        ] {
            assert!(!is_pool_path(bad), "{bad}");
        }
    }
}
