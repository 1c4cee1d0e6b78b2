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
    use tikv_jemalloc_ctl::stats_print::{Options, stats_print};

    /// Those that are told, in the order from what is used to what is held.
    const FIGURES: [&str; 5] = ["allocated", "active", "metadata", "resident", "mapped"];

    /// Reads jemalloc's report: asking for figures one by one is not in reach of
    /// safe code without building jemalloc differently.
    pub(in super::super) fn figures() -> Vec<(&'static str, u64)> {
        let mut options = Options::default();
        options.json_format = true;
        options.skip_constants = true;
        options.skip_merged_arenas = true;
        options.skip_per_arena = true;
        options.skip_bin_size_classes = true;
        options.skip_large_size_classes = true;
        options.skip_mutex_statistics = true;
        let mut json = Vec::new();
        if stats_print(&mut json, options).is_err() {
            return Vec::new();
        }
        let report: Value = serde_json::from_slice(&json).unwrap_or_default();
        let stats = &report["jemalloc"]["stats"];
        let figure = |name| Some((name, stats[name].as_u64()?));
        FIGURES.into_iter().filter_map(figure).collect()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_is_in_use_is_resident() {
            let figures = figures();
            let names: Vec<_> = figures.iter().map(|(name, _)| *name).collect();
            // jemalloc can be built without its statistics.
            if !names.is_empty() {
                assert_eq!(names, FIGURES);
                let (allocated, resident) = (figures[0].1, figures[3].1);
                assert!(allocated > 0 && allocated <= resident, "{figures:?}");
            }
        }
    }
}
