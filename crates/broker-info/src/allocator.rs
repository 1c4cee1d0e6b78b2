//! The allocator, its version and its options.

use std::collections::BTreeMap;

use broker_runtime::GlobalAllocator;
use serde::Serialize;
use serde_json::Value;

use super::Libc;
use super::probe::Notes;

/// The memory allocator a process uses.
///
/// This is the allocator that the program was built with. A `malloc` that
/// `LD_PRELOAD` puts in front of the C library's is not detected.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Allocator {
    /// `jemalloc`, `glibc`, `musl`, or `system` on other systems.
    pub name: &'static str,
    /// The allocator's version, or the C library's if it contains the allocator.
    pub version: Option<String>,
    /// The options in effect, as far as the allocator reports them.
    pub options: BTreeMap<String, Value>,
}

pub(super) fn describe(global: GlobalAllocator, libc: &Libc, notes: &mut Notes) -> Allocator {
    match global {
        GlobalAllocator::System => system(libc, notes),
        #[cfg(all(feature = "jemalloc", unix))]
        GlobalAllocator::Jemalloc => jemalloc::describe(notes),
    }
}

fn system(libc: &Libc, notes: &mut Notes) -> Allocator {
    let name = libc
        .name
        .filter(|name| ["glibc", "musl"].contains(name))
        .unwrap_or("system");
    if libc.version.is_none() {
        notes.add(
            "allocator.version",
            "it is the C library's version, which is unknown",
        );
    }
    notes.add(
        "allocator.options",
        "the C library does not report its options",
    );
    Allocator {
        name,
        version: libc.version.clone(),
        options: BTreeMap::new(),
    }
}

#[cfg(all(feature = "jemalloc", unix))]
mod jemalloc {
    use std::collections::BTreeMap;

    use broker_runtime::report as report_json;
    use serde::Deserialize;
    use serde_json::{Map, Value};

    use super::super::ProbeError;
    use super::super::probe::Notes;
    use super::Allocator;

    /// The options that affect speed and the memory kept.
    const OPTIONS: [&str; 17] = [
        "abort",
        "background_thread",
        "cache_oblivious",
        "dirty_decay_ms",
        "dss",
        "junk",
        "lg_extent_max_active_fit",
        "metadata_thp",
        "muzzy_decay_ms",
        "narenas",
        "oversize_threshold",
        "percpu_arena",
        "retain",
        "tcache",
        "tcache_max",
        "thp",
        "zero",
    ];

    /// The parts of jemalloc's report that are used here.
    #[derive(Deserialize)]
    struct Report {
        jemalloc: Body,
    }

    #[derive(Deserialize)]
    struct Body {
        version: String,
        opt: Map<String, Value>,
    }

    pub(super) fn describe(notes: &mut Notes) -> Allocator {
        let body = notes.keep("allocator.version, allocator.options", report());
        let (version, opt) = body.map_or((None, Map::new()), |body| (Some(body.version), body.opt));
        let told = !opt.is_empty();
        let options: BTreeMap<_, _> = opt
            .into_iter()
            .filter(|(name, _)| OPTIONS.contains(&name.as_str()))
            .collect();
        for name in OPTIONS {
            if told && !options.contains_key(name) {
                notes.add(
                    &format!("allocator.options.{name}"),
                    "this jemalloc does not report it",
                );
            }
        }
        Allocator {
            name: "jemalloc",
            version,
            options,
        }
    }

    fn report() -> Result<Body, ProbeError> {
        let json = report_json().map_err(|source| ProbeError::System {
            what: "get jemalloc's report",
            source,
        })?;
        let report: Report = serde_json::from_slice(&json)?;
        Ok(report.jemalloc)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_report_has_a_version_and_typed_options() {
            let mut notes = Notes::default();
            let found = describe(&mut notes);
            assert_eq!(found.name, "jemalloc");
            let version = found.version.expect("jemalloc knows its version");
            assert!(version.starts_with("5."), "{version}");
            assert_eq!(found.options["abort"], Value::Bool(false));
            assert!(found.options["narenas"].as_u64().is_some_and(|n| n > 0));
            assert!(found.options["dirty_decay_ms"].is_i64());
            assert!(found.options["thp"].is_string());
            assert_eq!(notes.into_vec(), Vec::<String>::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_librarys_allocator_goes_by_its_name_and_version() {
        for (libc, name) in [
            (Some("glibc"), "glibc"),
            (Some("musl"), "musl"),
            (Some("libSystem"), "system"),
            (None, "system"),
        ] {
            let mut notes = Notes::default();
            let libc = Libc {
                name: libc,
                version: Some("2.36".to_owned()),
            };
            let found = describe(GlobalAllocator::System, &libc, &mut notes);
            assert_eq!(found.name, name);
            assert_eq!(found.version.as_deref(), Some("2.36"));
            assert!(found.options.is_empty());
            assert_eq!(notes.into_vec().len(), 1);
        }
    }

    #[test]
    fn an_unknown_version_is_noted() {
        let mut notes = Notes::default();
        let libc = Libc {
            name: Some("musl"),
            version: None,
        };
        let found = describe(GlobalAllocator::System, &libc, &mut notes);
        assert_eq!(found.version, None);
        let notes = notes.into_vec();
        assert!(notes[0].starts_with("allocator.version: "), "{notes:?}");
    }
}
