//! The `leafnodes` map.

use std::path::Path;

use super::{SEED, all_are_refused, all_are_warned_of, errors, options, warnings};

#[test]
fn leaf_remotes() {
    let found = options(&format!(
        "leafnodes {{ remotes: [\n\
         {{ urls: [nats-leaf://u:p@a:1, \"tls://b\"], account: $G', nkey: {SEED}, deny_import: c\n\
         deny_exports: [d.>, e], tls {{ ca_file: f, cert_file: g, key_file: h, handshake_first: on }} }} ] }}"
    ));
    let first = found.leaf_remote.expect("there is one");
    let urls: Vec<_> = first
        .urls
        .iter()
        .map(|url| url.address.to_string())
        .collect();
    assert_eq!(urls, ["a:1", "b:7422"]);
    assert_eq!(first.urls[0].login.user.as_deref(), Some("u"));
    assert!(first.urls[1].tls);
    assert_eq!(
        first.nkey.as_ref().map(|secret| secret.0.as_str()),
        Some(SEED)
    );
    assert_eq!(first.deny_imports, ["c"]);
    assert_eq!(first.deny_exports, ["d.>", "e"]);
    let tls = first.tls.as_ref().expect("it is given");
    assert_eq!(tls.ca_file.as_deref(), Some(Path::new("f")));
    assert_eq!(tls.cert_file.as_deref(), Some(Path::new("g")));
    assert_eq!(tls.key_file.as_deref(), Some(Path::new("h")));
    assert!(tls.handshake_first);
    let found = options("leafnodes { remotes: [ { url: c, creds: x.creds } ] }");
    let second = found.leaf_remote.expect("there is one");
    assert_eq!(second.credentials.as_deref(), Some(Path::new("x.creds")));
    assert!(second.nkey.is_none() && second.tls.is_none());
    all_are_warned_of(&[(
        "leafnodes { reconnect: 2s, remotes: [ { url: c } ] }",
        ":1:13: reconnect has no effect",
    )]);
    all_are_refused(&[(
        "leafnodes { remotes: [ { url: c }, { url: d } ] }",
        "1:36: Broker is a leaf node of one hub",
    )]);
}

#[test]
fn leaf_remotes_are_judged() {
    let remote = |text: &str| format!("leafnodes {{ remotes: [{{ url: a, {text} }}] }}");
    for (text, expected) in [
        ("account: A", "account: Broker has one account"),
        ("hub: true", "hub: Broker is never"),
        ("nkey: SUA", "nkey is not the seed"),
        ("deny_imports: a..b", "subject \"a..b\" is not"),
        ("deny_exports: \"a b\"", "subject \"a b\" is not"),
        ("tls { insecure: true }", "insecure: Broker always"),
        ("tls { cert_file: c }", "cert_file and key_file must"),
        (
            "tls { min_version: \"1.2\" }",
            "min_version: Broker supports it only on",
        ),
        ("creds: \"$NONE/x\"", "creds: the variable \"NONE\""),
        ("x: 1", "unknown field \"x\""),
        (
            &format!("creds: c, seed: {SEED}"),
            "Remote leafnode can not have both",
        ),
    ] {
        let found = errors(&remote(text));
        assert!(found.contains(&format!(": {expected}")), "{text}: {found}");
        assert_eq!(found.lines().count(), 1, "{text}: {found}");
    }
    for (text, expected) in [
        ("compression: s2_auto", "compression has no effect"),
        ("no_randomize: true", "no_randomize has no effect"),
        ("first_info_timeout: 2s", "first_info_timeout has no effect"),
        ("tls { timeout: 2 }", "timeout has no effect"),
        ("tls { verify: true }", "verify has no effect"),
    ] {
        let found = warnings(&remote(text));
        assert!(found.contains(&format!(": {expected}")), "{text}: {found}");
    }
    for text in [
        "hub: false",
        "compression: off",
        "tls { insecure: false }",
        "account: \"\"",
    ] {
        options(&remote(text));
    }
    all_are_warned_of(&[
        (
            "leaf { remotes: [{ urls: [a, a] }] }",
            ":1:30: duplicate leafnode url",
        ),
        (
            "leaf { compression: accept }",
            ":1:8: compression has no effect",
        ),
    ]);
    all_are_refused(&[
        (
            "leaf { port: 7422 }",
            "1:8: port: Broker does not accept leaf nodes",
        ),
        ("leaf { remotes: [{}] }", "1:18: a remote needs a url"),
        (
            "leaf { remotes: [{urls: []}] }",
            "1:19: urls lists no servers",
        ),
        (
            "leaf { remotes: {url: a} }",
            "1:8: remotes must be a list, not a map",
        ),
        (
            "leaf { remotes: [{url: ws://a}] }",
            "1:19: this is not a leafnode url: WebSocket",
        ),
    ]);
}
