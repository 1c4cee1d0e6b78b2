//! The builds to compare, as the flake lists them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// The variant that the others are compared with.
    pub baseline: String,
    /// The program whose load generator puts all programs under load.
    #[serde(default)]
    pub generator: Option<PathBuf>,
    /// The least server, as a reference for programs under load.
    #[serde(default)]
    pub least: Option<PathBuf>,
    /// Builds of the survey of the C library.
    #[serde(default)]
    pub surveys: Vec<PathBuf>,
    /// All variants, in the order in which they are shown.
    pub variants: Vec<Variant>,
}

/// One build.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// By which it is chosen.
    pub name: String,
    /// By which people recognise it.
    pub label: String,
    /// The executable of the benchmarks.
    pub allocations: PathBuf,
    /// The program itself, if it is built this way.
    #[serde(default)]
    pub program: Option<PathBuf>,
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// It has another form.
    #[error("the matrix cannot be read: {0}; the flake writes it, see --help for its form")]
    Json(#[from] serde_json::Error),
    /// There is nothing to measure.
    #[error("the matrix has no variants; add at least one")]
    Empty,
    /// A name could mean two builds.
    #[error("the matrix has two variants named {0:?}; give each a name of its own")]
    Twice(String),
    /// What the others are compared with is not there.
    #[error("the matrix has no variant named {0:?}, which is its baseline")]
    NoBaseline(String),
}

/// A choice that cannot be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// There is none of that name.
    #[error("there is no {kind} {name:?}; valid are: {}{hint}", valid.join("; "))]
    Unknown {
        /// Of what there is none.
        kind: &'static str,
        /// The name given.
        name: String,
        /// Those there are.
        valid: Vec<String>,
        /// How to give several, if that was the mistake.
        hint: &'static str,
    },
    /// The baseline was chosen, but is not to be measured.
    #[error("the baseline {0:?} is not among the variants to measure; add it to --variants")]
    BaselineLeftOut(String),
}

impl Matrix {
    /// Reads and checks the file.
    ///
    /// # Errors
    ///
    /// When the text has another form or contradicts itself.
    pub fn parse(text: &str) -> Result<Self, MatrixError> {
        let matrix: Self = serde_json::from_str(text)?;
        if matrix.variants.is_empty() {
            return Err(MatrixError::Empty);
        }
        let mut names = BTreeSet::new();
        for variant in &matrix.variants {
            if !names.insert(&variant.name) {
                return Err(MatrixError::Twice(variant.name.clone()));
            }
        }
        if !names.contains(&matrix.baseline) {
            return Err(MatrixError::NoBaseline(matrix.baseline));
        }
        Ok(matrix)
    }

    /// The variants of these names in the order of the matrix, or all if no
    /// names are given.
    ///
    /// # Errors
    ///
    /// When there is none of one of the names.
    pub fn choose(&self, names: &[String]) -> Result<Vec<Variant>, ChoiceError> {
        let valid: Vec<_> = self.variants.iter().map(|one| one.name.clone()).collect();
        let chosen = choose("variant", &valid, names, "")?;
        let variants = self.variants.iter();
        Ok(variants
            .filter(|variant| chosen.contains(&variant.name))
            .cloned()
            .collect())
    }

    /// The baseline: the one asked for, else the matrix's own if it is among
    /// the chosen variants. There is none if it is not.
    ///
    /// # Errors
    ///
    /// When the one asked for is unknown or not chosen.
    pub fn baseline(
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

/// Those of these names in their own order, or all if no names are given.
/// `on_comma` is added to the error about a name that holds one.
pub(crate) fn choose(
    kind: &'static str,
    valid: &[String],
    names: &[String],
    on_comma: &'static str,
) -> Result<Vec<String>, ChoiceError> {
    if let Some(unknown) = names.iter().find(|name| !valid.contains(name)) {
        return Err(ChoiceError::Unknown {
            kind,
            name: unknown.clone(),
            valid: valid.to_vec(),
            hint: if unknown.contains(',') { on_comma } else { "" },
        });
    }
    let wanted = |name: &&String| names.is_empty() || names.contains(name);
    Ok(valid.iter().filter(wanted).cloned().collect())
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
            (String::new(), "cannot be read"),
        ] {
            let error = Matrix::parse(&text).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
