//! Runs the fuzzer's seed inputs without a fuzzer.

#[path = "../../fuzz/fuzz_targets/check.rs"]
#[allow(unreachable_pub)]
mod check;

#[test]
fn the_parser_takes_the_whole_corpus_well() {
    // Cargo runs tests in the package's folder.
    let corpus = std::path::Path::new("fuzz/corpus/parser");
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).expect("it is there") {
        let path = entry.expect("it can be read").path();
        let input = std::fs::read(&path).expect("it is a file");
        eprintln!("{}", path.display());
        // Runs each input and each of its suffixes.
        for start in 0..input.len().min(64) {
            check::check(&input[start..]);
        }
        count += 1;
    }
    assert!(count > 50, "{count}");
}
