//! jemalloc's report about itself.

use serde_json::Value;
use tikv_jemalloc_ctl::stats_print::{Options, stats_print};

/// The figures to report, from memory in use to memory held.
const FIGURES: [&str; 5] = ["allocated", "active", "metadata", "resident", "mapped"];

/// Returns jemalloc's report as JSON: its version, options, configuration, and
/// summary statistics, if it was built with them.
///
/// Reading single values by name takes unsafe code, because the caller states
/// their types. The report has all values with their types. Its form is that of
/// `malloc_stats_print` with `J`, see jemalloc(3).
///
/// # Errors
///
/// If jemalloc's text is not UTF-8 or cannot be read.
pub fn report() -> std::io::Result<Vec<u8>> {
    let mut options = Options::default();
    options.json_format = true;
    options.skip_merged_arenas = true;
    options.skip_per_arena = true;
    options.skip_bin_size_classes = true;
    options.skip_large_size_classes = true;
    options.skip_mutex_statistics = true;
    let mut json = Vec::new();
    stats_print(&mut json, options)?;
    Ok(json)
}

/// Returns jemalloc's memory figures, as names and bytes; empty if it was built without
/// statistics.
#[must_use]
pub fn figures() -> Vec<(&'static str, u64)> {
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
