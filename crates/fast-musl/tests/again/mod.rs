//! Tests run once more in a process of their own, with fewer features of the processor.

use std::env;

/// Names the features to do with, in such a process.
const FEATURES: &str = "FAST_MUSL_TEST_FEATURES";

/// What [`run`] asked for, in the process that it started.
pub(crate) fn features() -> Option<String> {
    env::var(FEATURES).ok()
}

/// Runs all tests of this executable once more, unless this is such a run. (Elsewhere there is one way
/// through each routine.)
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
