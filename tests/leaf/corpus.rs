//! Runs the fuzzer's seed inputs without a fuzzer.

#[path = "../../fuzz/fuzz_targets/check_hub.rs"]
#[allow(unreachable_pub)]
mod check_hub;

#[test]
fn the_parser_takes_the_whole_corpus_well() {
    // Cargo runs tests in the package's folder.
    let corpus = std::path::Path::new("fuzz/corpus/hub");
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).expect("it is there") {
        let path = entry.expect("it can be read").path();
        let input = std::fs::read(&path).expect("it is a file");
        eprintln!("{}", path.display());
        // Runs each input and each of its suffixes.
        for start in 0..input.len().min(64) {
            check_hub::check(&input[start..]);
        }
        count += 1;
    }
    assert!(count > 10, "{count}");
}

/// Inputs that differ a little from the corpus.
#[test]
fn the_parser_takes_damaged_input_well() {
    let corpus = std::fs::read_dir("fuzz/corpus/hub").expect("it is there");
    let inputs: Vec<_> = corpus
        .map(|entry| std::fs::read(entry.expect("it can be read").path()).expect("it is a file"))
        .collect();
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..20_000 {
        let mut input = inputs[random.usize(..inputs.len())].clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..input.len());
            match random.u8(..3) {
                0 => input[at] = random.u8(..),
                1 => input.insert(at, *random.choice(b" +|\r\n0@.").expect("there are some")),
                _ => drop(input.remove(at)),
            }
        }
        check_hub::check(&input);
    }
}
