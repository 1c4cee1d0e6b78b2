//! Variables and includes.

use super::{all_are_refused, all_mean, read, shown};

#[test]
fn variables_are_keys_before_them() {
    all_mean(&[
        ("a: 1\nb: $a", "a=1 b=1"),
        ("a: [1, {x: y}]\nb: $a", "a=[1 {x=\"y\"}] b=[1 {x=\"y\"}]"),
        ("a: 1\nb { a: 2, c: $a }", "a=1 b={a=2 c=2}"),
        ("a: 1\nb { c: $a, a: 2 }", "a=1 b={c=1 a=2}"),
        ("a: 1\nb { c: [ {d: $a} ] }", "a=1 b={c=[{d=1}]}"),
        ("a: 1, b: $a, a: 2, c: $a", "a=2 b=1 c=2"),
    ]);
    all_are_refused(&[
        ("b: $a\na: 1", ":1:4", "the variable \"a\" is set neither"),
        ("a { b: 1 }\nc: $b", ":2:4", "\"b\" is set neither"),
        ("A: 1\nb: $a", ":2:4", "\"a\" is set neither"),
        ("a { b: $a }", ":1:8", "\"a\" is set neither"),
    ]);
    let map = read(&[("main.conf", "a: 1\nb: $a\nc: 2")], &[]).expect("it is right");
    let used: Vec<_> = map.entries().iter().map(|entry| entry.used).collect();
    assert_eq!(used, [true, false, false]);
}

#[test]
fn variables_of_the_environment_are_values() {
    let environment = [
        ("N", "4222"),
        ("T", "'a b'"),
        ("L", "[1, x] # two"),
        ("M", "{a: 1}"),
        ("B", "on"),
        ("E", ""),
        ("V", "$N"),
        ("LOOP", "[$POOL]"),
        ("POOL", "$LOOP"),
        ("TWO", "a b"),
        ("KEYS", "1\nb: 2"),
        ("OPEN", "\"secret"),
        ("K", "$k"),
    ];
    let found = |text: &str| match read(&[("main.conf", text)], &environment) {
        Ok(map) => shown(&map),
        Err(problem) => format!("!{problem}"),
    };
    for (text, expected) in [
        (
            "a: $N, b: $T, c: $B, d: $E, e: $V",
            "a=4222 b=\"a b\" c=true d=\"\" e=4222",
        ),
        ("a: $L\nb: $M", "a=[1 \"x\"] b={a=1}"),
        ("N: 1\na: $N\nb: $V", "N=1 a=1 b=4222"),
    ] {
        assert_eq!(found(text), expected);
    }
    for (text, expected) in [
        (
            "a: $LOOP",
            "the variable \"LOOP\" in the environment is not a value: the variable \"POOL\" in the environment is not a value: the variable \"LOOP\" in the environment refers to itself",
        ),
        (
            "a: $TWO",
            "\"TWO\" in the environment is not a value: text follows",
        ),
        ("a: $KEYS", "text follows"),
        ("a: $OPEN", "\" is not closed"),
        ("k: 1, a: $K", "\"k\" is set neither"),
    ] {
        let found = found(text);
        assert!(
            found.starts_with("!main.conf:1:") && found.contains(expected),
            "{found}"
        );
        assert!(!found.contains("secret"), "{found}");
    }
}

#[test]
fn included_files_set_keys() {
    let files = [
        ("sub/one.conf", "b: 2\ninclude 'two.conf'\n"),
        ("sub/two.conf", "c: 3; d { include ../three.conf; e: $f }"),
        ("three.conf", "f: 4"),
        ("scope.conf", "b: $a"),
        ("bad.conf", "a: 1\nb: ,"),
        ("self.conf", "include ./self.conf"),
        ("ping.conf", "include sub/../pong.conf"),
        ("pong.conf", "include ping.conf"),
    ];
    let found = |text: &str| {
        let mut files = files.to_vec();
        files.push(("main.conf", text));
        match read(&files, &[]) {
            Ok(map) => shown(&map),
            Err(problem) => format!("!{problem}"),
        }
    };
    for (text, expected) in [
        ("a: 1\nInclude sub/one.conf", "a=1 b=2 c=3 d={f=4 e=4}"),
        (
            "a: 1\ninclude \"/three.conf\" # below\nb: $f",
            "a=1 f=4 b=4",
        ),
        ("f: 1\ninclude three.conf; f: $f", "f=4"),
        ("a { include three.conf }", "a={f=4}"),
    ] {
        assert_eq!(found(text), expected);
    }
    for (text, expected) in [
        (
            "include none.conf",
            "!main.conf:1:1: cannot read \"none.conf\": ",
        ),
        (
            "a: 1\ninclude bad.conf",
            "!bad.conf:2:1: this key has no value",
        ),
        (
            "a: 1\ninclude scope.conf",
            "!scope.conf:1:4: the variable \"a\"",
        ),
        (
            "include self.conf",
            "!self.conf:1:1: \"self.conf\" includes itself",
        ),
        (
            "include ping.conf",
            "!pong.conf:1:1: \"ping.conf\" includes itself",
        ),
        (
            "include main.conf",
            "!main.conf:1:1: \"main.conf\" includes itself",
        ),
        ("include 5.conf", "!main.conf:1:9: a file path"),
        ("include {a: 1}", "!main.conf:1:9: a file path"),
        ("include [x]", "!main.conf:1:9: a file path"),
        ("include \n", "!main.conf:1:9: a file path"),
        ("include three.conf x", "!main.conf:1:20: "),
    ] {
        let found = found(text);
        assert!(found.starts_with(expected), "{text:?}: {found}");
    }
}
