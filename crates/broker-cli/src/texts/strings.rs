//! The strings of Rust code.

/// The beginning of a file's tests, which are at its end.
const TESTS: &str = "#[cfg(test)]\nmod tests {";

/// The code before strings that users do not see.
const INTERNAL: [&str; 5] = [
    "expect(",
    "assert!(",
    "unreachable!(",
    "reason = ",
    "include_str!(",
];

/// Returns all strings of two words or more, in order, except those of tests and of panics that
/// cannot happen.
pub(super) fn strings(code: &str) -> Vec<String> {
    let code = code.split(TESTS).next().unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, from) = rest.split_at(at);
        if from.starts_with("//") {
            rest = from.split_once('\n').map_or("", |(_, rest)| rest);
        } else if from.starts_with('"') {
            let (text, behind) = string(before, from);
            let is_internal = INTERNAL
                .iter()
                .any(|word| before.trim_end().ends_with(word.trim_end()));
            if !is_internal && words(&text) >= 2 {
                found.push(text);
            }
            rest = behind;
        } else {
            rest = &from[character(from)..];
        }
    }
    found
}

/// Returns the string that `from` starts with, and the rest. The hashes of a raw string are at the
/// end of `before`.
fn string<'a>(before: &str, from: &'a str) -> (String, &'a str) {
    let hashes = before.len() - before.trim_end_matches('#').len();
    if before.trim_end_matches('#').ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        let (text, behind) = from[1..].split_once(&end).unwrap_or((&from[1..], ""));
        return (text.to_owned(), behind);
    }
    let mut text = String::new();
    let mut characters = from[1..].char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, &from[at + 2..]),
            '\\' => match characters.next() {
                // The string continues on the next line.
                Some((_, '\n')) => {
                    let left = characters.as_str().trim_start();
                    let skipped = characters.as_str().len() - left.len();
                    characters.by_ref().take(skipped).for_each(drop);
                }
                Some((_, escaped)) => text.extend(['\\', escaped]),
                None => {}
            },
            other => text.push(other),
        }
    }
    (text, "")
}

/// Returns the length of the character literal, lifetime quote or slash that `from` starts with.
fn character(from: &str) -> usize {
    let mut characters = from.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        _ if from.starts_with('/') => 1,
        // An escape of any length.
        (Some((_, '\\')), Some(_)) => characters
            .find(|(_, character)| *character == '\'')
            .map_or(1, |(at, _)| at + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

fn words(text: &str) -> usize {
    let is_word = |word: &&str| word.chars().filter(|letter| letter.is_alphabetic()).count() > 1;
    text.split_whitespace().filter(is_word).count()
}

#[test]
fn strings_are_found_in_code() {
    let code = r##"
        // "in a comment"
        #[error("cannot read {path}: {0}")]
        let quote = '"'; let escaped = '\''; let bytes: &'static [u8] = b"two words";
        let raw = r#"with "quotes" in it"#; let one = "one"; let half = a / "two words".len();
        call("a line that \
              goes on").expect("no such thing");
#[cfg(test)]
mod tests {
    let text = "of a test";
"##;
    assert_eq!(
        strings(code),
        [
            "cannot read {path}: {0}",
            "two words",
            "with \"quotes\" in it",
            "two words",
            "a line that goes on",
        ]
    );
}
