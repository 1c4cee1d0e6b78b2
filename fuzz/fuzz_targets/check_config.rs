//! Invariants of the configuration reader, for any input.

use std::io;
use std::path::Path;

use broker_config::{Loaded, Options, Problems, Sources, load_from};

/// The name of the configuration file.
const NAME: &str = "main.conf";

/// Reads the input as a configuration file. The bytes after a NUL are the content of
/// `more.conf`, which it may include, and the value of environment variables.
pub fn check(input: &[u8]) {
    let end = input.iter().position(|&byte| byte == 0);
    let (main, more) = input.split_at(end.unwrap_or(input.len()));
    let more = more.get(1..).unwrap_or_default();
    let found = load(main, more);
    match &found {
        Ok(loaded) => check_options(&loaded.options),
        Err(problems) => check_problems(problems),
    }
    // Reading it again gives the same result.
    assert_eq!(shown(&found), shown(&load(main, more)));
    if found.is_ok() {
        // A line end also ends a value, and a comment changes nothing.
        let longer = [main, b"\n# end"].concat();
        assert_eq!(shown(&found), shown(&load(&longer, more)));
    }
}

fn load(main: &[u8], more: &[u8]) -> Result<Loaded, Problems> {
    let read = |path: &Path| match path.to_str() {
        Some(NAME) => Ok(main.to_vec()),
        Some("more.conf") => Ok(more.to_vec()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let variable = |name: &str| {
        let text = String::from_utf8(more.to_vec()).ok();
        text.filter(|_| name.len() == 1)
    };
    let sources = Sources {
        read: &read,
        variable: &variable,
    };
    load_from(Path::new(NAME), &sources, &[])
}

fn shown(found: &Result<Loaded, Problems>) -> String {
    format!("{found:?}")
}

/// Each problem is one line and names its file.
fn check_problems(problems: &Problems) {
    assert!(!problems.errors.is_empty());
    let text = problems.to_string();
    assert_eq!(text.lines().count(), problems.errors.len(), "{text}");
    for line in text.lines() {
        assert!(
            line.starts_with(NAME) || line.starts_with("more.conf"),
            "{line}"
        );
    }
}

/// All values are within their bounds and consistent.
fn check_options(options: &Options) {
    let within =
        |value: Option<u32>, least, most| value.is_none_or(|v| (least..=most).contains(&v));
    assert!(within(options.max_control_line, 64, 32_768));
    assert!(within(options.max_payload, 1, 999_999_999));
    assert!(within(options.max_pending, 1024, 1 << 31));
    assert!(options.max_payload.unwrap_or(1) <= options.max_pending.unwrap_or(64 << 20));
    for time in [
        options.ping_interval,
        options.write_deadline,
        options.lame_duck_duration,
    ] {
        assert!(time.is_none_or(|time| time.as_millis() > 0));
    }
    let authorization = options.authorization.as_ref();
    let users = authorization
        .map(|found| found.users.as_slice())
        .unwrap_or_default();
    if let Some(found) = authorization {
        assert_eq!(found.user.is_some(), found.password.is_some());
        let ways = [
            found.user.is_some(),
            found.token.is_some(),
            !users.is_empty(),
        ];
        assert!(ways.into_iter().filter(|&is_set| is_set).count() <= 1);
    }
    let mut names: Vec<_> = users.iter().map(|user| user.login.name()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    if let Some(name) = &options.no_auth_user {
        assert!(names.contains(&name.as_str()));
    }
    if let Some(found) = &options.websocket {
        assert!(found.no_tls || found.tls.is_some());
    }
    if let Some(remote) = &options.leaf_remote {
        assert!(!remote.urls.is_empty());
        assert!(remote.credentials.is_none() || remote.nkey.is_none());
    }
}
