//! What jemalloc says of itself.

use tikv_jemalloc_ctl::stats_print::{Options, stats_print};

/// jemalloc's report as JSON: its version, options and configuration, and its
/// statistics in all, if it was built to keep them.
///
/// Reading values one by one by name takes unsafe code, as their types are the
/// caller's word; the report has them all, with their types. Its form is that of
/// `malloc_stats_print` with `J`, see jemalloc(3).
///
/// # Errors
///
/// When jemalloc's text is not UTF-8 or cannot be taken.
pub(crate) fn report() -> std::io::Result<Vec<u8>> {
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
