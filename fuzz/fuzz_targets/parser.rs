//! Searches for input on which the parser's invariants fail.

#![no_main]

mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
