//! Suggestions for a name that does not exist.

const MOST: usize = 5;

/// Returns the known names closest to `name`, best first.
pub(crate) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    // A third of the letters may differ: enough for a typing error or a missing
    // part, too little to suggest unrelated names.
    let limit = (name.len() / 3).max(1);
    let stem = without_digits(name);
    let mut found: Vec<(usize, &str)> = known
        .filter_map(|candidate| {
            // A missing name usually differs from an existing one by a version
            // number, so those come first whatever the numbers are.
            if without_digits(candidate) == stem {
                return Some((0, candidate));
            }
            if candidate.len().abs_diff(name.len()) > limit {
                return None;
            }
            let distance = edit_distance(name.as_bytes(), candidate.as_bytes());
            (distance <= limit).then_some((distance, candidate))
        })
        .collect();
    found.sort_unstable();
    found.truncate(MOST);
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

fn without_digits(name: &str) -> String {
    name.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Returns the number of insertions, removals and replacements between two texts.
fn edit_distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replace = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (left, right, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("make", "make", 0),
            ("make", "mak", 1),
            ("make", "cmake", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edit_distance(left.as_bytes(), right.as_bytes()), expected);
        }
    }

    #[test]
    fn prefers_another_version_number() {
        let known = ["clang", "clang-19", "clang-21", "slang-22", "valgrind"];
        assert_eq!(
            near("clang-22", known.into_iter()),
            ["clang-19", "clang-21", "slang-22"]
        );
    }
}
