#![no_main]

#[path = "check_config.rs"]
mod check_config;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check_config::check(input));
