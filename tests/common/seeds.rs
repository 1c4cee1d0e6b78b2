//! The fuzzer's seed inputs.

use std::path::{Path, PathBuf};

/// Returns the seed inputs of a fuzz target, with their files.
pub(crate) fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    // Cargo runs tests in the package's folder.
    let folder = Path::new("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(folder).expect("it is there");
    let seed = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("it can be read").path();
        let input = std::fs::read(&path).expect("it is a file");
        (path, input)
    };
    entries.map(seed).collect()
}

/// Checks each seed input and each of its suffixes. There must be at least `least` inputs.
pub(crate) fn check_seeds(target: &str, least: usize, check: impl Fn(&[u8])) {
    let seeds = seeds(target);
    for (path, input) in &seeds {
        // Names the input if a check fails.
        eprintln!("{}", path.display());
        for start in 0..input.len().min(64) {
            check(&input[start..]);
        }
    }
    assert!(seeds.len() >= least, "{}", seeds.len());
}
