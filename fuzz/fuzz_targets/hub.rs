#![no_main]

#[path = "check_hub.rs"]
mod check_hub;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check_hub::check(input));
