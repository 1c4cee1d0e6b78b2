//! Adds the dependencies of the packages that a set names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::index::{Index, Package};
use crate::relation::{Group, Operator, Relation, show_group};
use crate::version::Version;
use crate::wanted::{Set, Wanted};

/// Why a set cannot be resolved.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A wanted package does not exist.
    #[error("set {set:?} wants the package {name}, which is not in the index; {advice}")]
    Unknown {
        /// The set.
        set: String,
        /// The package.
        name: String,
        /// A suggestion.
        advice: String,
    },
    /// No alternative of a dependency exists in a suitable version.
    #[error(
        "set {set:?}: {package} depends on {group:?}, which the index cannot satisfy ({reason}); use index files of the same date, or add the dependency to \"without\" of the set if it is not needed"
    )]
    Unsatisfied {
        /// The set.
        set: String,
        /// The package with the dependency.
        package: String,
        /// The dependency with all its alternatives.
        group: String,
        /// Why each alternative is unsuitable.
        reason: String,
    },
    /// Entries of `without` have no effect.
    #[error(
        "set {set:?} leaves out {names}, but no package of the set depends on it; remove it from \"without\""
    )]
    Dead {
        /// The set.
        set: String,
        /// The entries.
        names: String,
    },
}

/// Resolves each set separately; the names are sorted.
///
/// # Errors
///
/// If a wanted package or a dependency does not exist in a suitable version,
/// or an entry of `without` has no effect.
pub fn resolve<'a>(
    index: &'a Index,
    wanted: &Wanted,
) -> Result<BTreeMap<String, BTreeSet<&'a str>>, ResolveError> {
    let providers = Providers::new(index);
    wanted
        .sets
        .iter()
        .map(|(name, set)| {
            let names = Closure::new(name, set, index, &providers).walk()?;
            Ok((name.clone(), names))
        })
        .collect()
}

/// The packages that provide each virtual package, sorted by name.
struct Providers<'a>(HashMap<&'a str, Vec<Provider<'a>>>);

struct Provider<'a> {
    package: &'a Package,
    /// The provided version, which is not the package's version.
    version: Option<&'a Version>,
}

impl<'a> Providers<'a> {
    fn new(index: &'a Index) -> Self {
        let mut map: HashMap<&str, Vec<Provider>> = HashMap::new();
        for package in index.packages() {
            for provided in &package.provides {
                let version = provided.restriction.as_ref().map(|(_, version)| version);
                map.entry(&provided.name)
                    .or_default()
                    .push(Provider { package, version });
            }
        }
        Self(map)
    }

    fn of(&self, name: &str) -> &[Provider<'a>] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

struct Closure<'a, 'w> {
    name: &'w str,
    set: &'w Set,
    index: &'a Index,
    providers: &'w Providers<'a>,
    /// Entries of `without` that had an effect.
    left_out: BTreeSet<&'w str>,
}

impl<'a, 'w> Closure<'a, 'w> {
    fn new(name: &'w str, set: &'w Set, index: &'a Index, providers: &'w Providers<'a>) -> Self {
        Self {
            name,
            set,
            index,
            providers,
            left_out: BTreeSet::new(),
        }
    }

    fn walk(mut self) -> Result<BTreeSet<&'a str>, ResolveError> {
        let mut found = BTreeSet::new();
        let mut open = Vec::new();
        for name in &self.set.packages {
            let package = self.index.get(name).ok_or_else(|| self.unknown(name))?;
            if found.insert(package.name.as_str()) {
                open.push(package);
            }
        }
        // Dependencies may be circular; each package enters the list once.
        while let Some(package) = open.pop() {
            for group in &package.depends {
                if let Some(needed) = self.choose(package, group)?
                    && found.insert(needed.name.as_str())
                {
                    open.push(needed);
                }
            }
        }
        self.check_left_out()?;
        Ok(found)
    }

    /// Returns the package that satisfies a group, or nothing if the set leaves
    /// it out.
    fn choose(
        &mut self,
        package: &Package,
        group: &Group,
    ) -> Result<Option<&'a Package>, ResolveError> {
        let mut reasons = Vec::new();
        for relation in group {
            // The first alternative decides, even if it is left out: the next one
            // would only substitute for something that is not wanted.
            if self.leave_out(&relation.name) {
                return Ok(None);
            }
            let real = self.index.get(&relation.name);
            if let Some(real) = real
                && fits(relation, Some(&real.version))
            {
                return Ok(Some(real));
            }
            let providers = self.fitting_providers(relation);
            if !providers.is_empty() {
                let kept = providers
                    .into_iter()
                    .find(|provider| !self.leave_out(&provider.name));
                return Ok(kept);
            }
            reasons.push(self.reason(relation, real));
        }
        Err(ResolveError::Unsatisfied {
            set: self.name.to_owned(),
            package: package.name.clone(),
            group: show_group(group),
            reason: reasons.join("; "),
        })
    }

    /// Providers that the set names come first, so the set can choose.
    fn fitting_providers(&self, relation: &Relation) -> Vec<&'a Package> {
        let mut providers: Vec<&Package> = self
            .providers
            .of(&relation.name)
            .iter()
            .filter(|provider| fits(relation, provider.version))
            .map(|provider| provider.package)
            .collect();
        providers.sort_by_key(|provider| !self.set.packages.contains(&provider.name));
        providers
    }

    /// Returns whether the set leaves a package out, and marks the entry as used.
    fn leave_out(&mut self, name: &str) -> bool {
        let entry = self.set.without.iter().find(|entry| *entry == name);
        if let Some(entry) = entry {
            self.left_out.insert(entry);
        }
        entry.is_some()
    }

    fn reason(&self, relation: &Relation, real: Option<&Package>) -> String {
        let name = &relation.name;
        match (real, self.providers.of(name)) {
            (Some(real), _) => format!("{name} is at version {}", real.version),
            (None, []) => format!("{name} does not exist and nothing provides it"),
            (None, [first, ..]) => {
                let provider = &first.package.name;
                match first.version {
                    Some(version) => format!("{provider} provides {name} at version {version}"),
                    None => format!("{provider} provides {name} without a version"),
                }
            }
        }
    }

    fn unknown(&self, name: &str) -> ResolveError {
        let providers: Vec<&str> = self
            .providers
            .of(name)
            .iter()
            .map(|provider| provider.package.name.as_str())
            .collect();
        let near = self.index.near(name);
        let advice = if !providers.is_empty() {
            format!(
                "the name is virtual, so use one of its providers: {}",
                providers.join(", ")
            )
        } else if near.is_empty() {
            "no name is similar, so check the suite and the spelling".to_owned()
        } else {
            format!("similar names are: {}", near.join(", "))
        };
        ResolveError::Unknown {
            set: self.name.to_owned(),
            name: name.to_owned(),
            advice,
        }
    }

    fn check_left_out(&self) -> Result<(), ResolveError> {
        let dead: Vec<&str> = self
            .set
            .without
            .iter()
            .map(String::as_str)
            .filter(|entry| !self.left_out.contains(entry))
            .collect();
        if dead.is_empty() {
            return Ok(());
        }
        Err(ResolveError::Dead {
            set: self.name.to_owned(),
            names: dead.join(", "),
        })
    }
}

/// A restriction is never satisfied by something provided without a version.
fn fits(relation: &Relation, version: Option<&Version>) -> bool {
    relation
        .restriction
        .as_ref()
        .is_none_or(|(operator, bound): &(Operator, Version)| {
            version.is_some_and(|found| operator.holds(found, bound))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each package is `name version` and then any number of fields.
    fn index(packages: &[(&str, &[&str])]) -> Index {
        let mut index = Index::default();
        for (head, fields) in packages {
            let (name, version) = head.split_once(' ').expect("name and version");
            let text = format!(
                "Package: {name}\nVersion: {version}\nArchitecture: all\n{}\n\
                 Filename: pool/{name}.deb\nSize: 1\nSHA256: {}\n",
                [&["Section: x"], *fields].concat().join("\n"),
                "0".repeat(64),
            );
            index.add("test", &text, "amd64").expect("valid index");
        }
        index
    }

    fn run(
        index: &Index,
        packages: &[&str],
        without: &[&str],
    ) -> Result<Vec<String>, ResolveError> {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let set = Set {
            packages: owned(packages),
            without: owned(without),
            why: "test".to_owned(),
        };
        let wanted = Wanted {
            suite: "s".to_owned(),
            sources: BTreeMap::new(),
            architecture: "amd64".to_owned(),
            sets: BTreeMap::from([("set".to_owned(), set)]),
        };
        let mut sets = resolve(index, &wanted)?;
        let names = sets.remove("set").expect("the only set");
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn follows_both_kinds_of_dependency() {
        let index = index(&[
            ("a 1", &["Depends: b (>= 1), c:any", "Pre-Depends: d"]),
            ("b 1", &["Depends: e"]),
            ("c 1", &["Recommends: unrelated"]),
            ("d 1", &[]),
            ("e 1", &[]),
            ("unrelated 1", &[]),
        ]);
        let found = run(&index, &["a"], &[]).expect("resolves");
        assert_eq!(found, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn survives_circles() {
        let index = index(&[
            ("a 1", &["Depends: b"]),
            ("b 1", &["Depends: a, b, c"]),
            ("c 1", &["Depends: a"]),
        ]);
        let found = run(&index, &["c"], &[]).expect("resolves");
        assert_eq!(found, ["a", "b", "c"]);
    }

    #[test]
    fn takes_the_first_alternative_that_exists() {
        let index = index(&[
            ("a 1", &["Depends: gone | b | c"]),
            ("d 1", &["Depends: virtual | c"]),
            ("e 1", &["Depends: b (>= 2) | c"]),
            ("b 1", &["Provides: virtual"]),
            ("c 1", &[]),
        ]);
        assert_eq!(run(&index, &["a"], &[]).expect("resolves"), ["a", "b"]);
        assert_eq!(run(&index, &["d"], &[]).expect("resolves"), ["b", "d"]);
        assert_eq!(run(&index, &["e"], &[]).expect("resolves"), ["c", "e"]);
    }

    #[test]
    fn virtual_packages() {
        let index = index(&[
            ("a 1", &["Depends: virtual"]),
            ("p1 1", &["Provides: virtual (= 5)"]),
            ("p2 1", &["Provides: virtual"]),
            ("new 1", &["Depends: virtual (>= 5)"]),
            ("newer 1", &["Depends: virtual (>= 6)"]),
            ("real 1", &["Depends: p2"]),
        ]);
        assert_eq!(run(&index, &["a"], &[]).expect("resolves"), ["a", "p1"]);
        // A provider that the set names is preferred to the first one by name.
        let found = run(&index, &["a", "p2"], &[]).expect("resolves");
        assert_eq!(found, ["a", "p2"]);
        let found = run(&index, &["a"], &["p1"]).expect("resolves");
        assert_eq!(found, ["a", "p2"]);
        let found = run(&index, &["a"], &["p1", "p2"]).expect("resolves");
        assert_eq!(found, ["a"]);
        let found = run(&index, &["a"], &["virtual"]).expect("resolves");
        assert_eq!(found, ["a"]);
        assert_eq!(run(&index, &["new"], &[]).expect("resolves"), ["new", "p1"]);
        let error = run(&index, &["newer"], &[]).expect_err("too old");
        assert!(
            error
                .to_string()
                .contains("p1 provides virtual at version 5"),
            "{error}"
        );
    }

    #[test]
    fn a_real_package_goes_before_a_provider() {
        let index = index(&[
            ("a 1", &["Depends: x"]),
            ("b 1", &["Depends: x (>= 2)"]),
            ("x 1", &[]),
            ("fork 1", &["Provides: x (= 2)"]),
        ]);
        assert_eq!(run(&index, &["a"], &[]).expect("resolves"), ["a", "x"]);
        assert_eq!(run(&index, &["b"], &[]).expect("resolves"), ["b", "fork"]);
    }

    #[test]
    fn leaves_out_with_what_only_that_needs() {
        let index = index(&[
            ("a 1", &["Depends: b, c"]),
            ("b 1", &["Depends: only-b, shared, gone"]),
            ("c 1", &["Depends: shared"]),
            ("only-b 1", &[]),
            ("shared 1", &[]),
        ]);
        let found = run(&index, &["a"], &["b"]).expect("resolves");
        assert_eq!(found, ["a", "c", "shared"]);
        // Leaving a dependency out also works if it does not exist.
        let found = run(&index, &["a"], &["gone"]).expect("resolves");
        assert_eq!(found, ["a", "b", "c", "only-b", "shared"]);
    }

    #[test]
    fn a_left_out_alternative_gets_no_substitute() {
        let index = index(&[("a 1", &["Depends: b | c"]), ("b 1", &[]), ("c 1", &[])]);
        assert_eq!(run(&index, &["a"], &["b"]).expect("resolves"), ["a"]);
    }

    #[test]
    fn dead_entries_are_errors() {
        let index = index(&[
            ("a 1", &["Depends: b"]),
            ("b 1", &["Depends: c"]),
            ("c 1", &[]),
            ("d 1", &[]),
        ]);
        // Only `b` depends on `c`, and `b` is left out already.
        let error = run(&index, &["a"], &["b", "c", "d"]).expect_err("dead");
        assert_eq!(
            error,
            ResolveError::Dead {
                set: "set".to_owned(),
                names: "c, d".to_owned()
            }
        );
    }

    #[test]
    fn unsatisfied_dependencies_are_errors() {
        let index = index(&[
            ("a 1", &["Depends: b (>= 2) | gone"]),
            ("b 1", &[]),
            ("c 1", &["Depends: virtual (= 1)"]),
            ("d 1", &["Provides: virtual"]),
        ]);
        let error = run(&index, &["a"], &[]).expect_err("unsatisfied");
        assert_eq!(
            error,
            ResolveError::Unsatisfied {
                set: "set".to_owned(),
                package: "a".to_owned(),
                group: "b (>= 2) | gone".to_owned(),
                reason: "b is at version 1; gone does not exist and nothing provides it".to_owned(),
            }
        );
        let error = run(&index, &["c"], &[]).expect_err("unsatisfied");
        assert!(
            error
                .to_string()
                .contains("d provides virtual without a version"),
            "{error}"
        );
    }

    #[test]
    fn unknown_packages_come_with_advice() {
        let index = index(&[("clang-21 1", &["Provides: c-compiler"])]);
        for (name, advice) in [
            ("clang-22", "similar names are: clang-21"),
            ("c-compiler", "use one of its providers: clang-21"),
            ("perl", "no name is similar"),
        ] {
            let error = run(&index, &[name], &[]).expect_err("unknown").to_string();
            assert!(error.contains(name) && error.contains(advice), "{error}");
        }
    }
}
