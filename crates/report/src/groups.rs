//! The names of the benchmarks.

use crate::matrix::{ChoiceError, choose};

/// The names in what an executable prints for `--list`.
#[must_use]
pub fn parse(listing: &str) -> Vec<String> {
    listing
        .lines()
        .filter_map(|line| line.trim_end().strip_suffix(": benchmark"))
        .map(str::to_owned)
        .collect()
}

/// Those of these names in the order of the executable, or all if no names are
/// given.
///
/// # Errors
///
/// When there is none of one of the names.
pub fn select(valid: &[String], names: &[String]) -> Result<Vec<String>, ChoiceError> {
    choose("group", valid, names, COMMAS)
}

const COMMAS: &str = " (names may hold commas, so give --groups once for each)";

/// A name for the file that belongs to a group, unlike all in `taken`.
#[must_use]
pub fn file_stem(group: &str, taken: &[String]) -> String {
    let mut stem = String::new();
    for c in group.chars() {
        if c.is_ascii_alphanumeric() {
            stem.push(c.to_ascii_lowercase());
        } else if !stem.is_empty() && !stem.ends_with('-') {
            stem.push('-');
        }
    }
    let stem = match stem.trim_end_matches('-') {
        "" => "group",
        stem => stem,
    };
    let numbered = (2..).map(|number| format!("{stem}-{number}"));
    std::iter::once(stem.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_from_the_listing() {
        let listing = "single thread: benchmark\n\nsingle thread, OS entropy: benchmark\n\
                       a: b: benchmark\r\nsome test: test\n";
        assert_eq!(
            parse(listing),
            ["single thread", "single thread, OS entropy", "a: b"]
        );
    }

    #[test]
    fn a_comma_between_names_is_explained() {
        let valid = ["single thread", "churn"].map(str::to_owned);
        let error = select(&valid, &["single thread,churn".to_owned()]).expect_err("unknown");
        let text = error.to_string();
        assert!(text.contains("valid are: single thread; churn"), "{text}");
        assert!(text.contains("--groups once for each"), "{text}");
        let error = select(&valid, &["x".to_owned()]).expect_err("unknown");
        assert!(!error.to_string().contains("--groups"), "{error}");
    }

    #[test]
    fn files_have_plain_names_that_differ() {
        let mut taken = vec!["overview".to_owned()];
        for (group, expected) in [
            ("single thread, OS entropy", "single-thread-os-entropy"),
            ("Single thread: OS entropy!", "single-thread-os-entropy-2"),
            ("overview", "overview-2"),
            ("../..", "group"),
            ("ß", "group-2"),
        ] {
            let stem = file_stem(group, &taken);
            assert_eq!(stem, expected);
            taken.push(stem);
        }
    }
}
