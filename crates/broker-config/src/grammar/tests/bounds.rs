//! Limits of the parser, and files that are not text.

use std::path::Path;

use super::{meaning, parse, read};
use crate::sources::{MAX_FILE, Sources};

#[test]
fn chains_of_includes_have_an_end() {
    let read = |path: &Path| {
        let number: u32 = path
            .to_str()
            .and_then(|path| path.trim_start_matches('c').parse().ok())
            .unwrap_or(0);
        Ok(format!("include c{}", number + 1).into_bytes())
    };
    let sources = Sources {
        read: &read,
        variable: &|_| None,
    };
    let error = parse(Path::new("c0"), &sources).expect_err("it has no end");
    assert!(error.text.contains("the 17th file"), "{error}");
    // The includes are as wide as they are deep.
    let read = |path: &Path| {
        let depth: usize = path
            .to_str()
            .and_then(|path| path.trim_start_matches('c').parse().ok())
            .unwrap_or(0);
        let line = format!("include c{}\n", depth + 1);
        Ok(if depth < 14 {
            line.repeat(1000)
        } else {
            String::new()
        }
        .into_bytes())
    };
    let sources = Sources {
        read: &read,
        variable: &|_| None,
    };
    let error = parse(Path::new("c0"), &sources).expect_err("it is too wide");
    assert!(error.text.contains("more than 128 MiB"), "{error}");
}

#[test]
fn chains_of_variables_have_an_end() {
    let names: Vec<_> = (0..18)
        .map(|n| (format!("V{n}"), format!("$V{}", n + 1)))
        .collect();
    let mut environment: Vec<_> = names
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let error = read(&[("main.conf", "a: $V0")], &environment).expect_err("it is too long");
    assert!(error.text.contains("through 16 others"), "{error}");
    environment[15].1 = "5";
    assert!(read(&[("main.conf", "a: $V0")], &environment).is_ok());
}

#[test]
fn depth_and_size_have_bounds() {
    let deep = |count: usize| format!("a: {}{}", "[".repeat(count), "]".repeat(count));
    assert!(!meaning(&deep(64)).starts_with('!'));
    assert!(meaning(&deep(65)).contains("more than 64 deep"));
    assert!(meaning(&deep(1_000_000)).contains("more than 64 deep"));
    assert!(meaning(&"{".repeat(1_000_000)).contains("more than 64 deep"));
    assert!(meaning(&"a {".repeat(1_000_000)).contains("more than 64 deep"));
    // Each key is one level deeper than the one before.
    let chain: Vec<_> = (0..100).map(|n| format!("a{}: [$a{n}]\n", n + 1)).collect();
    let chain = chain.concat();
    assert!(meaning(&format!("a0: 1\n{chain}")).contains("more than 64 deep"));
    // Each key is ten times as long as the one before.
    let growing: Vec<_> = (0..9)
        .map(|n| format!("a{}: [{}]\n", n + 1, format!("$a{n},").repeat(10)))
        .collect();
    let growing = growing.concat();
    assert!(meaning(&format!("a0: 1\n{growing}")).contains("more than 128 MiB"));
    let long = format!("a: [{}]", "1,".repeat(2_000_000));
    assert!(meaning(&long).contains("more than 128 MiB"));
    assert!(meaning(&"#".repeat(MAX_FILE + 1)).contains("more than 16 MiB"));
    assert!(!meaning(&"#".repeat(MAX_FILE)).contains("MiB"));
}

#[test]
fn a_file_is_text() {
    let read = |_: &Path| Ok(b"a: 1\nb: \xff\n".to_vec());
    let sources = Sources {
        read: &read,
        variable: &|_| None,
    };
    let error = parse(Path::new("a.conf"), &sources).expect_err("it is none");
    assert_eq!(error.to_string(), "a.conf: line 2 is not UTF-8");
}

#[test]
fn secrets_are_not_shown() {
    for text in [
        "password: $s3cret",
        "TOKEN: $s3cret",
        "users: [$s3-cret]",
        "password: 5-s3cret",
        "password: 1.s3cret",
        "password: -s3cret",
        "password: \"s3cret",
        "password: s3cret s3cret",
        "password: s3cret\\q",
        "password: {s3cret}",
        "password: s3,s3cret",
        "user: a, password: s3,cs3, users: []",
        "password: 99999999999999999333",
    ] {
        let found = meaning(text);
        assert!(found.starts_with('!'), "{text}: {found}");
        assert!(
            !found.contains("s3") && !found.contains("333"),
            "{text}: {found}"
        );
    }
    let map = read(&[("main.conf", "password: s3cret")], &[]).expect("it is right");
    assert!(!format!("{map:?}").contains("s3cret"));
}
