//! The builds to compare, as the flake lists them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::section::Column;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Matrix {
    /// The variant that the others are compared with.
    pub(crate) baseline: String,
    /// The program whose load generator is used for all servers.
    #[serde(default)]
    pub(crate) generator: Option<PathBuf>,
    /// The minimal server, as a reference for servers under load.
    #[serde(default)]
    pub(crate) least: Option<PathBuf>,
    /// Builds of the survey of the C library.
    #[serde(default)]
    pub(crate) surveys: Vec<PathBuf>,
    /// Well-known programs.
    #[serde(default)]
    pub(crate) programs: Vec<Foreign>,
    /// Builds of these programs, in display order; the first is the baseline. If empty, those that the programs have
    /// are used.
    #[serde(default)]
    pub(crate) builds: Vec<Column>,
    pub(crate) variants: Vec<Variant>,
}

/// One build of the benchmarks and of Broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variant {
    /// Its name on the command line.
    pub(crate) name: String,
    /// Its name in the report.
    pub(crate) label: String,
    /// The benchmark executable.
    pub(crate) allocations: PathBuf,
    /// The program, if it is built this way.
    #[serde(default)]
    pub(crate) program: Option<PathBuf>,
    #[serde(default)]
    pub(crate) shipped: bool,
}

impl Variant {
    /// Returns its column in a report.
    pub(crate) fn column(&self) -> Column {
        Column::new(&self.name, &self.label, self.shipped)
    }
}

/// A well-known program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Foreign {
    pub(crate) name: String,
    /// Its description: its version and its input.
    #[serde(default)]
    pub(crate) about: String,
    /// Its arguments. Its output must be the same in each run.
    #[serde(default)]
    pub(crate) arguments: Vec<String>,
    /// The input file or folder: it replaces `{input}` in the arguments, or is appended to them.
    #[serde(default)]
    pub(crate) input: Option<PathBuf>,
    /// Its executables, by build name.
    pub(crate) builds: BTreeMap<String, PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum MatrixError {
    #[error("cannot parse the matrix: {0}; the flake writes it, see --help for its form")]
    Json(#[from] serde_json::Error),
    #[error("the matrix has {0}")]
    Wrong(String),
}

/// A selection that is not possible.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChoiceError {
    #[error("there is no {kind} {name:?}; valid are: {}{hint}", valid.join("; "))]
    Unknown {
        kind: &'static str,
        name: String,
        valid: Vec<String>,
        /// How to pass several names, if that may be the mistake.
        hint: &'static str,
    },
    #[error("the baseline {0:?} is not among the variants to measure; add it to --variants")]
    BaselineLeftOut(String),
}

impl Matrix {
    /// Parses and checks the file.
    pub(crate) fn parse(text: &str) -> Result<Self, MatrixError> {
        let matrix: Self = serde_json::from_str(text)?;
        matrix.check().map_err(MatrixError::Wrong)?;
        Ok(matrix)
    }

    fn check(&self) -> Result<(), String> {
        let variants = names(&self.variants, |one| &one.name);
        let programs = names(&self.programs, |one| &one.name);
        let builds = names(&self.builds, |one| &one.name);
        for (kind, names) in [
            ("variants", &variants),
            ("programs", &programs),
            ("builds", &builds),
        ] {
            let mut seen = BTreeSet::new();
            if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
                return Err(format!(
                    "two {kind} named {twice:?}; give each a different name"
                ));
            }
        }
        if variants.is_empty() {
            return Err("no variants; add at least one".to_owned());
        }
        if !variants.contains(&self.baseline) {
            return Err(format!(
                "no variant named {:?}, which is its baseline",
                self.baseline
            ));
        }
        for Foreign {
            name, builds: own, ..
        } in &self.programs
        {
            if own.is_empty() {
                return Err(format!(
                    "no builds of the program {name:?}; add at least one"
                ));
            }
            let unknown = own
                .keys()
                .find(|build| !builds.is_empty() && !builds.contains(build));
            if let Some(build) = unknown {
                return Err(format!(
                    "a build {build:?} of the program {name:?}, but not among its builds; add it to them"
                ));
            }
        }
        Ok(())
    }

    /// Returns the columns of the well-known programs. Without a list of builds, these are all builds of the programs,
    /// sorted by name with `glibc` first.
    pub(crate) fn build_columns(&self) -> Vec<Column> {
        if !self.builds.is_empty() {
            return self.builds.clone();
        }
        let names = self
            .programs
            .iter()
            .flat_map(|program| program.builds.keys());
        let names: BTreeSet<(bool, &String)> = names.map(|name| (name != "glibc", name)).collect();
        names
            .into_iter()
            .map(|(_, name)| Column::new(name, name, false))
            .collect()
    }

    /// Returns the variants with these names, or all if no names are given.
    pub(crate) fn choose(&self, names: &[String]) -> Result<Vec<Variant>, ChoiceError> {
        choose("variant", &self.variants, |one| &one.name, names, "")
    }

    /// Returns the baseline: the requested one, or the matrix's own if it is among
    /// the selected variants, or none.
    pub(crate) fn baseline(
        &self,
        asked: Option<&str>,
        chosen: &[Variant],
    ) -> Result<Option<usize>, ChoiceError> {
        let place = |name: &str| chosen.iter().position(|variant| variant.name == name);
        let Some(name) = asked else {
            return Ok(place(&self.baseline));
        };
        self.choose(&[name.to_owned()])?;
        match place(name) {
            Some(found) => Ok(Some(found)),
            None => Err(ChoiceError::BaselineLeftOut(name.to_owned())),
        }
    }
}

fn names<T>(all: &[T], name: fn(&T) -> &str) -> Vec<String> {
    all.iter().map(|one| name(one).to_owned()).collect()
}

/// Returns the items with these names in their own order, or all if no names
/// are given. `on_comma` is added to the error about a name with a comma.
pub(crate) fn choose<T: Clone>(
    kind: &'static str,
    all: &[T],
    name: fn(&T) -> &str,
    wanted: &[String],
    on_comma: &'static str,
) -> Result<Vec<T>, ChoiceError> {
    let valid = names(all, name);
    if let Some(unknown) = wanted.iter().find(|name| !valid.contains(name)) {
        return Err(ChoiceError::Unknown {
            kind,
            name: unknown.clone(),
            valid,
            hint: if unknown.contains(',') { on_comma } else { "" },
        });
    }
    let chosen = all
        .iter()
        .zip(&valid)
        .filter(|(_, name)| wanted.is_empty() || wanted.contains(name));
    Ok(chosen.map(|(one, _)| one.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"baseline":"a","variants":[
        {"name":"a","label":"A","allocations":"a/allocations","program":null},
        {"name":"b","label":"B","allocations":"b/allocations","program":"b/broker"}]}"#;

    fn matrix() -> Matrix {
        Matrix::parse(TEXT).expect("it is well formed")
    }

    fn names(chosen: &[&str]) -> Vec<String> {
        chosen.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn variants_keep_the_order_of_the_matrix() {
        let chosen = matrix().choose(&names(&["b", "a", "b"])).expect("known");
        assert_eq!(chosen, matrix().variants);
        assert_eq!(matrix().choose(&[]).expect("all"), matrix().variants);
        assert_eq!(chosen[1].program, Some("b/broker".into()));
    }

    #[test]
    fn an_unknown_name_lists_the_valid_ones() {
        let error = matrix().choose(&names(&["a", "c"])).expect_err("unknown");
        assert_eq!(
            error.to_string(),
            r#"there is no variant "c"; valid are: a; b"#
        );
    }

    #[test]
    fn the_baseline_must_be_measured_if_it_is_asked_for() {
        let only_b = matrix().choose(&names(&["b"])).expect("known");
        let all = matrix().variants;
        assert_eq!(matrix().baseline(None, &all), Ok(Some(0)));
        assert_eq!(matrix().baseline(None, &only_b), Ok(None));
        assert_eq!(matrix().baseline(Some("b"), &only_b), Ok(Some(0)));
        assert_eq!(
            matrix().baseline(Some("a"), &only_b),
            Err(ChoiceError::BaselineLeftOut("a".to_owned()))
        );
        let unknown = matrix().baseline(Some("c"), &all).expect_err("unknown");
        assert!(unknown.to_string().contains("valid are: a; b"));
    }

    #[test]
    fn contradictions_are_refused() {
        for (text, part) in [
            (
                r#"{"baseline":"a","variants":[]}"#.to_owned(),
                "no variants",
            ),
            (TEXT.replace("\"b\"", "\"a\""), "two variants"),
            (
                TEXT.replace("\"baseline\":\"a\"", "\"baseline\":\"x\""),
                "baseline",
            ),
            (TEXT.replace("label", "lable"), "lable"),
            (String::new(), "cannot parse"),
        ] {
            let error = Matrix::parse(&text).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn programs_have_builds_in_an_order() {
        let of = |programs: &str, builds: &str| {
            let more = format!(r#"{{"programs":{programs},"builds":{builds},"#);
            Matrix::parse(&TEXT.replacen('{', &more, 1))
        };
        let rg = r#"[{"name":"rg","arguments":["x"],"input":"/in","builds":{"glibc":"/g","a":"/a","static":"/s"}}]"#;
        let names = |builds| {
            let matrix = of(rg, builds).expect("well formed");
            let columns = matrix.build_columns().into_iter();
            columns.map(|column| column.name).collect::<Vec<_>>()
        };
        assert_eq!(names("[]"), ["glibc", "a", "static"]);
        let build = |name: &str| format!(r#"{{"name":"{name}","label":"","shipped":true}}"#);
        let [s, g, a] = ["static", "glibc", "a"].map(build);
        assert_eq!(names(&format!("[{s},{g},{a}]")), ["static", "glibc", "a"]);
        for (programs, builds, part) in [
            (
                rg,
                format!("[{s},{a}]"),
                r#"a build "glibc" of the program "rg""#,
            ),
            (rg, format!("[{s},{s}]"), "two builds named \"static\""),
            (
                r#"[{"name":"rg","builds":{}}]"#,
                "[]".to_owned(),
                "no builds of",
            ),
            (
                r#"[{"name":"rg","builds":{"a":"/a"}},{"name":"rg","builds":{"a":"/a"}}]"#,
                "[]".to_owned(),
                "two programs",
            ),
            (
                r#"[{"name":"rg","argument":[],"builds":{"a":"/a"}}]"#,
                "[]".to_owned(),
                "argument",
            ),
        ] {
            let error = of(programs, &builds).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
