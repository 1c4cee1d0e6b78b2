//! The syntax within one file.

use super::{Kind, all_are_refused, all_mean, read};

#[test]
fn keys_and_values_have_many_forms() {
    all_mean(&[
        ("", ""),
        (" \n\t\r\n# nothing\n// at all", ""),
        ("a = 1", "a=1"),
        ("a: 1", "a=1"),
        ("a:1", "a=1"),
        ("a 1", "a=1"),
        ("a\n\n1", "a=1"),
        ("a\n: 1", "a=1"),
        ("a {b:1}", "a={b=1}"),
        ("a: 1\nb: 2", "a=1 b=2"),
        ("a: 1\r\nb: 2\r\n", "a=1 b=2"),
        ("a: 1, b: 2; c: 3", "a=1 b=2 c=3"),
        ("a: 1 # one\nb: 2 // two\n", "a=1 b=2"),
        ("a: 1, a: 2", "a=2"),
        ("\"a b\": 1\n'c': 2", "a b=1 c=2"),
        (
            "{\"a\": 1, \"b\": {\"c\": [1, \"x\"]}}",
            "a=1 b={c=[1 \"x\"]}",
        ),
        ("{a: 1}\n{b: 2}{c: 3}", "a=1 b=2 c=3"),
        ("{ {a: 1}, b: 2 }", "a=1 b=2"),
        ("a: 1 }", "a=1"),
        ("a: 1\n}\n", "a=1"),
        ("a {\n # x\n b: 1 # y\n\n c: 2; }\n", "a={b=1 c=2}"),
        ("a {b\n: 1}", "a={b=1}"),
        ("include: x", "include=\"x\""),
        ("\"include\" x", "include=\"x\""),
    ]);
}

#[test]
fn texts_have_four_forms() {
    all_mean(&[
        ("a: b", "a=\"b\""),
        ("a: b#c//d", "a=\"b#c//d\""),
        ("a: #", "a=\"#\""),
        ("a: b'", "a=\"b\""),
        ("a: true'", "a=\"true\""),
        ("a: x\\x41\\t\\\\", "a=\"xA\\t\\\\\""),
        ("a: \\x24b", "a=\"$b\""),
        ("a: \"b, c;\\\"}\\n\"", "a=\"b, c;\\\"}\\n\""),
        ("a: \"b\nc\"", "a=\"b\\nc\""),
        ("a: \"\\xc3\\xa4\"", "a=\"ä\""),
        ("a: '\\x41 $b'", "a=\"\\\\x41 $b\""),
        ("a: ''", "a=\"\""),
        ("a: \"\"", "a=\"\""),
        ("a: (\nb) {\n)\nc: 1", "a=\"\\nb) {\\n\" c=1"),
        ("a: (x\n)", "a=\"x\\n\""),
        ("a: $2a$11$x.y", "a=\"$2a$11$x.y\""),
        ("a: b(c", "a=\"b(c\""),
    ]);
}

#[test]
fn bare_words_have_types() {
    all_mean(&[
        ("a: true, b: ON, c: Yes", "a=true b=true c=true"),
        ("a: false, b: off, c: nO", "a=false b=false c=false"),
        ("a: \"true\", b: trues", "a=\"true\" b=\"trues\""),
        (
            "a: 0, b: -7, c: 9223372036854775807",
            "a=0 b=-7 c=9223372036854775807",
        ),
        ("a: -9223372036854775808", "a=-9223372036854775808"),
        (
            "a: 2k, b: 2K, c: 2kb, d: 2kib, e: 2Ki",
            "a=2000 b=2000 c=2048 d=2048 e=2048",
        ),
        (
            "a: 1m, b: 1MB, c: 1g, d: 1gb",
            "a=1000000 b=1048576 c=1000000000 d=1073741824",
        ),
        (
            "a: -1k, b: 1t, c: 1p, d: 1e",
            "a=-1000 b=1000000000000 c=1000000000000000 d=1000000000000000000",
        ),
        ("a: 1.5, b: -0.25", "a=1.5f b=-0.25f"),
        (
            "a: 127.0.0.1, b: 127.0.0.1:4222",
            "a=\"127.0.0.1\" b=\"127.0.0.1:4222\"",
        ),
        (
            "a: 1h, b: 30s, c: 500ms, d: 1m30s",
            "a=\"1h\" b=\"30s\" c=\"500ms\" d=\"1m30s\"",
        ),
        ("a: 4a, b: 0:4222", "a=\"4a\" b=\"0:4222\""),
        ("a: 2024-02-29T23:59:59Z", "a=@2024-02-29T23:59:59Z"),
    ]);
}

#[test]
fn lists_hold_anything() {
    all_mean(&[
        ("a: []", "a=[]"),
        ("a: [1, 2,3 ]", "a=[1 2 3]"),
        ("a: [1]", "a=[1]"),
        ("a [\n 1 # one\n // none\n x\n 'y',\n]", "a=[1 \"x\" \"y\"]"),
        ("a: [[1], {b: 2}, true]", "a=[[1] {b=2} true]"),
    ]);
}

#[test]
fn syntax_errors_have_positions() {
    all_are_refused(&[
        ("a", ":1:1", "this key has no value"),
        ("a:\nb: 1", ":1:1", "this key has no value"),
        ("a: , b: 1", ":1:1", "no value"),
        ("a {b: }", ":1:4", "this key has no value"),
        (": 1", ":1:1", "a key is missing"),
        ("a: 1,, b: 2", ":1:6", "a key is missing"),
        ("a {\n b: 1\n", ":1:3", "the { is not closed"),
        ("{ a: 1", ":1:1", "the { is not closed"),
        ("a: 1\n}\nb: 2", ":2:1", "has no matching {"),
        ("a: [1", ":1:4", "the [ is not closed"),
        ("a: [,1]", ":1:5", "missing here"),
        ("a: [1 2]", ":1:7", "must follow a value of a list"),
        ("a: b c", ":1:6", "must follow a value"),
        ("a: \"b\"c", ":1:7", "must follow a value"),
        ("a: 1 / 2", ":1:6", "must follow a value"),
        ("\n  a: \"b", ":2:6", "\" is not closed"),
        ("a: 'b", ":1:4", "' is not closed"),
        ("'a: 1", ":1:1", "' is not closed"),
        ("a: (b)", ":1:4", "( is not closed"),
        ("a: (\nb )\n", ":1:4", "( is not closed"),
        ("a: b\\q", ":1:5", "are escapes"),
        ("a: \"\\x4\"", ":1:5", "two hexadecimal digits"),
        ("a: \"\\xff\"", ":1:4", "UTF-8"),
        ("a: C:\\Users", ":1:6", "are escapes"),
        ("a: .5", ":1:4", "begin with a digit"),
        ("a: -.5", ":1:4", "digit must follow"),
        ("a: -1h", ":1:4", "must be a number"),
        ("a: -1-2", ":1:4", "must be a number"),
        ("a: 1.5s", ":1:4", "only digits follow"),
        ("a: 1.", ":1:4", "only digits follow"),
        ("a: 1.5e3", ":1:4", "only digits follow"),
        ("a: 1.2.3.x", ":1:4", "neither a number nor an address"),
        ("a: 1..2.3", ":1:4", "neither a number nor an address"),
        ("a: 5kbb", ":1:4", "suffix"),
        ("a: 9223372036854775808", ":1:4", "out of range"),
        ("a: 10e", ":1:4", "out of range"),
        (
            "a: 99999999999999999999999999999999999999999",
            ":1:4",
            "out of range",
        ),
        ("a: 2023-02-29T00:00:00Z", ":1:4", "date"),
        ("a: 2024-13-01T00:00:00Z", ":1:4", "date"),
        ("a: 2024-01-01", ":1:4", "date"),
        ("a: 12-3", ":1:4", "date"),
        ("a: 2024-01-01T24:00:00Z", ":1:4", "date"),
        ("tls{\n a: 1 }", ":1:1", "a blank, : or = is missing"),
        ("a: \0", "", "NUL"),
    ]);
}

#[test]
fn columns_count_characters() {
    let map = read(&[("main.conf", "'ä': 1, b: 2\n  c: [3, \"ö\", 4]")], &[]).expect("it is right");
    let place = |at: &crate::Position| (at.line, at.column);
    let places: Vec<_> = map.entries().iter().map(|entry| place(&entry.at)).collect();
    assert_eq!(places, [(1, 1), (1, 9), (2, 3)]);
    let Kind::List(values) = &map.entries()[2].value.kind else {
        panic!("it is a list");
    };
    assert_eq!(place(&values[2].at), (2, 15));
}
