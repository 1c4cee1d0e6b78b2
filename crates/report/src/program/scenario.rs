//! The loads.

use crate::matrix::{ChoiceError, choose};

/// A load, and what of it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// By which it is chosen and shown.
    pub name: &'static str,
    /// Arguments of the load generator.
    pub arguments: &'static [&'static str],
    /// Whether latencies at half of what nats-server stands are compared, and
    /// not how much each server stands.
    pub at_half_load: bool,
}

impl Scenario {
    /// Whether one client publishes to one subscriber, so that any size will do.
    pub(super) fn is_one_to_one(&self) -> bool {
        matches!(self.arguments, ["--size", _])
    }
}

const fn throughput(name: &'static str, arguments: &'static [&'static str]) -> Scenario {
    Scenario {
        name,
        arguments,
        at_half_load: false,
    }
}

const fn latency(name: &'static str, arguments: &'static [&'static str]) -> Scenario {
    Scenario {
        name,
        arguments,
        at_half_load: true,
    }
}

/// All loads.
pub const SCENARIOS: [Scenario; 14] = [
    throughput("1 to 1, 16 B", &["--size", "16"]),
    throughput("1 to 1, 128 B", &["--size", "128"]),
    throughput("1 to 1, 1 KiB", &["--size", "1024"]),
    throughput("1 to 1, 8 KiB", &["--size", "8192"]),
    throughput("1 to 10, 128 B", &["--subscribers", "10"]),
    throughput(
        "10 to 10, 128 B",
        &["--publishers", "10", "--subscribers", "10"],
    ),
    throughput(
        "10 pairs, 128 B",
        &[
            "--publishers",
            "10",
            "--subscribers",
            "10",
            "--subjects",
            "10",
        ],
    ),
    throughput(
        "queue group of 4, 128 B",
        &["--subscribers", "4", "--queue", "group"],
    ),
    throughput(
        "request-reply, 10 at a time",
        &["--request", "--publishers", "10"],
    ),
    throughput(
        "request-reply, 128 at a time",
        &["--request", "--publishers", "4", "--outstanding", "32"],
    ),
    latency("1 to 1, 16 B, half load", &["--size", "16"]),
    latency("1 to 1, 1 KiB, half load", &["--size", "1024"]),
    latency("1 to 10, 128 B, half load", &["--subscribers", "10"]),
    latency(
        "request-reply, half load",
        &["--request", "--publishers", "10"],
    ),
];

/// Those of these names, or all if no names are given.
///
/// # Errors
///
/// When there is none of one of the names.
pub fn select(names: &[String]) -> Result<Vec<Scenario>, ChoiceError> {
    let chosen = choose("load", &self::names(), names, COMMAS)?;
    let wanted = |one: &Scenario| chosen.iter().any(|name| name == one.name);
    Ok(SCENARIOS.into_iter().filter(wanted).collect())
}

const COMMAS: &str = " (names hold commas, so give --scenarios once for each)";

/// Their names.
fn names() -> Vec<String> {
    SCENARIOS.iter().map(|one| one.name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_to_one_is_what_is_named_so() {
        for scenario in SCENARIOS {
            let named = scenario.name.starts_with("1 to 1,");
            assert_eq!(scenario.is_one_to_one(), named, "{}", scenario.name);
        }
    }

    #[test]
    fn names_differ() {
        let names: BTreeSet<_> = names().into_iter().collect();
        assert_eq!(names.len(), SCENARIOS.len());
    }
}
