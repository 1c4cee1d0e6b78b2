//! Runs the fuzzer's seed inputs without a fuzzer.

use crate::seeds::{check_seeds, seeds};

#[path = "../../fuzz/fuzz_targets/check_hub.rs"]
#[allow(unreachable_pub)]
mod check_hub;

#[test]
fn the_parser_takes_the_whole_corpus_well() {
    check_seeds("hub", 10, check_hub::check);
}

/// Inputs that differ a little from the corpus.
#[test]
fn the_parser_takes_damaged_input_well() {
    let seeds = seeds("hub");
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..20_000 {
        let (_, mut input) = seeds[random.usize(..seeds.len())].clone();
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
