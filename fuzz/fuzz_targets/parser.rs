//! Looks for input that the parser does not take well.

#![no_main]

mod check;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
