//! Runs the tests again in a new process, with fewer processor features.

use std::env;

/// The variable that names the features to use in such a process.
const FEATURES: &str = "FAST_MUSL_TEST_FEATURES";

/// The argument of [`run`], in the process that it started.
pub(crate) fn features() -> Option<String> {
    env::var(FEATURES).ok()
}

/// Runs all tests of this executable again, unless this is such a run. (On other architectures,
/// each routine has one code path.)
#[cfg(target_arch = "x86_64")]
pub(crate) fn run(features: &str) {
    if self::features().is_some() {
        return;
    }
    let this = env::current_exe().expect("this executable has a path");
    let output = std::process::Command::new(this)
        .env(FEATURES, features)
        .output()
        .expect("this executable can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
