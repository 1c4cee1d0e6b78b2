//! Counts words.

use std::collections::HashMap;

/// Returns each word of `text` with its number of occurrences, most frequent first; ties are in
/// alphabetical order. Words are separated by white space and compared in lower case.
#[must_use]
pub fn count(text: &str) -> Vec<(String, usize)> {
    let mut counts = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    counts
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn the_most_frequent_word_comes_first() {
        let counted = count("a B\nb c  b\ta");
        let expected = [("b", 3), ("a", 2), ("c", 1)];
        assert_eq!(counted, expected.map(|(word, n)| (word.to_owned(), n)));
    }

    #[test]
    fn no_text_has_no_words() {
        assert!(count(" \n").is_empty());
    }
}
