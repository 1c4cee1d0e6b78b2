//! Runs the fuzzer's seed inputs without a fuzzer.

use super::files::files;

#[path = "../../../../fuzz/fuzz_targets/check_config.rs"]
#[allow(unreachable_pub)]
mod check_config;

#[test]
fn the_whole_corpus_is_taken_well() {
    for path in files() {
        let input = std::fs::read(&path).expect("it is a file");
        eprintln!("{}", path.display());
        // Runs each input and each of its prefixes.
        for end in (0..=input.len()).rev() {
            check_config::check(&input[..end]);
        }
    }
}

/// Inputs that differ a little from the corpus.
#[test]
fn damaged_input_is_taken_well() {
    let inputs: Vec<_> = files()
        .iter()
        .map(|path| std::fs::read(path).expect("it is a file"))
        .collect();
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..20_000 {
        let mut input = inputs[random.usize(..inputs.len())].clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..input.len().max(1)).min(input.len());
            match random.u8(..4) {
                0 => input.insert(at, random.u8(..)),
                1 => {
                    let grammar = b" \n{}[]()\"'\\$:=,;#/-.059kmtx\0";
                    input.insert(at, *random.choice(grammar).expect("there are some"));
                }
                2 => {
                    // Appends a part of another input.
                    let other = &inputs[random.usize(..inputs.len())];
                    let from = random.usize(..=other.len());
                    input.splice(at..at, other[from..].iter().copied());
                }
                _ if at < input.len() => drop(input.remove(at)),
                _ => {}
            }
        }
        check_config::check(&input);
    }
}
