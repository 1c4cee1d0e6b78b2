//! Errors and warnings about values.

use std::io;
use std::path::Path;

use super::{SEED, all_are_refused, all_are_warned_of, errors, options, read};
use crate::load_from;
use crate::sources::Sources;

#[test]
fn values_are_judged() {
    all_are_refused(&[
        ("x: 1", "1:1: unknown field \"x\""),
        (
            "\n  port: \"4222\"",
            "2:3: port must be an integer, not a string",
        ),
        (
            "port: 65536",
            "1:1: port is out of range: 65536 is not between -1 and 65535",
        ),
        ("listen: a", "1:1: listen is neither a port nor HOST:PORT"),
        (
            "listen: []",
            "1:1: listen must be a port or a string HOST:PORT, not a list",
        ),
        (
            "host: 1",
            "1:1: host must be a string, not an integer; put it in quotes",
        ),
        (
            "server_name: \"a\nb\"",
            "1:1: server_name has control characters",
        ),
        (
            "debug: 1",
            "1:1: debug must be true or false, not an integer",
        ),
        ("http_base_path: '../a'", "1:1: http_base_path is not"),
        (
            "max_control_line: 63",
            "1:1: max_control_line is out of range: 63 is not between 64 and 32768",
        ),
        (
            "max_control_line: 32769",
            "1:1: max_control_line is out of range",
        ),
        (
            "max_payload: -1",
            "1:1: max_payload is out of range: -1 is not between 1 and 999999999",
        ),
        ("max_payload: 1gb", "1:1: max_payload is out of range"),
        (
            "max_payload: 65mb",
            "1:1: max_payload (68157440) cannot be higher than max_pending (67108864)",
        ),
        (
            "max_pending: 1000k",
            "1:1: max_payload (1048576) cannot be higher than max_pending (1000000)",
        ),
        (
            "max_pending: 1023, max_payload: 1",
            "1:1: max_pending is out of range: 1023 is not between 1024 and 2147483648",
        ),
        (
            "max_connections: -2",
            "1:1: max_connections is out of range",
        ),
        (
            "max_sub_tokens: 256",
            "1:1: max_sub_tokens is out of range: 256 is not between 1 and 255",
        ),
        ("ping_interval: \"5\"", "1:1: ping_interval is not"),
        ("ping_interval: -5s'", "1:16: a value that begins with -"),
        (
            "ping_interval: \"-5s\"",
            "1:1: ping_interval is out of range",
        ),
        (
            "write_deadline: \"9000h\"",
            "1:1: write_deadline is out of range",
        ),
        (
            "write_deadline: on",
            "1:1: write_deadline must be a string with a duration, not a boolean; put",
        ),
        ("ping_max: -1", "1:1: ping_max is out of range"),
        (
            "lame_duck_duration: 40",
            "1:1: lame_duck_duration must be a string, not an integer",
        ),
        (
            "lame_duck_duration: 29s",
            "1:1: invalid lame_duck_duration, minimum is 30 seconds",
        ),
        (
            "lame_duck_grace_period: \"-1s\"",
            "1:1: lame_duck_grace_period is out of range",
        ),
        (
            "lame_duck_grace_period: \"2m\"",
            "1:1: lame_duck_grace_period (120s) must be less",
        ),
        (
            "lame_duck_duration: 30s, lame_duck_grace_period: 31s",
            "1:26: lame_duck_grace_period",
        ),
    ]);
}

#[test]
fn warnings_describe_the_difference() {
    all_are_warned_of(&[
        (
            "ping_interval: 5",
            ":1:1: ping_interval should be a duration in quotes, such as \"2m\"; 5 is read",
        ),
        ("write_deadline: 2", ":1:1: write_deadline should be"),
        ("max_payload: 9mb", ":1:1: max_payload of 9437184 is large"),
        (
            "tls { cert_file: c, key_file: k, insecure: true }",
            ":1:34: insecure has no effect",
        ),
        (
            "authorization { permissions { publish: a } }",
            ":1:17: permissions have no effect",
        ),
        (
            "authorization { users: [{user: a, password: b, permissions: {publish: []}}] }",
            ":1:62: publish: an empty list allows every subject",
        ),
    ]);
}

#[test]
fn all_errors_are_collected_with_the_warnings() {
    let problems =
        read("x: 1\nport: a\nsystem_account: S\ncluster: {a: 1}").expect_err("it is wrong");
    let lines = problems.to_string();
    let starts = [
        "a.conf:1:1: unknown",
        "a.conf:2:1: port",
        "a.conf:4:1: cluster",
    ];
    assert_eq!(lines.lines().count(), starts.len());
    for (line, start) in lines.lines().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    assert_eq!(problems.warnings.len(), 1);
}

#[test]
fn variables_are_no_unknown_fields() {
    options("P: 4222, port: $P");
    options("authorization { S: x, users: [{user: a, password: $S}] }");
    all_are_refused(&[("P: 4222, port: $P, Q: 1", "1:20: unknown field \"Q\"")]);
}

#[test]
fn environment_variables_are_read() {
    let sources = Sources {
        read: &|_| Ok(b"port: $PORT, leaf { remotes: [{url: a, creds: \"~/$C\"}] }".to_vec()),
        variable: &|name| match name {
            "PORT" => Some("7".to_owned()),
            "HOME" => Some("/h".to_owned()),
            "C" => Some("c".to_owned()),
            _ => None,
        },
    };
    let loaded = load_from(Path::new("a"), &sources, &[]).expect("it is right");
    assert_eq!(loaded.options.port, Some(7));
    let remote = loaded.options.leaf_remote.expect("there is one");
    let creds = remote.credentials.as_deref();
    assert_eq!(creds, Some(Path::new("/h/c")));
    let sources = Sources {
        read: &|_| Err(io::ErrorKind::PermissionDenied.into()),
        variable: &|_| None,
    };
    let error = load_from(Path::new("a"), &sources, &[]).expect_err("it cannot be read");
    assert!(
        error.to_string().starts_with("a: cannot read \"a\": "),
        "{error}"
    );
}

#[test]
fn secrets_are_not_shown() {
    let right = format!(
        "authorization {{ users: [{{user: a, password: s3cret}}] }}\n\
         leaf {{ remotes: [{{url: \"nats://u:s3cret@h\", nkey: {SEED}}}] }}"
    );
    for text in [
        &right,
        "authorization {user: a, password: s3cret}",
        "authorization {token: s3cret}",
    ] {
        let shown = format!("{:?}", options(text));
        assert!(
            !shown.contains("s3cret") && !shown.contains(SEED),
            "{shown}"
        );
    }
    for text in [
        "leaf { remotes: [{url: \"nats://u:s3cret\"}] }",
        "leaf { remotes: [{url: \"nats://u:s3cret@h:x\"}] }",
        "leaf { remotes: [{url: \"x://u:s3cret@h\"}] }",
        "leaf { remotes: [{url: a, nkey: s3cret}] }",
        "authorization { token: [s3cret] }",
        "authorization { user: a, password: s3cret, token: s3cret }",
        "authorization { users: [{password: s3cret}] }",
        "authorization { users: [{nkey: s3cret}] }",
        "authorization { users: s3cret }",
    ] {
        let found = errors(text);
        assert!(!found.contains("s3cret"), "{found}");
    }
}
