//! Users and their permissions.

use std::time::Duration;

use broker_server::{Login, Responses, User};

use super::{NKEY, all_are_refused, all_are_warned_of, errors, options};

#[test]
fn one_user_or_a_token() {
    let found = options("authorization { username: u, pass: \"p\", timeout: 3 }").authorization;
    let found = found.expect("it is given");
    assert_eq!(found.user.as_deref(), Some("u"));
    assert_eq!(found.password.map(|secret| secret.0).as_deref(), Some("p"));
    assert_eq!(found.timeout, Some(Duration::from_secs(3)));
    let found = options("authorization { token: $2a$11$abc }").authorization;
    let token = found.and_then(|found| found.token).map(|secret| secret.0);
    assert_eq!(token.as_deref(), Some("$2a$11$abc"));
}

fn users(text: &str) -> Vec<User> {
    options(text).authorization.expect("it is given").users
}

#[test]
fn users_and_permissions() {
    let found = users(&format!(
        "ADMIN = {{ publish: \">\", subscribe: {{allow: [a.*, \"b.> group\"], deny: c}} }}\n\
         authorization {{\n default_permissions {{ pub: [d], sub: {{}} }}\n users = [\n\
         {{user: a, password: p, permissions: $ADMIN}}\n {{user: b, pass: q}},\n\
         {{nkey: {NKEY}, permission: {{ publish: {{deny: e}}, allow_responses: true }} }}\n\
         ] }}"
    ));
    let permissions: Vec<_> = found.iter().map(|user| &user.permissions).collect();
    assert!(
        matches!(&found[0].login, Login::Password { user, password } if user == "a" && password == "p")
    );
    assert_eq!(
        permissions[0].publish.allow.as_deref(),
        Some(&[">".to_owned()][..])
    );
    let allowed = ["a.*".to_owned(), "b.> group".to_owned()];
    assert_eq!(
        permissions[0].subscribe.allow.as_deref(),
        Some(&allowed[..])
    );
    assert_eq!(permissions[0].subscribe.deny, ["c"]);
    assert_eq!(permissions[0].responses, None);
    assert_eq!(
        permissions[1].publish.allow.as_deref(),
        Some(&["d".to_owned()][..])
    );
    assert_eq!(permissions[1].subscribe.allow, None);
    assert!(matches!(&found[2].login, Login::NKey(key) if key == NKEY));
    assert_eq!(permissions[2].publish.allow.as_deref(), Some(&[][..]));
    assert_eq!(permissions[2].publish.deny, ["e"]);
    assert_eq!(permissions[2].responses, Some(Responses::default()));
}

#[test]
fn responses() {
    let default = Responses::default();
    for (text, expected) in [
        ("true", Some(default)),
        ("false", None),
        ("{}", Some(default)),
        ("{max: 0, expires: \"0s\"}", Some(default)),
        (
            "{max_msgs: 5}",
            Some(Responses {
                max: Some(5),
                ..default
            }),
        ),
        (
            "{max: -1, ttl: \"-1s\"}",
            Some(Responses {
                max: None,
                expires: None,
            }),
        ),
        (
            "{expires: 10s}",
            Some(Responses {
                expires: Some(Duration::from_secs(10)),
                ..default
            }),
        ),
    ] {
        let text = format!(
            "authorization {{ users: [{{user: a, password: b, permissions: {{allow_responses: {text}}} }}] }}"
        );
        assert_eq!(users(&text)[0].permissions.responses, expected, "{text}");
    }
}

#[test]
fn users_without_credentials() {
    let found = options(
        "no_auth_user: a\nauthorization { users: [{user: a, clients: [standard]}, {user: b, password: c}] }",
    );
    assert_eq!(found.no_auth_user.as_deref(), Some("a"));
    all_are_warned_of(&[(
        "authorization { users: [{user: a}] }",
        ":1:25: user \"a\" has no password",
    )]);
    all_are_refused(&[
        ("no_auth_user: a", "1:1: no_auth_user: \"a\" is not in"),
        (
            "authorization { users: [{user: a, password: b}] }, no_auth_user: b",
            "1:52: no_auth_user",
        ),
        (
            "websocket { port: 1, no_tls: on, no_auth_user: a }",
            "1:34: websocket.no_auth_user: Broker has the same users",
        ),
    ]);
}

#[test]
fn connection_types_are_checked_against_the_listeners() {
    let file = |ways: &str, more: &str| {
        format!("authorization {{ users: [{{user: a, password: b, clients: {ways}}}] }}\n{more}")
    };
    let websocket = "websocket { port: 1, no_tls: on }";
    options(&file("STANDARD", ""));
    options(&file("[standard, WebSocket, MQTT]", websocket));
    for (ways, more) in [
        ("STANDARD", websocket),
        ("WEBSOCKET", websocket),
        ("[LEAFNODE]", ""),
        ("[]", ""),
    ] {
        let found = errors(&file(ways, more));
        assert!(
            found.contains("Broker does not restrict a user's connection types"),
            "{found}"
        );
    }
}

#[test]
fn defaults_do_not_multiply_without_bound() {
    let user = |n: u32| format!("{{user: u{n}, password: p}},");
    let users: String = (0..10_000).map(user).collect();
    let subjects = "a,".repeat(10_000);
    let text =
        format!("authorization {{ permissions: {{publish: [{subjects}]}}, users: [{users}] }}");
    assert!(errors(&text).contains("default permissions are too large"));
}

#[test]
fn credentials_are_judged() {
    all_are_refused(&[
        (
            "authorization: 5",
            "1:1: authorization must be a map, not an integer",
        ),
        (
            "authorization { user: a, password: b, token: c }",
            "1:1: Cannot have a user/pass and token",
        ),
        (
            "authorization { user: a }",
            "1:1: user and password must be set together",
        ),
        (
            "authorization { password: a }",
            "1:1: user and password must be set together",
        ),
        ("authorization { token: \"\" }", "1:17: token is empty"),
        (
            "authorization { user: a, password: b, users: [] }",
            "1:1: Can not have a single user/pass and a users",
        ),
        (
            "authorization { token: a, users: [] }",
            "1:1: Can not have a token and a users array",
        ),
        (
            "authorization { password: 1234, user: a, password: b, token: $2b$a }",
            "1:62: the variable is set neither",
        ),
    ]);
}

#[test]
fn users_are_judged() {
    let authorization = |text: &str| format!("authorization {{ users: [{text}] }}");
    all_are_refused(&[
        (
            &authorization("{user: a, password: b}, {user: a, password: c}"),
            "1:49: duplicate user \"a\"",
        ),
        (
            &authorization(&format!("{{nkey: {NKEY}}} \n {{nkey: {NKEY}}}")),
            "2:2: duplicate nkey \"U",
        ),
        (
            &authorization(&format!("{{nkey: {NKEY}, user: a}}")),
            "1:25: a user with an nkey must not",
        ),
        (
            &authorization("{nkey: UABC}"),
            "1:25: nkey is not the public NKey",
        ),
        (
            &authorization("{password: a}"),
            "1:25: a user needs a user and a password",
        ),
        (
            &authorization("a"),
            "1:25: users must be a map, not a string",
        ),
        (
            &authorization("{user: a, password: b, permissions: {publish: \"a b\"}}"),
            "1:62: subject \"a b\" is not",
        ),
        (
            &authorization("{user: a, password: b, permissions: {subscribe: [a, 5]}}"),
            "1:77: subscribe must be a string",
        ),
        (
            &authorization("{user: a, password: b, permissions: {subscribe: {x: a}}}"),
            "1:74: unknown field \"x\"",
        ),
        (
            &authorization("{user: a, password: b, permissions: {allow_responses: 1}}"),
            "1:62: allow_responses must be",
        ),
        (
            &authorization("{user: a, password: b, connection_types: [standard, x]}"),
            "1:77: unknown connection type \"x\"",
        ),
    ]);
}
