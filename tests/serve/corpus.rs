//! Runs the fuzzer's seed inputs without a fuzzer.

use crate::seeds::check_seeds;

#[path = "../../fuzz/fuzz_targets/check.rs"]
#[allow(unreachable_pub)]
mod check;

#[test]
fn the_parser_takes_the_whole_corpus_well() {
    check_seeds("parser", 50, check::check);
}
