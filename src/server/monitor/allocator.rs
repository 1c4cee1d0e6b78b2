//! What the allocator says of its memory.

/// Names and bytes; none for allocators that do not tell.
#[cfg(not(all(feature = "jemalloc", unix)))]
pub(super) fn figures() -> Vec<(&'static str, u64)> {
    Vec::new()
}

#[cfg(all(feature = "jemalloc", unix))]
pub(super) use jemalloc::figures;

#[cfg(all(feature = "jemalloc", unix))]
mod jemalloc {
    use serde_json::Value;

    use crate::jemalloc::report;

    /// Those that are told, in the order from what is used to what is held.
    const FIGURES: [&str; 5] = ["allocated", "active", "metadata", "resident", "mapped"];

    /// None if jemalloc was built without its statistics.
    pub(in super::super) fn figures() -> Vec<(&'static str, u64)> {
        let report = report().and_then(|json| Ok(serde_json::from_slice(&json)?));
        let report: Value = report.unwrap_or_default();
        let stats = &report["jemalloc"]["stats"];
        let figure = |name| Some((name, stats[name].as_u64()?));
        FIGURES.into_iter().filter_map(figure).collect()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn figures_are_told_if_jemalloc_keeps_them() {
            let json = report().expect("jemalloc tells");
            let report: Value = serde_json::from_slice(&json).expect("it is JSON");
            let kept = report["jemalloc"]["config"]["stats"].as_bool();
            let figures = figures();
            let names: Vec<_> = figures.iter().map(|(name, _)| *name).collect();
            if kept.expect("its configuration tells") {
                assert_eq!(names, FIGURES);
                let (allocated, resident) = (figures[0].1, figures[3].1);
                assert!(allocated > 0 && allocated <= resident, "{figures:?}");
            } else {
                assert!(names.is_empty(), "{figures:?}");
            }
        }
    }
}
